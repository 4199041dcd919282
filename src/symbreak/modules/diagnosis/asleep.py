"""Parameters whose gradient is exactly zero: whether the batch is why, and whether they wake."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from symbreak.modules.cost.parameters import copied
from symbreak.modules.diagnosis.probes import (
    REFUSALS,
    pulled,
    value_and_gradients,
    with_random_parameters,
)
from symbreak.modules.observation.observed import Observed

DRAWS = 3  # one draw may leave a small layer of relu dead by chance
UPDATES = 3  # a chain of that many zero layers wakes one by one
STEP = 0.01  # size of an update relative to the parameter, or absolute for a zero parameter


def idle(observed: Observed, names: set[str]) -> set[str]:
    """Return which get no gradient from this batch whatever the parameters are."""
    seen = [site for site in observed.sites if names & set(site.parameters)]
    empty = {name for site in seen if not site.activations.shape[1] for name in site.parameters}
    if observed.step is None:
        return names & empty
    resting = names - empty
    try:
        for seed in range(DRAWS):
            own = with_random_parameters(observed.module, seed=seed)
            _, gradients = value_and_gradients(observed, own)
            resting = {name for name in resting if not pulled(gradients.get(name))}
    except REFUSALS:
        return names & empty  # a module that refuses random parameters tells nothing more
    return names & empty | resting


def still_zero(observed: Observed, names: set[str]) -> set[str] | None:
    """Return which of the named parameters have no gradient after a few updates of the others.

    None where J cannot be computed again.
    """
    if observed.step is None:
        return None
    try:
        return _asleep(observed, copied(observed.module), names)
    except REFUSALS:
        # A module that cannot be copied or run again is judged by its first pass alone.
        return None


def _asleep(observed: Observed, module: nn.Module, names: set[str]) -> set[str]:
    for _ in range(UPDATES):
        _, gradients = value_and_gradients(observed, module)
        names = {name for name in names if not pulled(gradients.get(name))}
        if not names:
            return names
        _update(dict(module.named_parameters()), gradients)
    _, gradients = value_and_gradients(observed, module)
    return {name for name in names if not pulled(gradients.get(name))}


def _update(parameters: dict[str, nn.Parameter], gradients: dict[str, Tensor]) -> None:
    with torch.no_grad():
        for name, grad in gradients.items():
            grad = grad.to_dense() if grad.is_sparse else grad
            size = grad.double().square().mean().sqrt()
            if size > 0:
                old = parameters[name].double().square().mean().sqrt()
                scale = STEP * float(old if old > 0 else 1.0) / float(size)
                parameters[name].sub_(grad * scale)
