"""The groups of parameters that are judged, each by its own scale.

Biases and weights of one block are judged apart: an error in few small biases must not hide behind
many large weights. Which is which the objective says (`is_weight`), or else the block itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.parameters import Block


@dataclass(frozen=True)
class ParameterGroup:
    """Some entries of a block.

    Attributes
    ----------
    within : the indices in the (row-major) block that are checked.
    n_parameters : how many the group has, checked or not.
    """

    name: str
    block: Block
    within: NDArray[np.int64]
    n_parameters: int

    @property
    def indices(self) -> NDArray[np.int64]:
        """The indices in theta."""
        return self.block.start + self.within

    @property
    def owner(self) -> str:
        """What the group belongs to together with others: Theta1, or the layer of a parameter."""
        return self.block.name.rpartition(".")[0] or self.block.name

    def entry(self, position: int) -> str:
        """Name the entry at `position` of `within`, such as "Theta1[3, 0]"."""
        return self.block.entry(int(self.within[position]))


def groups_of(
    blocks: Sequence[Block],
    max_per_block: int | None,
    seed: int,
    is_fixed: NDArray[np.bool_] | None = None,
    is_weight: NDArray[np.bool_] | None = None,
) -> tuple[ParameterGroup, ...]:
    """Return the groups of all blocks, of each at most `max_per_block` entries drawn by `seed`.

    Parameters
    ----------
    is_fixed : (n,), entries that are left out, since no gradient moves them.
    is_weight : (n,), the entries that are weights and not biases; None: the blocks tell.
    """
    split = [named for block in blocks for named in _split(block, is_weight) if named[2].size]
    groups = []
    for number, (name, block, within) in enumerate(split):
        free = within if is_fixed is None else within[~is_fixed[block.start + within]]
        # A stream for each group: what is drawn of one does not depend on the size of the others.
        chosen = _drawn(free, max_per_block, np.random.default_rng([seed, number]))
        if chosen.size:
            groups.append(ParameterGroup(name, block, chosen, within.size))
    return tuple(groups)


def _split(
    block: Block, is_weight: NDArray[np.bool_] | None
) -> list[tuple[str, Block, NDArray[np.int64]]]:
    everything = np.arange(block.size, dtype=np.int64)
    if is_weight is not None:
        is_bias = ~is_weight[block.slice]
    elif block.has_bias_column:
        is_bias = everything % block.shape[1] == 0
    else:
        return [(block.name, block, everything)]
    if is_bias.all() or not is_bias.any():
        return [(block.name, block, everything)]
    return [
        (f"{block.name} biases", block, everything[is_bias]),
        (f"{block.name} weights", block, everything[~is_bias]),
    ]


def _drawn(
    within: NDArray[np.int64], limit: int | None, stream: np.random.Generator
) -> NDArray[np.int64]:
    if limit is None or limit >= within.size:
        return within
    drawn: Any = stream.choice(within, size=limit, replace=False)
    return np.sort(drawn)
