"""Pages: one file, nothing loaded, only our scripts run, the same bytes every time."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import sys

import jinja2
import pytest

from symbreak.errors import MissingOptionalPackage
from symbreak.page import Identifiers, render
from symbreak.page.render import asset, script_hash

# The package holds the function of the same name.
MODULE = sys.modules["symbreak.page.render"]
HOSTILE = "</script><script>alert(1)</script>\"'&\u202e" + "x" * 10_000


@pytest.fixture
def page(monkeypatch):
    """A page of a template of one line."""
    template = (
        '{% extends "page/base.html" %}{% set styles = ["page/network.css"] %}'
        '{% set scripts = ["page/network.js"] %}'
        "{% block content %}<p id='{{ new_id(\"p\") }}'>{{ data.word }}</p>{% endblock %}"
    )
    real = asset.__wrapped__
    monkeypatch.setattr(MODULE, "asset", lambda name: template if name == "t" else real(name))
    return render("t", {"word": HOSTILE, "number": float("inf")}, "A <title>")


def found(pattern, page):
    """The first group of the first match."""
    match = re.search(pattern, page, re.DOTALL)
    assert match
    return match[1]


def test_words_are_escaped_wherever_they_stand(page):
    assert "<script>alert" not in page
    assert html.escape(HOSTILE[:10], quote=False) in page
    assert "<title>A &lt;title&gt;</title>" in page


def test_data_can_be_read_back(page):
    stored = found(r'<script type="application/json" id="data">(.*?)</script>', page)
    assert json.loads(stored) == {"word": HOSTILE, "number": "inf"}


def test_only_the_scripts_of_this_package_may_run(page):
    policy = html.unescape(found(r'Content-Security-Policy" content="([^"]*)"', page))
    allowed = set(re.findall(r"'sha256-([^']+)'", policy))
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digests = {base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts}
    assert len(scripts) == 1
    assert digests == allowed
    assert "default-src 'none'" in policy
    script_source = next(part for part in policy.split(";") if "script-src" in part)
    assert "unsafe" not in script_source


def test_nothing_is_loaded(page):
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:|//)", page)
    assert "@import" not in page
    assert not re.search(r"url\((?!data:)", page)


def test_same_data_same_bytes(page):
    again = render("t", {"word": HOSTILE, "number": float("inf")}, "A <title>")
    assert again == page


def test_ids_are_counted_for_each_word():
    new_id = Identifiers()
    assert [new_id("a"), new_id("b"), new_id("a")] == ["a-1", "b-1", "a-2"]
    assert Identifiers()("a") == "a-1"


def test_what_a_template_lacks_is_an_error(monkeypatch):
    monkeypatch.setattr(MODULE, "asset", lambda name: "{{ data.missing }}")
    with pytest.raises(jinja2.UndefinedError):
        render("t", {}, "")


def test_without_jinja2_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingOptionalPackage, match=r'pip install "symbreak\[report\]"'):
        render("page/base.html", {}, "")


def test_scripts_hold_nothing_that_ends_them():
    for name in ("page/network.js", "lesson/page/lesson.js", "lesson/page/charts.js",
                 "lesson/page/tables.js", "lesson/page/settings.js"):  # fmt: skip
        assert "</script" not in asset(name)
        assert "innerHTML" not in asset(name)
        assert script_hash(name).startswith("'sha256-")
