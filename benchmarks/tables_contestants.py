"""The contestants of `tables.py`: each is given rows to train on and predicts others.

Conventions
-----------
predict : of a contestant, (X, y, X_test, seconds) to probabilities (rows, classes) or numbers
(rows,); `seconds` of the processor are those that ours took, for who spends as many.
Inputs of scikit-learn's MLP, logistic and ridge are standardised on the training rows, and so are
the numbers that its MLP is to learn.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

Predict = Callable[[Any, Any, Any, float], Any]
OURS, SHARES, LINEAR, FOREST, TREES = "ours", "shares or mean", "linear", "forest", "boosting"
PLAIN_MLP, TUNED_MLP = "sklearn MLP", "tuned MLP"
REAL_MLP, REAL_MLPS = "RealMLP", "5 RealMLPs"
FOREST_SIZE = 500


def contestants(is_classes: bool, seed: int) -> Mapping[str, Predict]:
    """Return the contestants that are installed, ours first."""
    found = _of_classes(seed) if is_classes else _of_numbers(seed)
    if importlib.util.find_spec("pytabkit") is None:
        return found
    return {
        **found,
        REAL_MLP: partial(_real_mlp, is_classes, seed, 1),
        REAL_MLPS: partial(_real_mlp, is_classes, seed, 5),
    }


def _of_classes(seed: int) -> dict[str, Predict]:
    from sklearn.dummy import DummyClassifier
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.neural_network import MLPClassifier

    import symbreak as sb

    def forest(X: Any, y: Any, X_test: Any, _: float) -> Any:
        """A vote more for each class: no class that some tree might have named is impossible."""
        fitted = RandomForestClassifier(FOREST_SIZE, random_state=seed).fit(X, y)
        votes = FOREST_SIZE * fitted.predict_proba(X_test) + 1.0
        return votes / votes.sum(axis=1, keepdims=True)

    logistic = LogisticRegressionCV(
        cv=5, scoring="neg_log_loss", max_iter=2000, use_legacy_attributes=False, l1_ratios=(0,)
    )
    return {
        OURS: _plain(sb.MLPClassifierCV(random_state=seed)),
        SHARES: _plain(DummyClassifier(strategy="prior")),
        LINEAR: _plain(_scaled(logistic)),
        PLAIN_MLP: _plain(_scaled(MLPClassifier(random_state=seed))),
        TUNED_MLP: partial(_tuned, MLPClassifier, "neg_log_loss", seed),
        FOREST: forest,
        TREES: _plain(HistGradientBoostingClassifier(random_state=seed)),
    }


def _of_numbers(seed: int) -> dict[str, Predict]:
    from sklearn.dummy import DummyRegressor
    from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
    from sklearn.linear_model import RidgeCV
    from sklearn.neural_network import MLPRegressor

    import symbreak as sb

    return {
        OURS: _plain(sb.MLPRegressorCV(random_state=seed)),
        SHARES: _plain(DummyRegressor()),
        LINEAR: _plain(_scaled(RidgeCV(np.logspace(-4, 4, 25)))),
        PLAIN_MLP: _plain(_scaled(_in_deviations(MLPRegressor(random_state=seed)))),
        TUNED_MLP: partial(_tuned, MLPRegressor, "neg_mean_squared_error", seed),
        FOREST: _plain(RandomForestRegressor(FOREST_SIZE, random_state=seed)),
        TREES: _plain(HistGradientBoostingRegressor(random_state=seed)),
    }


def _scaled(estimator: Any) -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), estimator)


def _in_deviations(estimator: Any) -> Any:
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler

    return TransformedTargetRegressor(estimator, transformer=StandardScaler())


def _plain(estimator: Any) -> Predict:
    def predict(X: Any, y: Any, X_test: Any, _: float) -> Any:
        return _predicted(estimator.fit(X, y), X_test)

    return predict


def _predicted(fitted: Any, X: Any) -> Any:
    return (fitted.predict_proba if hasattr(fitted, "predict_proba") else fitted.predict)(X)


def _tuned(kind: Any, scoring: str, seed: int, X: Any, y: Any, X_test: Any, seconds: float) -> Any:
    """Search at random by 5 folds until the seconds are spent; at least one candidate is tried."""
    from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score

    is_classes = scoring == "neg_log_loss"
    folds = (StratifiedKFold if is_classes else KFold)(5, shuffle=True, random_state=seed)
    draw, end = np.random.RandomState(seed), time.process_time() + seconds
    best, best_score = None, -np.inf
    while best is None or time.process_time() < end:
        network = kind(**_drawn(draw), max_iter=1000, random_state=seed)
        candidate = _scaled(network if is_classes else _in_deviations(network))
        score = cross_val_score(candidate, X, y, cv=folds, scoring=scoring).mean()
        if best is None or score > best_score:
            best, best_score = candidate, score
    return _predicted(best.fit(X, y), X_test)


def _drawn(random: Any) -> dict[str, Any]:
    layers = ((20,), (50,), (100,), (20, 20), (50, 50), (100, 100))
    return {
        "hidden_layer_sizes": layers[random.randint(len(layers))],
        "activation": random.choice(["relu", "tanh"]),
        "solver": random.choice(["adam", "lbfgs"]),
        "alpha": float(10.0 ** random.uniform(-4, 2)),
        "learning_rate_init": float(10.0 ** random.uniform(-3.5, -1.5)),
        "early_stopping": bool(random.randint(2)),
    }


def _real_mlp(
    is_classes: bool, seed: int, models: int, X: Any, y: Any, X_test: Any, _: float
) -> Any:
    """RealMLP with its tuned defaults; for log-loss as its authors advise for that score."""
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    common = {"random_state": seed, "n_cv": models, "n_threads": 1, "device": "cpu"}
    if not is_classes:
        return RealMLP_TD_Regressor(**common).fit(X, y).predict(X_test)
    for_loss = {"val_metric_name": "cross_entropy", "use_ls": False}
    return RealMLP_TD_Classifier(**common, **for_loss).fit(X, y).predict_proba(X_test)
