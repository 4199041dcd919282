"""Gains: the integral that defines them, worked out again."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate

from symbreak import initialization
from symbreak.activations import ACTIVATIONS
from symbreak.errors import InvalidInput
from symbreak.initialization.gains import activation_gain, check_gain, resolve_gain

PIECES = ((-38.0, -6.0), (-6.0, 0.0), (0.0, 6.0), (6.0, 38.0))


def moment(name: str, power: int) -> float:
    """E[sigma(z)^power] by quadrature, in pieces that meet at the kink."""

    def integrand(z: float) -> float:
        value = ACTIVATIONS[name].value(np.array([z])).item()
        return value**power * math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)

    return sum(integrate.quad(integrand, *piece, epsabs=1e-14)[0] for piece in PIECES)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_gain_undoes_the_second_moment(name):
    assert activation_gain(name) == pytest.approx(1.0 / math.sqrt(moment(name, 2)), rel=1e-12)


def test_the_old_table_of_gains_answers_with_the_new_place():
    with pytest.warns(DeprecationWarning, match="ACTIVATIONS"):
        gains = initialization.GAINS
    assert gains == {name: activation_gain(name) for name in ACTIVATIONS}
    with pytest.raises(AttributeError, match="GAINZ"):
        _ = initialization.GAINZ


@pytest.mark.parametrize(
    ("name", "share"), [("sigmoid", 0.85), ("softplus", 0.71), ("relu", 0.32), ("tanh", 0.0)]
)
def test_the_shares_of_the_mean_that_the_text_states(name, share):
    assert moment(name, 1) ** 2 / moment(name, 2) == pytest.approx(share, abs=0.005)


# Activations that draw a wrong size back to 1 or leave it; gelu and silu move it on, slowly.
@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu"])
def test_a_deep_stack_with_the_gain_keeps_its_size(name):
    rng = np.random.default_rng(0)
    z = rng.standard_normal((400, 1))
    sizes = []
    for _ in range(6):
        a = ACTIVATIONS[name].value(z)
        z = activation_gain(name) / math.sqrt(400) * rng.standard_normal((400, 400)) @ a
        sizes.append(np.mean(z**2))
    assert np.all(np.abs(np.log(sizes)) < 0.6)


def test_words_and_numbers():
    assert activation_gain(None) == 1.0
    assert resolve_gain("activation", "tanh") == activation_gain("tanh")
    assert resolve_gain("activation", None) == 1.0
    assert resolve_gain(3, "tanh") == 3.0


def test_an_unknown_activation_is_refused_with_the_nearest_name():
    with pytest.raises(InvalidInput, match=r"Got 'tahn'. Did you mean 'tanh'\?"):
        activation_gain("tahn")


@pytest.mark.parametrize("gain", [0, -1.0, math.inf, math.nan, "tanh", None, True])
def test_gains_that_are_none_are_refused(gain):
    with pytest.raises(InvalidInput, match="gain of HeNormal must be a finite number above 0"):
        check_gain("HeNormal", gain)
