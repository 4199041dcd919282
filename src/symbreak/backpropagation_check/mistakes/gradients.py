"""Known mistakes of the gradient delta(l+1) [1; a(l)]^T / m + alpha / m Theta(l) without bias."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np

from symbreak.backpropagation_check.cause import TRANSPOSED, WRONG_ORDER
from symbreak.backpropagation_check.mistakes.mistake import Mistake, require
from symbreak.backpropagation_check.problem import Array
from symbreak.backpropagation_check.stages import Formula, Pass, with_one

Term = Callable[[Pass, int], Array]
Factor = float | Callable[[Pass], float]


def _mean(run: Pass, layer: int) -> Array:
    """Return delta(l+1) [1; a(l)]^T / m."""
    return run.delta(layer + 1) @ with_one(run.a(layer)).T / run.problem.m


def _penalty(run: Pass, layer: int) -> Array:
    problem = run.problem
    return problem.alpha / problem.m * problem.penalised(layer)


def _sum(run: Pass, layer: int) -> Array:
    return run.problem.m * _mean(run, layer)


def _twice_divided(run: Pass, layer: int) -> Array:
    return _mean(run, layer) / run.problem.m


def _per_output(run: Pass, layer: int) -> Array:
    return _mean(run, layer) / run.problem.network.n_outputs


def _opposite(run: Pass, layer: int) -> Array:
    return -_mean(run, layer)


def _doubled(run: Pass, layer: int) -> Array:
    return 2.0 * _mean(run, layer)


def _halved(run: Pass, layer: int) -> Array:
    return 0.5 * _mean(run, layer)


def _number(factor: Factor, run: Pass) -> float:
    return factor(run) if callable(factor) else factor


def _bias_times(factor: Factor) -> Term:
    def term(run: Pass, layer: int) -> Array:
        found = _mean(run, layer)
        found[:, 0] *= _number(factor, run)
        return found

    return term


def _from_z(run: Pass, layer: int) -> Array:
    require(layer > 1)
    return run.delta(layer + 1) @ with_one(run.z(layer)).T / run.problem.m


def _one_last(run: Pass, layer: int) -> Array:
    return np.roll(_mean(run, layer), -1, axis=1)


def _last_example(run: Pass, layer: int) -> Array:
    return run.delta(layer + 1)[:, -1:] @ with_one(run.a(layer)[:, -1:]).T


def _last_example_of_m(run: Pass, layer: int) -> Array:
    return _last_example(run, layer) / run.problem.m


_DATA: tuple[tuple[str, str, Term], ...] = (
    ("gradient_not_divided_by_m",
     "the sum over examples is not divided by m in the gradient of Theta{l}", _sum),
    ("gradient_divided_by_m_twice",
     "the gradient of Theta{l} is divided by m twice", _twice_divided),
    ("gradient_bias_zero", "the gradient of the bias is zero in Theta{l}", _bias_times(0.0)),
    ("gradient_bias_not_divided_by_m", "the gradient of the bias is not divided by m in Theta{l}",
     _bias_times(lambda run: run.problem.m)),
    ("gradient_bias_divided_by_m_twice",
     "the gradient of the bias is divided by m twice in Theta{l}",
     _bias_times(lambda run: 1 / run.problem.m)),
    ("gradient_bias_wrong_sign",
     "the gradient of the bias has the wrong sign in Theta{l}", _bias_times(-1.0)),
    ("gradient_takes_z", "the gradient of Theta{l} takes z({l}) instead of a({l})", _from_z),
    ("gradient_bias_last",
     "the bias column of the gradient of Theta{l} is last instead of first", _one_last),
    ("gradient_last_example",
     "the gradient of Theta{l} is that of the last example alone: the sum is overwritten",
     _last_example),
    ("gradient_last_example_divided_by_m",
     "the gradient of Theta{l} holds the last example alone, divided by m: the sum is overwritten",
     _last_example_of_m),
    ("gradient_divided_by_outputs",
     "the gradient of Theta{l} is divided by the number of outputs", _per_output),
    ("gradient_doubled", "the gradient of Theta{l} lacks a factor 1/2", _doubled),
    ("gradient_halved", "the gradient of Theta{l} has a factor 1/2", _halved),
)  # fmt: skip


def _penalty_times(factor: Factor) -> Term:
    return lambda run, layer: _number(factor, run) * _penalty(run, layer)


def _with_bias(run: Pass, layer: int) -> Array:
    problem = run.problem
    return problem.alpha / problem.m * problem.penalised(layer, with_bias=True)


_PENALTY: tuple[tuple[str, str, Term], ...] = (
    ("gradient_without_penalty",
     "the penalty is missing in the gradient of Theta{l}", _penalty_times(0.0)),
    ("gradient_penalty_on_bias",
     "the bias column is regularised in the gradient of Theta{l}", _with_bias),
    ("gradient_penalty_doubled",
     "the penalty counts twice in the gradient of Theta{l}: 2 alpha / m instead of alpha / m",
     _penalty_times(2.0)),
    ("gradient_penalty_halved",
     "the penalty counts half in the gradient of Theta{l}: alpha / (2 m) instead of alpha / m",
     _penalty_times(0.5)),
    ("gradient_penalty_wrong_sign", "the penalty has the wrong sign in the gradient of Theta{l}",
     _penalty_times(-1.0)),
    ("gradient_penalty_not_divided_by_m",
     "the penalty is not divided by m in the gradient of Theta{l}",
     _penalty_times(lambda run: run.problem.m)),
    ("gradient_penalty_divided_by_m_twice",
     "the penalty is divided by m twice in the gradient of Theta{l}",
     _penalty_times(lambda run: 1 / run.problem.m)),
)  # fmt: skip


def _formula(data: Term, penalised: Term) -> Formula:
    return lambda run, layer: data(run, layer) + penalised(run, layer)


def _transposed(run: Pass, layer: int) -> Array:
    found = _mean(run, layer) + _penalty(run, layer)
    require(found.shape[0] == found.shape[1])
    return found.T


def _reshaped(run: Pass, layer: int) -> Array:
    found = _mean(run, layer) + _penalty(run, layer)
    return found.ravel(order="F").reshape(found.shape)


def _of_another(distance: int) -> Formula:
    def formula(run: Pass, layer: int) -> Array:
        other = layer + distance
        thetas = run.problem.thetas
        require(1 <= other < run.problem.n_layers)
        require(thetas[other - 1].shape == thetas[layer - 1].shape)
        return _mean(run, other) + _penalty(run, other)

    return formula


GRADIENT = (
    *(Mistake(word, said, _formula(data, _penalty)) for word, said, data in _DATA),
    *(Mistake(word, said, _formula(_mean, term)) for word, said, term in _PENALTY),
    Mistake("gradient_nothing_divided_by_m",
            "the gradient of Theta{l} is not divided by m, nor is its penalty",
            _formula(_sum, _penalty_times(lambda run: run.problem.m))),
    Mistake("gradient_all_divided_by_m_twice",
            "the gradient of Theta{l} is divided by m twice, and so is its penalty",
            _formula(_twice_divided, _penalty_times(lambda run: 1 / run.problem.m))),
    Mistake(TRANSPOSED, "the gradient of Theta{l} is transposed", _transposed),
    Mistake("gradient_reordered",
            "the gradient of Theta{l} is unrolled column by column but reshaped row by row",
            _reshaped),
    *(Mistake(WRONG_ORDER,
              "the gradients of the layers are in the wrong order", _of_another(distance))
      for distance in (1, -1, 2, -2, 3, -3)),
    *(Mistake(f"{one}+{other}", f"{first}, and {second}", _formula(data, term))
      for (one, first, data), (other, second, term) in product(_DATA, _PENALTY)),
)  # fmt: skip
GRADIENT_LAST = (
    Mistake("gradient_wrong_sign", "the gradient of Theta{l} has the wrong sign",
            _formula(_opposite, _penalty_times(-1.0))),
    Mistake("gradient_data_wrong_sign",
            "delta({above}) [1; a({l})]^T has the wrong sign in the gradient of Theta{l}",
            _formula(_opposite, _penalty)),
)  # fmt: skip
