"""One door for everything that can be reported: `collected(thing)` gives its document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from symbreak.errors import InvalidInput, InvalidType
from symbreak.findings import Diagnosis
from symbreak.gradient_check import GradientReport
from symbreak.optimize import Outcome
from symbreak.reports.collect.document import finished
from symbreak.reports.collect.estimator import inner, is_estimator, of_estimator
from symbreak.reports.collect.findings import diagnosis_section, gradient_section
from symbreak.reports.collect.search import of_search
from symbreak.reports.collect.training import of_outcome, of_training
from symbreak.training import Training

_KINDS = {GradientReport: "gradient report", Diagnosis: "diagnosis"}
_AROUND = ("symbreak", "format", "numbers", "title", "kind", "first_screen", "limits")


def collected(thing: Any) -> dict[str, Any]:
    """Return the document of a thing, or of several in a list: the first gives the title.

    A page shows one run, one gradient report and one diagnosis.

    Raises
    ------
    InvalidType
        Something of another kind.
    InvalidInput
        Several of one kind in a list; an estimator that is not fitted, or is no neural network.
    """
    if not isinstance(thing, list | tuple):
        return _one(thing)
    if not thing:
        raise _refused(thing)
    _check_kinds(thing)
    documents = [_one(one) for one in thing]
    sections: dict[str, Any] = {}
    for document in reversed(documents):
        sections.update({k: v for k, v in document.items() if k not in _AROUND})
    return finished(documents[0]["title"], documents[0]["kind"], sections)


def _check_kinds(things: Sequence[Any]) -> None:
    kinds = Counter(_KINDS.get(type(thing), "run of a network or function") for thing in things)
    kind, n = kinds.most_common(1)[0]
    if n > 1:
        raise InvalidInput(
            f"A list to report must have one {kind}. Got {n}; make a report of each."
        )


def _one(thing: Any) -> dict[str, Any]:
    if isinstance(thing, Training):
        return of_training(thing)
    if isinstance(thing, Outcome):
        return of_outcome(thing)
    if isinstance(thing, GradientReport):
        kind = f"{thing.n_parameters} parameters"
        return finished("Gradient check", kind, {"gradient_check": gradient_section(thing)})
    if isinstance(thing, Diagnosis):
        return finished("Diagnosis of a start", "a module", {"diagnosis": diagnosis_section(thing)})
    estimator = inner(thing)
    if is_estimator(estimator):
        return of_estimator(estimator, of_search(thing))
    # A model comes with a table's columns, which need polars; nothing else here does.
    if hasattr(thing, "preparation") and hasattr(thing, "combine"):
        from symbreak.reports.collect.model import of_model

        return of_model(thing)
    if hasattr(thing, "get_params") and not isinstance(thing, type):
        raise InvalidInput(
            f"The estimator {type(thing).__name__} must be a fitted neural network, or a pipeline "
            "or search that ends in one. Got no coefs_ there; if it is one, call fit(X, y) first, "
            "in a search with refit."
        )
    raise _refused(thing)


def _refused(thing: Any) -> InvalidType:
    got = f"the class {thing.__name__}" if isinstance(thing, type) else type(thing).__name__
    return InvalidType(
        "What is reported must be an Outcome, a trained network, a fitted estimator, a gradient "
        f"report, a Diagnosis or a model, or a list of them. Got {got}."
    )
