"""What `tables.py` shows: ranks, ours beside each contestant, and the losses on every table.

Conventions
-----------
case : one table and one split, the scores of all contestants that were measured on it.
loss of a table : the mean over its splits; ranks are of these, 1 the lowest.
better, worse : of the differences split by split, beyond twice their standard error.
Where not all contestants were measured on all splits, a comparison takes the splits of both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, median, stdev
from typing import Any

from common import machine_line, markdown_table, number
from scipy.stats import rankdata
from tables_contestants import FOREST, LINEAR, OURS, SHARES, TREES

Case = Mapping[str, Any]
SMALL = 2000  # rows of the tables that the mean ranks are of


def render(result: Mapping[str, Any]) -> str:
    """Return the section of the page."""
    cases = result["cases"]
    tables = _by_table(cases)
    small = {name: of for name, of in tables.items() if of[0]["rows"] <= SMALL}
    parts = [
        machine_line(result["machine"]),
        _extent(tables, result["missing"]),
        f"### Mean rank, tables of up to {SMALL} training rows",
        _ranks(small),
        "### Ours beside each",
        _beside(tables),
        _sentences(tables),
        "### Loss on every table",
        "Log-loss of classes:",
        _losses({name: of for name, of in tables.items() if of[0]["classes"]}, "loss"),
        "RMSE of numbers, in standard deviations of y:",
        _losses({name: of for name, of in tables.items() if not of[0]["classes"]}, "loss"),
        "Accuracy, %:",
        _losses({name: of for name, of in tables.items() if of[0]["classes"]}, "accuracy"),
    ]
    return "\n\n".join(parts)


def _by_table(cases: Sequence[Case]) -> dict[str, list[Case]]:
    found: dict[str, list[Case]] = {}
    for case in cases:
        found.setdefault(case["data"], []).append(case)
    return found


def _ways(tables: Mapping[str, Sequence[Case]]) -> list[str]:
    """Return the contestants, those that were not measured on every table too."""
    return list(dict.fromkeys(way for of in tables.values() for c in of for way in c["scores"]))


def _extent(tables: Mapping[str, Sequence[Case]], missing: Sequence[str]) -> str:
    public = sum(of[0]["public"] for of in tables.values())
    text = f"{public} public tables and {len(tables) - public} generated ones."
    counts = {
        way: sorted({sum(way in case["scores"] for case in of) for of in tables.values()} - {0})
        for way in _ways(tables)
    }
    said = ", ".join(f"{way} {'-'.join(map(str, n))}" for way, n in counts.items())
    text += f" Splits of a table: {said}."
    return text + (f" Not installed, its tables left out: {', '.join(missing)}." if missing else "")


def _ranks(tables: Mapping[str, Sequence[Case]]) -> str:
    ways = _ways(tables)
    ranks: dict[str, dict[str, dict[str, float]]] = {}
    for name, of in tables.items():
        shared = [case for case in of if all(way in case["scores"] for way in ways)]
        if shared:
            means = [fmean(case["scores"][way]["loss"] for case in shared) for way in ways]
            ranks[name] = dict(zip(ways, rankdata(means).tolist(), strict=True))
    kinds = {
        "classes": lambda case: case["classes"],
        "numbers": lambda case: not case["classes"],
        "public": lambda case: case["public"],
        "generated": lambda case: not case["public"],
        "all": lambda _: True,
    }
    of_kind = {
        kind: [name for name in ranks if holds(tables[name][0])] for kind, holds in kinds.items()
    }
    seconds = {way: [_mean(tables[name], way, "seconds") or 0.0 for name in ranks] for way in ways}
    head = ["contestant", *(f"{kind} ({len(names)})" for kind, names in of_kind.items()),
            "first on", "seconds, median", "mean"]  # fmt: skip
    rows = [
        [
            way,
            *(_mean_rank([ranks[name][way] for name in names]) for names in of_kind.values()),
            str(sum(ranks[name][way] == min(ranks[name].values()) for name in ranks)),
            number(median(seconds[way])), number(fmean(seconds[way])),
        ]
        for way in sorted(ways, key=lambda way: fmean(ranks[name][way] for name in ranks))
    ]  # fmt: skip
    return markdown_table(head, rows)


def _mean_rank(ranks: Sequence[float]) -> str:
    return f"{fmean(ranks):.2f}" if ranks else ""


def _beside(tables: Mapping[str, Sequence[Case]]) -> str:
    rows = []
    for way in _ways(tables):
        verdicts = [_verdict(of, OURS, way) for of in tables.values()]
        if way != OURS:
            counts = [str(verdicts.count(word)) for word in ("better", "equal", "worse")]
            lower = sum(_gain(of, OURS, way) > 0 for of in tables.values())
            rows.append([way, *counts, f"{lower} of {len(tables)}"])
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


def _losses(tables: Mapping[str, Sequence[Case]], key: str) -> str:
    ways = _ways(tables)
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
    return f"{mean:+.4f} ± {error:.4f}"


def _difference(of: Sequence[Case], one: str, other: str) -> tuple[float, float]:
    """Return the mean over splits of how much lower the loss of one is, and its standard error."""
    both = [case["scores"] for case in of if one in case["scores"] and other in case["scores"]]
    gains = [scores[other]["loss"] - scores[one]["loss"] for scores in both]
    if len(gains) < 2:
        return (fmean(gains) if gains else 0.0), float("inf")
    return fmean(gains), stdev(gains) / len(gains) ** 0.5


def _gain(of: Sequence[Case], one: str, other: str) -> float:
    return _difference(of, one, other)[0]


def _verdict(of: Sequence[Case], one: str, other: str) -> str:
    mean, error = _difference(of, one, other)
    return "equal" if abs(mean) <= 2 * error else "better" if mean > 0 else "worse"
