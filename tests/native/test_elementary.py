"""The activations of the compiled core against 50 digits, in units in the last place."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from symbreak import native
from symbreak.activations import ACTIVATIONS, ELU_ALPHA, LEAKY_SLOPE, SELU_ALPHA, SELU_SCALE

pytestmark = pytest.mark.skipif(native.load() is None, reason="needs the compiled core")

mp.mp.dps = 50

TRUE = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + mp.exp(-z)),
    "tanh": mp.tanh,
    "relu": lambda z: max(z, mp.mpf(0)),
    "leaky_relu": lambda z: z if z > 0 else LEAKY_SLOPE * z,
    "elu": lambda z: z if z > 0 else ELU_ALPHA * mp.expm1(z),
    "selu": lambda z: SELU_SCALE * (z if z > 0 else SELU_ALPHA * mp.expm1(z)),
    "softplus": lambda z: mp.log1p(mp.exp(z)),
    "gelu": lambda z: z * mp.erfc(-z / mp.sqrt(2)) / 2,
    "silu": lambda z: z / (1 + mp.exp(-z)),
}
MOST_ULPS = 4.0


def activated(name, z):
    """Return g(z) of the core; z is copied into whole registers of aligned numbers."""
    core = native.load()
    assert core is not None
    room = np.zeros(len(z) + 64 + 64 // z.itemsize, z.dtype)
    first = -room.ctypes.data % 64 // z.itemsize
    aligned = room[first : first + -(-len(z) // 32) * 32]
    aligned[: len(z)] = z
    core.activate(core.ACTIVATIONS.index(name), aligned, None)
    return aligned[: len(z)].copy()


def places(dtype):
    """Return z from 1e-12 to 1e2 and their opposites, dense where exponents and pieces change."""
    wide = np.geomspace(1e-12, 1e2, 500)
    near = np.linspace(0.01, 40.0, 500)
    z = np.concatenate([wide, near]).astype(dtype)
    return np.concatenate([z, -z])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_within_four_units_in_the_last_place(name, dtype):
    z = places(dtype)
    a = activated(name, z)
    tiny = np.finfo(dtype).smallest_subnormal
    normal = np.finfo(dtype).tiny
    for place, got in zip(z, a, strict=True):
        true = TRUE[name](mp.mpf(float(place)))
        nearest = dtype(float(true)) if dtype is np.float64 else np.float32(mp.nstr(true, 20))
        unit = np.spacing(np.abs(nearest)) if abs(nearest) >= normal else tiny
        assert abs(mp.mpf(float(got)) - true) <= MOST_ULPS * float(unit), (place, got, true)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", [name for name, record in ACTIVATIONS.items() if record.is_odd])
def test_odd_activations_are_exactly_odd(name, dtype):
    z = places(dtype)
    np.testing.assert_array_equal(activated(name, -z), -activated(name, z))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_ends_of_the_line(name, dtype):
    z = np.array([np.nan, np.inf, -np.inf, 1e4, -1e4, 0.0, -0.0], dtype)
    a = activated(name, z)
    assert np.isnan(a[0])
    record = ACTIVATIONS[name]
    if record.output_range is not None:
        np.testing.assert_array_equal(a[1:3], np.array(record.output_range[::-1], dtype))
    assert np.isfinite(a[3:]).all()
    if record.needs_input:  # 0 on the left, z on the right
        far = np.array([-np.inf, np.finfo(dtype).min, -1e3, np.finfo(dtype).max, np.inf], dtype)
        np.testing.assert_array_equal(activated(name, far), np.where(far > 0, far, 0.0))
    if record.is_odd:
        assert np.signbit(a[6])
        assert not np.signbit(a[5])
