"""The command line: parsing and printing only.

Importing this room and asking for help loads neither torch nor polars nor scikit-learn; the
commands load them when they run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from symbreak.cli.loading import loading
from symbreak.errors import MissingOptionalPackage

INTERRUPTED, NOTHING_YET = 130, "Interrupted before there was anything to keep."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command `symbreak` and return its exit code.

    Parameters
    ----------
    arguments : the words after `symbreak`; those of the process if None.

    Returns
    -------
    int
        0 done, 1 the gradient check failed or the start is not sound, 2 something given is not
        what it must be, 3 the gradient check cannot tell, 130 Ctrl-C.
    """
    # Before a command has begun that could say more of it.
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        print(NOTHING_YET, file=sys.stderr)
        return INTERRUPTED


def _run(arguments: Sequence[str] | None) -> int:
    for package in ("typer", "rich"):
        if find_spec(package) is None:
            missing = MissingOptionalPackage.of("The command line", package, "cli")
            print(f"Error: {missing}", file=sys.stderr)
            return 2
    # Threads that spin while they wait for each other are many times slower as soon as anything
    # else runs on the machine. OpenMP reads this when a package brings it, which is later.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    with loading():
        from typer.main import get_command

        from symbreak.cli.app import app
        from symbreak.cli.console import mute

        command = get_command(app)

    try:
        command(args=arguments, prog_name="symbreak")
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except OSError as error:
        # Files that are read and written are looked after where that is done.
        mute()
        print(
            "Error: Standard output must take what is printed. "
            f"Got: {error.strerror or error}; print elsewhere.",
            file=sys.stderr,
        )
        return 2
    return 0
