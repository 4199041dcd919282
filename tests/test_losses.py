"""Losses: value and delta, against autograd, high-precision numbers and each other."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import symbreak as sb
from symbreak.errors import InvalidInput
from symbreak.losses import LOSSES, loss_from_settings, loss_of
from tests.objectives import reference

pytestmark = pytest.mark.needs_torch

CASES = json.loads((Path(__file__).parent / "reference/losses_at_saturation.json").read_text())
EVERY = pytest.mark.parametrize("name", LOSSES)
F64 = torch.float64


def value_and_delta(loss, raw, y, dtype=F64):
    """The loss (examples,) and delta (examples, outputs) of raw (examples, outputs)."""
    raw = torch.as_tensor(raw, dtype=dtype)
    target = loss.prepare(torch.as_tensor(y), raw.shape[1])
    work = raw.T[None].clone()
    value = loss.value_and_delta_(work, target if loss.target_is_index else target.to(dtype))
    return value[0], work[0].T


def value(loss, raw, y):
    raw = torch.as_tensor(raw, dtype=F64)
    target = loss.prepare(torch.as_tensor(y), raw.shape[1])
    return loss.value(raw.T[None].clone(), target)[0]


def examples(name, seed=0, m=40):
    rng = np.random.default_rng(seed)
    return 2 * rng.normal(size=(m, 3)), reference.targets(name, rng, m, 3)


@EVERY
def test_value_and_delta_agree_with_autograd(name):
    raw, y = examples(name)
    leaf = torch.tensor(raw, requires_grad=True)
    expected = reference.LOSSES[name](leaf, torch.tensor(y))
    (slope,) = torch.autograd.grad(expected.sum(), leaf)
    found, delta = value_and_delta(loss_of(name), raw, y)
    torch.testing.assert_close(found, expected.detach(), rtol=1e-13, atol=0)
    torch.testing.assert_close(delta, slope, rtol=1e-11, atol=0)


@EVERY
def test_value_alone_is_the_same_to_the_last_bit(name):
    raw, y = examples(name)
    assert torch.equal(value(loss_of(name), raw, y), value_and_delta(loss_of(name), raw, y)[0])


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


@pytest.mark.parametrize("dtype", [torch.float32, F64], ids=str)
@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['loss']}{c['raw']}, y={c['y']}")
def test_value_and_delta_agree_with_high_precision(case, dtype):
    found, delta = value_and_delta(loss_of(case["loss"]), [case["raw"]], [case["y"]], dtype)
    limits = torch.finfo(dtype)
    rel, smallest = 40 * limits.eps, limits.tiny
    assert found.item() == pytest.approx(float(case["value"]), rel=rel, abs=smallest)
    expected = [float(d) for d in case["delta"]]
    assert delta[0].tolist() == pytest.approx(expected, rel=rel, abs=smallest)


@EVERY
@pytest.mark.parametrize("dtype", [torch.float32, F64], ids=str)
def test_nothing_overflows_at_ten_thousand(name, dtype):
    raw = [[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4], [-1e4, -1e4, -1e4], [1e4, 1e4, 1e4]]
    y = [0, 0, 1, 2] if name == "cross_entropy" else [[0.0, 1.0, 1.0]] * 4
    found, delta = value_and_delta(loss_of(name), raw, y, dtype)
    assert bool(torch.isfinite(found).all())
    assert bool(torch.isfinite(delta).all())
    prediction = loss_of(name).link(torch.tensor(raw, dtype=dtype).T[None])
    assert bool(torch.isfinite(prediction).all())


def test_poisson_goes_on_along_its_tangent():
    limit = 0.5 * math.log(torch.finfo(F64).max)
    found, delta = value_and_delta(loss_of("poisson"), [[limit], [limit + 2.0], [1e4]], [0, 0, 0])
    assert delta[1].item() == delta[0].item() == delta[2].item()
    assert (found[1] - found[0]).item() == pytest.approx(2.0 * delta[0].item())
    raw = torch.tensor([limit - 1.0, limit + 2.0], dtype=F64).view(1, 1, 2)
    bend = loss_of("poisson").curvature_product(raw, torch.zeros(1, 2), torch.ones_like(raw))
    assert bend.flatten().tolist() == pytest.approx([math.exp(limit - 1.0), 0.0])


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
    raw = torch.tensor([[[0.0, 3.0], [1.0, -50.0]]], dtype=F64)
    p = loss_of(name).link(raw)
    assert bool(((p >= 0) & (p <= 1)).all())
    other = torch.softmax(raw, 1) if name == "cross_entropy" else 1 / (1 + torch.exp(-raw))
    torch.testing.assert_close(p, other, rtol=1e-15, atol=0)


def test_the_poisson_link_is_exp_and_the_others_change_nothing():
    raw = torch.tensor([[[0.0, 2.0]]], dtype=F64)
    assert loss_of("poisson").link(raw).flatten().tolist() == [1.0, math.exp(2.0)]
    for name in ("squared_error", "absolute_error", "huber", "quantile"):
        same = loss_of(name).link(raw)
        assert torch.equal(same, raw)
        assert same is not raw


def test_classes_are_indices_or_one_hot_rows():
    loss, raw = loss_of("cross_entropy"), [[0.1, 0.2, 0.3]] * 2
    by_index = value_and_delta(loss, raw, [2, 0])
    by_row = value_and_delta(loss, raw, [[0, 0, 1], [1, 0, 0]])
    by_column = value_and_delta(loss, raw, [[2.0], [0.0]])
    for other in (by_row, by_column):
        assert torch.equal(by_index[0], other[0])
        assert torch.equal(by_index[1], other[1])


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
        loss_of(name).prepare(torch.as_tensor(y), 3)


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
    raw = torch.from_numpy(3.0 * rng.normal(size=(2, 3, 7)))
    y = torch.from_numpy(rng.integers(0, 2, (7, 3)).astype(float))
    target = loss.prepare(y[:, 0].long() if loss.target_is_index else y, 3)
    u = torch.from_numpy(rng.normal(size=raw.shape))
    step, sides = 1e-5, []
    for sign in (1.0, -1.0):
        delta = raw + sign * step * u
        loss.value_and_delta_(delta, target)
        sides.append(delta)
    expected = (sides[0] - sides[1]) / (2 * step)
    before = raw.clone()
    product = loss.curvature_product(raw, target, u)
    torch.testing.assert_close(product, expected, rtol=1e-7, atol=1e-9)
    root = loss.curvature_root(raw, target)
    squared = torch.einsum("srkm,srlm,slm->skm", root, root, u)
    torch.testing.assert_close(squared, product, rtol=1e-12, atol=1e-14)
    assert torch.equal(raw, before)


@pytest.mark.parametrize("gap", [0.0, 3.0, 40.0, 300.0])
def test_curvature_of_classes_keeps_its_digits_at_saturation(gap):
    loss = loss_of("cross_entropy")
    raw = torch.tensor([gap, 0.0, -5.0], dtype=F64).view(1, 3, 1)
    u = torch.tensor([0.7, -1.3, 0.4], dtype=F64)
    p = torch.softmax(raw.flatten(), 0)
    C = torch.diag(p) - torch.outer(p, p)
    C.fill_diagonal_(0.0)
    C -= torch.diag(C.sum(1))  # 1 - p_k is the sum of the others
    expected = (C * (u - u[:, None])).sum(1)
    target = torch.zeros(1, 1, dtype=torch.long)
    product = loss.curvature_product(raw, target, u.view(1, 3, 1))
    torch.testing.assert_close(product.flatten(), expected, rtol=1e-13, atol=0)
    R = loss.curvature_root(raw, target)[0, :, :, 0]
    torch.testing.assert_close(R.T @ R, C, rtol=1e-13, atol=0)


@EVERY
@pytest.mark.parametrize("dtype", [torch.float32, F64], ids=str)
def test_curvature_is_finite_and_not_negative_at_ten_thousand(name, dtype):
    raw = torch.tensor([[1e4, -1e4, 0.0], [-1e4, -1e4, -1e4], [1e4, 1e4, 1e4]], dtype=dtype).T[None]
    y = [0, 1, 2] if name == "cross_entropy" else [[0.0, 1.0, 1.0]] * 3
    loss = loss_of(name)
    target = loss.prepare(torch.as_tensor(y), 3)
    product = loss.curvature_product(raw, target, torch.ones_like(raw))
    root = loss.curvature_root(raw, target)
    assert bool(torch.isfinite(product).all())
    assert bool(torch.isfinite(root).all())
    assert bool((product >= -1e-6).all())


def test_curvature_of_probabilities_keeps_its_digits_at_saturation():
    loss, raw = (
        loss_of("binary_cross_entropy"),
        torch.tensor([40.0, -40.0], dtype=F64).view(1, 1, 2),
    )
    target = loss.prepare(torch.tensor([0.0, 1.0]), 1)
    product = loss.curvature_product(raw, target, torch.ones_like(raw))
    assert product.flatten().tolist() == pytest.approx([math.exp(-40.0)] * 2, rel=1e-14, abs=0)
