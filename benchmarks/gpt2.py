"""A transformer of the size and the initialisation of GPT-2 small: 124 million parameters.

Pre-norm blocks, packed q, k, v, fused causal attention, gelu, the head tied to the token table.
Radford, Wu, Child, Luan, Amodei and Sutskever 2019: spread 0.02, and 0.02 / sqrt(2 layers) for the
last weight of each residual branch; biases 0. No dropout.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SPREAD = 0.02


class Attention(nn.Module):
    """Causal attention of all heads in one fused call."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, tokens, width) -> the same."""
        packed = self.c_attn(x).chunk(3, dim=-1)
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in packed)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(mixed.transpose(1, 2).flatten(2))


class MLP(nn.Module):
    """Four times as wide inside."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.c_fc = nn.Linear(width, 4 * width)
        self.c_proj = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, tokens, width) -> the same."""
        return self.c_proj(F.gelu(self.c_fc(x)))


class Block(nn.Module):
    """Two residual branches, each behind its norm."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = MLP(width)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, tokens, width) -> the same."""
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT2(nn.Module):
    """Tokens to the logits of the next token."""

    def __init__(
        self,
        layers: int = 12,
        width: int = 768,
        heads: int = 12,
        vocabulary: int = 50257,
        places: int = 1024,
    ) -> None:
        super().__init__()
        self.wte = nn.Embedding(vocabulary, width)
        self.wpe = nn.Embedding(places, width)
        self.h = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.ln_f = nn.LayerNorm(width)
        self.lm_head = nn.Linear(width, vocabulary, bias=False)
        self.lm_head.weight = self.wte.weight
        self._initialize(SPREAD / math.sqrt(2 * layers))

    def _initialize(self, last: float) -> None:
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=last if "c_proj" in name else SPREAD)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, tokens) of whole numbers -> (batch, tokens, vocabulary)."""
        x = self.wte(tokens) + self.wpe.weight[: tokens.shape[1]]
        for block in self.h:
            x = block(x)
        return self.lm_head(self.ln_f(x))


def next_token_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean cross-entropy over batch and places."""
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def tokens(sequences: int, length: int, vocabulary: int) -> tuple[Tensor, Tensor]:
    """Return random tokens and those that follow them, (sequences, length) each."""
    generator = torch.Generator().manual_seed(1)
    drawn = torch.randint(vocabulary, (sequences, length + 1), generator=generator)
    return drawn[:, :-1], drawn[:, 1:]


def twin_features_(module: Any, block: int, i: int, j: int) -> None:
    """Make feature j of a block's MLP the twin of feature i, in what comes in and goes out."""
    mlp = module.h[block].mlp
    with torch.no_grad():
        mlp.c_fc.weight[j] = mlp.c_fc.weight[i]
        mlp.c_fc.bias[j] = mlp.c_fc.bias[i]
        mlp.c_proj.weight[:, j] = mlp.c_proj.weight[:, i]


def twin_heads_(module: Any, block: int, i: int, j: int) -> None:
    """Make head j of a block the twin of head i, in q, k, v and in what is read of it."""
    attention = module.h[block].attn
    width = attention.c_proj.in_features
    size = width // attention.heads
    with torch.no_grad():
        for part in range(3):
            one, other = (
                slice(part * width + n * size, part * width + (n + 1) * size) for n in (i, j)
            )
            attention.c_attn.weight[other] = attention.c_attn.weight[one].clone()
            attention.c_attn.bias[other] = attention.c_attn.bias[one].clone()
        columns = attention.c_proj.weight[:, i * size : (i + 1) * size].clone()
        attention.c_proj.weight[:, j * size : (j + 1) * size] = columns
