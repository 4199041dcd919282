"""Make losses_at_saturation.json: losses and deltas to 25 digits, by decimal numbers.

    python tests/reference/losses_at_saturation.py

Q is the sum of exp(raw_k - raw_y) over the other classes, so p_y = 1 / (1 + Q): no digits cancel,
and the exponents of decimal hold exp(-20000).
"""

from __future__ import annotations

import json
from decimal import Decimal, getcontext
from pathlib import Path

getcontext().prec = 60

RAW = (0.0, 0.0009765625, 1.0, 20.0, 40.0, 300.0, 10000.0)
SCORES = (
    (0.0, 0.0, 0.0),
    (1.0, -2.0, 0.5),
    (40.0, 0.0, -40.0),
    (10000.0, 0.0, -10000.0),
    (-10000.0, -10000.0, -9960.0),
    (10000.0, 10000.0, 9999.0),
)


def log1p(q: Decimal) -> Decimal:
    """log(1 + q); three terms of the series leave an error below q^4 / 4."""
    return q - q**2 / 2 + q**3 / 3 if q < Decimal("1e-15") else (1 + q).ln()


def cross_entropy(raw: tuple[float, ...], y: int) -> tuple[Decimal, list[Decimal]]:
    e = [(Decimal(r) - Decimal(raw[y])).exp() for r in raw]
    others = sum(each for k, each in enumerate(e) if k != y)
    total = 1 + others
    return log1p(others), [-others / total if k == y else each / total for k, each in enumerate(e)]


def binary_cross_entropy(raw: float, y: int) -> tuple[Decimal, list[Decimal]]:
    value, (_, delta) = cross_entropy((0.0, raw), y)
    return value, [delta]


def poisson(raw: float, y: int) -> tuple[Decimal, list[Decimal]]:
    mean = Decimal(raw).exp()
    return mean - y * Decimal(raw), [mean - y]


def case(loss, raw, y):
    value, delta = loss(raw, y)
    return {
        "loss": loss.__name__,
        "raw": list(raw) if isinstance(raw, tuple) else [raw],
        "y": y,
        "value": f"{value:.25e}",
        "delta": [f"{d:.25e}" for d in delta],
    }


def main() -> None:
    signed = sorted({sign * raw for raw in RAW for sign in (1, -1)})
    cases = [case(binary_cross_entropy, raw, y) for raw in signed for y in (0, 1)]
    cases += [case(cross_entropy, raw, y) for raw in SCORES for y in range(3)]
    cases += [case(poisson, raw, y) for raw in signed if raw <= 40 for y in (0, 3)]
    text = json.dumps(cases, indent=1) + "\n"
    Path(__file__).with_suffix(".json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
