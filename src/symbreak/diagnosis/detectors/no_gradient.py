"""no_gradient: a used parameter that gets no gradient, and whether it ever will.

Threshold: autograd gave none (detached: error), or every entry is exactly 0. For a zero gradient
the detector takes up to `UPDATES` small steps along the gradients of the others on a copy, and
looks again: what wakes is a note (a zero head or LoRA's B = 0 is like that by design); what does
not is an error and lasts. Two factors that are both zero never wake: each is the other's
gradient. Where J cannot be computed again the level is a warning. So it is where the gradient is
exactly 0 with random parameters too, or no example arrives: then the batch or the module is the
cause, not the start. Source: LoRA with A = B = 0
(microsoft/LoRA#98), two zero layers of a gate (LAVT-RIS#25), dead relu layers (1903.06733).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from symbreak.diagnosis.finding import Finding
from symbreak.diagnosis.random_copy import with_random_parameters
from symbreak.objectives.module_parameters import copied
from symbreak.observation.observe import called_step
from symbreak.observation.observed import Observed, SeenParameter
from symbreak.observation.traces import own_randomness, plain_calls
from symbreak.words import counted

UPDATES = 3  # a chain of that many zero layers wakes one by one
STEP = 0.01  # size of an update relative to the parameter, or absolute for a zero parameter
SHOWN = 4
DRAW_ONE = "Draw one of the two at random and leave the other at zero."
DETACHED = "Take away the detach, no_grad or rounding between it and the loss, or freeze it."
BLOCKED = "Look at what follows it: a dead layer, or a factor that stays zero."
BATCH = (
    "Give a batch as training has it: enough examples, more than one token or step. If it is one, "
    "the parameter will not be trained: freeze it or leave it out."
)
WAKES = "Nothing, if it is on purpose; else draw the zero parameter after it at random."


def detect(observed: Observed) -> Iterator[Finding]:
    """Yield detached parameters, pairs of zero factors, blocked parameters, and those that wake."""
    used = [p for p in observed.parameters if p.trained and p.role != "unused"]
    detached = [p.name for p in used if p.grad is None]
    if detached:
        # The last one is the nearest to what cuts them off, which often is one thing for all.
        yield _finding("error", detached[-1], True, _evidence_of_detached(detached), DETACHED)
    zero = [p for p in used if p.grad is not None and not bool(p.grad.any()) and p.grad.numel()]
    if zero:
        yield from _of_zero(observed, zero)


def _of_zero(observed: Observed, zero: Sequence[SeenParameter]) -> Iterator[Finding]:
    idle = _idle(observed, {parameter.name for parameter in zero})
    if idle:
        names = [p.name for p in zero if p.name in idle]
        evidence = (
            f"{_evidence(names, False)}; it is with random parameters too, or nothing arrives"
        )
        yield _finding("warning", names[0], None, evidence, BATCH)
    zero = [p for p in zero if p.name not in idle]
    asleep = _still_zero(observed, {parameter.name for parameter in zero}) if zero else set()
    woken = [p for p in zero if asleep is not None and p.name not in asleep]
    stuck = [p for p in zero if asleep is None or p.name in asleep]
    level, permanent = ("warning", None) if asleep is None else ("error", True)
    factors = [p for p in stuck if p.value.dim() != 1 and not bool(p.value.any())]
    paired = set()
    for one, other in _pairs(factors):
        paired |= {one.name, other.name}
        evidence = (
            f"{one.name} and {other.name} are both zero, and so are their gradients: each is a "
            "factor of the other's"
        )
        yield _finding(level, one.name, permanent, evidence, DRAW_ONE, _draw(one))
    if rest := [p.name for p in stuck if p.name not in paired]:
        yield _finding(level, rest[0], permanent, _evidence(rest, asleep is not None), BLOCKED)
    if woken:
        names = [p.name for p in woken]
        evidence = f"{_evidence(names, False)}; after a few updates it is not"
        yield _finding("note", names[0], False, evidence, WAKES)


def _evidence_of_detached(names: Sequence[str]) -> str:
    if len(names) == 1:
        return "it was used, and autograd gave it no gradient"
    return (
        f"it and {counted(len(names) - 1, 'parameter')} before it were used, and autograd gave "
        f"them no gradient: {_shown(names)}"
    )


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")


def _evidence(names: Sequence[str], probed: bool) -> str:
    after = f", also after {UPDATES} updates of the others" if probed else ""
    count = counted(len(names), "parameter")
    return f"the gradient of {count} is exactly zero{after}: {_shown(names)}"


def _finding(
    level: str, where: str, permanent: bool | None, evidence: str, remedy: str, call: str = ""
) -> Finding:
    return Finding("no_gradient", level, where, (), permanent, evidence, remedy, call)


def _draw(parameter: SeenParameter) -> str:
    how = "kaiming_uniform_" if parameter.value.dim() > 1 else "normal_"
    return f"torch.nn.init.{how}(module.get_parameter({parameter.name!r}))"


def _pairs(
    factors: Sequence[SeenParameter],
) -> Iterator[tuple[SeenParameter, SeenParameter]]:
    """Yield neighbours in the order of the module, two by two, nearest names first."""
    left = list(factors)
    while len(left) > 1:
        shared = [_shared(a.name, b.name) for a, b in pairwise(left)]
        first = max(range(len(shared)), key=lambda i: (shared[i], -i))
        yield left.pop(first), left.pop(first)


def _shared(one: str, other: str) -> int:
    count = 0
    for a, b in zip(one.split("."), other.split("."), strict=False):
        if a != b:
            break
        count += 1
    return count


def _idle(observed: Observed, names: set[str]) -> set[str]:
    """Return which get no gradient from this batch whatever the parameters are."""
    seen = [site for site in observed.sites if names & set(site.parameters)]
    empty = {name for site in seen if not site.activations.shape[1] for name in site.parameters}
    idle = names & empty
    if observed.step is None:
        return idle
    try:
        module = with_random_parameters(observed.module)
        with own_randomness(), plain_calls():
            gradients = _gradients(observed, module, dict(module.named_parameters()))
    except (RuntimeError, ValueError, TypeError):
        return idle  # a module that refuses random parameters tells nothing more
    return idle | {name for name in names if not _pulled(gradients.get(name))}


def _still_zero(observed: Observed, names: set[str]) -> set[str] | None:
    """Return which of the named parameters have no gradient after a few updates of the others.

    None where J cannot be computed again.
    """
    if observed.step is None:
        return None
    try:
        with own_randomness(), plain_calls():
            return _asleep(observed, copied(observed.module), names)
    except (RuntimeError, ValueError, TypeError):
        # A module that cannot be copied or run again is judged by its first pass alone.
        return None


def _asleep(observed: Observed, module: nn.Module, names: set[str]) -> set[str]:
    parameters = dict(module.named_parameters())
    for _ in range(UPDATES):
        gradients = _gradients(observed, module, parameters)
        names = {name for name in names if not _pulled(gradients.get(name))}
        if not names:
            return names
        _update(parameters, gradients)
    gradients = _gradients(observed, module, parameters)
    return {name for name in names if not _pulled(gradients.get(name))}


def _pulled(grad: Tensor | None) -> bool:
    return grad is not None and bool(grad.any())


def _gradients(
    observed: Observed, module: nn.Module, parameters: dict[str, nn.Parameter]
) -> dict[str, Tensor]:
    assert observed.step is not None
    module.zero_grad(set_to_none=True)
    called_step(module, observed.step, observed.batch).backward()
    return {name: p.grad for name, p in parameters.items() if p.grad is not None}


def _update(parameters: dict[str, nn.Parameter], gradients: dict[str, Tensor]) -> None:
    with torch.no_grad():
        for name, grad in gradients.items():
            grad = grad.to_dense() if grad.is_sparse else grad
            size = grad.double().square().mean().sqrt()
            if size > 0:
                old = parameters[name].double().square().mean().sqrt()
                scale = STEP * float(old if old > 0 else 1.0) / float(size)
                parameters[name].sub_(grad * scale)
