"""Starts for the parameters of any module, by the rules that networks are started with.

Conventions
-----------
A weight is a parameter of two or more axes, (out, in, *kernel) with r entries in the kernel:
fan_in = in r, fan_out = out r. The rule sees it as a Theta of (out, 1 + in r), bias in column 0;
where the layer has a trained bias of its own, it takes column 0.

Known from the layer that owns the weight, since the shape cannot tell:

    recurrent layers and cells   gates stacked on the first axis: one Theta for each
    packed attention weights     query, key and value stacked: one Theta for each
    grouped convolutions         one Theta for each group
    transposed convolutions      (in, out, *kernel)
    embeddings                   (entries, dimension): out, in; a padding row keeps its values

Weights of norms, biases without a weight, parameters of one axis, and sizes of weight
normalisation keep the values of the module.

Randomness: Stream(seed, name of the parameter), for a stacked one "name.0", "name.1", ...
"""

from __future__ import annotations

import math
import operator
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.utils.parametrize import ParametrizationList

from symbreak.errors import InvalidInput, InvalidType
from symbreak.initialization import LayerShape, Rule, Stream
from symbreak.initialization.streams import Floats
from symbreak.initialization.warning import warn_symmetric
from symbreak.parameters import Block

_NORMS = (nn.LayerNorm, nn.RMSNorm)
_RECURRENT = (nn.RNNBase, nn.RNNCellBase)
_FRESH_SEED_BITS = 64


@dataclass(frozen=True)
class WeightShape(LayerShape):
    """A weight as a rule sees it.

    Parameters
    ----------
    receptive : int
        Entries of the kernel; `units_in` counts them already.
    """

    receptive: int = 1

    @property
    def fan_out(self) -> int:
        """Weights that read one input."""
        return self.units_out * self.receptive


@dataclass(frozen=True)
class Weight:
    """A parameter that a rule draws.

    Attributes
    ----------
    block : its place in theta.
    bias : the place of the bias of the same layer; None when there is none in theta.
    parts : matrices stacked on the first axis.
    is_transposed : whether the axes are (in, out, *kernel).
    padding : the row that is not drawn, or None.
    """

    block: Block
    bias: Block | None
    parts: int
    is_transposed: bool
    padding: int | None

    @property
    def shape(self) -> WeightShape:
        """One part as the rule sees it."""
        first, second, *kernel = self.block.shape
        first //= self.parts
        units_out, inputs = (second, first) if self.is_transposed else (first, second)
        receptive = math.prod(kernel)
        return WeightShape(inputs * receptive, units_out, receptive=receptive)

    def draw(self, rule: Rule, seed: int, starts: Sequence[int]) -> tuple[Floats, Floats]:
        """Return weights (starts, *shape of the block) and biases (starts, parts * out)."""
        name = self.block.name
        names = [name] if self.parts == 1 else [f"{name}.{part}" for part in range(self.parts)]
        drawn = [rule.draw(self.shape, Stream(seed, each, starts)) for each in names]
        weights = np.concatenate([self._weights(theta) for theta in drawn], axis=1)
        return weights, np.concatenate([theta[..., 0] for theta in drawn], axis=1)

    def _weights(self, theta: Floats) -> Floats:
        _, units_out, _ = theta.shape
        weights = theta[..., 1:].reshape(len(theta), units_out, -1, *self.block.shape[2:])
        return weights.swapaxes(1, 2) if self.is_transposed else weights


def weights_of(module: nn.Module, blocks: Sequence[Block]) -> tuple[Weight, ...]:
    """Return the parameters of theta that a rule draws."""
    by_name = {block.name: block for block in blocks}
    found = (_weight(module, block, by_name) for block in blocks)
    return tuple(weight for weight in found if weight is not None)


def draw_into(
    theta: Floats, weights: Sequence[Weight], rule: Rule, seed: int, starts: Sequence[int]
) -> None:
    """Overwrite what the rule draws in theta (starts, n), which holds the module's own values."""
    for weight in weights:
        drawn, biases = weight.draw(rule, seed, starts)
        place = theta[:, weight.block.slice].reshape(drawn.shape)
        if weight.padding is not None:
            drawn[:, weight.padding] = place[:, weight.padding]
        theta[:, weight.block.slice] = drawn.reshape(len(starts), -1)
        if weight.bias is not None:
            theta[:, weight.bias.slice] = biases


def warn_of_symmetry(rule: Rule, weights: Sequence[Weight]) -> None:
    """Warn when the rule starts all units of several layers equal."""
    if rule.symmetric and len(weights) > 1:
        warn_symmetric(
            f"Rule {rule.name!r} starts all units of a layer equal, in {len(weights)} weights "
            f"from {weights[0].block.name} to {weights[-1].block.name}. Use a random rule such as "
            "'glorot_uniform'."
        )


def check_count(what: str, value: Any, least: int) -> int:
    """Return a whole number of at least `least`."""
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise InvalidType(f"{what} must be an integer or None. Got {value!r}.") from None
    if number < least:
        raise InvalidInput(f"{what} must be at least {least}, or None. Got {number}.")
    return number


def check_seed(seed: Any) -> int:
    """Return the seed; a fresh one for None."""
    if seed is None:
        return secrets.randbits(_FRESH_SEED_BITS)
    return check_count("seed of initialize", seed, 0)


def _weight(module: nn.Module, block: Block, by_name: dict[str, Block]) -> Weight | None:
    path, _, leaf = block.name.rpartition(".")
    owner = module.get_submodule(path)
    if len(block.shape) < 2 or block.size == 0 or _keeps_its_values(owner, leaf, block):
        return None
    parts = _parts(owner, leaf, block)
    is_transposed = isinstance(owner, _ConvTransposeNd)
    padding = getattr(owner, "padding_idx", None) if _is_embedding(owner) else None
    weight = Weight(block, None, parts, is_transposed, padding)
    prefix = f"{path}." if path else ""
    bias = by_name.get(prefix + leaf.replace("weight", "bias")) if "weight" in leaf else None
    if bias is None or bias.shape != (parts * weight.shape.units_out,) or _is_embedding(owner):
        return weight
    return Weight(block, bias, parts, is_transposed, padding)


def _is_embedding(owner: nn.Module) -> bool:
    return isinstance(owner, nn.Embedding | nn.EmbeddingBag)


def _keeps_its_values(owner: nn.Module, leaf: str, block: Block) -> bool:
    is_split = isinstance(owner, ParametrizationList) and leaf != "original"
    is_size = is_split and block.size == max(block.shape)
    return isinstance(owner, _NORMS) or leaf.startswith("bias") or is_size


def _parts(owner: nn.Module, leaf: str, block: Block) -> int:
    rows = block.shape[0]
    if isinstance(owner, _RECURRENT) and rows % int(owner.hidden_size) == 0:
        return rows // int(owner.hidden_size)
    if isinstance(owner, nn.MultiheadAttention) and leaf == "in_proj_weight":
        return 3
    return owner.groups if isinstance(owner, _ConvNd) else 1
