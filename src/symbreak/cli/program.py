"""The user's own program, FILE.py, whose FUNCTION makes what is checked.

The file is run as Python runs a program: its folder is searched for what it imports. What it
raises, then and as long as what it made is used, is told in one sentence with its own words.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from symbreak.arrays.tensors import imported_torch
from symbreak.errors import InvalidInput, SymbreakError, nearest

# Not the name of the file, which may be that of a package it imports.
NAME = "__symbreak_program__"


@contextmanager
def program(path: Path, function: str) -> Iterator[Any]:
    """Run the file and yield what its function returns.

    Raises
    ------
    InvalidInput
        There is no such file or function, or it raises; also what is raised while the answer is
        used.
    MissingOptionalPackage
        torch is not installed.
    """
    if not path.is_file():
        raise InvalidInput(
            f"Program '{path}' must be an existing file. Got none of that name; check its "
            "spelling and folder."
        )
    imported_torch(f"The module that {function}() of '{path}' makes")
    module = ModuleType(NAME)
    module.__file__ = str(path)
    # Its data classes look their module up; what it imports later lies in its folder too.
    with _known(module, path.resolve().parent):
        with _one_sentence(path, f"'{path}' must run without an error"):
            # Python would pass the future statements of this very file on to it.
            code = compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
            exec(code, module.__dict__)
        made = _function(module, path, function)
        with _one_sentence(path, f"{function}() of '{path}' must return module, loss and batch"):
            answer = made()
        duty = f"What {function}() of '{path}' returns must compute J and its gradient"
        with _one_sentence(path, duty):
            yield answer


def _function(module: ModuleType, path: Path, name: str) -> Any:
    attribute = getattr(module, name, None)
    if callable(attribute):
        return attribute
    known = [word for word, one in vars(module).items() if callable(one) and word[0] != "_"]
    got = "nothing of that name" if attribute is None else type(attribute).__name__
    raise InvalidInput(f"'{name}' of '{path}' must be a function. Got {got}.{nearest(name, known)}")


@contextmanager
def _known(module: ModuleType, folder: Path) -> Iterator[None]:
    sys.modules[NAME] = module
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        del sys.modules[NAME]
        if str(folder) in sys.path:
            sys.path.remove(str(folder))


@contextmanager
def _one_sentence(path: Path, duty: str) -> Iterator[None]:
    """Turn what the program raises into a sentence that begins with its duty."""
    try:
        yield
    except SymbreakError as error:
        # Where the program was the cause, its line is worth knowing.
        where = "" if error.__cause__ is None else _where(error.__cause__, path)
        if not where:
            raise
        raise InvalidInput(f"{_one_line(error)}{where}.") from error
    except (Exception, SystemExit) as error:
        words = _one_line(error)
        name = type(error).__name__
        raise InvalidInput(
            f"{duty}. Got {name}{f': {words}' if words else ''}{_where(error, path)}."
        ) from error


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".")


def _where(error: BaseException, path: Path) -> str:
    """Return the line of the file that was running, where there is one."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return f" (line {lines[-1]})" if lines else ""
