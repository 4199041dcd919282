"""The state of a fitted estimator as plain data: for pickle, skops and symbreak's own file.

The network is kept as settings, the outcome as arrays. What a search needs to go on (its memory) is
not kept: after loading, a warm start begins from the weights.
"""

from __future__ import annotations

import os
from dataclasses import fields
from typing import Any

import numpy as np
import torch

from symbreak.errors import InvalidInput
from symbreak.estimators.problem import Problem, Scale
from symbreak.model_file import load_model, save_model
from symbreak.network import Network
from symbreak.optimize import Outcome
from symbreak.optimize.status import Status

_KIND = "estimator"
_NOT_KEPT = ("_epochs", "_fingerprint", "_searched_with")
_OUTCOME_ARRAYS = ("theta", "value", "gradient_norm", "n_iterations", "n_evaluations",
                   "best_iteration", "history", "validation", "validation_history")  # fmt: skip
# What the fit itself has used up; files of 0.1 have no validation_loss either.
_NOT_IN_FILES = ("search", "validation_loss")


def plain_state(state: dict[str, Any]) -> dict[str, Any]:
    """Return the state of an estimator with its objects turned into plain data."""
    plain = {name: value for name, value in state.items() if name not in _NOT_KEPT}
    if "_problem" in plain:
        plain["_problem"] = _plain_problem(plain["_problem"])
        plain["outcome_"] = _plain_outcome(plain["outcome_"])
    return plain


def full_state(state: dict[str, Any]) -> dict[str, Any]:
    """Return the state that `plain_state` was made of."""
    full = dict(state)
    if "_problem" in full:
        full["_problem"] = _problem(full["_problem"], full.get("alpha", 0.0))
        full["outcome_"] = _outcome(full["outcome_"])
    return full


def save(estimator: Any, path: str | os.PathLike[str]) -> None:
    """Write a fitted estimator as arrays and plain settings."""
    state = estimator.__getstate__()
    arrays: dict[str, Any] = {}
    settings = _split(state, "", arrays)
    save_model(path, arrays, {"kind": _KIND, "class": type(estimator).__name__, "state": settings})


def load(cls: Any, path: str | os.PathLike[str]) -> Any:
    """Read a fitted estimator.

    Raises
    ------
    InvalidInput
        The file is missing, damaged, or holds no estimator of this class.
    """
    arrays, settings = load_model(path)
    if settings.get("kind") != _KIND or settings.get("class") != cls.__name__:
        raise InvalidInput(
            f"Model '{path}' must be an estimator that {cls.__name__}.save wrote. "
            f"Got {settings.get('class', 'a file of another kind')!r}."
        )
    state = _joined(settings["state"], arrays)
    estimator = cls()
    known = {*estimator.get_params(deep=False)}
    if not known <= set(state) or not isinstance(state.get("_problem"), dict):
        raise InvalidInput(f"Model '{path}' must hold all parameters of {cls.__name__}. Got fewer.")
    estimator.__setstate__(state)
    return estimator


def _split(value: Any, name: str, arrays: dict[str, Any]) -> Any:
    """Return a value as JSON can hold it; arrays go to `arrays` under the name of their place."""
    if isinstance(value, dict):
        # As pairs: the keys of JSON are text, those of class_weight are classes.
        pairs = [
            [_split(key, "", {}), _split(v, f"{name}/{key}", arrays)] for key, v in value.items()
        ]
        return {"dict": pairs}
    if isinstance(value, list | tuple):
        items = [_split(v, f"{name}/{place}", arrays) for place, v in enumerate(value)]
        return {"tuple" if isinstance(value, tuple) else "list": items}
    if isinstance(value, np.ndarray) and value.dtype.kind not in "biuf":
        return {"labels": value.tolist(), "dtype": "object" if value.dtype.kind == "O" else "str"}
    if isinstance(value, np.ndarray):
        arrays[name] = value
        return {"array": name}
    plain = value.item() if isinstance(value, np.generic) else value
    if not isinstance(plain, str | int | float | bool | None):
        raise InvalidInput(
            f"{name.strip('/')} of an estimator to save must be a plain value. Got "
            f"{type(plain).__name__}: give it by its word, or use pickle."
        )
    return {"plain": plain}


def _joined(held: Any, arrays: dict[str, Any]) -> Any:
    (kind, value), *rest = held.items()
    if kind == "dict":
        return {_joined(key, arrays): _joined(v, arrays) for key, v in value}
    if kind in ("list", "tuple"):
        items = [_joined(v, arrays) for v in value]
        return tuple(items) if kind == "tuple" else items
    if kind == "labels":
        return np.array(value, dtype=object if rest[0][1] == "object" else None)
    return arrays[value] if kind == "array" else value


def _plain_problem(problem: Problem) -> dict[str, Any]:
    scales = {
        name: None if scale is None else [scale.mean, scale.spread]
        for name, scale in (("x_scale", problem.x_scale), ("y_scale", problem.y_scale))
    }
    return {
        "network": problem.network.to_settings(),
        "dtype": np.dtype(problem.dtype).name,
        "device": None if problem.device is None else str(problem.device),
        **scales,
    }


def _problem(plain: dict[str, Any], alpha: Any) -> Problem:
    network, dtype = Network.from_settings(plain["network"]), np.dtype(plain["dtype"])
    return Problem(
        network,
        np.empty((0, network.n_features), dtype),
        np.empty((0, network.n_outputs), dtype),
        None,
        alpha,
        dtype,
        plain["device"],
        *(None if plain[name] is None else Scale(*plain[name]) for name in ("x_scale", "y_scale")),
    )


def _plain_outcome(outcome: Outcome) -> dict[str, Any]:
    held = {name: getattr(outcome, name) for name in _OUTCOME_ARRAYS}
    theta = held["theta"]
    held["theta"] = theta.numpy() if isinstance(theta, torch.Tensor) else theta
    status = [status.name for status in outcome.status]
    return {
        **held,
        "status": status,
        "seconds": outcome.seconds,
        "messages": [*outcome.messages],
        "iteration_is": outcome.iteration_is,
    }


def _outcome(plain: dict[str, Any]) -> Outcome:
    missing = {field.name for field in fields(Outcome)} - {*plain, *_NOT_IN_FILES}
    if missing:
        raise InvalidInput(
            "A saved estimator must be of this version of symbreak. Got one without "
            f"{', '.join(sorted(missing))} in its outcome; fit it again and save it."
        )
    status = tuple(Status[name] for name in plain["status"])
    return Outcome(**{**plain, "status": status, "messages": tuple(plain["messages"])})
