"""Scorers of scikit-learn, told which classes there are: the rows that are scored may lack some.

A score of probabilities takes the classes from the labels at hand, and refuses where these are
fewer than the columns of probabilities. Here the classes are those of the training; a label that
the training has not seen has the probability 0.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import sklearn.metrics
from sklearn.metrics import get_scorer

Metric = Callable[..., float]
_AUC = sklearn.metrics.roc_auc_score


def _negative(metric: Metric) -> Metric:
    return lambda *arguments, **options: -metric(*arguments, **options)


# Those of scikit-learn that take the probabilities of all classes, each by its word.
_OF_PROBABILITIES: dict[str, Metric] = {
    "neg_log_loss": _negative(sklearn.metrics.log_loss),
    "neg_brier_score": _negative(sklearn.metrics.brier_score_loss),
    "d2_log_loss_score": sklearn.metrics.d2_log_loss_score,
}
if hasattr(sklearn.metrics, "d2_brier_score"):  # since scikit-learn 1.8
    _OF_PROBABILITIES["d2_brier_score"] = sklearn.metrics.d2_brier_score
# These take one column where there are two classes, and then lack nothing.
_OF_MANY_CLASSES: dict[str, Metric] = {
    "roc_auc_ovr": partial(_AUC, multi_class="ovr"),
    "roc_auc_ovr_weighted": partial(_AUC, multi_class="ovr", average="weighted"),
    "roc_auc_ovo": partial(_AUC, multi_class="ovo"),
    "roc_auc_ovo_weighted": partial(_AUC, multi_class="ovo", average="weighted"),
    "top_k_accuracy": sklearn.metrics.top_k_accuracy_score,
}


def scorer_of(scoring: Any) -> Any:
    """Return the scorer that `scoring` of an estimator names, or is."""
    plain = get_scorer(scoring)
    if not isinstance(scoring, str):
        return plain
    many = scoring in _OF_MANY_CLASSES
    metric = {**_OF_PROBABILITIES, **_OF_MANY_CLASSES}.get(scoring)
    return plain if metric is None else _Scorer(plain, metric, least=3 if many else 1)


def takes_weights(scorer: Any) -> bool:
    """Tell whether a scorer takes sample weights; a function of the user's may not."""
    parameters = inspect.signature(scorer).parameters.values()
    return any(p.name == "sample_weight" or p.kind is p.VAR_KEYWORD for p in parameters)


@dataclass(frozen=True)
class _Scorer:
    """A scorer of probabilities; `plain` where the rows have exactly the classes, or too few are.

    least : the classes from which on `metric` takes a column for each.
    """

    plain: Any
    metric: Metric
    least: int

    def __call__(self, estimator: Any, X: Any, y: Any, sample_weight: Any = None) -> float:
        weight = {} if sample_weight is None else {"sample_weight": sample_weight}
        classes, y = estimator.classes_, np.asarray(y)
        is_complete = len(classes) > 1 and np.array_equal(np.unique(y), classes)
        labels = np.union1d(classes, y)
        if y.ndim > 1 or is_complete or len(labels) < self.least:
            return float(self.plain(estimator, X, y, **weight))
        known = estimator.predict_proba(X)
        # Metrics ask for two columns at least, also of one class, which is certain.
        columns = np.zeros((len(known), max(2, len(labels))), known.dtype)
        columns[:, np.searchsorted(labels, classes)] = known
        places = np.arange(columns.shape[1])
        return float(self.metric(np.searchsorted(labels, y), columns, labels=places, **weight))
