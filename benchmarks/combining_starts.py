"""What many starts are worth: the held-out score of one start, and of three ways to use them all.

    python benchmarks/combining_starts.py [--quick] [--write-docs]

The setting is that of `symbreak train --quick --dataset NAME`: 16 starts by `glorot_uniform`, 25
tanh units, soft-max, L-BFGS; a fifth of the rows held out, 15 % of the others validate. Every
split, the same for all penalties, draws rows and starts anew. Hold-out rows choose nothing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from statistics import fmean, pstdev
from typing import Any

from common import (
    has_answered,
    machine,
    machine_line,
    markdown_table,
    number,
    parser_of,
    publish,
    run_fresh,
    say,
)

NAME = "combining_starts"
DATASETS = ("breast-cancer", "wine", "digits")
ALPHAS = (0.0, 0.01, 0.1, 1.0, 10.0)
SPLITS, QUICK_SPLITS = 8, 2
STARTS, HIDDEN, MAX_ITER = 16, 25, 1000
PACKAGES = ("numpy", "scikit-learn")
CLEARLY = 0.01  # relative; two log-losses that are closer count as equal
SINGLE = "single"  # the mean over the starts of the score of each by itself
WAYS = {SINGLE: "single start", "lowest-cost": "lowest-cost", "best": "best", "average": "average"}


def main() -> None:
    """Read the command line; measure; print and save."""
    options = parser_of(__doc__, f"{QUICK_SPLITS} splits").parse_args()
    if has_answered(options, measure):
        return
    begin = time.perf_counter()
    splits = QUICK_SPLITS if options.quick else SPLITS
    tasks = [{"dataset": dataset, "splits": splits} for dataset in DATASETS]
    cases = [case for task in tasks for case in run_fresh(__file__, task, threads=1)]
    result = {"machine": machine(PACKAGES), "splits": splits, "starts": STARTS, "cases": cases}
    publish(NAME, result, render(result), options, begin)


def measure(
    dataset: str,
    splits: int,
    alphas: Sequence[float] = ALPHAS,
    starts: int = STARTS,
    max_iter: int = MAX_ITER,
) -> list[dict[str, Any]]:
    """Return one case for each penalty and split: the scores of every way on the hold-out rows."""
    from symbreak.network import Network
    from symbreak.tables.datasets import load_dataset
    from symbreak.training import train
    from symbreak.training.data_split import DataSplit

    table, task = load_dataset(dataset)
    cases = []
    for split in range(splits):
        parts = DataSplit.of(table, "target", task=task, validation=0.15, seed=split)
        layers = (parts.train.X.shape[1], HIDDEN, parts.n_outputs)
        network = Network(layers, "tanh", parts.loss)
        for alpha in alphas:
            trained = train(
                network, *parts.train, starts=starts, seed=split, alpha=alpha, max_iter=max_iter,
                validation=parts.validation,
            )  # fmt: skip
            case: dict[str, Any] = {"dataset": dataset, "rows": [part.n for part in _three(parts)]}
            case |= {"alpha": alpha, "split": split, "scores": scores(trained, *parts.holdout)}
            cases.append({**case, "converged": int(trained.outcome.converged.sum())})
        say(f"  {dataset}, split {split + 1} of {splits}")
    return cases


def _three(parts: Any) -> tuple[Any, Any, Any]:
    return parts.train, parts.validation, parts.holdout


def scores(trained: Any, X: Any, y: Any) -> dict[str, dict[str, float]]:
    """Return log-loss and accuracy on held-out examples of a single start and of every way.

    Parameters
    ----------
    trained : from many starts, with a validation part.
    X, y : (m, features) and (m,), examples that chose nothing.
    """
    from symbreak.training.combine import COMBINES, kept_starts
    from symbreak.training.predictions import Predictions
    from symbreak.training.scores import scores_of

    network, outcome = trained.network, trained.outcome
    score = partial(scores_of, network.loss.name)
    held_out = Predictions(
        network=network, theta=outcome.theta, usable=trained.usable, X=X, y=y,
        score=score,
    )  # fmt: skip
    each = [_numbers(one) for one in held_out.scores if one is not None]
    found = {SINGLE: {key: fmean(one[key] for one in each) for key in each[0]}}
    found[SINGLE] |= {f"{key}_spread": pstdev(one[key] for one in each) for key in each[0]}
    for way in COMBINES:
        kept = kept_starts(way, outcome.value, trained.usable, trained.validation)
        combined = score(y, held_out.combined(kept))
        assert combined is not None
        found[way] = _numbers(combined)
    return found


def _numbers(scores: Any) -> dict[str, float]:
    return dict(zip(scores.names, (scores.score, scores.error), strict=True))


def render(result: Mapping[str, Any]) -> str:
    """Return the section of the page: where it was measured, log-losses, accuracies."""
    cases = result["cases"]
    searches = len(cases) * result["starts"]
    converged = sum(case["converged"] for case in cases)
    return "\n\n".join(
        [
            machine_line(result["machine"]),
            f"Means over {result['splits']} splits, {result['starts']} starts each; {converged} of "
            f"{searches} searches converged. After ± the standard deviation over the starts.",
            "### Log-loss on held-out rows",
            _log_losses(cases),
            "### Accuracy on held-out rows, %",
            _accuracies(cases),
        ]
    )


def _log_losses(cases: Sequence[Mapping[str, Any]]) -> str:
    head = ["data", "alpha", *WAYS.values(), "average / single", "below / above best"]
    rows = []
    for name, alpha, group in _groups(cases):
        means = {way: _mean(group, way, "log_loss") for way in WAYS}
        ratios = [_log_loss(case, "average") / _log_loss(case, "best") for case in group]
        below = sum(ratio < 1 - CLEARLY for ratio in ratios)
        above = sum(ratio > 1 + CLEARLY for ratio in ratios)
        cells = [f"{means[way]:.4f}" for way in WAYS]
        cells[0] += f" ± {_mean(group, SINGLE, 'log_loss_spread'):.4f}"
        cells += [number(means["average"] / means[SINGLE]), f"{below} / {above}"]
        rows.append([name, f"{alpha:g}", *cells])
    return markdown_table(head, rows)


def _accuracies(cases: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for name, alpha, group in _groups(cases):
        cells = [f"{100 * _mean(group, way, 'accuracy'):.1f}" for way in WAYS]
        cells[0] += f" ± {100 * _mean(group, SINGLE, 'accuracy_spread'):.1f}"
        rows.append([name, f"{alpha:g}", *cells])
    return markdown_table(["data", "alpha", *WAYS.values()], rows)


def _groups(cases: Sequence[Mapping[str, Any]]) -> list[tuple[str, float, list[Any]]]:
    """Return the splits of each data set and penalty."""
    keys = dict.fromkeys((case["dataset"], case["alpha"]) for case in cases)
    return [(*key, [c for c in cases if (c["dataset"], c["alpha"]) == key]) for key in keys]


def _mean(group: Sequence[Mapping[str, Any]], way: str, key: str) -> float:
    return fmean(case["scores"][way][key] for case in group)


def _log_loss(case: Mapping[str, Any], way: str) -> float:
    return float(case["scores"][way]["log_loss"])


if __name__ == "__main__":
    main()
