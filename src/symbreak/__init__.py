"""symbreak: break the symmetry, prove the gradient, train from many random starts at once."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

__version__ = "0.1.1"

# Name -> module. Imported on first use, so that `import symbreak` and `symbreak --help` stay fast.
_HOMES = {
    "MLPClassifier": "symbreak.estimators",
    "MLPClassifierCV": "symbreak.estimators",
    "MLPRegressor": "symbreak.estimators",
    "MLPRegressorCV": "symbreak.estimators",
    "ModuleCost": "symbreak.modules.cost.module_cost",
    "Network": "symbreak.network",
    "NetworkCost": "symbreak.objectives",
    "StackedSearchCV": "symbreak.estimators",
    "assert_sound_start": "symbreak.modules.diagnosis.diagnose",
    "backpropagate": "symbreak.propagation.trace",
    "check_backpropagation": "symbreak.backpropagation_check",
    "check_gradient": "symbreak.gradient_check",
    "diagnose": "symbreak.modules.diagnosis.diagnose",
    "initialize": "symbreak.initialization",
    "initialize_module": "symbreak.modules.initialization",
    "repair": "symbreak.modules.repair.repair",
    "report": "symbreak.reports.report",
    "minimize": "symbreak.optimize",
    "symmetries": "symbreak.symmetry",
    "Symmetries": "symbreak.symmetry",
    "register_role": "symbreak.modules.initialization",
    "scan_weights": "symbreak.modules.weight_scan.scan",
    "show_versions": "symbreak.versions",
    # What the above return, take and raise.
    "BackpropagationReport": "symbreak.backpropagation_check",
    "Diagnosis": "symbreak.findings",
    "Finding": "symbreak.findings",
    "GradientReport": "symbreak.gradient_check",
    "Objective": "symbreak.objectives",
    "Outcome": "symbreak.optimize",
    "Racing": "symbreak.optimize",
    "Report": "symbreak.reports.report",
    "Status": "symbreak.optimize",
    "BackpropagationError": "symbreak.backpropagation_check",
    "GradientError": "symbreak.gradient_check",
    "InterruptedWarning": "symbreak.errors",
    "InvalidInput": "symbreak.errors",
    "InvalidType": "symbreak.errors",
    "MissingOptionalPackage": "symbreak.errors",
    "SymbreakError": "symbreak.errors",
    "SymmetryWarning": "symbreak.errors",
}
_MODULES = {
    "lesson": "symbreak.lesson",
    "losses": "symbreak.losses",
    "pictures": "symbreak.reports.pictures",
    "rules": "symbreak.initialization.rules",
}

if TYPE_CHECKING:
    from symbreak import lesson as lesson
    from symbreak import losses as losses
    from symbreak.backpropagation_check import BackpropagationError as BackpropagationError
    from symbreak.backpropagation_check import BackpropagationReport as BackpropagationReport
    from symbreak.backpropagation_check import check_backpropagation as check_backpropagation
    from symbreak.errors import InterruptedWarning as InterruptedWarning
    from symbreak.errors import InvalidInput as InvalidInput
    from symbreak.errors import InvalidType as InvalidType
    from symbreak.errors import MissingOptionalPackage as MissingOptionalPackage
    from symbreak.errors import SymbreakError as SymbreakError
    from symbreak.errors import SymmetryWarning as SymmetryWarning
    from symbreak.estimators import MLPClassifier as MLPClassifier
    from symbreak.estimators import MLPClassifierCV as MLPClassifierCV
    from symbreak.estimators import MLPRegressor as MLPRegressor
    from symbreak.estimators import MLPRegressorCV as MLPRegressorCV
    from symbreak.estimators import StackedSearchCV as StackedSearchCV
    from symbreak.findings import Diagnosis as Diagnosis
    from symbreak.findings import Finding as Finding
    from symbreak.gradient_check import GradientError as GradientError
    from symbreak.gradient_check import GradientReport as GradientReport
    from symbreak.gradient_check import check_gradient as check_gradient
    from symbreak.initialization import rules as rules
    from symbreak.initialization.initialize import initialize as initialize
    from symbreak.modules.cost.module_cost import ModuleCost as ModuleCost
    from symbreak.modules.diagnosis.diagnose import assert_sound_start as assert_sound_start
    from symbreak.modules.diagnosis.diagnose import diagnose as diagnose
    from symbreak.modules.initialization import initialize_module as initialize_module
    from symbreak.modules.initialization import register_role as register_role
    from symbreak.modules.repair.repair import repair as repair
    from symbreak.modules.weight_scan.scan import scan_weights as scan_weights
    from symbreak.network import Network as Network
    from symbreak.objectives import NetworkCost as NetworkCost
    from symbreak.objectives import Objective as Objective
    from symbreak.optimize import Outcome as Outcome
    from symbreak.optimize import Racing as Racing
    from symbreak.optimize import Status as Status
    from symbreak.optimize.minimize import minimize as minimize
    from symbreak.propagation.trace import backpropagate as backpropagate
    from symbreak.reports import pictures as pictures
    from symbreak.reports.report import Report as Report
    from symbreak.reports.report import report as report
    from symbreak.symmetry import Symmetries as Symmetries
    from symbreak.symmetry import symmetries as symmetries
    from symbreak.versions import show_versions as show_versions


def _is_offered(name: str) -> bool:
    """Whether `from symbreak import *` takes it: without PyTorch nothing that is about modules."""
    return not _HOMES[name].startswith("symbreak.modules.") or _has_torch()


def _has_torch() -> bool:
    try:
        return find_spec("torch") is not None
    except ImportError:
        return False


# A name that is left out can be asked for all the same, and says what to install.
__all__ = ["__version__", *filter(_is_offered, _HOMES), *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(_MODULES[name])
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'symbreak' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
