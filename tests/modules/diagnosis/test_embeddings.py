"""Dimensions of embeddings: columns of a table that are one feature, designed, and mended."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import symbreak as sb
from tests.modules.diagnosis.starts import data

TOKENS = torch.randint(0, 20, (16, 3), generator=torch.Generator().manual_seed(0))
USERS, ITEMS = TOKENS[:, 0] % 7, TOKENS[:, 1] % 5


class Factorisation(nn.Module):
    """A rating is the scalar product of a row of each table."""

    def __init__(self, value=None):
        super().__init__()
        torch.manual_seed(0)
        self.user, self.item = nn.Embedding(7, 4), nn.Embedding(5, 4)
        for table in (self.user, self.item):
            if value is not None:
                nn.init.constant_(table.weight, value)

    def forward(self, user, item):
        return (self.user(user) * self.item(item)).sum(-1)


class Indexed(nn.Module):
    """A table that is a parameter, read by index."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.table = nn.Parameter(torch.randn(20, 4))
        self.out = nn.Linear(4, 2)

    def forward(self, tokens):
        return self.out(self.table[tokens].mean(1))


class Bag(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.bag, self.out = nn.EmbeddingBag(20, 4), nn.Linear(4, 2)

    def forward(self, tokens):
        return self.out(self.bag(tokens))


def flat(padding=None):
    torch.manual_seed(0)
    return nn.Sequential(nn.Embedding(20, 4, padding), nn.Flatten(), nn.Linear(12, 2))


def twin_columns_(table, readers, one=1, other=2, sign=1.0):
    """Make column `other` of the table column `one`, with all that reads it."""
    with torch.no_grad():
        table[:, other] = sign * table[:, one]
        for reader in readers:
            reader[..., other] = sign * reader[..., one]


def found(module, X):
    y = data(16) if isinstance(X, tuple) else data(16, 2)
    result = sb.diagnose(module, F.mse_loss, (X, y))
    twins = [f for f in result.findings if f.kind in ("identical_units", "mirrored_units")]
    return result, [(f.kind, f.where, f.units, f.permanent, f.level) for f in twins]


def test_a_constant_factorisation_has_one_dimension_for_ever():
    result, twins = found(Factorisation(0.1), (USERS, ITEMS))
    assert twins == [
        ("identical_units", "user", (0, 1, 2, 3), True, "error"),
        ("identical_units", "item", (0, 1, 2, 3), True, "error"),
    ]
    assert "4 of 4 dimensions" in result.findings[0].evidence


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_equal_and_mirrored_columns_that_are_read_alike_are_found(sign):
    module = flat()
    twin_columns_(module[0].weight, [module[2].weight.unflatten(1, (3, 4))], sign=sign)
    kind = "identical_units" if sign > 0 else "mirrored_units"
    assert found(module, TOKENS)[1] == [(kind, "0", (1, 2), True, "error")]


def test_equal_columns_that_are_read_differently_are_harmless():
    module = Factorisation()
    with torch.no_grad():
        module.user.weight[:, 2] = module.user.weight[:, 1]
    assert found(module, (USERS, ITEMS))[1] == []


@pytest.mark.parametrize("make", [Bag, Indexed])
def test_bags_and_indexed_parameters_have_dimensions_too(make):
    module = make()
    table = module.bag.weight if make is Bag else module.table
    assert found(module, TOKENS)[1] == []
    twin_columns_(table, [module.out.weight])
    where = "bag" if make is Bag else "table"
    assert found(module, TOKENS)[1] == [("identical_units", where, (1, 2), True, "error")]


@pytest.mark.parametrize("padding", [None, 0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_fresh_embeddings_have_no_twins(padding, dtype):
    assert found(flat(padding).to(dtype), TOKENS)[1] == []
    assert found(Factorisation().to(dtype), (USERS, ITEMS))[1] == []


@pytest.mark.parametrize("how", ["redraw", "perturb"])
@pytest.mark.parametrize("padding", [None, 3])
def test_repair_draws_all_but_the_first_column_and_no_padding(how, padding):
    module = flat(padding)
    twin_columns_(module[0].weight, [module[2].weight.unflatten(1, (3, 4))])
    old = {name: p.detach().clone() for name, p in module.named_parameters()}
    result, _ = found(module, TOKENS)
    repaired = sb.repair(module, result, how=how)
    assert repaired.after.ok
    assert repaired.rows[0].units == (2,)
    changed = module[0].weight.detach() != old["0.weight"]
    rows = [row for row in range(20) if row != padding]
    wanted = torch.zeros_like(changed)
    wanted[rows, 2] = True
    assert torch.equal(changed, wanted)
    assert torch.equal(module[2].weight, old["2.weight"])


def test_split_of_dimensions_is_refused_in_a_sentence():
    module = flat()
    twin_columns_(module[0].weight, [module[2].weight.unflatten(1, (3, 4))])
    with pytest.raises(sb.InvalidInput, match="use how='redraw'"):
        sb.repair(module, found(module, TOKENS)[0], how="split")


def test_repair_mends_indexed_parameters():
    module = Indexed()
    twin_columns_(module.table, [module.out.weight])
    before = module.table.detach().clone()
    assert sb.repair(module, found(module, TOKENS)[0]).after.ok
    assert torch.equal((module.table != before).any(0), torch.tensor([False, False, True, False]))
