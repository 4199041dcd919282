from __future__ import annotations

import datetime
import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbreak.errors import InvalidInput
from symbreak.scaling import HEAVY
from symbreak.tables.columns import NumericColumn
from symbreak.tables.preparation import Preparation
from symbreak.tables.table import Table

many = settings(max_examples=60, deadline=None)
numbers = st.floats(-1e150, 1e150) | st.integers(-10, 10).map(float)
cells = st.lists(st.tuples(st.none() | numbers, st.sampled_from(["u", "v", "é", None])), min_size=4)


def table(source: str = "data.csv", **columns: object) -> Table:
    return Table.of(pl.DataFrame(columns, strict=False), source)


def test_numbers_are_imputed_by_the_median_and_standardised():
    found = Preparation.fit(table(a=[1.0, 2.0, None, 9.0, 4.0], y=[0, 1, 0, 1, 0]), target="y")
    filled = np.array([1.0, 2.0, 3.0, 9.0, 4.0])
    X = found.transform(table(a=[1.0, 2.0, None, 9.0, 4.0]))
    np.testing.assert_allclose(X[:, 0], (filled - filled.mean()) / filled.std(), rtol=1e-14)
    assert found.feature_names == ("a",)
    assert found.notes == ("Imputed 1 missing value in 'a' by the training median.",)


def test_only_the_training_rows_teach():
    data = table(a=[1.0, 3.0, 1e6, None], b=["u", "v", "w", "u"], c=[2, 2, 3, 4])
    found = Preparation.fit(data, rows=np.array([1, 0]))
    assert found.feature_names == ("a", "b=u", "b=v")
    np.testing.assert_array_equal(
        found.transform(data), [[-1, 1, 0], [1, 0, 1], [1e6 - 2, 0, 0], [0, 1, 0]]
    )
    assert found.notes == ("Dropped constant column 'c'.",)


def test_missing_and_unknown_categories_are_all_zeros():
    found = Preparation.fit(table(b=["v", None, "u", "v"], f=[True, False, None, True]))
    assert found.feature_names == ("b=u", "b=v", "f")
    X = found.transform(table(b=["u", "new", None], f=[True, False, None]))
    np.testing.assert_array_equal(X[:, :2], [[1, 0], [0, 0], [0, 0]])
    assert X[0, 2] == X[2, 2] > X[1, 2]
    assert found.text_columns == ("b",)


def test_a_category_that_may_be_missing_is_not_constant():
    found = Preparation.fit(table(b=["u", None, "u"], c=["k"] * 3, d=[None] * 3))
    assert found.feature_names == ("b=u",)
    assert found.notes == ("Dropped 2 constant columns: 'c', 'd'.",)


def test_columns_are_taken_by_name():
    found = Preparation.fit(table(a=[1.0, 2.0], b=["u", "v"]))
    X = found.transform(table(z=["extra"] * 2, b=["u", "v"], a=[1.0, 2.0]))
    np.testing.assert_array_equal(X, [[-1, 1, 0], [1, 0, 1]])
    with pytest.raises(InvalidInput, match=r"Table 'new.csv' .* Got none named 'a', 'b'\."):
        found.transform(table("new.csv", c=[1]))


@many
@given(cells)
def test_X_is_finite_standardised_and_survives_its_settings(rows):
    values, words = zip(*rows, strict=True)
    spread = [*values, 0.0, 1.0]
    data = table(a=pl.Series(spread, dtype=pl.Float64), b=pl.Series([*words, "u", "v"]))
    found = Preparation.fit(data)
    X = found.transform(data)
    assert np.isfinite(X).all()
    # Beyond HEAVY the tails are heavy, and median and quartiles scale the column.
    assert np.isclose(X[:, 0].std(), 1, rtol=1e-9) or X[:, 0].std() > HEAVY * (1 - 1e-9)
    np.testing.assert_array_equal(X[:, 1:].sum(1), [one is not None for one in (*words, "u", "v")])
    again = Preparation.from_settings(json.loads(json.dumps(found.to_settings())))
    assert again == found
    assert again.transform(data).tobytes() == X.tobytes()


@many
@given(st.floats(1e-300, 1e-100))
def test_very_small_numbers_are_not_constant(size):
    X = Preparation.fit(table(a=[0.0, size, 2 * size])).transform(table(a=[0.0, size, 2 * size]))
    np.testing.assert_allclose(X[:, 0], np.array([-1, 0, 1]) * np.sqrt(1.5), rtol=1e-9, atol=1e-9)


def test_a_far_value_does_not_shrink_the_others():
    values = np.array([*np.linspace(-1.0, 1.0, 99), 1e6])
    (column,) = Preparation.fit(table(a=values)).columns
    assert isinstance(column, NumericColumn)
    low, median, high = np.quantile(values, (0.25, 0.5, 0.75), method="inverted_cdf")
    assert (column.mean, column.std) == (median, (high - low) / 1.349)
    beyond = np.array([*np.linspace(-1e-200, 1e-200, 99), 1e6])
    assert np.isfinite(Preparation.fit(table(a=beyond)).transform(table(a=beyond)) ** 2).all()
    (light,) = Preparation.fit(table(a=values[:-1])).columns
    assert isinstance(light, NumericColumn)
    assert light.std == pytest.approx(values[:-1].std())


def test_equal_numbers_are_constant_though_their_mean_rounds():
    found = Preparation.fit(table(a=[0.1] * 10, b=range(10)))
    assert found.feature_names == ("b",)


@pytest.mark.parametrize(
    "values",
    [
        ["2020-01-31", "2020-02-01"],
        ["2020-01-31T12:00:00Z", "2020/02/01 10:00"],
        ["31/12/2020", "1/2/20", "unknown"],
        ["12/31/2020", "01.02.2020", None, None],
        [datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)],
        [datetime.datetime(2020, 1, 1), None],
    ],
)
def test_dates_are_refused_with_an_example_and_advice(values):
    data = table(**{"the day": values, "n": range(len(values))})
    with pytest.raises(InvalidInput, match=r"Column 'the day' of 'data.csv'.*dates") as caught:
        Preparation.fit(data)
    assert "2020" in str(caught.value)
    assert "--drop 'the day'" in str(caught.value)
    assert Preparation.fit(data, drop=["the day"]).feature_names == ("n",)


@pytest.mark.parametrize("values", [["1-2", "3-4"], ["99/99/2020", "v"], ["2020-13", "2021-00"]])
def test_what_is_no_date_is_a_category(values):
    assert len(Preparation.fit(table(a=values)).feature_names) == 2


def test_names_are_refused_but_categories_are_not():
    names = [f"name {j}" for j in range(60)]
    with pytest.raises(
        InvalidInput, match=r"Column 'who'.*60 different texts.*'name 0'.*--drop who"
    ):
        Preparation.fit(table(who=names))
    assert len(Preparation.fit(table(who=names * 2)).feature_names) == 60
    assert len(Preparation.fit(table(who=names[:50])).feature_names) == 50
    with pytest.raises(InvalidInput, match="1001 different texts in 4004 rows"):
        Preparation.fit(table(who=[f"n{j}" for j in range(1001)] * 4))


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), 1e151])
def test_infinite_values_are_refused_by_row(value):
    with pytest.raises(InvalidInput, match=r"Column 'a' of 'data.csv' .*finite.* in row 3"):
        Preparation.fit(table(a=[1.0, 2.0, value]), rows=np.array([0, 1]))
    found = Preparation.fit(table(a=[1.0, 2.0]))
    with pytest.raises(InvalidInput, match=r"Column 'a' of 'new.csv' .*finite.* in row 2"):
        found.transform(table("new.csv", a=[1.0, value]))


def test_numbers_beyond_the_scale_of_training_are_refused():
    found = Preparation.fit(table(a=[0.0, 1e-300]))
    with pytest.raises(InvalidInput, match=r"size seen in training. Got 1e\+100 in row 2"):
        found.transform(table(a=[0.0, 1e100]))


def test_text_in_a_column_of_numbers_is_named():
    found = Preparation.fit(table(a=[1.0, 2.0]))
    with pytest.raises(
        InvalidInput, match=r"Column 'a' of 'new.csv' must hold numbers. Got 'x' in row 3"
    ):
        found.transform(table("new.csv", a=["1", None, "x", "y"]))
    np.testing.assert_array_equal(found.transform(table(a=["1", None]))[:, 0], [-1, 0])


def test_numbers_in_a_column_of_categories_are_compared_as_text():
    found = Preparation.fit(table(a=["1", "2", "true", "x"]))
    np.testing.assert_array_equal(found.transform(table(a=[2]))[0], [0, 1, 0, 0])
    np.testing.assert_array_equal(found.transform(table(a=[True]))[0], [0, 0, 1, 0])


def test_nested_columns_and_empty_choices_are_refused():
    with pytest.raises(InvalidInput, match="Column 'a'"):
        Preparation.fit(table(a=[[1], [2]]))
    with pytest.raises(InvalidInput, match="must hold categories"):
        Preparation.fit(table(a=["u", "v"])).transform(table(a=[[1], [2]]))
    with pytest.raises(InvalidInput, match="a column to learn from"):
        Preparation.fit(table(a=[1, 1], y=[0, 1]), target="y")
    with pytest.raises(InvalidInput, match=r"Column 'aple'.*Did you mean 'apple'"):
        Preparation.fit(table(apple=[1, 2]), drop=["aple"])


GOOD = {"kind": "number", "name": "a", "median": 0.0, "mean": 0.0, "std": 1.0}


@pytest.mark.parametrize(
    "columns",
    [
        None,
        [],
        [1],
        [GOOD, GOOD],
        [GOOD | {"kind": "code"}],
        [GOOD | {"name": 1}],
        [GOOD | {"std": 0.0}],
        [GOOD | {"std": True}],
        [GOOD | {"mean": float("nan")}],
        [GOOD | {"median": "0"}],
        [{"kind": "category", "name": "a", "categories": []}],
        [{"kind": "category", "name": "a", "categories": ["b", "a"]}],
        [{"kind": "category", "name": "a", "categories": ["a", 1]}],
    ],
)
def test_settings_of_another_form_are_refused(columns):
    with pytest.raises(InvalidInput):
        Preparation.from_settings({"columns": columns, "notes": []})
    with pytest.raises(InvalidInput):
        Preparation.from_settings(columns)


@pytest.mark.parametrize(
    "dates",
    [("5 Jan 2024", "17 March 2024"), ("Jan 5, 2024", "Sept. 17 2024"), ("2024-03", "2024-11"),
     ("10:15", "9:05:30"), ("10:15 PM", "11:00 am"), ("05-Jan-2024", "17-Feb-24")],
)  # fmt: skip
def test_dates_and_times_in_other_words_are_refused(dates):
    with pytest.raises(InvalidInput, match="Got dates or times such as"):
        Preparation.fit(table(day=list(dates) * 5, n=list(range(10))))


def test_words_that_only_look_like_dates_are_categories():
    words = ["may 5", "mar", "12 jars", "5-10", "10-20", "1:1 mix", "3 may be"]
    assert len(Preparation.fit(table(word=words, n=list(range(7)))).feature_names) == 8


def test_decimal_commas_are_refused_with_advice():
    with pytest.raises(
        InvalidInput, match=r"a decimal comma such as '1,5'; write .* point.*--drop"
    ):
        Preparation.fit(table(size=["1,5", "-2,25", None, "3"], n=[1, 2, 3, 4]))
    for thousands in (["1,000", "199,000", "12"], ["-1,234,567", "2,000"]):
        with pytest.raises(
            InvalidInput, match=r"if it parts thousands leave it out, if decimals write a point"
        ):
            Preparation.fit(table(size=thousands, n=[*range(len(thousands))]))
    lists = Preparation.fit(table(codes=["1,5", "2,x", "a"], n=[1, 2, 3]))
    assert "codes=2,x" in lists.feature_names


def test_advice_to_drop_a_column_is_given_where_it_can_be_followed():
    prepared = Preparation.fit(table(age=[1.0, 2.0], n=[1, 2]))
    with pytest.raises(InvalidInput, match="finite numbers") as caught:
        prepared.transform(table(age=[1.0, np.inf], n=[1, 2]))
    assert "--drop" not in str(caught.value)
    with pytest.raises(InvalidInput, match="--drop age"):
        Preparation.fit(table(age=[1.0, np.inf], n=[1, 2]))
