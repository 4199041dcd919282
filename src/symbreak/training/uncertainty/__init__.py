"""How sure predictions are, from many starts and from rows that were held out.

    starts (starts, m, classes)    -> disagreement (m,)                  disagreement
    |errors| on rows of each fold  -> their size as a function of x      error_size
                                   -> intervals (m, 2, outputs), std     held_out, conformal
    probabilities, known classes   -> reliability, calibration error     calibration

All of it is in the units that the network knows: X and y standardised where the network takes them
so. Whoever has the scales (an estimator, a model of a table) turns numbers into the units of y.
"""

from symbreak.training.uncertainty.calibration import Reliability, reliability
from symbreak.training.uncertainty.conformal import COVERAGE
from symbreak.training.uncertainty.disagreement import both_answers, disagreement
from symbreak.training.uncertainty.error_size import apart
from symbreak.training.uncertainty.held_out import FoldPrediction, HeldOut

__all__ = [
    "COVERAGE",
    "FoldPrediction",
    "HeldOut",
    "Reliability",
    "apart",
    "both_answers",
    "disagreement",
    "reliability",
]
