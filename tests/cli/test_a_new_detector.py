"""The recipe for a detector in CONTRIBUTING.md, followed with its own example, to every surface."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss

import symbreak as sb
from symbreak import findings
from symbreak.modules.diagnosis import detectors

pytestmark = pytest.mark.needs_torch

ROOT = Path(__file__).parents[2]
PROGRAM = """
import torch
from torch import nn

def narrow():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1), nn.Tanh(), nn.Linear(1, 2))
    return module, nn.MSELoss(), (torch.randn(40, 4), torch.randn(40, 2))
"""


@pytest.fixture
def kind(monkeypatch, tmp_path):
    """Follow the recipe; return the word of the new kind."""
    recipe = (ROOT / "CONTRIBUTING.md").read_text("utf-8").split("## How to add a detector")[1]
    code = textwrap.dedent(recipe.split("```python\n")[1].split("```")[0])
    written: Any = ModuleType("single_unit")
    exec(code, written.__dict__)
    word = written.__doc__.partition(":")[0]
    monkeypatch.setitem(detectors.DETECTORS, word, written.detect)
    monkeypatch.setattr(findings, "KINDS", (*findings.KINDS, word))
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(PROGRAM, "utf-8")
    return word


def narrow():
    scope: dict[str, Any] = {}
    exec(PROGRAM, scope)
    return scope["narrow"]()


def test_diagnose_plain_data_and_report(kind):
    module, loss, batch = narrow()
    found = sb.diagnose(module, loss, batch)
    assert [(f.kind, f.where, f.units) for f in found.findings] == [(kind, "2", (0,))]
    assert f"note: {kind} in 2: it has one unit." in str(found)
    assert found.to_dict()["findings"][0]["kind"] == kind
    sb.report(found, "page.html")
    page = Path("page.html").read_text("utf-8")
    assert kind in page or kind.replace("_", " ") in page


def test_the_command_line(kind, run):
    ran = run("diagnose", "mine.py:narrow", "--json", "found.json")
    assert (ran.code, ran.err) == (0, "")
    assert f"Note: {kind.replace('_', ' ')}, in '2'" in ran.out
    assert json.loads(Path("found.json").read_text("utf-8"))["findings"][0]["kind"] == kind


def test_repair_leaves_it(kind):
    module, loss, batch = narrow()
    module[0].weight.data[3] = module[0].weight.data[1]
    module[0].bias.data[3] = module[0].bias.data[1]
    module[2].weight.data[:, 3] = module[2].weight.data[:, 1]
    repair = sb.repair(module, sb.diagnose(module, loss, batch))
    assert [f.kind for f in repair.after.findings] == [kind]


def without_row(kinds):
    table = (ROOT / "docs" / "findings.md").read_text("utf-8")
    return [word for word in kinds if not re.search(rf"^\|[^|]*\b{word}\b", table, re.MULTILINE)]


def test_every_kind_has_a_row_in_the_docs(kind):
    assert without_row(findings.KINDS) == [kind]


def test_a_sound_module_stays_sound(kind):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    assert not sb.diagnose(module, mse_loss, (torch.randn(40, 4), torch.randn(40, 1))).findings
