"""Estimators with scikit-learn's interface."""

from __future__ import annotations

from symbreak.estimators.classifier import MLPClassifier
from symbreak.estimators.classifier_cv import MLPClassifierCV
from symbreak.estimators.regressor import MLPRegressor
from symbreak.estimators.regressor_cv import MLPRegressorCV
from symbreak.estimators.search import StackedSearchCV

__all__ = [
    "MLPClassifier",
    "MLPClassifierCV",
    "MLPRegressor",
    "MLPRegressorCV",
    "StackedSearchCV",
]
