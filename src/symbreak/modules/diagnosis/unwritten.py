"""What to write into one parameter that was never written, the others being worth keeping.

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

from torch import nn

from symbreak.modules.diagnosis.calls import Write, constant, normal
from symbreak.modules.diagnosis.fans import true_fans
from symbreak.modules.observation.observed import Observed, SeenParameter

TABLE = 0.02
_SCALES = {"mul", "rmul", "imul", "multiply", "div", "truediv", "idiv", "itruediv", "divide"}
_SHIFTS = {"add", "radd", "iadd", "sub", "rsub", "isub", "exp"}
_JOINED = {"cat", "concat", "stack"}


def written(observed: Observed, parameter: SeenParameter) -> Write:
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
