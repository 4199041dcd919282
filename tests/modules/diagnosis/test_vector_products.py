"""Products with a vector of weights: no axis of the output counts units."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import symbreak as sb
from symbreak.modules.observation.observe import observe

WAYS = {
    "x @ v": lambda x, v: x @ v,
    "v @ x": lambda x, v: v @ x.transpose(-1, -2),
    "matmul": torch.matmul,
    "rmatmul": lambda x, v: x.__matmul__(v),
    "mv": lambda x, v: torch.mv(x.flatten(0, 1), v).view(x.shape[:2]),
    "method mv": lambda x, v: x.flatten(0, 1).mv(v).view(x.shape[:2]),
    "addmv": lambda x, v: torch.addmv(x[..., 0].flatten(), x.flatten(0, 1), v).view(x.shape[:2]),
    "linear": F.linear,
    "sum": lambda x, v: (x * v).sum(-1),
    "einsum": lambda x, v: torch.einsum("bnd,d->bn", x, v),
    "einsum, weight first": lambda x, v: torch.einsum("d,bnd->bn", v, x),
    "einsum of a list": lambda x, v: torch.einsum("bnd,d->bn", [x, v]),
    "inner": torch.inner,
    "tensordot": lambda x, v: torch.tensordot(x, v, dims=1),
    "dot": lambda x, v: torch.stack([torch.dot(r, v) for r in x.flatten(0, 1)]).view(x.shape[:2]),
    "vecdot": torch.linalg.vecdot,
    "a column": lambda x, v: (x @ v[:, None]).squeeze(-1),
    "a column for each example": lambda x, v: (x @ v.view(1, -1, 1)).squeeze(-1),
    "a row": lambda x, v: (v.view(1, 1, -1) @ x.transpose(-1, -2)).squeeze(-2),
    "bmm": lambda x, v: torch.bmm(x, v.view(1, -1, 1).expand(len(x), -1, 1)).squeeze(-1),
    "einsum of a repeated column": lambda x, v: torch.einsum(
        "bnd,bde->bne", x, v.view(1, -1, 1).expand(len(x), -1, 1)
    ).squeeze(-1),
    "a stack of one": lambda x, v: (x @ v.view(1, 1, -1, 1)[0]).squeeze(-1),
}


class Pooled(nn.Module):
    """Attention pooling over the positions by one vector, equal examples in the batch."""

    def __init__(self, way, std=0.5):
        super().__init__()
        self.way, self.body, self.head = way, nn.Linear(5, 6), nn.Linear(6, 2)
        self.v = nn.Parameter(std * torch.randn(6))

    def forward(self, x):
        h = torch.tanh(self.body(x))
        return self.head((self.way(h, self.v).softmax(-1)[..., None] * h).sum(1))


class Gated(Pooled):
    """A gate for each position by one vector."""

    def forward(self, x):
        h = torch.tanh(self.body(x))
        return self.head((torch.sigmoid(self.way(h, self.v))[..., None] * h).mean(1))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("std", [0.0, 0.5])
@pytest.mark.parametrize("kind", [Pooled, Gated])
@pytest.mark.parametrize("way", WAYS)
def test_examples_and_positions_are_no_units(way, kind, std, seed):
    torch.manual_seed(seed)
    module = kind(WAYS[way], std)
    X, y = torch.randn(8, 4, 5), torch.randn(8, 2)
    X[:, 2] = X[:, 1]  # two positions are the same in all examples
    X[5], y[5] = X[3], y[3]  # so are two examples
    found = sb.diagnose(module, F.mse_loss, (X, y))
    assert not [f for f in found.findings if f.kind in ("identical_units", "mirrored_units")]
    seen = observe(module, lambda m, b: F.mse_loss(m(b[0]), b[1]), (X, y))
    assert all(len(site.activations) == 1 for site in seen.sites if site.name == "v")


@pytest.mark.parametrize(
    ("way", "shape"),
    [
        (lambda x, W: W @ x[0, 0], (7, 6)),
        (lambda x, W: torch.mv(W, x[0, 0]), (7, 6)),
        (lambda x, W: x[0, 0] @ W, (6, 7)),
        (lambda x, W: x @ W, (6, 7)),
        (lambda x, W: x @ W, (1, 6, 7)),
        (lambda x, W: W @ x.transpose(1, 2), (7, 6)),
    ],
    ids=["W @ x", "mv", "x @ W", "many x @ W", "x @ a stack of one", "W @ many x"],
)
def test_units_of_a_matrix_are_seen_whatever_it_multiplies(way, shape):
    torch.manual_seed(0)
    module = nn.Module()
    module.W = nn.Parameter(torch.randn(shape))
    seen = observe(module, lambda m, x: way(x, m.W).square().sum(), torch.randn(3, 4, 6))
    assert [len(site.activations) for site in seen.sites if site.kind == "linear features"] == [7]
