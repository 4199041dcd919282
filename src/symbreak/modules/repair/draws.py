"""Fresh numbers for parameters of a module, by the rules of `initialize_module`.

    known role     what the rule of the role draws, biases and norms included; where the caller
                   names no rule and other units of the parameter stay, at their spread
    unknown role   N(0, std^2), std the spread that the parameter has; where it has none what the
                   finding says; else 1 / sqrt(the size of the last axis but one), as of x @ W

Streams are named after the parameter with ".repair" and the round, so that nothing is drawn as
`initialize_module` drew it from the same seed: a copy might be of just that.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from symbreak.initialization.rule import Rule
from symbreak.initialization.streams import Stream
from symbreak.modules.anatomy.reads import layers_read, reads_of
from symbreak.modules.anatomy.targets import check_module, targets_of
from symbreak.modules.initialization.defaults import rules_by_kind
from symbreak.modules.initialization.plan import Start, planned


class Draws:
    """What each parameter would be, drawn once and kept."""

    def __init__(self, module: nn.Module, rule: str | Rule | None, seed: int, turn: int) -> None:
        fallback = reads_of(None)
        module = check_module(module)
        layers = layers_read(module, fallback)
        self._starts = planned(targets_of(module), rules_by_kind(rule), layers, fallback)
        self._by_bias = {start.bias: start for start in self._starts.values() if start.bias}
        self._parameters = dict(module.named_parameters())
        self._drawn: dict[str, Tensor] = {}
        self._expected: dict[str, float | None] = {}
        self._seed = seed
        self._purpose = f"repair{turn}"
        self._is_chosen = rule is not None

    def knows(self, name: str) -> bool:
        """Tell whether the role of the parameter says how it begins."""
        start = self._by_bias.get(name, self._starts.get(name))
        return start is not None and (self._has_rule(start) or start.value is not None)

    def expect(self, name: str, std: float | None) -> None:
        """Remember what a parameter of unknown role is drawn with where it has no spread."""
        self._expected[name] = std

    def fresh(self, name: str, std: float | None = None) -> Tensor:
        """Return numbers like the parameter; `std` for those of unknown role."""
        if name not in self._drawn:
            self._draw(name, std)
        return self._drawn[name]

    def scale(self, name: str, rest: Tensor) -> float:
        """Return the spread of what stays over that of fresh numbers; 1 for a rule of the caller's.

        Parameters
        ----------
        rest : the entries that stay; 1 is returned where they, or the fresh ones, have no spread.
        """
        if self._is_chosen or self._parameters[name].dim() < 2:
            return 1.0
        stays, fresh = spread_of(rest), spread_of(self.fresh(name))
        return stays / fresh if stays and fresh else 1.0

    def noise(self, name: str) -> Tensor:
        """Return standard normal numbers, one for each entry."""
        parameter = self._parameters[name]
        stream = Stream(self._seed, f"{name}.{self._purpose}", range(1)).extra("noise")
        drawn = np.asarray(stream.normal(tuple(parameter.shape))[0])  # a number has no axes
        return torch.from_numpy(drawn).to(parameter)

    def _draw(self, name: str, std: float | None) -> None:
        parameter = self._parameters[name].detach()
        start = self._by_bias.get(name, self._starts.get(name))
        if start is not None and self._has_rule(start):
            self._by_rule(start)
        elif start is not None and start.value is not None:
            self._drawn[name] = torch.full_like(parameter, start.value)
        else:
            std = std or spread_of(parameter) or self._expected.get(name)
            std = std or 1 / math.sqrt(next(iter(parameter.shape[-2:]), 1))
            self._drawn[name] = std * self.noise(name)

    @staticmethod
    def _has_rule(start: Start) -> bool:
        return start.weight is not None and start.target.role.kind != "unknown"

    def _by_rule(self, start: Start) -> None:
        name, bias = start.target.name, self._parameters.get(start.bias)
        values = torch.zeros_like(start.target.tensor)
        biases = None if bias is None else torch.zeros_like(bias.detach())
        start.draw_(values, biases, self._seed, self._purpose)
        self._drawn[name] = values
        if biases is not None:
            self._drawn[start.bias] = biases


def spread_of(parameter: Tensor) -> float:
    """Return the standard deviation of the finite entries, 0 where there are none."""
    kept = parameter.detach().double()
    kept = kept[kept.isfinite()]
    return float(kept.std(correction=0)) if kept.numel() else 0.0
