"""The 27 nonlinear regressions of the NIST Statistical Reference Datasets as residual objectives.

Conventions
-----------
model(b, x) : the prediction (starts, m) of parameters b, a tuple of (starts, 1), at x (m,);
residual r = model - y, J = ½ Σ r² (NIST states Σ r²). Nelson's response is log y and has two x.
The Jacobian is taken by autograd.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tests.optimize.problems.core import ResidualProblem

NUMBERS = json.loads(
    (Path(__file__).parent.parent / "reference" / "nist_strd.json").read_text(encoding="utf-8")
)


def saturating(b, x):
    return b[0] * (1 - torch.exp(-b[1] * x))


def chwirut(b, x):
    return torch.exp(-b[0] * x) / (b[1] + b[2] * x)


def lanczos(b, x):
    return sum(b[k] * torch.exp(-b[k + 1] * x) for k in (0, 2, 4))


def gauss(b, x):
    bells = [b[k] * torch.exp(-(((x - b[k + 1]) / b[k + 2]) ** 2)) for k in (2, 5)]
    return b[0] * torch.exp(-b[1] * x) + bells[0] + bells[1]


def cubic_ratio(b, x):
    above = b[0] + x * (b[1] + x * (b[2] + x * b[3]))
    return above / (1 + x * (b[4] + x * (b[5] + x * b[6])))


def roszman(b, x):
    return b[0] - b[1] * x - torch.arctan(b[2] / (x - b[3])) / math.pi


def enso(b, x):
    def wave(period, cosine, sine):
        angle = 2 * math.pi * x / period
        return cosine * torch.cos(angle) + sine * torch.sin(angle)

    return b[0] + wave(12, b[1], b[2]) + wave(b[3], b[4], b[5]) + wave(b[6], b[7], b[8])


MODELS: dict[str, Callable[[tuple[Tensor, ...], Tensor], Tensor]] = {
    "Bennett5": lambda b, x: b[0] * (b[1] + x) ** (-1 / b[2]),
    "BoxBOD": saturating,
    "Chwirut1": chwirut,
    "Chwirut2": chwirut,
    "DanWood": lambda b, x: b[0] * x ** b[1],
    "ENSO": enso,
    "Eckerle4": lambda b, x: b[0] / b[1] * torch.exp(-0.5 * ((x - b[2]) / b[1]) ** 2),
    "Gauss1": gauss,
    "Gauss2": gauss,
    "Gauss3": gauss,
    "Hahn1": cubic_ratio,
    "Kirby2": lambda b, x: (b[0] + x * (b[1] + x * b[2])) / (1 + x * (b[3] + x * b[4])),
    "Lanczos1": lanczos,
    "Lanczos2": lanczos,
    "Lanczos3": lanczos,
    "MGH09": lambda b, x: b[0] * (x**2 + x * b[1]) / (x**2 + x * b[2] + b[3]),
    "MGH10": lambda b, x: b[0] * torch.exp(b[1] / (x + b[2])),
    "MGH17": lambda b, x: b[0] + b[1] * torch.exp(-x * b[3]) + b[2] * torch.exp(-x * b[4]),
    "Misra1a": saturating,
    "Misra1b": lambda b, x: b[0] * (1 - (1 + b[1] * x / 2) ** -2),
    "Misra1c": lambda b, x: b[0] * (1 - (1 + 2 * b[1] * x) ** -0.5),
    "Misra1d": lambda b, x: b[0] * b[1] * x / (1 + b[1] * x),
    "Nelson": lambda b, x: b[0] - b[1] * x[0] * torch.exp(-b[2] * x[1]),
    "Rat42": lambda b, x: b[0] / (1 + torch.exp(b[1] - b[2] * x)),
    "Rat43": lambda b, x: b[0] / (1 + torch.exp(b[1] - b[2] * x)) ** (1 / b[3]),
    "Roszman1": roszman,
    "Thurber": cubic_ratio,
}


@dataclass(frozen=True)
class Regression:
    """One data set: two starts, the certified parameters and sum of squares, the objective."""

    name: str
    starts: np.ndarray
    certified: np.ndarray
    sum_of_squares: float
    objective: ResidualProblem


def regression(name: str) -> Regression:
    """Return the data set called `name`."""
    numbers, model = NUMBERS[name], MODELS[name]
    x = torch.tensor(numbers["x"], dtype=torch.float64).T
    y = torch.tensor(numbers["y"], dtype=torch.float64)
    x, y = (x, y.log()) if name == "Nelson" else (x[0], y)

    def residuals(theta: Tensor) -> Tensor:
        return model(theta[..., None].unbind(-2), x) - y

    def jacobian(theta: Tensor) -> Tensor:
        # Starts do not see each other, so the sum over them has all their derivatives.
        slopes = torch.autograd.functional.jacobian(lambda t: residuals(t).sum(0), theta)
        return slopes.transpose(0, 1)

    certified = np.array(numbers["certified"])
    objective = ResidualProblem(len(certified), residuals, jacobian)
    return Regression(
        name, np.array(numbers["starts"]), certified, numbers["sum_of_squares"], objective
    )


def digits(found: np.ndarray, certified: np.ndarray) -> float:
    """Return how many digits the worst parameter shares with the certified one (NIST's LRE)."""
    with np.errstate(divide="ignore"):
        return float(np.min(-np.log10(np.abs(found - certified) / np.abs(certified))))
