"""Training from many starts, and what their results are used for.

train(network, X, y, ...), train_split(split, settings) -> Training, the record of it
"""

from __future__ import annotations

import warnings
from typing import Any

from symbreak.training.combine import COMBINES
from symbreak.training.many_starts import train, train_from
from symbreak.training.record import Training
from symbreak.training.settings import Settings
from symbreak.training.table_training import train_split

__all__ = ["COMBINES", "Settings", "Training", "train", "train_from", "train_split"]


def __getattr__(name: str) -> Any:
    if name == "Trained":
        words = "symbreak.training.Trained is called Training now; the old name will go."
        warnings.warn(words, DeprecationWarning, stacklevel=2)
        return Training
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
