"""From a template and plain data to the text of one HTML file.

A template extends "page/base.html", names its `styles` and `scripts` (files of this package, put
into the page as they are) and fills the block `content`. The policy of the page lets run only those
scripts, known by their hash, and lets nothing be loaded: whatever stands in the data is never run.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from symbreak.errors import MissingOptionalPackage
from symbreak.page.to_json import DIGITS, island, plain

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, data: Any, title: str, digits: int | None = DIGITS, **more: Any) -> str:
    """Return the page; the same data give the same page, byte for byte.

    Parameters
    ----------
    template : a file of this package such as "lesson/page/lesson.html".
    data : what the page shows, as `plain` takes it. The template reads it as `data`, the scripts
        read it from the element with the id "data", which anybody may read as JSON.
    title : of the page.
    digits : significant digits of the numbers; None keeps all.
    more : what else the template reads, by name; it is escaped unless it has `__html__`.

    Raises
    ------
    MissingOptionalPackage
        jinja2 is not installed.
    """
    shown = plain(data, digits)
    page = _environment().get_template(template)
    return page.render(data=shown, island=island(shown), title=title, new_id=Identifiers(), **more)


def check_renderable() -> None:
    """Find out whether pages can be made, before the work that fills them.

    Raises
    ------
    MissingOptionalPackage
        jinja2 is not installed.
    """
    try:
        import jinja2  # noqa: F401
    except ImportError as error:
        raise MissingOptionalPackage.of("A page", "jinja2", "report") from error


def _environment() -> Environment:
    check_renderable()
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(asset),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = lambda name: Markup(asset(name))  # our own files, as they are
    environment.globals["script_hash"] = script_hash
    environment.filters["raw_json"] = Markup  # of `island`, which has escaped what could end it
    return environment


@lru_cache
def asset(name: str) -> str:
    """Return the text of a file of this package."""
    return resources.files("symbreak").joinpath(*name.split("/")).read_text(encoding="utf-8")


def script_hash(name: str) -> str:
    """Return the source expression by which a policy lets a script run."""
    digest = hashlib.sha256(asset(name).encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


class Identifiers:
    """Hands out "word-1", "word-2", ..., each once."""

    def __init__(self) -> None:
        self._used: Counter[str] = Counter()

    def __call__(self, word: str) -> str:
        """Return the next id that begins with `word`."""
        self._used[word] += 1
        return f"{word}-{self._used[word]}"
