"""scikit-learn's own checks of an estimator, all of them, and those that it keeps apart."""

from __future__ import annotations

import warnings

import pytest
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_estimator,
    check_get_feature_names_out_error,
    check_global_output_transform_pandas,
    check_param_validation,
    check_set_output_transform,
    check_set_output_transform_pandas,
    check_set_output_transform_polars,
    check_transformer_get_feature_names_out,
)

import symbreak as sb

ESTIMATORS = [
    sb.MLPClassifier(max_iter=100),
    sb.MLPRegressor(max_iter=100),
    sb.MLPRegressor(solver="lbfgs", n_starts=3, standardize=True),
    sb.MLPClassifierCV([(), (5,)], max_iter=100, n_starts=2, screening_starts=1),
    sb.MLPRegressorCV([(), (5,)], max_iter=100, n_starts=2, screening_starts=1),
]
APART = [
    check_param_validation,
    check_dataframe_column_names_consistency,
    check_set_output_transform,
    check_set_output_transform_pandas,
    check_set_output_transform_polars,
    check_global_output_transform_pandas,
    check_get_feature_names_out_error,
    check_transformer_get_feature_names_out,
]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
def test_every_check_of_scikit_learn_passes(estimator):
    results = check_estimator(estimator, on_fail=None, on_skip=None)
    assert [r for r in results if r["status"] in ("failed", "xfail")] == []
    assert len(results) > 40


@pytest.mark.parametrize("check", APART, ids=lambda check: check.__name__)
@pytest.mark.parametrize(
    "estimator", [*ESTIMATORS[:2], *ESTIMATORS[3:]], ids=lambda e: type(e).__name__
)
def test_the_checks_that_scikit_learn_keeps_apart(estimator, check):
    from sklearn.base import clone

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(type(estimator).__name__, clone(estimator).set_params(max_iter=5))
