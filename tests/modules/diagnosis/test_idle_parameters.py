"""Parameters that a batch gives no gradient, beside those that the start stops."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import symbreak as sb
from tests.modules.diagnosis.starts import data


class Attends(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.attn = nn.MultiheadAttention(8, 2, kdim=6, vdim=6, batch_first=True)
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        return self.head(self.attn(x, x[..., :6], x[..., :6])[0][:, 0])


class Recurs(nn.Module):
    def __init__(self, **options):
        super().__init__()
        torch.manual_seed(0)
        self.rnn = nn.GRU(8, 4, batch_first=True, **options)
        self.head = nn.Linear(8 if options else 4, 2)

    def forward(self, x):
        return self.head(self.rnn(x)[0][:, -1])


class Routes(nn.Module):
    """The better one of two experts; the router never takes the second."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.experts = nn.ModuleList(nn.Linear(8, 2) for _ in range(2))
        self.router = nn.Linear(8, 2)
        nn.init.constant_(self.router.bias, 0.0)
        self.router.bias.data[0] = 50.0

    def forward(self, x):
        x = x[:, 0]
        gate, chosen = self.router(x).softmax(-1).max(-1)
        out = x.new_zeros(len(x), 2)
        for k, expert in enumerate(self.experts):
            (rows,) = (chosen == k).nonzero(as_tuple=True)
            out = out.index_add(0, rows, expert(x[rows]) * gate[rows, None])
        return out


class Masks(nn.Module):
    """All experts see every example, and a mask takes the first choice of a router."""

    def __init__(self, wanted, n_experts=6):
        super().__init__()
        torch.manual_seed(0)
        self.wanted = wanted
        self.router = nn.Linear(8, n_experts)
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(8, 4), nn.GELU(), nn.Linear(4, 2)) for _ in range(n_experts)
        )

    def forward(self, x):
        gates = (5 * self.router(x[:, 0])).softmax(-1)
        chosen = F.one_hot(gates.argmax(-1), len(self.experts))
        return self.wanted(self, x[:, 0], gates, chosen)


def by_product(module, x, gates, chosen):
    outputs = torch.stack([expert(x) for expert in module.experts], 1)
    return (outputs * (gates * chosen)[..., None]).sum(1)


def by_where(module, x, gates, chosen):
    nothing = torch.zeros(())
    outputs = enumerate(expert(x) for expert in module.experts)
    return sum(
        torch.where(chosen[:, k, None] > 0, y * gates[:, k, None], nothing) for k, y in outputs
    )


def unreached(module, X):
    """Return names of a module's experts that the batch does not reach."""
    chosen = module.router(X[:, 0]).argmax(-1).unique().tolist()
    return [f"experts.{k}" for k in range(len(module.experts)) if k not in chosen]


class Words(nn.Module):
    """Experts by masks on words."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.table, self.routed = nn.Embedding(50, 8), Masks(by_product)

    def forward(self, words):
        return self.routed(self.table(words).sum(1, keepdim=True))


class Frozen(nn.Module):
    """A frozen factor of zero stops the gradient: that is the start's fault."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.inner, self.outer = nn.Linear(8, 4), nn.Linear(8, 2)
        self.gate = nn.Parameter(torch.zeros(()), requires_grad=False)
        self.last = nn.Linear(4, 2)

    def forward(self, x):
        x = x[:, 0]
        return self.outer(x) + self.gate * self.last(self.inner(x).tanh())


def dead():
    torch.manual_seed(0)
    module: Any = nn.Sequential(
        nn.Flatten(), nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2)
    )
    nn.init.constant_(module[1].bias, -100.0)
    return module


def levels(module, X):
    result = sb.diagnose(module, F.mse_loss, (X, data(len(X), 2, seed=9)))
    return [(f.level, f.where, f.permanent) for f in result.findings if f.kind == "no_gradient"]


@pytest.mark.parametrize(
    ("make", "steps", "where"),
    [
        (Attends, 1, "attn.q_proj_weight"),
        (Recurs, 1, "rnn.weight_hh_l0"),
        (lambda: Recurs(bidirectional=True), 5, "rnn.weight_hh_l0_reverse"),
        (Routes, 1, "experts.1.weight"),
    ],
    ids=["one token", "one step", "last of both ways", "expert without examples"],
)
def test_what_only_the_batch_hides_is_a_warning(make, steps, where):
    assert ("warning", where, None) in levels(make(), data(16, steps, 8))
    assert not [level for level, *_ in levels(make(), data(16, steps, 8)) if level == "error"]


def test_the_same_modules_on_longer_batches_are_sound():
    assert levels(Attends(), data(16, 3, 8)) == []
    assert levels(Recurs(), data(16, 3, 8)) == []


@pytest.mark.parametrize(("make", "where"), [(Frozen, "inner.weight"), (dead, "1.weight")])
def test_what_the_start_stops_is_an_error(make, where):
    found = levels(make(), data(16, 1, 8))
    assert [(level, permanent) for level, _, permanent in found] == [("error", True)]
    assert found[0][1] == where


@pytest.mark.parametrize("wanted", [by_product, by_where])
def test_an_expert_that_a_mask_leaves_out_on_this_batch_is_a_warning(wanted):
    module, X = Masks(wanted), data(6, 1, 8)
    (missing, *_) = unreached(module, X)
    found = levels(module, X)
    assert [(level, permanent) for level, _, permanent in found] == [("warning", None)]
    assert found[0][1] == f"{missing}.0.weight"


def test_an_expert_on_words_that_a_mask_leaves_out_is_a_warning():
    words = torch.randint(50, (6, 4), generator=torch.Generator().manual_seed(1))
    module = Words()
    assert unreached(module.routed, module.table(words).sum(1, keepdim=True))
    assert {level for level, *_ in levels(module, words)} == {"warning"}


def test_what_no_draw_mends_does_not_keep_the_rest_from_being_mended():
    module: Any = Recurs(bidirectional=True)
    with torch.no_grad():
        for values in (module.rnn.weight_ih_l0, module.rnn.weight_hh_l0):
            for gate in (0, 4, 8):
                values[gate + 2] = values[gate + 1]
        for values in (module.rnn.bias_ih_l0, module.rnn.bias_hh_l0):
            values[[2, 6, 10]] = values[[1, 5, 9]]
        module.rnn.weight_hh_l0[:, 2] = module.rnn.weight_hh_l0[:, 1]
        module.head.weight[:, 2] = module.head.weight[:, 1]
    X, y = data(16, 5, 8), data(16, 2, seed=9)
    repair = sb.repair(module, sb.diagnose(module, F.mse_loss, (X, y)))
    assert [(row.place, row.units) for row in repair.rows] == [("rnn.l0", (2,))]
    assert [finding.where for finding in repair.left] == ["rnn.weight_hh_l0_reverse"]
    assert "Left: no_gradient in rnn.weight_hh_l0_reverse. Give a batch" in str(repair)
    with pytest.raises(sb.InvalidInput, match="must be of weights that can be drawn"):
        sb.repair(module, repair.after)
