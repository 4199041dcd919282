"""scikit-learn's own checks of an estimator, all of them, on the search."""

from __future__ import annotations

import pytest
from sklearn.utils.estimator_checks import check_estimator, check_param_validation

import symbreak as sb

SEARCHES = [
    sb.StackedSearchCV(
        kind((10,), solver="lbfgs", max_iter=100, random_state=0), {"alpha": [1e-3, 1.0]}, cv=2
    )
    for kind in (sb.MLPClassifier, sb.MLPRegressor)
]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("search", SEARCHES, ids=["classifier", "regressor"])
def test_every_check_of_scikit_learn_passes(search):
    results = check_estimator(search, on_fail=None, on_skip=None)
    assert [r for r in results if r["status"] in ("failed", "xfail")] == []
    assert len(results) > 40


@pytest.mark.parametrize("search", SEARCHES, ids=["classifier", "regressor"])
def test_parameters_are_validated(search):
    check_param_validation("StackedSearchCV", search)
