"""Torch tensors at the door of rooms that compute on them.

PyTorch is imported when one of these functions is called.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from symbreak.arrays.kinds import as_array, check_real
from symbreak.arrays.words import FLOATS, dtype_word
from symbreak.errors import InvalidInput, MissingOptionalPackage

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray
    from torch import Tensor


def imported_torch(what: str) -> Any:
    """Return PyTorch, for `what` needs it.

    Raises
    ------
    MissingOptionalPackage
        It is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingOptionalPackage.of(what, "torch", "torch") from error
    return torch


def as_dtype(dtype: Any, known: Iterable[str] = FLOATS) -> torch.dtype:
    """Return the torch dtype of a word, a NumPy or a torch dtype; one of `known`."""
    return getattr(imported_torch("dtype"), dtype_word(dtype, known))


def as_device(device: Any) -> torch.device:
    """Return the torch device of a name such as "cpu" or "cuda:0"."""
    torch = imported_torch(f"The device {device}")
    try:
        found = torch.device("cpu" if device is None else device)
        # Read back, since a device such as "meta" takes numbers and keeps none.
        torch.zeros(1, device=found).item()
    except (RuntimeError, TypeError, AssertionError, NotImplementedError) as error:
        raise InvalidInput(
            f"device must be one that PyTorch can use here, such as 'cpu'. Got {device!r}."
        ) from error
    return found


def as_tensor(array: Any, what: str) -> Tensor:
    """Return a torch tensor of numbers, without a copy where that is possible.

    Raises
    ------
    InvalidType
        `what` names the argument whose content is no array of real numbers.
    """
    torch = imported_torch(what)
    if isinstance(array, torch.Tensor):
        check_real(array, what)
        return array.detach() if array.requires_grad else array
    return shared(as_array(array, what))


def shared(array: NDArray[Any]) -> Tensor:
    """Return a tensor in the same memory, or in a copy where torch cannot share: strides, flags."""
    can_be = array.flags.writeable and min(array.strides, default=0) >= 0
    return imported_torch("tensors").from_numpy(array if can_be else array.copy())
