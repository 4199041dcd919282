"""All of this is about modules of PyTorch."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.needs_torch
