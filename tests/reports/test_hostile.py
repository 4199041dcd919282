"""Names that would break out, sizes that would fill a disk, numbers that are none."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest
from sklearn.datasets import load_iris

import symbreak as sb
from symbreak.findings import Diagnosis, Finding
from symbreak.page.render import script_hash
from symbreak.reports.render import render
from symbreak.training import train
from symbreak.training.model import Model
from tests.reports.conftest import EVIL, island_of, trained_page, write_hostile_table

MOST_BYTES = 3_000_000


class Scripts(HTMLParser):
    """Collects scripts, and everything else by which a page could run code."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.scripts: list[dict[str, str]] = []
        self.handlers: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "script":
            self.scripts.append(dict(attrs))
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self.handlers += [value for _, value in attrs if (value or "").startswith("javascript")]


def assert_harmless(page: str) -> None:
    assert len(page.encode()) < MOST_BYTES
    found = Scripts()
    found.feed(page)
    assert found.scripts == [{"type": "application/json", "id": "data"}, {}, {}]
    data = re.search(r'id="data">(.*?)</script>', page, re.S)
    assert data is not None
    # Without an opening bracket no comment and no element can begin in it, or end it.
    assert not set("<>&") & set(data[1])
    assert found.handlers == []
    assert not found.tags & {"img", "b", "iframe", "object"}
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    assert script_hash("reports/assets/report.js") in unescape(policy[1])
    assert "x" * 121 not in page


def test_hostile_names_of_200_columns_and_50_classes_run_nothing(tmp_path):
    write_hostile_table(tmp_path / "h.csv")
    page = trained_page(
        tmp_path / "h.html", tmp_path / "h.csv", "--target", 'target <b>"x"</b>', "--starts", 2,
        "--hidden", 3, "--max-iter", 5, "--model", tmp_path / "m",
    )  # fmt: skip
    assert_harmless(page)
    data = island_of(page)
    assert data["data"]["n_features"] == 200
    assert data["scores"]["confusion"]["of_classes"] == 50
    for name in EVIL[:5]:
        assert name in [column["name"] for column in data["data"]["column_table"]]
    model = sb.report(Model.load(tmp_path / "m"))
    assert_harmless(model.html)


@pytest.mark.parametrize("starts", [1, 1000])
def test_one_start_and_a_thousand_render(starts):
    X, y = load_iris(return_X_y=True)
    net = sb.Network((4, 2, 3), "tanh", "cross_entropy")
    trained = train(net, X, y, starts=starts, max_iter=3, alpha=1.0)
    made = sb.report(trained)
    assert_harmless(made.html)
    assert island_of(made.html) == made.data
    assert len(made.data["starts"]) == starts
    assert len(made.data["curves"]["lines"]) == min(starts, 50)
    said = "Curves are drawn for 50 of 1000 starts" in " ".join(made.data["limits"])
    assert said == (starts == 1000)
    assert made.html.count('<td data-key="max iterations"') == min(starts, 200)


def test_diverged_runs_and_infinities_render():
    X, y = load_iris(return_X_y=True)
    net = sb.Network((4, 3, 3), "relu", "cross_entropy")
    trained = train(
        net, X, y, starts=4, method="gradient-descent", learning_rate=1e200, max_iter=20
    )
    assert "DIVERGED" in {status.name for status in trained.outcome.status}
    made = sb.report(trained)
    assert_harmless(made.html)
    assert made.data["first_screen"][-1]["value"] == "Look at what diverged"
    assert "its dot is the point that is kept." in made.html


def test_a_search_that_falls_without_end_is_drawn_with_numbers():
    """J to -1.8e308: differences of its ends are beyond what a number holds."""
    with np.errstate(over="ignore"):
        outcome = sb.minimize(
            lambda x: (-(x**2).sum(-1), -2 * x), np.array([[1.0, 2.0], [0.5, 0.1]]),
            method="gradient-descent", learning_rate=10.0, max_iter=300,
        )  # fmt: skip
    assert outcome.history[np.isfinite(outcome.history)].min() < -1e300
    made = sb.report(outcome)
    assert_harmless(made.html)
    drawings = re.findall(r"<svg.*?</svg>", made.html, re.S)
    assert len(drawings) == 2
    for drawing in drawings:
        places = re.findall(r' (?:points|c?[xy][12]?)="(.*?)"', drawing)
        for number in re.split(r"[ ,]", " ".join(places)):
            assert np.isfinite(float(number))


def test_an_outcome_with_infinite_costs_says_so():
    def broken(theta):
        return np.full(len(theta), np.inf), np.full(theta.shape, np.nan)

    outcome = sb.minimize(broken, np.ones((2, 3)))
    made = sb.report(outcome)
    assert_harmless(made.html)
    assert [row["J"] for row in made.data["starts"]] == ["inf", "inf"]
    assert made.data["restarts"]["lowest_J"] == "inf"
    assert made.data["first_screen"][1]["value"] == "0 of 2 usable"
    assert "∞" in made.html
    assert "No start has a finite J, so there is no curve." in made.html
    assert 'aria-label="Cost J' not in made.html
    assert 'aria-label="Final J' not in made.html


def test_a_thousand_findings_with_hostile_words_are_cut():
    one = Finding("dead_units", "error", EVIL[3], tuple(range(10_000)), True, "e" * 9000,
                  EVIL[4] * 900, EVIL[0])  # fmt: skip
    made = sb.report(Diagnosis((one,) * 1000))
    assert len(made.data["diagnosis"]["findings"]) == 200
    assert made.data["limits"] == ["Shown are 200 of 1000 findings."]
    found = Scripts()
    found.feed(made.html)
    assert len(found.scripts) == 3
    assert len(made.html.encode()) < MOST_BYTES


def test_a_wide_and_deep_network_is_shown_in_part():
    net = sb.Network((200, 300, 100, 50), "tanh", "cross_entropy")
    random = np.random.default_rng(0)
    X, y = random.normal(size=(60, 200)), np.arange(60) % 50
    made = sb.report(train(net, X, y, starts=1, max_iter=2))
    assert_harmless(made.html)
    assert made.data["network"]["shown"] == [8, 8, 8, 8]
    assert any("8-8-8-8 of 200-300-100-50 units" in one for one in made.data["limits"])


def test_the_title_is_escaped_wherever_it_stands():
    data = sb.report(sb.minimize(lambda x: ((x**2).sum(-1), 2 * x), np.ones((1, 2)))).data
    assert_harmless(render({**data, "title": EVIL[3], "kind": EVIL[0]}))
