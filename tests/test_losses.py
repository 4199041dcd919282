"""Losses: value and delta, against autograd, high-precision numbers and each other."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

import symbreak as sb
from symbreak.arrays import as_numpy, cast
from symbreak.errors import InvalidInput
from symbreak.losses import LOSSES, loss_from_settings, loss_of
from tests.kinds import NUMPY_AND_TORCH
from tests.objectives import reference
from tests.objectives.targets import targets

CASES = json.loads((Path(__file__).parent / "reference/losses_at_saturation.json").read_text())
EVERY = pytest.mark.parametrize("name", LOSSES)
BOTH = pytest.mark.parametrize("make", NUMPY_AND_TORCH)
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def value_and_delta(loss, raw, y, dtype=np.float64, make=np.array):
    """The loss (examples,) and delta (examples, outputs) of raw (examples, outputs)."""
    raw = np.asarray(raw, dtype)
    target, work = loss.prepare(make(y), raw.shape[1]), make(raw.T[None])
    if not loss.target_is_index:
        target = cast(target, raw.dtype.name)
    value = loss.value_and_delta_(work, target)
    return as_numpy(value)[0], as_numpy(work)[0].T


def value(loss, raw, y):
    raw = np.asarray(raw)
    return loss.value(raw.T[None].copy(), loss.prepare(np.asarray(y), raw.shape[1]))[0]


def examples(name, seed=0, m=40):
    rng = np.random.default_rng(seed)
    return 2 * rng.normal(size=(m, 3)), targets(name, rng, m, 3)


@EVERY
def test_value_and_delta_agree_with_autograd(torch, name):
    raw, y = examples(name)
    leaf = torch.tensor(raw, requires_grad=True)
    expected = reference.LOSSES[name](leaf, torch.tensor(y))
    (slope,) = torch.autograd.grad(expected.sum(), leaf)
    found, delta = value_and_delta(loss_of(name), raw, y)
    np.testing.assert_allclose(found, expected.detach(), rtol=1e-13)
    np.testing.assert_allclose(delta, slope, rtol=1e-11)


@EVERY
def test_value_alone_is_the_same_to_the_last_bit(name):
    raw, y = examples(name)
    found, _ = value_and_delta(loss_of(name), raw, y)
    np.testing.assert_array_equal(value(loss_of(name), raw, y), found)


@EVERY
@given(shift=st.sampled_from([0.0, 12.0, -12.0]), seed=st.integers(0, 99))
def test_delta_is_the_slope_of_the_value_even_when_saturated(name, shift, seed):
    # 12 is far into saturation, where p - y would keep 5 digits less than the loss has.
    raw, y = examples(name, seed, m=1)
    raw = raw + shift * np.array([1.0, -1.0, 0.0])
    loss, step = loss_of(name), 1e-4
    _, delta = value_and_delta(loss, raw, y)
    for k in range(3):
        up, down = raw.copy(), raw.copy()
        up[0, k] += step
        down[0, k] -= step
        ends = [value_and_delta(loss, end, y)[1][0, k].item() for end in (up, down)]
        if name in ("absolute_error", "quantile", "huber") and ends[0] != ends[1]:
            continue  # a kink may lie between
        slope = (value(loss, up, y) - value(loss, down, y)).item() / (2 * step)
        noise = 4 * np.finfo(float).eps * value(loss, raw, y).item() / step
        assert delta[0, k].item() == pytest.approx(slope, rel=1e-7, abs=noise)


@BOTH
@DTYPES
@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['loss']}{c['raw']}, y={c['y']}")
def test_value_and_delta_agree_with_high_precision(case, dtype, make):
    found, delta = value_and_delta(loss_of(case["loss"]), [case["raw"]], [case["y"]], dtype, make)
    limits = np.finfo(dtype)
    rel, smallest = 40 * float(limits.eps), float(limits.tiny)
    assert found.item() == pytest.approx(float(case["value"]), rel=rel, abs=smallest)
    expected = [float(d) for d in case["delta"]]
    assert delta[0].tolist() == pytest.approx(expected, rel=rel, abs=smallest)


@BOTH
@EVERY
@DTYPES
def test_nothing_overflows_at_ten_thousand(name, dtype, make):
    raw = [[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4], [-1e4, -1e4, -1e4], [1e4, 1e4, 1e4]]
    y = [0, 0, 1, 2] if name == "cross_entropy" else [[0.0, 1.0, 1.0]] * 4
    found, delta = value_and_delta(loss_of(name), raw, y, dtype, make)
    assert np.isfinite(found).all()
    assert np.isfinite(delta).all()
    prediction = loss_of(name).link(make(np.array(raw, dtype).T[None]))
    assert np.isfinite(as_numpy(prediction)).all()


def test_poisson_goes_on_along_its_tangent():
    limit = 0.5 * math.log(np.finfo(np.float64).max)
    found, delta = value_and_delta(loss_of("poisson"), [[limit], [limit + 2.0], [1e4]], [0, 0, 0])
    assert delta[1].item() == delta[0].item() == delta[2].item()
    assert (found[1] - found[0]).item() == pytest.approx(2.0 * delta[0].item())
    raw = np.array([[[limit - 1.0, limit + 2.0]]])
    bend = loss_of("poisson").curvature_product(raw, np.zeros((1, 2)), np.ones_like(raw))
    assert bend.ravel().tolist() == pytest.approx([math.exp(limit - 1.0), 0.0])


def test_huber_is_squared_inside_and_absolute_outside():
    found, delta = value_and_delta(sb.losses.Huber(2.0), [[1.0], [5.0], [-5.0]], [0.0, 0.0, 0.0])
    assert found.tolist() == [0.5, 8.0, 8.0]  # r^2 / 2 and 2 (5 - 1)
    assert delta.ravel().tolist() == [1.0, 2.0, -2.0]


def test_quantile_weighs_both_sides():
    found, delta = value_and_delta(sb.losses.Quantile(0.9), [[0.0], [3.0], [1.0]], [1.0, 1.0, 1.0])
    assert found.tolist() == pytest.approx([0.9, 0.2, 0.0])
    assert delta.ravel().tolist() == pytest.approx([-0.9, 0.1, 0.0])


@pytest.mark.parametrize("name", ["cross_entropy", "binary_cross_entropy"])
def test_links_give_probabilities(name):
    raw = np.array([[[0.0, 3.0], [1.0, -50.0]]])
    p = loss_of(name).link(raw)
    assert ((p >= 0) & (p <= 1)).all()
    other = special.softmax(raw, 1) if name == "cross_entropy" else 1 / (1 + np.exp(-raw))
    np.testing.assert_allclose(p, other, rtol=1e-15)


def test_the_poisson_link_is_exp_and_the_others_change_nothing():
    raw = np.array([[[0.0, 2.0]]])
    assert loss_of("poisson").link(raw).ravel().tolist() == [1.0, math.exp(2.0)]
    for name in ("squared_error", "absolute_error", "huber", "quantile"):
        same = loss_of(name).link(raw)
        np.testing.assert_array_equal(same, raw)
        assert same is not raw


def test_classes_are_indices_or_one_hot_rows():
    loss, raw = loss_of("cross_entropy"), [[0.1, 0.2, 0.3]] * 2
    by_index = value_and_delta(loss, raw, [2, 0])
    by_row = value_and_delta(loss, raw, [[0, 0, 1], [1, 0, 0]])
    by_column = value_and_delta(loss, raw, [[2.0], [0.0]])
    for other in (by_row, by_column):
        np.testing.assert_array_equal(by_index[0], other[0])
        np.testing.assert_array_equal(by_index[1], other[1])


@pytest.mark.parametrize("loss", [*LOSSES, sb.losses.Huber(0.3), sb.losses.Quantile(0.1)], ids=str)
def test_settings_make_an_equal_loss(loss):
    loss = loss_of(loss)
    settings = json.loads(json.dumps(loss.to_settings()))
    assert loss_from_settings(settings) == loss
    assert str(loss) == loss.name == settings["name"]


@pytest.mark.parametrize(
    ("name", "y", "message"),
    [
        ("cross_entropy", [0, 3], r"indices 0\.\.2\. Got 3\."),
        ("cross_entropy", [0, -1], r"Got -1\."),
        ("cross_entropy", [0.5, 1.0], r"Got 0\.5\."),
        ("cross_entropy", [[0, 2, 0], [1, 0, 0]], "one 1 in each row"),
        ("cross_entropy", [[0, 0, 0], [1, 0, 0]], "one 1 in each row"),
        ("cross_entropy", [[0, 1], [1, 0]], r"one-hot rows \(examples, 3\). Got shape \(2, 2\)"),
        ("binary_cross_entropy", [[0, 1, 2], [0, 1, 1]], "must be 0 or 1. Got 2.*cross_entropy"),
        ("poisson", [[0.0, 1.0, -2.0], [0, 0, 0]], r"must not be negative. Got -2\.0\."),
        ("squared_error", [1.0, 2.0], r"shape \(examples, 3\). Got \(2,\)"),
        ("squared_error", [[1.0, 2.0]], r"Got \(1, 2\)"),
    ],
)
def test_targets_outside_the_range_are_refused(name, y, message):
    with pytest.raises(InvalidInput, match=message):
        loss_of(name).prepare(np.array(y), 3)


@pytest.mark.parametrize("delta", [0.0, -1.0, math.nan, math.inf, "1", None])
def test_huber_refuses_other_deltas(delta):
    with pytest.raises(InvalidInput, match=r"delta of Huber must be a positive number\. Got"):
        sb.losses.Huber(delta)


@pytest.mark.parametrize("q", [0.0, 1.0, -0.5, math.nan, "0.5", None])
def test_quantile_refuses_other_levels(q):
    with pytest.raises(InvalidInput, match=r"q of Quantile must be between 0 and 1\. Got"):
        sb.losses.Quantile(q)


def test_an_unknown_loss_is_refused_with_the_nearest():
    with pytest.raises(InvalidInput, match=r"Did you mean 'cross_entropy'\?"):
        loss_of("cross_entropi")


@pytest.mark.parametrize("name", LOSSES)
def test_curvature_is_the_slope_of_delta_and_its_root_squared(name):
    rng = np.random.default_rng(0)
    loss = LOSSES[name]()
    raw = 3.0 * rng.normal(size=(2, 3, 7))
    y = rng.integers(0, 2, (7, 3)).astype(float)
    target = loss.prepare(y[:, 0] if loss.target_is_index else y, 3)
    u = rng.normal(size=raw.shape)
    step, sides = 1e-5, []
    for sign in (1.0, -1.0):
        delta = raw + sign * step * u
        loss.value_and_delta_(delta, target)
        sides.append(delta)
    expected = (sides[0] - sides[1]) / (2 * step)
    before = raw.copy()
    product = loss.curvature_product(raw, target, u)
    np.testing.assert_allclose(product, expected, rtol=1e-7, atol=1e-9)
    root = loss.curvature_root(raw, target)
    squared = np.einsum("srkm,srlm,slm->skm", root, root, u)
    np.testing.assert_allclose(squared, product, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(raw, before)


@pytest.mark.parametrize("gap", [0.0, 3.0, 40.0, 300.0])
def test_curvature_of_classes_keeps_its_digits_at_saturation(gap):
    loss = loss_of("cross_entropy")
    raw = np.array([gap, 0.0, -5.0]).reshape(1, 3, 1)
    u = np.array([0.7, -1.3, 0.4])
    p = special.softmax(raw.ravel())
    C = -np.outer(p, p)
    np.fill_diagonal(C, 0.0)
    C -= np.diag(C.sum(1))  # 1 - p_k is the sum of the others
    expected = (C * (u - u[:, None])).sum(1)
    target = np.zeros((1, 1), np.int64)
    product = loss.curvature_product(raw, target, u.reshape(1, 3, 1))
    np.testing.assert_allclose(product.ravel(), expected, rtol=1e-13)
    R = loss.curvature_root(raw, target)[0, :, :, 0]
    np.testing.assert_allclose(R.T @ R, C, rtol=1e-13)


@BOTH
@EVERY
@DTYPES
def test_curvature_is_finite_and_not_negative_at_ten_thousand(name, dtype, make):
    raw = np.array([[1e4, -1e4, 0.0], [-1e4, -1e4, -1e4], [1e4, 1e4, 1e4]], dtype).T[None]
    y = [0, 1, 2] if name == "cross_entropy" else [[0.0, 1.0, 1.0]] * 3
    loss = loss_of(name)
    target = loss.prepare(make(y), 3)
    product = as_numpy(loss.curvature_product(make(raw), target, make(np.ones_like(raw))))
    root = as_numpy(loss.curvature_root(make(raw), target))
    assert np.isfinite(product).all()
    assert np.isfinite(root).all()
    assert (product >= -1e-6).all()


def test_curvature_of_probabilities_keeps_its_digits_at_saturation():
    loss, raw = loss_of("binary_cross_entropy"), np.array([[[40.0, -40.0]]])
    target = loss.prepare(np.array([0.0, 1.0]), 1)
    product = loss.curvature_product(raw, target, np.ones_like(raw))
    assert product.ravel().tolist() == pytest.approx([math.exp(-40.0)] * 2, rel=1e-14, abs=0)
