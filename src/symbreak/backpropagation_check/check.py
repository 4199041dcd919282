"""The check itself: call the function, read its arrays, judge them in the order of computation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symbreak.backpropagation_check.answer import Answer, answer_of
from symbreak.backpropagation_check.cause import UNKNOWN
from symbreak.backpropagation_check.compare import Truth, truth_of
from symbreak.backpropagation_check.gradient_layouts import other_readings, read_gradients
from symbreak.backpropagation_check.layouts import read_units
from symbreak.backpropagation_check.problem import Array, Problem, one_vector, problem_of
from symbreak.backpropagation_check.reading import Reading, read_J
from symbreak.backpropagation_check.report import BackpropagationReport, StageReport
from symbreak.backpropagation_check.stages import Stage
from symbreak.backpropagation_check.verdicts import Judge
from symbreak.network import Network


def check_backpropagation(
    my_function: Callable[..., Any],
    net: Network,
    theta: Any,
    X: Any,
    y: Any,
    alpha: float = 0.0,
) -> BackpropagationReport:
    """Compare your own forward and backward pass with ours, and say where it first goes wrong.

    Parameters
    ----------
    my_function : called as my_function(thetas, X, y), with alpha behind if it takes a fourth
        argument; thetas is the list of Theta1, Theta2, ... as NumPy arrays, the bias in column 0.
        It returns a dictionary with any of "z", "a", "delta", "gradients" and "J", or
        (J, gradients), or the gradients. z, a and delta are lists over layers, with or without
        layer 1, or dictionaries {layer: array}; each array is (units, examples) or
        (examples, units), with or without a bias unit. The gradients are matrices shaped as their
        Theta, or one unrolled vector.
    net : the network that the function computes.
    theta : (n,), one start.
    X : (m, features).
    y : as for `NetworkCost`; the function gets it as it is here.
    alpha : the L2 penalty alpha / (2 m) Σ theta², biases excluded.

    Returns
    -------
    BackpropagationReport

    Raises
    ------
    InvalidInput, InvalidType
        Arguments that do not fit; a function that raises, or returns another kind of object, names
        that mean nothing, or another number of layers.

    Notes
    -----
    delta belongs to one example and is not divided by m; gradients are means over examples.

    Examples
    --------
    >>> import numpy as np
    >>> net = Network((2, 1))
    >>> def mine(thetas, X, y):
    ...     a = 1 / (1 + np.exp(-(X @ thetas[0][:, 1:].T + thetas[0][:, 0])))
    ...     return {"a": [a], "delta": [y[:, None] - a]}
    >>> report = check_backpropagation(mine, net, [0.1, 0.2, 0.3], [[0.0, 1.0], [1.0, 0.0]], [0, 1])
    >>> report.verdict, report.first_wrong.cause
    ('fail', 'delta(2) has the wrong sign: y - a(2) instead of a(2) - y')
    """
    problem = problem_of(net, theta, X, y, alpha)
    answer = answer_of(my_function, _handed(net, theta), X, y, problem.alpha)
    exact = truth_of(problem, y, "float64")
    reading = _read(answer, problem, exact)
    coarsest = min(reading.precisions, default="float64")
    truth = exact if coarsest == "float64" else truth_of(problem, y, coarsest)
    reading, stages = _judged(problem, truth, reading, answer)
    return BackpropagationReport(
        verdict=_overall(stages, answer),
        stages=stages,
        layout=tuple(reading.layout),
        tolerance=truth.tolerance,
        notes=_notes(answer),
    )


def _handed(net: Network, theta: Any) -> tuple[Any, ...]:
    """Return the matrices that the function gets, in the precision of theta."""
    return net.thetas(one_vector(theta, net))


def _judged(
    problem: Problem, truth: Truth, reading: Reading, answer: Answer
) -> tuple[Reading, tuple[StageReport, ...]]:
    """Return the verdicts, with a gradient read in the order in which its mistake is known."""
    stages = Judge(problem, truth, reading).stages()
    if _is_explained(stages) or "gradients" not in answer.parts:
        return reading, stages
    for other in other_readings(reading, answer.parts["gradients"], _gradients(problem, truth)):
        found = Judge(problem, truth, other).stages()
        if _is_explained(found):
            return other, found
    return reading, stages


def _is_explained(stages: tuple[StageReport, ...]) -> bool:
    gradients = (stage for stage in stages if stage.kind == "gradients")
    return not any(stage.mistake == UNKNOWN for stage in gradients)


def _gradients(problem: Problem, truth: Truth) -> list[Array]:
    return [truth.values[Stage("gradients", layer)] for layer in range(1, problem.n_layers)]


def _read(answer: Answer, problem: Problem, truth: Truth) -> Reading:
    reading, parts, L = Reading(), answer.parts, problem.n_layers
    right = {**truth.values, Stage("a", 1): problem.X_T}
    read_units(reading, parts, right, L)
    if "gradients" in parts:
        read_gradients(reading, parts["gradients"], _gradients(problem, truth))
    if "J" in parts:
        read_J(reading, parts["J"], L)
    return reading


def _overall(stages: tuple[StageReport, ...], answer: Answer) -> str:
    verdicts = {stage.verdict for stage in stages}
    if "fail" in verdicts or answer.changed:
        return "fail"
    if "inconclusive" in verdicts or "pass" not in verdicts:
        return "inconclusive"
    return "pass"


def _notes(answer: Answer) -> tuple[str, ...]:
    if not answer.changed:
        return ()
    changed = " and ".join(answer.changed)
    return (f"my_function changes {changed} in place; it must leave its arguments as they are",)
