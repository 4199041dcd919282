"""What `show_versions` says, held to the packages themselves and to pyproject.toml."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import numpy as np

import symbreak as sb
from symbreak import native, versions

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))


def names(requirements):
    return {re.split(r"[>=<\[]", one)[0] for one in requirements} - {"symbreak"}


def test_the_versions_are_those_of_the_packages(torch):
    found = sb.show_versions(as_dict=True)
    assert found["symbreak"] == sb.__version__
    assert (found["numpy"], found["torch"]) == (np.__version__, torch.__version__)
    assert (found["threads"], found["engine"]) == (torch.get_num_threads(), native.engine())


def test_every_package_of_the_project_is_named():
    extras = PROJECT["project"]["optional-dependencies"]
    assert set(versions.REQUIRED) == names(PROJECT["project"]["dependencies"])
    assert set(versions.OPTIONAL) == names(extras["torch"] + extras["cli"] + extras["report"])


def test_a_missing_package_has_no_version(monkeypatch):
    def absent(package):
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr(metadata, "version", absent)
    assert sb.show_versions(as_dict=True)["polars"] is None


def test_before_torch_is_loaded_the_environment_tells_the_threads(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert sb.show_versions(as_dict=True)["threads"] == 3
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert sb.show_versions(as_dict=True)["threads"] is None


def test_it_prints_what_it_returns(capsys):
    assert sb.show_versions() is None
    lines = capsys.readouterr().out.splitlines()
    assert [tuple(line.split(maxsplit=1)) for line in lines] == [
        (name, str(said)) for name, said in sb.show_versions(as_dict=True).items()
    ]
