"""A start for every parameter of any `torch.nn.Module`."""

from __future__ import annotations

from symbreak.initialization.modules.initialize_module import initialize_module
from symbreak.initialization.modules.registry import register_role
from symbreak.initialization.modules.table import InitializationTable, InitializedParameter

__all__ = ["InitializationTable", "InitializedParameter", "initialize_module", "register_role"]
