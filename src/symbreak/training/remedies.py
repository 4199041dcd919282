"""What can be done about what `advice` found, in the words of whoever trained.

A remedy is a fixed word; how it is said depends on where it can be followed. Sentences name
options of that place alone, in Python between back-ticks: tests hold them to its options.

    train       `symbreak train`
    settings    `train_split` with `Settings`
    estimator   `MLPClassifier`, `MLPRegressor`
    minimize    `minimize`
"""

from __future__ import annotations

TRAIN, SETTINGS, ESTIMATOR, MINIMIZE = "train", "settings", "estimator", "minimize"

REMEDIES: dict[str, dict[str, str]] = {
    "choose_penalty": {
        TRAIN: "Let cross-validation choose network and penalty: leave out --quick and --alpha",
        SETTINGS: "Let cross-validation choose network and penalty: `search`, without `alpha`",
        ESTIMATOR: "Choose `alpha` by cross-validation, as MLPClassifierCV and MLPRegressorCV do",
    },
    "linear_model": {
        TRAIN: "Train without a hidden layer: --hidden none",
        SETTINGS: "Train without a hidden layer: `hidden` ()",
        ESTIMATOR: "Train without a hidden layer: `hidden_layer_sizes` ()",
    },
    "scale_inputs": {
        ESTIMATOR: "Scale X: `standardize`=True",
    },
    "larger_budget": {
        TRAIN: "Give the choice of network and penalty more time: raise --budget",
        SETTINGS: "Give the choice of network and penalty more time: raise `budget`",
    },
    "weaker_penalty": {
        TRAIN: "Lower --alpha",
        SETTINGS: "Lower `alpha`",
        ESTIMATOR: "Lower `alpha`",
    },
    "more_rows": {
        TRAIN: "Train on more rows",
        SETTINGS: "Train on more rows",
        ESTIMATOR: "Train on more rows",
    },
    "larger_holdout": {
        TRAIN: "Train on more rows, or raise --holdout",
        SETTINGS: "Train on more rows, or hold out a larger share of them",
        ESTIMATOR: "Train on more rows",
    },
    "go_on": {
        TRAIN: "Raise --max-iter",
        SETTINGS: "Raise `max_iter`",
        ESTIMATOR: "Raise `max_iter`",
        MINIMIZE: "Raise `max_iter`",
    },
    "more_starts": {
        TRAIN: "Raise --starts",
        SETTINGS: "Raise `starts`",
        ESTIMATOR: "Raise `n_starts`",
        MINIMIZE: "Draw more starts",
    },
    "smaller_steps": {
        TRAIN: "Lower --learning-rate, or draw smaller starts: --epsilon",
        SETTINGS: "Lower the learning rate of `method_options`, or draw smaller starts: `rule`",
        ESTIMATOR: "Lower `learning_rate_init`, or draw smaller starts: `init_epsilon`",
        MINIMIZE: "Lower the learning rate, or draw smaller starts",
    },
    "lower_rate": {
        TRAIN: "Lower --learning-rate",
        SETTINGS: "Lower the learning rate of `method_options`",
        ESTIMATOR: "Lower `learning_rate_init`",
        MINIMIZE: "Lower the learning rate",
    },
    "more_patience": {
        ESTIMATOR: "Raise `n_iter_no_change` or `learning_rate_init`",
    },
}


def remedy_words(remedy: str, place: str) -> str:
    """Return how a remedy is said at a place, "" where there is none to be had."""
    return REMEDIES.get(remedy, {}).get(place, "")
