"""All that is known of a method of `minimize`, in one record; the records stand in `methods`."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from symbreak.errors import InvalidInput, nearest
from symbreak.optimize.protocols import Stepper
from symbreak.optimize.scipy_words import OF_OURS, refuse

Update = Literal["linear", "elementwise"]


def few_vectors(n: int, options: Mapping[str, Any]) -> int:  # noqa: ARG001 - the same for all
    """Return 0: nothing is kept beyond what every search keeps."""
    return 0


@dataclass(frozen=True, kw_only=True)
class Method:
    """One method of `minimize`.

    Attributes
    ----------
    name : the word that names it.
    build : makes the stepper; its keyword arguments are the method's own options. None for a method
        of SciPy, which has no stepper.
    update : how updates follow from gradients, as `symmetries` calls it.
    may_rise : whether a step may raise J, so that a small change of J says nothing.
    memory : memory(n, options) -> vectors of n numbers that a start keeps beyond the few of every
        search; `few_vectors` for none.
    aliases : other words for it.
    minibatch_options : the dataclass of the options that methods on mini-batches share, which
        `build` takes too; None for a method on all examples at once.
    sklearn_name : scikit-learn's word, which the estimators take too.
    has_sklearn_schedule : whether the estimators' `learning_rate` is its schedule; scikit-learn
        lets it be that of sgd alone.
    uses_gradients : whether it goes by gradients, which are equal for equal units.
    """

    name: str
    build: Callable[..., Stepper] | None
    update: Update
    may_rise: bool
    memory: Callable[[int, Mapping[str, Any]], int]
    aliases: tuple[str, ...] = ()
    minibatch_options: type | None = None
    sklearn_name: str | None = None
    has_sklearn_schedule: bool = False
    uses_gradients: bool = True

    @property
    def is_on_minibatches(self) -> bool:
        """Whether its updates see mini-batches; then starts may differ in their learning rates."""
        return self.minibatch_options is not None

    @cached_property
    def options(self) -> dict[str, Any]:
        """Its options and their defaults; none for a method of SciPy, whose are SciPy's."""
        if self.build is None:
            return {}
        own = inspect.signature(self.build).parameters.values()
        named = {p.name: p.default for p in own if p.kind is p.KEYWORD_ONLY}
        if self.minibatch_options is None:
            return named
        shared = dataclasses.fields(self.minibatch_options)
        return {**named, **{option.name: option.default for option in shared}}

    def stepper(self, options: Mapping[str, Any]) -> Stepper:
        """Return the stepper with these options.

        Raises
        ------
        InvalidInput
            An unknown option (the nearest valid one is named), or a value out of range.
        """
        theirs = {word: answer for word, answer in OF_OURS.items() if word not in self.options}
        refuse(self.name, options, theirs)
        for option in options:
            if option not in self.options:
                raise InvalidInput(
                    f"options of {self.name} must be among {', '.join(self.options)}. "
                    f"Got {option!r}.{nearest(option, self.options)}"
                )
        assert self.build is not None
        return self.build(**options)

    def extra_vectors(self, n: int, options: Mapping[str, Any]) -> int:
        """Return how many vectors of n numbers a start keeps, with these options."""
        return self.memory(n, {**self.options, **options})
