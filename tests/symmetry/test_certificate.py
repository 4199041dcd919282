"""`symmetries` as it is called: what goes in, what comes out, what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

import symbreak as sb
from symbreak.errors import InvalidInput, InvalidType
from symbreak.symmetry import certificate as module
from symbreak.symmetry import symmetries
from tests.symmetry.planted import planted

NET = sb.Network((3, 4, 3, 2), "tanh", "squared_error")


def random_start(seed=0):
    return np.random.default_rng(seed).normal(size=NET.n_parameters)


def with_pair(gap=0.0, seed=0):
    """Units 1 and 2 of the first layer are equal, but for `gap` in one weight."""
    thetas = NET.thetas(random_start(seed))
    thetas[0][2], thetas[1][:, 3] = thetas[0][1], thetas[1][:, 2]
    thetas[0][2, 1] *= 1 + gap
    return NET.unroll(thetas)


def test_a_random_start_has_no_symmetry():
    found = symmetries(NET, random_start())
    assert found.groups == ()
    assert found.effective_widths.tolist() == [[4, 3]]
    assert found.permanent.tolist() == [False]
    assert str(found) == "Distinct hidden units of 4-3 under elementwise updates: 4-3."


def test_each_start_has_its_own_groups():
    stack = np.stack([random_start(), with_pair(), np.zeros(NET.n_parameters), with_pair(seed=3)])
    found = symmetries(NET, stack)
    assert [(group.start, group.layer, group.kind, group.units) for group in found.groups] == [
        (1, 1, "identical", (1, 2)), (2, 1, "zero", (0, 1, 2, 3)), (2, 2, "zero", (0, 1, 2)),
        (3, 1, "identical", (1, 2)),
    ]  # fmt: skip
    assert found.effective_widths.tolist() == [[4, 3], [3, 3], [0, 0], [3, 3]]
    assert found.permanent.tolist() == [False, True, True, True]


def test_a_stack_is_worked_on_in_parts_without_a_difference(monkeypatch):
    stack = np.stack([with_pair(seed=seed) for seed in range(7)])
    whole = symmetries(NET, stack)
    monkeypatch.setattr(module, "CHUNK", 2 * NET.n_parameters)
    assert symmetries(NET, stack).to_dict() == whole.to_dict()


def test_alpha_is_of_each_start():
    case = next(planted(seed) for seed in range(99) if planted(seed).style == "sums")
    stack = np.stack([case.theta, case.theta])
    found = symmetries(case.network, stack, alpha=np.array([0.0, 1.0]))
    alone = [symmetries(case.network, case.theta, alpha=alpha) for alpha in (0.0, 1.0)]
    for row, one in zip(found.effective_widths, alone, strict=True):
        np.testing.assert_array_equal(row, one.effective_widths[0])


def test_torch_and_float32_say_the_same(torch):
    start = with_pair()
    found = symmetries(NET, torch.tensor(start, dtype=torch.float32))
    assert found.to_dict()["groups"][0]["units"] == (1, 2)
    projected = found.project(torch.tensor(start, dtype=torch.float32))
    assert isinstance(projected, torch.Tensor)
    assert projected.dtype == torch.float32
    assert isinstance(symmetries(NET, start).project(start), np.ndarray)


def test_rounding_is_that_of_the_dtype():
    """A difference of 1e-6 is rounding in float32 and none in float64."""
    start = with_pair(gap=1e-6)
    assert symmetries(NET, start).groups == ()
    found = symmetries(NET, start.astype(np.float32))
    assert [group.units for group in found.groups] == [(1, 2)]
    assert 1e-8 < found.groups[0].spread < 1e-6


def test_near_groups_have_their_spread():
    found = symmetries(NET, with_pair(gap=1e-4), tolerance=1e-3)
    assert found.groups == ()
    (near,) = found.near
    assert (near.layer, near.kind, near.units, near.permanent) == (1, "identical", (1, 2), False)
    W = NET.thetas(with_pair(gap=1e-4))[0]
    thetas = NET.thetas(with_pair())
    largest = max(np.abs(thetas[0][1]).max(), np.abs(thetas[1][:, 2]).max())
    assert near.spread == pytest.approx(abs(W[2, 1] - W[1, 1]) / 2 / largest, rel=1e-3)
    assert str(found).splitlines()[-1].startswith("near: start 0")
    assert symmetries(NET, with_pair(gap=1e-2), tolerance=1e-3).near == ()


def test_an_exact_group_is_not_near():
    found = symmetries(NET, with_pair(), tolerance=1e-3)
    assert len(found.groups) == 1
    assert found.near == ()


def test_mirrors_are_told_with_their_sign():
    thetas = NET.thetas(random_start())
    thetas[0][2], thetas[1][:, 3] = -thetas[0][1], -thetas[1][:, 2]
    found = symmetries(NET, NET.unroll(thetas))
    (group,) = found.groups
    assert (group.kind, group.units) == ("mirrored", (1, 2))
    assert len(group.mirrors) == 1
    assert "g is odd" in group.reason
    assert found.signs[0][0][1] * found.signs[0][0][2] == -1


def test_the_reason_is_told():
    assert "are the same: equal a, equal delta" in symmetries(NET, with_pair()).groups[0].reason
    relu = sb.Network((3, 2, 2), "relu", "squared_error")
    thetas = relu.thetas(np.random.default_rng(0).normal(size=relu.n_parameters))
    thetas[0][0] = 0.0
    (group,) = symmetries(relu, relu.unroll(thetas)).groups
    assert (group.kind, group.units) == ("zero", (0,))
    assert "g'(0) = 0" in group.reason


def test_it_is_plain_data():
    found = symmetries(NET, with_pair(gap=1e-4), tolerance=1e-3).to_dict()
    read = json.loads(json.dumps(found))
    assert read["effective_widths"] == [[4, 3]]
    assert read["near"][0]["kind"] == "identical"


def test_a_net_without_hidden_layers_has_nothing_to_certify():
    net = sb.Network((3, 2))
    found = symmetries(net, np.zeros((5, net.n_parameters)))
    assert found.effective_widths.shape == (5, 0)
    assert not found.permanent.any()
    assert found.groups == ()


def test_the_public_name_is_this_function():
    assert sb.symmetries is symmetries
    assert isinstance(sb.symmetries(NET, random_start()), sb.Symmetries)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"theta": np.zeros(5)}, "theta must be of shape"),
        ({"theta": np.full(NET.n_parameters, np.nan)}, "theta of symmetries must be finite"),
        ({"update": "adamm"}, "update of symmetries must be one of elementwise, linear"),
        ({"alpha": -1.0}, "alpha must be zero or a positive number"),
        ({"alpha": np.ones(3)}, "alpha of symmetries must be for 1 starts"),
        ({"alpha": np.ones((1, 2))}, "alpha must be a number, or of shape"),
        ({"tolerance": -0.1}, "tolerance of symmetries"),
        ({"tolerance": 1.0}, "tolerance of symmetries"),
    ],
)
def test_what_does_not_fit_is_named(options, words):
    with pytest.raises(InvalidInput, match=words):
        symmetries(NET, **{"theta": random_start(), **options})


def test_theta_must_be_numbers():
    with pytest.raises(InvalidType, match="theta must be an array of real numbers"):
        symmetries(NET, np.array(["a"] * NET.n_parameters))


def test_project_wants_as_many_starts():
    found = symmetries(NET, np.stack([with_pair(), random_start()]))
    with pytest.raises(InvalidInput, match="theta of project must have 2 starts"):
        found.project(with_pair())


def test_what_is_nothing_by_sums_alone_is_kept_by_linear_updates_alone():
    """3 - 1 - 2 over three units that are one: nothing, but each weight decays at its own pace."""
    net = sb.Network((1, 3, 2, 1), "tanh", "squared_error")
    second = np.array([[0.0, 3, -1, -2], [0, 3, -1, -2]])
    start = net.unroll([np.ones((3, 2)), second, np.zeros((1, 3))])
    linear = symmetries(net, start, alpha=1.0, update="linear")
    group = next(group for group in linear.groups if group.layer == 2)
    assert (group.kind, group.units, group.permanent) == ("zero", (0, 1), True)
    assert group.kept_by.startswith("linear updates")
    alike = symmetries(net, start, alpha=1.0)
    assert alike.effective_widths[0, 1] == 1
