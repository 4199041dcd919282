"""A group of hidden units that are one unit, and why, in the lecture's terms."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

KINDS = ("identical", "mirrored", "zero", "equal_sums")
ALIKE = "every update that treats all entries alike"
LINEAR = "linear updates; elementwise ones where J has no L2 penalty"


@dataclass(frozen=True)
class Group:
    """Units of one hidden layer that are one unit, or nothing.

    Attributes
    ----------
    start : the index of the start.
    layer : the hidden layer, 1 is the first.
    kind : "identical", "mirrored", "zero" or "equal_sums".
    units : their indices, from 0.
    mirrors : those of `units` whose a and delta have the opposite sign.
    permanent : whether the update of the certificate keeps the group.
    kept_by : the updates that keep it.
    spread : max |theta - P theta| / max |theta| over the group's weights; P theta, the nearest
        theta that the certificate holds for exactly.
    reason : why the units are one, or nothing.
    """

    start: int
    layer: int
    kind: str
    units: tuple[int, ...]
    mirrors: tuple[int, ...]
    permanent: bool
    kept_by: str
    spread: float
    reason: str

    def __str__(self) -> str:
        units = ", ".join(f"-{unit}" if unit in self.mirrors else f"{unit}" for unit in self.units)
        lasting = "permanent" if self.permanent else "not permanent"
        return (
            f"start {self.start}, hidden layer {self.layer}: {self.kind} {{{units}}}, {lasting} "
            f"(kept by {self.kept_by}), spread {self.spread:.1e}: {self.reason}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


def reason_of(kind: str, *, identical: bool, mirrored: bool, blocks: bool) -> str:
    """Return the reason as a sentence.

    Parameters
    ----------
    identical : the weights in and out are equal one by one, up to the sign of the mirrors.
    mirrored : some units are mirrors of others.
    blocks : g'(0) = 0 in this layer.
    """
    if kind == "zero":
        out = "g'(0) = 0" if blocks else "no delta comes back"
        return f"what comes in sums to nothing and {out}: a = 0, delta = 0, and so is the gradient."
    result = "equal a, equal delta"
    if mirrored:
        result = "g is odd, so a and delta are equal up to the sign"
    if kind == "equal_sums":
        return (
            "the weights differ, but their sums over each group of the layers beside are equal: "
            f"{result}, and equal changes of the weights."
        )
    order = "the same" if identical else "the same, in another order of units that are one unit"
    signs = " up to the sign" if mirrored else ""
    return f"the weights in and out are {order}{signs}: {result}, equal gradients and updates."
