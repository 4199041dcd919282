"""What the benchmarks share: fair timing, fresh processes, the machine's name, tables and JSON.

Conventions
-----------
Contestants take turns: a round calls each of them once (or as often as fills `MIN_SAMPLE`), so that
a disturbance of the machine falls on all of them. A time is the median over rounds; a ratio is the
median over rounds of the ratio within the round. With one thread the time is the processor's,
unless the clock on the wall shows less: what a busy machine makes a process wait does not count.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import math
import os
import platform
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
MIN_SAMPLE = 0.01  # seconds; shorter calls are repeated to fill it
LONG_CALL = 4.0  # seconds; longer calls are made once, and the first one counts
MIN_ROUNDS, MAX_ROUNDS = 3, 41
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def parser_of(doc: str | None, quick: str) -> argparse.ArgumentParser:
    """Return the command line that the benchmarks share.

    Parameters
    ----------
    doc : of the script; its first line describes it.
    quick : what --quick leaves.
    """
    parser = argparse.ArgumentParser(description=doc.splitlines()[0] if doc else "")
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument("--write-docs", action="store_true", help="rewrite docs/benchmarks.md")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    return parser


def has_answered(options: argparse.Namespace, measure: Callable[..., Any]) -> bool:
    """Print what `measure` returns, as JSON, if this is the process of a `run_fresh`."""
    if not options.worker:
        return False
    print(json.dumps(measure(**json.loads(options.worker))))
    return True


def publish(
    name: str, result: Any, text: str, options: argparse.Namespace, since: float | None = None
) -> None:
    """Print the tables, save the result, and write the page of benchmarks if that was asked.

    Parameters
    ----------
    since : `time.perf_counter()` at the beginning, to say how long it took.
    """
    print(text)
    took = "" if since is None else f" after {time.perf_counter() - since:.0f} s"
    say(f"{save_json(name, result)} written{took}")
    if options.write_docs:
        write_section(ROOT / "docs" / "benchmarks.md", name, text)


def interleave(
    calls: Mapping[str, Callable[[], object]], budget: float, *, one_thread: bool
) -> dict[str, list[float]]:
    """Return the seconds per call of every contestant, one entry per round.

    Parameters
    ----------
    budget : seconds that the rounds together should take; at least `MIN_ROUNDS` are made.
    one_thread : whether every contestant computes in one thread, so that processor time is fair.
    """
    seconds = partial(_seconds, one_thread=one_thread)
    first = {name: seconds(call) for name, call in calls.items()}
    samples = {name: [taken] for name, taken in first.items() if taken > LONG_CALL}
    turns = {name: call for name, call in calls.items() if name not in samples}
    usual = {name: seconds(call) for name, call in turns.items()}
    repeats = {name: math.ceil(MIN_SAMPLE / max(usual[name], 1e-6)) for name in turns}
    one_round = sum(usual[name] * repeats[name] for name in turns)
    rounds = min(MAX_ROUNDS, max(MIN_ROUNDS, round(budget / max(one_round, 1e-6))))
    samples.update({name: [] for name in turns})
    for _ in range(rounds):
        for name, call in turns.items():
            samples[name].append(seconds(call, repeats[name]))
    return samples


def _seconds(call: Callable[[], object], repeats: int = 1, *, one_thread: bool) -> float:
    wall, processor = time.perf_counter(), time.process_time()
    for _ in range(repeats):
        call()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return (min(wall, processor) if one_thread else wall) / repeats


def ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """Return the median over rounds of above / below; of the medians where rounds differ."""
    if len(above) != len(below):
        return median(above) / median(below)
    return median(a / b for a, b in zip(above, below, strict=True))


def run_fresh(script: str, arguments: Mapping[str, Any], threads: int, **variables: str) -> Any:
    """Run `script --worker ARGUMENTS` in a fresh process and return the JSON that it prints.

    Parameters
    ----------
    threads : for every library; 1 also keeps XLA from its thread pool.
    variables : further environment variables.
    """
    environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads)), **variables}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), os.getenv("PYTHONPATH", "")])
    if threads == 1:
        flags = os.getenv("XLA_FLAGS", "")
        environment["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen=false".strip()
    command = [sys.executable, script, "--worker", json.dumps(arguments)]
    finished = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(finished.stdout)


def all_threads() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_bytes() -> int:
    """Return the memory that is free now, or a cautious guess where the system does not say."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return 2 * 2**30


def peak_bytes() -> int:
    """Return the largest resident size that this process has had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def machine(packages: Sequence[str]) -> dict[str, Any]:
    """Return the processor, its threads and the versions of Python and the packages found."""
    return {
        "processor": _processor(),
        "threads": all_threads(),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {"python": platform.python_version(), **_versions(packages)},
    }


def _versions(packages: Sequence[str]) -> dict[str, str]:
    found = {}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    named = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return named[1].strip() if named else platform.processor() or "unknown processor"


def machine_line(found: Mapping[str, Any]) -> str:
    """Return one sentence that says where the numbers come from."""
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    return f"{found['processor']}, {found['threads']} threads, {found['system']}; {versions}."


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, the first column to the left and the others to the right."""
    rule = [":--", *["--:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def number(value: float | None) -> str:
    """Return three significant digits, or nothing for None."""
    if value is None:
        return ""
    digits = max(0, 2 - math.floor(math.log10(value))) if value > 0 else 0
    return f"{value:.{digits}f}"


def save_json(name: str, content: Any) -> Path:
    """Write benchmarks/results/NAME.json and return its path."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def write_section(path: Path, name: str, text: str) -> None:
    """Replace what stands between the markers `<!-- NAME:begin -->` and `<!-- NAME:end -->`."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    page = path.read_text(encoding="utf-8")
    if page.count(begin) != 1 or page.count(end) != 1:
        raise SystemExit(f"{path.name} must hold the markers {begin} and {end} once each.")
    before, rest = page.split(begin)
    after = rest.split(end)[1]
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def say(text: str) -> None:
    """Print progress, to standard error and at once."""
    print(text, file=sys.stderr, flush=True)
