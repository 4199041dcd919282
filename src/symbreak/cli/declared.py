"""Commands whose options are the fields of a dataclass: each is declared once."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

Options = TypeVar("Options")


def declared(options: type[Options], function: Callable[[Options], None]) -> Callable[..., None]:
    """Return the function as a command that typer reads: one option for each field.

    Parameters
    ----------
    options : a dataclass whose fields are annotated with `typer.Option` or `typer.Argument`; a
        tuple of words is an option that may be repeated.
    function : what is called with them; its docstring is the help.
    """
    hints = get_type_hints(options, include_extras=True)
    fields = dataclasses.fields(options)  # type: ignore[arg-type]
    repeated = [field.name for field in fields if get_args(hints[field.name])[0] == tuple[str, ...]]

    def command(**given: Any) -> None:
        words = {name: tuple(given[name] or ()) for name in repeated}
        function(options(**{**given, **words}))

    for name in repeated:
        hints[name] = Annotated[list[str] | None, get_args(hints[name])[1]]
    parameters = [
        Parameter(
            field.name,
            Parameter.KEYWORD_ONLY,
            default=None if field.name in repeated else _default(field),
            annotation=hints[field.name],
        )
        for field in fields
    ]
    command.__name__, command.__doc__ = function.__name__, function.__doc__
    command.__annotations__ = {field.name: hints[field.name] for field in fields}
    command.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    return command


def _default(field: dataclasses.Field[Any]) -> Any:
    return Parameter.empty if field.default is dataclasses.MISSING else field.default
