"""Known mistakes of J = mean loss + penalty: in the loss, in its mean, in the penalty."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np

from symbreak.backpropagation_check.mistakes.mistake import Mistake, require
from symbreak.backpropagation_check.problem import Problem
from symbreak.backpropagation_check.stages import Formula, Pass, losses, penalty

Term = Callable[[Pass], float]
Factor = float | Callable[[Problem], float]


def _mean(run: Pass) -> float:
    return float(losses(run).mean())


def _times(factor: Factor) -> Term:
    return lambda run: _number(factor, run) * _mean(run)


def _number(factor: Factor, run: Pass) -> float:
    return factor(run.problem) if callable(factor) else factor


def _one_term(run: Pass) -> float:
    problem = run.problem
    require(problem.network.loss.name == "binary_cross_entropy")
    return float(-(problem.Y * np.log(run.a(problem.n_layers))).sum() / problem.m)


def _squared(run: Pass) -> float:
    problem = run.problem
    require(problem.network.loss.name != "squared_error")
    return float(0.5 * ((run.a(problem.n_layers) - problem.Y) ** 2).sum() / problem.m)


def _last_example(run: Pass) -> float:
    return float(losses(run)[-1])


def _is_squared(problem: Problem) -> float:
    require(problem.network.loss.name == "squared_error")
    return 1.0


_DATA: tuple[tuple[str, str, Term], ...] = (
    ("J_not_divided_by_m", "the sum over examples is not divided by m in J", _times(lambda p: p.m)),
    ("J_divided_by_m_twice",
     "the mean over examples is divided by m a second time in J", _times(lambda p: 1 / p.m)),
    ("J_without_half",
     "J lacks the factor 1/2 of the squared error", _times(lambda p: 2.0 * _is_squared(p))),
    ("J_half_twice", "J has the factor 1/2 twice", _times(0.5)),
    ("J_doubled", "the loss is doubled in J", _times(2.0)),
    ("J_wrong_sign", "J has the wrong sign", _times(-1.0)),
    ("J_divided_by_outputs",
     "J is divided by the number of outputs", _times(lambda p: 1 / p.network.n_outputs)),
    ("J_without_second_term", "J lacks the term (1 - y) log(1 - a)", _one_term),
    ("J_is_squared_error", "J is the squared error, but the net has another loss", _squared),
    ("J_last_example", "J counts the last example alone", _last_example),
)  # fmt: skip


def _penalty_times(factor: Factor) -> Term:
    return lambda run: _number(factor, run) * penalty(run.problem)


def _with_bias(run: Pass) -> float:
    return penalty(run.problem, with_bias=True)


def _not_squared(run: Pass) -> float:
    problem = run.problem
    total = sum(np.abs(problem.penalised(k)).sum() for k in range(1, problem.n_layers))
    return float(problem.alpha / (2 * problem.m) * total)


def _without(layer: int) -> Term:
    def term(run: Pass) -> float:
        problem = run.problem
        require(layer < problem.n_layers)
        square = float((problem.penalised(layer) ** 2).sum())
        return penalty(problem) - problem.alpha / (2 * problem.m) * square

    return term


_PENALTY: tuple[tuple[str, str, Term], ...] = (
    ("J_without_penalty", "J lacks the penalty", _penalty_times(0.0)),
    ("J_penalty_on_bias", "the bias column is regularised in J", _with_bias),
    ("J_penalty_doubled", "the penalty counts twice in J: alpha / m instead of alpha / (2 m)",
     _penalty_times(2.0)),
    ("J_penalty_halved", "the penalty counts half in J", _penalty_times(0.5)),
    ("J_penalty_wrong_sign", "the penalty has the wrong sign in J", _penalty_times(-1.0)),
    ("J_penalty_not_divided_by_m",
     "the penalty is not divided by m in J", _penalty_times(lambda p: p.m)),
    ("J_penalty_not_divided",
     "the penalty is neither divided by m nor by 2 in J", _penalty_times(lambda p: 2 * p.m)),
    ("J_penalty_not_squared", "the penalty sums |theta| instead of theta² in J", _not_squared),
    *((f"J_penalty_without_Theta{k}",
       f"the penalty leaves Theta{k} out in J", _without(k)) for k in range(1, 6)),
)  # fmt: skip


def _formula(data: Term, penalised: Term) -> Formula:
    return lambda run, layer: np.array([[data(run) + penalised(run)]])  # noqa: ARG005 - of J


def _penalty(run: Pass) -> float:
    return penalty(run.problem)


COST = (
    *(Mistake(word, said, _formula(data, _penalty)) for word, said, data in _DATA),
    *(Mistake(word, said, _formula(_mean, term)) for word, said, term in _PENALTY),
    Mistake("J_nothing_divided_by_m",
            "the sum over examples is not divided by m in J, nor is the penalty",
            _formula(_DATA[0][2], _penalty_times(lambda p: p.m))),
    *(Mistake(f"{one}+{other}", f"{first}, and {second}", _formula(data, term))
      for (one, first, data), (other, second, term) in product(_DATA, _PENALTY)),
)  # fmt: skip
