"""Parameters whose gradient is exactly zero: whether batch or start is why, and whether it stays.

What the samples give to a gradient may cancel. To tell, the derivative at the output of every
function that takes the parameter is multiplied, entry by entry, by random numbers: what cancels
does not cancel any more, and what is zero stays zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from symbreak.modules.containers import mapped_tensors, tensors_in
from symbreak.modules.cost.parameters import copied
from symbreak.modules.observation.isolation import own_randomness, plain_calls
from symbreak.modules.observation.names import Names
from symbreak.modules.observation.observed import Observed
from symbreak.modules.observation.reruns import (
    REFUSALS,
    Reruns,
    called_step,
    moves,
    with_random_parameters,
)
from symbreak.modules.observation.without_dropout import WithoutDropout

DRAWS = 3  # one draw may leave a small layer of relu dead by chance
UPDATES = 3  # a chain of that many zero layers wakes one by one
BATCHES = 16  # a router sends few examples to some of its experts
STEP = 0.01  # size of an update relative to the parameter, or absolute for a zero parameter


def cancelling(observed: Observed, names: Collection[str]) -> set[str]:
    """Return which of some parameters get contributions to their gradient that sum to zero."""
    if observed.step is None or not names:
        return set()
    own = copied(observed.module)
    try:
        with own_randomness(), plain_calls():
            with _Reweighted(own, names):
                J = called_step(own, observed.step, observed.batch)
            J.backward()
    except REFUSALS:
        return set()
    return {name for name, p in own.named_parameters() if name in names and moves(p.grad)}


class _Reweighted(WithoutDropout):
    """Gives random weights to what comes back to the functions that take some parameters."""

    def __init__(self, module: nn.Module, names: Collection[str]) -> None:
        super().__init__(module)
        self._names, self._wanted = Names(module), names
        self._stream = torch.Generator().manual_seed(0)

    def called(
        self, name: str, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Call the function; its output gets a hook where a wanted parameter goes in."""
        output = super().called(name, func, args, kwargs)
        used = self._names.note(name, (*args, *kwargs.values()), output)
        if not set(self._wanted).isdisjoint(used):
            for tensor in tensors_in([output]):
                if tensor.requires_grad:
                    tensor.register_hook(self._weighted)
        return output

    def _weighted(self, delta: Tensor) -> Tensor:
        return delta * (0.5 + torch.rand(delta.shape, generator=self._stream, device="cpu")).to(
            delta
        )


def zero_at_random_parameters(observed: Observed, names: set[str]) -> set[str]:
    """Return which get no gradient from this batch whatever the parameters are."""
    seen = [site for site in observed.sites if names & set(site.parameters)]
    empty = {name for site in seen if not site.activations.shape[1] for name in site.parameters}
    if observed.step is None:
        return names & empty
    zero = names - empty
    try:
        for seed in range(DRAWS):
            own = with_random_parameters(observed.module, seed=seed)
            zero -= observed.reruns.of(own).moved(zero)
            if not zero:
                break
    except REFUSALS:
        return names & empty  # a module that refuses random parameters tells nothing more
    return names & empty | zero


def moved_by_other_batches(observed: Observed, names: set[str]) -> set[str]:
    """Return which get a gradient from other batches, mixed of this one.

    On every other batch all parameters are moved too, each by numbers of its own spread: a router
    then chooses otherwise, and a gate of zero stays zero.
    """
    moved: set[str] = set()
    for seed in range(BATCHES if observed.step is not None else 0):
        if moved == names:
            break
        mixed = _Mixed(seed)
        try:
            own = copied(observed.module)
            if seed % 2:
                mixed.move_(own)
            other = replace(observed, batch=mapped_tensors(observed.batch, mixed))
            shown = other.reruns.of(own)
        except REFUSALS:
            continue  # examples that fit each other no more
        if math.isfinite(shown.J):
            moved |= shown.moved(names)
    return moved


class _Mixed:
    """Exchanges each column of a tensor among the examples, or all entries of a single one."""

    def __init__(self, seed: int) -> None:
        self._stream = torch.Generator().manual_seed(seed)

    def __call__(self, tensor: Tensor) -> Tensor:
        rows = tensor if tensor.dim() and len(tensor) > 1 else tensor.reshape(-1)
        order = torch.rand(rows.shape, generator=self._stream, device="cpu").argsort(dim=0)
        return rows.gather(0, order.to(rows.device)).reshape(tensor.shape)

    def move_(self, module: nn.Module) -> None:
        """Add to each parameter numbers of its own spread."""
        with torch.no_grad():
            for p in module.parameters():
                if p.is_floating_point() and p.numel():
                    noise = torch.randn(p.shape, generator=self._stream, device="cpu").to(p)
                    p.add_(p.std(correction=0) * noise)


def zero_after_updates(observed: Observed, names: set[str]) -> set[str] | None:
    """Return which of the named parameters have no gradient after a few updates of the others.

    None where J cannot be computed again.
    """
    if observed.step is None:
        return None
    try:
        return _zero_after_updates(observed.reruns, names)
    except REFUSALS:
        # A module that cannot be copied or run again is judged by its first pass alone.
        return None


def _zero_after_updates(reruns: Reruns, names: set[str]) -> set[str]:
    shown = reruns.unchanged()
    for _ in range(UPDATES):
        names = names - shown.moved(names)
        if not names:
            return names
        _update(dict(shown.module.named_parameters()), shown.gradients)
        shown = reruns.of(shown.module)
    return names - shown.moved(names)


def _update(parameters: dict[str, nn.Parameter], gradients: dict[str, Tensor]) -> None:
    with torch.no_grad():
        for name, grad in gradients.items():
            grad = grad.to_dense() if grad.is_sparse else grad
            size = grad.double().square().mean().sqrt()
            if size > 0:
                old = parameters[name].double().square().mean().sqrt()
                scale = STEP * float(old if old > 0 else 1.0) / float(size)
                parameters[name].sub_(grad * scale)
