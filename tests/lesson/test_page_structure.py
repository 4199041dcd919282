"""The lesson page as text: what stands where, in one order, whatever the data are named."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from symbreak.lesson.page import lesson_data, rendered
from tests.lesson.page_scenes import blobs

STEPS = [
    "logistic", "zeros", "constants", "small", "large", "right", "check", "rounding", "restart",
]  # fmt: skip
SECTIONS = [
    "The network",
    "What it decides",
    "Two hidden units: a₁⁽²⁾ against a₂⁽²⁾",
    "What the two units say and are told",
    "Partial derivatives in pairs",
    "J after each update",
    "All starts",
    "Is the gradient right?",
    "What rounding does to the raw run",
    "Many starts",
]
HOSTILE = [
    "<script>document.title='run'</script>",
    "\"'`--></script><img src=x onerror=\"document.title='run'\">",
    "\u202eright to left\u202c مرحبا",
    "x" * 10_000,
]
VOID = {"meta", "link", "input", "img", "br", "hr"}


class Structure(HTMLParser):
    """Collects the tags with their attributes, and the text inside each."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.open, self.texts = [], [], {}
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(len(self.tags) - 1)

    def handle_endtag(self, tag):
        place = self.open.pop()
        assert self.tags[place][0] == tag, f"<{self.tags[place][0]}> is closed by </{tag}>"

    def handle_data(self, text):
        for place in self.open:
            self.texts[place] = self.texts.get(place, "") + text

    def all(self, tag):
        return [
            (attributes, " ".join(self.texts.get(place, "").split()))
            for place, (name, attributes) in enumerate(self.tags)
            if name == tag
        ]


def small(**changes):
    return blobs(**{"hidden": ((), (3,)), **changes})


@pytest.fixture(scope="module")
def data():
    return lesson_data([small()], updates=1)


@pytest.fixture(scope="module")
def structure(data):
    return Structure(rendered(data))


def test_every_tag_is_closed_in_order(structure):
    assert structure.open == []


def test_steps_and_their_texts(structure):
    links = [
        attributes["data-step"] for attributes, _ in structure.all("a") if "data-step" in attributes
    ]
    texts = [a["data-text"] for a, _ in structure.all("section") if "data-text" in a]
    assert links == texts == STEPS


def test_headings_in_order(structure):
    assert len(structure.all("h1")) == 1
    headings = [text for _, text in structure.all("h2")]
    assert [text for text in headings if text in SECTIONS] == SECTIONS


def test_ids_are_unique_and_labels_point_to_controls(structure):
    ids = [attributes["id"] for _, attributes in structure.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    labelled = {attributes["for"] for attributes, _ in structure.all("label")}
    selects = {attributes["id"] for attributes, _ in structure.all("select")}
    assert labelled == selects
    pointed = {a["aria-labelledby"] for _, a in structure.tags if "aria-labelledby" in a}
    assert pointed <= set(ids)


def test_language_viewport_and_skip_link(structure):
    assert structure.all("html")[0][0]["lang"] == "en"
    assert any(a.get("name") == "viewport" for a, _ in structure.all("meta"))
    assert structure.all("a")[0][0]["href"] == "#content"


def test_no_attribute_runs_anything(structure):
    for _, attributes in structure.tags:
        assert not [name for name in attributes if name.startswith("on")]
        assert not attributes.get("href", "").startswith("javascript")


def test_the_data_stand_in_the_page_as_they_are(structure, data):
    stored = next(text for a, text in structure.all("script") if a.get("id") == "data")
    assert json.loads(stored) == json.loads(json.dumps(data))


def test_same_data_same_bytes(data):
    assert rendered(data) == rendered(json.loads(json.dumps(data)))


def test_hostile_names_are_words_and_nothing_else(structure):
    scene = small(
        name=HOSTILE[0], description=HOSTILE[1], classes=tuple(HOSTILE[:3]),
        features=(*HOSTILE, "</style>"),
    )  # fmt: skip
    page = rendered(lesson_data([scene], updates=1))
    found = Structure(page)
    assert found.open == []
    assert [tag for tag, _ in found.tags] == [tag for tag, _ in structure.tags]
    assert "<img" not in page
    stored = json.loads(next(text for a, text in found.all("script") if a.get("id") == "data"))
    assert stored["scenes"][0]["classes"] == HOSTILE[:3]


def test_many_features_and_classes_stay_under_three_megabytes():
    random = np.random.default_rng(0)
    names = tuple(name + str(k) for k in range(50) for name in HOSTILE)
    y = np.repeat(np.arange(50), 2)
    X = random.normal(size=(100, 200))
    scene = small(X=X, y=y, classes=names[:50], features=names)
    assert len(rendered(lesson_data([scene], updates=1)).encode()) < 3e6


def test_one_class_far_ahead_and_a_constant_column_are_fine():
    y = np.array([0] * 26 + [1])
    X = np.zeros((27, 5))
    page = rendered(lesson_data([small(X=X, y=y, classes=("a", "b"))], updates=1))
    assert not re.search(r"\b(NaN|Infinity)\b", Structure(page).all("script")[0][1])
