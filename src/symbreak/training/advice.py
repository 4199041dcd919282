"""What a training asks for: facts in, records of advice out, the most urgent first.

    constant_network   it predicts the same for every row: never a success
    unscaled_inputs    columns of X lie orders of magnitude apart, or far from 0
    overfitting        much better on training rows than on held-out rows, and it costs
    underfitting       the penalty is a good part of J and leaves one minimum for all starts
    few_rows           so few held-out rows that they tell little
    linear_as_good     without a hidden layer it is as good, or better
    not_converged      the lowest J has not converged, and nothing above stands against going on
    more_starts        the lowest J was reached once, and new values are likely

Each rule reads `Facts` and nothing else. Thresholds are those of the constants; differences of
losses count where they are above their noise (`symbreak.training.comparison`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symbreak.text import pluralize
from symbreak.training.comparison import Comparison, Entry

FEW_ROWS = 20  # of a hold-out
HEAVY = 0.1  # the share of J that makes a penalty heavy
LIGHT, MEMORISED = 0.01, 0.6  # a penalty that is hardly there; training loss over held-out loss
SPREAD = 1e3  # largest over smallest standard deviation, or |mean| over standard deviation


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a training; None for what is not.

    Attributes
    ----------
    comparison : the losses beside each other.
    is_constant : whether the loss on the training rows is that of the best constant, within noise.
    constant_units, hidden_units : how many are constant over the training rows, of how many.
    penalty_share : of J, at the start that leads.
    penalty_is_chosen : whether cross-validation chose the penalty.
    n_starts, n_lowest : starts, and those that reached the lowest J.
    is_converged : whether the lowest J converged; None where its end is as good as that.
    needs_more_starts : see `Restarts`.
    spread_of_inputs : how far the scales of the columns of X, or their means, lie apart.
    is_linear : whether the network has no hidden layer.
    """

    comparison: Comparison | None = None
    is_constant: bool = False
    constant_units: int = 0
    hidden_units: int = 0
    penalty_share: float = 0.0
    penalty_is_chosen: bool = False
    n_starts: int = 1
    n_lowest: int = 1
    is_converged: bool | None = True
    needs_more_starts: bool = False
    spread_of_inputs: float = 1.0
    is_linear: bool = False


@dataclass(frozen=True)
class Advice:
    """One thing that a training asks for.

    Attributes
    ----------
    kind : see the module.
    title : a few words.
    sentence : what was found, with its figures.
    remedy : a word of `symbreak.training.remedies`, "" where nothing is known to help.
    """

    kind: str
    title: str
    sentence: str
    remedy: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return plain data."""
        return {"kind": self.kind, "title": self.title, "sentence": self.sentence,
                "remedy": self.remedy}  # fmt: skip


def advice(facts: Facts) -> list[Advice]:
    """Return what the facts ask for; on its convergence only where nothing else stands first."""
    found = [one for rule in _FIRST if (one := rule(facts)) is not None]
    if {one.kind for one in found} <= {"few_rows"}:
        found += [one for rule in _THEN if (one := rule(facts)) is not None]
    return found


def _constant(facts: Facts) -> Advice | None:
    if not facts.is_constant:
        return None
    units = ""
    if facts.hidden_units:
        units = f"; {facts.constant_units} of {pluralize(facts.hidden_units, 'hidden unit')} "
        units += "do not depend on the row"
    return Advice(
        "constant_network", "It predicts a constant",
        "The network predicts nearly the same for every row: on the training rows its loss is "
        f"that of {_baseline(facts)}{units}.",
        _against_constant(facts),
    )  # fmt: skip


def _against_constant(facts: Facts) -> str:
    if facts.spread_of_inputs > SPREAD:
        return "scale_inputs"
    return "" if facts.penalty_is_chosen else "choose_penalty"


def _unscaled(facts: Facts) -> Advice | None:
    if facts.is_constant or facts.spread_of_inputs <= SPREAD:
        return None
    return Advice(
        "unscaled_inputs", "Scale the columns",
        f"The columns of X differ in scale, or lie away from 0, by a factor of "
        f"{facts.spread_of_inputs:.0e}, which hidden units cannot see across.",
        "scale_inputs",
    )  # fmt: skip


def _overfitting(facts: Facts) -> Advice | None:
    known = facts.comparison
    training = None if known is None else known.get("training")
    if known is None or training is None or not training.is_better or facts.is_constant:
        return None
    loses = _loses(known)
    is_free = facts.penalty_share < LIGHT and not facts.penalty_is_chosen
    if not loses and not (is_free and training.loss < MEMORISED * known["holdout"].loss):
        return None
    remedy = "choose_penalty"
    if facts.penalty_is_chosen:
        remedy = "linear_model" if _linear_is_better(known) else "more_rows"
    return Advice(
        "overfitting", "It overfits",
        f"Overfitting: {_word(known)} {_number(training)} on the training rows, "
        f"{_number(known['holdout'])} on the held-out rows{loses}.",
        remedy,
    )  # fmt: skip


def _loses(known: Comparison) -> str:
    """Return what is as good as the network although it learned less, "" where nothing is."""
    constant, linear = known.get("constant"), known.get("linear")
    if linear is not None and linear.is_better:
        return f"; without a hidden layer {_number(linear)}"
    if constant is not None and constant.behind <= 0.0:
        return f"; {_constant_word(known)} {_number(constant)}"
    return ""


def _underfitting(facts: Facts) -> Advice | None:
    known = facts.comparison
    training = None if known is None else known.get("training")
    is_heavy = facts.penalty_share >= HEAVY and not facts.penalty_is_chosen
    if facts.is_constant or not is_heavy or (training is not None and training.is_better):
        return None
    coincide = facts.n_lowest == facts.n_starts
    if not (coincide or (known is not None and _linear_is_better(known))):
        return None
    starts = f", and all {facts.n_starts} starts coincide" if coincide and facts.n_starts > 1 else ""
    return Advice(
        "underfitting", "A weaker penalty may be better",
        f"Underfitting: the penalty is {100 * facts.penalty_share:.0f} % of J{starts}; the loss "
        "on the training rows is no lower than on the held-out rows.",
        "choose_penalty",
    )  # fmt: skip


def _few_rows(facts: Facts) -> Advice | None:
    known = facts.comparison
    if known is None or known.rows >= FEW_ROWS:
        return None
    return Advice(
        "few_rows", "Few held-out rows",
        f"A hold-out of {pluralize(known.rows, 'row')} says little: on other rows the score may "
        "be far from this one.",
        "larger_holdout",
    )  # fmt: skip


def _linear(facts: Facts) -> Advice | None:
    known = facts.comparison
    linear = None if known is None else known.get("linear")
    if known is None or linear is None or facts.is_linear or facts.is_constant:
        return None
    if linear.is_worse or linear.behind > linear.noise:
        return None
    how = "better" if linear.is_better else "as good, within noise"
    return Advice(
        "linear_as_good", "A linear model is as good" if how[0] == "a" else "A linear model is "
        "better",
        f"Without a hidden layer it is {how}: {_word(known)} {_number(linear)}, the network "
        f"{_number(known['holdout'])}.",
        "linear_model",
    )  # fmt: skip


def _unfinished(facts: Facts) -> Advice | None:
    if facts.is_converged is not False:
        return None
    return Advice("not_converged", "Let the best start go on",
                  "The lowest J has not converged.", "go_on")  # fmt: skip


def _starts(facts: Facts) -> Advice | None:
    if not facts.needs_more_starts:
        return None
    return Advice("more_starts", "Use more starts",
                  "The lowest J was reached once, and new values are likely.",
                  "more_starts")  # fmt: skip


def _linear_is_better(known: Comparison) -> bool:
    linear = known.get("linear")
    return linear is not None and linear.is_better


def _word(known: Comparison) -> str:
    return "log-loss" if known.is_classification else "RMSE"


def _constant_word(known: Comparison) -> str:
    return "the class shares" if known.is_classification else "the mean"


def _baseline(facts: Facts) -> str:
    return "the best constant" if facts.comparison is None else _constant_word(facts.comparison)


def _number(entry: Entry) -> str:
    return f"{entry.loss:.4g}"


_Rule = Callable[[Facts], Advice | None]
_FIRST: tuple[_Rule, ...] = (
    _constant, _unscaled, _overfitting, _underfitting, _linear, _few_rows,
)  # fmt: skip
_THEN: tuple[_Rule, ...] = (_unfinished, _starts)
