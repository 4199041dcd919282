"""What the lesson found: plain numbers, each from a run.

Units and layers are counted as the lecture counts them: layer 2 is the first hidden layer, its
units are 1, 2, ... Entries of theta are named as everywhere in symbreak, "Theta1[0, 3]": rows from
0, the bias in column 0. Rows 0 and 1 of Theta1 lead into units 1 and 2, columns 1 and 2 of Theta2
lead out of them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from symbreak.deprecation import warn_renamed
from symbreak.training.scores import largest_share


@dataclass(frozen=True)
class TwoUnits:
    """Units 1 and 2 of layer 2 on a few examples; `a` and `delta` are (2, examples)."""

    examples: tuple[int, ...]
    a: tuple[tuple[float, ...], ...]
    delta: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Pair:
    """Two weights in the same place of the two units, and the derivative of J by each."""

    names: tuple[str, str]
    derivatives: tuple[float, float]


@dataclass(frozen=True)
class Snapshot:
    """Where a run stood.

    Attributes
    ----------
    updates : the number of updates made to get here.
    J, accuracy : on the examples trained on.
    distinct_units : of each hidden layer.
    largest_theta1 : the largest |entry| of Theta1.
    """

    updates: int
    J: float
    accuracy: float
    distinct_units: tuple[int, ...]
    largest_theta1: float


@dataclass(frozen=True)
class Run:
    """One training run.

    Attributes
    ----------
    method, options : as `minimize` takes them.
    exact_symmetry : the gradient was averaged over equal units.
    before, after_one, end : the start, the first update, the best point of the whole run.
    averaged_away : the most that averaging changes a derivative at these three points, relative to
        the largest derivative there: rounding. 0 when nothing was averaged.
    status : how the run ended, a word and a sentence.
    """

    method: str
    options: dict[str, float]
    exact_symmetry: bool
    before: Snapshot
    after_one: Snapshot
    end: Snapshot
    averaged_away: float
    status: str
    status_text: str

    @property
    def is_stationary(self) -> bool:
        """Whether every derivative was zero at the start, so that nothing moved."""
        return self.status == "STATIONARY_START"


@dataclass(frozen=True)
class Drift:
    """The same run with the gradient as rounding leaves it.

    spread = max |theta - nearest symmetric theta| / max |theta|

    Attributes
    ----------
    first_unequal, first_above_rounding, first_visible : the update at which a bit differs between
        equal units, the spread exceeds `rounding`, and `visible`; None if never.
    end : as in `Run`.
    spread : at the end.
    """

    method: str
    rounding: float
    visible: float
    first_unequal: int | None
    first_above_rounding: int | None
    first_visible: int | None
    end: Snapshot
    spread: float


@dataclass(frozen=True)
class StartResult:
    """One way to start and what became of it.

    Attributes
    ----------
    rule, value : the rule and its one number (0 for zeros).
    warning : what symbreak says of this start, or None.
    largest_derivative : max |gradient| at the start.
    units_before, units_after : at the start, and at the end of the last run.
    pairs : at the start.
    runs : one for each method.
    drifts : for each method the run without averaging; none where all units are distinct anyway.
    """

    rule: str
    value: float
    warning: str | None
    largest_derivative: float
    units_before: TwoUnits
    units_after: TwoUnits
    pairs: tuple[Pair, ...]
    runs: tuple[Run, ...]
    drifts: tuple[Drift, ...]


@dataclass(frozen=True)
class Lesson:
    """The whole argument.

    Attributes
    ----------
    layers, activation, loss : of the network with hidden layers.
    n_examples, classes, class_counts : of the data.
    epsilon, updates, seed : as asked for.
    logistic_regression : runs of the network without a hidden layer, from zeros.
    starts : zeros, constant, uniform.
    """

    layers: tuple[int, ...]
    activation: str
    loss: str
    n_examples: int
    classes: tuple[str, ...]
    class_counts: tuple[int, ...]
    epsilon: float
    updates: int
    seed: int
    logistic_regression: tuple[Run, ...]
    starts: tuple[StartResult, ...]

    @property
    def most_frequent_share(self) -> float:
        """The accuracy of always answering the most frequent class."""
        return largest_share(self.class_counts)

    def to_plain(self) -> dict[str, Any]:
        """Do what `to_dict` does; the old name."""
        warn_renamed("to_plain of Lesson", "to_dict")
        return self.to_dict()

    def to_dict(self) -> dict[str, Any]:
        """Return dictionaries, tuples, words and numbers, as `json.dumps` takes them."""
        return asdict(self)
