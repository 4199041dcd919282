"""Signals that grow or vanish with depth, and the loss of knowing nothing."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from symbreak.modules.diagnosis.detectors import initial_loss, signal
from symbreak.modules.diagnosis.detectors.initial_loss import value_of_knowing_nothing
from symbreak.modules.diagnosis.detectors.signal import backward_trend, forward_trend
from symbreak.modules.observation.observed import Observed
from tests.modules.diagnosis.seen import observe


def linear_net(factor, depth, width=16):
    """Orthogonal layers times `factor`: both signals change by exactly `factor` a layer."""
    torch.manual_seed(0)
    layers = [nn.Linear(width, width, bias=False, dtype=torch.float64) for _ in range(depth)]
    for layer in layers:
        nn.init.orthogonal_(layer.weight, gain=factor)
    return nn.Sequential(*layers)


def seen_net(factor, depth):
    X = torch.randn(20, 16, dtype=torch.float64)
    return observe(linear_net(factor, depth), lambda out, y: out.sin().sum(), X, None)


@pytest.mark.parametrize("factor", [0.3, 1.0, 4.0])
def test_the_trend_is_the_factor_of_the_layers(factor):
    seen = seen_net(factor, 7)
    for trend in (forward_trend(seen), backward_trend(seen)):
        assert trend is not None
        assert trend.per_site == pytest.approx(factor, rel=1e-9)
        assert trend.growth == pytest.approx(factor**6, rel=1e-9)


@pytest.mark.parametrize(
    ("factor", "depth", "vanishing", "exploding"),
    [
        (1.0, 30, 0, 0),
        (0.26, 6, 0, 0),  # 0.26^5 = 1.19e-3
        (0.24, 6, 2, 0),  # 0.24^5 = 0.80e-3; forward and backward
        (3.9, 6, 0, 0),
        (4.1, 6, 0, 2),
    ],
)
def test_a_growth_of_a_thousand_is_found(factor, depth, vanishing, exploding):
    seen = seen_net(factor, depth)
    low, high = list(signal.detect_vanishing(seen)), list(signal.detect_exploding(seen))
    assert (len(low), len(high)) == (vanishing, exploding)
    assert {f.kind for f in low} <= {"vanishing_signal"}
    assert {f.kind for f in high} <= {"exploding_signal"}
    assert {f.level for f in low + high} <= {"warning"}


def test_too_few_sites_say_nothing():
    assert forward_trend(seen_net(1e-9, 3)) is None


def test_one_small_layer_turns_no_trend():
    torch.manual_seed(1)
    net = linear_net(1.0, 9)
    with torch.no_grad():
        net[8].weight.mul_(1e-3)
    X = torch.randn(20, 16, dtype=torch.float64)
    seen = observe(net, lambda out, y: out.sum(), X, None)
    assert not list(signal.detect_vanishing(seen))


def test_a_zero_head_is_no_vanishing_gradient():
    net = linear_net(1.0, 6)
    nn.init.zeros_(net[5].weight)
    X = torch.randn(20, 16, dtype=torch.float64)
    seen = observe(net, lambda out, y: out.sum(), X, None)
    assert not list(signal.detect_vanishing(seen))


def test_constants_common_to_all_samples_are_no_signal():
    """A bias of 1 in every layer hides the signal from the mean of squares, not from this."""
    net = linear_net(0.1, 6)
    for layer in net:
        layer.bias = nn.Parameter(torch.ones(16, dtype=torch.float64))
    X = torch.randn(20, 16, dtype=torch.float64)
    trend = forward_trend(observe(net, lambda out, y: out.sum(), X, None))
    assert trend is not None
    assert trend.per_site == pytest.approx(0.1, rel=1e-9)


torch.manual_seed(2)
CLASSES = torch.tensor([0, 1, 2, 3, 4, 0, 1, 2])
NUMBERS = torch.tensor([[1.0], [2.0], [4.0], [9.0]], dtype=torch.float64)
BITS = torch.tensor([[0.0], [1.0], [1.0], [0.0]], dtype=torch.float64)


@pytest.mark.parametrize(
    ("loss", "output", "targets", "nothing"),
    [
        (F.cross_entropy, torch.randn(8, 5).double(), CLASSES, math.log(5)),
        (F.nll_loss, torch.randn(8, 5).double(), CLASSES, math.log(5)),
        (F.mse_loss, torch.randn(4, 1).double(), NUMBERS, 9.5),
        (F.binary_cross_entropy_with_logits, torch.randn(4, 1).double(), BITS, math.log(2)),
        (F.binary_cross_entropy, torch.rand(4, 1).double(), BITS, math.log(2)),
        (
            nn.CrossEntropyLoss(reduction="sum"),
            torch.randn(8, 5).double(),
            CLASSES,
            8 * math.log(5),
        ),
    ],
)
def test_the_value_of_knowing_nothing(loss, output, targets, nothing):
    """ln C and ln 2; the variance of 1, 2, 4, 9 around 4 is (9 + 4 + 0 + 25) / 4 = 9.5."""
    assert value_of_knowing_nothing(loss, output, targets) == pytest.approx(nothing, rel=1e-12)


def lost(value, **more):
    more = {"loss": F.mse_loss, "output": torch.zeros(4, 1).double(), "targets": NUMBERS} | more
    return list(initial_loss.detect(Observed(nn.Module(), value, (), (), **more)))


@pytest.mark.parametrize(("value", "found"), [(9.4, 0), (18.9, 0), (19.1, 1), (4.8, 0), (4.7, 1)])
def test_a_loss_off_by_a_factor_of_two(value, found):
    findings = lost(value)
    assert [(f.kind, f.level) for f in findings] == [("initial_loss", "warning")] * found


def test_what_cannot_be_judged_is_left_alone():
    def needs_more(output, targets):
        return output.hidden.sum()

    assert not lost(1e6, loss=None)
    assert not lost(1e6, output={"logits": NUMBERS})
    assert not lost(1e6, loss=needs_more)
    assert not lost(math.nan)
    assert not lost(1e6, targets=torch.zeros(4, 1).double())
