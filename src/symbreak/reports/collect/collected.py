"""One door for everything that can be reported: `collected(thing)` gives its document."""

from __future__ import annotations

from typing import Any

from symbreak.diagnosis.result import Diagnosis
from symbreak.errors import InvalidInput, InvalidType
from symbreak.gradient_check import GradientReport
from symbreak.optimize import Outcome
from symbreak.reports.collect.document import finished
from symbreak.reports.collect.estimator import is_estimator, of_estimator
from symbreak.reports.collect.findings import diagnosis_section, gradient_section
from symbreak.reports.collect.training import Run, of_outcome, of_run, of_trained
from symbreak.training import Trained

_AROUND = ("symbreak", "format", "numbers", "title", "kind", "first_screen", "limits")


def collected(thing: Any) -> dict[str, Any]:
    """Return the document of a thing, or of several in a list: the first gives the title.

    Raises
    ------
    InvalidType
        Something of another kind.
    InvalidInput
        An estimator that is not fitted, or is no neural network.
    """
    if not isinstance(thing, list | tuple):
        return _one(thing)
    if not thing:
        raise _refused(thing)
    documents = [_one(one) for one in thing]
    sections: dict[str, Any] = {}
    for document in reversed(documents):
        sections.update({k: v for k, v in document.items() if k not in _AROUND})
    return finished(documents[0]["title"], documents[0]["kind"], sections)


def _one(thing: Any) -> dict[str, Any]:
    if isinstance(thing, Run):
        return of_run(thing)
    if isinstance(thing, Trained):
        return of_trained(thing)
    if isinstance(thing, Outcome):
        return of_outcome(thing)
    if isinstance(thing, GradientReport):
        kind = f"{thing.n_parameters} parameters"
        return finished("Gradient check", kind, {"gradient_check": gradient_section(thing)})
    if isinstance(thing, Diagnosis):
        return finished("Diagnosis of a start", "a module", {"diagnosis": diagnosis_section(thing)})
    if is_estimator(thing):
        return of_estimator(thing)
    # A model comes with a table's columns, which need polars; nothing else here does.
    if hasattr(thing, "preparation") and hasattr(thing, "combine"):
        from symbreak.reports.collect.model import of_model

        return of_model(thing)
    if hasattr(thing, "get_params"):
        name = type(thing).__name__
        raise InvalidInput(
            f"The estimator {name} must be a fitted neural network. Got one without coefs_; call "
            "fit(X, y) before the report is made."
        )
    raise _refused(thing)


def _refused(thing: Any) -> InvalidType:
    return InvalidType(
        "What is reported must be an Outcome, a trained network, a fitted estimator, a gradient "
        f"report, a Diagnosis or a model, or a list of them. Got {type(thing).__name__}."
    )
