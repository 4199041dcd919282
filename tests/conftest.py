"""Settings for all tests."""

from __future__ import annotations

import signal

import pytest
from hypothesis import settings

from symbreak import native
from symbreak.native.twins import native_network

pytest_plugins = ["tests.needing_torch"]

# How long an example takes depends on what else the machine does; that must fail no test.
settings.register_profile("symbreak", deadline=None)
settings.load_profile("symbreak")

# Whatever runs the tests in the background may have them ignore Ctrl-C, which some tests press.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def without_core(monkeypatch):
    """Compute through Python, also where the compiled core is."""
    monkeypatch.setenv("SYMBREAK_NATIVE", "0")
    forget_core()
    yield
    monkeypatch.undo()
    forget_core()


def forget_core():
    """Have the environment read again."""
    native.load.cache_clear()
    native_network.cache_clear()
