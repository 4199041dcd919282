"""What can be chosen on the lesson page, and the steps that lead through it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symbreak.initialization import rules
from symbreak.initialization.rule import Rule

EPSILONS = (1e-4, 1e-2, 0.12, 1.0, 10.0)
USUAL = "uniform-0.12"


@dataclass(frozen=True)
class StartOption:
    """A way to start: a word for the address, words for people, the rule."""

    key: str
    label: str
    rule: Rule


def starts(epsilon: float, input_range: tuple[float, float]) -> list[StartOption]:
    """Return the starts of the page, symmetric ones first.

    Parameters
    ----------
    epsilon : the constant; also a uniform start, if it is none of the usual ones.
    input_range : the lowest and highest value of the data, for Nguyen and Widrow's rule.
    """
    epsilons = sorted({*EPSILONS, float(epsilon)})
    return [
        StartOption("zeros", "zeros", rules.Zeros()),
        StartOption("constant", f"constant {epsilon:.15g}", rules.Constant(value=epsilon)),
        *(
            StartOption(
                f"uniform-{value:.15g}", f"uniform, ε = {value:.15g}", rules.Uniform(epsilon=value)
            )
            for value in epsilons
        ),
        StartOption("glorot", "Glorot, uniform", rules.GlorotUniform()),
        StartOption("he", "He, normal", rules.HeNormal()),
        StartOption("nguyen-widrow", "Nguyen-Widrow", rules.NguyenWidrow(input_range=input_range)),
    ]


@dataclass(frozen=True)
class LessonStep:
    """A step of the lesson and the settings it begins with.

    Attributes
    ----------
    key, title : for the address and for people.
    method : see `symbreak.lesson.runs.METHODS`.
    left, right : the start of each side.
    logistic : whether the left side has no hidden layer.
    at_end : whether the slider begins at the last update.
    at_home : whether it goes back to the first data set, which its text speaks of.
    panel : the panel that the step is about, opened with it; "" for none.
    """

    key: str
    title: str
    method: str
    left: str
    right: str
    logistic: bool = False
    at_end: bool = True
    at_home: bool = False
    panel: str = ""


def steps(keys: Sequence[str]) -> list[LessonStep]:
    """Return the steps in their order; `keys` are those of the starts."""
    smallest, largest = (
        next(key for key in order if key.startswith("uniform")) for order in (keys, keys[::-1])
    )
    return [
        LessonStep(
            "logistic", "Zeros work without a hidden layer", "l-bfgs", "zeros", "zeros", True
        ),
        LessonStep("zeros", "Zeros fail here", "l-bfgs", "zeros", USUAL),
        LessonStep("constants", "Constants fail too", "l-bfgs", "constant", USUAL),
        LessonStep("small", "Too small", "gradient-descent", smallest, USUAL, at_home=True),
        LessonStep(
            "large", "Too large", "gradient-descent", largest, USUAL, at_end=False, at_home=True
        ),
        LessonStep(
            "right", "Right: the size follows the network", "gradient-descent", "glorot", USUAL,
            at_home=True,
        ),
        LessonStep("check", "Check the gradient", "l-bfgs", "zeros", USUAL, panel="check"),
        LessonStep("rounding", "Rounding is no rescue", "l-bfgs", "zeros", USUAL, panel="rounding"),
        LessonStep("restart", "Restart", "l-bfgs", USUAL, "glorot", panel="restarts"),
    ]  # fmt: skip
