"""Pictures in the habit of scikit-learn: `Display.from_...(...)` draws on matplotlib axes.

Every display has `ax_` and `figure_`, takes `ax=`, and can be drawn again by `plot(ax=...)`.
Nothing global is styled. Pictures of predictions are scikit-learn's own, named here as well.
"""

from sklearn.calibration import CalibrationDisplay
from sklearn.metrics import ConfusionMatrixDisplay, PredictionErrorDisplay

from symbreak.reports.pictures.costs import CostCurvesDisplay, FinalCostsDisplay
from symbreak.reports.pictures.gradient import GradientCheckDisplay
from symbreak.reports.pictures.network import NetworkDisplay
from symbreak.reports.pictures.penalties import PenaltyPathDisplay
from symbreak.reports.pictures.signals import SpreadDisplay
from symbreak.reports.pictures.units import DistinctUnitsDisplay

__all__ = [
    "CalibrationDisplay",
    "ConfusionMatrixDisplay",
    "CostCurvesDisplay",
    "DistinctUnitsDisplay",
    "FinalCostsDisplay",
    "GradientCheckDisplay",
    "NetworkDisplay",
    "PenaltyPathDisplay",
    "PredictionErrorDisplay",
    "SpreadDisplay",
]


def __dir__() -> list[str]:
    return sorted(__all__)
