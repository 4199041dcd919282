"""Suggestions in messages: only what is close."""

from __future__ import annotations

import pytest

from symbreak.errors import nearest


@pytest.mark.parametrize(
    ("word", "words", "close"),
    [
        ("tahn", ("relu", "tanh"), "tanh"),
        ("adma", ("sgd", "adamw"), "adamw"),
        ("glorot", ("he_normal", "glorot_normal"), "glorot_normal"),  # not typed to its end
        ("relish", ("relu", "tanh"), ""),
        ("moon", ("mean", "best"), ""),
        ("g", ("glorot_normal",), ""),
    ],
)
def test_only_close_words_are_suggested(word, words, close):
    assert nearest(word, words) == (f" Did you mean '{close}'?" if close else "")
