"""A pickle is read, or refused in a sentence."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest

import symbreak as sb
from symbreak import pickles
from tests.test_without_torch import BLOCKED, run

OF_BEFORE = Path(__file__).parent / "reference" / "outcomes_and_costs_of_0.1.pickle"
NAMES = {
    "outcome": "Outcome", "outcome of epochs": "Outcome", "outcome of tensors": "Outcome",
    "cost of a network": "NetworkCost", "cost of a module": "ModuleCost",
    "training": "Trained",
}  # fmt: skip
READ = """
import pickle, sys
from pathlib import Path
import symbreak as sb

for pickled in pickle.loads(Path(sys.argv[1]).read_bytes()).values():
    try:
        pickle.loads(pickled)
    except sb.SymbreakError as error:
        print(error)
"""
X, y = np.linspace(-1.0, 1.0, 8)[:, None], np.arange(8.0)
NET = sb.Network((1, 2, 1), "tanh", "squared_error")


class Doubled(sb.NetworkCost):
    """A cost that is made without arguments."""

    def __init__(self):
        super().__init__(NET, X, 2.0 * y)


def by_pickle(thing):
    return pickle.loads(pickle.dumps(thing))


def refusal(name):
    return (
        f"{name} must be made of its arguments or read from a pickle of this version. Got a "
        "pickle of version 0.1, or no arguments: make it anew. Model files and estimators of 0.1 "
        "load."
    )


@pytest.mark.parametrize("what", NAMES)
def test_what_0_1_has_pickled_is_refused_in_a_sentence(what):
    pickled = pickle.loads(OF_BEFORE.read_bytes())[what]
    with pytest.raises(sb.SymbreakError) as refused:
        pickle.loads(pickled)
    assert str(refused.value) == refusal(NAMES[what])


def test_so_it_is_without_pytorch():
    said = run(BLOCKED + READ, OF_BEFORE).splitlines()
    assert said == [refusal(name) for name in NAMES.values()]


@pytest.mark.needs_torch
def test_what_holds_tensors_says_that_it_needs_pytorch(torch, tmp_path):
    there = sb.NetworkCost(NET, X, y, device="cpu:0")
    theta = sb.initialize(NET, starts=2, seed=0)
    things = {
        "outcome": sb.minimize(there, torch.from_numpy(theta), max_iter=2),
        "search": sb.minimize(there, theta, max_iter=2),
        "cost": there,
        "read": sb.minimize(sb.NetworkCost(NET, X, y), theta, max_iter=2),
    }
    file = tmp_path / "pickles"
    file.write_bytes(pickle.dumps({name: pickle.dumps(one) for name, one in things.items()}))
    needs = "that holds tensors needs the package torch, which is not installed. "
    said = [f'A pickled {name} {needs}Run: pip install "symbreak[torch]"' for name in
            ("Outcome", "Outcome", "NetworkCost")]  # fmt: skip
    assert run(BLOCKED + READ, file).splitlines() == said


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_what_is_of_today_is_read(again):
    theta = sb.initialize(NET, starts=2, seed=0)
    for cost in (sb.NetworkCost(NET, X, y), Doubled()):
        same = again(cost)
        assert type(same) is type(cost)
        np.testing.assert_array_equal(same(theta)[1], cost(theta)[1])
        paused = sb.minimize(cost, theta, max_iter=2)
        on, wanted = (sb.minimize(cost, one, max_iter=5) for one in (again(paused), paused))
        np.testing.assert_array_equal(on.theta, wanted.theta)


@pytest.mark.parametrize("kind", [sb.NetworkCost, sb.Outcome])
def test_no_arguments_are_an_error_of_type(kind):
    with pytest.raises(TypeError):
        kind()


def test_a_pickle_of_another_version_is_read_with_a_warning(monkeypatch):
    cost = sb.NetworkCost(NET, X, y)
    monkeypatch.setattr(pickles, "__version__", "9.8.7")
    pickled = pickle.dumps(cost)
    monkeypatch.undo()
    message = rf"This NetworkCost was written by symbreak 9\.8\.7 and is read by {sb.__version__}"
    with pytest.warns(UserWarning, match=message):
        pickle.loads(pickled)
