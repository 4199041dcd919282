"""The change that each finding asks for, written into the module; all old values are kept.

    finding                             redraw                       perturb           split
    identical_units, mirrored_units     all units but the first      the same          all
    (units without weights in)          all                          all               refused
    dead_, saturated_, constant_units   all                          refused           refused
    no_gradient of two zero factors     the one that it names        refused           refused
    non_finite                          the entries that are not     refused           refused
    uninitialized, wrong_scale          the parameter                refused           refused
    identical_tensors                   all parameters but the first the same          refused

"perturb" adds noise * spread * N(0, 1) to weights, not to biases; see `symmetry.repair`, and
`symmetry.unequal_split` for "split". Frozen parameters stay.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from symbreak.errors import InvalidInput
from symbreak.findings import Finding
from symbreak.initialization.streams import Floats, Stream
from symbreak.modules.anatomy.outgoing import layer_of, reader_of
from symbreak.modules.anatomy.targets import weight_of
from symbreak.modules.diagnosis.detectors.identical_tensors import alike, random_looking
from symbreak.modules.repair.draws import Draws, spread_of
from symbreak.modules.repair.places import Part, incoming, joined
from symbreak.symmetry.unequal_split import shared_out, unequal_shares

TWINS = ("identical_units", "mirrored_units")
SILENT = ("dead_units", "saturated_units", "constant_units")
WHOLE = ("no_gradient", "non_finite", "uninitialized", "wrong_scale")
KINDS = (*TWINS, *SILENT, *WHOLE, "identical_tensors")
ABLE = {"redraw": KINDS, "perturb": (*TWINS, "identical_tensors"), "split": TWINS}


class Work:
    """Changes parameters of a module in place, and can put all back."""

    def __init__(self, module: nn.Module, how: str, noise: float, seed: int) -> None:
        self.module = module
        self.old: dict[str, Tensor] = {}
        self._how, self._noise, self._seed = how, noise, seed
        self._parameters = dict(module.named_parameters())

    def causes(self, findings: Sequence[Finding]) -> list[Finding]:
        """Return those of parameters without sound numbers: all else may follow from these."""
        return [
            f
            for f in findings
            if f.kind == "uninitialized"
            or (f.kind == "non_finite" and not self._is_finite(f.where))
        ]

    def _is_finite(self, name: str) -> bool:
        values = self._parameters.get(name)
        return values is None or bool(values.detach().isfinite().all())

    def mend(self, finding: Finding, draws: Draws) -> tuple[str, tuple[int, ...]] | None:
        """Change what a finding names; return a parameter of it and the units that changed.

        None where the finding is a consequence of others: it has no entries of its own.

        Raises
        ------
        InvalidInput
            The finding cannot be mended that way.
        """
        if finding.kind not in ABLE[self._how]:
            raise InvalidInput(
                f"{finding.kind} of repair must be mended with how='redraw'. Got "
                f"how={self._how!r} for {finding.where!r}."
            )
        if finding.kind in WHOLE:
            return self._whole(finding, draws)
        if finding.kind == "identical_tensors":
            return self._tensors(finding, draws)
        units = tuple(unit for unit in finding.units if isinstance(unit, int))
        if self._how == "split":
            return self._split(finding, units)
        if finding.parts and not self._is_known(finding):
            names = [done[0] for part in finding.parts if (done := self.mend(part, draws))]
            return names[0], units[1:]
        for name in (finding.where, joined(finding.where, "weight")):
            draws.expect(name, finding.std)
        scales = self._scales(finding, units, draws)
        if finding.kind in TWINS and self._has_weights(finding, units[0]):
            units = units[1:]
        parts = self._incoming(finding, units)
        for part in parts:
            self._change(part, draws, scales[part.parameter])
        return parts[0].parameter, units

    def restore(self) -> None:
        """Put all old values back."""
        for name, values in self.old.items():
            self._parameters[name].detach().copy_(values)

    def _is_known(self, finding: Finding) -> bool:
        """Tell whether the place itself says where its weights are, not its parts alone."""
        try:
            return bool(incoming(self.module, finding, 0))
        except InvalidInput:
            return False

    def _incoming(self, finding: Finding, units: Sequence[int]) -> list[Part]:
        return [part for unit in units for part in incoming(self.module, finding, unit)]

    def _scales(self, finding: Finding, units: Sequence[int], draws: Draws) -> dict[str, float]:
        """Return what fresh numbers are multiplied by, so that a layer keeps one spread."""
        masks: dict[str, Tensor] = {}
        for part in self._incoming(finding, units):
            values = self._parameters[part.parameter].detach()
            mask = masks.setdefault(part.parameter, torch.zeros_like(values, dtype=torch.bool))
            mask[part.index] = True
        return {
            name: draws.scale(name, self._parameters[name].detach()[~mask])
            for name, mask in masks.items()
        }

    def _has_weights(self, finding: Finding, unit: int) -> bool:
        parts = self._incoming(finding, [unit])
        values = (self._parameters[part.parameter].detach()[part.index] for part in parts)
        return any(bool(each.any()) for each in values)

    def _change(self, part: Part, draws: Draws, scale: float = 1.0) -> None:
        target = self._target(part.parameter)
        if self._how == "redraw":
            target[part.index] = scale * draws.fresh(part.parameter)[part.index]
        elif target.dim() > 1:
            spread = spread_of(self.old[part.parameter]) or spread_of(draws.fresh(part.parameter))
            # From the old values: a part that is named twice gets its noise once.
            noise = self._noise * spread * draws.noise(part.parameter)
            target[part.index] = (self.old[part.parameter] + noise)[part.index]

    def _target(self, name: str) -> Tensor:
        """Return the values to write into, those before the first change kept."""
        parameter = self._parameters[name]
        if name not in self.old:
            self.old[name] = parameter.detach().clone()
        return parameter.detach() if parameter.requires_grad else self.old[name].clone()

    def _whole(self, finding: Finding, draws: Draws) -> tuple[str, tuple[int, ...]] | None:
        name = finding.where
        if name not in self._parameters:
            return None
        values = self._parameters[name].detach()
        where: Any = ()
        if finding.kind == "no_gradient" and (values.dim() == 1 or bool(values.any())):
            return None  # what follows it blocks the gradient
        if finding.kind == "non_finite":
            where = (~values.isfinite(),)
            if not bool(where[0].any()):
                return None  # its gradient is not finite, for another's sake
        if finding.kind == "uninitialized" and not draws.knows(name):
            return self._written(finding, draws)
        if finding.kind == "non_finite" and not draws.knows(name):
            draws.expect(name, finding.std)
            if finding.value is not None:
                self._target(name)[where] = finding.value
                return name, ()
        fresh = draws.fresh(name, finding.std if finding.kind == "wrong_scale" else None)
        self._target(name)[where] = fresh[where]
        return name, ()

    def _written(self, finding: Finding, draws: Draws) -> tuple[str, tuple[int, ...]] | None:
        """Write a parameter of no known role as its remedy does; what it holds tells nothing."""
        name = finding.where
        if finding.std is not None:
            self._target(name)[()] = draws.fresh(name, finding.std)
        elif finding.value is not None:
            self._target(name)[()] = finding.value
        else:
            return None
        return name, ()

    def _tensors(self, finding: Finding, draws: Draws) -> tuple[str, tuple[int, ...]] | None:
        """Change all parameters but the first of those that begin at the finding's place."""
        place = finding.where
        copies = [
            name
            for names in _identical(self._parameters)
            if not place or f"{names[0]}.".startswith(f"{place}.")
            for name in names[1:]
        ]
        for name in copies:
            self._change(Part(name, ()), draws)
        return (copies[-1], ()) if copies else None

    def _split(self, finding: Finding, units: tuple[int, ...]) -> tuple[str, tuple[int, ...]]:
        layer = layer_of(self.module, finding.where)
        reader = reader_of(self.module, layer)
        if reader is None:
            raise InvalidInput(
                "Units to split must be read by one layer, in a Sequential or a transformer layer "
                f"of torch.nn, with no norm between. Got {finding.where!r}: use how='redraw'."
            )
        reading = weight_of(self.module.get_submodule(reader))
        assert reading is not None
        name = joined(reader, reading.leaf)
        if not self._is_free(name):
            raise InvalidInput(
                "Outgoing weights to split must be trained, not tied and not parametrized. Got "
                f"{name}: use how='redraw'."
            )
        self._target(name)
        out = reading.role.ways_out(reading.tensor, self._n_units(finding, layer))
        stream = Stream(self._seed, f"{name}.split.{units[0]}", range(1))
        ways = out[list(units)].flatten(1).double().cpu().numpy().T
        shares = unequal_shares(len(units), stream)
        shared = shared_out(ways, self._signs(finding, units), shares)
        if not shared.any() or not self._has_weights(finding, units[0]):
            raise InvalidInput(
                f"Units to split must have ways in and out. Got units {list(units)} of "
                f"{finding.where!r} without: use how='redraw'."
            )
        fresh = torch.from_numpy(shared.T.copy()).to(out)
        out[list(units)] = fresh.reshape(out[list(units)].shape)
        return name, units

    def _n_units(self, finding: Finding, layer: str) -> int:
        known = weight_of(self.module.get_submodule(layer))
        if known is not None:
            return known.n_units
        part = incoming(self.module, finding, 0)[0]
        return self._parameters[part.parameter].shape[finding.axis or 0]

    def _is_free(self, name: str) -> bool:
        """Tell whether a parameter is trained and of this name alone."""
        parameter = self._parameters.get(name)
        everywhere = [p for _, p in self.module.named_parameters(remove_duplicate=False)]
        alone = sum(each is parameter for each in everywhere) == 1
        return parameter is not None and parameter.requires_grad and alone

    def _signs(self, finding: Finding, units: Sequence[int]) -> Floats:
        """Return 1, or -1 for units whose ways in are the mirror of the first one's."""
        if finding.kind == "identical_units":
            return np.ones(len(units))
        rows = []
        for unit in units:
            parts = incoming(self.module, finding, unit)
            values = [self._parameters[p.parameter].detach()[p.index].flatten() for p in parts]
            rows.append(torch.cat(values).double().cpu())
        stack = torch.stack(rows)
        return np.asarray(torch.sign(stack @ stack[0]).numpy())


def _identical(parameters: dict[str, nn.Parameter]) -> Iterator[tuple[str, ...]]:
    by_shape: defaultdict[tuple[int, ...], list[tuple[str, Tensor]]] = defaultdict(list)
    for name, parameter in parameters.items():
        if random_looking(parameter.detach()):
            by_shape[tuple(parameter.shape)].append((name, parameter.detach()))
    for tensors in by_shape.values():
        equal, scaled = alike(tensors)
        yield from (*equal, *scaled)
