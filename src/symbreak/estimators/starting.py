"""Where training starts: starts drawn by a rule, weights given."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np

from symbreak.arrays import Array, alike
from symbreak.errors import InvalidInput
from symbreak.initialization.rule import Rule
from symbreak.initialization.rules import resolve
from symbreak.network import Network
from symbreak.objectives import NetworkCost
from symbreak.training.finite_starts import draw_finite_starts
from symbreak.training.seeds import Seeds


def starts_of(estimator: Any, cost: NetworkCost, seeds: Seeds) -> Array:
    """Return the starts (n_starts, n): drawn by the rule, the given weights in the first."""
    theta = draw_finite_starts(
        cost, _rule(estimator), starts=estimator.n_starts, seed=seeds.starts
    ).theta
    if estimator.coefs_init is not None or estimator.intercepts_init is not None:
        _fill_(theta, cost.network, estimator.coefs_init, estimator.intercepts_init)
    return theta


def theta_of(coefs: Any, intercepts: Any) -> Any:
    """Return theta (n,) of scikit-learn's matrices: coefs[l] is (fan_in, fan_out)."""
    parts = [np.column_stack([b, W.T]).ravel() for W, b in zip(coefs, intercepts, strict=True)]
    return np.concatenate(parts)


def matrices_of(network: Network, theta: Any) -> tuple[list[Any], list[Any]]:
    """Return coefs and intercepts of theta (n,), fresh arrays."""
    thetas = network.thetas(np.asarray(theta))
    return [np.ascontiguousarray(T[:, 1:].T) for T in thetas], [T[:, 0].copy() for T in thetas]


def _rule(estimator: Any) -> str | Rule:
    """Return the rule of `init`, its epsilon set where one is given."""
    name = "sklearn_default" if estimator.init is None else estimator.init
    if estimator.init_epsilon is None:
        return name
    rule = resolve("uniform" if estimator.init is None else name)
    if "epsilon" not in {field.name for field in fields(rule)}:
        raise InvalidInput(
            f"init_epsilon must be None with the rule {rule.name!r}, which has no epsilon. "
            f"Got {estimator.init_epsilon!r}; choose init='uniform'."
        )
    return replace(rule, epsilon=estimator.init_epsilon)  # type: ignore[call-arg]


def _fill_(theta: Array, network: Network, coefs: Any, intercepts: Any) -> None:
    """Write the given weights into the first start; a stack of them into as many starts."""
    for name, given, column in (
        ("coefs_init", coefs, slice(1, None)), ("intercepts_init", intercepts, 0)
    ):  # fmt: skip
        if given is None:
            continue
        matrices = network.thetas(theta)
        if len(given) != len(matrices):
            raise InvalidInput(
                f"{name} must hold {len(matrices)} arrays, one for each layer. Got {len(given)}."
            )
        for number, (Theta, array) in enumerate(zip(matrices, given, strict=True)):
            target = Theta[0, :, column]
            value = np.asarray(array, dtype=np.float64)
            wanted = tuple(target.shape)[::-1]
            if value.shape != wanted:
                raise InvalidInput(
                    f"{name}[{number}] must be of shape {wanted}. Got {value.shape}."
                )
            target[...] = alike(value.T, target)
