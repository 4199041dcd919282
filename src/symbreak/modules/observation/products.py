"""Where the units of a matrix product with a parameter lie: features, and experts in a stack."""

from __future__ import annotations

from typing import Any

from torch import Tensor

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


def product_axes(
    name: str, given: Arguments, names: Names, output: Tensor
) -> tuple[int | None, int | None]:
    """Return the axes of features and of stacked experts in the output; None where there is none.

    A parameter of three axes is a stack (experts, ., .), unless it holds one matrix for all; a
    vector is summed over whole, so that every axis of the output is one of examples.
    """
    if name == "einsum":
        return _einsum_axes(given, names)
    left, right = factors(name, given)
    right_is_weight = bool(names.of(right))
    weight = right if right_is_weight else left
    if not names.of(weight) or weight.dim() < 2:
        return None, None  # only what is added is a parameter, or the parameter has no units
    vector = left.dim() == 1 or right.dim() == 1
    feature = output.dim() - (1 if right_is_weight or vector else 2)
    expert = output.dim() - 3 if output.dim() >= 3 and _is_stack(weight, -3) else None
    return feature, expert


def factors(name: str, given: Arguments) -> tuple[Any, Any]:
    """Return the two factors of a product, the left one first."""
    left, right = _FACTORS.get(name, ("input", "other"))
    return given[left], given[right]


def _is_stack(weight: Tensor, axis: int) -> bool:
    """Tell whether the axis holds several matrices, not one that is repeated for every example."""
    return weight.dim() >= 3 and weight.shape[axis] > 1 and weight.stride(axis) != 0


def einsum_letters(given: Arguments) -> tuple[list[str], list[Any], str]:
    """Return the letters of the operands, the operands and the letters of the output.

    No letters where they are not told: without an arrow, or with an ellipsis.
    """
    equation, *operands = given.values()
    if not isinstance(equation, str) or "->" not in equation or "." in equation:
        return [], [], ""
    if isinstance(operands[0], list | tuple):
        operands = list(operands[0])
    letters, out = equation.replace(" ", "").split("->")
    return letters.split(","), operands, out


def _einsum_axes(given: Arguments, names: Names) -> tuple[int | None, int | None]:
    letters, operands, out = einsum_letters(given)
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
