"""The data sets of the lesson page: digits, and three that a line cannot part.

Points of the plane, two classes, equally frequent. With r a radius, t an angle, n normal noise:

    XOR       corners (+-1, +-1), class 1 where the signs differ
    circles   r = 0.4 (class 1) and r = 1.2 (class 0)
    spirals   r = 0.15 + 1.15 s, t = 1.25 * 2 pi s, s from 0 to 1; class 1 turned by pi
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.checks import check_count
from symbreak.deprecation import once_positional
from symbreak.errors import InvalidInput

Floats = NDArray[np.float64]

LARGEST_PIXEL = 16.0
MOST_EXAMPLES = 2000
PER_CLASS = 40


@dataclass(frozen=True, eq=False)
class Scene:
    """A data set of classes.

    Attributes
    ----------
    key : a short word for the address of the page.
    name, description : for people.
    X : (m, features), scaled so that the columns have sizes near 1.
    y : (m,), class indices 0 .. K-1.
    classes, features : the names of the K classes and of the columns of X.
    hidden : the hidden layers to choose from; () is logistic regression.
    """

    key: str
    name: str
    description: str
    X: Floats
    y: NDArray[np.int64]
    classes: tuple[str, ...]
    features: tuple[str, ...]
    hidden: tuple[tuple[int, ...], ...] = ((), (4,), (25,))

    def __post_init__(self) -> None:
        rows, columns = self.X.shape
        if len(self.y) != rows or len(self.features) != columns or len(self.classes) < 2:
            raise InvalidInput(
                f"A scene of the lesson must have a y and a row of X for each example, a name for "
                f"each column of X, and 2 or more classes. Got {len(self.y)} y, {rows} rows, "
                f"{columns} columns, {len(self.features)} names, {len(self.classes)} classes."
            )
        y = np.asarray(self.y)
        if y.dtype.kind not in "iu" or rows == 0 or y.min() < 0 or y.max() >= len(self.classes):
            raise InvalidInput(
                f"y of scene {self.key!r} must be whole numbers from 0 to {len(self.classes) - 1}, "
                f"the places of its classes. Got {y.dtype} {y[:5].tolist()} ..."
            )
        units = [count for layers in self.hidden for count in layers]
        if () not in self.hidden or min(units, default=0) < 2:
            raise InvalidInput(
                f"hidden of scene {self.key!r} must have () for logistic regression, and other "
                f"tuples of 2 or more units for each hidden layer. Got {self.hidden!r}."
            )

    @property
    def is_plane(self) -> bool:
        """Whether the examples are two classes of points of a plane: the decision can be drawn."""
        return len(self.features) == len(self.classes) == 2

    def at_most(self, examples: int, seed: int) -> Scene:
        """Return the scene with no more than this many examples, drawn without replacement."""
        if len(self.X) <= examples:
            return self
        rows = np.sort(np.random.default_rng(seed).permutation(len(self.X))[:examples])
        note = f"{self.description} {examples} of {len(self.X)} examples, drawn at random."
        return replace(self, description=note, X=self.X[rows], y=self.y[rows])


def digits() -> Scene:
    """Return the 8 x 8 handwritten digits that come with scikit-learn, pixels in [0, 1]."""
    from sklearn.datasets import load_digits

    bunch: Any = load_digits()
    return Scene(
        key="digits",
        name="Handwritten digits",
        description="8 by 8 pixels between 0 and 1, ten classes.",
        X=bunch.data / LARGEST_PIXEL,
        y=bunch.target.astype(np.int64),
        classes=tuple(map(str, range(10))),
        features=tuple(map(str, bunch.feature_names)),
    )


@once_positional("seed")
def planes(*, seed: int = 0) -> list[Scene]:
    """Return XOR, circles and two spirals, their noise drawn with `seed`, 0 or more."""
    check_count("seed of the lesson", seed)
    return [
        _plane("xor", "XOR", "Four clusters; neighbours differ.", _xor, 0.18, (2, 4), seed),
        _plane("circles", "Circles", "One ring inside another.", _circles, 0.07, (3, 6), seed),
        _plane("spirals", "Two spirals", "Two arms, wound up.", _spirals, 0.03, (6, 12), seed),
    ]


def _plane(
    key: str, name: str, text: str, points: Any, noise: float, hidden: Sequence[int], seed: int
) -> Scene:
    y = np.repeat([0, 1], PER_CLASS)
    share = np.tile((np.arange(PER_CLASS) + 0.5) / PER_CLASS, 2)
    random = np.random.default_rng(seed)
    X = points(share, y) + noise * random.normal(size=(2 * PER_CLASS, 2))
    sizes = ((), *((units,) for units in hidden))
    return Scene(key, name, text, X, y, ("0", "1"), ("x₁", "x₂"), sizes)


def _xor(share: Floats, y: NDArray[np.int64]) -> Floats:
    first = np.where(share < 0.5, 1.0, -1.0)
    return np.stack([first, np.where(y == 1, -first, first)], axis=1)


def _circles(share: Floats, y: NDArray[np.int64]) -> Floats:
    return _polar(np.where(y == 1, 0.4, 1.2), 2 * np.pi * share)


def _spirals(share: Floats, y: NDArray[np.int64]) -> Floats:
    return _polar(0.15 + 1.15 * share, 1.25 * 2 * np.pi * share + np.pi * y)


def _polar(radius: Floats, angle: Floats) -> Floats:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
