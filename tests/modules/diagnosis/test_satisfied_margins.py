"""Margins and penalties of a loss that the batch satisfies: they are no units, nor a fault."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import symbreak as sb

MARGIN = 1e-3  # as small as to be satisfied by all examples
HINGES = {
    "relu": lambda d: F.relu(MARGIN - d),
    "relu_": lambda d: F.relu_(MARGIN - d),
    "method": lambda d: (MARGIN - d).relu(),
    "clamp": lambda d: (MARGIN - d).clamp(min=0),
    "clamp_min": lambda d: torch.clamp_min(MARGIN - d, 0),
    "maximum": lambda d: torch.maximum(MARGIN - d, torch.zeros_like(d)),
    "relu6": lambda d: F.relu6(MARGIN - d),
    "hardtanh": lambda d: F.hardtanh(MARGIN - d, 0.0, 1.0),
    "threshold": lambda d: F.threshold(MARGIN - d, 0.0, 0.0),
    "leaky": lambda d: F.leaky_relu(MARGIN - d, 0.0),
    "module": lambda d: nn.ReLU()(MARGIN - d),
}


def classes_and_margin(hinge, output, y):
    """Cross-entropy, and a margin on the size of the output that no example breaks."""
    size = output.square().sum(1, keepdim=True) + 2 * MARGIN
    return F.cross_entropy(output, y) + hinge(size).mean()


def far_enough(hinge, output, y):
    """Cross-entropy, and a margin between all pairs of an example and a class (n, classes)."""
    return F.cross_entropy(output, y) + hinge(output.abs() + 2 * MARGIN).mean()


class Loss(nn.Module):
    def __init__(self, hinge, kind):
        super().__init__()
        self.hinge, self.kind = hinge, kind

    def forward(self, output, y):
        return self.kind(self.hinge, output, y)


class Net(nn.Module):
    """Computes its loss itself: in forward, in a part of its own, or in another method."""

    def __init__(self, hinge, kind):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 3))
        self.criterion = Loss(hinge, kind)

    def forward(self, x, y=None, part=True):
        output = self.body(x)
        if y is None:
            return output
        return self.criterion(output, y) if part else self.inline(output, y)

    def inline(self, output, y):
        return self.criterion.kind(self.criterion.hinge, output, y)

    def training_step(self, batch):
        return self.inline(self.body(batch[0]), batch[1])


PLACES = {
    "loss": lambda net: {"loss": net.inline},
    "module": lambda net: {"loss": Loss(net.criterion.hinge, net.criterion.kind)},
    "step": lambda net: {"step": lambda m, b: net.inline(m(b[0]), b[1])},
    "step of parts": lambda net: {"step": lambda m, b: net.inline(m.body(b[0]), b[1])},
    "method": lambda _: {"step": lambda m, b: m.training_step(b)},
    "forward": lambda _: {"step": lambda m, b: m(*b, part=False)},
    "part": lambda _: {"step": lambda m, b: m(*b)},
}


@pytest.mark.parametrize(("n", "seed"), [(1, 0), (3, 1), (32, 2)])
@pytest.mark.parametrize("kind", [classes_and_margin, far_enough])
@pytest.mark.parametrize("hinge", HINGES)
@pytest.mark.parametrize("place", PLACES)
def test_a_satisfied_margin_is_no_layer_of_dead_units(place, hinge, kind, n, seed):
    torch.manual_seed(seed)
    net = Net(HINGES[hinge], kind)
    batch = torch.randn(n, 5), torch.randint(0, 3, (n,))
    found = sb.diagnose(net, batch=batch, **PLACES[place](net))
    assert found.ok, str(found)
    assert not [f for f in found.findings if f.kind in ("dead_units", "saturated_units")]


class TwoTowers(nn.Module):
    """The distance is known in the middle of forward, and other layers follow."""

    def __init__(self, dead):
        super().__init__()
        self.left, self.last = nn.Linear(5, 8), nn.Linear(8, 3)
        if dead:
            nn.init.constant_(self.left.bias, -100.0)

    def forward(self, x):
        return self.last(F.relu(self.left(x)))


@pytest.mark.parametrize("n", [8, 32])
@pytest.mark.parametrize("seed", range(3))
def test_a_dead_layer_is_an_error_still_beside_a_satisfied_margin(n, seed):
    torch.manual_seed(seed)
    module, y = TwoTowers(dead=True), torch.randint(0, 3, (n,))

    def loss(output, y):
        return classes_and_margin(HINGES["relu"], output, y)

    dead = [
        f for f in sb.diagnose(module, loss, (torch.randn(n, 5), y)).findings
        if f.kind == "dead_units"
    ]  # fmt: skip
    assert [(f.where, f.level) for f in dead] == [("left", "error")]


class Blocks(nn.Module):
    """A relu that follows a sum, whose layer is not known by name."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.last = nn.Linear(5, 5), nn.Linear(5, 5), nn.Linear(5, 2)

    def forward(self, x):
        return self.last(F.relu(x + self.second(torch.tanh(self.first(x)))))


def test_a_dead_relu_of_a_sum_is_an_error_when_a_layer_reads_it():
    torch.manual_seed(0)
    module = Blocks()
    nn.init.constant_(module.second.bias, -100.0)
    found = sb.diagnose(module, F.mse_loss, (torch.randn(16, 5), torch.randn(16, 2)))
    assert ("dead_units", "error") in {(f.kind, f.level) for f in found.findings}


def test_one_sample_says_nothing_of_a_layer():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(5, 1), nn.ReLU(), nn.Linear(1, 2))
    nn.init.constant_(module[0].bias, -100.0)
    found = sb.diagnose(module, F.mse_loss, (torch.randn(1, 5), torch.randn(1, 2)))
    assert "dead_units" not in {f.kind for f in found.findings}
