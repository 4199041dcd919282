"""`symbreak check-gradient`, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from symbreak.cli.check_gradient import MODEL, PROGRAM, CheckOptions
from symbreak.cli.check_subjects import Checked, of_model, of_program, of_table
from symbreak.cli.console import say
from symbreak.cli.outputs import check_outputs, write_json
from symbreak.cli.program import program
from symbreak.gradient_check import GradientReport, check_gradient

CODES = {"pass": 0, "fail": 1, "inconclusive": 3}


def run(options: CheckOptions) -> int:
    """Check as asked; return the exit code."""
    check_outputs([options.json], options.inputs)
    with _checked(options) as checked:
        report = check_gradient(
            checked.objective, checked.theta, method=options.method, locate=options.locate,
            thorough=options.thorough, seed=options.seed,
        )  # fmt: skip
    if options.json is not None:
        write_json(options.json, report.to_dict())
    _tell(options, checked, report)
    return CODES[report.verdict]


@contextmanager
def _checked(options: CheckOptions) -> Iterator[Checked]:
    """Yield what is checked; the errors of the user's own program become sentences."""
    if options.kind == PROGRAM:
        with program(*options.program) as made:
            yield of_program(options, made)
    else:
        yield of_model(options) if options.kind == MODEL else of_table(options)


def _tell(options: CheckOptions, checked: Checked, report: GradientReport) -> None:
    if options.quiet:
        say(report.line)
        return
    say(str(report))
    say(f"Checked: {checked.words}.")
    if options.json is not None:
        say(f"The report, as JSON: {options.json}")
