"""Small data sets for tests of the lesson page."""

from __future__ import annotations

import numpy as np

from symbreak.lesson.page import Scene, planes

UPDATES = 4
EPSILON = 0.3
SEED = 3


def blobs(**changes) -> Scene:
    """Three classes of unequal size, five inputs."""
    random = np.random.default_rng(0)
    y = random.permutation(np.repeat([0, 1, 2], [12, 9, 6]))
    X = random.normal(size=(3, 5))[y] + 0.5 * random.normal(size=(len(y), 5))
    known = {
        "key": "blobs", "name": "Blobs", "description": "Three heaps.", "X": X, "y": y,
        "classes": ("red", "green", "blue"), "features": tuple("abcde"),
        "hidden": ((), (3,), (3, 2)),
    }  # fmt: skip
    return Scene(**{**known, **changes})


def scenes() -> list[Scene]:
    """Blobs and XOR."""
    return [blobs(), planes(seed=SEED)[0]]
