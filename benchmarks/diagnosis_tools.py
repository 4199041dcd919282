"""Which tools find units that are one unit, and which cry where equality is harmless.

    python benchmarks/diagnosis_tools.py [--quick] [--write-docs]

model-clinic is measured if it is installed (`pip install model-clinic==0.4.2`). Every tool says
which parts of a module it complains about:

- ours: `diagnose`, findings at error level of any kind.
- model-clinic: `diagnose` of the state dict, findings about units (`CLINIC`), WARN or ERROR.
- TheDeepChecker (Ben Braiek and Khomh 2023), its check for unbroken symmetry restated from the
  paper: a weight whose variance over all entries is below 1e-8.
- equal rows: a weight of two axes or more with two rows along its first axis equal bit by bit.

A planted start is found if a complaint lies in a place that holds the lost units, right units or
not; it is missed otherwise. A harmless start with any complaint is a false alarm.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from common import (
    machine,
    machine_line,
    markdown_table,
    publish,
    say,
)
from diagnosis_cases import HARMLESS, PLANTED, Case

import symbreak as sb

NAME = "diagnosis_tools"
PACKAGES = ("torch", "model-clinic")
SEEDS, QUICK_SEEDS = 10, 2
VARIANCE = 1e-8
CLINIC = ("identical_rows", "head_redundancy", "token_collapse", "dead_neurons")


def ours(case: Case) -> set[str]:
    """Return the places of errors."""
    found = sb.diagnose(case.module, case.loss, (case.X, case.y))
    return {finding.where for finding in found.findings if finding.level == "error"}


def model_clinic(case: Case) -> set[str]:
    """Return the names of parameters, or of layers, that model-clinic complains about."""
    clinic = importlib.import_module("model_clinic")
    return {
        finding.param_name
        for finding in clinic.diagnose(case.module.state_dict(), plugins=False)
        if finding.condition in CLINIC and finding.severity in ("WARN", "ERROR")
    }


def deep_checker(case: Case) -> set[str]:
    """Return the names of weights that are constant, as TheDeepChecker has it."""
    return {name for name, weight in _weights(case) if float(weight.var()) < VARIANCE}


def equal_rows(case: Case) -> set[str]:
    """Return the names of weights with two equal rows."""
    return {
        name
        for name, weight in _weights(case)
        if len(torch.unique(weight.flatten(1), dim=0)) < len(weight)
    }


def _weights(case: Case) -> list[tuple[str, Any]]:
    state = case.module.state_dict()
    return [(name, weight) for name, weight in state.items() if weight.dim() > 1]


def tools() -> dict[str, Callable[[Case], set[str]]]:
    """Return the tools that can be asked here, by name."""
    found: dict[str, Callable[[Case], set[str]]] = {
        "ours": ours,
        "TheDeepChecker": deep_checker,
        "equal rows": equal_rows,
    }
    if importlib.util.find_spec("model_clinic"):
        found["model-clinic"] = model_clinic
    return found


def inside(name: str, places: tuple[str, ...]) -> bool:
    """Whether a name is one of the places, or within one."""
    return any(name == place or name.startswith(f"{place}.") for place in places)


def ask(seeds: int) -> dict[str, Any]:
    """Return for each case and tool how many of the seeds it complains about."""
    asked = tools()
    say(", ".join(asked))
    return {
        "seeds": seeds,
        "planted": _counts(PLANTED, asked, seeds),
        "harmless": _counts(HARMLESS, asked, seeds),
    }


def _counts(
    cases: Mapping[str, Callable[[int], Case]],
    asked: Mapping[str, Callable[[Case], set[str]]],
    seeds: int,
) -> dict[str, dict[str, int]]:
    counts = {}
    for name, build in cases.items():
        counts[name] = dict.fromkeys(asked, 0)
        for seed in range(seeds):
            for tool, look in asked.items():
                case = build(seed)
                counts[name][tool] += complains(look(case), case)
        say(f"{name}: {counts[name]}")
    return counts


def complains(names: set[str], case: Case) -> bool:
    """Whether a tool found the lost units, or of a harmless start complains at all."""
    return any(inside(name, case.places) for name in names) if case.places else bool(names)


def render(result: dict[str, Any]) -> str:
    """Return the section of the page."""
    names = list(next(iter(result["planted"].values())))
    of = result["seeds"]
    found = [[case, *_row(names, counts, of)] for case, counts in result["planted"].items()]
    alarms = [[case, *_row(names, counts, of)] for case, counts in result["harmless"].items()]
    total = {kind: of * len(result[kind]) for kind in ("planted", "harmless")}
    sums = {
        kind: {name: sum(counts[name] for counts in result[kind].values()) for name in names}
        for kind in total
    }
    missed = {name: total["planted"] - sums["planted"][name] for name in names}
    found += [
        ["all found", *_row(names, sums["planted"], total["planted"])],
        ["all missed", *_row(names, missed, total["planted"])],
    ]
    alarms.append(["all false alarms", *_row(names, sums["harmless"], total["harmless"])])
    return "\n\n".join(
        [
            machine_line(result["machine"]),
            markdown_table(["units that are one: found", *names], found),
            markdown_table(["harmless: false alarms", *names], alarms),
        ]
    )


def _row(names: list[str], counts: Mapping[str, int], of: int) -> list[str]:
    return [f"{counts[name]} / {of}" for name in names]


def main() -> None:
    """Ask, count, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="two seeds of each case")
    parser.add_argument("--write-docs", action="store_true", help="rewrite docs/benchmarks.md")
    options = parser.parse_args()
    begin = time.perf_counter()
    torch.set_num_threads(1)
    result = {"machine": machine(PACKAGES), **ask(QUICK_SEEDS if options.quick else SEEDS)}
    publish(NAME, result, render(result), options, begin)


if __name__ == "__main__":
    main()
