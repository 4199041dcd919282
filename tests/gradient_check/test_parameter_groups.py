"""What is judged together: biases and weights as objectives and blocks say, not as names do."""

from __future__ import annotations

import numpy as np

from symbreak.gradient_check import check_gradient
from symbreak.network import Network
from symbreak.parameters import Block
from tests.gradient_check.conftest import Changed, cost_of


def named(objective, theta, **options):
    return [block.name for block in check_gradient(objective, theta, **options).blocks]


class Renamed(Changed):
    """A net's cost whose only block has another name, and whose biases are elsewhere."""

    def __init__(self, cost, is_weight):
        super().__init__(cost)
        n = cost.blocks[-1].stop
        self.blocks = (Block("everything", 0, (n,)),)
        self.is_weight = is_weight

    def take(self, starts):
        return Renamed(self.cost.take(starts), self.is_weight)


def start(cost):
    return np.random.default_rng(0).normal(size=cost.blocks[-1].stop)


def test_the_objective_says_what_a_bias_is():
    cost = cost_of((3, 2))
    is_weight = np.arange(8) >= 3
    report = check_gradient(Renamed(cost, is_weight), start(cost))
    assert [(block.name, block.n_parameters) for block in report.blocks] == [
        ("everything biases", 3), ("everything weights", 5),
    ]  # fmt: skip


def test_weights_alone_are_one_part():
    cost = cost_of((3, 2))
    for is_weight in (np.ones(8, bool), np.zeros(8, bool)):
        assert named(Renamed(cost, is_weight), start(cost)) == ["everything"]


def test_a_name_says_nothing():
    theta = np.ones(6)
    blocks = (Block("Theta1", 0, (2, 3)),)
    assert named(lambda t: ((t**2).sum(), 2 * t), theta, blocks=blocks) == ["Theta1"]


def test_blocks_of_a_network_know_their_biases():
    net = Network((3, 2))
    assert [block.has_bias_column for block in net.blocks] == [True]
    theta = np.ones(net.n_parameters)
    parts = named(lambda t: ((t**2).sum(), 2 * t), theta, blocks=net.blocks)
    assert parts == ["Theta1 biases", "Theta1 weights"]


def test_blocks_that_are_asked_for_are_judged_as_they_are():
    cost = cost_of((3, 2))
    assert named(cost, start(cost), blocks=(Block("all", 0, (8,)),)) == ["all"]
