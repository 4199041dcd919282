"""Repair a start: change what was found, leave all else as it is, and look again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, overload

from torch import nn

from symbreak.checks import check_positive
from symbreak.errors import InvalidInput, InvalidType
from symbreak.findings import Diagnosis, Finding
from symbreak.initialization.rule import Rule
from symbreak.initialization.streams import check_seed
from symbreak.modules.repair.draws import Draws, spread_of
from symbreak.modules.repair.work import ABLE, KINDS, Work
from symbreak.network import Network
from symbreak.symmetry.certificate import Symmetries
from symbreak.symmetry.repair import NOISE, ThetaRepair, repair_theta
from symbreak.symmetry.repaired import Repair, Repaired, check_how

TURNS = 4  # what was hidden behind NaN or a dead layer shows when that is mended


@dataclass(frozen=True)
class ModuleRepair(Repair):
    """The repair of a module.

    Attributes
    ----------
    before, after : the diagnosis that was given, and that of the repaired module.
    left : errors and warnings of `after`: what no draw can mend, such as a detached parameter.
    """

    before: Diagnosis
    after: Diagnosis

    @property
    def left(self) -> tuple[Finding, ...]:
        """What stays to be mended by hand."""
        return tuple(finding for finding in self.after.findings if finding.level != "note")

    def __str__(self) -> str:
        """Return the table for a terminal, and what is left."""
        lines = [f"Left: {f.kind} in {f.where or 'the module'}. {f.remedy}" for f in self.left]
        return "\n".join([super().__str__(), *lines])

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {**super().to_dict(), "after": self.after.to_dict()}


@overload
def repair(
    subject: Network,
    theta: Any,
    found: Symmetries,
    /,
    *,
    how: str = ...,
    seed: int | None = ...,
    rule: str | Rule | None = ...,
    noise: float = ...,
) -> ThetaRepair: ...


@overload
def repair(
    subject: nn.Module,
    found: Diagnosis,
    /,
    *,
    how: str = ...,
    seed: int | None = ...,
    rule: str | Rule | None = ...,
    noise: float = ...,
) -> ModuleRepair: ...


def repair(
    subject: Any,
    /,
    *found: Any,
    how: str = "redraw",
    seed: int | None = 0,
    rule: str | Rule | None = None,
    noise: float = NOISE,
) -> Any:
    """Break the symmetry that was found, and mend the other findings that a draw can mend.

    Only the units and parameters that were found are changed. Then the certificate or the
    diagnosis is made again: what was found must be gone.

    Parameters
    ----------
    subject, *found : `repair(module, diagnose(...))` changes the module in place;
        `repair(net, theta, symmetries(...))` returns the new theta in the result.
    how : "redraw" draws the incoming weights and biases of all but the first unit of a group anew
        by the rule; "perturb" adds a little noise to their weights; "split" keeps the function
        up to rounding, and shares out the outgoing weights of the group unequally.
    seed : not negative; None takes a fresh one.
    rule : what redraws: for a net "glorot_uniform" if None, for a module that of the role of
        each parameter, as in `initialize_module`, at the spread of the units that stay.
    noise : standard deviation of the noise, relative to the spread of the weights.

    Returns
    -------
    ThetaRepair or ModuleRepair
        `rows`: place, finding, units, how, before, after; `str()`, `to_dict()`; `after`, the new
        certificate or diagnosis; for a net `theta`.

    Raises
    ------
    InvalidInput, InvalidType
        It cannot be repaired that way, or is not clean afterwards; then nothing is changed.

    Examples
    --------
    >>> import numpy as np
    >>> import symbreak as sb
    >>> net = sb.Network((2, 3, 1), "tanh", "squared_error")
    >>> theta = np.full(net.n_parameters, 0.1)
    >>> repair = sb.repair(net, theta, sb.symmetries(net, theta))
    >>> repair.rows[0].units, repair.rows[0].before, repair.rows[0].after
    ((1, 2), '1 of 3 distinct', '3 of 3 distinct')
    """
    if isinstance(subject, Network):
        theta, symmetries = _taken(found, 2, "repair(net, theta, found)")
        rule = "glorot_uniform" if rule is None else rule
        return repair_theta(subject, theta, symmetries, how=how, seed=seed, rule=rule, noise=noise)
    if not isinstance(subject, nn.Module):
        raise InvalidType(
            "repair needs a torch.nn.Module or a Network. Got " + type(subject).__name__ + "."
        )
    (diagnosis,) = _taken(found, 1, "repair(module, found)")
    how = check_how(how)
    number = check_seed("seed of repair", seed)
    check_positive("noise of repair", noise)
    return _Repair(subject, diagnosis, how, number, rule, noise).run()


def _taken(given: tuple[Any, ...], count: int, form: str) -> tuple[Any, ...]:
    if len(given) != count:
        raise InvalidType(
            f"repair must be called as {form}. Got {len(given)} arguments after the first."
        )
    return given


class _Repair:
    """One repair of a module."""

    def __init__(
        self,
        module: nn.Module,
        found: Diagnosis,
        how: str,
        seed: int,
        rule: str | Rule | None,
        noise: float,
    ) -> None:
        if not isinstance(found, Diagnosis) or found.again is None:
            raise InvalidType(
                "found of repair must be what diagnose(module, ...) returned. Got "
                + ("a scan of weights." if isinstance(found, Diagnosis) else f"{type(found)}.")
            )
        self.module, self.found, self.again = module, found, found.again
        self.how, self.seed, self.rule = how, seed, rule
        self.work = Work(module, how, noise, seed)
        self.done: list[tuple[Finding, str, tuple[int, ...], float]] = []
        self.refused: list[InvalidInput] = []
        self.helpless: set[tuple[str, str]] = set()

    def run(self) -> ModuleRepair:
        """Mend, look again, and go on while there is something to mend."""
        found = self.found
        try:
            for turn in range(TURNS):
                wanted = [finding for finding in found.findings if self._wanted(finding)]
                if not wanted:
                    break
                wanted = self.work.causes(wanted) or wanted
                if not self._mend(wanted, Draws(self.module, self.rule, self.seed, turn)):
                    self._refuse(wanted)
                    break
                found = self.again(self.module)
            self._check(found)
        except BaseException:
            self.work.restore()
            raise
        rows = tuple(self._row(*done, found) for done in self.done)
        return ModuleRepair(self.how, self.seed, rows, self.found, found)

    def _wanted(self, finding: Finding) -> bool:
        """Tell whether it is an error, or a warning that can be mended that way."""
        if finding.level == "error":
            return finding.kind in KINDS
        if finding.kind == "wrong_scale" and finding.where in self.work.old:
            return False  # a part of it was drawn by another rule than the rest
        return finding.level == "warning" and finding.kind in ABLE[self.how]

    def _mend(self, wanted: list[Finding], draws: Draws) -> bool:
        """Change what can be changed; return whether anything was."""
        self.refused, before = [], len(self.done)
        for finding in wanted:
            try:
                mended = self.work.mend(finding, draws)
            except InvalidInput as refusal:
                self.refused.append(refusal)
                continue
            except IndexError as error:
                raise InvalidInput(
                    "found of repair must be the diagnosis of this module. Got units "
                    f"{list(finding.units)} of {finding.where!r}, which has fewer."
                ) from error
            if mended is None:
                self.helpless.add((finding.kind, finding.where))
                continue
            name, units = mended
            self.done.append((finding, name, units, spread_of(self.work.old[name])))
        return len(self.done) > before

    def _refuse(self, wanted: list[Finding]) -> None:
        """Raise if something could not be mended that way, or nothing at all."""
        if self.refused:
            raise self.refused[0]
        if not self.done:
            raise InvalidInput(
                "Findings to repair must be of weights that can be drawn. Got "
                f"{wanted[0].kind} of {wanted[0].where!r}: {wanted[0].remedy}"
            )

    def _check(self, after: Diagnosis) -> None:
        """Raise if anything that repair can mend is still there, or an error is new."""
        known = {(f.kind, f.where) for f in self.found.findings if not self._wanted(f)}
        known |= self.helpless & {(f.kind, f.where) for f in self.found.findings}
        left = [f for f in after.findings if self._wanted(f) or f.level == "error"]
        left = [f for f in left if (f.kind, f.where) not in known]
        if left and self.refused:
            raise self.refused[0]
        if left:
            raise InvalidInput(
                f"The start must be clean after repair. Got still {left[0].kind} of "
                f"{left[0].where!r} ({left[0].evidence}): use how='redraw', another seed or more "
                "noise, or see its remedy."
            )

    def _row(
        self, finding: Finding, name: str, units: tuple[int, ...], spread: float, after: Diagnosis
    ) -> Repaired:
        same = [f for f in after.findings if (f.kind, f.where) == (finding.kind, finding.where)]
        now = spread_of(dict(self.module.named_parameters())[name])
        return Repaired(
            finding.where,
            finding.kind,
            units,
            self.how,
            f"{finding.level}, spread {spread:.3g} of {name}",
            f"{same[0].level if same else 'gone'}, spread {now:.3g}",
        )
