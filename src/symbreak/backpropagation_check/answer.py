"""Calling a person's function on copies, and sorting what it returns by kind."""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays import as_numpy, as_own_kind, is_tensor, word_of
from symbreak.errors import InvalidInput, InvalidType, nearest

KINDS = ("z", "a", "delta", "gradients", "J")
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True)
class Answer:
    """What a function returned, by kind, and which of its arguments it changed."""

    parts: dict[str, Any]
    changed: tuple[str, ...]


def answer_of(
    function: Callable[..., Any], thetas: tuple[Any, ...], X: Any, y: Any, alpha: float
) -> Answer:
    """Call `function(thetas, X, y)` or `function(thetas, X, y, alpha)` on copies.

    Raises
    ------
    InvalidType
        It cannot be called, or returns another kind of object.
    InvalidInput
        It raises, or returns names that mean nothing here.
    """
    if not callable(function):
        raise InvalidType(
            f"my_function of check_backpropagation must be a function of thetas, X and y. "
            f"Got {type(function).__name__}."
        )
    arguments = {f"Theta{k}": theta.copy() for k, theta in enumerate(thetas, start=1)}
    arguments |= {"X": np.array(plain(X)), "y": np.array(plain(y))}
    kept = {name: array.copy() for name, array in arguments.items()}
    matrices = [arguments[f"Theta{k}"] for k in range(1, len(thetas) + 1)]
    listed = list(matrices)
    returned = _called(function, matrices, arguments["X"], arguments["y"], alpha)
    changed = [name for name in arguments if not np.array_equal(kept[name], arguments[name])]
    if len(matrices) != len(listed) or any(
        one is not other for one, other in zip(matrices, listed, strict=True)
    ):
        changed.append("the list of matrices")
    return Answer(_by_kind(returned), tuple(changed))


def plain(array: Any) -> Any:
    """Return a NumPy array of what users hold: a list, an array, a tensor or a frame."""
    return array.to_numpy() if hasattr(array, "to_numpy") else as_numpy(array)


def _called(function: Callable[..., Any], thetas: list[Any], X: Any, y: Any, alpha: float) -> Any:
    positional, named = _alpha_of(function, alpha)
    try:
        return function(thetas, X, y, *positional, **named)
    except Exception as error:
        raise InvalidInput(
            f"my_function of check_backpropagation must return its arrays. "
            f"Got {type(error).__name__} from it: {error}"
        ) from error


def _alpha_of(
    function: Callable[..., Any], alpha: float
) -> tuple[tuple[float, ...], dict[str, float]]:
    """Return the arguments that hand alpha on: by place, by name, or none."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # some built-in callables do not tell
        return (), {}
    places = [one for one in parameters if one.kind in _POSITIONAL]
    if len(places) > 3 and _takes_a_number(places[3]):
        return (alpha,), {}
    if any(one.kind is inspect.Parameter.VAR_POSITIONAL for one in parameters):
        return (alpha,), {}
    if any(one.name == "alpha" for one in parameters):
        return (), {"alpha": alpha}
    return (), {}


def _takes_a_number(parameter: inspect.Parameter) -> bool:
    """Whether a fourth parameter is alpha; one such as `verbose=False` is not."""
    default = parameter.default
    if parameter.name == "alpha" or default is inspect.Parameter.empty:
        return True
    return isinstance(default, numbers.Real) and not isinstance(default, bool)


def _by_kind(returned: Any) -> dict[str, Any]:
    if isinstance(returned, Mapping):
        for key in returned:
            if key not in KINDS:
                raise InvalidInput(
                    f"keys of what my_function returns must be among {', '.join(KINDS)}. "
                    f"Got {key!r}.{nearest(str(key), KINDS)}"
                )
        return {kind: returned[kind] for kind in KINDS if returned.get(kind) is not None}
    if _is_pair(returned):
        return {"J": returned[0], "gradients": returned[1]}
    if isinstance(returned, list | tuple) and _is_pair(returned[::-1]):
        raise InvalidInput(
            "my_function must return (J, gradients). Got the number second; return J first."
        )
    is_array = is_tensor(returned) or isinstance(returned, list | tuple | np.ndarray)
    if is_array and not _is_empty(returned):
        return {"gradients": returned}
    raise InvalidType(
        f"my_function of check_backpropagation must return a dictionary with any of "
        f"{', '.join(KINDS)}, or (J, gradients), or the gradients. Got {_kind_of(returned)}."
    )


def _is_pair(returned: Any) -> bool:
    """Whether it is (J, gradients): a number first, and no number behind it."""
    if not isinstance(returned, list | tuple) or len(returned) != 2:
        return False
    return _is_number(returned[0]) and not _is_number(returned[1])


def _is_number(thing: Any) -> bool:
    return isinstance(thing, numbers.Real) or getattr(thing, "shape", None) in ((), (1,), (1, 1))


def _is_empty(returned: Any) -> bool:
    shape = getattr(returned, "shape", None)
    return len(returned) == 0 if shape is None else shape == () or 0 in shape


def _kind_of(returned: Any) -> str:
    if returned is None:
        return "None: does the function end with return?"
    word = type(returned).__name__
    return f"an empty {word}" if isinstance(returned, list | tuple) else word


def numbers_of(array: Any, what: str) -> tuple[NDArray[np.float64], str]:
    """Return an array in float64 and the word of the precision that it came in.

    Raises
    ------
    InvalidType
        `what` holds no real numbers.
    """
    given = as_own_kind(array, what)
    word = word_of(given.dtype)
    precision = word if word in ("float16", "float32") else "float64"
    return as_numpy(given).astype(np.float64), precision
