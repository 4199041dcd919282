"""`symbreak.report`: one page of whatever came out."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from html import escape
from typing import Any

from symbreak.atomic import replace_file
from symbreak.reports.collect.collected import collected
from symbreak.reports.render import render


@dataclass(frozen=True)
class Report:
    """A page and its numbers.

    Attributes
    ----------
    data : everything that is shown, as plain data that strict JSON holds; `data["numbers"]` says
        how numbers that are not finite are written.
    html : the page, one file without references to others.
    """

    data: dict[str, Any]
    html: str = field(repr=False)

    @classmethod
    def of(cls, document: dict[str, Any]) -> Report:
        """Return the report of a document."""
        return cls(document, render(document))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page, whole or not at all."""
        with replace_file(path) as file:
            file.write(self.html.encode())

    def _repr_html_(self) -> str:
        """Show the page in a notebook, in a frame of its own."""
        source = escape(self.html)
        return f'<iframe srcdoc="{source}" title="symbreak report" width="100%" height="720">' + (
            "</iframe>"
        )


def report(thing: Any, path: str | os.PathLike[str] | None = None) -> Report:
    """Make one HTML page of what came out, and write it where a path is given.

    Parameters
    ----------
    thing : an `Outcome`, a trained network (`symbreak.training.train`), a fitted estimator, a
        gradient report, a `Diagnosis` or a saved model, or a list of them for one page.
    path : the file to write, such as "report.html"; None writes none.

    Raises
    ------
    InvalidType
        Something of another kind.
    InvalidInput
        The file cannot be written, or an estimator is not fitted.
    MissingOptionalPackage
        jinja2 is not installed.

    Examples
    --------
    >>> import symbreak as sb
    >>> outcome = sb.minimize(lambda x: ((x**2).sum(-1), 2 * x), [[1.0, 2.0], [3.0, 4.0]])
    >>> page = sb.report(outcome)
    >>> page.data["restarts"]["n_lowest"]
    2
    """
    page = Report.of(collected(thing))
    if path is not None:
        page.save(path)
    return page
