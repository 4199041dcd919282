"""The findings of one diagnosis, together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from symbreak.deprecation import warn_renamed
from symbreak.diagnosis.finding import LEVELS, Finding
from symbreak.errors import InvalidInput


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
