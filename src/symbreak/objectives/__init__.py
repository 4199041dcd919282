"""What an optimiser or a gradient check sees: J and its gradient at many theta at once."""

from symbreak.objectives.contract import Objective
from symbreak.objectives.function import FunctionObjective, as_objective
from symbreak.objectives.network_cost import NetworkCost

__all__ = [
    "FunctionObjective",
    "NetworkCost",
    "Objective",
    "as_objective",
]
