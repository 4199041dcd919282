"""Which activation the layers of a module read, as far as the module's order tells.

    nn.Sequential               the activation before the layer; none before the first: the data;
                                unknown behind a layer that is not of torch.nn
    norms                       what reads a norm reads numbers of size 1: gain 1
    TransformerEncoderLayer,    linear2 reads the layer's `activation`, linear1 a norm; so does a
    TransformerDecoderLayer     decoder layer
    all other places            unknown: `activation=` of the caller, else gain 1

The gain of an activation is 1 / sqrt(E[g(z)^2]), z ~ N(0, 1), as everywhere in this package (see
`gains`): it belongs to the layer that *reads* g. It is integrated here, so that it is right for
every slope and every elementwise activation of torch.nn.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules import dropout, flatten, padding, pooling, upsampling
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd

from symbreak.activations import ACTIVATIONS
from symbreak.errors import InvalidType
from symbreak.initialization.gains import activation_gain

ELEMENTWISE = (
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.RReLU, nn.ELU, nn.CELU, nn.SELU, nn.GELU),
    *(nn.SiLU, nn.Mish, nn.Sigmoid, nn.LogSigmoid, nn.Tanh, nn.Softplus, nn.Softsign),
    *(nn.Hardtanh, nn.Hardsigmoid, nn.Hardswish, nn.Hardshrink, nn.Softshrink),
    *(nn.Tanhshrink, nn.Threshold),
)
_AFFINE = (nn.Linear, nn.Bilinear, nn.Embedding, nn.EmbeddingBag, _ConvNd)
_NORMS = (nn.LayerNorm, nn.RMSNorm, nn.GroupNorm, _NormBase)
_LETTING_THROUGH = (nn.Identity, nn.ChannelShuffle, nn.PixelShuffle, nn.PixelUnshuffle)
_LETTING_THROUGH_HOMES = {m.__name__ for m in (dropout, flatten, padding, pooling, upsampling)}
_WORDS = {nn.LeakyReLU: "leaky_relu", nn.PReLU: "prelu"}
_PANELS = np.arange(-12.0, 12.0, 0.5)  # kinks of the usual activations lie between panels
_PRELU_START = 0.25


@dataclass(frozen=True)
class Reads:
    """What a layer reads.

    Attributes
    ----------
    name : of the activation; None for the data, a norm, or when it is not known.
    gain : of the activation.
    is_known : whether the order of the module told it.
    follows : the name of the layer's own activation, or None.
    """

    name: str | None = None
    gain: float = 1.0
    is_known: bool = True
    follows: str | None = None


DATA = Reads()
UNKNOWN = Reads(is_known=False)


def reads_of(activation: Any) -> Reads:
    """Return what `activation=` means: a word, a module or an elementwise function."""
    if activation is None:
        return UNKNOWN
    if isinstance(activation, str):
        return Reads(activation, activation_gain(activation))
    reads = _activation(activation) if callable(activation) else None
    if reads is None:
        raise InvalidType(
            f"activation of initialize_module must be one of {', '.join(ACTIVATIONS)}, or an "
            f"elementwise activation such as torch.nn.Mish(). Got {activation!r}."
        )
    return reads


def layers_read(module: nn.Module, fallback: Reads) -> dict[int, Reads]:
    """Return what each layer reads, by the id of the layer; absent ones read the `fallback`."""
    by_layer: dict[int, Reads] = {}
    inner = {id(child) for part in _sequentials(module) for child in part}
    for part in _sequentials(module):
        if id(part) not in inner:
            by_layer |= _walk(part, DATA if part is module else fallback, fallback)
    for layer in module.modules():
        if isinstance(layer, nn.TransformerEncoderLayer | nn.TransformerDecoderLayer):
            by_layer[id(layer.linear1)] = DATA
            by_layer[id(layer.linear2)] = _activation(layer.activation) or fallback
        if isinstance(layer, nn.MultiheadAttention):
            by_layer[id(layer.out_proj)] = DATA
    return by_layer


def _sequentials(module: nn.Module) -> Iterator[nn.Sequential]:
    return (part for part in module.modules() if isinstance(part, nn.Sequential))


def _flat(part: nn.Sequential) -> Iterator[nn.Module]:
    for child in part:
        if isinstance(child, nn.Sequential):
            yield from _flat(child)
        else:
            yield child


def _walk(part: nn.Sequential, reads: Reads, fallback: Reads) -> dict[int, Reads]:
    by_layer: dict[int, Reads] = {}
    last: int | None = None
    for child in _flat(part):
        seen = _activation(child) if isinstance(child, ELEMENTWISE) else None
        if seen is not None:
            if last is not None:
                by_layer[last] = Reads(by_layer[last].name, by_layer[last].gain, True, seen.name)
            reads, last = seen, None
        elif isinstance(child, _NORMS):
            reads = DATA
        elif isinstance(child, _AFFINE):
            by_layer[id(child)] = reads
            reads, last = Reads("identity"), id(child)
        elif not _lets_through(child):
            by_layer |= {} if any(child.children()) else {id(child): reads}
            reads, last = fallback, None
    return by_layer


def _lets_through(child: nn.Module) -> bool:
    return isinstance(child, _LETTING_THROUGH) or type(child).__module__ in _LETTING_THROUGH_HOMES


def _activation(activation: Callable[[Tensor], Any]) -> Reads | None:
    """Return name and gain of an elementwise activation; None if it is none."""
    name = _WORDS.get(
        type(activation), getattr(activation, "__name__", type(activation).__name__).lower()
    )
    function = _plain(activation)
    z, weights = _nodes()
    try:
        with torch.no_grad():
            values = function(torch.from_numpy(z))
    except Exception:
        return None
    if not isinstance(values, Tensor) or values.shape != z.shape:
        return None
    square = float(weights @ values.double().numpy() ** 2)
    return Reads(name, 1.0 / math.sqrt(square)) if square > 0 else None


def _plain(activation: Callable[[Tensor], Any]) -> Callable[[Tensor], Any]:
    if isinstance(activation, nn.PReLU):
        return nn.LeakyReLU(_PRELU_START)
    return copy.deepcopy(activation).eval() if isinstance(activation, nn.Module) else activation


def _nodes() -> tuple[Any, Any]:
    """Return nodes and weights of the integral over the density of N(0, 1)."""
    nodes, weights = np.polynomial.legendre.leggauss(16)
    z = (_PANELS[:, None] + 0.25 * (1 + nodes)).ravel()
    density = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    return z, np.tile(0.25 * weights, len(_PANELS)) * density
