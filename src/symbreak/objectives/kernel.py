"""The kernel: J and its gradient of many networks on examples, all that costs time in a fit.

A kernel is made for one task and is then asked again and again. `kernel_for` is the one place where
it is chosen.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from symbreak.arrays import Array
from symbreak.native.twins import native_network
from symbreak.objectives.array_kernel import ArrayKernel, Workspaces
from symbreak.objectives.kernel_task import KernelTask
from symbreak.objectives.native_kernel import NativeKernel


class Kernel(Protocol):
    """J and its gradient, penalty included, of one `KernelTask`."""

    def evaluate(self, stack: Array, gradient: Array | None) -> Array:
        """Return J (starts,) and write its gradient, if one is wanted.

        Parameters
        ----------
        stack : theta (starts, n), contiguous, of the kind, dtype and device of the examples.
        gradient : (starts, n), likewise; None for J alone, which is cheaper.
        """


def kernel_for(task: KernelTask, workspaces: Workspaces) -> Kernel:
    """Return the kernel for a task: the compiled core where it is here and knows the network.

    Parameters
    ----------
    workspaces : buffers shared with the kernels of other starts or examples.
    """
    is_numpy = isinstance(task.examples.rows, np.ndarray)
    if is_numpy and native_network(task.network) is not None:
        return NativeKernel(task)
    return ArrayKernel(task, workspaces)
