"""The methods by name: each is a direction and a line search, put together.

To add one: write the direction or the line search in its own file, one function here, and its
record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from symbreak.checks import (
    check_at_least,
    check_fraction,
    check_positive,
    check_positive_integer,
    check_switch,
)
from symbreak.errors import InvalidInput, choose
from symbreak.optimize.directions.bfgs import BFGS
from symbreak.optimize.directions.conjugate_gradient import BETAS, ConjugateGradient
from symbreak.optimize.directions.lbfgs import LBFGS
from symbreak.optimize.directions.momentum import Momentum
from symbreak.optimize.directions.newton_cg import PRODUCTS, NewtonCG
from symbreak.optimize.directions.rprop import Rprop
from symbreak.optimize.line_searches.armijo import Armijo
from symbreak.optimize.line_searches.hager_zhang import HagerZhang
from symbreak.optimize.line_searches.more_thuente import MoreThuente
from symbreak.optimize.method import Method, few_vectors
from symbreak.optimize.protocols import LineSearch, Stepper
from symbreak.optimize.scipy_options import PREFIX, WITHOUT_GRADIENT, is_scipy, method_named
from symbreak.optimize.steppers.fixed import FixedStepper
from symbreak.optimize.steppers.levenberg_marquardt import LevenbergMarquardt
from symbreak.optimize.steppers.line_search import LineSearchStepper
from symbreak.optimize.stochastic import MiniBatchOptions, adam, adamw, sgd

LINE_SEARCHES: dict[str, Callable[[], LineSearch]] = {
    "hager-zhang": HagerZhang,
    "more-thuente": MoreThuente,
    "armijo": Armijo,
}
# Conjugate directions need steps close to the minimum along them, and a slope that has risen. Over
# the problems of the tests c2 = 0.2 takes fewer evaluations than 0.1, 0.3 and 0.4.
CONJUGATE_SEARCHES: dict[str, Callable[[], LineSearch]] = {
    "more-thuente": lambda: MoreThuente(c2=0.2),
    "hager-zhang": HagerZhang,
}


def gradient_descent(
    *, learning_rate: float = 0.1, momentum: float = 0.9, nesterov: bool = False
) -> Stepper:
    """Fixed steps along the velocity (Polyak 1964); momentum 0 is plain gradient descent."""
    check_positive("learning_rate of gradient-descent", learning_rate)
    check_fraction("momentum of gradient-descent", momentum)
    check_switch("nesterov of gradient-descent", nesterov)
    return FixedStepper(Momentum(learning_rate, momentum, nesterov=nesterov))


def l_bfgs(*, memory: int = 10, line_search: str = "hager-zhang") -> Stepper:
    """Limited-memory BFGS with a line search (Liu & Nocedal 1989)."""
    check_positive_integer("memory of l-bfgs", memory)
    return LineSearchStepper(LBFGS(memory), _search("l-bfgs", line_search))


def bfgs(*, line_search: str = "hager-zhang", memory_budget: int = 2**30) -> Stepper:
    """BFGS with a dense inverse Hessian for each start, `memory_budget` bytes in all."""
    check_positive_integer("memory_budget of bfgs", memory_budget)
    return LineSearchStepper(BFGS(memory_budget), _search("bfgs", line_search))


def conjugate_gradient(
    *, beta: str = "polak-ribiere", line_search: str = "more-thuente"
) -> Stepper:
    """Nonlinear conjugate gradients; "more-thuente" is nearly exact here (c2 = 0.2)."""
    choose("beta of conjugate-gradient", beta, BETAS)
    search = _search("conjugate-gradient", line_search, CONJUGATE_SEARCHES)
    return LineSearchStepper(ConjugateGradient(beta), search)


def newton_cg(
    *, curvature: str = "hessian", max_inner: int = 100, line_search: str = "hager-zhang"
) -> Stepper:
    """Truncated Newton directions with a line search (Steihaug 1983)."""
    choose("curvature of newton-cg", curvature, PRODUCTS)
    check_positive_integer("max_inner of newton-cg", max_inner)
    return LineSearchStepper(NewtonCG(curvature, max_inner), _search("newton-cg", line_search))


def rprop(
    *,
    initial_step: float = 0.1,
    min_step: float = 1e-6,
    max_step: float = 50.0,
    increase: float = 1.2,
    decrease: float = 0.5,
) -> Stepper:
    """iRprop+: a step of its own for every entry, from gradient signs (Igel & Hüsken 2003)."""
    for name, step in (("initial", initial_step), ("min", min_step), ("max", max_step)):
        check_positive(f"{name}_step of rprop", step)
    if not min_step <= initial_step <= max_step:
        raise InvalidInput(
            "initial_step of rprop must be between min_step and max_step. "
            f"Got {initial_step!r}, {min_step!r} and {max_step!r}."
        )
    check_at_least("increase of rprop", increase, 1.0)
    check_positive("decrease of rprop", decrease)
    check_fraction("decrease of rprop", decrease)
    direction = Rprop(
        initial_step=initial_step,
        min_step=min_step,
        max_step=max_step,
        increase=increase,
        decrease=decrease,
    )
    return FixedStepper(direction)


def levenberg_marquardt(*, damping: float = 1e-3) -> Stepper:
    """Damped Gauss-Newton steps for sums of squares and, by their curvature, the other losses."""
    check_positive("damping of levenberg-marquardt", damping)
    return LevenbergMarquardt(damping)


def _search(
    method: str, word: str, searches: Mapping[str, Callable[[], LineSearch]] = LINE_SEARCHES
) -> LineSearch:
    return searches[choose(f"line_search of {method}", word, searches)]()


def _matrix(n: int, options: Mapping[str, Any]) -> int:  # noqa: ARG001 - of n alone
    return n


def _pairs(n: int, options: Mapping[str, Any]) -> int:  # noqa: ARG001 - of the memory alone
    return 2 * int(options["memory"])


DEFAULT = "l-bfgs"
METHODS: dict[str, Method] = {
    word: method
    for method in (
        Method(
            name="l-bfgs", build=l_bfgs, sklearn_name="lbfgs",
            update="linear", may_rise=False, memory=_pairs,
        ),
        Method(
            name="bfgs", build=bfgs, aliases=("fminunc",),
            update="linear", may_rise=False, memory=_matrix,
        ),
        Method(
            name="conjugate-gradient", build=conjugate_gradient, aliases=("fmincg",),
            update="linear", may_rise=False, memory=few_vectors,
        ),
        Method(
            name="newton-cg", build=newton_cg,
            update="linear", may_rise=False, memory=few_vectors,
        ),
        Method(
            name="levenberg-marquardt", build=levenberg_marquardt,
            update="linear", may_rise=False, memory=_matrix,
        ),
        Method(
            name="rprop", build=rprop,
            update="elementwise", may_rise=True, memory=few_vectors,
        ),
        Method(
            name="gradient-descent", build=gradient_descent,
            update="linear", may_rise=True, memory=few_vectors,
        ),
        Method(
            name="sgd", build=sgd, minibatch_options=MiniBatchOptions, has_sklearn_schedule=True,
            update="linear", may_rise=True, memory=few_vectors,
        ),
        Method(
            name="adam", build=adam, minibatch_options=MiniBatchOptions,
            update="elementwise", may_rise=True, memory=few_vectors,
        ),
        Method(
            name="adamw", build=adamw, minibatch_options=MiniBatchOptions,
            update="elementwise", may_rise=True, memory=few_vectors,
        ),
    )
    for word in (method.name, *method.aliases)
}  # fmt: skip


def find_method(word: str | None) -> Method:
    """Return the record of a method by any word that `minimize` takes.

    Parameters
    ----------
    word : a name or an alias, "scipy:NAME", or None for the default.

    Raises
    ------
    InvalidInput
        Unknown name (the nearest valid one is named).
    """
    if is_scipy(word):
        name = method_named(word)
        return Method(
            name=PREFIX + name, build=None, update="linear", may_rise=False, memory=few_vectors,
            uses_gradients=name not in WITHOUT_GRADIENT,
        )  # fmt: skip
    word = DEFAULT if word is None else word
    return METHODS[choose("method of minimize", word, (*METHODS, "scipy:NAME"))]


def method_of(name: str | None, options: Mapping[str, Any]) -> Stepper:
    """Return the stepper of the method called `name`, with its options.

    Raises
    ------
    InvalidInput
        Unknown name or option (the nearest valid one is named), or a value out of range.
    """
    return find_method(name).stepper(options)


def methods_taking(option: str) -> list[str]:
    """Return the methods that have an option of this name, each by its one name."""
    return [word for word, one in METHODS.items() if word == one.name and option in one.options]
