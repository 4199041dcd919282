"""Dead, saturated and constant units: planted by hand, told apart by level."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss

from symbreak.modules.diagnosis.detectors import inactive_units
from symbreak.modules.observation.observed import (
    CONV,
    EMBEDDING,
    LINEAR,
    NonlinearCall,
    Observed,
    Site,
)
from tests.modules.diagnosis.seen import observe


def called(function, before, after=None):
    """What was seen of one call; `before` is (units, samples)."""
    after = before.clamp_min(0) if after is None else after
    call = NonlinearCall("block", function, before, after, "block.linear")
    return Observed(nn.Module(), 1.0, (), (), (call,))


def relu_arguments(dead, units, samples):
    torch.manual_seed(1)
    before = torch.randn(units, samples)
    before[:, 0] = 0.5
    before[list(dead)] = -before[list(dead)].abs() - 0.1
    return before


@pytest.mark.parametrize(
    ("dead", "level", "permanent"),
    [((2,), "note", None), ((0, 3, 5), "warning", None), (range(6), "error", True)],
)
def test_dead_units_by_their_share(dead, level, permanent):
    (found,) = inactive_units.detect_dead(called("relu", relu_arguments(dead, 6, 40)))
    assert (found.kind, found.level, found.permanent) == ("dead_units", level, permanent)
    assert found.units == tuple(dead)
    assert found.where == "block.linear"


def test_an_argument_of_exactly_zero_is_dead():
    """W = 0, b = 0: relu's derivative at 0 is 0 in PyTorch."""
    (found,) = inactive_units.detect_dead(called("relu", torch.zeros(4, 10)))
    assert (found.level, found.units) == ("error", (0, 1, 2, 3))


def test_units_that_are_alive_once_are_not_dead():
    before = relu_arguments((), 6, 40)
    assert not list(inactive_units.detect_dead(called("relu", before)))
    before[3] = -1.0
    before[3, 17] = 1e-30
    assert not list(inactive_units.detect_dead(called("relu", before)))


def test_few_samples_say_nothing_of_single_units():
    before = relu_arguments((1,), 6, inactive_units.FEWEST - 1)
    assert not list(inactive_units.detect_dead(called("relu", before)))


@pytest.mark.parametrize("function", ["tanh", "gelu"])
def test_a_zero_of_another_function_is_not_dead(function):
    assert not list(inactive_units.detect_dead(called(function, torch.zeros(4, 10))))


def test_saturated_units_by_their_share():
    torch.manual_seed(2)
    before = torch.randn(8, 100)
    assert not list(inactive_units.detect_saturated(called("tanh", before)))
    before[1] = 6 * before[1].sign()
    (found,) = inactive_units.detect_saturated(called("tanh", before))
    assert (found.kind, found.level, found.units) == ("saturated_units", "note", (1,))
    before[:4] = -6
    (found,) = inactive_units.detect_saturated(called("tanh", before))
    assert (found.level, found.units) == ("warning", (0, 1, 2, 3))


def test_one_sample_in_twenty_may_lie_off_the_flat_end():
    before = torch.full((1, 100), 7.0)
    before[0, :5] = 0.0
    assert list(inactive_units.detect_saturated(called("sigmoid", before)))
    before[0, :6] = 0.0
    assert not list(inactive_units.detect_saturated(called("sigmoid", before)))


@pytest.mark.parametrize(
    ("function", "flat", "steep", "dtype"),
    [
        ("tanh", 9.2, 8.0, torch.float32),
        ("sigmoid", -18.0, -16.0, torch.float32),
        ("tanh", 20.0, 18.0, torch.float64),
    ],
)
def test_a_layer_without_a_slope_is_an_error(function, flat, steep, dtype):
    """Where autograd's own derivative is below rounding, by hand: 1 - tanh^2, 4 s (1 - s)."""
    for z, level in ((flat, "error"), (steep, "warning")):
        arguments = called(function, torch.full((3, 9), z, dtype=dtype))
        (found,) = inactive_units.detect_saturated(arguments)
        assert (found.level, found.permanent) == (level, True if level == "error" else None)


@pytest.mark.parametrize("kind", [LINEAR, CONV])
def test_constant_units(kind):
    torch.manual_seed(3)
    activations, deltas = torch.randn(5, 30), torch.randn(5, 30)
    activations[1], activations[4] = 0.3, -2.0
    deltas[4] = 0.0
    activations[4, 7] *= 1 + 1e-7  # a rounding apart
    site = Site("layer", kind, activations, deltas)
    stuck, moving = inactive_units.detect_constant(Observed(nn.Module(), 1.0, (site,), ()))
    assert (stuck.kind, stuck.level, stuck.units) == ("constant_units", "note", (4,))
    assert "no gradient arrives" in stuck.evidence
    assert (moving.level, moving.units) == ("note", (1,))
    activations[:3], deltas[:3] = 0.0, 0.0
    (stuck,) = inactive_units.detect_constant(Observed(nn.Module(), 1.0, (site,), ()))
    assert (stuck.level, stuck.units) == ("warning", (0, 1, 2, 4))


def test_what_differs_by_more_than_rounding_is_not_constant():
    activations = torch.ones(2, 30)
    activations[:, 3] += 1e-5
    site = Site("layer", LINEAR, activations, torch.ones(2, 30))
    assert not list(inactive_units.detect_constant(Observed(nn.Module(), 1.0, (site,), ())))


def test_rows_of_an_embedding_are_not_constant_units():
    site = Site("embed", EMBEDDING, torch.ones(4, 8), torch.zeros(4, 8))
    assert not list(inactive_units.detect_constant(Observed(nn.Module(), 1.0, (site,), ())))


def test_dead_and_constant_units_of_a_real_module():
    torch.manual_seed(4)
    first = nn.Linear(6, 4)
    module = nn.Sequential(first, nn.ReLU(), nn.Linear(4, 2))
    with torch.no_grad():
        first.bias[2] = -100.0
        first.weight[1] = 0.0
    seen = observe(module, mse_loss, torch.randn(50, 6), torch.randn(50, 2))
    assert [f.units for f in inactive_units.detect_dead(seen) if 2 in f.units]
    assert [f.units for f in inactive_units.detect_constant(seen) if f.where == "0"] == [(1,)]
