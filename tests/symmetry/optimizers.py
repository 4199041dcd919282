"""Optimisers for tests of the certificate: PyTorch's, where it is installed, and our rules.

A maker takes theta (n,), which each step changes in place, and returns the step, a function of the
gradient (n,).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symbreak.optimize.updates.rules import SGD, Adam, UpdateRule

Step = Callable[[np.ndarray], None]
Maker = Callable[[np.ndarray], Step]


OURS = ("sgd", "adam", "adamw")
TORCHS = ("torch sgd", "torch adam", "torch adamw", "torch rmsprop")
EVERY = pytest.mark.parametrize(
    "word", [*OURS, *(pytest.param(word, marks=pytest.mark.needs_torch) for word in TORCHS)]
)


def optimizers(
    sgd: float, adam: float, rmsprop: float, eps: float = 1e-8
) -> dict[str, tuple[str, Maker]]:
    """Return (update, maker) of each word for these learning rates."""
    decay = 0.01  # the default of PyTorch's AdamW
    return {
        "torch sgd": ("linear", _of_torch("SGD", lr=sgd, momentum=0.9)),
        "torch adam": ("elementwise", _of_torch("Adam", lr=adam, eps=eps)),
        "torch adamw": ("elementwise", _of_torch("AdamW", lr=adam, eps=eps)),
        "torch rmsprop": ("elementwise", _of_torch("RMSprop", lr=rmsprop, eps=eps)),
        "sgd": ("linear", _of_rule(lambda: SGD(0.9, nesterov=False), sgd)),
        "adam": ("elementwise", _of_rule(lambda: Adam(0.9, 0.999, eps), adam)),
        "adamw": ("elementwise", _of_rule(lambda: Adam(0.9, 0.999, eps, decay), adam)),
    }


def _of_torch(name: str, **options: Any) -> Maker:
    def make(theta: np.ndarray) -> Step:
        import torch

        tensor = torch.from_numpy(theta)
        optimizer = getattr(torch.optim, name)([tensor], **options)

        def step(gradient: np.ndarray) -> None:
            tensor.grad = torch.from_numpy(gradient)
            optimizer.step()

        return step

    return make


def _of_rule(make_rule: Callable[[], UpdateRule], rate: float) -> Maker:
    def make(theta: np.ndarray) -> Step:
        rule, stack = make_rule(), theta[None]
        rule.start(stack, object())
        return lambda gradient: rule.update_(stack, gradient[None], rate)

    return make
