"""Test problems for optimisers: `REGISTRY`, name -> `Problem`.

Conventions: J = ½ Σ r² for least-squares problems (core.py); all minima are minima of J.
MGH : the 35 problems of Moré, Garbow and Hillstrom, "Testing Unconstrained Optimization Software",
ACM TOMS 7 (1981) 17-41, by number. MGH_VARIANTS : some of them in other dimensions.
OTHERS : problems of other sources. ALIASES : short names. The plain functions theta ->
(J, gradient) of plain_functions.py beside this folder are not among them.
"""

from __future__ import annotations

from tests.optimize.problems import (
    mgh_01_07,
    mgh_08_12,
    mgh_13_16,
    mgh_17_20,
    mgh_21_27,
    mgh_28_31,
    mgh_32_35,
    networks,
    others,
)
from tests.optimize.problems.core import Problem, ResidualProblem

__all__ = ["ALIASES", "MGH", "MGH_VARIANTS", "OTHERS", "REGISTRY", "Problem", "ResidualProblem"]

MGH: tuple[Problem, ...] = (
    *mgh_01_07.PROBLEMS,
    *mgh_08_12.PROBLEMS,
    *mgh_13_16.PROBLEMS,
    *mgh_17_20.PROBLEMS,
    *mgh_21_27.PROBLEMS,
    *mgh_28_31.PROBLEMS,
    *mgh_32_35.PROBLEMS,
)
MGH_VARIANTS: tuple[Problem, ...] = (
    *mgh_17_20.VARIANTS,
    *mgh_21_27.VARIANTS,
    *mgh_32_35.VARIANTS,
)
OTHERS: tuple[Problem, ...] = (*others.PROBLEMS, *networks.PROBLEMS)
REGISTRY: dict[str, Problem] = {p.name: p for p in (*MGH, *MGH_VARIANTS, *OTHERS)}
ALIASES: dict[str, Problem] = {
    "rosenbrock": REGISTRY["mgh01_rosenbrock"],
    "beale": REGISTRY["mgh05_beale"],
    "powell_singular": REGISTRY["mgh13_powell_singular"],
    "wood": REGISTRY["mgh14_wood"],
    "chained_rosenbrock": REGISTRY["chained_rosenbrock_10"],
}
