"""What symbreak raises and warns with.

Every error also is the built-in error that Python users already catch (`ValueError`, `TypeError`,
`ImportError`), and its text is one sentence: what must hold, what was found, what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Self

CLOSE = 0.66  # share of letters in common from which on a word is taken for another, mistyped


class SymbreakError(Exception):
    """The base of all errors raised on purpose by symbreak."""


class InvalidInput(SymbreakError, ValueError):
    """A value, a shape or a file is not what it must be."""


class InvalidType(SymbreakError, TypeError):
    """An object is of a kind that cannot be used here."""


class MissingOptionalPackage(SymbreakError, ImportError):
    """A feature needs a package that is not installed."""

    @classmethod
    def of(cls, what: str, package: str, extra: str) -> Self:
        """Return the error that says what needs which package, and which extra brings it."""
        return cls(
            f"{what} needs the package {package}, which is not installed. "
            f'Run: pip install "symbreak[{extra}]"'
        )


class SymmetryWarning(UserWarning):
    """A start leaves hidden units equal: they would stay one unit for ever."""


class InterruptedWarning(UserWarning):
    """Ctrl-C has cut a fit or a search short; what is kept is the best so far, not the whole."""


def nearest(word: str, words: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the closest of `words`, or "" when none is close."""
    by_lower = {known.lower(): known for known in words}
    typed = str(word).lower()
    close = difflib.get_close_matches(typed, by_lower, n=1, cutoff=CLOSE)
    # A word that was not typed to its end is far by letters and yet meant.
    close = close or [known for known in by_lower if len(typed) >= 3 and known.startswith(typed)]
    return f" Did you mean '{by_lower[close[0]]}'?" if close else ""


def choose(what: str, word: object, words: Iterable[str]) -> str:
    """Return `word` if it is one of `words`.

    Raises
    ------
    InvalidInput
        Names `what`, the choices and the nearest valid word.
    """
    words = list(words)
    if isinstance(word, str) and word in words:
        return word
    raise InvalidInput(
        f"{what} must be one of {', '.join(words)}. Got {word!r}.{nearest(str(word), words)}"
    )
