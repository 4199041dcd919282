"""Known mistakes of forward propagation: in z(l) = Theta(l-1) [1; a(l-1)] and a(l) = g(z(l))."""

from __future__ import annotations

import numpy as np

from symbreak.activations import ACTIVATIONS
from symbreak.backpropagation_check.mistakes.mistake import Mistake, require
from symbreak.backpropagation_check.problem import Array
from symbreak.backpropagation_check.stages import Formula, Pass, link, slope_at, value_at, with_one

_SIGMOID = ACTIVATIONS["sigmoid"]


def _parts(run: Pass, layer: int) -> tuple[Array, Array, Array]:
    """Return the bias (u, 1), the weights (u, v) and a (v, m) that make z(layer)."""
    Theta = run.problem.thetas[layer - 2]
    return Theta[:, :1], Theta[:, 1:], run.a(layer - 1)


def _no_bias(run: Pass, layer: int) -> Array:
    _, W, a = _parts(run, layer)
    return W @ a


def _bias_twice(run: Pass, layer: int) -> Array:
    b, W, a = _parts(run, layer)
    return W @ a + 2.0 * b


def _bias_subtracted(run: Pass, layer: int) -> Array:
    b, W, a = _parts(run, layer)
    return W @ a - b


def _one_last(run: Pass, layer: int) -> Array:
    a = run.a(layer - 1)
    return run.problem.thetas[layer - 2] @ np.vstack([a, np.ones((1, a.shape[1]))])


def _transposed(run: Pass, layer: int) -> Array:
    Theta = run.problem.thetas[layer - 2]
    require(Theta.shape[0] == Theta.shape[1])
    return Theta.T @ with_one(run.a(layer - 1))


def _weights_transposed(run: Pass, layer: int) -> Array:
    b, W, a = _parts(run, layer)
    require(W.shape[0] == W.shape[1])
    return W.T @ a + b


def _reshaped(run: Pass, layer: int) -> Array:
    Theta = run.problem.thetas[layer - 2]
    return Theta.ravel().reshape(Theta.shape, order="F") @ with_one(run.a(layer - 1))


def _from_z(run: Pass, layer: int) -> Array:
    require(layer > 2)
    return run.problem.thetas[layer - 2] @ with_one(run.z(layer - 1))


def _from_input(run: Pass, layer: int) -> Array:
    require(layer > 2)
    return run.problem.thetas[layer - 2] @ with_one(run.a(1))


def _already_activated(run: Pass, layer: int) -> Array:
    b, W, a = _parts(run, layer)
    return _g(run, layer, W @ a + b)


WEIGHTED_INPUT = (
    Mistake("z_without_bias", "z({l}) lacks the bias unit", _no_bias),
    Mistake("z_already_activated",
            "the activation is already applied: z({l}) holds g(z({l}))", _already_activated),
    Mistake("z_from_z_below", "z({l}) is computed from z({below}) instead of a({below})", _from_z),
    Mistake("z_theta_transposed", "Theta{below} is transposed in z({l})", _transposed),
    Mistake("z_weights_transposed",
            "Theta{below} is transposed in z({l}), its weights without the bias",
            _weights_transposed),
    Mistake("z_bias_last",
            "the bias unit of a({below}) is put last, but the bias is column 0 of Theta{below}",
            _one_last),
    Mistake("z_bias_twice", "the bias is added twice in z({l})", _bias_twice),
    Mistake("z_bias_subtracted", "the bias is subtracted in z({l})", _bias_subtracted),
    Mistake("z_theta_reordered",
            "Theta{below} is unrolled row by row but read column by column in z({l})", _reshaped),
    Mistake("z_from_input", "z({l}) is computed from the input instead of a({below})", _from_input),
)  # fmt: skip


def _g(run: Pass, layer: int, z: Array) -> Array:
    if layer == run.problem.n_layers:
        return link(run.problem, z)
    return value_at(run.activation(layer), z)


def _not_applied(run: Pass, layer: int) -> Array:
    return run.z(layer)


def _twice(run: Pass, layer: int) -> Array:
    return _g(run, layer, _g(run, layer, run.z(layer)))


def _derivative(run: Pass, layer: int) -> Array:
    if layer < run.problem.n_layers:
        return slope_at(run.activation(layer), run.z(layer))
    return slope_at(_SIGMOID, run.z(layer))


def _softmax_over_examples(run: Pass, layer: int) -> Array:
    require(layer == run.problem.n_layers and run.problem.network.loss.name == "cross_entropy")
    e = np.exp(run.z(layer) - run.z(layer).max())
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def _softmax(run: Pass, layer: int) -> Array:
    e = np.exp(run.z(layer) - run.z(layer).max(axis=0))
    return np.asarray(e / e.sum(axis=0))


def _exp_unnormalised(run: Pass, layer: int) -> Array:
    require(layer == run.problem.n_layers)
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(run.z(layer)))


def _other(word: str, *, output: bool) -> Formula:
    def formula(run: Pass, layer: int) -> Array:
        require((layer == run.problem.n_layers) == output)
        return value_at(ACTIVATIONS[word], run.z(layer))

    return formula


_NONLINEAR = [word for word in ACTIVATIONS if word != "identity"]
ACTIVATION = (
    Mistake("a_not_activated", "the activation is not applied: a({l}) is z({l})", _not_applied),
    Mistake("a_activated_twice", "the activation is applied twice in a({l})", _twice),
    Mistake("a_is_derivative",
            "a({l}) is the derivative g'(z({l})) instead of g(z({l}))", _derivative),
    Mistake("a_softmax_over_examples",
            "soft-max sums over the examples instead of the outputs", _softmax_over_examples),
    Mistake("a_not_normalised",
            "a({l}) is exp(z({l})), not divided by its sum over the outputs", _exp_unnormalised),
    *(Mistake(f"a_output_is_{word}",
              f"{word} is applied to the output z({{l}}), but the loss takes another link",
              _other(word, output=True)) for word in _NONLINEAR),
    Mistake("a_is_softmax", "soft-max is applied to z({l}), which the net does not do", _softmax),
    *(Mistake(f"a_is_{word}",
              f"a({{l}}) is {word}(z({{l}})), but the net has another activation there",
              _other(word, output=False)) for word in _NONLINEAR),
)  # fmt: skip
