"""What is wrong with a start, or worth knowing about it: findings, and all of one diagnosis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from symbreak.deprecation import warn_renamed
from symbreak.errors import InvalidInput

if TYPE_CHECKING:
    from torch import nn

KINDS = (
    "identical_units",
    "mirrored_units",
    "dead_units",
    "saturated_units",
    "constant_units",
    "no_gradient",
    "unused_parameter",
    "non_finite",
    "uninitialized",
    "identical_tensors",
    "vanishing_signal",
    "exploding_signal",
    "wrong_scale",
    "initial_loss",
    "lost_updates",
)
LEVELS = ("error", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """One finding of a diagnosis.

    Parameters
    ----------
    kind : one of `KINDS`.
    level : "error" (mend it before the run), "warning" or "note".
    where : qualified name of a module or a parameter.
    units : indices of units, or groups of them.
    permanent : whether training keeps it so; None where that does not apply or is not known.
    evidence : what was measured, in numbers.
    remedy : what to do, one sentence.
    call : the remedy as Python, where there is one.
    parts : findings that are the same thing seen closer, such as the equal rows of equal heads.
    axis : along which the units lie in the parameter `where`, or in the weight of the layer
        `where`; None where they do not lie along one, or the layer itself tells it.
    std : standard deviation that sound numbers have in the parameter, where it is known.
    value : the one number that belongs into the parameter, where there is one.
    """

    kind: str
    level: str
    where: str
    units: tuple[int, ...] | tuple[tuple[int, ...], ...]
    permanent: bool | None
    evidence: str
    remedy: str
    call: str = ""
    parts: tuple[Finding, ...] = field(default=(), repr=False)
    axis: int | None = None
    std: float | None = None
    value: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as plain data that JSON can hold."""
        return {
            "kind": self.kind,
            "level": self.level,
            "where": self.where,
            "units": [list(u) if isinstance(u, tuple) else u for u in self.units],
            "permanent": self.permanent,
            "evidence": self.evidence,
            "remedy": self.remedy,
            "call": self.call,
            "parts": [part.to_dict() for part in self.parts],
            "axis": self.axis,
            "std": self.std,
            "value": self.value,
        }


@dataclass(frozen=True)
class Diagnosis:
    """What was found; errors first, otherwise in the order in which it was found.

    Parameters
    ----------
    findings : of any kind and level.
    again : diagnoses another module, or the same once more, with the same loss, batch and
        optimizer; None where the findings come from weights alone.
    """

    findings: tuple[Finding, ...]
    again: Callable[[nn.Module], Diagnosis] | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        ordered = sorted(self.findings, key=lambda finding: LEVELS.index(finding.level))
        object.__setattr__(self, "findings", tuple(ordered))

    @property
    def ok(self) -> bool:
        """Whether no finding stands at error level."""
        return not any(finding.level == "error" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Return the diagnosis as plain data that JSON can hold."""
        return {"ok": self.ok, "findings": [finding.to_dict() for finding in self.findings]}

    def raise_on_failure(self) -> None:
        """Raise if there is a finding at error level; warnings and notes do not raise.

        Raises
        ------
        InvalidInput
            Names every finding at error level.
        """
        if not self.ok:
            errors = [_line(finding) for finding in self.findings if finding.level == "error"]
            raise InvalidInput("The start must have no error. Got:\n" + "\n".join(errors))

    def raise_on_error(self) -> None:
        """Do what `raise_on_failure` does; the old name."""
        warn_renamed("raise_on_error of Diagnosis", "raise_on_failure")
        self.raise_on_failure()

    def __str__(self) -> str:
        if not self.findings:
            return "Nothing found."
        return "\n".join(_line(finding) for finding in self.findings)


def _line(finding: Finding) -> str:
    lasting = {True: " for ever", False: " for now", None: ""}[finding.permanent]
    where = finding.where or "the module"
    return (
        f"{finding.level}: {finding.kind}{lasting} in {where}: {finding.evidence}. {finding.remedy}"
    )
