"""Which rows train and which score: the folds of a cross-validation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Fold = tuple[Array, Array]
FOLDS = 5


def splitter(
    y: Array, *, is_stratified: bool, groups: Array | None, seed: int, n: int | None = None
) -> Any:
    """Return shuffled folds: of classes in equal shares, of groups as a whole.

    Parameters
    ----------
    y : (m,), the classes where it is stratified.
    groups : (m,), which rows stay together; None for each by itself.
    n : how many; None is 5, or as many as rows, groups or rows of the largest class allow.
    """
    from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

    most = [FOLDS, len(y)]
    if is_stratified:
        most.append(int(np.unique(y, return_counts=True)[1].max()))
    if groups is not None:
        most.append(len(np.unique(groups)))
        kind = StratifiedGroupKFold if is_stratified else GroupKFold
    else:
        kind = StratifiedKFold if is_stratified else KFold
    return kind(max(2, min(most)) if n is None else n, shuffle=True, random_state=seed)


def weighing(folds: list[Fold], weight: Array | None) -> list[Fold]:
    """Return the folds that score rows that weigh something: the others score nothing."""
    return folds if weight is None else [fold for fold in folds if weight[fold[1]].any()]
