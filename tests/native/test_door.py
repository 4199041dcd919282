"""How the core is switched off, asked for and named; how many threads it takes."""

from __future__ import annotations

import multiprocessing

import joblib
import numpy as np
import pytest

import symbreak as sb
from symbreak import native
from symbreak.activations import ACTIVATIONS, Activation
from symbreak.errors import SymbreakError
from symbreak.losses import Huber
from symbreak.native import door
from symbreak.native import threads as native_threads
from symbreak.objectives.array_kernel import ArrayKernel
from symbreak.objectives.native_kernel import NativeKernel
from tests.conftest import forget_core

needs_core = pytest.mark.skipif(native.load() is None, reason="needs the compiled core")


def kernel_of(network, dtype="float64"):
    y = np.zeros(3)
    return sb.NetworkCost(network, np.eye(3, network.n_features), y, dtype=dtype)._data.kernel


def test_switched_off_it_is_python_that_computes(without_core):
    assert native.load() is None
    assert native.engine() == "numpy"
    assert native.why_missing().startswith("The compiled core is switched off by SYMBREAK_NATIVE=0")
    assert isinstance(kernel_of(sb.Network((2, 3, 1))), ArrayKernel)


@needs_core
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_where_it_is_it_computes(dtype):
    assert native.engine().startswith("native (")
    assert native.why_missing() == ""
    assert isinstance(kernel_of(sb.Network((2, 3, 1)), dtype), NativeKernel)


@needs_core
def test_what_has_no_twin_goes_through_python():
    tanh = ACTIVATIONS["tanh"]
    own = Activation(
        "tanh", tanh.write, tanh.derivative_from, tanh.second_derivative,
        formula="mine", gain=1.0, active_range=None, output_range=None,
    )  # fmt: skip
    assert isinstance(kernel_of(sb.Network((2, 3, 1), own)), ArrayKernel)

    class Mine(Huber):
        pass

    assert isinstance(kernel_of(sb.Network((2, 3, 1), loss=Mine(2.0))), ArrayKernel)
    assert isinstance(kernel_of(sb.Network((2, 3, 1), loss=Huber(2.0))), NativeKernel)


@needs_core
def test_every_activation_and_loss_of_ours_has_its_twin():
    core = native.load()
    assert core is not None
    assert list(core.ACTIVATIONS) == list(ACTIVATIONS)
    assert set(core.LOSSES) == set(sb.losses.LOSSES)


def test_a_core_that_must_be_there_and_is_not_is_an_error(monkeypatch):
    monkeypatch.delenv("SYMBREAK_NATIVE", raising=False)
    monkeypatch.setenv("SYMBREAK_REQUIRE_NATIVE", "1")
    monkeypatch.setattr(door, "levels_here", list)
    native.load.cache_clear()
    with pytest.raises(SymbreakError, match="SYMBREAK_REQUIRE_NATIVE asks for the compiled core"):
        native.load()
    monkeypatch.undo()
    forget_core()


@pytest.mark.parametrize(("told", "threads"), [("3", 3), ("2,1", 2)])
def test_threads_are_those_of_the_environment(monkeypatch, told, threads):
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert native_threads._of_process.__wrapped__() == threads


@pytest.mark.parametrize("told", ["", "0", "many"])
def test_else_as_many_as_the_processors_of_this_process(monkeypatch, told):
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {1, 4, 5}, raising=False)
    assert native_threads._of_process.__wrapped__() == 3


def test_one_thread_in_workers():
    assert joblib.Parallel(2)(joblib.delayed(native.n_threads)() for _ in range(2)) == [1, 1]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(native.n_threads) == 1


@needs_core
def test_wrong_shapes_are_refused_before_anything_is_written():
    core = native.load()
    assert core is not None
    network = core.Network([2, 1], [], 2, 0.0)
    examples = core.examples(np.ones((3, 3)), np.zeros((1, 3)))
    theta, J = np.zeros((1, 3)), np.zeros(1)

    def problem(those=examples, weights=None):
        return core.Problem64(network, those, 1.0, weights, None, 1e6)

    with pytest.raises(ValueError, match="theta must be of shape"):
        problem().evaluate(np.zeros((1, 4)), J, None, 1)
    with pytest.raises(ValueError, match="value must be"):
        problem().evaluate(theta, np.zeros(2), None, 1)
    with pytest.raises(ValueError, match="gradient must be"):
        problem().evaluate(theta, J, np.zeros((2, 3)), 1)
    with pytest.raises(ValueError, match="as many starts as theta"):
        problem(weights=np.ones((2, 3))).evaluate(theta, J, None, 1)
    with pytest.raises(ValueError, match="weights and strength"):
        problem(weights=np.ones(2))
    with pytest.raises(ValueError, match="one or two axes"):
        problem(weights=np.array(1.0))
    with pytest.raises(ValueError, match="columns"):
        problem(core.examples(np.ones((3, 4)), np.zeros((1, 3))))
    with pytest.raises(ValueError, match="with the targets of the loss"):
        problem(core.examples(np.ones((3, 3)), np.zeros((0, 3))))
    with pytest.raises(ValueError, match="rows and targets of its examples"):
        core.Examples64(3, 2).pick(examples, np.array([0]))
    with pytest.raises(ValueError, match="no such loss"):
        core.Network([2, 1], [], 99, 0.0)
    with pytest.raises(IndexError):
        core.Examples64(3, 1).pick(examples, np.array([3]))
    batch = core.Examples64(3, 1)
    batch.pick(examples, np.array([0]))
    one = problem(batch, np.ones(1))
    for other in ([0, 1], []):
        batch.pick(examples, np.array(other, np.int64))
        with pytest.raises(ValueError, match="examples must be as many as when"):
            one.evaluate(theta, J, None, 1)
    assert J[0] == 0.0


def test_an_installation_without_it_says_so(monkeypatch):
    monkeypatch.delenv("SYMBREAK_NATIVE", raising=False)
    monkeypatch.delenv("SYMBREAK_REQUIRE_NATIVE", raising=False)
    monkeypatch.setattr(door, "levels_here", list)
    native.load.cache_clear()
    assert native.why_missing().startswith("This installation has no compiled core")
    monkeypatch.undo()
    forget_core()


@needs_core
def test_a_level_may_be_asked_for(monkeypatch):
    level = native.engine().removeprefix("native (").removesuffix(")")
    monkeypatch.setenv("SYMBREAK_NATIVE", level)
    native.load.cache_clear()
    assert native.engine() == f"native ({level})"
    monkeypatch.undo()
    forget_core()


def test_a_level_that_is_not_there_is_an_error(monkeypatch):
    monkeypatch.setenv("SYMBREAK_NATIVE", "x86_64_v2")
    monkeypatch.setattr(door, "levels_here", list)
    native.load.cache_clear()
    with pytest.raises(SymbreakError, match="SYMBREAK_NATIVE asks for the level x86_64_v2"):
        native.load()
    monkeypatch.undo()
    forget_core()


def test_a_misspelt_level_is_an_error(monkeypatch):
    monkeypatch.setenv("SYMBREAK_NATIVE", "x86-64-v3")
    native.load.cache_clear()
    with pytest.raises(SymbreakError, match=r"SYMBREAK_NATIVE must be 0, 1 or a level .*x86-64-v3"):
        native.load()
    monkeypatch.undo()
    forget_core()


@needs_core
def test_a_core_that_does_not_load_says_what_to_do(monkeypatch):
    def broken(name):
        raise ImportError("libstdc++ is too old")

    monkeypatch.setenv("SYMBREAK_NATIVE", "1")
    monkeypatch.setattr("importlib.import_module", broken)
    native.load.cache_clear()
    with pytest.raises(SymbreakError, match="set SYMBREAK_NATIVE=0 to compute without it"):
        native.load()
    monkeypatch.undo()
    forget_core()


@needs_core
def test_a_burst_refuses_arrays_that_are_not_those_of_its_search():
    core = native.load()
    assert core is not None
    network = core.Network([2, 1], [], 2, 0.0)
    examples = core.examples(np.ones((3, 3)), np.zeros((1, 3)))
    problem = core.Problem64(network, examples, 1.0, None, None, 1e6)
    weighted = core.Problem64(network, examples, 1.0, np.ones((2, 3)), None, 1e6)
    log = {
        "burst.values": np.zeros((1, 2)), "burst.scores": np.zeros((1, 2)),
        "burst.accepted": np.zeros(1, bool), "burst.failed": np.zeros(1, bool),
    }  # fmt: skip

    told = {"most_ticks": 2, "epochs": 1}

    def burst(state, problem=problem, settings=told, stepper="adam", starts=1, **plan):
        given = {"order": None, "factors": None, "decay": None, **plan}
        core.burst(stepper, problem, None, state, settings, **given, starts=starts, threads=1)

    with pytest.raises(ValueError, match=r"a search must have burst\.values"):
        burst({})
    with pytest.raises(ValueError, match=r"burst\.scores must be of another dtype or shape"):
        burst({**log, "burst.scores": np.zeros((1, 3))})
    with pytest.raises(ValueError, match=r"burst\.failed must be of another dtype"):
        burst({**log, "burst.failed": np.zeros(1)})
    with pytest.raises(ValueError, match="a row for each running start"):
        burst({**log, "burst.failed": np.zeros(2, bool)})
    for wrong in (np.zeros((1, 4))[:, ::2], np.zeros((1, 2), ">f8"), [[0.0, 0.0]], None):
        with pytest.raises(ValueError, match=r"burst\.values must be an array that can be written"):
            burst({**log, "burst.values": wrong})
    log["burst.values"].flags.writeable = False
    with pytest.raises(ValueError, match=r"burst\.values must be an array that can be written"):
        burst(log)
    log["burst.values"].flags.writeable = True
    with pytest.raises(ValueError, match="must be floats, int64 or bool"):
        burst({**log, "burst.failed": np.zeros(1, np.int16)})
    with pytest.raises(ValueError, match="at least one start"):
        burst({name: array[:0] for name, array in log.items()}, starts=0)
    with pytest.raises(ValueError, match="a search must be told most_ticks"):
        burst(log, settings={})
    with pytest.raises(ValueError, match="as many starts as theta"):
        burst(log, weighted)
    with pytest.raises(ValueError, match="factors must be one for each epoch"):
        burst(log, factors=np.ones(1))
    with pytest.raises(ValueError, match="order must be of shape"):
        burst(log, factors=np.ones(2), order=np.zeros((1, 3), np.int64))
    order = np.zeros((2, 3), np.int64)
    with pytest.raises(ValueError, match="batch_size must be positive"):
        burst(log, settings={**told, "batch_size": 0}, factors=np.ones(2), order=order)
    with pytest.raises(ValueError, match="decay must be of shape"):
        burst(log, factors=np.ones(2), decay=np.ones(2))
    with pytest.raises(ValueError, match=r"a search must have stepper\.direction\._curvature"):
        burst(log, stepper="l-bfgs", settings={"most_ticks": 2})
