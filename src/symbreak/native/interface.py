"""What the compiled core offers, as `native/bindings.cpp` binds it; every level offers the same.

Conventions
-----------
Arrays are of one dtype, float32 or float64, C-contiguous unless said otherwise. A wrong shape is a
ValueError. `threads` is the most that may work; the result is the same for any number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

Floats = NDArray[Any]


class PackedExamples(Protocol):
    """Rows and targets in panels; room that `pick` fills again."""

    def __len__(self) -> int:
        """Return the number of examples."""

    def pick(self, examples: PackedExamples, indices: NDArray[Any]) -> None:
        """Become these examples of others, in the order of the indices (k,) int64."""


class Problem(Protocol):
    """J = scale Σ w loss + ½ Σ strength theta² of a network on examples."""

    def evaluate(self, theta: Floats, value: Floats, gradient: Floats | None, threads: int) -> None:
        """Write J to value (starts,), and its gradient, of theta (starts, n)."""


class Core(Protocol):
    """The module of one level.

    Attributes
    ----------
    __name__ : ends in the level.
    ACTIVATIONS, LOSSES : the names of those that it knows, in the order of its own numbers.
    Examples32, Examples64 : (rows, target_rows) -> empty `PackedExamples`.
    Problem32, Problem64 : (network, examples, scale, weights, strength, memory) -> `Problem`;
        weights (m,) or (starts, m), strength (n,) or (starts, n), None for none; memory is the
        bytes that the buffers of all threads may take, of which one takes what it needs.
    """

    __name__: str
    ACTIVATIONS: list[str]
    LOSSES: list[str]
    Examples32: Any
    Examples64: Any
    Problem32: Any
    Problem64: Any

    def Network(
        self, layers: list[int], activations: list[int], loss: int, parameter: float
    ) -> object:
        """Return a network; `parameter` is delta of huber, q of quantile."""

    def examples(self, rows: Floats, target: Floats) -> PackedExamples:
        """Return examples; rows (m, 1 + features) and target (target rows, m) of any strides."""

    def burst(
        self, stepper: str, problem: Problem, validation: Problem | None,
        state: Mapping[str, NDArray[Any]], settings: Mapping[str, float],
        order: NDArray[Any] | None, factors: Floats | None, decay: Floats | None,
        starts: int, threads: int,
    ) -> None:  # fmt: skip
        """Let every running start take steps alone, until there are enough or it may have ended.

        Parameters
        ----------
        stepper : "l-bfgs", "sgd" or "adam".
        problem, validation : J, and what scores accepted points, if anything does.
        state : the arrays of the running starts by name, (starts, ...), which are written in place;
            and those of the burst: J of the accepted steps `values` (starts, most steps), `scores`
            likewise, and whether the last trial was `accepted` or has `failed`, (starts,).
        settings : constants and limits by name; `most_ticks` trials of a start at most.
        order : (epochs, examples) int64, of mini-batches.
        factors : (epochs,), of the learning rates.
        decay : (n,), the weight decay of each parameter.
        """

    def predict(
        self, network: object, rows: Floats, theta: Floats, out: Floats, threads: int
    ) -> None:
        """Write the predictions to out (starts, m, outputs); rows (m, 1 + features)."""

    def activate(self, activation: int, z: Floats, slope: Floats | None) -> None:
        """Write g(z) over z, whole registers of aligned numbers; for tests."""
