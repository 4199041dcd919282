"""vanishing_signal, exploding_signal: what tells samples apart, or the gradient, shrinks or grows
from layer to layer; a line through its logarithm tells by how much.

Conventions
-----------
forward size of a site : root of the mean over units of the variance over samples of z. The variance
    over samples, not the square: what is equal for all samples carries nothing of the input.
backward size of a site : norm of dJ/dz over all units and samples, which an orthogonal layer keeps
    whatever the number of positions.
growth : exp(slope (n - 1)) of the least-squares line of log size over the site's number 0..n-1. One
    site that is small by design (a gate, the last layer of a branch) hardly turns the line.

Threshold: growth outside [1e-3, 1e3] over the sites seen, at least `FEWEST` of them. Source:
AUTOTRAINER (Zhang, Zhai, Ma and Shen 2021), ratio of first to last layer 1e-3; turned upside
down for growing signals (theirs is a norm of 70, which depends on the size of the net). Level:
warning. Exactly zero sizes are left out: zero heads and zero last layers are no matter of scale.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from symbreak.findings import Finding
from symbreak.modules.diagnosis.detectors.inactive_units import variation
from symbreak.modules.observation.observed import CONV, LINEAR, RECURRENT, Observed, Site

KINDS = (LINEAR, CONV, RECURRENT)
LIMIT = 1e3
FEWEST = 4
REMEDY = (
    "Draw the weights with the gain of the activation (for relu He's rule; initialize_module does "
    "so, for all of a module that was never trained), or normalise between the layers."
)


@dataclass(frozen=True)
class Trend:
    """The growth of a signal along the sites it passes.

    Parameters
    ----------
    names : of the sites, in the order in which the signal passes them.
    sizes : of the signal there.
    """

    names: tuple[str, ...]
    sizes: tuple[float, ...]

    @property
    def per_site(self) -> float:
        """The factor from one site to the next."""
        return math.exp(_slope([math.log(size) for size in self.sizes]))

    @property
    def growth(self) -> float:
        """The factor from the first site to the last."""
        return self.per_site ** (len(self.sizes) - 1)

    def __str__(self) -> str:
        return (
            f"{self.growth:.3g} over {len(self.sizes)} sites, {self.per_site:.3g} each: "
            f"{self.sizes[0]:.3g} at {self.names[0]}, {self.sizes[-1]:.3g} at {self.names[-1]}"
        )


def detect_vanishing(observed: Observed) -> Iterator[Finding]:
    """Yield one finding for the forward signal and one for the gradient, where it shrinks."""
    for signal, trend in _trends(observed):
        if trend.growth < 1 / LIMIT:
            yield _finding("vanishing_signal", signal, trend)


def detect_exploding(observed: Observed) -> Iterator[Finding]:
    """Yield one finding for the forward signal and one for the gradient, where it grows."""
    for signal, trend in _trends(observed):
        if trend.growth > LIMIT:
            yield _finding("exploding_signal", signal, trend)


def _trends(observed: Observed) -> Iterator[tuple[str, Trend]]:
    if (forward := forward_trend(observed)) is not None:
        yield "forward signal", forward
    if (backward := backward_trend(observed)) is not None:
        yield "gradient", backward


def _finding(kind: str, signal: str, trend: Trend) -> Finding:
    evidence = f"the {signal} changes by a factor of {trend}"
    return Finding(kind, "warning", trend.names[-1], (), None, evidence, REMEDY)


def forward_trend(observed: Observed) -> Trend | None:
    """Return how the signal grows from the first site to the last, None for too few sites."""
    return _trend([(site.name, forward_size(site)) for site in signal_sites(observed)])


def backward_trend(observed: Observed) -> Trend | None:
    """Return how the gradient grows from the last site to the first, None for too few sites."""
    sized = [(site.name, float(site.deltas.double().norm())) for site in signal_sites(observed)]
    return _trend(sized[::-1])


def signal_sites(observed: Observed) -> list[Site]:
    """Return the sites that a signal passes, in the order of first use."""
    return [site for site in observed.sites if site.kind in KINDS and site.activations.numel()]


def forward_size(site: Site) -> float:
    """Return the size of what tells samples apart in z."""
    return float(variation(site.activations).square().mean().sqrt())


def _trend(sized: Sequence[tuple[str, float]]) -> Trend | None:
    kept = [(name, size) for name, size in sized if 0 < size < math.inf]
    if len(kept) < FEWEST:
        return None
    return Trend(tuple(name for name, _ in kept), tuple(size for _, size in kept))


def _slope(values: Sequence[float]) -> float:
    middle = (len(values) - 1) / 2
    above = sum((i - middle) * value for i, value in enumerate(values))
    return above / sum((i - middle) ** 2 for i in range(len(values)))
