"""Write docs/command-line-reference.md from the commands themselves; `make docs` calls it.

Typer's own writer of such pages words them differently from release to release. This one reads what
the commands declare (names, help, defaults), so the page changes with them and at no other time.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

from typer.models import ArgumentInfo

from symbreak.cli.app import app

PAGE = Path(__file__).with_name("command-line-reference.md")
HEAD = """# Command-line reference

Written by `make docs` from the program itself: the words of `symbreak COMMAND --help`. What the
commands do, step by step, is on the page [the command line](command-line.md)."""


def reference() -> str:
    """Return the page: the program, then its commands in the order of the help."""
    program: Any = app.registered_callback
    commands: list[Any] = [info.callback for info in app.registered_commands]
    sections = [_section("symbreak", program.callback, "COMMAND ...")]
    sections += [_section(f"symbreak {_name(command)}", command) for command in commands]
    return "\n\n".join([HEAD, *sections]) + "\n"


def _section(name: str, command: Callable[..., Any], then: str = "") -> str:
    places = " ".join(_places(command))
    usage = " ".join(f"{name} [OPTIONS] {places} {then}".split())
    table = "\n".join(["| | | default |", "|---|---|---|", *_rows(command)])
    text = inspect.getdoc(command) or ""
    paragraphs = (" ".join(part.split()) for part in text.split("\n\n"))
    return "\n\n".join([f"## {name}", f"    {usage}", *paragraphs, table])


def _name(command: Callable[..., Any]) -> str:
    """Return the command as it is typed."""
    return command.__name__.replace("_", "-")


def _places(command: Callable[..., Any]) -> Iterator[str]:
    """Yield the arguments as they are typed, those that may be left out in brackets."""
    for name, _, info, default in _parameters(command):
        if isinstance(info, ArgumentInfo):
            word = info.metavar or name.upper()
            yield word if default is inspect.Parameter.empty else f"[{word}]"


def _rows(command: Callable[..., Any]) -> Iterator[str]:
    for name, kind, info, default in _parameters(command):
        has_default = default is not inspect.Parameter.empty and default is not None
        shown = f"`{default}`" if has_default and kind is not bool else ""
        cells = (f"`{_typed(name, kind, info)}`", info.help, shown)
        yield "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _typed(name: str, kind: Any, info: Any) -> str:
    """Return an option as it is typed, with the word for its value; an argument is a word alone."""
    if isinstance(info, ArgumentInfo):
        return str(info.metavar or name.upper())
    # Inside Annotated the first spelling lies where a default would.
    given = [word for word in (info.default, *(info.param_decls or ())) if isinstance(word, str)]
    words = ", ".join(sorted(given or ["--" + name.replace("_", "-")], key=len))
    if bool in (kind, *get_args(kind)):
        return words
    return f"{words} {info.metavar or (get_args(kind) or (kind,))[0].__name__.upper()}"


def _parameters(command: Callable[..., Any]) -> Iterator[tuple[str, Any, Any, Any]]:
    """Yield name, type, what typer was told and the default of each parameter."""
    hints = get_type_hints(command, include_extras=True)
    for name, parameter in inspect.signature(command).parameters.items():
        kind, info = get_args(hints[name])
        yield name, kind, info, parameter.default


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
