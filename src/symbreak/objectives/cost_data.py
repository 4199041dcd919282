"""What a `NetworkCost` is made of, and what follows from it; frozen, made anew for every change."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from symbreak.arrays import Array, alike, cast, itemsize, word_of
from symbreak.errors import InvalidInput, InvalidType
from symbreak.network import Network
from symbreak.objectives.array_kernel import Workspaces
from symbreak.objectives.blocking import default_memory
from symbreak.objectives.examples import Examples
from symbreak.objectives.kernel import Kernel, kernel_for
from symbreak.objectives.kernel_task import KernelTask
from symbreak.objectives.minibatches import KeptMiniBatches
from symbreak.objectives.network_curvature import Curvature
from symbreak.objectives.penalty import strength
from symbreak.propagation.first_layer import is_sparse


@dataclass(frozen=True, eq=False)
class CostData:
    """The data of a cost.

    Attributes
    ----------
    examples : with the weights that were given.
    whole : (m, Σw) of all examples, of which these may be a batch; Σw in float64 of NumPy.
    alpha : as `check_alpha` returns it.
    given_budget : bytes, or None for the default.
    workspaces : buffers shared with the costs of other starts or examples.

    Raises
    ------
    InvalidInput
        alpha and weights for different numbers of starts.
    """

    network: Network
    examples: Examples
    whole: tuple[int, Array]
    alpha: Array
    given_budget: int | None
    workspaces: Workspaces

    def __post_init__(self) -> None:
        of_alpha, of_weights = self._starts_of_both
        if None not in (of_alpha, of_weights) and of_alpha != of_weights:
            raise InvalidInput(
                f"alpha and sample_weight must be for equally many starts. Got alpha for "
                f"{of_alpha} starts and sample_weight for {of_weights}."
            )

    @cached_property
    def starts(self) -> int | None:
        """How many starts alpha or the weights are for; None where they are for any."""
        of_alpha, of_weights = self._starts_of_both
        return of_weights if of_alpha is None else of_alpha

    @property
    def _starts_of_both(self) -> tuple[int | None, int | None]:
        weights = self.examples.weights
        of_alpha = len(self.alpha) if self.alpha.ndim > 0 else None
        return of_alpha, weights.shape[0] if weights is not None and weights.ndim == 2 else None

    @cached_property
    def memory_budget(self) -> int:
        """The bytes that the buffers of a call may take."""
        default = default_memory(self.network, itemsize(self.examples.prototype))
        return default if self.given_budget is None else self.given_budget

    @cached_property
    def normalized(self) -> Examples:
        """The examples with weights divided by the Σw that so many have on average."""
        m, total = self.whole
        return self.examples.normalized(total * (len(self.examples) / m))

    @cached_property
    def scale(self) -> float:
        """What sums over normalised examples are multiplied by: 1 / m, or 1 with weights."""
        return 1.0 / len(self.examples) if self.examples.weights is None else 1.0

    @cached_property
    def strength(self) -> Array | None:
        """The penalty's, (n,) or (starts, n), see `penalty`; None for no penalty."""
        if not (self.alpha > 0).any():
            return None
        like = self.examples.prototype
        numbers = strength(self.alpha, self.network, self.whole[1])
        return alike(cast(numbers, word_of(like.dtype)), like)

    @cached_property
    def task(self) -> KernelTask:
        """What J and all its derivatives follow from."""
        return KernelTask(
            self.network, self.normalized, self.scale, self.strength, self.memory_budget
        )

    @cached_property
    def kernel(self) -> Kernel:
        """What computes J and its gradient."""
        return kernel_for(self.task, self.workspaces)

    @cached_property
    def curvature(self) -> Curvature:
        """What computes second derivatives.

        Raises
        ------
        InvalidType
            The rows are sparse.
        """
        if is_sparse(self.examples.rows):
            raise InvalidType(
                "X must be dense for methods that ask for curvature. Got sparse rows: call its "
                "toarray(), or use 'l-bfgs'."
            )
        return Curvature(self.task)

    @cached_property
    def minibatches(self) -> KeptMiniBatches:
        """The mini-batches of the last epoch, for the next."""
        return KeptMiniBatches()
