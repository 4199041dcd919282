"""wrong_scale: a spread of weights that does not fit the fan that is really there.

Thresholds
    - std outside [0.1, 10] x sqrt(2 / fan_in) for every fan_in the weight can have: warning.
      Source: the range of syndset 0.2.1 around He's rule.
    - std equals, within 4 standard errors, what a rule gives for the fans that `torch.nn.init`
      counts, is what no rule by fan_in or by both fans gives for those that are there, and the two
      differ by a factor of more than 1.1: note, of more than 1.5: warning. The count is wrong for
      grouped and depthwise convolutions (fan_out), transposed ones, packed q, k, v and stacked
      experts (see `diagnosis.fans`). Source: the definition of the fan (Glorot and Bengio
      2010); the factors are ours, below and above the sqrt(2) of packed q, k, v.
A recurrent unit sums over its inputs and over all hidden units, which two weights bring: each may
be drawn by its own fan or by both.
An embedding reads one number, 1 (fan_in 1), or is looked at as rows of norm 1 (fan_in = width): it
is off only if it fits neither; one that is the head too is judged as a matrix of the width's fan.
A warning asks for a consequence: where signals, gradients and loss of the batch do not show it (see
`consequences`), the spread may be on purpose, and it is a note.
Constant and zero weights have no spread and are left out, so are those of fewer than 16 entries.
Level: never error; PyTorch's own defaults of transposed convolutions and packed q, k,
v are found.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from symbreak.findings import Finding
from symbreak.modules.anatomy.role import Role
from symbreak.modules.diagnosis.detectors.consequences import Consequences
from symbreak.modules.diagnosis.fans import HE, Fans, possible_fans, torch_fans, true_fans
from symbreak.modules.diagnosis.tensor_stats import TensorStats, stats_of
from symbreak.modules.diagnosis.writes import Write, normal
from symbreak.modules.observation.observed import Observed, SeenParameter

LOW, HIGH = 0.1, 10.0  # x He's spread
FEWEST = 16
ERRORS = 4.0  # standard errors of a measured spread, 1 / sqrt(2 n) relative each
WORTH_NOTING, WORTH_WARNING = 1.1, 1.5
SMALL_SAMPLE = 512  # below it several rules lie within the standard error of one another
UNFELT = "; signals and loss of this batch do not show it"
MULTIPLIED = ("linear weight", "conv weight", "embedding", "product", "recurrent")
EMBEDDING_NAMES = ("embed", "wte", "wpe", "token", "position", "table")


def of_shape(where: str, stats: TensorStats) -> Iterator[Finding]:
    """Yield the finding where the spread is wrong for every fan that the shape allows."""
    name = where.lower()
    fans = possible_fans(stats.shape)
    if any(word in name for word in EMBEDDING_NAMES):
        fans = (1.0, *fans)
    if _has_spread(stats):
        yield from _out_of_range(where, stats, fans)


def _has_spread(stats: TensorStats) -> bool:
    usable = len(stats.shape) > 1 and stats.count >= FEWEST and min(stats.shape) > 0
    return usable and not stats.non_finite and not stats.constant and not stats.binary


def _out_of_range(
    where: str,
    stats: TensorStats,
    fans: tuple[float, ...],
    consequences: Consequences | None = None,
) -> Iterator[Finding]:
    ratios = [stats.spread * math.sqrt(fan) / HE for fan in fans]
    if any(LOW <= ratio <= HIGH for ratio in ratios):
        return
    fan, ratio = min(zip(fans, ratios, strict=True), key=lambda pair: abs(math.log(pair[1])))
    evidence = (
        f"spread {stats.spread:.3g}, {ratio:.3g} x He's sqrt(2 / {fan:.0f}) = "
        f"{HE / math.sqrt(fan):.3g} for the nearest fan; sound is {LOW:g} to {HIGH:g}"
    )
    if consequences is None or consequences.show(where, ratio):
        yield _finding("warning", where, evidence, fan)
    else:
        yield _finding("note", where, evidence + UNFELT, fan)


def _finding(level: str, where: str, evidence: str, fan_in: float) -> Finding:
    target = 1 / math.sqrt(fan_in)
    otherwise = "Leave it if it is on purpose. " if level == "note" else ""
    remedy = (
        f"{otherwise}Draw it anew with a spread of about {target:.3g} (times the gain of the "
        f"activation it reads), for fan_in {fan_in:.0f}."
    )
    write = normal(where, target)
    return Finding("wrong_scale", level, where, (), None, evidence, remedy, **vars(write))


def detect(observed: Observed) -> Iterator[Finding]:
    """Yield weights of a spread out of range, then those that fit a fan that is not there."""
    consequences = Consequences(observed)
    for parameter in observed.parameters:
        if parameter.value.dim() < 2 or not parameter.value.is_floating_point():
            continue
        stats = stats_of(parameter.value)
        if not _has_spread(stats):
            continue
        role = observed.role_of(parameter)
        if role is None or parameter.role not in MULTIPLIED:
            continue
        fans = true_fans(role, stats.shape)
        possible = _sound_fans(role, fans, _only_embedding(parameter))
        findings = list(_out_of_range(parameter.name, stats, possible, consequences))
        counted_by_torch = parameter.role not in ("embedding", "recurrent")
        if not findings and counted_by_torch and role.kind != "recurrent weight":
            findings = list(_miscounted(parameter.name, stats, fans, consequences))
        for finding in findings:
            write = Write(finding.call, finding.std).with_padding(finding.where, role.padding)
            yield replace(finding, call=write.call)


def _sound_fans(role: Role, fans: Fans, only_embedding: bool) -> tuple[float, ...]:
    """Return the numbers that a sound spread may go by, as the square of its inverse."""
    if only_embedding:
        return 1.0, fans.fan_in
    if role.kind == "recurrent weight":  # orthogonal: 1 / sqrt(the longer side)
        return fans.fan_in, fans.fan_in + role.also_in, fans.fan_out
    return fans.fan_in, fans.fan_in + role.also_in


def _only_embedding(parameter: SeenParameter) -> bool:
    multiplied = {"linear", "matmul", "mm", "addmm", "bmm", "einsum"} & set(parameter.functions)
    return parameter.role == "embedding" and not multiplied


def _miscounted(
    where: str, stats: TensorStats, fans: Fans, consequences: Consequences
) -> Iterator[Finding]:
    wrong = torch_fans(stats.shape)
    if wrong == fans or stats.count < SMALL_SAMPLE:
        return
    error = ERRORS / math.sqrt(2 * min(stats.count, stats.sampled))
    right = dict(fans.spreads())
    # torch's fan_in of a transposed convolution is its true fan_out: that match is no excuse.
    forward = [std for rule, std in right.items() if not rule.endswith("fan_out")]
    if any(abs(stats.spread / std - 1) <= error for std in forward):
        return
    for rule, std in wrong.spreads():
        factor = right[rule] / std
        if abs(stats.spread / std - 1) <= error and abs(math.log(factor)) > math.log(WORTH_NOTING):
            far = abs(math.log(factor)) > math.log(WORTH_WARNING)
            felt = far and consequences.show(where, stats.spread * math.sqrt(fans.fan_in) / HE)
            evidence = (
                f"spread {stats.spread:.3g} is {rule} for fans {wrong.fan_in:.0f} and "
                f"{wrong.fan_out:.0f}; those that are there, {fans.fan_in:.0f} and "
                f"{fans.fan_out:.0f}, give {right[rule]:.3g}"
            )
            yield _finding("warning" if felt else "note", where, evidence, fans.fan_in)
            return
