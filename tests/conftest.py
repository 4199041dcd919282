"""Settings for all tests."""

from __future__ import annotations

import signal

from hypothesis import settings

# How long an example takes depends on what else the machine does; that must fail no test.
settings.register_profile("symbreak", deadline=None)
settings.load_profile("symbreak")

# Whatever runs the tests in the background may have them ignore Ctrl-C, which some tests press.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
