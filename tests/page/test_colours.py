"""Contrast of the colours in both schemes, by the formula of WCAG 2.2, and for the colour-blind.

Colour blindness is simulated after Viénot, Brettel and Mollon 1999, "Digital video colourmaps for
checking the legibility of displays by dichromats".
"""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from symbreak.page.render import asset

TEXT = ["text", "quiet", "link", "good", "bad", "doubt"]
CLASSES = [f"c{k}" for k in range(1, 7)]
GROUNDS = ["ground", "panel"]
DEFICIENCIES = {
    "protanopia": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
    "deuteranopia": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
}


def schemes():
    css = asset("page/base.css")
    blocks = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    light, dark = (dict(re.findall(r"--(\w+): (#\w{6})", block)) for block in blocks[:2])
    return {"light": light, "dark": dark}


def linear(colour):
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def luminance(colour):
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


def contrast(one, other):
    high, low = sorted([luminance(one), luminance(other)], reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_formula():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("colour", TEXT + CLASSES)
def test_text_and_classes_can_be_read(scheme, ground, colour):
    colours = schemes()[scheme]
    assert contrast(colours[colour], colours[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("colour", ["control", "focus", "single"])
def test_lines_and_focus_can_be_seen(scheme, ground, colour):
    colours = schemes()[scheme]
    assert contrast(colours[colour], colours[ground]) >= 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_on_a_chosen_button_can_be_read(scheme):
    colours = schemes()[scheme]
    assert contrast(colours["ground"], colours["link"]) >= 4.5


def lab(rgb):
    xyz = (
        np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
        @ rgb
    )
    f = np.cbrt(np.maximum(xyz / [0.9505, 1, 1.089], 0))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("deficiency", ["none", *DEFICIENCIES])
def test_the_first_three_colours_differ_for_everybody(scheme, deficiency):
    seen = np.array(DEFICIENCIES.get(deficiency, np.eye(3)))
    colours = schemes()[scheme]
    found = {name: lab(seen @ linear(colours[name])) for name in CLASSES[:3]}
    for one, other in itertools.combinations(found.values(), 2):
        assert np.linalg.norm(one - other) > 20  # about ten just noticeable differences
