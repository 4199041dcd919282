"""Promises about the package as a whole, read off the package itself."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

import symbreak

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src" / "symbreak").rglob("*.py"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LONGEST_FILE = 500
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")
NAMES = [name for name in symbreak.__all__ if name != "__version__"]
ALL_NAMES = [
    *symbreak._HOMES,
    *symbreak._MODULES,
]  # also those that need PyTorch, where it is missing


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_exists_and_says_what_it_is(name):
    assert inspect.getdoc(getattr(symbreak, name))


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_stands_in_the_docs(name):
    word = re.compile(rf"\b{name}\b")
    assert any(word.search(page.read_text("utf-8")) for page in PAGES)


def test_the_page_of_public_names_has_all_of_them_and_no_other():
    page = (ROOT / "docs" / "public-names.md").read_text("utf-8")
    cells = re.findall(r"^\| (`.*?) \|", page, re.M)
    assert sorted(re.findall(r"`(\w+)`", " ".join(cells))) == sorted(ALL_NAMES)


def test_every_public_name_is_known_to_type_checkers():
    source = (ROOT / "src" / "symbreak" / "__init__.py").read_text("utf-8")
    assert set(re.findall(r"import \w+ as (\w+)$", source, re.M)) == set(ALL_NAMES)


@pytest.mark.parametrize("name", sorted(symbreak._MODULES))
def test_a_public_module_offers_its_own_names_and_no_others(name):
    module = getattr(symbreak, name)
    assert dir(module) == sorted(module.__all__)
    for one in map(module.__dict__.get, module.__all__):
        # Two displays are scikit-learn's own.
        assert getattr(one, "__module__", "symbreak").split(".")[0] in ("symbreak", "sklearn")
        assert inspect.getdoc(one)


def public_functions():
    for name in NAMES:
        thing = getattr(symbreak, name)
        members = [thing, *vars(thing).values()] if hasattr(thing, "__dict__") else [thing]
        yield from (one for one in members if inspect.isfunction(one))


def test_a_seed_is_always_named():
    found = [
        (function.__qualname__, parameter.kind)
        for function in public_functions()
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name == "seed"
    ]
    assert len(found) >= 5
    assert {kind for _, kind in found} == {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("name", NAMES)
def test_plain_data_and_failures_have_one_word_each(name):
    new = {"as_dict": "to_dict", "to_plain": "to_dict", "raise_on_error": "raise_on_failure"}
    thing = getattr(symbreak, name)
    assert all(hasattr(thing, new[word]) for word in new if hasattr(thing, word))


def test_dir_lists_the_public_names():
    assert set(dir(symbreak)) == set(symbreak.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Netwrk'"):
        symbreak.Netwrk  # noqa: B018


def test_the_version_is_the_installed_one():
    assert re.fullmatch(r"\d+\.\d+\.\d+", symbreak.__version__)


def test_the_package_declares_its_types():
    assert resources.files("symbreak").joinpath("py.typed").is_file()


@pytest.mark.parametrize("module", ["symbreak", "symbreak.cli"])
def test_an_import_does_not_wait_for_torch(module):
    heavy = ("torch", "numpy", "scipy", "sklearn", "polars")
    code = f"import sys, {module}; print([name for name in {heavy!r} if name in sys.modules])"
    assert run_python(code).strip() == "[]"


def test_the_core_works_without_the_optional_packages():
    code = (
        "import sys\n"
        "for name in ('typer', 'rich', 'polars', 'pandas', 'matplotlib', 'jinja2'):\n"
        "    sys.modules[name] = None\n"
        "import symbreak\n"
        "for name in symbreak.__all__:\n"
        "    getattr(symbreak, name)\n"
        "net = symbreak.Network((3, 2, 1))\n"
        "theta = symbreak.initialize(net, starts=2)\n"
        "cost = symbreak.NetworkCost(net, [[0.0, 1.0, 2.0], [1.0, 0.0, 1.0]], [0, 1])\n"
        "print(symbreak.minimize(cost, theta, max_iter=2).value.shape)\n"
    )
    assert "2" in run_python(code)


def test_the_readme_names_the_commands_that_there_are():
    from typer.main import get_group

    from symbreak.cli.app import app

    readme = (ROOT / "README.md").read_text("utf-8")
    named = set(re.findall(r"^    (?:\S*bin/)?symbreak ([a-z][a-z-]*)", readme, re.M))
    assert named == set(get_group(app).commands)


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_no_file_is_too_long_or_unfinished(path):
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE
    assert not UNFINISHED.search(text)


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_every_module_opens_with_what_it_is_about(path):
    first = path.read_text("utf-8").lstrip()
    assert first.startswith(('"""', 'r"""'))


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_every_link_within_the_docs_leads_somewhere(path):
    text = path.read_text("utf-8")
    assert not UNFINISHED.search(text)
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    missing = [t for t in targets if "://" not in t and not (path.parent / t).exists()]
    assert missing == []
