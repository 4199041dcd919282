"""Repair of theta: break the groups that a certificate found, and leave all else as it is.

    redraw   Theta[unit] <- rule       incoming weights and bias of all but the first of a group
    perturb  w_in[unit] += noise * spread * N(0, 1)                            the same units
    split    w_out[units] <- unequal shares of what they do together           all of a group

The spread is the standard deviation of the layer's weights, or of what the rule would draw where
these are all equal. Units that are nothing ("zero") have no first one to keep: all are changed.
Streams are named after the block with ".repair", so that no unit is drawn as `initialize` drew it
from the same seed: the copy might be of just that one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from symbreak.arrays import as_array, as_numpy, like
from symbreak.checks import check_positive
from symbreak.errors import InvalidInput, InvalidType
from symbreak.initialization.initialize import layer_shapes
from symbreak.initialization.rule import Rule
from symbreak.initialization.rules import resolve
from symbreak.initialization.streams import Floats, Stream, check_seed
from symbreak.network import Network
from symbreak.parameters import check_size
from symbreak.symmetry.certificate import Symmetries, symmetries
from symbreak.symmetry.groups import Group
from symbreak.symmetry.repaired import Repair, Repaired, check_how
from symbreak.symmetry.unequal_split import shared_out, unequal_shares

NOISE = 0.01


@dataclass(frozen=True, eq=False)
class ThetaRepair(Repair):
    """The repair of a theta.

    Attributes
    ----------
    theta : the repaired one, of the shape and kind of the old one.
    after : its certificate, which has no groups.
    """

    theta: Any
    after: Symmetries

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON, without theta."""
        return {**super().to_dict(), "after": self.after.to_dict()}


def repair_theta(
    network: Network,
    theta: Any,
    certificate: Symmetries,
    *,
    how: str = "redraw",
    seed: int | None = 0,
    rule: str | Rule = "glorot_uniform",
    noise: float = NOISE,
) -> ThetaRepair:
    """Break the groups of a certificate; see `symbreak.repair`."""
    how = check_how(how)
    number = check_seed("seed of repair", seed)
    check_positive("noise of repair", noise)
    stack = _checked(network, theta, certificate)
    work = _Work(network, stack.copy(), resolve(rule), number, noise)
    for group in certificate.groups:
        getattr(work, how)(group)
    fresh = like(work.stack.reshape(np.shape(theta)), theta)
    after = _certified(network, fresh, certificate)
    rows = tuple(_row(group, certificate, after, how) for group in certificate.groups)
    return ThetaRepair(how, number, rows, fresh, after)


def _checked(network: Network, theta: Any, certificate: Symmetries) -> Floats:
    if not isinstance(certificate, Symmetries):
        raise InvalidType(
            "found of repair must be what symmetries(net, theta) returned. "
            f"Got {type(certificate).__name__}."
        )
    given = as_numpy(as_array(theta, "theta"))
    check_size(given, network.blocks)
    stack = np.atleast_2d(given.astype(np.float64, copy=False))
    if certificate.network != network or not np.array_equal(stack, certificate._theta):
        raise InvalidInput(
            "found of repair must be the certificate of this network and theta. Got that of "
            "another one."
        )
    return stack


@dataclass
class _Work:
    """A copy of the stack of theta, changed group by group."""

    network: Network
    stack: Floats
    rule: Rule
    seed: int
    noise: float

    def redraw(self, group: Group) -> None:
        """Draw the ways in anew."""
        shape = layer_shapes(self.network)[group.layer - 1]
        drawn = self.rule.draw(shape, self._stream(group, group.layer, "repair"))[0]
        units = _changed(group)
        self._theta(group, group.layer)[units] = drawn[units]

    def perturb(self, group: Group) -> None:
        """Add noise to the ways in, not to the bias."""
        weights, units = self._theta(group, group.layer)[:, 1:], _changed(group)
        shape = layer_shapes(self.network)[group.layer - 1]
        spread = float(weights.std()) or self.rule.spread(shape)
        drawn = self._stream(group, group.layer, "repair").normal(weights.shape)[0]
        weights[units] += self.noise * spread * drawn[units]

    def split(self, group: Group) -> None:
        """Share out the ways out unequally."""
        if group.kind == "zero":
            raise InvalidInput(
                "Units to split must do something. Got units "
                f"{list(group.units)} of {_place(group)}, which are nothing: use how='redraw'."
            )
        units = list(group.units)
        signs = np.array([-1.0 if unit in group.mirrors else 1.0 for unit in units])
        stream = self._stream(group, group.layer, f"split.{units[0]}")
        weights = self._theta(group, group.layer + 1)[:, 1:]
        out = shared_out(weights[:, units], signs, unequal_shares(len(units), stream))
        if not out.any():
            raise InvalidInput(
                f"Units to split must have ways out. Got units {units} of {_place(group)}, whose "
                "outgoing weights sum to zero: use how='redraw'."
            )
        weights[:, units] = out

    def _theta(self, group: Group, number: int) -> Floats:
        """Return Theta<number> of the start of the group, a view."""
        theta: Floats = self.network.thetas(self.stack[group.start])[number - 1]
        return theta

    def _stream(self, group: Group, number: int, purpose: str) -> Stream:
        return Stream(self.seed, f"Theta{number}", [group.start]).extra(purpose)


def _changed(group: Group) -> list[int]:
    return list(group.units if group.kind == "zero" else group.units[1:])


def _certified(network: Network, theta: Any, certificate: Symmetries) -> Symmetries:
    # Sums alone find whatever any update and penalty could keep.
    after = symmetries(network, theta, update=certificate.update)
    if after.groups:
        raise InvalidInput(
            f"Repaired units must be distinct. Got still {_place(after.groups[0])}, "
            f"{after.groups[0].kind} {list(after.groups[0].units)}: use how='redraw' with a random "
            "rule, another seed, or more noise."
        )
    return after


def _place(group: Group) -> str:
    return f"start {group.start}, hidden layer {group.layer}"


def _row(group: Group, certificate: Symmetries, after: Symmetries, how: str) -> Repaired:
    full = certificate.network.layers[group.layer]
    before, now = (
        f"{each.effective_widths[group.start, group.layer - 1]} of {full} distinct"
        for each in (certificate, after)
    )
    units = group.units if how == "split" else tuple(_changed(group))
    return Repaired(_place(group), group.kind, units, how, before, now)
