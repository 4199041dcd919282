"""`symbreak train` says where it computes without the compiled core, else nothing of it."""

from __future__ import annotations

import pytest

from symbreak import native

QUICK = ("train", "--quick", "--dataset", "iris", "--starts", "1", "--max-iter", "2")


def test_the_header_says_that_python_computes(without_core, run):
    assert "switched off by SYMBREAK_NATIVE=0; NumPy computes." in run(*QUICK).out


@pytest.mark.skipif(native.load() is None, reason="needs the compiled core")
def test_with_the_core_nothing_is_said(run):
    assert "compiled core" not in run(*QUICK).out
