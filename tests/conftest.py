"""Settings for all tests."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes depends on what else the machine does; that must fail no test.
settings.register_profile("symbreak", deadline=None)
settings.load_profile("symbreak")
