"""Rows of heads: which belong to equal heads, in each layout, and how they are mended."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import symbreak as sb
from symbreak.findings import Finding
from symbreak.modules.diagnosis.heads import group_head_findings
from symbreak.modules.observation.observed import HEADS, LINEAR, Site
from tests.modules.diagnosis.starts import data

SEQUENCES = data(4, 6, 8)


def of(kind, where, n_units, units, level="error"):
    rows = torch.zeros(n_units, 1)
    return Site(where, kind, rows, rows), Finding(
        "identical_units", level, where, units, True, "", ""
    )


@pytest.mark.parametrize(
    ("n_rows", "rows", "belong"),
    [
        (8, (1, 5), True),  # one part: heads of four rows
        (16, (9, 13), True),  # keys and values in one
        (24, (17, 21), True),  # queries, keys and values in one
        (24, (1, 13), True),  # the three parts of a head side by side
        (24, (17, 22), False),  # another offset
        (24, (1, 9), False),  # another part
        (10, (1, 6), True),
        (7, (1, 5), False),  # not heads at all
    ],
)
def test_rows_belong_to_heads_by_part_head_and_offset(n_rows, rows, belong):
    found = [of(LINEAR, "attn.qkv", n_rows, rows), of(HEADS, "attn", 2, (0, 1))]
    result = list(group_head_findings(found))
    assert [f.where for f in result] == (["attn"] if belong else ["attn.qkv", "attn"])
    assert [p.units for p in result[-1].parts] == ([rows] if belong else [])


@pytest.mark.parametrize(
    "heads",
    [
        of(HEADS, "other", 2, (0, 1)),  # another place
        of(HEADS, "att", 2, (0, 1)),  # a name that only begins alike
        of(HEADS, "attn", 4, (0, 1)),  # rows of other heads
        of(HEADS, "attn", 2, (0, 1), "note"),  # less severe than its rows
    ],
)
def test_rows_of_other_heads_stand_for_themselves(heads):
    found = [of(LINEAR, "attn.qkv", 8, (1, 5)), heads]
    assert [f.where for f in group_head_findings(found)] == ["attn.qkv", heads[1].where]


class Written(nn.Module):
    """Attention by hand, as a part of something else: its class does not say where heads are."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.qkv, self.out = nn.Linear(8, 24), nn.Linear(8, 8)

    def forward(self, x):
        q, k, v = (t.unflatten(-1, (2, 4)).transpose(1, 2) for t in self.qkv(x).chunk(3, -1))
        y = F.scaled_dot_product_attention(q, k, v)
        return self.out(y.transpose(1, 2).flatten(2))


@pytest.mark.parametrize("how", ["redraw", "perturb"])
def test_equal_heads_of_an_unknown_class_are_mended_by_their_rows(how):
    module: Any = nn.Sequential(Written(), nn.Linear(8, 2))
    with torch.no_grad():
        for values in (module[0].qkv.weight, module[0].qkv.bias):
            for part in (0, 8, 16):
                values[part + 4 : part + 8] = values[part : part + 4].clone()
        module[0].out.weight[:, 4:] = module[0].out.weight[:, :4].clone()
    before = module[0].qkv.weight.detach().clone()
    found = sb.diagnose(module, F.mse_loss, (SEQUENCES, data(4, 6, 2)))
    assert [(f.where, f.units) for f in found.findings if f.level == "error"] == [("0", (0, 1))]
    repair = sb.repair(module, found, how=how)
    assert repair.after.ok
    assert [(row.place, row.units) for row in repair.rows] == [("0", (1,))]
    second = torch.tensor([row // 4 % 2 == 1 for row in range(24)])
    assert torch.equal((module[0].qkv.weight != before).any(1), second)
