"""`symbreak diagnose`, step by step, and its findings in words."""

from __future__ import annotations

import shutil
import textwrap
from collections import Counter
from collections.abc import Iterator

from symbreak.cli.check_gradient import MODEL, PROGRAM
from symbreak.cli.console import say
from symbreak.cli.diagnose import DiagnoseOptions
from symbreak.cli.diagnose_subjects import Diagnosed, of_model, of_program, of_weights
from symbreak.cli.outputs import check_outputs, write_json
from symbreak.cli.program import program
from symbreak.findings import LEVELS, Diagnosis, Finding
from symbreak.symmetry.certificate_findings import spans
from symbreak.text import pluralize

SOUND, NOT_SOUND = 0, 1
WIDEST = 100
INDENT = "    "
MANY_GROUPS = 6
LASTING = {True: ", for ever", False: ", for now", None: ""}


def run(options: DiagnoseOptions) -> int:
    """Diagnose as asked; return the exit code."""
    check_outputs([options.json], options.inputs)
    diagnosed = _diagnosed(options)
    if options.json is not None:
        write_json(options.json, {**diagnosed.found.to_dict(), **diagnosed.more})
    _tell(options, diagnosed)
    return SOUND if diagnosed.found.ok else NOT_SOUND


def _diagnosed(options: DiagnoseOptions) -> Diagnosed:
    if options.kind == PROGRAM:
        with program(*options.program) as made:
            return of_program(options, made)
    return of_model(options) if options.kind == MODEL else of_weights(options)


def _tell(options: DiagnoseOptions, diagnosed: Diagnosed) -> None:
    say(head(diagnosed.found))
    if options.quiet:
        return
    for block in blocks(diagnosed.found, options.level):
        say(f"\n{block}")
    if diagnosed.found.findings:
        say("")
    for line in diagnosed.lines:
        say(line)
    say(f"Diagnosed: {diagnosed.words}.")
    if options.json is not None:
        say(f"The diagnosis, as JSON: {options.json}")


def head(found: Diagnosis) -> str:
    """Return whether the start is sound, and how many findings of each level there are."""
    by_level = Counter(finding.level for finding in found.findings)
    counts = [pluralize(by_level[level], level) for level in LEVELS if by_level[level]]
    counts = counts or ["nothing found"]
    return f"Diagnosis: {', '.join(['sound' if found.ok else 'not sound', *counts])}."


def blocks(found: Diagnosis, level: str) -> Iterator[str]:
    """Yield the findings of this level and above; then how many others there are."""
    shown = LEVELS[: LEVELS.index(level) + 1]
    for finding in found.findings:
        if finding.level in shown:
            yield _block(finding)
    hidden = sum(finding.level not in shown for finding in found.findings)
    if hidden:
        yield f"Not shown below --level {level}: {pluralize(hidden, 'finding')}."


def _block(finding: Finding) -> str:
    title = (
        f"{finding.level.capitalize()}: {finding.kind.replace('_', ' ')}"
        f"{LASTING[finding.permanent]}, in {_where(finding)}"
    )
    lines = [f"{title}{_units(finding)}", f"{finding.evidence}.", finding.remedy]
    width = min(shutil.get_terminal_size().columns, WIDEST)
    wrapped = [
        textwrap.fill(
            line, width, initial_indent=INDENT if place else "", subsequent_indent=INDENT,
            break_long_words=False, break_on_hyphens=False,
        )
        for place, line in enumerate(lines)
    ]  # fmt: skip
    # What is to be copied is never broken.
    return "\n".join([*wrapped, *([INDENT + finding.call] if finding.call else [])])


def _where(finding: Finding) -> str:
    """Return the place; names of a module's parts, which may be numbers, in quotes."""
    where = finding.where or "the module"
    return where if " " in where else f"'{where}'"


def _units(finding: Finding) -> str:
    """Return which units it is; of many groups the first ones."""
    groups = [one for one in finding.units if isinstance(one, tuple)]
    if groups:
        words = [f"{{{spans(group)}}}" for group in groups[:MANY_GROUPS]]
        more = len(groups) - len(words)
        return f": {', '.join(words)}{f' and {more} more' if more else ''}"
    units = [one for one in finding.units if isinstance(one, int)]
    return f": {'unit' if len(units) == 1 else 'units'} {spans(units)}" if units else ""
