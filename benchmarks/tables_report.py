"""What `tables.py` shows: ranks, ours beside each contestant, and the losses on every table.

Conventions
-----------
case : one table and one split, the scores of all contestants that were measured on it.
loss of a table : the mean over its splits; ranks are of these, 1 the lowest.
better, worse : of the differences split by split, beyond twice their standard error, where there
are at least `LEAST_SPLITS`.
Where not all contestants were measured on all splits, a comparison takes the splits of both.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, median, stdev
from typing import Any

import numpy as np
from common import machine_line, markdown_table, number
from scipy.stats import rankdata
from tables_contestants import FOREST, LINEAR, OURS, SHARES, TREES

Case = Mapping[str, Any]
SMALL = 2000  # rows of the tables that the mean ranks are of
LEAST_SPLITS = 3  # two say nothing of their spread
_OF_ALL = "Of all contestants, on the splits that all were measured on:"


def render(result: Mapping[str, Any]) -> str:
    """Return the section of the page."""
    cases = result["cases"]
    tables = _by_table(cases)
    small = {name: of for name, of in tables.items() if of[0]["rows"] <= SMALL}
    parts = [
        machine_line(result["machine"]),
        _extent(tables, result["missing"]),
        f"### Mean rank, tables of up to {SMALL} training rows",
        _ranks(small, _complete(cases)),
        *([] if _complete(cases) == _ways(tables) else [_OF_ALL, _ranks(small, _ways(tables))]),
        "### Ours beside each",
        _beside(tables),
        _sentences(tables),
        "### Loss on every table",
        *_all_losses(tables, _complete(cases)),
    ]
    if _complete(cases) != _ways(tables):
        shared = _by_table(_shared(cases))
        parts += ["### The same on the splits that all were measured on"]
        parts += _all_losses(shared, _ways(shared))
    return "\n\n".join(parts)


def _by_table(cases: Sequence[Case]) -> dict[str, list[Case]]:
    found: dict[str, list[Case]] = {}
    for case in cases:
        found.setdefault(case["data"], []).append(case)
    return found


def _ways(tables: Mapping[str, Sequence[Case]]) -> list[str]:
    """Return the contestants, those that were not measured on every table too."""
    return list(dict.fromkeys(way for of in tables.values() for c in of for way in c["scores"]))


def _complete(cases: Sequence[Case]) -> list[str]:
    """Return the contestants that were measured on every split that ours was measured on."""
    return [way for way in _ways(_by_table(cases)) if all(way in case["scores"] for case in cases)]


def _shared(cases: Sequence[Case]) -> list[Case]:
    ways = _ways(_by_table(cases))
    return [case for case in cases if all(way in case["scores"] for way in ways)]


def _extent(tables: Mapping[str, Sequence[Case]], missing: Sequence[str]) -> str:
    public = sum(of[0]["public"] for of in tables.values())
    text = f"{public} public tables and {len(tables) - public} generated ones."
    counts = {
        way: sum(way in case["scores"] for of in tables.values() for case in of)
        for way in _ways(tables)
    }
    said = ", ".join(f"{way} {n}" for way, n in counts.items())
    text += f" Splits of tables that were measured: {said}."
    return text + (f" Not installed, its tables left out: {', '.join(missing)}." if missing else "")


def _ranks(tables: Mapping[str, Sequence[Case]], ways: Sequence[str]) -> str:
    ranks = _ranks_of(tables, ways)
    names = {
        "classes": [name for name in ranks if tables[name][0]["classes"]],
        "numbers": [name for name in ranks if not tables[name][0]["classes"]],
        "public": [name for name in ranks if tables[name][0]["public"]],
        "generated": [name for name in ranks if not tables[name][0]["public"]],
        "all": list(ranks),
    }
    head = ["contestant", *(f"{kind} ({len(of)})" for kind, of in names.items()),
            "first on", "seconds, median", "mean"]  # fmt: skip
    rows = []
    for way in sorted(ways, key=lambda way: fmean(of[way] for of in ranks.values())):
        means = [_mean_rank([ranks[name][way] for name in of]) for of in names.values()]
        first = sum(of[way] == min(of.values()) for of in ranks.values())
        seconds = [_mean(tables[name], way, "seconds") or 0.0 for name in ranks]
        times = [number(median(seconds)), number(fmean(seconds))]
        rows.append([way, *means, str(first), *times])
    return markdown_table(head, rows)


def _ranks_of(
    tables: Mapping[str, Sequence[Case]], ways: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Return the rank of each contestant by table, on the splits that all were measured on."""
    found = {}
    for name, of in tables.items():
        shared = [case for case in of if all(way in case["scores"] for way in ways)]
        if shared:
            ranks = rankdata(np.array([_mean(shared, way, "loss") for way in ways]))
            found[name] = dict(zip(ways, map(float, ranks), strict=True))
    return found


def _mean_rank(ranks: Sequence[float]) -> str:
    return f"{fmean(ranks):.2f}" if ranks else ""


def _beside(tables: Mapping[str, Sequence[Case]]) -> str:
    rows = []
    for way in [way for way in _ways(tables) if way != OURS]:
        both = {name: _both(of, OURS, way) for name, of in tables.items()}
        judged = [_verdict(of, OURS, way) for of in both.values() if len(of) >= LEAST_SPLITS]
        counts = [str(judged.count(word)) for word in ("better", "equal", "worse")]
        gains = [_gain(of, OURS, way) for of in both.values() if of]
        rows.append([way, *counts, f"{sum(gain > 0 for gain in gains)} of {len(gains)}"])
    return markdown_table(["ours against", "better", "equal", "worse", "lower mean loss"], rows)


def _sentences(tables: Mapping[str, Sequence[Case]]) -> str:
    def where(other: str) -> str:
        found = [name for name, of in tables.items() if _verdict(of, OURS, other) == "worse"]
        return ", ".join(found) or "none"

    classes = {name: of for name, of in tables.items() if of[0]["classes"]}
    above = [name for name, of in classes.items() if _gain(of, OURS, SHARES) < 0]
    trees = [
        name for name, of in tables.items()
        if "worse" in (_verdict(of, OURS, FOREST), _verdict(of, OURS, TREES))
    ]  # fmt: skip
    return (
        f"Worse than the linear model beyond the noise: {where(LINEAR)}. "
        f"Log-loss above that of class shares, in the mean: {', '.join(above) or 'none'}. "
        f"Worse than the forest or boosting beyond the noise: {', '.join(trees) or 'none'}."
    )


def _all_losses(tables: Mapping[str, Sequence[Case]], ways: Sequence[str]) -> list[str]:
    classes = {name: of for name, of in tables.items() if of[0]["classes"]}
    numbers = {name: of for name, of in tables.items() if not of[0]["classes"]}
    return [
        "Log-loss of classes:",
        _losses(classes, "loss", ways),
        "RMSE of numbers, in standard deviations of y:",
        _losses(numbers, "loss", ways),
        "Accuracy, %:",
        _losses(classes, "accuracy", ways),
    ]


def _losses(tables: Mapping[str, Sequence[Case]], key: str, ways: Sequence[str]) -> str:
    factor, digits = (100.0, 1) if key == "accuracy" else (1.0, 4)
    rows = []
    for name, of in tables.items():
        means = [_mean(of, way, key) for way in ways]
        cells = ["" if mean is None else f"{factor * mean:.{digits}f}" for mean in means]
        last = [_paired(of)] if key == "loss" else []
        rows.append([name, str(of[0]["rows"]), str(of[0]["features"]), *cells, *last])
    last = [f"{LINEAR} - ours"] if key == "loss" else []
    return markdown_table(["table", "rows", "columns", *ways, *last], rows)


def _mean(of: Sequence[Case], way: str, key: str) -> float | None:
    found = [case["scores"][way][key] for case in of if way in case["scores"]]
    return fmean(found) if found else None


def _paired(of: Sequence[Case]) -> str:
    mean, error = _difference(of, OURS, LINEAR)
    return f"{mean:+.4f}" + (f" ± {error:.4f}" if math.isfinite(error) else "")


def _difference(of: Sequence[Case], one: str, other: str) -> tuple[float, float]:
    """Return the mean over splits of how much lower the loss of one is, and its standard error."""
    both = [case["scores"] for case in _both(of, one, other)]
    gains = [scores[other]["loss"] - scores[one]["loss"] for scores in both]
    if len(gains) < LEAST_SPLITS:
        return (fmean(gains) if gains else 0.0), math.inf
    return fmean(gains), stdev(gains) / len(gains) ** 0.5


def _both(of: Sequence[Case], one: str, other: str) -> list[Case]:
    """Return the cases that both contestants were measured on."""
    return [case for case in of if one in case["scores"] and other in case["scores"]]


def _gain(of: Sequence[Case], one: str, other: str) -> float:
    return _difference(of, one, other)[0]


def _verdict(of: Sequence[Case], one: str, other: str) -> str:
    mean, error = _difference(of, one, other)
    return "equal" if abs(mean) <= 2 * error else "better" if mean > 0 else "worse"
