"""Known mistakes of the error terms: delta(L) = a(L) - y, delta(l) = W^T delta(l+1) * g'(z(l))."""

from __future__ import annotations

import numpy as np

from symbreak.activations import ACTIVATIONS
from symbreak.backpropagation_check.mistakes.mistake import Mistake, require
from symbreak.backpropagation_check.problem import Array
from symbreak.backpropagation_check.stages import (
    Formula,
    Pass,
    Stage,
    inputs_of,
    slope_at,
    slope_from,
    value_at,
)


def _right(run: Pass, layer: int) -> Array:
    """Return what the right formula gives, from the same earlier stages."""
    given = {
        stage: run.value(*stage) for stage in inputs_of(Stage("delta", layer), run.problem.n_layers)
    }
    if layer == run.problem.n_layers and not run.is_own_prediction():
        given = {Stage("z", layer): run.z(layer)}
    return Pass(run.problem, given).delta(layer)


def _last(formula: Formula) -> Formula:
    def checked(run: Pass, layer: int) -> Array:
        require(layer == run.problem.n_layers)
        return formula(run, layer)

    return checked


def _hidden(formula: Formula) -> Formula:
    def checked(run: Pass, layer: int) -> Array:
        require(layer < run.problem.n_layers)
        return formula(run, layer)

    return checked


def _below(run: Pass, layer: int) -> Array:
    """Return W(l)^T delta(l+1), before the factor g'."""
    return np.asarray(run.problem.thetas[layer - 1][:, 1:].T @ run.delta(layer + 1))


def _with_slope_of_link(run: Pass, layer: int) -> Array:
    a = run.a(layer)
    require(run.problem.network.loss.name != "poisson")
    return np.asarray(_right(run, layer) * a * (1.0 - a))


def _with_slope(word: str) -> Formula:
    return lambda run, layer: _right(run, layer) * slope_at(ACTIVATIONS[word], run.z(layer))


def _with_prediction(run: Pass, layer: int) -> Array:
    return np.asarray(_right(run, layer) * run.a(layer))


def _by_prediction(run: Pass, layer: int) -> Array:
    a = run.a(layer)
    with np.errstate(all="ignore"):
        return np.asarray(_right(run, layer) / (a * (1.0 - a)))


def _class_index(run: Pass, layer: int) -> Array:
    require(run.problem.network.loss.name == "cross_entropy")
    return np.asarray(run.a(layer) - run.problem.Y.argmax(axis=0))


_NONLINEAR = [word for word in ACTIVATIONS if word != "identity"]
_OF_LAST: tuple[tuple[str, str, Formula], ...] = (
    ("delta_wrong_sign", "delta({l}) has the wrong sign: y - a({l}) instead of a({l}) - y",
     lambda run, layer: -_right(run, layer)),
    ("delta_extra_slope",
     "delta({l}) has the factor g'(z({l})), which the loss cancels", _with_slope_of_link),
    *((f"delta_output_slope_of_{word}",
       f"delta({{l}}) has a factor g'(z({{l}})), that of {word}, which the output does not have",
       _with_slope(word)) for word in _NONLINEAR),
    ("delta_extra_exp",
     "delta({l}) has the factor exp(z({l})), which the loss cancels", _with_prediction),
    ("delta_by_a",
     "delta({l}) lacks the factor g'(z({l})): it is the derivative by a({l}), not by z({l})",
     _by_prediction),
    ("delta_divided_by_m",
     "delta({l}) is divided by m: it belongs to one example, and m divides the gradient",
     lambda run, layer: _right(run, layer) / run.problem.m),
    ("delta_doubled", "delta({l}) has a factor 2", lambda run, layer: 2.0 * _right(run, layer)),
    ("delta_without_y", "y is not subtracted in delta({l})", lambda run, layer: run.a(layer)),
    ("delta_is_a_minus_y", "delta({l}) is a({l}) - y, but the loss has another derivative",
     lambda run, layer: run.a(layer) - run.problem.Y),
    ("delta_is_z_minus_y", "delta({l}) is z({l}) - y instead of a({l}) - y",
     lambda run, layer: run.z(layer) - run.problem.Y),
    ("delta_class_index",
     "y is the class index in delta({l}) instead of 0 and 1 for each class", _class_index),
)  # fmt: skip


def _at_a(run: Pass, layer: int) -> Array:
    return _below(run, layer) * slope_at(run.activation(layer), run.a(layer))


def _formula_of_z(run: Pass, layer: int) -> Array:
    require(not run.activation(layer).needs_input)
    return _below(run, layer) * slope_from(run.activation(layer), run.z(layer))


def _value_for_slope(run: Pass, layer: int) -> Array:
    return _below(run, layer) * value_at(run.activation(layer), run.z(layer))


def _slope_twice(run: Pass, layer: int) -> Array:
    return _below(run, layer) * run.slope(layer) ** 2


def _bias_row(run: Pass, layer: int) -> Array:
    return run.problem.thetas[layer - 1][:, :-1].T @ run.delta(layer + 1) * run.slope(layer)


def _bias_row_plain(run: Pass, layer: int) -> Array:
    return np.asarray(run.problem.thetas[layer - 1][:, :-1].T @ run.delta(layer + 1))


def _not_transposed(run: Pass, layer: int) -> Array:
    W = run.problem.thetas[layer - 1][:, 1:]
    require(W.shape[0] == W.shape[1])
    return W @ run.delta(layer + 1) * run.slope(layer)


def _of_theta_below(run: Pass, layer: int) -> Array:
    W = run.problem.thetas[layer - 2][:, 1:]
    require(W.shape == run.problem.thetas[layer - 1][:, 1:].shape)
    return W.T @ run.delta(layer + 1) * run.slope(layer)


def _no_theta(run: Pass, layer: int) -> Array:
    above = run.delta(layer + 1)
    require(len(above) in (1, len(run.z(layer))))
    return above * run.slope(layer)


def _slope_of_above(run: Pass, layer: int) -> Array:
    require(layer + 1 < run.problem.n_layers)
    W = run.problem.thetas[layer - 1][:, 1:]
    return np.asarray(W.T @ (run.delta(layer + 1) * run.slope(layer + 1)))


def _from_last(run: Pass, layer: int) -> Array:
    last = run.problem.n_layers
    require(layer + 1 < last and len(run.delta(last)) == len(run.delta(layer + 1)))
    W = run.problem.thetas[layer - 1][:, 1:]
    return W.T @ run.delta(last) * run.slope(layer)


def _slope_of(word: str) -> Formula:
    return lambda run, layer: _below(run, layer) * slope_at(ACTIVATIONS[word], run.z(layer))


def _formula_of(word: str) -> Formula:
    return lambda run, layer: _below(run, layer) * slope_from(ACTIVATIONS[word], run.a(layer))


def _one_less_a(run: Pass, layer: int) -> Array:
    require(run.activation(layer).name == "sigmoid")
    return _below(run, layer) * (1.0 - run.a(layer))


_OF_HIDDEN: tuple[tuple[str, str, Formula], ...] = (
    ("delta_without_slope", "delta({l}) lacks the factor g'(z({l}))", _below),
    ("delta_slope_at_a", "g' is taken at a({l}) instead of z({l}) in delta({l})", _at_a),
    ("delta_slope_given_z",
     "g' in delta({l}) is a formula for a({l}), such as a (1 - a), but is given z({l})",
     _formula_of_z),
    ("delta_slope_one_less_a",
     "delta({l}) has the factor 1 - a({l}) instead of a({l}) (1 - a({l}))", _one_less_a),
    ("delta_value_for_slope",
     "delta({l}) has the factor g(z({l})) instead of g'(z({l}))", _value_for_slope),
    ("delta_wrong_row_dropped",
     "the wrong row is dropped in delta({l}): the bias is column 0 of Theta{l}", _bias_row),
    ("delta_without_slope+delta_wrong_row_dropped",
     "delta({l}) lacks the factor g'(z({l})), and the wrong row is dropped: the bias is column 0 "
     "of Theta{l}", _bias_row_plain),
    ("delta_theta_not_transposed", "Theta{l} is not transposed in delta({l})", _not_transposed),
    ("delta_takes_theta_below",
     "delta({l}) is computed with Theta{below} instead of Theta{l}", _of_theta_below),
    ("delta_without_theta", "delta({l}) lacks the product with Theta{l}", _no_theta),
    ("delta_wrong_sign", "delta({l}) has the wrong sign", lambda run, layer: -_right(run, layer)),
    ("delta_divided_by_m",
     "delta({l}) is divided by m: it belongs to one example, and m divides the gradient",
     lambda run, layer: _right(run, layer) / run.problem.m),
    ("delta_slope_twice", "delta({l}) has the factor g'(z({l})) twice", _slope_twice),
    ("delta_slope_above",
     "delta({l}) has the factor g'(z({above})) instead of g'(z({l}))", _slope_of_above),
    ("delta_from_last",
     "delta({l}) is computed from delta({L}) instead of delta({above})", _from_last),
    ("delta_formula_of_sigmoid",
     "delta({l}) has the factor a({l}) (1 - a({l})), the derivative of sigmoid, but the net has "
     "another activation there", _formula_of("sigmoid")),
    ("delta_formula_of_tanh",
     "delta({l}) has the factor 1 - a({l})², the derivative of tanh, but the net has another "
     "activation there", _formula_of("tanh")),
    *((f"delta_slope_of_{word}",
       f"delta({{l}}) has the derivative of {word}, but the net has another activation there",
       _slope_of(word)) for word in _NONLINEAR),
)  # fmt: skip

DELTA = (
    *(Mistake(word, said, _last(formula)) for word, said, formula in _OF_LAST),
    *(Mistake(word, said, _hidden(formula)) for word, said, formula in _OF_HIDDEN),
)
