"""Writes the two saved estimators beside this file; run with version 0.1.1 of symbreak.

    OMP_NUM_THREADS=1 python estimators_of_0.1.py

`tests/estimators/test_files_of_before.py` reads them with the version of today, and holds them to
the numbers that this prints.
"""

from pathlib import Path

import numpy as np

import symbreak as sb

HERE = Path(__file__).parent
x = np.linspace(-2.0, 2.0, 24)
X = np.column_stack([x, x**2, np.cos(3 * x)])
SOME = X[::8]

classifier = sb.MLPClassifier(
    (3,), activation="tanh", solver="lbfgs", max_iter=6, n_starts=3, random_state=0,
    class_weight={"low": 1.0, "mid": 2.0, "high": 1.0},
).fit(X, np.repeat(["low", "mid", "high"], [8, 7, 9]))  # fmt: skip
classifier.save(HERE / "classifier_of_0.1.safetensors")
print(
    classifier.predict_proba(SOME).tolist(), classifier.loss_, classifier.starts_["loss"].tolist()
)

regressor = sb.MLPRegressor(
    (2,), activation="tanh", solver="lbfgs", max_iter=8, n_starts=3, random_state=0,
    dtype="float32", combine="all", early_stopping=True, standardize=True,
).fit(X, 10.0 + 3.0 * x + np.sin(4.0 * x))  # fmt: skip
regressor.save(HERE / "regressor_of_0.1.safetensors")
print(regressor.predict(SOME).tolist(), regressor.predict_starts(SOME)[:, 0, 0].tolist())
print(regressor.kept_.tolist())
