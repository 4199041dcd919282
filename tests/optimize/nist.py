"""The 27 nonlinear regressions of the NIST Statistical Reference Datasets as residual objectives.

Conventions
-----------
model(b, x) : the prediction (starts, m) of parameters b, a tuple of (starts, 1), at x (m,), and its
derivatives by each of them; residual r = model - y, J = ½ Σ r² (NIST states Σ r²). Nelson's
response is log y and has two x.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.optimize.problems.core import Array, ResidualProblem, columns

NUMBERS = json.loads(
    (Path(__file__).parent.parent / "reference" / "nist_strd.json").read_text(encoding="utf-8")
)
Model = Callable[[Sequence[Array], Array], tuple[Array, list[Array]]]


def bennett(b, x):
    base = b[1] + x
    power = base ** (-1 / b[2])
    by_exponent = b[0] * power * np.log(base) / b[2] ** 2
    return b[0] * power, [power, -b[0] / b[2] * power / base, by_exponent]


def saturating(b, x):
    e = np.exp(-b[1] * x)
    return b[0] * (1 - e), [1 - e, b[0] * x * e]


def chwirut(b, x):
    below = b[1] + b[2] * x
    p = np.exp(-b[0] * x) / below
    return p, [-x * p, -p / below, -x * p / below]


def power(b, x):
    p = x ** b[1]
    return b[0] * p, [p, b[0] * p * np.log(x)]


def exponentials(b, x):
    """Σ of b_k exp(-b_{k+1} x)."""
    terms, slopes = [], []
    for k in range(0, len(b), 2):
        e = np.exp(-b[k + 1] * x)
        terms.append(b[k] * e)
        slopes += [e, -b[k] * x * e]
    return sum(terms), slopes


def eckerle(b, x):
    z = (x - b[2]) / b[1]
    e = np.exp(-0.5 * z**2) / b[1]
    return b[0] * e, [e, b[0] * e * (z**2 - 1) / b[1], b[0] * e * z / b[1]]


def gauss(b, x):
    total, slopes = exponentials(b[:2], x)
    for k in (2, 5):
        z = (x - b[k + 1]) / b[k + 2]
        e = np.exp(-(z**2))
        total = total + b[k] * e
        slopes += [e, 2 * b[k] * e * z / b[k + 2], 2 * b[k] * e * z**2 / b[k + 2]]
    return total, slopes


def ratio(b, x):
    """Two polynomials of one degree; the lower one begins with 1."""
    degree = len(b) // 2
    powers = [x**k for k in range(degree + 1)]
    above = sum(one * p for one, p in zip(b[: degree + 1], powers, strict=True))
    below = 1 + sum(one * p for one, p in zip(b[degree + 1 :], powers[1:], strict=True))
    by_below = -above / below**2
    return above / below, [*(p / below for p in powers), *(by_below * p for p in powers[1:])]


def mgh09(b, x):
    above, below = x**2 + x * b[1], x**2 + x * b[2] + b[3]
    by_below = -b[0] * above / below**2
    return b[0] * above / below, [above / below, b[0] * x / below, by_below * x, by_below]


def mgh10(b, x):
    below = x + b[2]
    e = np.exp(b[1] / below)
    return b[0] * e, [e, b[0] * e / below, -b[0] * b[1] * e / below**2]


def mgh17(b, x):
    total, (by_1, by_3, by_2, by_4) = exponentials((b[1], b[3], b[2], b[4]), x)
    return b[0] + total, [np.ones_like(x), by_1, by_2, by_3, by_4]


def misra_b(b, x):
    u = 1 + b[1] * x / 2
    return b[0] * (1 - u**-2), [1 - u**-2, b[0] * x * u**-3]


def misra_c(b, x):
    u = 1 + 2 * b[1] * x
    return b[0] * (1 - u**-0.5), [1 - u**-0.5, b[0] * x * u**-1.5]


def misra_d(b, x):
    u = 1 + b[1] * x
    return b[0] * b[1] * x / u, [b[1] * x / u, b[0] * x / u**2]


def nelson(b, x):
    e = np.exp(-b[2] * x[1])
    return b[0] - b[1] * x[0] * e, [np.ones_like(e), -x[0] * e, b[1] * x[0] * x[1] * e]


def logistic(b, x):
    e = np.exp(b[1] - b[2] * x)
    p, slope = 1 / (1 + e), b[0] * e / (1 + e) ** 2
    return b[0] * p, [p, -slope, x * slope]


def richards(b, x):
    e = np.exp(b[1] - b[2] * x)
    p = (1 + e) ** (-1 / b[3])
    slope = b[0] * p * e / ((1 + e) * b[3])
    return b[0] * p, [p, -slope, x * slope, b[0] * p * np.log(1 + e) / b[3] ** 2]


def roszman(b, x):
    z = b[2] / (x - b[3])
    slope = -1 / (math.pi * (1 + z**2) * (x - b[3]))
    total = b[0] - b[1] * x - np.arctan(z) / math.pi
    return total, [np.ones_like(x), -x, slope, z * slope]


def wave(x, period, cosine, sine):
    angle = 2 * math.pi * x / period
    c, s = np.cos(angle), np.sin(angle)
    return cosine * c + sine * s, [angle / period * (cosine * s - sine * c), c, s]


def enso(b, x):
    year, (_, *by_year) = wave(x, 12, b[1], b[2])
    second, by_second = wave(x, *b[3:6])
    third, by_third = wave(x, *b[6:9])
    slopes = [np.ones_like(x), *by_year, *by_second, *by_third]
    return b[0] + year + second + third, slopes


MODELS: dict[str, Model] = {
    "Bennett5": bennett,
    "BoxBOD": saturating,
    "Chwirut1": chwirut,
    "Chwirut2": chwirut,
    "DanWood": power,
    "ENSO": enso,
    "Eckerle4": eckerle,
    "Gauss1": gauss,
    "Gauss2": gauss,
    "Gauss3": gauss,
    "Hahn1": ratio,
    "Kirby2": ratio,
    "Lanczos1": exponentials,
    "Lanczos2": exponentials,
    "Lanczos3": exponentials,
    "MGH09": mgh09,
    "MGH10": mgh10,
    "MGH17": mgh17,
    "Misra1a": saturating,
    "Misra1b": misra_b,
    "Misra1c": misra_c,
    "Misra1d": misra_d,
    "Nelson": nelson,
    "Rat42": logistic,
    "Rat43": richards,
    "Roszman1": roszman,
    "Thurber": ratio,
}


@dataclass(frozen=True)
class Regression:
    """One data set: two starts, the certified parameters and sum of squares, the objective."""

    name: str
    starts: np.ndarray
    certified: np.ndarray
    sum_of_squares: float
    objective: ResidualProblem


def regression(name: str, dtype: type = np.float64) -> Regression:
    """Return the data set called `name`, its objective computing in `dtype`."""
    numbers, model = NUMBERS[name], MODELS[name]
    x, y = np.array(numbers["x"]).T, np.array(numbers["y"])
    x, y = (x, np.log(y)) if name == "Nelson" else (x[0], y)

    def at(theta: Array) -> tuple[Array, list[Array]]:
        return model(np.moveaxis(theta[..., None], -2, 0), x)

    def residuals(theta: Array) -> Array:
        return at(theta)[0] - y

    def jacobian(theta: Array) -> Array:
        return columns(*at(theta)[1])

    certified = np.array(numbers["certified"])
    objective = ResidualProblem(len(certified), residuals, jacobian, dtype)
    return Regression(
        name, np.array(numbers["starts"]), certified, numbers["sum_of_squares"], objective
    )


def digits(found: np.ndarray, certified: np.ndarray) -> float:
    """Return how many digits the worst parameter shares with the certified one (NIST's LRE)."""
    with np.errstate(divide="ignore"):
        return float(np.min(-np.log10(np.abs(found - certified) / np.abs(certified))))
