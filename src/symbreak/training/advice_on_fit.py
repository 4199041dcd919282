"""Rules on how well a network fits: each reads the facts and gives advice, or None."""

from __future__ import annotations

from symbreak.text import pluralize
from symbreak.training.advised import Advice, Facts
from symbreak.training.comparison import Comparison, Entry

FEW_ROWS = 20  # of a hold-out
HEAVY = 0.1  # the share of J that makes a penalty heavy
LIGHT, MEMORISED = 0.01, 0.6  # a penalty that is hardly there; training loss over held-out loss
SPREAD = 1e3  # largest over smallest standard deviation, or |mean| over standard deviation


def constant_network(facts: Facts) -> Advice | None:
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


def unscaled_inputs(facts: Facts) -> Advice | None:
    if facts.is_constant or facts.spread_of_inputs <= SPREAD:
        return None
    return Advice(
        "unscaled_inputs", "Scale the columns",
        f"The columns of X differ in scale, or lie away from 0, by a factor of "
        f"{facts.spread_of_inputs:.0e}, which hidden units cannot see across.",
        "scale_inputs",
    )  # fmt: skip


def overfitting(facts: Facts) -> Advice | None:
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


def underfitting(facts: Facts) -> Advice | None:
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


def few_rows(facts: Facts) -> Advice | None:
    known = facts.comparison
    if known is None or known.rows >= FEW_ROWS:
        return None
    return Advice(
        "few_rows", "Few held-out rows",
        f"A hold-out of {pluralize(known.rows, 'row')} says little: on other rows the score may "
        "be far from this one.",
        "larger_holdout",
    )  # fmt: skip


def linear_as_good(facts: Facts) -> Advice | None:
    known = facts.comparison
    linear = None if known is None else known.get("linear")
    if known is None or linear is None or facts.is_linear or facts.is_constant:
        return None
    # More rows have told then than are held out.
    is_settled = facts.linear_was_compared and not linear.is_better
    if is_settled or linear.is_worse or linear.behind > linear.noise:
        return None
    how = "better" if linear.is_better else "as good, within noise"
    return Advice(
        "linear_as_good", "A linear model is as good" if how[0] == "a" else "A linear model is "
        "better",
        f"Without a hidden layer it is {how}: {_word(known)} {_number(linear)}, the network "
        f"{_number(known['holdout'])}.",
        "linear_model",
    )  # fmt: skip


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
