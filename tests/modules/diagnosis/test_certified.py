"""The groups of an exact certificate as findings."""

from __future__ import annotations

import numpy as np
import pytest

from symbreak.network import Network
from symbreak.symmetry import symmetries
from symbreak.symmetry.certificate_findings import certified, spans

NET = Network((2, 4, 1), "tanh", "squared_error")


def stack(*starts: dict[int, tuple[int, float]]) -> np.ndarray:
    """Starts in which unit k is made of (another unit, a factor)."""
    random = np.random.default_rng(0)
    theta = random.normal(size=(len(starts), NET.n_parameters))
    Theta1, Theta2 = NET.thetas(theta)
    for start, made in enumerate(starts):
        for unit, (other, factor) in made.items():
            Theta1[start, unit] = factor * Theta1[start, other]
            Theta2[start, :, 1 + unit] = factor * Theta2[start, :, 1 + other]
    return theta


@pytest.mark.parametrize(
    ("factor", "kind", "units"),
    [
        (1.0, "identical_units", (0, 2)),
        (-1.0, "mirrored_units", (0, 2)),
        (0.0, "dead_units", (2,)),
    ],
)
def test_every_kind_of_group_is_an_error_where_it_lasts(factor, kind, units):
    found = certified(symmetries(NET, stack({2: (0, factor)})))
    (finding,) = found.findings
    assert not found.ok
    assert (finding.kind, finding.level, finding.permanent) == (kind, "error", True)
    assert (finding.where, finding.units) == ("hidden layer 1 of start 0", units)
    assert finding.evidence.startswith(f"{len(units)} of 4 hidden units: ")
    assert "nothing for ever" in finding.remedy or "one for ever" in finding.remedy
    assert ("nothing for ever" in finding.remedy) == (factor == 0)


def test_groups_that_differ_in_the_start_alone_are_one_finding():
    twins, others = {2: (0, 1.0)}, {3: (1, 1.0)}
    found = certified(symmetries(NET, stack(twins, {}, twins, others)), [4, 5, 6, 9])
    places = [(one.where, one.units) for one in found.findings]
    assert places == [
        ("hidden layer 1 of starts 4, 6", (0, 2)),
        ("hidden layer 1 of start 9", (1, 3)),
    ]


def test_a_sound_start_has_no_findings():
    assert certified(symmetries(NET, stack({}, {}))).findings == ()


def test_what_the_update_tears_apart_is_a_note():
    net = Network((2, 3, 3, 1), "tanh", "squared_error")
    square = np.array([[2.0, 7, 6], [9, 5, 1], [4, 3, 8]]) / 8
    theta = net.unroll(
        [np.full((3, 3), 0.5), np.column_stack([np.zeros(3), square]), np.full((1, 4), 0.5)]
    )
    for alpha, level in ((1.0, "note"), (0.0, "error")):
        found = certified(symmetries(net, theta, alpha=alpha, update="elementwise"))
        assert [one.level for one in found.findings] == [level] * 2
        assert {one.kind for one in found.findings} == {"identical_units"}
        assert found.ok == (level == "note")


def test_what_is_symmetric_but_for_the_tolerance_is_a_warning():
    theta = stack({2: (0, 1.0)})
    NET.thetas(theta)[0][0, 2] *= 1 + 1e-5
    found = certified(symmetries(NET, theta, tolerance=1e-3))
    (finding,) = found.findings
    assert found.ok
    assert (finding.level, finding.units, finding.permanent) == ("warning", (0, 2), False)
    spread = float(finding.evidence.split("within ")[1].split(" of")[0])
    assert 1e-6 < spread < 1e-5


@pytest.mark.parametrize(
    ("numbers", "words"),
    [((), ""), ([3], "3"), ([3, 4], "3, 4"), ([5, 3, 4], "3-5"), ([0, 2, 3, 4, 9], "0, 2-4, 9")],
)
def test_spans(numbers, words):
    assert spans(numbers) == words
