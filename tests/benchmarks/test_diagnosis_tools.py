"""Planted starts stay symmetric under training, harmless ones do not; tools are counted."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

pytestmark = pytest.mark.needs_torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
cases: Any = importlib.import_module("diagnosis_cases")
tools: Any = importlib.import_module("diagnosis_tools")

OPTIMIZERS = {
    "SGD": lambda parameters: torch.optim.SGD(parameters, lr=0.05, momentum=0.9),
    "AdamW": lambda parameters: torch.optim.AdamW(parameters, lr=0.01),
}
# What one place gives, one row for each unit; heads and experts are compared by their weights.
WATCHED = set(cases.PLANTED) - {"heads", "experts, zero router"}
ROUNDING = 1e-9  # what 20 updates in float64 leave of equality, relative to the unit's size


def trained(case, make, updates=20):
    """Return the case's module after updates in float64, and its inputs."""
    module = case.module.double()
    X, y = (part.double() if part.is_floating_point() else part for part in (case.X, case.y))
    optimizer = make(list(module.parameters()))
    for _ in range(updates):
        optimizer.zero_grad()
        case.loss(module(X), y).backward()
        optimizer.step()
    return module, X


def given_by(module, place, X):
    """(units, ...) that a layer gives."""
    kept = []
    handle = module.get_submodule(place).register_forward_hook(
        lambda _part, _args, output: kept.append(output.detach().transpose(0, 1).flatten(1))
    )
    module(X)
    handle.remove()
    return kept[0]


def apart(rows, i, j, sign=1):
    return float((rows[i] - sign * rows[j]).norm() / rows.norm(dim=1).max())


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", sorted(WATCHED))
def test_planted_units_are_still_one_after_training(name, seed, optimizer):
    case = cases.PLANTED[name](seed)
    module, X = trained(case, OPTIMIZERS[optimizer])
    sign = -1 if name.startswith("mirrors") else 1
    for place in case.places:
        rows = given_by(module, place, X)
        assert apart(rows, case.units[0], case.units[1], sign) < ROUNDING
        assert all(apart(rows, case.units[0], other) > 1e-3 for other in others(case, len(rows)))


def others(case, units):
    return [unit for unit in range(units) if unit not in case.units][:5]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", ["experts, zero router", "copied experts, random router"])
def test_copied_experts_stay_copies_behind_a_router_of_zeros_only(name, seed, optimizer):
    module, _ = trained({**cases.PLANTED, **cases.HARMLESS}[name](seed), OPTIMIZERS[optimizer])
    if seed % 2:
        weights = torch.stack([expert[0].weight for expert in module.experts])
    else:
        weights = module.up
    rows = weights.detach().flatten(1)
    kept = apart(rows, 0, 1)
    assert kept < ROUNDING if name in cases.PLANTED else kept > 1e-4


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("seed", range(4))
def test_planted_heads_are_still_one_after_training(seed, optimizer):
    case = cases.PLANTED["heads"](seed)
    module, _ = trained(case, OPTIMIZERS[optimizer])
    attention = module[0]
    for layer in (attention.q_proj, attention.k_proj, attention.v_proj):
        rows = layer.weight.detach().unflatten(0, (4, 8)).flatten(1)
        assert apart(rows, case.units[0], case.units[1]) < ROUNDING


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("equal rows, read differently", "0.weight"),
        ("ICNR", "0.weight"),
        ("zero head", "4.weight"),
        ("LoRA, B = 0", "lora_B.weight"),
        ("new tokens at the mean", "embed.weight"),
    ],
)
def test_equal_rows_of_harmless_starts_are_torn_by_training(name, place, optimizer):
    case = cases.HARMLESS[name](0)
    before = case.module.get_parameter(place).detach().flatten(1).clone()
    equal = [
        (i, j) for i in range(len(before)) for j in range(i) if torch.equal(before[i], before[j])
    ]
    assert equal
    module, _ = trained(case, OPTIMIZERS[optimizer])
    after = module.get_parameter(place).detach().flatten(1)
    assert all(apart(after, i, j) > 1e-6 for i, j in equal)


def test_rules_restated_say_what_they_are_said_to():
    copies, far, mirrors = (cases.PLANTED[name](0) for name in list(cases.PLANTED)[:3])
    constant, zero_head = cases.PLANTED["all weights equal"](0), cases.HARMLESS["zero head"](0)
    assert tools.equal_rows(copies) == tools.equal_rows(far) == {"0.weight"}
    assert tools.equal_rows(mirrors) == tools.deep_checker(copies) == set()
    assert tools.deep_checker(constant) == {"0.weight", "2.weight", "4.weight"}
    assert tools.deep_checker(zero_head) == tools.equal_rows(zero_head) == {"4.weight"}


def test_a_complaint_counts_where_the_lost_units_are():
    case = cases.PLANTED["copies"](0)
    assert case.places == ("0",)
    assert tools.complains({"0"}, case)
    assert tools.complains({"0.weight"}, case)
    assert not tools.complains({"2.weight", "00", "03.weight"}, case)
    assert tools.complains({"2.weight"}, cases.HARMLESS["zero head"](0))
    assert not tools.complains(set(), cases.HARMLESS["zero head"](0))


@pytest.mark.slow
def test_ours_names_the_planted_units_and_nothing_in_harmless_starts():
    for build in cases.PLANTED.values():
        case = build(3)
        found = tools.sb.diagnose(case.module, case.loss, (case.X, case.y))
        errors = {f.where: f.units for f in found.findings if f.level == "error" and f.units}
        assert all(errors[place] == case.units for place in case.places)
    assert not any(tools.ours(build(3)) for build in cases.HARMLESS.values())


def test_the_tables_count_found_missed_and_false_alarms(monkeypatch):
    monkeypatch.setattr(tools, "tools", lambda: {"all": lambda _: {"0"}, "none": lambda _: set()})
    monkeypatch.setattr(tools, "PLANTED", {"copies": cases.copies})
    monkeypatch.setattr(tools, "HARMLESS", {"sound": cases.sound})
    result = {"machine": tools.machine([]), **tools.ask(4)}
    # Copies lie in layer 0 at even seeds, in layer 2 at odd ones.
    assert result["planted"] == {"copies": {"all": 2, "none": 0}}
    assert result["harmless"] == {"sound": {"all": 4, "none": 0}}
    text = tools.render(result)
    assert "| all missed | 2 / 4 | 4 / 4 |" in text
    assert "| all false alarms | 4 / 4 | 0 / 4 |" in text
