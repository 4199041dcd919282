"""What is advised, and what becomes of the held-out loss where it is followed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import polars as pl
import pytest

import symbreak as sb
from symbreak.optimize import Status
from symbreak.tables.table import Table
from symbreak.training import Settings, train_split
from symbreak.training.advice import advice
from symbreak.training.advised import Facts
from symbreak.training.comparison import OUT_OF_FOLDS, Comparison, Entry
from symbreak.training.data_split import DataSplit
from symbreak.training.facts import facts_of_search
from symbreak.training.remedies import ESTIMATOR, REMEDIES, SETTINGS
from symbreak.training.scores import Scores

QUICK = Settings(hidden=(25,), activation="tanh", starts=4, max_iter=300, search=False)


def entry(what: str, loss: float, behind: float = 0.0, noise: float = 0.01) -> Entry:
    return Entry(what, Scores(("accuracy", "log_loss"), 0.5, loss), behind, noise)


def losses(training: float, holdout: float, constant: float, linear: float | None) -> Comparison:
    known = {"training": training, "holdout": holdout, "constant": constant, "linear": linear}
    return Comparison(100, {
        what: entry(what, loss, loss - holdout) for what, loss in known.items() if loss is not None
    })  # fmt: skip


BESIDE = losses(0.3, 0.31, 0.69, 0.4)
SOUND = Facts(comparison=BESIDE, n_starts=16, n_lowest=3)
BAD_FIT = losses(0.4, 0.647, 0.69, 0.52)
CASES: dict[str, tuple[Facts, list[str]]] = {
    "sound": (SOUND, []),
    "worse than linear": (replace(SOUND, comparison=BAD_FIT), ["overfitting", "linear_as_good"]),
    # To go on would make it worse.
    "overfitted on its way": (
        replace(SOUND, comparison=BAD_FIT, is_converged=False), ["overfitting", "linear_as_good"],
    ),
    "worse than the shares": (
        replace(SOUND, comparison=losses(0.4, 0.8, 0.69, None)), ["overfitting"],
    ),
    "no penalty at all": (
        replace(SOUND, comparison=losses(0.01, 0.3, 0.69, 0.5)), ["overfitting"],
    ),
    "a gap that is no harm": (
        replace(SOUND, comparison=losses(0.01, 0.06, 2.3, 0.09), penalty_share=0.6), [],
    ),
    "flattened": (
        replace(SOUND, penalty_share=0.4, n_lowest=16), ["underfitting"],
    ),
    "flattened, with much to learn": (
        replace(SOUND, penalty_share=0.4), ["underfitting"],
    ),
    "flattened, with little to learn": (
        replace(SOUND, comparison=losses(0.05, 0.06, 0.69, 0.4), penalty_share=0.4), [],
    ),
    "flattened by a choice": (
        replace(SOUND, penalty_share=0.4, n_lowest=16, penalty_is_chosen=True), [],
    ),
    "constant": (replace(SOUND, is_constant=True, n_lowest=16), ["constant_network"]),
    "constant by a choice that was cut": (
        replace(SOUND, is_constant=True, penalty_is_chosen=True, choice_is_cut=True),
        ["constant_network"],
    ),
    "unscaled": (replace(SOUND, spread_of_inputs=1e5), ["unscaled_inputs"]),
    "linear": (replace(SOUND, comparison=losses(0.39, 0.4, 0.69, 0.4)), ["linear_as_good"]),
    "linear, and so it is": (
        replace(SOUND, comparison=losses(0.39, 0.4, 0.69, 0.4), is_linear=True), [],
    ),
    "linear, but settled on more rows": (
        replace(SOUND, comparison=losses(0.39, 0.4, 0.69, 0.4), linear_was_compared=True), [],
    ),
    "few rows": (replace(SOUND, comparison=replace(BESIDE, rows=12)), ["few_rows"]),
    "many rows, few that count": (
        replace(SOUND, comparison=replace(BESIDE, evenness=0.05)), ["few_rows"],
    ),
    "on its way, by what folds have shown": (
        replace(SOUND, is_converged=False, penalty_is_chosen=True), [],
    ),
    "on its way": (replace(SOUND, is_converged=False), ["not_converged"]),
    "more minima": (replace(SOUND, needs_more_starts=True), ["more_starts"]),
    "more minima of a bad fit": (
        replace(SOUND, comparison=BAD_FIT, needs_more_starts=True),
        ["overfitting", "linear_as_good"],
    ),
    "diverged": (replace(SOUND, n_diverged=2), ["lost_starts"]),
    "never lower": (replace(SOUND, is_never_lower=True, is_converged=False), ["never_lower"]),
    "no patience": (replace(SOUND, is_impatient=True), ["no_patience"]),
    "nothing known": (Facts(), []),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_facts_ask_for(case):
    facts, kinds = CASES[case]
    assert [one.kind for one in advice(facts)] == kinds


def test_sentences_have_the_figures():
    told = advice(replace(SOUND, penalty_share=0.42, n_lowest=16))[0].sentence
    assert "the penalty is 42 % of J, and all 16 starts coincide" in told
    told = advice(replace(SOUND, comparison=BAD_FIT))[0].sentence
    assert "0.4 on the training rows, 0.647 on the held-out rows; without a hidden " in told
    told = advice(replace(SOUND, is_constant=True, constant_units=9, hidden_units=10))[0].sentence
    assert "the class shares; 9 of 10 hidden units do not depend on the row" in told
    told = advice(replace(SOUND, is_constant=True, hidden_units=10))[0].sentence
    assert told.endswith("about that of the class shares.")


def test_what_a_constant_asks_for_depends_on_what_chose_its_penalty():
    constant = replace(SOUND, is_constant=True)
    assert advice(constant)[0].remedy == "choose_penalty"
    chosen = replace(constant, penalty_is_chosen=True)
    assert advice(chosen)[0].remedy == ""
    assert advice(chosen)[0].sentence.endswith("tell nothing of the target that holds for other "
                                               "rows.")  # fmt: skip
    cut = advice(replace(chosen, choice_is_cut=True))[0]
    assert cut.remedy == "larger_budget"
    assert "nothing" not in cut.sentence


@pytest.mark.parametrize("alpha", [0.01, 1e5])
@pytest.mark.parametrize("kind", ["numbers", "classes"])
def test_a_network_that_its_penalty_shrank_predicts_a_constant(kind, alpha):
    random = np.random.default_rng(2)
    X = random.normal(size=(300, 4))
    y = X @ [3.0, -1.0, 0.5, 2.0] + random.normal(size=300)
    made = table(X, y if kind == "numbers" else np.where(y > 0.5, "up", "down"))
    settings = Settings(hidden=(), alpha=alpha, search=False, starts=2)
    found = train_split(DataSplit.of(made, "y", validation=0.0), settings)
    assert ("constant_network" in [one.kind for one in found.advice]) == (alpha > 1.0)


def test_a_loss_that_is_lower_within_noise_is_not_said_to_be_no_lower():
    close = losses(5.537, 6.109, 30.0, None)
    close = replace(close, entries={**close.entries, "training": entry("training", 5.537, -0.5, 1)})
    told = advice(replace(SOUND, comparison=close, penalty_share=0.4, n_lowest=16))[0].sentence
    assert "training rows, 5.537, is not clearly lower than on the held-out rows, 6.109." in told


def test_few_rows_are_called_by_what_the_score_comes_from():
    def told(**known: object) -> tuple[str, str]:
        (found,) = advice(replace(SOUND, comparison=replace(BESIDE, **known)))
        return found.sentence.partition(":")[0], found.remedy

    assert told(rows=12) == ("A hold-out of 12 rows says little", "larger_holdout")
    folds = told(rows=12, where=OUT_OF_FOLDS)
    assert folds == ("Cross-validation of 12 rows says little", "more_rows")
    weighted = "A hold-out of 100 rows, whose weights tell as much as 5 alike, says little"
    assert told(evenness=0.05) == (weighted, "larger_holdout")


def test_every_remedy_that_is_advised_is_known():
    advised = {one.remedy for facts, _ in CASES.values() for one in advice(facts)} - {""}
    assert advised <= set(REMEDIES)
    assert "larger_holdout" in advised


@pytest.mark.parametrize("remedy", REMEDIES)
def test_remedies_in_python_name_what_there_is(remedy):
    known = {
        SETTINGS: {one.name for one in fields(Settings)},
        ESTIMATOR: set(sb.MLPClassifier().get_params()) & set(sb.MLPRegressor().get_params()),
    }
    for place, names in known.items():
        words = REMEDIES[remedy].get(place, "")
        assert set(re.findall(r"`(\w+)`", words)) <= names, words
        for name in re.findall(r"MLP\w+", words):
            assert name in sb.__all__


def quartic(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(over="ignore", invalid="ignore"):
        return (x**4).sum(-1), 4.0 * x**3


def ended(rate: float, **options: object) -> Facts:
    theta = np.array([[3.0], [4.0]])
    method = {"method": "gradient-descent", "momentum": 0.0, "learning_rate": rate}
    return facts_of_search(sb.minimize(quartic, theta, **method, **options))


def test_the_facts_of_a_search_are_how_it_ended():
    found = ended(1.0, max_iter=50)
    assert (found.n_diverged, found.is_never_lower, found.has_moved) == (2, True, False)
    words = [one.sentence for one in advice(found)]
    assert words[0] == "2 starts diverged; each keeps where it began, untrained."
    found = ended(1e-4, max_iter=5)
    assert (found.n_diverged, found.is_converged) == (0, False)
    assert [one.kind for one in advice(found)] == ["not_converged"]
    assert advice(found)[0].sentence == "The lowest J has not converged: max iterations."
    found = facts_of_search(sb.minimize(quartic, np.array([[1.0], [1e90]])))
    assert found.n_never_began == 1
    assert "1 start began where J is not finite." in advice(found)[0].sentence


def table(X: np.ndarray, y: np.ndarray) -> Table:
    frame = {f"x{place}": column for place, column in enumerate(X.T)}
    return Table.of(pl.DataFrame({**frame, "y": y}), "made")


def noisy_classes() -> Table:
    """Two classes that one column tells apart, and not well."""
    random = np.random.default_rng(0)
    X = random.normal(size=(260, 8))
    return table(X, np.where(X[:, 0] + 1.2 * random.normal(size=260) > 0, "up", "down"))


def smooth() -> Table:
    """A function without noise, which the usual penalty of numbers flattens."""
    random = np.random.default_rng(1)
    X = random.uniform(-2, 2, size=(240, 3))
    return table(X, np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2])


def wave() -> Table:
    x = np.linspace(-3, 3, 160)
    return table(x[:, None], np.sin(2 * x))


def straight() -> Table:
    random = np.random.default_rng(2)
    X = random.normal(size=(300, 5))
    return table(X, X @ [3.0, -1.0, 0.5, 0.0, 2.0] + random.normal(size=300))


def holdout_loss(split: DataSplit, settings: Settings) -> float:
    scores = train_split(split, settings).holdout
    assert scores is not None
    return scores.error


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "settings", "kind"),
    [
        (noisy_classes, replace(QUICK, alpha=1e-3), "overfitting"),
        (smooth, replace(QUICK, alpha=0.0, hidden=(60,), max_iter=2000), "sound"),
        (smooth, replace(QUICK, alpha=10.0), "underfitting"),
        (wave, replace(QUICK, alpha=10.0), "underfitting"),
        (smooth, replace(QUICK, alpha=3000.0), "constant_network"),
    ],
)  # fmt: skip
def test_a_penalty_that_cross_validation_chooses_lowers_the_loss(
    make: Callable[[], Table], settings: Settings, kind: str
):
    split = DataSplit.of(make(), "y", holdout=0.4, validation=0.0)
    before = train_split(split, settings)
    found = {one.kind: one for one in before.advice}
    if kind == "sound":
        assert not {"underfitting", "constant_network"} & set(found)
        return
    assert found[kind].remedy == "choose_penalty"
    assert before.holdout is not None
    after = holdout_loss(split, Settings(starts=4, max_iter=300))
    assert after < 0.9 * before.holdout.error


@pytest.mark.slow
def test_a_linear_model_that_is_advised_is_no_worse():
    split = DataSplit.of(straight(), "y", holdout=0.4, validation=0.0)
    before = train_split(split, replace(QUICK, alpha=1.0))
    found = {one.kind: one.remedy for one in before.advice}
    assert found["linear_as_good"] == "linear_model"
    known = before.comparison
    assert known is not None
    after = holdout_loss(split, Settings(hidden=(), starts=2))
    assert after == pytest.approx(known["linear"].loss, rel=0.02)
    assert after < known["holdout"].loss + 2.0 * known["linear"].noise


@pytest.mark.slow
def test_to_go_on_is_advised_where_it_helps_and_not_where_it_overfits():
    split = DataSplit.of(smooth(), "y", holdout=0.4, validation=0.0)
    short = replace(QUICK, alpha=0.1, max_iter=40)
    before = train_split(split, short)
    assert [one.remedy for one in before.advice] == ["go_on"]
    assert before.holdout is not None
    assert holdout_loss(split, replace(short, max_iter=2000)) < 0.9 * before.holdout.error
    split = DataSplit.of(noisy_classes(), "y", holdout=0.4, validation=0.0)
    short = replace(QUICK, alpha=0.0, max_iter=10)
    before = train_split(split, short)
    assert before.outcome.restarts.lowest_status is Status.MAX_ITERATIONS
    assert "not_converged" not in {one.kind for one in before.advice}
    assert before.holdout is not None
    assert holdout_loss(split, replace(short, max_iter=400)) > before.holdout.error


@pytest.mark.slow
def test_more_rows_make_up_for_a_chosen_penalty_that_overfits():
    """Where the penalty was chosen already, rows alone help."""
    facts = replace(SOUND, comparison=losses(0.3, 0.9, 0.69, None), penalty_is_chosen=True)
    assert [one.remedy for one in advice(facts)] == ["more_rows"]
    random = np.random.default_rng(4)
    X = random.normal(size=(3000, 6))
    y = np.where(X[:, 0] * X[:, 1] + 0.3 * random.normal(size=3000) > 0, "up", "down")
    few, many = (
        DataSplit.of(table(X[:n], y[:n]), "y", separate_test=True, validation=0.0).with_test(
            table(X[2000:], y[2000:])
        )
        for n in (80, 2000)
    )
    settings = replace(QUICK, alpha=0.3)
    assert holdout_loss(many, settings) < 0.8 * holdout_loss(few, settings)
