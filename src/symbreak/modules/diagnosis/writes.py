"""What is to be written into a parameter, as Python and in numbers.

The Python runs with `module`, `found` (its diagnosis), `torch` and `import symbreak as sb`. Where a
parameter was never written and the others are worth keeping, it gets

    weight of known fans                              N(0, 1 / fan_in)
    scale of a norm; what multiplies or divides       1
    bias, shift of a norm; what is added, exp's       0
    slope of prelu                                    0.25
    tables that are added, tokens that are joined     N(0, 0.02^2), as in BERT (1810.04805)
    else                                              nothing: only its author can know

What multiplies is found by the first function that took the parameter, not by names: a norm of
one's own is `x * scale`, and where it is `x * (1 + scale)`, zero is the scale that changes nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from torch import nn

from symbreak.modules.diagnosis.fans import true_fans
from symbreak.modules.observation.observed import Observed, SeenParameter

REPAIR = 'sb.repair(module, found, how="redraw")'
TABLE = 0.02
_SCALES = {"mul", "rmul", "imul", "multiply", "div", "truediv", "idiv", "itruediv", "divide"}
_SHIFTS = {"add", "radd", "iadd", "sub", "rsub", "isub", "exp"}
_JOINED = {"cat", "concat", "stack"}


@dataclass(frozen=True)
class Write:
    """What is to be written into a parameter; the fields are those of a finding.

    Parameters
    ----------
    call : as Python.
    std : of random numbers, None where it is one number.
    value : that number.
    """

    call: str = ""
    std: float | None = None
    value: float | None = None

    def with_padding(self, where: str, row: int | None) -> Write:
        """Return a call that then puts the padding row of an embedding back to zero."""
        keep = f"torch.nn.init.zeros_(module.get_parameter({where!r})[{row}])"
        return self if row is None else replace(self, call=f"{self.call}; {keep}")


def normal(where: str, std: float) -> Write:
    """Return the call that draws a parameter from N(0, std^2)."""
    return Write(f"torch.nn.init.normal_(module.get_parameter({where!r}), std={std:.6g})", std=std)


def constant(where: str, value: float) -> Write:
    """Return the call that fills a parameter with one number."""
    call = f"torch.nn.init.constant_(module.get_parameter({where!r}), {value:g})"
    return Write(call, value=value)


def first_values(observed: Observed, parameter: SeenParameter) -> Write:
    """Return what writes the parameter; it is empty where nothing is known of it."""
    name, shape = parameter.name, tuple(parameter.value.shape)
    first = parameter.functions[0].strip("_") if parameter.functions else ""
    is_vector = math.prod(shape) == max(shape, default=1)
    if first == "prelu":
        return constant(name, nn.PReLU().weight.item())
    if parameter.role == "norm":
        return constant(name, 0.0 if "bias" in name.rpartition(".")[2] else 1.0)
    if first in _SCALES:
        return constant(name, 1.0)
    if parameter.role.endswith("bias") or (is_vector and first in _SHIFTS):
        return constant(name, 0.0)
    if first in _JOINED or first in _SHIFTS:
        return normal(name, TABLE)
    if parameter.role == "recurrent" and is_vector:
        return constant(name, 0.0)
    role = observed.role_of(parameter)
    if role is None:
        return Write()
    return normal(name, true_fans(role, shape).std).with_padding(name, role.padding)
