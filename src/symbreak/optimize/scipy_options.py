"""The names and options of scipy's methods, and what is refused of them.

scipy's tests of J and of the gradient are switched off (`TOLERANCES`), so that symbreak's own test
of the gradient ends a start; options of the user come on top. What is left on: the smallest radius
of COBYLA, COBYQA and trust-constr, and the accuracy of Powell's line search.

COBYLA, COBYQA, SLSQP and trust-constr are made for constraints; here they take bounds, no others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeGuard

from symbreak.errors import InvalidInput, choose, nearest
from symbreak.objectives.capabilities import HasHessian, needed
from symbreak.objectives.contract import Objective
from symbreak.optimize.scipy_words import OF_ALL, TAKES_BOUNDS, refuse

PREFIX = "scipy:"
UNLIMITED = 2**31 - 1
TOLERANCES: dict[str, dict[str, float]] = {
    "Nelder-Mead": {"xatol": 0.0, "fatol": 0.0},
    "Powell": {"ftol": 0.0},
    "CG": {"gtol": 0.0},
    "BFGS": {"gtol": 0.0},
    "Newton-CG": {"xtol": 0.0},
    "L-BFGS-B": {"ftol": 0.0, "gtol": 0.0, "maxfun": UNLIMITED},
    "TNC": {"ftol": 0.0, "gtol": 0.0, "xtol": 0.0, "maxfun": UNLIMITED},
    "COBYLA": {"maxiter": UNLIMITED},
    "COBYQA": {"maxfev": UNLIMITED},
    "SLSQP": {"ftol": 0.0},
    "trust-constr": {"gtol": 0.0},
    "dogleg": {"gtol": 0.0},
    "trust-ncg": {"gtol": 0.0},
    "trust-exact": {"gtol": 0.0},
    "trust-krylov": {"gtol": 0.0},
}
WITHOUT_GRADIENT = ("Nelder-Mead", "Powell", "COBYLA", "COBYQA")
TAKES_PRODUCTS = ("Newton-CG", "trust-constr", "trust-ncg", "trust-krylov")
TAKES_MATRIX = ("dogleg", "trust-exact")
NEEDS_HESSIAN = ("trust-ncg", "trust-krylov", *TAKES_MATRIX)


def is_scipy(method: object) -> TypeGuard[str]:
    """Whether `method` names one of scipy's."""
    return isinstance(method, str) and method.lower().startswith(PREFIX)


def refuse_beside_scipy(method: str, **given: object) -> None:
    """Refuse the arguments of `minimize` that need all starts to advance together."""
    for name, value in given.items():
        if value is not None and value is not False:
            raise InvalidInput(
                f"{name} of minimize must be None with method {method!r}, which takes the starts "
                f"one after the other. Got {value!r}. Use 'l-bfgs'."
            )


def method_named(method: str) -> str:
    """Return scipy's spelling of a method.

    Raises
    ------
    InvalidInput
        Unknown method (the nearest valid one is named).
    """
    names = {PREFIX + name.lower(): PREFIX + name for name in TOLERANCES}
    known = names.get(method.lower(), method)
    return choose("method of minimize", known, names.values()).removeprefix(PREFIX)


def check(method: str, objective: Objective, options: Mapping[str, Any]) -> None:
    """Refuse options that `minimize` has a word for, and an objective without a needed Hessian."""
    taken = ("bounds",) if method in TAKES_BOUNDS else ()
    words = {word: answer for word, answer in OF_ALL.items() if word not in taken}
    refuse(PREFIX + method, options, words)
    if method in NEEDS_HESSIAN:
        needed(
            objective, HasHessian, f"{PREFIX}{method}",
            wanted="hessian_product(theta, v)", else_="'l-bfgs' or 'scipy:BFGS'",
        )  # fmt: skip


def _documented_options(method: str) -> list[str]:
    """Return the options that scipy's own page of the method lists, and that are left to users."""
    import scipy.optimize  # takes half a second

    show_options: Any = scipy.optimize.show_options  # its stubs want the method as a literal
    text = str(show_options("minimize", method.lower(), disp=False))
    listed = text.split("Options\n")[-1].split("Returns\n")[0]
    words = re.findall(r"^ *([a-zA-Z]\w+(?:, \w+)*) : ", listed, re.MULTILINE)
    names = [name for names in words for name in names.split(", ")]
    return [name for name in dict.fromkeys((*names, *TOLERANCES[method])) if name not in OF_ALL]


def one_line(text: object) -> str:
    """Return a message without its line breaks and its full stop."""
    return " ".join(str(text).split()).rstrip(".")


def options_for(method: str, max_iter: int, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that scipy gets."""
    options: dict[str, Any] = {**TOLERANCES[method], **given}
    if method not in ("TNC", "COBYLA"):  # their limits mean evaluations
        options["maxiter"] = max_iter + 1  # Nelder-Mead counts from 1; ours is reached first
    return options


def refused_option(method: str, error: Exception) -> InvalidInput:
    """Return our error for the one that scipy has raised about an option."""
    unknown = re.search(r"solver options: (\w+)|argument '(\w+)'", str(error))
    if unknown is None:
        return InvalidInput(
            f"options of {PREFIX}{method} must be such that SciPy accepts them. "
            f"Got the error: {one_line(error)}."
        )
    name = unknown[1] or unknown[2]
    known = _documented_options(method)
    return InvalidInput(
        f"options of {PREFIX}{method} must be among {', '.join(known)}. "
        f"Got {name!r}.{nearest(name, known)}"
    )
