"""What the compiled core offers, as `native/bindings.cpp` binds it; every level offers the same.

Conventions
-----------
Arrays are of one dtype, float32 or float64, C-contiguous unless said otherwise. A wrong shape is a
ValueError. `threads` is the most that may work; the result is the same for any number.
"""

from __future__ import annotations

from typing import Any, Protocol

from numpy.typing import NDArray

Floats = NDArray[Any]


class PackedExamples(Protocol):
    """Rows and targets in panels; room that `pick` fills again."""

    def __len__(self) -> int:
        """Return the number of examples."""

    def pick(self, examples: PackedExamples, indices: NDArray[Any]) -> None:
        """Become these examples of others, in the order of the indices (k,) int64."""


class Core(Protocol):
    """The module of one level.

    Attributes
    ----------
    __name__ : ends in the level.
    ACTIVATIONS, LOSSES : the names of those that it knows, in the order of its own numbers.
    Examples32, Examples64 : (rows, target_rows) -> empty `PackedExamples`.
    """

    __name__: str
    ACTIVATIONS: list[str]
    LOSSES: list[str]
    Examples32: Any
    Examples64: Any

    def Network(
        self, layers: list[int], activations: list[int], loss: int, parameter: float
    ) -> object:
        """Return a network; `parameter` is delta of huber, q of quantile."""

    def examples(self, rows: Floats, target: Floats) -> PackedExamples:
        """Return examples; rows (m, 1 + features) and target (target rows, m) of any strides."""

    def evaluate(
        self, network: object, examples: PackedExamples, theta: Floats, scale: float,
        weights: Floats | None, strength: Floats | None, value: Floats, gradient: Floats | None,
        threads: int, memory: float,
    ) -> None:  # fmt: skip
        """Write J = scale Σ w loss + ½ Σ strength theta² to value (starts,), and its gradient.

        Parameters
        ----------
        theta : (starts, n); `gradient` too.
        weights : (m,) or (starts, m).
        strength : (n,) or (starts, n).
        memory : bytes that the buffers of all threads may take; one thread takes what it needs.
        """

    def predict(
        self, network: object, rows: Floats, theta: Floats, out: Floats, threads: int
    ) -> None:
        """Write the predictions to out (starts, m, outputs); rows (m, 1 + features)."""

    def activate(self, activation: int, z: Floats, slope: Floats | None) -> None:
        """Write g(z) over z, whole registers of aligned numbers; for tests."""
