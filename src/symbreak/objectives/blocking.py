"""How a pass is cut into blocks of starts and of examples.

The buffers of a block should fit the processor's cache, since elementwise work on them then costs
little beside the products; they must fit the memory budget, whatever m and the number of starts.
A block has MIN_EXAMPLES examples before it has many starts: products over few starts and many
examples keep their speed, while every further block of examples reads and writes all gradients once
more.
"""

from __future__ import annotations

from symbreak.arrays import Array, is_on_host, itemsize
from symbreak.errors import InvalidInput
from symbreak.network import Network
from symbreak.propagation.workspace import numbers_per_pair, numbers_per_start

DEFAULT_MEMORY = 256 * 2**20
# Measured with benchmarks/value_and_gradient.py, one and two threads; half and twice are alike.
CACHE_NUMBERS = 2**20
MIN_EXAMPLES = 1024
COLUMNS_FROM = 128  # examples
ALIGNMENT = 16  # products are a tenth slower where rows of z do not begin on a vector


def default_memory(network: Network, size: int) -> int:
    """Return the budget where none is given, at `size` bytes a number: any net may be evaluated."""
    least = numbers_per_start(network) + numbers_per_pair(network)
    # Twice, to leave room for the examples of a mini-batch.
    return max(DEFAULT_MEMORY, 2 * size * least)


def plan(
    network: Network, stack: Array, n_examples: int, memory_budget: int,
    *, more_per_start: int = 0, more_per_pair: int = 0,
) -> tuple[int, int]:  # fmt: skip
    """Return (starts, examples) of a block for the pass over theta `stack` (starts, n).

    Parameters
    ----------
    more_per_start, more_per_pair : numbers that the pass holds beside its workspace.

    Raises
    ------
    InvalidInput
        One start and one example are already over the budget, in bytes.
    """
    per_start = numbers_per_start(network) + more_per_start
    per_pair = numbers_per_pair(network) + more_per_pair
    budget = memory_budget // itemsize(stack)
    check_budget(per_start + per_pair, itemsize(stack), memory_budget)
    cache = CACHE_NUMBERS if is_on_host(stack) else budget
    wanted = per_pair * min(n_examples, MIN_EXAMPLES)
    most = max(1, min(stack.shape[0], cache // wanted, budget // (per_start + per_pair)))
    starts = _even(stack.shape[0], most)
    room = min(max(cache, wanted), budget - per_start * starts)
    return starts, _aligned(n_examples, room // (per_pair * starts))


def check_budget(numbers: int, size: int, memory_budget: int) -> None:
    """Refuse a budget below so many numbers of so many bytes, for one start and one example."""
    if numbers * size > memory_budget:
        raise InvalidInput(
            f"memory_budget must be at least {size * numbers} bytes for one start and one example "
            f"of this network. Got {memory_budget}."
        )


def by_columns(starts: int, examples: int) -> bool:
    """Whether the products of the first layer are faster over transposed copies of X.

    They are where many units share long rows; a few examples do not repay the transposed gradient.
    """
    return starts > 1 and examples >= COLUMNS_FROM


def _even(total: int, most: int) -> int:
    """Return the size of the fewest nearly equal parts of at most `most`."""
    return -(-total // -(-total // most))


def _aligned(total: int, most: int) -> int:
    """Return the same as a multiple of ALIGNMENT, where there are several parts and room for it."""
    if most >= total or most < ALIGNMENT:
        return min(most, total)
    return -(-_even(total, most - most % ALIGNMENT) // ALIGNMENT) * ALIGNMENT
