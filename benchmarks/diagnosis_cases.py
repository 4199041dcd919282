"""Starts with units that are one unit for ever, and starts in which equality is harmless.

Which is which follows from the updates, not from any tool: units with equal (or mirrored) values
and derivatives on every example, from equal weights in and out, get equal updates; units that are
read differently, or stand for different inputs or outputs, do not. Sources: Chen, Kunin,
Yamamura and Ganguli (2306.04251) for duplicate, sign and vanishing sets; Velarde, Parra, Boldi
and Makse (2408.15894) for equal sums; Hu and others (2106.09685) for LoRA; Aitken and others
(1707.02937) for ICNR; Hewitt (2021) for new tokens at the mean of the old ones.

Every builder takes a seed and returns a `Case`; `places` names what holds the lost units, and is
empty for a harmless start.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ACTIVATIONS: tuple[Callable[[], nn.Module], ...] = (nn.Tanh, nn.ReLU, nn.Sigmoid)
EXAMPLES = 24


@dataclass(frozen=True)
class Case:
    """A start; the units in `units` of one of the `places` are one unit."""

    module: nn.Module
    X: Tensor
    y: Tensor
    loss: Callable[[Any, Any], Tensor]
    places: tuple[str, ...] = ()
    units: tuple[int, ...] = ()


def _regression(module: nn.Module, X: Tensor, *where: str, units: tuple[int, ...] = ()) -> Case:
    with torch.no_grad():
        y = torch.randn_like(module(X))
    return Case(module, X, y, F.mse_loss, where, units)


def _layers(widths: tuple[int, ...], activation: Callable[[], nn.Module]) -> Any:
    parts: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        parts += [nn.Linear(inputs, outputs), activation()]
    return nn.Sequential(*parts[:-1])


def _mlp(seed: int, width: int = 32) -> Any:
    torch.manual_seed(seed)
    return _layers((12, width, width, 4), ACTIVATIONS[seed % len(ACTIVATIONS)])


def _rows(n: int = EXAMPLES) -> Tensor:
    return torch.randn(n, 12)


def _pair(units: int, first: int = 0) -> tuple[int, int]:
    i, j = sorted((torch.randperm(units - first)[:2] + first).tolist())
    return i, j


def _twin_(layer: Any, reader: Any, i: int, j: int, sign: float = 1.0) -> None:
    with torch.no_grad():
        layer.weight[j], layer.bias[j] = sign * layer.weight[i], sign * layer.bias[i]
        reader.weight[:, j] = sign * reader.weight[:, i]


def copies(seed: int) -> Case:
    """Two units with equal weights in and out, in the first or the second hidden layer."""
    module, at = _mlp(seed), 2 * (seed % 2)
    pair = _pair(32)
    _twin_(module[at], module[at + 2], *pair)
    return _regression(module, _rows(), str(at), units=pair)


def copies_far_down(seed: int) -> Case:
    """The same in a layer of 300, both units behind the 200th."""
    module = _mlp(seed, 300)
    pair = _pair(300, 200)
    _twin_(module[0], module[2], *pair)
    return _regression(module, _rows(), "0", units=pair)


def mirrors(seed: int) -> Case:
    """Two units of tanh with all signs flipped."""
    torch.manual_seed(seed)
    module, at = _layers((12, 32, 32, 4), nn.Tanh), 2 * (seed % 2)
    pair = _pair(32)
    _twin_(module[at], module[at + 2], *pair, sign=-1.0)
    return _regression(module, _rows(), str(at), units=pair)


def equal_sums(seed: int) -> Case:
    """Two units of the second layer whose rows differ and have equal sums over two equal ones."""
    module = _mlp(seed)
    i, j = _pair(32)
    _twin_(module[0], module[2], i, j)
    p, q = _pair(32)
    _twin_(module[2], module[4], p, q)
    large, small = 0.5 + torch.rand(2).double()
    with torch.no_grad():
        second = module[2].weight
        second[p, i], second[p, j], second[q, i], second[q, j] = large, -small, -small, large
    return _regression(module, _rows(), "2", units=(p, q))


def zero_units(seed: int) -> Case:
    """Two units without a way in and without a way out: tanh, relu."""
    torch.manual_seed(seed)
    module = _layers((12, 32, 32, 4), ACTIVATIONS[seed % 2])
    pair = _pair(32)
    with torch.no_grad():
        for unit in pair:
            module[0].weight[unit], module[0].bias[unit] = 0.0, 0.0
            module[2].weight[:, unit] = 0.0
    return _regression(module, _rows(), "0", units=pair)


def all_equal(seed: int) -> Case:
    """Every weight the same number, biases 0."""
    module = _mlp(seed)
    for parameter in module.parameters():
        nn.init.constant_(parameter, 0.1 if parameter.dim() > 1 else 0.0)
    return _regression(module, _rows(), "0", "2", units=tuple(range(32)))


def channels(seed: int) -> Case:
    """Two equal channels of a convolution."""
    torch.manual_seed(seed)
    module = nn.Sequential(
        nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.ReLU(), nn.Flatten(),
        nn.Linear(16 * 16, 4),
    )  # fmt: skip
    pair = _pair(16)
    _twin_(module[0], module[2], *pair)
    return _regression(module, torch.randn(8, 3, 8, 8), "0", units=pair)


class _Attention(nn.Module):
    def __init__(self, size: int = 32, heads: int = 4) -> None:
        super().__init__()
        self.q_proj = nn.Linear(size, size)
        self.k_proj = nn.Linear(size, size)
        self.v_proj = nn.Linear(size, size)
        self.o_proj = nn.Linear(size, size)
        self.heads = heads

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (
            layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for layer in (self.q_proj, self.k_proj, self.v_proj)
        )
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        return x + self.o_proj(mixed)


def _with_attention() -> tuple[Any, Any]:
    attention: Any = _Attention()
    return nn.Sequential(attention, nn.LayerNorm(32), nn.Linear(32, 4)), attention


def heads(seed: int) -> Case:
    """Two heads with equal q, k, v and equal columns of the output."""
    torch.manual_seed(seed)
    module, attention = _with_attention()
    pair = _pair(4)
    one, other = (slice(8 * n, 8 * n + 8) for n in pair)
    with torch.no_grad():
        for layer in (attention.q_proj, attention.k_proj, attention.v_proj):
            layer.weight[other], layer.bias[other] = layer.weight[one].clone(), layer.bias[one]
        attention.o_proj.weight[:, other] = attention.o_proj.weight[:, one].clone()
    return _regression(module, torch.randn(6, 5, 32), "0", units=pair)


class _Experts(nn.Module):
    def __init__(self, count: int = 3) -> None:
        super().__init__()
        one = nn.Sequential(nn.Linear(12, 16), nn.GELU(), nn.Linear(16, 12))
        self.experts = nn.ModuleList(copy.deepcopy(one) for _ in range(count))
        self.router = nn.Linear(12, count)

    def forward(self, x: Tensor) -> Tensor:
        share = self.router(x).softmax(-1)
        outputs = torch.stack([expert(x) for expert in self.experts], -1)
        return torch.einsum("ndk,nk->nd", outputs, share)


class _Stacked(nn.Module):
    def __init__(self, count: int = 3) -> None:
        super().__init__()
        self.up = nn.Parameter((torch.randn(12, 16) / 12**0.5).expand(count, 12, 16).clone())
        self.down = nn.Parameter((torch.randn(16, 12) / 4).expand(count, 16, 12).clone())
        self.router = nn.Linear(12, count)

    def forward(self, x: Tensor) -> Tensor:
        share = self.router(x).softmax(-1)
        hidden = F.gelu(torch.einsum("nd,edh->enh", x, self.up))
        return torch.einsum("ne,end->nd", share, torch.bmm(hidden, self.down))


def _experts(seed: int, *, zero_router: bool) -> tuple[Any, tuple[str, ...]]:
    torch.manual_seed(seed)
    module, places = (_Experts(), ("experts",)) if seed % 2 else (_Stacked(), ("up", "down"))
    if zero_router:
        nn.init.zeros_(module.router.weight)
        nn.init.zeros_(module.router.bias)
    return module, places


def experts(seed: int) -> Case:
    """Copied experts, in a list or stacked, behind a dense router of zeros."""
    module, places = _experts(seed, zero_router=True)
    return _regression(module, _rows(), *places, units=(0, 1, 2))


def sound(seed: int) -> Case:
    """PyTorch's defaults."""
    return _regression(_mlp(seed), _rows())


def read_differently(seed: int) -> Case:
    """Equal rows with different outgoing weights."""
    module = _mlp(seed)
    before = module[2].weight.detach().clone()
    _twin_(module[0], module[2], *_pair(32))
    with torch.no_grad():
        module[2].weight.copy_(before)
    return _regression(module, _rows())


def proportional(seed: int) -> Case:
    """One row is five times another; their activations differ."""
    module = _mlp(seed)
    i, j = _pair(32)
    with torch.no_grad():
        module[0].weight[j] = 5 * module[0].weight[i]
    return _regression(module, _rows())


def icnr(seed: int) -> Case:
    """Repeated kernels before a pixel shuffle: each stands for another pixel."""
    torch.manual_seed(seed)
    module: Any = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.PixelShuffle(2), nn.Conv2d(4, 1, 3)
    )
    with torch.no_grad():
        for values in (module[0].weight, module[0].bias):
            values.copy_(values[::4].repeat_interleave(4, 0))
    return _regression(module, torch.randn(8, 3, 8, 8))


def zero_head(seed: int) -> Case:
    """A last layer of zeros: the first update makes its rows different."""
    module = _mlp(seed)
    nn.init.zeros_(module[4].weight)
    nn.init.zeros_(module[4].bias)
    return _regression(module, _rows())


class _LoRA(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.base = nn.Linear(12, 10).requires_grad_(False)
        self.lora_A = nn.Linear(12, 6, bias=False)
        self.lora_B = nn.Linear(6, 10, bias=False)
        nn.init.zeros_(self.lora_B.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + self.lora_B(self.lora_A(x))


def low_rank(seed: int) -> Case:
    """LoRA as it should be: A at random, B = 0."""
    torch.manual_seed(seed)
    return _regression(_LoRA(), _rows())


class _Language(nn.Module):
    def __init__(self, vocabulary: int = 40, width: int = 16) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        self.attention = _Attention(width, 2)
        self.head = nn.Linear(width, vocabulary, bias=False)
        nn.init.normal_(self.embed.weight, std=width**-0.5)

    def forward(self, ids: Tensor) -> Tensor:
        return self.head(self.attention(self.embed(ids)))


def _language(module: Any) -> Case:
    ids = torch.randint(40, (16, 9))  # new tokens occur as well

    def loss(logits: Tensor, following: Tensor) -> Tensor:
        return F.cross_entropy(logits.flatten(0, 1), following.flatten())

    return Case(module, ids[:, :-1], ids[:, 1:], loss)


def tied(seed: int) -> Case:
    """The head is the token table."""
    torch.manual_seed(seed)
    module: Any = _Language()
    module.head.weight = module.embed.weight
    return _language(module)


def mean_rows(seed: int) -> Case:
    """Eight new tokens, all at the mean of the old ones; the head apart or tied."""
    torch.manual_seed(seed)
    module: Any = _Language()
    if seed % 2:
        module.head.weight = module.embed.weight
    with torch.no_grad():
        module.embed.weight[32:] = module.embed.weight[:32].mean(0)
    return _language(module)


def routed_copies(seed: int) -> Case:
    """Copied experts behind a random router, which sends them different shares."""
    module, _ = _experts(seed, zero_router=False)
    return _regression(module, _rows())


PLANTED: dict[str, Callable[[int], Case]] = {
    "copies": copies,
    "copies behind unit 200": copies_far_down,
    "mirrors, tanh": mirrors,
    "equal sums, rows differ": equal_sums,
    "zero in and out": zero_units,
    "all weights equal": all_equal,
    "channels": channels,
    "heads": heads,
    "experts, zero router": experts,
}
HARMLESS: dict[str, Callable[[int], Case]] = {
    "PyTorch's defaults": sound,
    "equal rows, read differently": read_differently,
    "proportional rows": proportional,
    "ICNR": icnr,
    "zero head": zero_head,
    "LoRA, B = 0": low_rank,
    "tied embeddings": tied,
    "new tokens at the mean": mean_rows,
    "copied experts, random router": routed_copies,
}
