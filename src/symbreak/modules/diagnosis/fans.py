"""Fans that are really there, and the spreads that rules of initialisation give for them.

    std = c / sqrt(fan)        c: sqrt(1/3) PyTorch's Linear and Conv (LeCun's limits 1/sqrt(fan))
                                  1         LeCun (1998), for a gain of 1
                                  sqrt(2)   He, Zhang, Ren and Sun (2015), for relu
    std = sqrt(2 / (fan_in + fan_out))      Glorot and Bengio (2010)

fan_in : weights that meet in one unit; fan_out : units that read one input.
torch_fans : the fans as `torch.nn.init` counts them, (size(1) k, size(0) k), k = prod(size[2:]); it
    knows no groups, no transposed layout, no packing and no stacking.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from symbreak.modules.anatomy.role import Role

HE = math.sqrt(2.0)
CONSTANTS = {"PyTorch's default": math.sqrt(1 / 3), "LeCun's rule": 1.0, "He's rule": HE}
LARGEST_KERNEL = 64  # a last axis longer than this is no kernel: the tensor is a stack of matrices


@dataclass(frozen=True)
class Fans:
    """Fan in and fan out of one weight."""

    fan_in: float
    fan_out: float

    @property
    def std(self) -> float:
        """Standard deviation by LeCun's rule, sound for a gain of 1."""
        return 1 / math.sqrt(self.fan_in)

    def spreads(self) -> Iterator[tuple[str, float]]:
        """Yield each rule by name and the standard deviation that it gives here."""
        for rule, constant in CONSTANTS.items():
            yield f"{rule} by fan_in", constant / math.sqrt(self.fan_in)
            yield f"{rule} by fan_out", constant / math.sqrt(self.fan_out)
        yield "Glorot's rule", math.sqrt(2 / (self.fan_in + self.fan_out))


def true_fans(role: Role, shape: tuple[int, ...]) -> Fans:
    """Return the fans of a weight as its role tells them; of a plain convolution at stride 1.

    He and others (2015) count all entries of a kernel for both fans, whatever the stride.
    """
    seen = role if role.is_transposed else replace(role, stride=())
    weight = seen.weight_shape(shape)
    return Fans(weight.fan_in, weight.fan_out)


def torch_fans(shape: tuple[int, ...]) -> Fans:
    """Return the fans as `torch.nn.init` counts them, for two axes or more."""
    kernel = math.prod(shape[2:])
    return Fans(shape[1] * kernel, shape[0] * kernel)


def possible_fans(shape: tuple[int, ...]) -> tuple[float, ...]:
    """Return every fan_in that a weight of this shape can have, layout and kind unknown.

    Matrices may be stored (out, in) or (in, out); three axes and more may be a convolution, plain
    or transposed, or, where the last axis is too long for a kernel, a stack of matrices.
    """
    if len(shape) == 2 or shape[-1] > LARGEST_KERNEL:
        return float(shape[-1]), float(shape[-2])
    fans = torch_fans(shape)
    return float(fans.fan_in), float(fans.fan_out), float(math.prod(shape[2:]))
