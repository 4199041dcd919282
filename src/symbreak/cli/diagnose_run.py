"""`symbreak diagnose`, step by step."""

from __future__ import annotations

from symbreak.cli.check_gradient import MODEL, PROGRAM
from symbreak.cli.console import say
from symbreak.cli.diagnose import DiagnoseOptions
from symbreak.cli.diagnose_lines import blocks, head
from symbreak.cli.diagnose_subjects import Diagnosed, of_model, of_program, of_weights
from symbreak.cli.outputs import check_outputs, write_json
from symbreak.cli.program import program

SOUND, NOT_SOUND = 0, 1


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
