"""A network and a rule -> theta.

    theta[s, block.slice] = rule.draw(layer, Stream(seed, block.name, s)), row-major

Drawn on the CPU in float64, then rounded once to the dtype, then moved: neither kind, dtype nor
device changes which start it is.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from symbreak.arrays import as_own_kind, at_surface, dtype_word, tensor_on
from symbreak.arrays import like as as_kind_of
from symbreak.checks import integer_or_none
from symbreak.errors import InvalidInput
from symbreak.initialization.rule import Rule
from symbreak.initialization.rules import resolve
from symbreak.initialization.shapes import LayerShape
from symbreak.initialization.streams import Floats, Stream, check_seed
from symbreak.initialization.warning import warn_symmetric
from symbreak.network import Network

FLOATING = ("float64", "float32", "float16", "bfloat16")


def initialize(
    network: Network,
    rule: str | Rule = "glorot_uniform",
    *,
    starts: int | None = None,
    seed: int | None = 0,
    dtype: Any = None,
    device: Any = None,
    like: Any = None,
) -> Any:
    """Draw the parameters that training starts from.

    Parameters
    ----------
    network : Network
        What the parameters are for.
    rule : str or Rule
        A word such as "glorot_uniform", or a rule such as `sb.rules.Uniform(epsilon=0.12)`.
    starts : int or None
        How many starts; None for one start as a plain vector. Start k is the same however many
        are drawn, and None gives start 0.
    seed : int or None
        Non-negative. The same seed gives the same starts on every machine; None takes a fresh one.
    dtype : torch dtype, NumPy dtype, str or None
        float64 (None), float32, float16 or bfloat16. It decides the precision only; bfloat16,
        which NumPy lacks, gives a tensor.
    device : torch device, str or None
        Where theta goes, as a tensor; None gives NumPy.
    like : array, tensor or None
        In place of `dtype` and `device`: theta is of its kind and dtype (float64, if that is none
        of floating numbers) and on its device.

    Returns
    -------
    array or tensor
        (starts, n_parameters), or (n_parameters,) when `starts` is None.

    Raises
    ------
    InvalidInput, InvalidType
        An argument is not what it must be.

    Warns
    -----
    SymmetryWarning
        All units of a hidden layer start equal.
    """
    chosen = resolve(rule)
    numbers = range(1 if starts is None else integer_or_none("starts of initialize", starts, 1))
    if like is not None and (dtype is not None or device is not None):
        raise InvalidInput("initialize takes like, or dtype and device, and not both.")
    word = "float64" if dtype is None else dtype_word(dtype, FLOATING)
    seed = check_seed("seed of initialize", seed)
    if chosen.symmetric:
        _warn_of_symmetry(network, chosen)
    drawn = _draw(network, chosen, seed, numbers)
    if like is not None:
        theta = as_kind_of(drawn, as_own_kind(like, "like of initialize"))
    elif device is not None:
        theta = tensor_on(drawn, word, device)
    else:
        theta = at_surface(drawn, word=word)
    return theta[0] if starts is None else theta


def layer_shapes(network: Network) -> tuple[LayerShape, ...]:
    """Return every layer of a network as rules see it."""
    names = (None, *(activation.name for activation in network.activations), None)
    return tuple(
        LayerShape(units_in, units_out, activation, input_activation)
        for (units_in, units_out), (input_activation, activation) in zip(
            pairwise(network.layers), pairwise(names), strict=True
        )
    )


def _draw(network: Network, rule: Rule, seed: int, starts: range) -> Floats:
    theta = np.empty((len(starts), network.n_parameters))
    for block, layer in zip(network.blocks, layer_shapes(network), strict=True):
        drawn = rule.draw(layer, Stream(seed, block.name, starts))
        theta[:, block.slice] = drawn.reshape(len(starts), -1)
    return theta


def _warn_of_symmetry(network: Network, rule: Rule) -> None:
    hidden = enumerate(network.layers[1:-1], start=1)
    equal = [f"hidden layer {k} has 1 distinct unit of {units}" for k, units in hidden if units > 1]
    if not equal:
        return
    warn_symmetric(
        f"Rule {rule.name!r} starts all units of a layer equal: {', '.join(equal)}, and training "
        "keeps them equal. Use a random rule such as 'glorot_uniform'."
    )
