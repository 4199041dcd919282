"""The report in Chromium: nothing is fetched, nothing fails, all can be reached and read."""

from __future__ import annotations

import re

import numpy as np
import pytest

import symbreak as sb
from symbreak.text import pluralize
from tests.browser.accessibility import faint, nameless, unreached
from tests.browser.driver import Browser, browser_or_skip
from tests.reports.conftest import island_of, trained_page, write_hostile_table

pytestmark = pytest.mark.slow
A4_WIDTH = 717  # pixels between the margins that Chromium sets
ARROW_RIGHT, ENTER = "\ue014", "\ue007"


@pytest.fixture(scope="module")
def chromium():
    browser_or_skip()
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "page.html"
    trained_page(path, "--quick", "--dataset", "wine", "--starts", 12, "--hidden", "6,4",
                 "--max-iter", 200, "--validation", 0.15)  # fmt: skip
    return path


@pytest.fixture(scope="module")
def symmetric(tmp_path_factory):
    """The page of a constant start, whose weights are equal."""
    path = tmp_path_factory.mktemp("page") / "symmetric.html"
    words = ("--dataset", "iris", "--starts", 1, "--hidden", 4, "--max-iter", 30)
    trained_page(path, *words, "--init", "constant", "--method", "gradient-descent",
                 "--learning-rate", 0.1)  # fmt: skip
    return path


def data_of(page):
    return island_of(page.read_text("utf-8"))


@pytest.mark.parametrize(("width", "dark"), [(1200, False), (1200, True), (390, False)])
def test_nothing_fails_nothing_is_fetched_and_all_can_be_read(page, width, dark):
    browser = Browser(width=width, dark=dark)
    try:
        browser.open(page)
        assert browser.console() == []
        asked = {address for address in browser.requests() if not address.startswith("data:")}
        assert asked - {"about:blank"} == {page.as_uri()}
        assert browser.js("return performance.getEntriesByType('resource').length") == 0
        assert browser.js("return document.documentElement.scrollWidth") <= width
        assert faint(browser) == []
        browser.js("document.querySelectorAll('details').forEach((one) => { one.open = true })")
        assert faint(browser) == []
        assert browser.js("return document.documentElement.scrollWidth") <= width
        browser.picture(f"report-{'dark' if dark else 'light'}-{width}.png")
        assert browser.console() == []
    finally:
        browser.close()


def test_print_is_dark_on_white_and_leaves_out_what_paper_cannot_do(page):
    browser = Browser(width=800, dark=True)
    try:
        browser.open(page)
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        ground, text = browser.js(
            "const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]"
        )
        assert (ground, text) == ("rgb(255, 255, 255)", "rgb(0, 0, 0)")
        for name in ("nav", ".skip", ".slider"):
            shown = browser.js(
                "return document.querySelector(arguments[0]).checkVisibility()", name
            )
            assert not shown, name
        cut = browser.js(
            "return [...document.querySelectorAll('.scroll[tabindex]')]"
            ".filter((one) => one.scrollHeight > one.clientHeight + 1"
            " || one.scrollWidth > one.clientWidth + 1).length"
        )
        assert cut == 0
        assert faint(browser) == []
        browser.picture("report-print.png")
    finally:
        browser.close()


def column(browser, place):
    return browser.js(
        "return [...document.querySelector('table.sortable').tBodies[0].rows]"
        ".map((row) => row.cells[arguments[0]].dataset.key)", place,
    )  # fmt: skip


def test_the_table_sorts_by_every_column(chromium, page):
    chromium.open(page)
    rows = data_of(page)["starts"]
    keys = (
        "start", "J", "validation", "holdout", "gradient_norm", "iterations", "best_iteration",
        "evaluations", "status", "used",
    )  # fmt: skip
    assert [float(one) for one in column(chromium, 1)] == sorted(row["J"] for row in rows)
    for place, key in enumerate(keys):
        ways = set()
        for _ in range(2):
            way = chromium.js(
                "const b = document.querySelectorAll('table.sortable th button')[arguments[0]];"
                "b.click(); return b.closest('th').getAttribute('aria-sort')", place,
            )  # fmt: skip
            ways.add(way)
            is_text = isinstance(rows[0][key], str | bool)
            read = str if is_text else float
            wanted = sorted((read(row[key]) for row in rows), reverse=way == "descending")
            assert [read(one) for one in column(chromium, place)] == wanted
        assert ways == {"ascending", "descending"}
    assert chromium.js("return document.querySelectorAll('th[aria-sort]').length") == 1


def test_columns_without_a_number_are_left_out(chromium, tmp_path):
    outcome = sb.minimize(lambda x: ((x**2).sum(-1), 2 * x), np.array([[1.0, 2.0], [3.0, 4.0]]))
    sb.report(outcome, tmp_path / "p.html")
    chromium.open(tmp_path / "p.html")
    heads = chromium.js(
        "return [...document.querySelectorAll('table.sortable th')].map((e) => e.textContent)"
    )
    assert heads == [
        "start",
        "J",
        "max |gradient|",
        "iterations",
        "kept at",
        "evaluations",
        "status",
    ]


def test_all_columns_of_fifty_classes_are_on_the_paper(tmp_path):
    write_hostile_table(tmp_path / "h.csv")
    trained_page(tmp_path / "h.html", tmp_path / "h.csv", "--target", 'target <b>"x"</b>',
                 "--starts", 1, "--hidden", 2, "--max-iter", 2)  # fmt: skip
    browser = Browser(width=A4_WIDTH)
    try:
        browser.open(tmp_path / "h.html")
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        width = browser.js("return document.querySelector('.confusion').scrollWidth")
        assert width <= A4_WIDTH
        assert browser.js("return document.documentElement.scrollWidth") <= A4_WIDTH
        browser.picture("report-print-50-classes.png")
    finally:
        browser.close()


def test_the_slider_shows_the_values_of_the_data(chromium, symmetric):
    chromium.open(symmetric)
    found = data_of(symmetric)["network"]
    slider = chromium.driver.find_element("css selector", "#network-diagram input[type=range]")
    assert int(slider.get_attribute("max")) == len(found["iterations"]) - 1
    edges = []
    for index, snapshot in enumerate(found["picture"]["snapshots"]):
        if index:
            slider.send_keys(ARROW_RIGHT)
        edges = chromium.js(
            "return [...document.querySelectorAll('.network .edge')].map((e) =>"
            "[Number(e.dataset.weight), Number(e.dataset.group), getComputedStyle(e).stroke])"
        )
        assert [edge[0] for edge in edges] == flat(snapshot["weights"])
        assert [edge[1] for edge in edges] == flat(snapshot["classes"])
        words = chromium.js("return document.querySelector('.sentence').textContent")
        assert words.startswith(f"After {pluralize(found['iterations'][index], 'iteration')}: J = ")
        shown = re.search(r"J = (\S+)\. Distinct hidden units: 1 of 4\.", words)
        assert shown is not None, words
        assert float(shown[1].replace("\N{MINUS SIGN}", "-")) == found["J"][index]
        said = slider.get_attribute("aria-valuetext")
        assert said.startswith(f"iteration {found['iterations'][index]} of")
    # One colour for each group, and another for the next.
    colours: dict[int, set[str]] = {}
    for _, group, stroke in edges:
        colours.setdefault(group, set()).add(stroke)
    assert all(len(one) == 1 for one in colours.values())
    first = [next(iter(colours[group])) for group in sorted(colours) if 0 < group <= 6]
    assert len(set(first)) == len(first) == 6
    chromium.picture("report-symmetric.png")


def test_a_diagram_of_one_point_has_no_slider(chromium, tmp_path):
    page = trained_page(tmp_path / "p.html", "--dataset", "iris", "--starts", 1, "--max-iter", 0)
    assert island_of(page)["network"]["iterations"] == [0]
    chromium.open(tmp_path / "p.html")
    assert not chromium.js("return document.querySelector('.slider').checkVisibility()")
    words = chromium.js("return document.querySelector('.sentence').textContent")
    assert words.endswith("only the 11 biases that are 0 are equal.")


def flat(matrices):
    return [number for Theta in matrices for row in Theta for number in row]


def test_the_keyboard_alone_reaches_and_works_every_control(chromium, page):
    chromium.open(page)
    assert unreached(chromium) == []
    assert nameless(chromium) == []
    button = chromium.driver.find_element("css selector", "table.sortable th button")
    chromium.js("arguments[0].focus()", button)
    button.send_keys(ENTER)
    assert [int(one) for one in column(chromium, 0)] == list(range(12))


def test_the_outline_has_no_gaps(chromium, page):
    chromium.open(page)
    assert chromium.js("return document.documentElement.lang") == "en"
    levels = chromium.js(
        "return [...document.querySelectorAll('h1, h2, h3')].map((e) => Number(e.tagName[1]))"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert max(np.diff(levels)) <= 1


def test_hostile_names_run_nothing(tmp_path):
    write_hostile_table(tmp_path / "h.csv")
    trained_page(tmp_path / "h.html", tmp_path / "h.csv", "--target", 'target <b>"x"</b>',
                 "--starts", 2, "--hidden", 3, "--max-iter", 5)  # fmt: skip
    browser = Browser(width=390)
    try:
        browser.open(tmp_path / "h.html")
        browser.js("document.querySelectorAll('details').forEach((one) => { one.open = true })")
        assert browser.js("return typeof window.hacked") == "undefined"
        assert browser.console() == []
        assert (
            browser.js("return document.querySelectorAll('main script, main img, b').length") == 0
        )
        assert browser.js("return document.documentElement.scrollWidth") <= 390
        browser.picture("report-hostile-390.png")
    finally:
        browser.close()
