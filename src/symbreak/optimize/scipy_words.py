"""Words of `scipy.optimize.minimize` that are no options here, and what says the same.

People write them out of habit; the answer names what to write in their place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from symbreak.errors import InvalidInput

TAKES_BOUNDS = (
    "L-BFGS-B", "TNC", "SLSQP", "trust-constr", "Nelder-Mead", "Powell", "COBYLA", "COBYQA",
)  # fmt: skip
OF_ALL = {
    **dict.fromkeys(("maxiter", "maxfun", "maxfev"), "max_iter and max_evaluations of minimize"),
    **dict.fromkeys(("disp", "iprint", "verbose", "mesg_num"), "callback of minimize"),
    "tol": "gradient_atol, gradient_rtol, value_atol, value_rtol and step_rtol of minimize",
    "options": "keywords of minimize itself, such as max_iter=100",
    "jac": "the objective, which returns (J, gradient)",
    "args": "the objective: functools.partial binds them",
    **dict.fromkeys(("hess", "hessp"), "hessian_product(theta, v) of the objective"),
    "constraints": "scipy.optimize.minimize itself; here some of its methods take bounds, no more",
    "bounds": f"methods of SciPy that take them: scipy:{', scipy:'.join(TAKES_BOUNDS)}",
}
# Options of SciPy's methods, which say the same elsewhere.
OF_OURS = {
    **OF_ALL,
    "gtol": "gradient_atol of minimize",
    "ftol": "value_rtol of minimize",
    "fatol": "value_atol of minimize",
    **dict.fromkeys(("xtol", "xrtol", "xatol"), "step_rtol of minimize"),
    "maxcor": "memory of l-bfgs",
}


def refuse(method: str, options: Mapping[str, Any], words: Mapping[str, str]) -> None:
    """Refuse options that are among `words`.

    Raises
    ------
    InvalidInput
    """
    for option in _among(options, words):
        raise InvalidInput(
            f"options of {method} must leave {option} to {words[option]}. "
            f"Got {option}={options[option]!r}."
        )


def _among(options: Iterable[str], words: Mapping[str, str]) -> list[str]:
    return [option for option in options if option in words]
