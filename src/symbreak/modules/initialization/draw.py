"""Numbers into parameters: one stream for each, keyed by its name.

    Theta of the part = rule.draw(its shape, Stream(seed, name, start))    name.0, name.1 for parts

All is drawn in float64 and rounded once. Entry i of Theta takes word i of the stream, so rows can
be drawn alone: large weights are drawn in pieces, and who holds some rows draws only these. Rules
whose entries depend on each other draw a whole part. The bias of a layer is column 0 of the Theta
of its weight.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from symbreak.initialization.rule import EntrywiseRule, Rule
from symbreak.initialization.shapes import LayerShape
from symbreak.initialization.streams import Floats, Stream
from symbreak.modules.anatomy.reads import UNKNOWN, Reads
from symbreak.modules.anatomy.role import Role, WeightShape

ENTRIES_AT_ONCE = 2**20


@dataclass(frozen=True)
class Weight:
    """A weight that a rule draws.

    Parameters
    ----------
    name : the key of its stream.
    size : the shape of the parameter.
    role : what it is.
    reads : the activation whose values it reads.
    """

    name: str
    size: tuple[int, ...]
    role: Role
    reads: Reads = UNKNOWN

    @property
    def n_parts(self) -> int:
        """How many matrices it holds."""
        return self.role.n_parts(self.size)

    @property
    def shape(self) -> WeightShape:
        """One part as a rule sees it."""
        shape = self.role.weight_shape(self.size)
        return replace(shape, activation=self.reads.follows, input_activation=self.reads.name)

    def has_bias(self, size: tuple[int, ...]) -> bool:
        """Tell whether a bias of this shape is that of the weight's layer."""
        units = self.n_parts * self.shape.units_out
        if self.role.shares_bias:
            return len(size) == 1 and size[0] >= self.role.bias_part * self.shape.units_out + units
        return size in ((units,), (self.n_parts, self.shape.units_out))

    @property
    def streams(self) -> tuple[str, ...]:
        """The name of the stream of each part."""
        if self.n_parts == 1:
            return (self.name,)
        return tuple(f"{self.name}.{part}" for part in range(self.n_parts))

    def draw_(
        self,
        weight: Tensor | None,
        bias: Tensor | None,
        rule: Rule,
        seed: int,
        starts: Sequence[int],
        scale: float = 1.0,
    ) -> None:
        """Overwrite a weight (starts, *size) and the bias (starts, out) of the same layer.

        Either may be None: the other gets the same numbers all the same. `scale` multiplies the
        weight alone.
        """
        shape = self.shape
        parts = None if weight is None else self.role.matrices(weight)
        biases = None if bias is None else bias.view(len(starts), -1, shape.units_out)
        for part, name in enumerate(self.streams):
            stream = Stream(seed, name, starts)
            for rows in _pieces(rule, shape, len(starts)):
                theta = torch.from_numpy(draw_rows(rule, shape, stream, rows))
                place = slice(rows.start, rows.stop)
                if parts is not None:
                    piece = parts[:, part, place]
                    values = (scale * theta[..., 1:]).reshape(piece.shape)
                    piece.copy_(values.to(piece.dtype))  # rounded here: a device may lack float64
                if biases is not None:
                    units = biases[:, self.role.bias_part + part, place]
                    units.copy_(theta[..., 0].to(biases.dtype))


def draw_rows(rule: Rule, shape: WeightShape, stream: Stream, rows: range) -> Floats:
    """Return some rows of one part's Theta, (starts, rows, 1 + in r), as if all were drawn."""
    if len(rows) == shape.units_out:
        return rule.draw(shape, stream)
    if isinstance(rule, EntrywiseRule):
        begun = replace(stream, first=rows.start * shape.block[1])
        return rule.draw(replace(shape, rows=len(rows)), begun)
    return rule.draw(shape, stream)[:, rows.start : rows.stop]


def _pieces(rule: Rule, shape: LayerShape, starts: int) -> Iterator[range]:
    rows, columns = shape.block
    step = max(1, ENTRIES_AT_ONCE // (columns * starts))
    if not isinstance(rule, EntrywiseRule):
        step = rows
    for first in range(0, rows, step):
        yield range(first, min(first + step, rows))
