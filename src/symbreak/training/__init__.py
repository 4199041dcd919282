"""Training from many starts, and what their results are used for."""

from __future__ import annotations

from symbreak.training.combine import COMBINES
from symbreak.training.many_starts import Trained, train, train_from

__all__ = ["COMBINES", "Trained", "train", "train_from"]
