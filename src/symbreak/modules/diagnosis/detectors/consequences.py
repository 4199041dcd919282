"""Whether a spread of weights that is off shows in what the network does.

Many published starts are small or large on purpose: the head of a policy, the last layer of a
residual branch, a gate, sin(30 z). The weights alone cannot tell these from mistakes; what the
network makes of them can.

Conventions
-----------
size : root of the mean over units of the variance over samples of z (see `signal`).
healthy : the size of z that He's spread would give, size / ratio.
later : the sites after this one, in the order of first use. What is small on a side branch leaves
    the main one as it is, and a norm restores the size.

Thresholds: a trend of the signal or the gradient beyond that of `signal`; or for a ratio
    below 1: all later sizes below 1e-2 x healthy. SIREN (Sitzmann and others 2020) rests at 1/30.
        The last site has no later one: its smallness hurts nobody.
    above 1: all later sizes above 10 x healthy (the range of `wrong_scale`), the loss too high for
        `initial_loss` or, at the last site, not to be judged, or half of what tanh or sigmoid
        reads from it in its flat ends (`saturated_units`).
    A size of 0 is left out: a zero head is no matter of scale.
Where no site was seen, nothing can be excused.
"""

from __future__ import annotations

from functools import cached_property

from symbreak.modules.diagnosis.detectors.inactive_units import FLAT, WHOLE_LAYER
from symbreak.modules.diagnosis.detectors.initial_loss import FACTOR, value_of_knowing_nothing
from symbreak.modules.diagnosis.detectors.signal import (
    LIMIT,
    backward_trend,
    forward_size,
    forward_trend,
    signal_sites,
)
from symbreak.modules.observation.observed import Observed

SMALL, LARGE = 1e-2, 10.0


class Consequences:
    """What the signals of one observation say about scales; all is computed when first asked."""

    def __init__(self, observed: Observed) -> None:
        self._observed = observed
        self._sites = signal_sites(observed)

    def show(self, name: str, ratio: float) -> bool:
        """Return whether the signals suffer from a parameter whose spread is `ratio` x He's."""
        if not self._sites or self._trend:
            return True
        place = next((k for k, s in enumerate(self._sites) if name in s.parameters), None)
        if place is None:
            return ratio > 1 and self._high_loss(last=True)
        changes = self._changes(place, ratio)
        if ratio < 1:
            return bool(changes) and max(changes) < SMALL
        grown = bool(changes) and min(changes) > LARGE
        saturated = self._sites[place].name in self._saturated
        return grown or saturated or self._high_loss(last=not changes)

    def _changes(self, place: int, ratio: float) -> list[float]:
        """Return the sizes at later sites over the healthy size at this one."""
        healthy = self._sizes[place] / ratio
        return [size / healthy for size in self._sizes[place + 1 :] if size and healthy]

    def _high_loss(self, last: bool) -> bool:
        return self._loss_ratio > FACTOR if self._loss_ratio is not None else last

    @cached_property
    def _sizes(self) -> list[float]:
        return [forward_size(site) for site in self._sites]

    @cached_property
    def _trend(self) -> bool:
        trends = forward_trend(self._observed), backward_trend(self._observed)
        return any(t is not None and not 1 / LIMIT <= t.growth <= LIMIT for t in trends)

    @cached_property
    def _loss_ratio(self) -> float | None:
        seen = self._observed
        nothing = value_of_knowing_nothing(seen.loss, seen.output, seen.targets)
        return seen.loss_value / nothing if nothing is not None and nothing > 0 else None

    @cached_property
    def _saturated(self) -> set[str]:
        calls = [c for c in self._observed.calls if c.function.rstrip("_") in ("tanh", "sigmoid")]
        flat = ((c.site, (c.before.abs() > FLAT).double().mean()) for c in calls)
        return {site for site, share in flat if float(share) >= WHOLE_LAYER}
