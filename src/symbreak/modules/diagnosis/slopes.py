"""J and its gradient once more, on a copy whose parameters were changed."""

from __future__ import annotations

from torch import Tensor, nn

from symbreak.modules.observation.observe import called_step
from symbreak.modules.observation.observed import Observed
from symbreak.modules.observation.traces import own_randomness, plain_calls

# What a module raises that cannot be copied, or cannot be run with other parameters.
REFUSALS = (RuntimeError, ValueError, TypeError)


def value_and_gradients(observed: Observed, own: nn.Module) -> tuple[float, dict[str, Tensor]]:
    """Return J of a copy and the gradients that autograd gives, with the same draws every time."""
    assert observed.step is not None
    own.zero_grad(set_to_none=True)
    with own_randomness(), plain_calls():
        J = called_step(own, observed.step, observed.batch)
        J.backward()
    return float(J.detach()), {
        name: p.grad for name, p in own.named_parameters() if p.grad is not None
    }


def pulled(grad: Tensor | None) -> bool:
    """Tell whether a gradient moves anything."""
    return grad is not None and bool(grad.any())
