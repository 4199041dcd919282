"""What the samples give to a gradient, where the sum of it is exactly zero.

The derivative at the output of every function that takes a parameter is multiplied, entry by entry,
by random numbers: what cancels does not cancel any more, and what is zero stays zero.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import torch
from torch import Tensor, nn

from symbreak.modules.containers import tensors_in
from symbreak.modules.cost.parameters import copied
from symbreak.modules.diagnosis.probes import REFUSALS, pulled
from symbreak.modules.observation.isolation import own_randomness, plain_calls
from symbreak.modules.observation.names import Names
from symbreak.modules.observation.observed import Observed
from symbreak.modules.observation.reruns import called_step
from symbreak.modules.observation.without_dropout import WithoutDropout

_SEED = 0


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
    return {name for name, p in own.named_parameters() if name in names and pulled(p.grad)}


class _Reweighted(WithoutDropout):
    """Gives random weights to what comes back to the functions that take some parameters."""

    def __init__(self, module: nn.Module, names: Collection[str]) -> None:
        super().__init__(module)
        self._names, self._wanted = Names(module), names
        self._stream = torch.Generator().manual_seed(_SEED)

    def called(
        self, name: str, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Call the function; its output gets a hook where a wanted parameter goes in."""
        output = super().called(name, func, args, kwargs)
        used = self._names.note(name, (*args, *kwargs.values()), output)
        if not set(self._wanted).isdisjoint(used):
            for made in tensors_in([output]):
                if made.requires_grad:
                    made.register_hook(self._weighted)
        return output

    def _weighted(self, delta: Tensor) -> Tensor:
        return delta * (0.5 + torch.rand(delta.shape, generator=self._stream, device="cpu")).to(
            delta
        )
