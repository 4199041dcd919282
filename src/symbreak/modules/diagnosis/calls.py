"""Remedies as Python, and the same remedies in numbers.

They run with `module`, `found` (its diagnosis), `torch` and `import symbreak as sb`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

REPAIR = 'sb.repair(module, found, how="redraw")'


@dataclass(frozen=True)
class Write:
    """What is to be written into a parameter; the fields are those of a finding.

    Parameters
    ----------
    call : as Python.
    std : of random numbers, None where it is one number.
    value : that number.
    """

    call: str = ""
    std: float | None = None
    value: float | None = None

    def with_padding(self, where: str, row: int | None) -> Write:
        """Return a call that then puts the padding row of an embedding back to zero."""
        keep = f"torch.nn.init.zeros_(module.get_parameter({where!r})[{row}])"
        return self if row is None else replace(self, call=f"{self.call}; {keep}")


def normal(where: str, std: float) -> Write:
    """Return the call that draws a parameter from N(0, std^2)."""
    return Write(f"torch.nn.init.normal_(module.get_parameter({where!r}), std={std:.6g})", std=std)


def constant(where: str, value: float) -> Write:
    """Return the call that fills a parameter with one number."""
    call = f"torch.nn.init.constant_(module.get_parameter({where!r}), {value:g})"
    return Write(call, value=value)
