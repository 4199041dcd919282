"""What gradient checkers say of right and of wrong gradients: symbreak's and its peers'.

    python benchmarks/gradient_check.py [--quick] [--write-docs]

False alarms, misses and evaluations of J on the same cases (`gradient_check_cases.py`). The cases
are drawn one after the other from fixed seeds, and slower checkers judge only the first ones. On
one thread, in fresh processes.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from common import (
    has_answered,
    machine,
    machine_line,
    markdown_table,
    parser_of,
    publish,
    run_fresh,
    say,
)

NAME = "gradient_check"
PACKAGES = ("numpy", "scipy", "torch", "jax")
NAMES = {
    "ours": "ours",
    "torch_slow": "torch, slow",
    "torch_fast": "torch, fast",
    "jax": "JAX",
    "scipy": "SciPy",
}
# How many right gradients of each kind, and how many nets for each mistake, a checker judges.
NETS = {"ours": 200, "torch_slow": 20, "torch_fast": 100, "jax": 200, "scipy": 100}
DRAWS = {"ours": 20, "torch_slow": 2, "torch_fast": 5, "jax": 20, "scipy": 5}
QUICK_NETS = {"ours": 10, "torch_slow": 2, "torch_fast": 5, "jax": 2, "scipy": 5}
QUICK_DRAWS = {"ours": 2, "torch_slow": 1, "torch_fast": 1, "jax": 2, "scipy": 1}
QUICK_PARTS = ("Theta1 weights", "Theta3 biases")
NO_JAX = "JAX was not installed, so it is left out."

Record = dict[str, Any]


def main() -> None:
    """Read the command line; judge; print and save."""
    options = parser_of(__doc__, "few nets, two blocks, one scale").parse_args()
    if has_answered(options, measure):
        return
    begin = time.perf_counter()
    cases: list[Record] = []
    for task in tasks_of(options.quick):
        # JAX has to be told that there is float64.
        cases += run_fresh(__file__, task, 1, JAX_ENABLE_X64="1")
        say(f"  {task['part']}: {time.perf_counter() - begin:.0f} s")
    result = {"machine": machine(PACKAGES), "quick": options.quick, "cases": cases}
    publish(NAME, result, render(result), options, begin)


def tasks_of(quick: bool) -> list[Record]:
    """Return the arguments of `measure` for every fresh process."""
    has_jax = importlib.util.find_spec("jax") is not None
    nets, draws = (QUICK_NETS, QUICK_DRAWS) if quick else (NETS, DRAWS)
    tasks = []
    for part, numbers in (("right", nets), ("wrong", draws)):
        of_these = {name: n for name, n in numbers.items() if has_jax or name != "jax"}
        tasks.append({"part": part, "numbers": of_these, "quick": quick})
    return tasks


def measure(part: str, numbers: Mapping[str, int], quick: bool) -> list[Record]:
    """Return what all checkers said of right gradients, or of wrong ones.

    Parameters
    ----------
    numbers : how many nets of each kind, or for each mistake, a checker judges.
    """
    records = []
    for checker, number in numbers.items():
        begin = time.perf_counter()
        records += _right(checker, number) if part == "right" else _wrong(checker, number, quick)
        say(f"    {part}, {NAMES[checker]}: {time.perf_counter() - begin:.0f} s")
    return records


def _right(checker: str, nets: int) -> list[Record]:
    from gradient_check_cases import RIGHT, right_cases

    return [
        {"part": "right", "kind": kind, **judged(checker, right_cases(kind, nets))}
        for kind in RIGHT
    ]


def _wrong(checker: str, nets: int, quick: bool) -> list[Record]:
    from gradient_check_cases import (
        ONE_ENTRY,
        SCALES,
        WHOLE,
        WRONG_PARTS,
        all_wrong,
        one_wrong_entry,
    )

    seeds, records = range(nets), []
    for scale in SCALES[:1] if quick else SCALES:
        for mistake in ONE_ENTRY:
            for where in QUICK_PARTS if quick else WRONG_PARTS:
                cases = (one_wrong_entry(seed, where, mistake, scale) for seed in seeds)
                setting = {"where": where, "mistake": mistake, "scale": scale}
                records.append({"part": "wrong", **setting, **judged(checker, cases)})
        for mistake in WHOLE:
            cases = (all_wrong(seed, mistake, scale) for seed in seeds)
            setting = {"where": "everywhere", "mistake": mistake, "scale": scale}
            records.append({"part": "wrong", **setting, **judged(checker, cases)})
    return records


def judged(checker: str, cases: Iterable[Any]) -> Record:
    """Return how often a checker failed these gradients, and what else it said.

    Returns
    -------
    checks, alarms ("fail"), inconclusive, named (the wrong entry) : counts; evaluations : of J, in
    all checks together.
    """
    from gradient_check_cases import CHECKERS

    found = [CHECKERS[checker](case) for case in cases]
    return {
        "checker": checker,
        "checks": len(found),
        "alarms": sum(one.verdict == "fail" for one in found),
        "inconclusive": sum(one.verdict == "inconclusive" for one in found),
        "named": sum(bool(one.named) for one in found),
        "evaluations": sum(one.evaluations for one in found),
    }


def render(result: Mapping[str, Any]) -> str:
    """Return the section of the page: where it was measured, then the tables."""
    cases = result["cases"]
    checkers = [name for name in NAMES if any(case["checker"] == name for case in cases)]
    right = [case for case in cases if case["part"] == "right"]
    wrong = [case for case in cases if case["part"] == "wrong"]
    blocks = [("Quick run. " if result["quick"] else "") + machine_line(result["machine"])]
    if "jax" not in checkers:
        blocks.append(NO_JAX)
    blocks += ["### False alarms on right gradients", _false_alarms(right, checkers)]
    blocks += ["### Misses of wrong gradients", _misses(wrong, checkers)]
    blocks += [_of_ours(right, wrong)]
    blocks += ["### Misses of one wrong entry, by block, J x 1", _by_block(wrong, checkers)]
    blocks += ["### Evaluations of J, mean of a check", _evaluations(right, wrong, checkers)]
    return "\n\n".join(blocks)


def _false_alarms(right: Sequence[Record], checkers: Sequence[str]) -> str:
    rows = []
    for kind in dict.fromkeys(case["kind"] for case in right):
        sums = [_sum(right, checker, kind=kind) for checker in checkers]
        rows.append([kind, *(f"{one['alarms']} / {one['checks']}" for one in sums)])
    return markdown_table(["net", *(NAMES[checker] for checker in checkers)], rows)


def _misses(wrong: Sequence[Record], checkers: Sequence[str]) -> str:
    rows = []
    for whole, mistake, scale in dict.fromkeys(
        (case["where"] == "everywhere", case["mistake"], case["scale"]) for case in wrong
    ):
        some = [case for case in wrong if (case["where"] == "everywhere") == whole]
        sums = [_sum(some, checker, mistake=mistake, scale=scale) for checker in checkers]
        name = f"{'every entry' if whole else 'one entry'}, {mistake}"
        rows.append([name, f"{scale:g}", *map(_missed, sums)])
    rows.sort(key=lambda row: row[0].startswith("every"))
    return markdown_table(["mistake", "J x", *(NAMES[checker] for checker in checkers)], rows)


def _by_block(wrong: Sequence[Record], checkers: Sequence[str]) -> str:
    rows = []
    for where, mistake in dict.fromkeys(
        (case["where"], case["mistake"]) for case in wrong if case["where"] != "everywhere"
    ):
        setting = {"where": where, "mistake": mistake, "scale": 1.0}
        sums = [_sum(wrong, checker, **setting) for checker in checkers]
        rows.append([where, mistake, *map(_missed, sums)])
    rows.sort(key=lambda row: row[0])
    return markdown_table(["block", "mistake", *(NAMES[checker] for checker in checkers)], rows)


def _missed(one: Mapping[str, int]) -> str:
    return f"{one['checks'] - one['alarms']} / {one['checks']}"


def _of_ours(right: Sequence[Record], wrong: Sequence[Record]) -> str:
    one_entry = [case for case in wrong if case["where"] != "everywhere"]
    undecided, missed, named = (_sum(some, "ours") for some in (right, wrong, one_entry))
    return (
        f'Ours said "inconclusive" of {undecided["inconclusive"]} of {undecided["checks"]} right '
        f"gradients and of {missed['inconclusive']} of {missed['checks']} wrong ones, and put the "
        f"one wrong entry first in {named['named']} of {named['checks']} reports."
    )


def _evaluations(right: Sequence[Record], wrong: Sequence[Record], checkers: Sequence[str]) -> str:
    groups = {
        f"right, {kind}": [case for case in right if case["kind"] == kind]
        for kind in dict.fromkeys(case["kind"] for case in right)
    }
    groups["one wrong entry"] = [case for case in wrong if case["where"] != "everywhere"]
    groups["every entry wrong"] = [case for case in wrong if case["where"] == "everywhere"]
    rows = []
    for name, group in groups.items():
        sums = [_sum(group, checker) for checker in checkers]
        rows.append([name, *(f"{one['evaluations'] / one['checks']:.0f}" for one in sums)])
    return markdown_table(["gradient", *(NAMES[checker] for checker in checkers)], rows)


def _sum(records: Sequence[Record], checker: str, **setting: Any) -> dict[str, int]:
    """Return the sums of the counts of a checker over the records of a setting."""
    some = [
        record
        for record in records
        if record["checker"] == checker
        and all(record[key] == value for key, value in setting.items())
    ]
    counts = ("checks", "alarms", "inconclusive", "named", "evaluations")
    return {key: sum(record[key] for record in some) for key in counts}


if __name__ == "__main__":
    main()
