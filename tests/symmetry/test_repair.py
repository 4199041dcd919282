"""Repair of planted starts: clean afterwards, all else untouched, the function kept by split."""

import json

import numpy as np
import pytest

import symbreak as sb
from symbreak.arrays import as_numpy
from symbreak.initialization.initialize import layer_shapes
from symbreak.initialization.streams import Stream
from symbreak.symmetry.repair import repair_theta
from symbreak.symmetry.unequal_split import shared_out, unequal_shares
from tests.kinds import NUMPY_AND_TORCH
from tests.symmetry.planted import planted

SEEDS = range(40)


def of_units(network, groups, incoming):
    """Mark the weights into (or out of) the units of groups, a mask like theta."""
    masks = [np.zeros(block.shape, dtype=bool) for block in network.blocks]
    for group in groups:
        units = np.array(group.units)
        if incoming:
            masks[group.layer - 1][units if group.kind == "zero" else units[1:]] = True
        else:
            masks[group.layer][:, 1 + units] = True
    return np.concatenate([mask.ravel() for mask in masks])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("how", ["redraw", "perturb"])
def test_redrawn_and_perturbed_starts_are_clean_and_else_the_same(seed, how):
    start = planted(seed)
    found = sb.symmetries(start.network, start.theta)
    repair = repair_theta(start.network, start.theta, found, how=how)
    assert not sb.symmetries(start.network, repair.theta).groups
    full = np.array(start.network.layers[1:-1])
    assert (repair.after.effective_widths == full).all()
    allowed = of_units(start.network, found.groups, incoming=True)
    assert (repair.theta == start.theta)[~allowed].all()
    bias = np.concatenate(
        [(np.indices(block.shape)[1] == 0).ravel() for block in start.network.blocks]
    )
    kept = bias if how == "perturb" else np.zeros_like(bias)
    changed = allowed & ~kept
    assert (repair.theta != start.theta)[changed & ~bias].all()
    assert (repair.theta == start.theta)[~changed].all()


@pytest.mark.parametrize("seed", range(160))
def test_split_keeps_the_function_and_is_clean(seed):
    start = planted(seed)
    net = start.network
    found = sb.symmetries(net, start.theta)
    if any(group.kind == "zero" for group in found.groups):  # about four starts in five
        with pytest.raises(sb.InvalidInput, match=r"must do something\. Got units .*redraw"):
            repair_theta(net, start.theta, found, how="split")
        return
    repair = repair_theta(net, start.theta, found, how="split")
    X = np.random.default_rng(1).normal(size=(20, net.n_features))
    old, new = net.predict(start.theta, X), net.predict(repair.theta, X)
    assert np.abs(new - old).max() <= 1e-13 * np.abs(old).max()
    assert (net.hidden(start.theta, X, 1) == net.hidden(repair.theta, X, 1)).all()
    assert not sb.symmetries(net, repair.theta).groups
    allowed = of_units(net, found.groups, incoming=False)
    assert (repair.theta == start.theta)[~allowed].all()


def twins(dtype="float64"):
    """4-6-3 with units 1, 4 the same and 5 the mirror of 2; a second start without any."""
    net = sb.Network((4, 6, 3), "tanh", "squared_error")
    theta = sb.initialize(net, "lecun_normal", starts=2, seed=3, dtype=dtype)
    Theta1, Theta2 = net.thetas(theta[0])
    Theta1[4], Theta2[:, 5] = Theta1[1], Theta2[:, 2]
    Theta1[5], Theta2[:, 1 + 5] = -Theta1[2], -Theta2[:, 1 + 2]
    Theta2[:, 1 + 4] = Theta2[:, 1 + 1]
    return net, theta


@pytest.mark.parametrize("how", ["redraw", "perturb", "split"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", NUMPY_AND_TORCH)
def test_a_stack_of_starts(how, dtype, kind):
    net, theta = twins(dtype)
    given = kind(theta)
    repair = repair_theta(net, given, sb.symmetries(net, given), how=how, seed=5)
    np.testing.assert_array_equal(as_numpy(given), theta)
    assert type(repair.theta) is type(given)
    assert repair.theta.dtype == given.dtype
    assert as_numpy(given).dtype == dtype
    np.testing.assert_array_equal(as_numpy(repair.theta)[1], theta[1])
    assert [(row.place, row.finding, row.before, row.after) for row in repair.rows] == [
        ("start 0, hidden layer 1", "identical", "4 of 6 distinct", "6 of 6 distinct"),
        ("start 0, hidden layer 1", "mirrored", "4 of 6 distinct", "6 of 6 distinct"),
    ]
    units = ((1, 4), (2, 5)) if how == "split" else ((4,), (5,))
    assert tuple(row.units for row in repair.rows) == units
    assert json.dumps(repair.to_dict())
    assert "4 of 6 distinct  6 of 6 distinct" in str(repair)
    assert str(repair).startswith("Repaired 2 places, seed 5\nplace ")


@pytest.mark.parametrize("how", ["redraw", "perturb", "split"])
def test_training_separates_repaired_units_and_not_others(how):
    net, theta = twins()
    rng = np.random.default_rng(0)
    cost = sb.NetworkCost(net, rng.normal(size=(50, 4)), rng.normal(size=(50, 3)))
    found = sb.symmetries(net, theta[0])
    repair = repair_theta(net, theta[0], found, how=how)

    def trained(start):
        for _ in range(300):
            start = start - 0.1 * cost(start)[1]
        return start

    # Distinct and never nearly the same: no group within 5 % of the largest weights.
    after = sb.symmetries(net, trained(repair.theta), tolerance=0.05)
    assert after.effective_widths.tolist() == [[6]]
    assert not after.near
    still = sb.symmetries(net, trained(theta[0]), tolerance=1e-6)
    assert sorted(g.units for g in (*still.groups, *still.near)) == [(1, 4), (2, 5)]


def test_redraw_draws_by_the_rule_but_never_what_initialize_drew():
    """Unit 0 a copy of unit 3 as the seed drew it: the same draw of unit 3 would mend nothing."""
    net = sb.Network((50, 4, 1), "sigmoid")
    theta = sb.initialize(net, "he_normal", seed=0)
    Theta1, Theta2 = net.thetas(theta)
    Theta1[0], Theta2[:, 1] = Theta1[3], Theta2[:, 4]
    found = sb.symmetries(net, theta)
    rule = sb.rules.HeNormal(bias=0.25)
    repair = repair_theta(net, theta, found, how="redraw", seed=0, rule=rule)
    drawn = net.thetas(repair.theta)[0][3]
    assert drawn[0] == 0.25
    expected = rule.sample(layer_shapes(net)[0], Stream(0, "Theta1.repair", [0]))
    assert (drawn[1:] == expected[0, 3, 1:]).all()
    assert 0.14 < drawn[1:].std() < 0.26  # sqrt(2 / 50) = 0.2, its standard error 0.02


def test_perturb_is_relative_to_the_spread_of_the_layer():
    net = sb.Network((2000, 3, 1), "tanh")
    theta = 1e-5 * sb.initialize(net, "normal", seed=0)
    Theta1, Theta2 = net.thetas(theta)
    Theta1[2], Theta2[0, 3] = Theta1[0], Theta2[0, 1]
    repair = repair_theta(net, theta, sb.symmetries(net, theta), how="perturb", noise=0.03)
    change = net.thetas(repair.theta - theta)[0][2, 1:]
    assert abs(change.std() / (0.03 * Theta1[:, 1:].std()) - 1) < 0.1


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
@pytest.mark.parametrize("value", [0.0, 0.5])
def test_zero_and_constant_starts(activation, value):
    net = sb.Network((4, 6, 5, 3), activation)
    theta = np.full(net.n_parameters, value)
    repair = repair_theta(net, theta, sb.symmetries(net, theta))
    assert repair.after.effective_widths.tolist() == [[6, 5]]
    first = net.thetas(repair.theta)[0][0]
    dead = value == 0 and activation != "sigmoid"
    assert (first == value).all() != dead


def test_unequal_shares_keep_the_sum_and_differ():
    shares = unequal_shares(5, Stream(0, "any", [0]))
    assert abs(shares.sum() - 1) < 1e-15
    assert np.diff(np.sort(shares)).min() > 0.05 / 5
    assert shares.max() < 2 * shares.min()
    out, signs = np.array([[1.0, -1, 1, 1, 1], [2, 0, 0, 0, 0]]), np.array([1.0, -1, 1, 1, 1])
    assert np.allclose(shared_out(out, signs, shares) @ signs, out @ signs, rtol=1e-15)


def test_what_cannot_be_repaired_is_refused_in_a_sentence():
    net, theta = twins()
    found = sb.symmetries(net, theta)
    with pytest.raises(sb.InvalidInput, match="how of repair must be one of redraw"):
        repair_theta(net, theta, found, how="drawn")
    with pytest.raises(sb.InvalidInput, match="of this network and theta"):
        repair_theta(net, theta + 1, found)
    with pytest.raises(TypeError, match=r"what symmetries\(net, theta\) returned. Got list"):
        repair_theta(net, theta, [])
    with pytest.raises(sb.InvalidInput, match="noise of repair must be a positive"):
        repair_theta(net, theta, found, noise=0)
    constant = np.ones_like(theta)
    with pytest.raises(sb.InvalidInput, match=r"must be distinct. Got still start 0"):
        repair_theta(net, constant, sb.symmetries(net, constant), rule="constant")
    silent = theta[0].copy()
    net.thetas(silent)[0][4], net.thetas(silent)[1][:, [2, 5]] = net.thetas(silent)[0][1], 0
    net.thetas(silent)[1][:, 1 + 4] = net.thetas(silent)[1][:, 1 + 1]
    net.thetas(silent)[0][[1, 4]] = 1.0
    net.thetas(silent)[1][:, [2, 5]] = 0
    with pytest.raises(sb.InvalidInput, match="must have ways out"):
        repair_theta(net, silent, sb.symmetries(net, silent), how="split")


def test_a_sound_start_needs_no_repair():
    net = sb.Network((4, 6, 3), "tanh", "squared_error")
    theta = sb.initialize(net, seed=0)
    repair = repair_theta(net, theta, sb.symmetries(net, theta))
    np.testing.assert_array_equal(repair.theta, theta)
    assert str(repair) == "Nothing to repair."
