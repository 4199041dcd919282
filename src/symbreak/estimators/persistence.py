"""The state of a fitted estimator as plain data: for pickle, skops and symbreak's own file.

Of the record the network is kept as settings, the outcome as arrays. What a search needs to go on
(its memory) is not kept: after loading, a warm start begins from the weights.
"""

from __future__ import annotations

import os
import warnings
from dataclasses import fields
from typing import Any

import numpy as np

from symbreak import __version__
from symbreak.errors import InvalidInput
from symbreak.estimators.problem import Scale, Scaling
from symbreak.model_file import content_of, load_model, save_model
from symbreak.network import Network
from symbreak.optimize import Outcome
from symbreak.optimize.status import Status
from symbreak.pickles import warn_of_version
from symbreak.training.combine import usable_starts
from symbreak.training.record import Provenance, Training
from symbreak.training.uncertainty import HeldOut

_KIND = "estimator"
_VERSION = "_symbreak_version"
_NOT_KEPT = ("_epochs", "_begun_with")
# In files of 0.1 the parts of the record stand beside each other.
_BESIDE = ("_problem", "outcome_", "kept_", "_no_improvement_count")
_OUTCOME_ARRAYS = ("theta", "value", "gradient_norm", "n_iterations", "n_evaluations",
                   "best_iteration", "history", "validation", "validation_history")  # fmt: skip
# What the fit itself has used up; files of 0.1 have no validation_loss either.
_NOT_IN_FILES = ("search", "validation_loss")


def plain_state(state: dict[str, Any]) -> dict[str, Any]:
    """Return the state of an estimator with its objects turned into plain data."""
    plain = {name: value for name, value in state.items() if name not in _NOT_KEPT}
    plain[_VERSION] = __version__
    if "training_" in plain:
        plain["training_"] = _plain_training(plain["training_"])
        plain["_scaling"] = _plain_scaling(plain["_scaling"])
        plain.pop("_network", None)  # it stands in the record
    if "held_out_" in plain:
        plain["held_out_"] = plain["held_out_"].to_arrays()
    return plain


def full_state(state: dict[str, Any]) -> dict[str, Any]:
    """Return the state that `plain_state` was made of."""
    full = _gathered(state) if "_problem" in state else dict(state)
    # Estimators of 0.1 say no version, and load as they are.
    warn_of_version("estimator", full.pop(_VERSION, __version__))
    if "training_" in full:
        full["training_"] = _training(full["training_"])
        full["_scaling"] = _scaling(full["_scaling"])
        full["_network"] = full["training_"].network
    if "held_out_" in full:
        full["held_out_"] = HeldOut.from_arrays(full["held_out_"])
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
    with content_of(path):
        estimator = _made(cls, _joined(settings["state"], arrays), path)
        _refuse_unfit(estimator)
    return estimator


def _made(cls: Any, state: dict[str, Any], path: str | os.PathLike[str]) -> Any:
    estimator = cls()
    known = {*estimator.get_params(deep=False)}
    is_fitted = isinstance(state.get("training_", state.get("_problem")), dict)
    if not known <= set(state) or not is_fitted:
        raise InvalidInput(f"Model '{path}' must hold all parameters of {cls.__name__}. Got fewer.")
    estimator.__setstate__(state)
    return estimator


def _refuse_unfit(estimator: Any) -> None:
    """Let one row of zeros be predicted, which raises where the parts of a state do not fit."""
    device = estimator.device
    estimator.set_params(device="cpu")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zeros have no names of columns
        estimator.predict(np.zeros((1, estimator.n_features_in_)))
    estimator.set_params(device=device)


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


def _gathered(state: dict[str, Any]) -> dict[str, Any]:
    """Return the state of a file of 0.1 with the parts of its record in one."""
    problem, combine = state["_problem"], state["combine"]
    if combine == "best" and state["outcome_"]["validation"] is None:
        combine = "lowest-cost"  # what it was then too
    record = {
        "network": problem["network"], "combine": combine, "kept": state["kept_"],
        "outcome": state["outcome_"], "version": "0.1",
    }  # fmt: skip
    rest = {name: value for name, value in state.items() if name not in _BESIDE}
    return {**rest, "training_": record, "_scaling": problem}


def _plain_training(training: Training) -> dict[str, Any]:
    return {
        "network": training.network.to_settings(),
        "combine": training.combine,
        "kept": list(training.kept),
        "outcome": _plain_outcome(training.outcome),
        "version": training.provenance.version,
    }


def _training(plain: dict[str, Any]) -> Training:
    outcome = _outcome(plain["outcome"])
    return Training(
        network=Network.from_settings(plain["network"]),
        outcome=outcome,
        combine=plain["combine"],
        usable=usable_starts(outcome.value, outcome.theta),
        kept=tuple(sorted(map(int, plain["kept"]))),
        provenance=Provenance(version=plain["version"]),
        seconds={"train": outcome.seconds},
    )


def _plain_scaling(scaling: Scaling) -> dict[str, Any]:
    scales = {
        name: None if scale is None else [scale.mean, scale.spread]
        for name, scale in (("x_scale", scaling.x_scale), ("y_scale", scaling.y_scale))
    }
    return {"dtype": np.dtype(scaling.dtype).name, **scales}


def _scaling(plain: dict[str, Any]) -> Scaling:
    scales = (plain[name] and Scale(*plain[name]) for name in ("x_scale", "y_scale"))
    return Scaling(np.dtype(plain["dtype"]), *scales)


def _plain_outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        **{name: getattr(outcome, name) for name in _OUTCOME_ARRAYS},
        "status": [status.name for status in outcome.status],
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
