"""Rules on how well a network fits: each reads the facts and gives advice, or None."""

from __future__ import annotations

from symbreak.text import pluralize
from symbreak.training.advised import Advice, Facts
from symbreak.training.comparison import Comparison, Entry

FEW_ROWS = 20  # that give the score
HEAVY, DOMINANT = 0.1, 0.3  # shares of J of a penalty
ROOM = 0.25  # training loss over that of the best constant, where much is left to learn
LIGHT, MEMORISED = 0.01, 0.6  # a penalty that is hardly there; training loss over held-out loss
EVEN = 0.99  # rows of equal weight that tell as much, over rows, where weights are alike
NOTHING_HOLDS = "The columns tell nothing of the target that holds for other rows."
SPREAD = 1e3  # largest over smallest standard deviation, or |mean| over standard deviation


def constant_network(facts: Facts) -> Advice | None:
    """Return what to do where all rows have one prediction."""
    if not facts.is_constant:
        return None
    remedy = _against_constant(facts)
    nothing = "" if remedy else f" {NOTHING_HOLDS}"
    return Advice(
        "constant_network", "It predicts a constant",
        "The network predicts nearly the same for every row: on the training rows its loss is "
        f"about that of {_baseline(facts)}{idle_units(facts.constant_units, facts.hidden_units)}."
        f"{nothing}",
        remedy,
    )  # fmt: skip


def idle_units(constant: int, hidden: int) -> str:
    """Return how many hidden units do not depend on the row as a clause, "" where all do."""
    if not constant:
        return ""
    do = "does" if constant == 1 else "do"
    return f"; {constant} of {pluralize(hidden, 'hidden unit')} {do} not depend on the row"


def _against_constant(facts: Facts) -> str:
    if facts.spread_of_inputs > SPREAD:
        return "scale_inputs"
    if facts.choice_is_cut:
        return "larger_budget"
    return "" if facts.penalty_is_chosen else "choose_penalty"


def unscaled_inputs(facts: Facts) -> Advice | None:
    """Return what to do where columns differ in scale."""
    if facts.is_constant or facts.spread_of_inputs <= SPREAD:
        return None
    return Advice(
        "unscaled_inputs", "Scale the columns",
        f"The columns of X differ in scale, or lie away from 0, by a factor of "
        f"{facts.spread_of_inputs:,.0f}, which hidden units cannot see across.",
        "scale_inputs",
    )  # fmt: skip


def overfitting(facts: Facts) -> Advice | None:
    """Return what to do where what was learned does not hold for other rows."""
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
        f"{_number(known['holdout'])} on the {known.where}{loses}.",
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
    """Return what to do where the penalty leaves too little to learn."""
    known = facts.comparison
    training = None if known is None else known.get("training")
    if facts.penalty_is_chosen or facts.is_constant or facts.penalty_share < LIGHT:
        return None
    if training is not None and training.is_better:
        return None
    share, coincide = facts.penalty_share, facts.n_lowest == facts.n_starts
    has_room = known is not None and _has_room(known)
    signs = (
        share >= HEAVY and (coincide or (known is not None and _linear_is_better(known))),
        share >= DOMINANT and has_room,
        # Hidden units leave many minima, but where the penalty made a linear model of them.
        coincide and has_room and facts.n_starts > 1 and not facts.is_linear,
    )
    if not any(signs):
        return None
    starts = (
        f", and all {facts.n_starts} starts coincide" if coincide and facts.n_starts > 1 else ""
    )
    no_lower = ""
    if known is not None and training is not None:
        no_lower = (
            f"; the loss on the training rows, {_number(training)}, is not clearly lower than on "
            f"the {known.where}, {_number(known['holdout'])}"
        )
    return Advice(
        "underfitting", "A weaker penalty may be better",
        f"Underfitting: the penalty is {100 * facts.penalty_share:.0f} % of J{starts}{no_lower}.",
        "choose_penalty",
    )  # fmt: skip


def few_rows(facts: Facts) -> Advice | None:
    """Return a caution where few rows, or few of any weight, give the score."""
    known = facts.comparison
    if known is None or known.effective_rows >= FEW_ROWS:
        return None
    rows = pluralize(known.rows, "row")
    alike = f", whose weights tell as much as {known.effective_rows:.3g} alike,"
    alike = alike if known.evenness < EVEN else ""
    what = f"Cross-validation of {rows}" if known.is_by_folds else f"A hold-out of {rows}"
    return Advice(
        "few_rows", "Few rows give the score",
        f"{what}{alike} says little: on other rows the score may be far from this one.",
        "more_rows" if known.is_by_folds else "larger_holdout",
    )  # fmt: skip


def linear_as_good(facts: Facts) -> Advice | None:
    """Return what to do where hidden units are of no use."""
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


def _has_room(known: Comparison) -> bool:
    training, constant = known.get("training"), known.get("constant")
    return bool(training and constant and training.loss > ROOM * constant.loss)


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
