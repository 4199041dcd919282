"""What functions that multiply with a parameter do: which axes they sum over, and where units lie.

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

from typing import Any

from torch import Tensor

from symbreak.modules.anatomy.role import Role
from symbreak.modules.observation.arguments import Arguments
from symbreak.modules.observation.names import Names

PRODUCTS = {
    "matmul", "linalg_matmul", "__matmul__", "__rmatmul__", "mm", "mv", "bmm", "addmm", "addmv",
    "baddbmm", "einsum", "grouped_mm", "_grouped_mm",
}  # fmt: skip
# The names of the two factors of a product, where they are not `input` and `other`.
_FACTORS = {
    "mm": ("input", "mat2"), "bmm": ("input", "mat2"), "mv": ("input", "vec"),
    "addmm": ("mat1", "mat2"), "addmv": ("mat", "vec"), "baddbmm": ("batch1", "batch2"),
    "grouped_mm": ("mat_a", "mat_b"), "_grouped_mm": ("mat_a", "mat_b"),
    "__rmatmul__": ("other", "input"),
}  # fmt: skip
_PLAIN = {"linear": {-1: "in", -2: "out"}, "bilinear": {0: "out", 1: "in", 2: "in"}}


def product_axes(
    name: str, arguments: Arguments, names: Names, output: Tensor
) -> tuple[int | None, int | None]:
    """Return the axes of features and of stacked experts in the output; None where there is none.

    A parameter of three axes is a stack (experts, ., .), unless it holds one matrix for all; a
    vector is summed over whole, so that every axis of the output is one of examples.
    """
    if name == "einsum":
        return _einsum_axes(arguments, names)
    left, right = factors(name, arguments)
    right_is_weight = bool(names.of(right))
    weight = right if right_is_weight else left
    if not names.of(weight) or weight.dim() < 2:
        return None, None  # only what is added is a parameter, or the parameter has no units
    vector = left.dim() == 1 or right.dim() == 1
    feature = output.dim() - (1 if right_is_weight or vector else 2)
    expert = output.dim() - 3 if output.dim() >= 3 and _is_stack(weight, -3) else None
    return feature, expert


def factors(name: str, arguments: Arguments) -> tuple[Any, Any]:
    """Return the two factors of a product, the left one first."""
    left, right = _FACTORS.get(name, ("input", "other"))
    return arguments[left], arguments[right]


def _is_stack(weight: Tensor, axis: int) -> bool:
    """Tell whether the axis holds several matrices, not one that is repeated for every example."""
    return weight.dim() >= 3 and weight.shape[axis] > 1 and weight.stride(axis) != 0


def einsum_letters(arguments: Arguments) -> tuple[list[str], list[Any], str]:
    """Return the letters of the operands, the operands and the letters of the output.

    No letters where they are not told: without an arrow, or with an ellipsis.
    """
    equation, *operands = arguments.values()
    if not isinstance(equation, str) or "->" not in equation or "." in equation:
        return [], [], ""
    if isinstance(operands[0], list | tuple):
        operands = list(operands[0])
    letters, out = equation.replace(" ", "").split("->")
    return letters.split(","), operands, out


def _einsum_axes(arguments: Arguments, names: Names) -> tuple[int | None, int | None]:
    letters, operands, out = einsum_letters(arguments)
    if not letters:
        return None, None
    k = next(k for k, operand in enumerate(operands) if names.of(operand))
    shared = [letter for letter in letters[k] if letter in out]
    others = "".join(letters[:k] + letters[k + 1 :])
    own = [letter for letter in shared if letter not in others]
    feature = own[-1] if own else None
    expert = next((letter for letter in shared if letter != feature), None)
    if expert is not None and not _is_stack(operands[k], letters[k].index(expert)):
        expert = None
    return (
        None if feature is None else out.index(feature),
        None if expert is None else out.index(expert),
    )


def reading(name: str, arguments: Arguments, names: Names) -> dict[str, Role]:
    """Return the parameter that a call multiplies with and what it is there; {} if none is told."""
    if name.startswith("conv") and names.of(arguments["weight"]):
        return {names.of(arguments["weight"]): _convolution(name, arguments)}
    if name in _PLAIN:
        return _read(names, arguments["weight"], _PLAIN[name])
    if name == "einsum":
        return _einsum(arguments, names)
    if name in PRODUCTS:
        left, right = factors(name, arguments)
        if bool(names.of(left)) != bool(names.of(right)):
            return (
                _read(names, right, {-2: "in", -1: "out"})
                if names.of(right)
                else _read(names, left, {-2: "out", -1: "in"})
            )
    return {}


def _convolution(name: str, arguments: Arguments) -> Role:
    n_axes = int(name[-2])
    stride = arguments.get("stride", 1)
    axes = ("in", "out") if "transpose" in name else ("out", "in")
    steps = tuple(stride) if isinstance(stride, list | tuple) else (stride,)
    steps = steps * n_axes if len(steps) == 1 else steps
    return Role("weight", axes, int(arguments.get("groups", 1)), steps)


def _einsum(arguments: Arguments, names: Names) -> dict[str, Role]:
    letters, operands, out = einsum_letters(arguments)
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
