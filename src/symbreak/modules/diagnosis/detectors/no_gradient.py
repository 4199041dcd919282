"""no_gradient, unused_parameter.

no_gradient: a used parameter that gets no gradient, why, and whether it ever will.

Threshold: autograd gave none, or every entry is exactly 0. The reason is looked for in this order:

    contributions of the samples that are not zero cancel                 note
    zero until the others have made up to `UPDATES` small steps           note
    J changes with it and there never is a gradient: it is cut off        error, lasts
    autograd gave none, J stays the same: the loss does not use it        warning
    nothing at all gets a gradient: no slope at the module's outputs      warning
    zero with random parameters too, or no example arrives: the batch     warning
    not zero on other batches, or with all parameters moved: the batch    warning
    two factors that are both zero, each the other's gradient; blocked    error, lasts

What wakes (a zero head, LoRA's B = 0) is like that by design. Where J cannot be computed again, or
is another number each time, an error is a warning instead. Source: LoRA with A = B = 0
(microsoft/LoRA#98), two zero layers of a gate (LAVT-RIS#25), dead relu layers (1903.06733); the
hinge of a GAN's critic (1705.02894), whose -1 and +1 cancel at the last bias.

unused_parameter: a parameter that asks for a gradient and is used by no function.

Threshold: no function took it during the pass. Level: warning, since the branch may be used on
other data; distributed training in PyTorch stops at such parameters. Source: the check
`find_unused_parameters` of `torch.nn.parallel.DistributedDataParallel`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from symbreak.findings import Finding
from symbreak.modules.diagnosis.cut_off import cut_off
from symbreak.modules.diagnosis.zero_gradients import (
    UPDATES,
    cancelling,
    moved_by_other_batches,
    zero_after_updates,
    zero_at_random_parameters,
)
from symbreak.modules.observation.observed import Observed, SeenParameter
from symbreak.modules.observation.reruns import REFUSALS, moves
from symbreak.text import pluralize

SHOWN = 4
UNUSED = "Use it in forward, freeze it, or take it out of the module."
DRAW_ONE = "Draw one of the two at random and leave the other at zero."
CUT = "Take away the detach, no_grad or rounding between it and the loss, or freeze it."
OUTSIDE = (
    "Add what comes of it to the loss; or, if this loss is not meant to train it, freeze it or "
    "leave it out."
)
UNKNOWN = "Look whether the loss uses what comes of it, and whether anything detaches it."
CANCELS = (
    "Nothing, if it is chance: another batch or the next update moves it. Where the loss uses only "
    "differences of this output, it does nothing: leave it out (bias=False)."
)
SATISFIED = (
    "Give a batch of which some examples are not satisfied yet; if there is none, look at the "
    "margin or the target."
)
BLOCKED = "Look at what follows it: a dead layer, or a factor that stays zero."
BATCH = (
    "Give a batch as training has it: enough examples, more than one token or step. If it is one, "
    "the loss uses nothing that comes of the parameter: freeze it or leave it out."
)
ROUTED = (
    "Nothing, if the examples decide which part is used, as with experts behind a router: other "
    "ones train it. Else give a batch of more examples."
)
WAKES = "Nothing, if it is on purpose; else draw the zero parameter after it at random."


def detect(observed: Observed) -> Iterator[Finding]:
    """Yield one finding for the parameters of each reason."""
    used = [p for p in observed.parameters if p.trained and p.role != "unused" and p.value.numel()]
    without = [p for p in used if p.grad is None]
    zero = [p for p in used if p.grad is not None and not moves(p.grad)]
    sums = cancelling(observed, {p.name for p in zero})
    if names := [p.name for p in zero if p.name in sums]:
        evidence = f"{_evidence(names)}; what the samples give is not, and cancels"
        yield _finding("note", names[-1], None, evidence, CANCELS)
    zero = [p for p in zero if p.name not in sums]
    still_zero = zero_after_updates(observed, {p.name for p in zero}) if zero else set()
    probed = still_zero is not None
    if names := [p.name for p in zero if probed and p.name not in (still_zero or ())]:
        evidence = f"{_evidence(names)}; after a few updates it is not"
        yield _finding("note", names[0], False, evidence, WAKES)
    zero = [p for p in zero if p.name not in names]
    cut = cut_off(observed, [p.name for p in (*without, *zero)]) if without or zero else set()
    yield from _of_without([p.name for p in without], cut)
    if names := [p.name for p in zero if p.name in (cut or ())]:
        evidence = f"{_evidence(names)}; J changes with what it is, and so it stays"
        yield _finding("error", names[-1], True, evidence, CUT)
    zero = [p for p in zero if p.name not in (cut or ())]
    if zero and not any(moves(p.grad) for p in used) and _is_flat(observed):
        yield _flat(observed, zero)
    elif zero:
        yield from _of_lasting(observed, zero, probed)


def detect_unused(observed: Observed) -> Iterator[Finding]:
    """Yield trained parameters that no function used."""
    for parameter in observed.parameters:
        if parameter.trained and parameter.role == "unused":
            evidence = f"none of its {parameter.value.numel()} entries was used on this batch"
            call = f"module.get_parameter({parameter.name!r}).requires_grad_(False)"
            yield Finding(
                "unused_parameter", "warning", parameter.name, (), None, evidence, UNUSED, call
            )


def _of_without(names: Sequence[str], cut: set[str] | None) -> Iterator[Finding]:
    """Yield one finding for those that are cut off, and one for those outside of the loss."""
    # The last one is the nearest to what cuts them off, or to the output that is not used.
    if names and cut is None:
        evidence = f"{_evidence_of_without(names)}; whether J depends on it cannot be told"
        yield _finding("warning", names[-1], None, evidence, UNKNOWN)
        return
    cut = cut or set()
    if off := [name for name in names if name in cut]:
        yield _finding("error", off[-1], True, _evidence_of_without(off), CUT)
    if outside := [name for name in names if name not in cut]:
        what = "it is" if len(outside) == 1 else "they are"
        evidence = f"{_evidence_of_without(outside)}; J stays the same whatever {what}"
        yield _finding("warning", outside[-1], None, evidence, OUTSIDE)


def _is_flat(observed: Observed) -> bool:
    """Tell whether the loss has no slope at what the module gives out."""
    try:
        return observed.step is not None and observed.reruns.is_flat()
    except REFUSALS:
        return False


def _flat(observed: Observed, zero: Sequence[SeenParameter]) -> Finding:
    evidence = (
        f"the loss, {observed.loss_value:.4g}, has no slope at what the module gives out; "
        f"{_evidence([p.name for p in zero])}"
    )
    return _finding("warning", "", None, evidence, SATISFIED)


def _of_lasting(
    observed: Observed, zero: Sequence[SeenParameter], probed: bool
) -> Iterator[Finding]:
    """Yield those that the batch lets rest, and those that the start blocks."""
    always = zero_at_random_parameters(observed, {p.name for p in zero})
    if names := [p.name for p in zero if p.name in always]:
        evidence = f"{_evidence(names)}; it is with random parameters too, or nothing arrives"
        yield _finding("warning", names[0], None, evidence, BATCH)
    stuck = [p for p in zero if p.name not in always]
    level, permanent = ("error", True) if probed else ("warning", None)
    factors = [p for p in stuck if p.value.dim() != 1 and not bool(p.value.any())]
    paired = set()
    for one, other in _pairs(factors):
        paired |= {one.name, other.name}
        evidence = (
            f"{one.name} and {other.name} are both zero, and so are their gradients: each is a "
            "factor of the other's"
        )
        yield _finding(level, one.name, permanent, evidence, DRAW_ONE, _draw(one))
    rest = [p.name for p in stuck if p.name not in paired]
    elsewhere = moved_by_other_batches(observed, set(rest)) if rest else set()
    if names := [name for name in rest if name in elsewhere]:
        evidence = f"{_evidence(names)}; on other examples, or a little elsewhere, it is not"
        yield _finding("warning", names[0], None, evidence, ROUTED)
    if rest := [name for name in rest if name not in elsewhere]:
        yield _finding(level, rest[0], permanent, _evidence(rest, probed), BLOCKED)


def _evidence_of_without(names: Sequence[str]) -> str:
    if len(names) == 1:
        return "it was used, and autograd gave it no gradient"
    return (
        f"it and {pluralize(len(names) - 1, 'parameter')} before it were used, and autograd gave "
        f"them no gradient: {_shown(names)}"
    )


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")


def _evidence(names: Sequence[str], probed: bool = False) -> str:
    after = f", also after {UPDATES} updates of the others" if probed else ""
    count = pluralize(len(names), "parameter")
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
