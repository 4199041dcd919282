"""`ModuleCost` gives tensors, and a search on it the kind that went in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import symbreak as sb
from tests.modules.cost import modules


def test_starts_are_tensors():
    cost = modules.made("mlp")[0]
    assert {type(cost.initialize(starts=2)), type(cost.initial_theta())} == {torch.Tensor}


@pytest.mark.parametrize("kind", [torch.Tensor, np.ndarray])
@pytest.mark.parametrize("method", ["l-bfgs", "adam"])
def test_a_search_answers_and_tells_in_the_kind_that_theta_is(kind, method):
    cost = modules.made("mlp")[0]
    theta = cost.initialize(starts=2, seed=0)
    told: list[Any] = []

    def score(theta: Any) -> Any:
        told.append(theta)
        return (theta**2).sum(1)

    def look(progress: Any) -> None:
        told.append(progress.places.theta)

    outcome = sb.minimize(
        cost,
        theta if kind is torch.Tensor else theta.numpy(),
        method=method,
        max_iter=2,
        validation=score,
        callback=look,
    )
    assert {type(one) for one in (outcome.theta, *told)} == {kind}
    assert type(sb.minimize(cost, outcome, max_iter=3).theta) is kind
    assert {type(one) for one in cost(outcome.theta)} == {kind}
