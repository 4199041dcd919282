"""Text columns: which ones are categories, and which a network cannot learn from as they are.

Refused are dates and times (most values read as year-month-day, year-month, day/month/year,
month/day/year, a date with the name of the month or a time of day), numbers with a decimal comma,
and columns that name their row: more than `FEW` different values that fill more than half of the
rows, or more than `MANY` different values.
"""

from __future__ import annotations

import polars as pl

from symbreak.errors import InvalidInput
from symbreak.tables.table import leave_out

FEW = 50
MANY = 1000

_DAY, _MONTH = r"(0?[1-9]|[12]\d|3[01])", r"(0?[1-9]|1[0-2])"
_NAME = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_TIME = r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?( ?[ap]m)?"
_DATE = (
    rf"(?i)^((\d{{4}}[-/.]{_MONTH}[-/.]{_DAY}"
    rf"|({_DAY}[-/.]{_MONTH}|{_MONTH}[-/.]{_DAY})([-/.]\d{{4}}|/\d{{2}})"
    rf"|({_DAY}[-. ]+{_NAME}|{_NAME} +{_DAY})[-, ]+(\d{{4}}|\d{{2}}))([T ,].*)?"
    rf"|\d{{4}}-(0[1-9]|1[0-2])|{_TIME})$"
)
_DECIMAL_COMMA = r"^[-+]?\d+,\d+$"
_THOUSANDS = r"^[-+]?\d{1,3}(,\d{3})+$"


def is_category(column: pl.Series) -> bool:
    """Return whether the column is text (after the checks: categories), not numbers."""
    return column.dtype == pl.String


def refuse_unusable(column: pl.Series, source: str) -> None:
    """Check that a column holds numbers, booleans or categories.

    Raises
    ------
    InvalidInput
        It holds dates, commas in numbers, names, identifiers or a kind that is neither number nor
        text; the sentence names the column and one value of it.
    """
    kind = column.dtype
    if kind.is_temporal() or (kind == pl.String and _mostly_dates(column)):
        raise _refused(column, source, "dates or times", "turn it into numbers")
    if kind == pl.String:
        _refuse_decimal_commas(column, source)
        _refuse_names(column, source)
    elif not (kind.is_numeric() or kind == pl.Boolean):
        raise _refused(column, source, f"{kind} values", "turn it into numbers")


def is_plain_text(column: pl.Series) -> bool:
    """Return whether text is neither dates nor numbers with commas, which are refused."""
    present = column.drop_nulls()
    has_comma = present.str.contains(_DECIMAL_COMMA) | present.str.contains(_THOUSANDS)
    return not _mostly_dates(column) and not has_comma.any()


def to_text(column: pl.Series) -> pl.Series:
    """Return categories as text, also where a file has only numbers or true/false in them."""
    return column if column.dtype == pl.String else column.cast(pl.String)


def _mostly_dates(column: pl.Series) -> bool:
    present = column.drop_nulls()
    return bool(2 * present.str.contains(_DATE).sum() > len(present))


def _refuse_decimal_commas(column: pl.Series, source: str) -> None:
    present = column.drop_nulls()
    has_comma = present.str.contains(_DECIMAL_COMMA) | present.str.contains(_THOUSANDS)
    with_comma = present.filter(has_comma)
    others = present.filter(~has_comma).cast(pl.Float64, strict=False)
    if not len(with_comma) or others.null_count():
        return
    if with_comma.str.contains(_THOUSANDS).all():
        # Which of the two it is nobody can see; a point in place of the comma may ruin the numbers.
        found = "numbers with a comma before three digits"
        advice = "if it parts thousands leave it out, if decimals write a point"
    else:
        found, advice = "numbers with a decimal comma", "write them with a decimal point"
    raise _refused(with_comma, source, found, advice)


def _refuse_names(column: pl.Series, source: str) -> None:
    different = column.drop_nulls().n_unique()
    if different > MANY or (different > FEW and 2 * different > len(column)):
        found = f"{different} different texts in {len(column)} rows"
        raise _refused(column, source, found, "group the values into fewer categories")


def _refused(column: pl.Series, source: str, found: str, advice: str) -> InvalidInput:
    example = next(iter(column.drop_nulls().head(1).to_list()), None)
    return InvalidInput(
        f"Column '{column.name}' of '{source}' must hold numbers or categories. Got {found} such "
        f"as '{example}'; {advice}, or {leave_out(column.name)}."
    )
