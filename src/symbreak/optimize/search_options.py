"""How a search is asked for: the keywords of `minimize`, checked and in one record."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from symbreak.checks import check_not_negative
from symbreak.errors import InvalidInput, InvalidType
from symbreak.optimize.stopping import Limits
from symbreak.optimize.successive_halving import Racing

# What a search keeps when it goes on from an outcome.
KEPT = (
    "gradient_rtol", "gradient_atol", "validation", "patience", "racing", "value_patience",
    "patience_tol",
)  # fmt: skip


@dataclass(frozen=True)
class SearchOptions:
    """The keywords of `minimize`, which says what they mean; `options` are those of the method.

    Raises
    ------
    InvalidInput, InvalidType
        A number out of range, a callback that cannot be called.
    """

    method: str | None
    limits: Limits
    gradient_rtol: float
    gradient_atol: float
    validation: Any
    patience: int | None
    value_patience: int | None
    patience_tol: float
    racing: Racing | None
    callback: Callable[[Any], Any] | None
    options: Mapping[str, Any]

    def __post_init__(self) -> None:
        if self.callback is not None and not callable(self.callback):
            raise InvalidType(
                f"callback of minimize must be a function of the progress. Got {self.callback!r}."
            )
        check_not_negative("patience_tol", self.patience_tol)

    def check_going_on(self, began_with: SearchOptions, minimize: Callable[..., Any]) -> None:
        """Refuse what a search that goes on cannot change; what is not given stays as it was.

        Parameters
        ----------
        minimize : the function whose signature says what "not given" is.
        """
        if self.options:
            raise InvalidInput(
                f"options of minimize must be none when it goes on from an outcome. "
                f"Got {', '.join(self.options)}. Name a method to begin anew from outcome.theta."
            )
        defaults = inspect.signature(minimize).parameters
        for name in KEPT:
            given, kept = getattr(self, name), getattr(began_with, name)
            if given != defaults[name].default and given != kept:
                raise InvalidInput(
                    f"{name} of minimize must stay {kept!r} when it goes on from an "
                    f"outcome. Got {given!r}. Name a method to begin anew from outcome.theta."
                )
