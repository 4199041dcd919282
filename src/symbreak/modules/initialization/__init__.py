"""A start for every parameter of any `torch.nn.Module`."""

from __future__ import annotations

from symbreak.modules.anatomy.registry import register_role
from symbreak.modules.initialization.initialize_module import initialize_module
from symbreak.modules.initialization.table import InitializationTable, InitializedParameter

__all__ = ["InitializationTable", "InitializedParameter", "initialize_module", "register_role"]
