"""Writing files so that nothing on disk is ever lost or half-written.

A file is written under a passing name in its own folder, forced to the disk, and only then given
its name, in one step that either happens or does not. Until that step an older file of the same
name stays as it was.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from symbreak.errors import InvalidInput


@contextmanager
def replace_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of `path` when the block ends without an error.

    A link is followed, so that the file it points to is replaced. The permissions are those of
    the file that was there, or of any new file.

    Yields
    ------
    BinaryIO
        Write the whole content here.

    Raises
    ------
    InvalidInput
        `path` cannot be written; whatever was there is untouched.
    """
    with _passing_name(path) as (passing, goal):
        with passing.open("xb") as file:
            # Before a byte is in it: nobody is to read what only its owner might.
            with suppress(FileNotFoundError):
                passing.chmod(stat.S_IMODE(goal.stat().st_mode))
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(passing, goal)
        _sync_folder(goal.parent)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Find out, by trying, whether `replace_file(path)` could work; leaves nothing behind.

    Raises
    ------
    InvalidInput
        The folder does not exist or takes no files, or `path` is no regular file.
    """
    with _passing_name(path) as (passing, _):
        passing.open("xb").close()


@contextmanager
def _passing_name(path: str | os.PathLike[str]) -> Iterator[tuple[Path, Path]]:
    if "\0" in os.fspath(path):
        raise _unwritable(path, "a name with a null character")
    try:
        goal = Path(os.path.realpath(path))
        _refuse_goal(path, goal)
        passing = goal.with_name(f".symbreak-{secrets.token_hex(8)}.tmp")
        try:
            yield passing, goal
        finally:
            with suppress(OSError):
                passing.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error.strerror or str(error)) from error


def _refuse_goal(path: str | os.PathLike[str], goal: Path) -> None:
    if not os.path.isdir(goal.parent):
        raise InvalidInput(
            f"The folder of output '{path}' must exist. Got '{goal.parent}', which is no folder; "
            "create it or choose another."
        )
    try:
        mode = os.stat(goal).st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise _unwritable(path, "a folder; add a file name")
    # Renaming onto a device or a pipe would destroy it.
    if not stat.S_ISREG(mode):
        raise _unwritable(path, "a device or pipe")


def _unwritable(path: str | os.PathLike[str], reason: str) -> InvalidInput:
    return InvalidInput(f"Output '{path}' must be a file that can be written. Got: {reason}.")


def _sync_folder(folder: Path) -> None:
    # Some systems cannot open or sync a folder; the file itself is already safe there.
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
