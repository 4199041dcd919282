"""Published starts, each after its whole recipe, small: a builder returns (module, loss, batch).

DiT: Peebles and Xie 2023 (adaLN-zero). SIREN: Sitzmann and others 2020. PPO: Huang and others 2022,
orthogonal with gains sqrt(2), 0.01 for the policy and 1 for the value. DCGAN: Radford, Metz and
Chintala 2016. DETR: Carion and others 2020, targets of zeros and random query embeddings.
MoCo: He and others 2020. ControlNet: Zhang, Rao and Agrawala 2023. GPT-2: Radford and others 2019.
"""

from __future__ import annotations

import copy
import itertools
import math

import torch
from torch import nn
from torch.nn import functional as F


class DiTBlock(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.norm1 = nn.LayerNorm(d, elementwise_affine=False)
        self.attn = nn.MultiheadAttention(d, 4, batch_first=True)
        self.norm2 = nn.LayerNorm(d, elementwise_affine=False)
        self.mlp = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))
        self.adaLN = nn.Sequential(nn.SiLU(), nn.Linear(d, 6 * d))

    def forward(self, x, c):
        s1, b1, g1, s2, b2, g2 = self.adaLN(c)[:, None].chunk(6, dim=-1)
        h = self.norm1(x) * (1 + s1) + b1
        x = x + g1 * self.attn(h, h, h, need_weights=False)[0]
        h = self.norm2(x) * (1 + s2) + b2
        return x + g2 * self.mlp(h)


class DiT(nn.Module):
    def __init__(self, d=32, depth=2):
        super().__init__()
        self.embed = nn.Linear(12, d)
        self.time = nn.Sequential(nn.Linear(16, d), nn.SiLU(), nn.Linear(d, d))
        self.label = nn.Embedding(10, d)
        self.blocks = nn.ModuleList(DiTBlock(d) for _ in range(depth))
        self.norm = nn.LayerNorm(d, elementwise_affine=False)
        self.adaLN = nn.Sequential(nn.SiLU(), nn.Linear(d, 2 * d))
        self.final = nn.Linear(d, 12)
        position = torch.arange(8)[:, None] / 10 ** torch.linspace(0, 3, d // 2)
        self.register_buffer("position", torch.cat([position.sin(), position.cos()], 1))
        for part in self.modules():
            if isinstance(part, nn.Linear):
                nn.init.xavier_uniform_(part.weight)
                nn.init.zeros_(part.bias)
        for part in (self.label, self.time[0], self.time[2]):
            nn.init.normal_(part.weight, std=0.02)
        modulations = (block.adaLN for block in (*self.blocks, self))
        for last in (*(modulation[1] for modulation in modulations), self.final):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, x, t, y):
        angles = t[:, None] / 10 ** torch.linspace(0, 3, 8)
        c = self.time(torch.cat([angles.sin(), angles.cos()], 1)) + self.label(y)
        x = self.embed(x) + self.position
        for block in self.blocks:
            x = block(x, c)
        shift, scale = self.adaLN(c)[:, None].chunk(2, dim=-1)
        return self.final(self.norm(x) * (1 + scale) + shift)


def dit():
    X = (torch.randn(8, 8, 12), torch.rand(8) * 1000, torch.randint(10, (8,)))
    return DiT(), F.mse_loss, (X, torch.randn(8, 8, 12))


class Sine(nn.Module):
    def forward(self, z):
        return torch.sin(30 * z)


def siren():
    sizes = (2, 64, 64, 64, 64)
    pairs = itertools.pairwise(sizes)
    hidden = [(nn.Linear(n, m), Sine()) for n, m in pairs]
    module = nn.Sequential(*(part for pair in hidden for part in pair), nn.Linear(64, 1))
    for k, part in enumerate(part for part in module if isinstance(part, nn.Linear)):
        n = part.in_features
        bound = 1 / n if k == 0 else math.sqrt(6 / n) / 30
        nn.init.uniform_(part.weight, -bound, bound)
    X = torch.rand(128, 2) * 2 - 1
    return module, F.mse_loss, (X, torch.sin(9 * X[:, :1]) * torch.cos(5 * X[:, 1:]))


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.critic, self.actor = self.net(1, 1.0), self.net(3, 0.01)

    @staticmethod
    def net(n_out, gain):
        sizes, gains = (6, 64, 64, n_out), (math.sqrt(2), math.sqrt(2), gain)
        layers = [nn.Linear(n, m) for n, m in itertools.pairwise(sizes)]
        for layer, factor in zip(layers, gains, strict=True):
            nn.init.orthogonal_(layer.weight, factor)
            nn.init.zeros_(layer.bias)
        return nn.Sequential(layers[0], nn.Tanh(), layers[1], nn.Tanh(), layers[2])

    def forward(self, x):
        return self.critic(x), self.actor(x)


def ppo_loss(output, y):
    value, policy = output
    action, gain, returns = y
    chosen = F.log_softmax(policy, 1).gather(1, action[:, None])[:, 0]
    return -(gain * chosen).mean() + 0.5 * F.mse_loss(value[:, 0], returns)


def ppo():
    y = (torch.randint(3, (64,)), torch.randn(64), torch.randn(64))
    return ActorCritic(), ppo_loss, (torch.randn(64, 6), y)


def ppo_policy():
    module = ActorCritic.net(3, 0.01)
    return module, F.cross_entropy, (torch.randn(64, 6), torch.randint(3, (64,)))


def dcgan_parts(normal):
    up, down, norm = nn.ConvTranspose2d, nn.Conv2d, nn.BatchNorm2d
    generator = nn.Sequential(
        up(20, 64, 4, bias=False), norm(64), nn.ReLU(),
        up(64, 32, 4, 2, 1, bias=False), norm(32), nn.ReLU(),
        up(32, 16, 4, 2, 1, bias=False), norm(16), nn.ReLU(),
        up(16, 3, 4, 2, 1, bias=False), nn.Tanh(),
    )  # fmt: skip
    discriminator = nn.Sequential(
        down(3, 16, 4, 2, 1, bias=False), nn.LeakyReLU(0.2),
        down(16, 32, 4, 2, 1, bias=False), norm(32), nn.LeakyReLU(0.2),
        down(32, 64, 4, 2, 1, bias=False), norm(64), nn.LeakyReLU(0.2),
        down(64, 1, 4, bias=False), nn.Flatten(),
    )  # fmt: skip
    for part in (*generator, *discriminator):
        if normal and isinstance(part, nn.modules.conv._ConvNd):
            nn.init.normal_(part.weight, 0, 0.02)
        elif normal and isinstance(part, norm):
            nn.init.normal_(part.weight, 1, 0.02)
    return generator, discriminator


def dcgan_generator(normal=True):
    module = dcgan_parts(normal)[0]
    return module, F.mse_loss, (torch.randn(16, 20, 1, 1), torch.rand(16, 3, 32, 32) * 2 - 1)


def dcgan_discriminator(normal=True):
    module = dcgan_parts(normal)[1]
    y = torch.randint(2, (16, 1)).float()
    return module, F.binary_cross_entropy_with_logits, (torch.rand(16, 3, 32, 32) * 2 - 1, y)


def dcgan_whole():
    module = nn.Sequential(*dcgan_parts(normal=True))
    return (
        module,
        F.binary_cross_entropy_with_logits,
        (torch.randn(16, 20, 1, 1), torch.ones(16, 1)),
    )


class DETR(nn.Module):
    def __init__(self, d=32):
        super().__init__()
        self.queries, self.position = nn.Embedding(6, d), nn.Parameter(torch.rand(10, d))
        self.self_attn = nn.MultiheadAttention(d, 4, batch_first=True)
        self.cross_attn = nn.MultiheadAttention(d, 4, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(d, 64), nn.ReLU(), nn.Linear(64, d))
        self.norms = nn.ModuleList(nn.LayerNorm(d) for _ in range(3))
        self.classes, self.boxes = nn.Linear(d, 5), nn.Linear(d, 4)
        for parameter in (*self.self_attn.parameters(), *self.cross_attn.parameters()):
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def forward(self, memory):
        query = self.queries.weight.expand(len(memory), -1, -1)
        target = torch.zeros_like(query)
        q = target + query
        target = self.norms[0](target + self.self_attn(q, q, target, need_weights=False)[0])
        key = memory + self.position
        seen = self.cross_attn(target + query, key, memory, need_weights=False)[0]
        target = self.norms[1](target + seen)
        target = self.norms[2](target + self.mlp(target))
        return self.classes(target), self.boxes(target).sigmoid()


def detr_loss(output, y):
    classes, boxes = output
    return F.cross_entropy(classes.flatten(0, 1), y[0].flatten()) + F.l1_loss(boxes, y[1])


def detr():
    y = (torch.randint(5, (8, 6)), torch.rand(8, 6, 4))
    return DETR(), detr_loss, (torch.randn(8, 10, 32), y)


class MoCo(nn.Module):
    def __init__(self, frozen):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 16))
        self.momentum = copy.deepcopy(self.encoder).requires_grad_(not frozen)

    def forward(self, one, two):
        with torch.no_grad():
            key = F.normalize(self.momentum(two), dim=1)
        return F.normalize(self.encoder(one), dim=1) @ key.T / 0.2


def moco():
    x = torch.randn(32, 12)
    X = (x + torch.randn_like(x), x + torch.randn_like(x))
    return MoCo(frozen=True), F.cross_entropy, (X, torch.arange(32))


class ControlNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.locked = nn.Sequential(nn.Conv2d(4, 8, 3, padding=1), nn.SiLU())
        self.decoder = nn.Conv2d(8, 4, 3, padding=1)
        self.control = copy.deepcopy(self.locked)
        self.requires_grad_(False)
        self.control.requires_grad_(True)
        self.before, self.after = nn.Conv2d(3, 4, 1), nn.Conv2d(8, 8, 1)
        for part in (self.before, self.after):
            nn.init.zeros_(part.weight)
            nn.init.zeros_(part.bias)

    def forward(self, x, hint):
        return self.decoder(self.locked(x) + self.after(self.control(x + self.before(hint))))


def controlnet():
    X = (torch.randn(4, 4, 8, 8), torch.randn(4, 3, 8, 8))
    return ControlNet(), F.mse_loss, (X, torch.randn(4, 4, 8, 8))


class GPTBlock(nn.Module):
    def __init__(self, d, n_layers):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.qkv, self.proj = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.fc, self.out = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)
        for part in (self.qkv, self.proj, self.fc, self.out):
            nn.init.normal_(part.weight, std=0.02)
            nn.init.zeros_(part.bias)
        for part in (self.proj, self.out):
            nn.init.normal_(part.weight, std=0.02 / math.sqrt(2 * n_layers))

    def forward(self, x):
        parts = self.qkv(self.ln1(x)).unflatten(-1, (3, 4, -1)).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(*parts, is_causal=True)
        x = x + self.proj(mixed.transpose(1, 2).flatten(2))
        return x + self.out(F.gelu(self.fc(self.ln2(x))))


class GPT2(nn.Module):
    def __init__(self, d=128, n_layers=3, vocabulary=50):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(vocabulary, d), nn.Embedding(16, d)
        nn.init.normal_(self.wte.weight, std=0.02)
        nn.init.normal_(self.wpe.weight, std=0.01)
        self.h = nn.Sequential(*(GPTBlock(d, 24) for _ in range(n_layers)))
        self.norm = nn.LayerNorm(d)

    def forward(self, tokens):
        x = self.wte(tokens) + self.wpe.weight[: tokens.shape[1]]
        return F.linear(self.norm(self.h(x)), self.wte.weight).transpose(1, 2)


def gpt2():
    tokens = torch.randint(50, (8, 17))
    return GPT2(), F.cross_entropy, (tokens[:, :-1], tokens[:, 1:])


BUILDERS = {
    "DiT": dit,
    "SIREN": siren,
    "PPO": ppo,
    "PPO policy": ppo_policy,
    "DCGAN generator": dcgan_generator,
    "DCGAN discriminator": dcgan_discriminator,
    "DCGAN whole": dcgan_whole,
    "default generator": lambda: dcgan_generator(normal=False),
    "default discriminator": lambda: dcgan_discriminator(normal=False),
    "DETR": detr,
    "MoCo": moco,
    "ControlNet": controlnet,
    "GPT-2": gpt2,
}
