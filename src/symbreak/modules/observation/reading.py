"""What a parameter is for the function that multiplies with it: which axes it sums over.

call                          axes of W
linear(x, W)                  out in
x @ W, bmm, addmm, ...        in out; each further axis counts matrices: stack
W @ x, mv                     out in
x @ W.T                       out in: the axes are those of the parameter, not of its view
einsum                        in: letters that the output lacks; out: the last of those that W
                              alone has; stack: the others
conv, conv_transpose          out in, in out, then the kernel; its groups and its stride
bilinear                      out in, then the second input
"""

from __future__ import annotations

from torch import Tensor

from symbreak.modules.anatomy.role import Role
from symbreak.modules.observation.arguments import Arguments
from symbreak.modules.observation.names import Names
from symbreak.modules.observation.products import PRODUCTS, einsum_letters, factors

_PLAIN = {"linear": {-1: "in", -2: "out"}, "bilinear": {0: "out", 1: "in", 2: "in"}}


def reading(name: str, given: Arguments, names: Names) -> dict[str, Role]:
    """Return the parameter that a call multiplies with and what it is there; {} if none is told."""
    if name.startswith("conv") and names.of(given["weight"]):
        return {names.of(given["weight"]): _convolution(name, given)}
    if name in _PLAIN:
        return _read(names, given["weight"], _PLAIN[name])
    if name == "einsum":
        return _einsum(given, names)
    if name in PRODUCTS:
        left, right = factors(name, given)
        if bool(names.of(left)) != bool(names.of(right)):
            return (
                _read(names, right, {-2: "in", -1: "out"})
                if names.of(right)
                else _read(names, left, {-2: "out", -1: "in"})
            )
    return {}


def _convolution(name: str, given: Arguments) -> Role:
    n_axes = int(name[-2])
    stride = given.get("stride", 1)
    axes = ("in", "out") if "transpose" in name else ("out", "in")
    steps = tuple(stride) if isinstance(stride, list | tuple) else (stride,)
    steps = steps * n_axes if len(steps) == 1 else steps
    return Role("weight", axes, int(given.get("groups", 1)), steps)


def _einsum(given: Arguments, names: Names) -> dict[str, Role]:
    letters, operands, out = einsum_letters(given)
    weights = [k for k, operand in enumerate(operands) if names.of(operand)]
    if not letters or len(weights) != 1 or len(operands) < 2:
        return {}
    own = letters[weights[0]]
    others = "".join(each for k, each in enumerate(letters) if k != weights[0])
    alone = [letter for letter in own if letter in out and letter not in others]
    if not alone:
        return {}
    words = {k: "in" for k, letter in enumerate(own) if letter not in out}
    words[own.index(alone[-1])] = "out"
    return _read(names, operands[weights[0]], words)


def _read(names: Names, weight: Tensor, words: dict[int, str]) -> dict[str, Role]:
    """Return the role of the parameter that `weight` stands for; `words` are those of its axes."""
    name = names.of(weight)
    if not name or weight.dim() < 2:
        return {}
    axes = names.axes(weight)
    told = {axes[k]: word for k, word in words.items() if len(axes) == weight.dim()}
    if None in told or set(told.values()) != {"in", "out"}:
        return {}
    return {name: Role("weight", tuple(told.get(k, "stack") for k in range(names.n_axes(name))))}
