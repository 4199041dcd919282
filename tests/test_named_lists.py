"""Lists of names in docstrings, README and docs are those of the registries."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import symbreak as sb
from symbreak.activations import ACTIVATIONS
from symbreak.initialization.rules import BY_NAME
from symbreak.losses import LOSSES
from symbreak.optimize.methods import METHODS, find_method

ROOT = Path(__file__).parents[1]
ONE_NAME = [word for word, method in METHODS.items() if word == method.name]
NUMBERS = {10: "ten", 15: "fifteen"}


def text(page):
    """Return a page of the repository, its line breaks as spaces."""
    return " ".join((ROOT / page).read_text("utf-8").split())


def docstring(thing):
    return " ".join(thing.__doc__.split())


def quoted(words, mark="`"):
    return ", ".join(f"{mark}{word}{mark}" for word in words)


def rows(page, columns):
    """Return the tables' rows of a page that have so many cells."""
    lines = (ROOT / page).read_text("utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for row in cells if len(row) == columns]


def test_the_docstring_of_the_network():
    said = docstring(sb.Network)
    assert f"for each: {', '.join(ACTIVATIONS)}." in said
    losses = re.sub(r" \([^)]*\)", "", said.split(" loss : ")[1])
    assert losses.startswith(f"{', '.join(LOSSES)}, or an object")


def test_the_docstring_of_minimize():
    said = docstring(sb.minimize).split("method : ")[1].split("Their options")[0]
    assert re.findall(r'"([\w-]+)"', said) == list(METHODS)


def test_the_losses_of_the_regressor():
    of_numbers = [name for name, loss in LOSSES.items() if not loss.is_classification]
    assert f"loss : {quoted(of_numbers, chr(34))}, or a loss object" in docstring(sb.MLPRegressor)
    listed = ", ".join(f'`"{name}"`' for name in of_numbers)
    assert f"regression: {listed}, or an object" in text("docs/estimators.md")


def test_the_readme():
    said = text("README.md")
    assert f"activations {quoted(ACTIVATIONS)}, one for all layers" in said
    assert f"losses {quoted(LOSSES)}, stable" in said
    assert f"{NUMBERS[len(BY_NAME)]} [initialisation rules]" in said
    assert f"{NUMBERS[len(ONE_NAME)]} optimisers" in said
    aliases = [alias for word in ONE_NAME for alias in METHODS[word].aliases]
    assert all(f"(`{alias}`)" in said for alias in aliases)


def test_the_table_of_activations():
    found = [row for row in rows("docs/initialization.md", 4) if row[0].strip("`") in ACTIVATIONS]
    assert found == [
        [f"`{one.name}`", one.formula, f"{one.gain:.5g}", range_words(one.active_range)]
        for one in ACTIVATIONS.values()
    ]


def range_words(ends):
    return "none" if ends is None else f"[{ends[0]:g}, {ends[1]:g}]"


def test_the_kinks_that_the_page_names():
    named = text("docs/gradient-checking.md").split("## Kinks ")[1].split(", the absolute")[0]
    assert named.split(", ") == [one.name for one in ACTIVATIONS.values() if one.kinks]


def test_the_table_of_rules():
    found = rows("docs/initialization.md", 5)[1:]
    assert [row[0] for row in found] == [f"`{name}`" for name in BY_NAME]
    assert [row[1].split("(")[0] for row in found] == [
        f"`{rule.__name__}" for rule in BY_NAME.values()
    ]


@pytest.mark.parametrize("name", ONE_NAME)
def test_the_row_of_a_method(name):
    """Names, options and defaults; those that all methods on mini-batches share stand below."""
    method = METHODS[name]
    words = ", also ".join(f"`{word}`" for word in (name, *method.aliases))
    (row,) = [row for row in rows("docs/minimizing.md", 3) if row[0] == words]
    said = defaults(row[2])
    if row[2].startswith("as `adam`"):
        said = {**defaults(shown("adam")), **said}
    shared = defaults(text("docs/minimizing.md").split("All three take")[1].split("- One")[0])
    if method.is_on_minibatches:
        said |= shared
    assert said == method.options


def shown(name):
    (row,) = [row for row in rows("docs/minimizing.md", 3) if row[0] == f"`{name}`"]
    return row[2]


def defaults(cell):
    """Return the options of `name=value` in a cell, numbers as numbers."""
    pairs = re.findall(r"`(\w+)=([^`]+)`", cell)
    return {name: eval(value, {}) for name, value in pairs}  # of our own page


def test_the_methods_that_hold_a_matrix():
    n = 1000
    matrix = [word for word in ONE_NAME if METHODS[word].extra_vectors(n, {}) >= n]
    said = text("docs/how-to-choose.md").split("## Memory ")[1]
    assert said.startswith(f"{quoted(matrix)} hold n² numbers")
    assert find_method(None).extra_vectors(n, {"memory": 7}) == 14
    assert find_method(None).extra_vectors(n, {}) == 20
