"""How many starts of a module are evaluated at once, found out by trying.

On the first stack, two of its starts are evaluated stacked and one by one. Where vmap refuses, or
answers differently by more than rounding, starts are evaluated one after the other. Answers that
differ from call to call (dropout) cannot be compared; there it is enough that vmap does not refuse
and that no NaN comes up, which the module holds meanwhile in the place of theta.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from symbreak.modules.cost.call import ModuleCall
from symbreak.objectives.blocking import DEFAULT_MEMORY

STACKED, ONE_BY_ONE = "stacked", "one by one"


@dataclass
class Stacking:
    """What is known about stacking a module; shared by the costs that `batch` makes.

    Attributes
    ----------
    mode : "stacked", "one by one", or None before the first stack.
    memory_budget : bytes that the graph of a stack may keep.
    bytes_per_example : of one start; of the whole batch where examples are not counted.
    """

    memory_budget: int = DEFAULT_MEMORY
    mode: str | None = None
    gradient_way: dict[str, Any] | None = None
    value_way: dict[str, Any] | None = None
    bytes_per_example: float = 0.0

    def evaluate(
        self, call: ModuleCall, theta: Tensor, gradient: Tensor | None, n_examples: int | None
    ) -> Tensor:
        """Return J (starts,) and write its gradient, if one is wanted."""
        if len(theta) == 1:
            return call.single(theta[0], None if gradient is None else gradient[0])[None]
        if self.mode is None:
            self.find_out(call, theta, n_examples)
        way = self.value_way if gradient is None else self.gradient_way
        if way is not None:
            try:
                return self._in_chunks(call, theta, gradient, way, n_examples)
            except Exception:
                # Another batch can take another path through the module. Whether vmap is to blame
                # or the module itself fails, one by one will tell.
                return _one_by_one(call, theta, gradient)
        return _one_by_one(call, theta, gradient)

    def find_out(self, call: ModuleCall, theta: Tensor, n_examples: int | None) -> None:
        """Choose the mode by the first two starts of a stack, and measure one start."""
        pair = theta[:2] if len(theta) > 1 else theta.expand(2, -1)
        devices = [theta.device] if theta.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            bytes_of_start = call.bytes_of_graph(pair[0])
            self.bytes_per_example = bytes_of_start / (n_examples or 1)
            expected = _answers(call, pair)
            is_fixed = _equal(expected, _answers(call, pair))
            for buffers in (False, True) if call.can_be_stacked else ():
                ways: list[dict[str, Any]] = [{"buffers": buffers}]
                if _agrees(call, pair, expected, ways[0], is_fixed, with_gradient=True):
                    self.gradient_way = ways[0]
                    break
            if self.gradient_way is not None:
                ways = [self.gradient_way, {**self.gradient_way, "graph": True}]
                good = (
                    way
                    for way in ways
                    if _agrees(call, pair, expected, way, is_fixed, with_gradient=False)
                )
                self.value_way = next(good, None)
        self.mode = ONE_BY_ONE if self.gradient_way is None else STACKED

    def _in_chunks(
        self,
        call: ModuleCall,
        theta: Tensor,
        gradient: Tensor | None,
        way: dict[str, Any],
        n_examples: int | None,
    ) -> Tensor:
        size = self.starts_at_once(theta, n_examples)
        parts = theta.split(size)
        gradients = [None] * len(parts) if gradient is None else gradient.split(size)
        answers = [call.stacked(part, g, **way) for part, g in zip(parts, gradients, strict=True)]
        return torch.cat(answers)

    def starts_at_once(self, theta: Tensor, n_examples: int | None) -> int:
        """Return how many starts of a stack the memory budget holds, at least 1."""
        # Beside the graph: parameters, their gradients, and the same once more while they are made.
        numbers = 4 * theta.shape[1] * theta.element_size()
        per_start = numbers + 2 * self.bytes_per_example * (n_examples or 1)
        return max(1, int(self.memory_budget // per_start))


def _one_by_one(call: ModuleCall, theta: Tensor, gradient: Tensor | None) -> Tensor:
    rows = [None] * len(theta) if gradient is None else gradient
    return torch.stack([call.single(start, row) for start, row in zip(theta, rows, strict=True)])


def _answers(call: ModuleCall, theta: Tensor) -> tuple[Tensor, Tensor]:
    gradient = torch.empty_like(theta)
    return _one_by_one(call, theta, gradient), gradient


def _equal(one: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor]) -> bool:
    return all(
        bool(torch.allclose(a, b, rtol=0.0, atol=0.0, equal_nan=True))
        for a, b in zip(one, other, strict=True)
    )


def _agrees(
    call: ModuleCall,
    theta: Tensor,
    expected: tuple[Tensor, Tensor],
    way: dict[str, Any],
    is_fixed: bool,
    *,
    with_gradient: bool,
) -> bool:
    gradient = torch.empty_like(theta) if with_gradient else None
    try:
        J = call.stacked(theta, gradient, **way)
    except Exception:  # whatever a module raises inside vmap says that it cannot be stacked
        return False
    found = (J,) if gradient is None else (J, gradient)
    alike = _is_close if is_fixed else _are_numbers_alike
    return all(alike(a, b) for a, b in zip(found, expected, strict=False))


def _are_numbers_alike(found: Tensor, expected: Tensor) -> bool:
    """Whether NaN stands in the same places; others show that the module was read, not theta."""
    return bool(torch.equal(found.isnan(), expected.isnan()))


def _is_close(found: Tensor, expected: Tensor) -> bool:
    """Whether two answers are equal but for rounding, relative to the largest finite number."""
    finite = expected[torch.isfinite(expected)].abs()
    scale = float(finite.max()) if len(finite) else 0.0
    tolerance = torch.finfo(expected.dtype).eps ** 0.5 * scale
    return bool(torch.allclose(found, expected, rtol=0.0, atol=tolerance, equal_nan=True))
