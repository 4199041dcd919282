"""The cost as people and optimisers hold it: kinds, take, batch, scipy, what it refuses."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from scipy.sparse import csr_array

import symbreak as sb
from symbreak.errors import InvalidInput, InvalidType
from symbreak.losses import LOSSES
from symbreak.objectives import Objective
from tests.kinds import NUMPY_AND_TORCH
from tests.objectives.targets import targets

NET = sb.Network((4, 5, 2), "tanh", "cross_entropy")
rng = np.random.default_rng(0)
X, y = rng.normal(size=(9, 4)), rng.integers(0, 2, 9)
THETA = rng.normal(size=(3, NET.n_parameters))
COST = sb.NetworkCost(NET, X, y, alpha=0.5)
BOTH = pytest.mark.parametrize("kind", NUMPY_AND_TORCH)


def test_it_is_an_objective():
    assert isinstance(COST, Objective)
    assert COST.blocks == NET.blocks
    assert COST.n_examples == 9
    assert COST.starts is None


@pytest.mark.parametrize("loss", LOSSES)
def test_value_is_the_first_part_of_a_call_to_the_last_bit(loss):
    net = sb.Network((4, 5, 3), "gelu", loss)
    cost = sb.NetworkCost(net, X, targets(loss, rng, 9, 3), alpha=0.5)
    theta = rng.normal(size=(3, net.n_parameters))
    np.testing.assert_array_equal(cost.value(theta), cost(theta)[0])
    assert cost.value(theta[0]) == cost(theta[0])[0]


@BOTH
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_answers_are_of_the_kind_shape_and_dtype_of_theta(dtype, kind):
    given = kind(THETA.astype(dtype))
    J, gradient = COST(given)
    assert type(J) is type(gradient) is type(given)
    assert J.dtype == gradient.dtype == given.dtype
    assert (J.shape, gradient.shape) == ((3,), given.shape)
    J, gradient = COST(given[0])
    assert (tuple(J.shape), gradient.shape) == ((), given[0].shape)
    assert gradient.dtype == given.dtype


def test_a_plain_vector_is_one_start():
    J, gradient = COST(THETA[1])
    J_stack, gradient_stack = COST(THETA[1:2])
    assert J_stack[0] == J
    np.testing.assert_array_equal(gradient, gradient_stack[0])


def test_answers_are_fresh_and_theta_is_left_alone():
    kept = THETA.copy()
    first = COST(THETA)
    held = [part.copy() for part in first]
    COST(-THETA)
    np.testing.assert_array_equal(first[0], held[0])
    np.testing.assert_array_equal(first[1], held[1])
    np.testing.assert_array_equal(THETA, kept)
    assert not np.shares_memory(first[1], THETA)


@BOTH
def test_the_gradient_goes_into_out(kind):
    theta, out = kind(THETA), kind(np.full_like(THETA, np.nan))
    J, gradient = COST(theta, out=out)
    assert gradient is out
    np.testing.assert_array_equal(out, COST(theta)[1])
    np.testing.assert_array_equal(J, COST(theta)[0])
    COST(-theta, out=out)
    assert not np.array_equal(out, COST(theta)[1])


def test_theta_of_a_graph_or_of_other_strides_gives_the_same(torch):
    theta = torch.from_numpy(THETA)
    J, gradient = COST(theta)
    apart = torch.stack([theta, theta], dim=1)[:, 0]
    assert not apart.is_contiguous()
    for other in (theta.clone().requires_grad_(), apart, theta.T.contiguous().T):
        J_other, gradient_other = COST(other)
        assert not J_other.requires_grad
        assert not gradient_other.requires_grad
        torch.testing.assert_close(J_other, J, rtol=1e-14, atol=0)
        torch.testing.assert_close(gradient_other, gradient, rtol=1e-13, atol=0)


def test_answers_can_be_used_in_a_graph(torch):
    weight = torch.ones((), dtype=torch.float64, requires_grad=True)
    (COST(torch.from_numpy(THETA))[1] * weight).sum().backward()
    assert weight.grad is not None


def test_numpy_speaks_scipys_language_in_float64():
    rounded = sb.NetworkCost(NET, X.astype(np.float32), y, alpha=0.5)
    for cost, rtol in ((COST, 0.0), (rounded, 1e-5)):
        value, gradient = cost.numpy(THETA[0])
        assert isinstance(value, float)
        assert gradient.dtype == np.float64
        assert value == pytest.approx(float(COST(THETA[0])[0]), rel=rtol or 1e-15)
        np.testing.assert_allclose(gradient, COST(THETA[0])[1], rtol=max(rtol, 1e-14), atol=rtol)


def test_the_dtype_follows_x_or_is_chosen():
    assert COST.dtype == np.float64
    assert sb.NetworkCost(NET, X.astype(np.float32), y).dtype == np.float32
    assert sb.NetworkCost(NET, np.ones((9, 4), int), y).dtype == np.float64
    assert sb.NetworkCost(NET, X, y, dtype="float32").dtype == np.float32
    other = COST.to("float32")
    assert (other.dtype, COST.dtype) == (np.float32, np.float64)
    np.testing.assert_allclose(other(THETA)[0], COST(THETA)[0], rtol=1e-5)
    assert np.abs(other(THETA)[1] - COST(THETA)[1]).max() < 1e-5 * np.abs(COST(THETA)[1]).max()


def test_x_in_half_precision_is_computed_in_float64(torch):
    for half in (X.astype(np.float16), torch.tensor(X).half(), torch.tensor(X).bfloat16()):
        assert sb.NetworkCost(NET, half, y).dtype == np.float64
    theta = torch.tensor(THETA[0]).bfloat16()
    expected = torch.tensor(NET.predict(theta.double().numpy(), X)).bfloat16()
    assert NET.predict(theta, X).equal(expected)


def test_on_a_device_of_torch_dtype_and_device_are_torchs(torch):
    cost = sb.NetworkCost(NET, X, y, alpha=0.5, dtype="float32", device="cpu:0")
    assert cost.dtype == torch.float32
    assert cost.device == torch.device("cpu")
    assert isinstance(cost(THETA)[1], np.ndarray)
    assert (COST.dtype, COST.device) == (np.float64, "cpu")


@pytest.mark.parametrize("alpha", [0.1, [0.1] * 3, [[0.1, 0.2]] * 3])
def test_what_a_cost_says_of_itself_is_of_the_kind_of_its_data(torch, alpha):
    here = sb.NetworkCost(NET, X, y, alpha=alpha, dtype="float32")
    there = sb.NetworkCost(NET, X, y, alpha=alpha, dtype="float32", device="cpu:0")
    assert (type(here.alpha), type(here.is_weight)) == (np.ndarray, np.ndarray)
    assert (type(there.alpha), type(there.is_weight)) == (torch.Tensor, torch.Tensor)
    for cost in (here, there):
        assert np.array_equal(np.float64(alpha), cost.alpha)
    assert (here.alpha.dtype, there.alpha.dtype) == (np.float64, torch.float64)
    assert there.alpha.device == there.is_weight.device == there.device


def test_one_column_of_y_may_be_a_vector():
    net = sb.Network((4, 1))
    theta = rng.normal(size=(2, 5))
    for column in (y[:, None], y.astype(bool), y.astype(np.float32), list(y)):
        J, _ = sb.NetworkCost(net, X, column)(theta)
        np.testing.assert_array_equal(J, sb.NetworkCost(net, X, y)(theta)[0])


def test_take_without_anything_of_one_start_is_the_cost_itself():
    assert COST.take([2, 0]) is COST


@pytest.mark.parametrize("per_start", ["alpha", "layers", "weights"])
def test_take_carries_what_belongs_to_the_starts(per_start):
    own = {
        "alpha": {"alpha": np.array([0.0, 1.0, 2.0])},
        "layers": {"alpha": rng.uniform(0, 2, (3, 2))},
        "weights": {"sample_weight": rng.uniform(0.1, 2, (3, 9))},
    }[per_start]
    cost = sb.NetworkCost(NET, X, y, **own)
    assert cost.starts == 3
    J, gradient = cost(THETA)
    chosen = np.array([2, 2, 0, 1])
    taken = cost.take(chosen)
    assert taken.starts == 4
    np.testing.assert_allclose(taken(THETA[chosen])[0], J[chosen], rtol=1e-14)
    np.testing.assert_allclose(taken(THETA[chosen])[1], gradient[chosen], rtol=1e-11, atol=1e-16)
    np.testing.assert_allclose(taken.take([1])(THETA[2])[0], J[2], rtol=1e-14)
    np.testing.assert_array_equal(cost(THETA)[0], J)


@BOTH
def test_a_batch_of_a_batch_and_repeated_rows(kind):
    weights = rng.uniform(0.1, 2, (3, 9))
    cost = sb.NetworkCost(NET, X, y, alpha=0.5, sample_weight=weights)
    rows = np.array([8, 1, 1, 4])
    part = cost.batch(rows)
    singles = [cost.batch([row])(THETA)[0] for row in rows]
    np.testing.assert_allclose(part(THETA)[0], np.mean(singles, axis=0), rtol=1e-13)
    np.testing.assert_allclose(part.take([2])(THETA[2])[0], part(THETA)[0][2], rtol=1e-13)
    inner = cost.batch(rows).batch([3, 0])
    again = cost.batch(kind([4, 8]))
    np.testing.assert_allclose(inner(THETA)[1], again(THETA)[1], rtol=1e-13)
    assert (cost.n_examples, inner.n_examples) == (9, 2)


def test_costs_that_share_buffers_do_not_disturb_each_other():
    half = COST.batch(np.arange(5))
    expected = COST(THETA), half(THETA), COST.value(THETA[:2])
    for _ in range(2):
        np.testing.assert_array_equal(half(THETA)[1], expected[1][1])
        np.testing.assert_array_equal(COST.value(THETA[:2]), expected[2])
        np.testing.assert_array_equal(COST(THETA)[1], expected[0][1])


def test_biases_are_not_penalised():
    free = sb.NetworkCost(NET, X, y)
    difference = COST(THETA)[1] - free(THETA)[1]
    for Theta, change in zip(NET.thetas(THETA), NET.thetas(difference), strict=True):
        assert (change[:, :, 0] == 0).all()
        np.testing.assert_allclose(change[:, :, 1:], 0.5 / 9 * Theta[:, :, 1:], rtol=1e-10)
    penalty = sum((Theta[:, :, 1:] ** 2).sum((1, 2)) for Theta in NET.thetas(THETA))
    np.testing.assert_allclose(
        COST.value(THETA) - free.value(THETA), 0.5 / 18 * penalty, rtol=1e-10
    )


def test_saturated_scores_keep_loss_and_gradient_finite():
    J, gradient = sb.NetworkCost(NET, X, y)(1e4 * THETA)
    assert np.isfinite(J).all()
    assert np.isfinite(gradient).all()
    assert (J > 0).all()


NAN = np.where(X[3, 2] == X, np.nan, X)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"X": X[:, :3]}, r"X of this network must be of shape \(examples, 4\)\. Got \(9, 3\)"),
        ({"X": X[:0], "y": y[:0]}, "X must hold at least one example. Got 0 rows"),
        ({"X": NAN}, r"X must be finite in float64\. Got nan in X\[3, 2\]"),
        ({"X": X * 1e300, "dtype": "float32"}, "X must be finite in float32. Got"),
        ({"y": y[:8]}, r"equally many examples\. Got 9 rows of X and y of shape \(8,\)"),
        ({"y": 1}, r"equally many examples.*shape \(\)"),
        ({"y": np.where(y == 1, np.nan, 0.0)}, "y must be finite"),
        ({"y": y + 1}, r"must be class indices 0\.\.1\. Got 2"),
        ({"alpha": -1.0}, r"alpha must be zero or a positive number\. Got -1\.0"),
        ({"alpha": np.inf}, "alpha must be zero or a positive number. Got inf"),
        ({"alpha": np.ones((3, 5))}, r"or \(starts, 2\)\. Got shape \(3, 5\)"),
        ({"sample_weight": np.ones(8)}, r"\(9,\) or \(starts, 9\)\. Got \(8,\)"),
        ({"sample_weight": -np.ones(9)}, "must be finite and not negative"),
        ({"sample_weight": np.full(9, np.nan)}, "must be finite and not negative"),
        ({"sample_weight": np.zeros(9)}, "must not be all zero"),
        ({"dtype": "float16"}, "dtype must be float32 or float64. Got 'float16'"),
        pytest.param(
            {"device": "nowhere"},
            "device must be one that PyTorch can use here.*Got 'nowhere'",
            marks=pytest.mark.needs_torch,
        ),
        ({"alpha": np.ones(2), "sample_weight": np.ones((3, 9))}, "2 starts.*3"),
    ],
)
def test_what_does_not_fit_is_refused_at_the_door(arguments, message):
    with pytest.raises(InvalidInput, match=message) as caught:
        sb.NetworkCost(NET, **{"X": X, "y": y, **arguments})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "wrong"), [("X", [["a"]]), ("y", ["a"] * 9), ("alpha", "big")])
def test_text_is_refused_by_the_name_of_the_argument(name, wrong):
    with pytest.raises(InvalidType, match=f"{name} must be an array of real numbers"):
        sb.NetworkCost(NET, **{"X": X, "y": y, name: wrong})


def test_sparse_rows_are_refused_with_what_to_do_where_they_are_not_taken():
    with pytest.raises(InvalidType, match=r"must be dense\. Got csr_array: call its toarray"):
        sb.backpropagate(NET, THETA[0], csr_array(X), y)


def test_theta_that_does_not_fit_is_refused():
    for wrong in (THETA[:, :-1], THETA[:0], THETA[None]):
        with pytest.raises(InvalidInput, match="theta"):
            COST(wrong)
    with pytest.raises(InvalidInput, match=r"as many starts as .*, 3\. Got 2\. Use take\(starts\)"):
        sb.NetworkCost(NET, X, y, alpha=np.ones(3))(THETA[:2])
    with pytest.raises(InvalidInput, match="at least one example"):
        COST.batch([])


@pytest.mark.parametrize("wrong", [np.empty((2, 1)), np.empty((3, NET.n_parameters), "float32")])
def test_out_that_does_not_fit_is_refused(wrong):
    with pytest.raises(InvalidInput, match=r"out must be of shape \(3, 37\) and float64 on cpu"):
        COST(THETA, out=wrong)


def test_out_that_cannot_be_written_is_refused():
    out = np.empty_like(THETA)
    out.flags.writeable = False
    with pytest.raises(InvalidInput, match=r"out must be an array that can be written into\. Got"):
        COST(THETA, out=out)
    with pytest.raises(InvalidType, match=r"out must be an array\. Got list"):
        COST(THETA, out=THETA.tolist())


def test_what_is_written_into_alpha_does_not_change_the_cost():
    cost = sb.NetworkCost(NET, X, y, alpha=np.ones(3))
    cost.alpha[...] = 7.0
    np.testing.assert_array_equal(cost.alpha, 1.0)


@pytest.mark.parametrize("kind", [*NUMPY_AND_TORCH, list])
def test_masks_pick_what_they_say(kind):
    mask = y > 0
    picked = COST.batch(kind(mask))
    np.testing.assert_array_equal(picked(THETA)[0], COST.batch(np.flatnonzero(mask))(THETA)[0])
    own = sb.NetworkCost(NET, X, y, alpha=np.array([0.0, 1.0, 2.0]))
    taken = own.take([True, False, True])
    np.testing.assert_array_equal(taken(THETA[[0, 2]])[0], own(THETA)[0][[0, 2]])


@pytest.mark.parametrize(
    ("wrong", "found"),
    [([9], "9"), ([0, -10], "-10"), ([True] * 8, "8"), ([0.0], "float64"), (3, r"\(\)"),
     ([[0, 1]], r"\(1, 2\)"), ([False] * 9, "none"), ([], "none")],
)  # fmt: skip
def test_wrong_indices_are_refused_in_one_sentence(wrong, found):
    with pytest.raises(InvalidInput, match=f"rows of batch must .*Got .*{found}"):
        COST.batch(wrong)
    own = sb.NetworkCost(NET, X, y, sample_weight=np.ones((9, 9)))
    with pytest.raises(InvalidInput, match=f"starts of take must .*Got .*{found}"):
        own.take(wrong)


def test_a_batch_without_weight_has_the_penalty_alone():
    weights = np.r_[0.0, 0.0, np.ones(7)]
    J, gradient = sb.NetworkCost(NET, X, y, sample_weight=weights).batch([0, 1])(THETA)
    np.testing.assert_array_equal(J, 0.0)
    np.testing.assert_array_equal(gradient, 0.0)


def test_what_the_user_changes_later_does_not_change_the_cost():
    net = sb.Network((4, 5, 2), "tanh", "squared_error")
    given = {
        "X": X.copy(), "y": rng.normal(size=(9, 2)), "sample_weight": rng.uniform(1, 2, (3, 9)),
        "alpha": np.array([1.0, 2.0, 3.0]),
    }  # fmt: skip
    classes = y.copy()
    costs = [sb.NetworkCost(net, **given), sb.NetworkCost(NET, X, classes)]
    before = [(cost(THETA), cost.take([2, 0, 1])(THETA)) for cost in costs]
    for array in (*given.values(), classes):
        array[...] = 1 - array
    after = [(cost(THETA), cost.take([2, 0, 1])(THETA)) for cost in costs]
    np.testing.assert_equal(after, before)


def test_lists_are_thetas_too():
    theta = THETA.tolist()
    for given, array in ((theta, THETA), (theta[0], THETA[0])):
        np.testing.assert_equal(COST(given), COST(array))
        np.testing.assert_equal(COST.value(given), COST.value(array))
        np.testing.assert_equal(
            COST.hessian_product(given, given), COST.hessian_product(array, array)
        )
        for found, expected in zip(NET.thetas(given), NET.thetas(array), strict=True):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("copied", [lambda c: pickle.loads(pickle.dumps(c)), copy.deepcopy])
def test_a_copy_of_a_used_cost_computes_the_same(copied):
    cost = sb.NetworkCost(NET, X, y, alpha=0.5)
    J, gradient = cost(THETA)
    again = copied(cost)
    for _ in range(2):
        np.testing.assert_array_equal(again(THETA)[0], J)
        np.testing.assert_array_equal(again(THETA)[1], gradient)
    assert len(pickle.dumps(cost)) < 2 * len(pickle.dumps(sb.NetworkCost(NET, X, y, alpha=0.5)))
