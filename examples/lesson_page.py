"""The lesson page in Python: the runs as data, then as a page, with a data set of one's own.

    python examples/lesson_page.py

Writes lesson.html into the folder it is started in. It needs `pip install "symbreak[report]"`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import symbreak as sb

UPDATES = 50


def moons(seed: int = 0) -> sb.lesson.Scene:
    """Return two half circles that reach into each other."""
    random = np.random.default_rng(seed)
    angle = np.pi * np.tile(np.linspace(0, 1, 40), 2)
    y = np.repeat([0, 1], 40)
    sign = np.where(y == 1, -1.0, 1.0)
    X = np.stack([sign * (np.cos(angle) - 0.5), sign * (np.sin(angle) - 0.25)], axis=1)
    return sb.lesson.Scene(
        key="moons",
        name="Two moons",
        description="Half circles that reach into each other.",
        X=X + 0.08 * random.normal(size=X.shape),
        y=y,
        classes=("upper", "lower"),
        features=("across", "up"),
        hidden=((), (2,), (6,)),
    )


def main() -> None:
    """Train from every start, print a few numbers, write the page."""
    data = sb.lesson.lesson_data([moons(), sb.lesson.planes()[0]], updates=UPDATES)
    scene = data["scenes"][0]
    network = scene["networks"][-1]
    print(f"{scene['name']}, {network['hidden']} hidden units, L-BFGS, {scene['updates']} updates:")
    print(f"{'start':18} {'J':>10} {'accuracy':>9} {'distinct units':>15} {'rank Theta1':>12}")
    for start in data["starts"]:
        end = network["runs"][f"l-bfgs/{start['key']}"]["snapshots"][-1]
        print(
            f"{start['label']:18} {end['J']:10.4g} {end['accuracy']:9.3f} "
            f"{end['distinct'][0]:15} {end['rank']:12}"
        )
    page = Path("lesson.html")
    page.write_text(sb.lesson.rendered(data), encoding="utf-8")
    print(f"The page: {page}")


if __name__ == "__main__":
    main()
