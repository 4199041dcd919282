"""Published starts give at most notes; the same modules with a fault planted give more."""

from __future__ import annotations

import pytest
import torch

import symbreak as sb
from tests.modules.diagnosis.published import BUILDERS


def findings(name, seed=0, change=None):
    torch.manual_seed(seed)
    module, loss, batch = BUILDERS[name]()
    if change is not None:
        with torch.no_grad():
            change(module)
    return sb.diagnose(module, loss, batch).findings


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", BUILDERS)
def test_a_published_start_gives_at_most_notes(name, seed):
    loud = [f for f in findings(name, seed) if f.level != "note"]
    assert not loud, "\n".join(f"{f.kind} {f.level} {f.where}: {f.evidence}" for f in loud)


def loud(name, change):
    return {(f.kind, f.where) for f in findings(name, change=change) if f.level != "note"}


PLANTED = {
    # name: the start, what is done to it, the warning
    "a layer inside": ("PPO policy", lambda m: m[2].weight.mul_(1e-3), "2.weight"),
    "the first layer": ("SIREN", lambda m: m[0].weight.mul_(1e-3), "0.weight"),
    "a large head": ("PPO policy", lambda m: m[4].weight.mul_(1e4), "4.weight"),
    "a saturated layer": ("PPO policy", lambda m: m[0].weight.mul_(50), "0.weight"),
}


@pytest.mark.parametrize("case", PLANTED)
def test_a_wrong_scale_that_the_signals_show_is_a_warning(case):
    name, change, where = PLANTED[case]
    assert ("wrong_scale", where) in loud(name, change)


def test_a_copy_is_a_warning_where_both_are_trained():
    torch.manual_seed(0)
    module, loss, batch = BUILDERS["DETR"]()
    with torch.no_grad():
        module.cross_attn.out_proj.weight.copy_(module.self_attn.out_proj.weight)
    found = sb.diagnose(module, loss, batch).findings
    assert ("identical_tensors", "warning") in {(f.kind, f.level) for f in found}


def test_a_repair_leaves_a_published_start_as_it_is():
    torch.manual_seed(0)
    module, loss, batch = BUILDERS["DiT"]()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    sb.repair(module, sb.diagnose(module, loss, batch), how="redraw")
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
