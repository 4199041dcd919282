"""Old names and old ways to call still answer, and name what comes in their place."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import symbreak as sb
from symbreak.deprecation import once_positional
from symbreak.lesson import run_lesson
from symbreak.training import trajectory
from symbreak.training.data_split import DataSplit


def test_a_seed_by_place_is_the_seed_with_a_warning(torch):
    nn = torch.nn
    one, other = nn.Linear(3, 2), nn.Linear(3, 2)
    sb.initialize_module(one, "he_normal", seed=7)
    with pytest.warns(DeprecationWarning, match="Use seed=7"):
        sb.initialize_module(other, "he_normal", 7)
    assert torch.equal(one.weight, other.weight)


def test_one_argument_by_place_too_many_is_still_an_error(torch):
    nn = torch.nn
    with pytest.raises(TypeError):
        sb.initialize_module(nn.Linear(3, 2), None, 7, "relu")


def test_the_signature_is_the_new_one():
    @once_positional("seed")
    def draw(n, *, seed=0):
        return n, seed

    assert str(inspect.signature(draw)) == "(n, *, seed=0)"
    assert draw(1, seed=2) == (1, 2)
    with pytest.warns(DeprecationWarning, match="seed of draw by place") as caught:
        assert draw(1, 2) == (1, 2)
    assert caught[0].filename == __file__


def test_the_old_word_for_raising(torch):
    nn = torch.nn
    module = nn.Linear(3, 2)
    nn.init.zeros_(module.weight)
    found = sb.diagnose(module, nn.functional.mse_loss, (torch.ones(4, 3), torch.ones(4, 2)))
    with pytest.warns(DeprecationWarning, match="Use raise_on_failure"):
        found.raise_on_error()


def test_the_old_words_for_plain_data():
    outcome = sb.minimize(lambda x: ((x**2).sum(-1), 2 * x), np.ones((2, 3)))
    with pytest.warns(DeprecationWarning, match="Use to_dict"):
        assert outcome.restarts.as_dict() == outcome.restarts.to_dict()
    lesson = run_lesson(np.random.default_rng(0).normal(size=(6, 2)), [0, 1] * 3, (0, 1), updates=1)
    with pytest.warns(DeprecationWarning, match="Use to_dict"):
        assert lesson.to_plain() == lesson.to_dict()


def test_programs_in_reports_of_the_last_version_find_the_split():
    with pytest.warns(DeprecationWarning, match=r"Use symbreak\.training\.data_split\.DataSplit"):
        from symbreak.training.parts import Parts
    assert Parts is DataSplit


def test_old_names_of_trajectories():
    with pytest.warns(DeprecationWarning, match=r"Use symbreak\.training\.trajectory\.Traj"):
        from symbreak.training.path import Path, PathOfStart
    assert (Path, PathOfStart) == (trajectory.Trajectories, trajectory.Trajectory)
