"""Modules with planted twins, each with the list of findings that was written down beforehand.

A plan is (kind of finding, where, units, permanent); only identical_units and mirrored_units are
listed, other findings have tests of their own.
"""

import copy

import torch
import torch.nn.functional as F
from torch import nn


def data(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def twin_(layer, nxt, i=0, j=1, sign=1.0, into=None):
    """Make unit j of `layer` the twin of unit i, in what comes in and what goes out."""
    into = nxt if into is None else into
    with torch.no_grad():
        layer.weight[j] = sign * layer.weight[i]
        if layer.bias is not None:
            layer.bias[j] = sign * layer.bias[i]
        into.weight[:, j] = sign * into.weight[:, i]


def mlp(act=nn.Tanh, width=8):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(4, width), act(), nn.Linear(width, width), act(), nn.Linear(width, 2)
    )


class Residual(nn.Module):
    def __init__(self, channels=6):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        return F.relu(x + self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))


def resnet():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1),
        Residual(),
        Residual(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 3),
    )


def cnn():
    """Grouped, depthwise, transposed."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, groups=2),
        nn.ReLU(),
        nn.Conv2d(4, 4, 3, padding=1, groups=4),
        nn.ReLU(),
        nn.ConvTranspose2d(4, 6, 2, stride=2),
        nn.ReLU(),
        nn.Conv2d(6, 1, 1),
    )


class Recurrent(nn.Module):
    def __init__(self, kind, **options):
        super().__init__()
        torch.manual_seed(0)
        self.rnn = kind(3, 5, batch_first=True, **options)
        self.head = nn.Linear(5 * (2 if options.get("bidirectional") else 1), 2)

    def forward(self, x):
        return self.head(self.rnn(x)[0])


def twin_hidden_(model, gates, i=0, j=1):
    rnn, units = model.rnn, model.rnn.hidden_size
    with torch.no_grad():
        for g in range(gates):
            a, b = g * units + i, g * units + j
            rnn.weight_ih_l0[b] = rnn.weight_ih_l0[a]
            rnn.bias_ih_l0[b] = rnn.bias_ih_l0[a]
            rnn.bias_hh_l0[b] = rnn.bias_hh_l0[a]
            rnn.weight_hh_l0[b] = rnn.weight_hh_l0[a]
        rnn.weight_hh_l0[:, j] = rnn.weight_hh_l0[:, i]
        model.head.weight[:, j] = model.head.weight[:, i]


class Attention(nn.Module):
    """Plain attention: packed or not, fused or not."""

    def __init__(self, heads=2, size=8, weights=False):
        super().__init__()
        torch.manual_seed(0)
        self.attn = nn.MultiheadAttention(size, heads, batch_first=True)
        self.head = nn.Linear(size, 2)
        self.weights = weights

    def forward(self, x):
        return self.head(self.attn(x, x, x, need_weights=self.weights)[0])


def twin_heads_(attn, *, qk=True, v=True, out=True):
    size = attn.embed_dim // attn.num_heads
    with torch.no_grad():
        for part, wanted in ((0, qk), (1, qk), (2, v)):
            if wanted:
                start = part * attn.embed_dim
                rows = attn.in_proj_weight[start : start + size].clone()
                attn.in_proj_weight[start + size : start + 2 * size] = rows
        if out:
            columns = attn.out_proj.weight[:, :size].clone()
            attn.out_proj.weight[:, size : 2 * size] = columns


class ListedExperts(nn.Module):
    def __init__(self, n=3, copies=False, zero_router=False, top=None):
        super().__init__()
        torch.manual_seed(0)
        first = nn.Sequential(nn.Linear(4, 6), nn.GELU(), nn.Linear(6, 4))
        self.experts = nn.ModuleList(
            copy.deepcopy(first)
            if copies
            else nn.Sequential(nn.Linear(4, 6), nn.GELU(), nn.Linear(6, 4))
            for _ in range(n)
        )
        self.router = nn.Linear(4, n)
        if zero_router:
            nn.init.zeros_(self.router.weight)
            nn.init.zeros_(self.router.bias)

    def forward(self, x):
        gate = self.router(x).softmax(-1)
        return sum(gate[..., k : k + 1] * e(x) for k, e in enumerate(self.experts))


class StackedExperts(nn.Module):
    def __init__(self, n=3, copies=False, zero_router=False):
        super().__init__()
        torch.manual_seed(0)
        self.up = nn.Parameter(torch.randn(n, 4, 6) / 2)
        self.down = nn.Parameter(torch.randn(n, 6, 4) / 6**0.5)
        self.router = nn.Linear(4, n)
        with torch.no_grad():
            if copies:
                self.up[:] = self.up[0].clone()
                self.down[:] = self.down[0].clone()
            if zero_router:
                self.router.weight.zero_()
                self.router.bias.zero_()

    def forward(self, x):
        gate = self.router(x).softmax(-1)
        h = F.gelu(torch.einsum("nd,edh->enh", x, self.up))
        return torch.einsum("ne,end->nd", gate, torch.bmm(h, self.down))


class LoRA(nn.Module):
    def __init__(self, zero_a=False):
        super().__init__()
        torch.manual_seed(0)
        self.base = nn.Linear(6, 5).requires_grad_(False)
        self.lora_A = nn.Linear(6, 3, bias=False)
        self.lora_B = nn.Linear(3, 5, bias=False)
        nn.init.zeros_(self.lora_B.weight)
        if zero_a:
            nn.init.zeros_(self.lora_A.weight)

    def forward(self, x):
        return self.base(x) + self.lora_B(self.lora_A(x))


class Tokens(nn.Module):
    """Embedding, register tokens in front, one encoder layer; a head of the vocabulary."""

    def __init__(self, registers="random", tied=False, mean_rows=False, zero_head=False):
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Embedding(11, 8, padding_idx=0)
        self.register = nn.Parameter(torch.randn(1, 3, 8))
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.head = nn.Linear(8, 11, bias=False)
        with torch.no_grad():
            if registers == "zero":
                self.register.zero_()
            if mean_rows:
                self.embed.weight[8:] = self.embed.weight[1:8].mean(0)
            if zero_head:
                self.head.weight.zero_()
        if tied:
            self.head.weight = self.embed.weight

    def forward(self, ids):
        x = self.embed(ids)
        x = torch.cat([self.register.expand(len(ids), -1, -1), x], dim=1)
        return self.head(self.layer(x))[:, 3:].flatten(0, 1)


def tokens():
    ids = torch.randint(1, 8, (4, 6), generator=torch.Generator().manual_seed(2))
    return ids, ids.roll(1).flatten()
