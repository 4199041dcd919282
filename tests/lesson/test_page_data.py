"""The numbers of the lesson page, recomputed from data and theta in NumPy alone."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

from symbreak.errors import InvalidInput
from symbreak.initialization import initialize, rules
from symbreak.lesson.page import lesson_data, planes
from symbreak.lesson.page.choices import starts
from symbreak.lesson.page.measures import gaps, rank_of, shown_examples
from symbreak.lesson.page.paths import marks
from symbreak.network import Network
from tests.lesson.page_scenes import EPSILON, SEED, UPDATES, blobs, scenes

RTOL = 1e-3  # what is stored has 4 significant digits


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def with_one(a):
    return np.vstack([np.ones(a.shape[1]), a])


def passes(thetas, X, Y):
    """a of all layers, delta of all layers above the input, gradients, J; columns are examples."""
    a = [X.T]
    for Theta in thetas:
        a.append(sigmoid(Theta @ with_one(a[-1])))
    deltas = [a[-1] - Y.T]
    for Theta, below in zip(thetas[:0:-1], a[-2:0:-1], strict=True):
        deltas.insert(0, Theta[:, 1:].T @ deltas[0] * below * (1 - below))
    gradients = [d @ with_one(b).T / len(X) for d, b in zip(deltas, a, strict=False)]
    J = -np.mean((Y.T * np.log(a[-1]) + (1 - Y.T) * np.log(1 - a[-1])).sum(axis=0))
    return a, deltas, gradients, J


def descend(thetas, X, Y, updates):
    """Thetas after every update of gradient descent with learning rate 1."""
    path = [thetas]
    for _ in range(updates):
        gradients = passes(path[-1], X, Y)[2]
        path.append([Theta - g for Theta, g in zip(path[-1], gradients, strict=True)])
    return path


@pytest.fixture(scope="module")
def data():
    return lesson_data(scenes(), epsilon=EPSILON, updates=UPDATES, seed=SEED)


@pytest.fixture(scope="module", params=[0, 1], ids=["blobs", "xor"])
def told(request, data):
    """A scene, and what the page stores of it."""
    return scenes()[request.param], data["scenes"][request.param]


def start_thetas(scene, network, key):
    layers = network["layers"]
    if key in ("zeros", "constant"):
        value = {"zeros": 0.0, "constant": EPSILON}[key]
        return [np.full((n_out, 1 + n_in), value) for n_in, n_out in pairwise(layers)]
    net = Network(tuple(layers), "sigmoid", "binary_cross_entropy")
    theta = initialize(net, rules.Uniform(epsilon=float(key.split("-", 1)[1])), seed=SEED)
    return net.thetas(theta)


def digits_of(stored):
    return np.asarray(stored, dtype=float)


@pytest.mark.parametrize("key", ["zeros", "constant", "uniform-0.12", "uniform-0.3", "uniform-10"])
def test_runs_of_gradient_descent(told, key):
    scene, stored = told
    Y = np.eye(len(scene.classes))[scene.y]
    for network in stored["networks"]:
        path = descend(start_thetas(scene, network, key), scene.X, Y, stored["updates"])
        run = network["runs"][f"gradient-descent/{key}"]
        for snapshot in run["snapshots"]:
            thetas = path[snapshot["updates"]]
            a, deltas, gradients, J = passes(thetas, scene.X, Y)
            assert snapshot["J"] == pytest.approx(J, rel=RTOL)
            # Equal outputs count for the first class.
            right = np.mean((a[-1] >= a[-1].max(axis=0) - 1e-12).argmax(axis=0) == scene.y)
            assert snapshot["accuracy"] == pytest.approx(right, rel=RTOL)
            _check_weights(network, snapshot, thetas)
            if len(thetas) > 1:
                _check_units(stored, network, snapshot, a, deltas, gradients)


def _check_weights(network, snapshot, thetas):
    largest = max(np.abs(Theta).max() for Theta in thetas)
    for names, weights in zip(network["picture"]["names"], snapshot["weights"], strict=True):
        for row, numbers in zip(names, weights, strict=True):
            for name, number in zip(row, numbers, strict=True):
                assert number == pytest.approx(entry(thetas, name), rel=RTOL, abs=1e-12 * largest)


def _check_units(stored, network, snapshot, a, deltas, gradients):
    rows = [example["row"] for example in stored["examples"]]
    np.testing.assert_allclose(digits_of(snapshot["a"]), a[1][:2, rows], rtol=6e-3)
    assert snapshot["a_gap"] == pytest.approx(
        np.abs(a[1][0, rows] - a[1][1, rows]).max(), rel=RTOL, abs=1e-12
    )
    delta = digits_of(snapshot["delta"])
    few = [rows[place] for place in stored["few"]]
    assert len({stored["examples"][place]["class"] for place in stored["few"]}) == min(
        len(few), len(stored["classes"])
    )
    wanted = deltas[0][:2, few]
    np.testing.assert_allclose(delta, wanted, rtol=RTOL, atol=1e-13 * np.abs(wanted).max())
    largest = max(np.abs(g).max() for g in gradients)
    for names, values, stored_gap in zip(
        network["pairs"], snapshot["derivatives"], snapshot["gaps"], strict=True
    ):
        wanted_pair = [entry(gradients, name) for name in names]
        assert values == pytest.approx(wanted_pair, rel=RTOL, abs=1e-12 * largest)
        wanted_gap = abs(wanted_pair[0] - wanted_pair[1])
        assert stored_gap == pytest.approx(wanted_gap, rel=RTOL, abs=1e-12 * largest)


def entry(thetas, name):
    """The entry of the name "Theta1[0, 3]"."""
    number, place = name.removeprefix("Theta").rstrip("]").split("[")
    i, j = map(int, place.split(","))
    return thetas[int(number) - 1][i, j]


def test_lbfgs_snapshots_agree_with_their_own_weights(data):
    """Of XOR all weights are shown: J, a and the map follow from them."""
    scene, stored = scenes()[1], data["scenes"][1]
    Y = np.eye(2)[scene.y]
    for network in stored["networks"]:
        for start in ("zeros", "constant", "uniform-0.12"):
            for snapshot in network["runs"][f"l-bfgs/{start}"]["snapshots"]:
                thetas = [digits_of(Theta) for Theta in snapshot["weights"]]
                a, _, _, J = passes(thetas, scene.X, Y)
                assert snapshot["J"] == pytest.approx(J, rel=0.02)
                if "a" in snapshot:
                    rows = [example["row"] for example in stored["examples"]]
                    np.testing.assert_allclose(digits_of(snapshot["a"]), a[1][:2, rows], rtol=0.03)
                _check_map(stored["plane"], snapshot["map"], thetas)


def _check_map(plane, cells, thetas):
    n, half = plane["grid"], plane["half"]
    middles = (2 * (np.arange(n) + 0.5) / n - 1) * half
    points = np.array([(x, y) for y in middles[::-1] for x in middles])
    first, second = passes(thetas, points, np.zeros((len(points), 2)))[0][-1]
    wanted = (1 + second - first) / 2 * 10
    if np.abs(second - first).max() < 1e-9:
        assert cells == "-" * len(points)
        return
    assert "-" not in cells
    found = np.array([int(cell) for cell in cells])
    assert (np.abs(found + 0.5 - wanted) < 0.6).mean() > 0.995  # at the edge of a level, rounding


def test_equal_weights_have_one_class_and_symmetric_runs_keep_it(data):
    for scene in data["scenes"]:
        for network in scene["networks"]:
            hidden = network["layers"][1:-1]
            for key, run in network["runs"].items():
                symmetric = key.split("/")[1] in ("zeros", "constant") and bool(hidden)
                assert run["exact"] == symmetric
                for snapshot in run["snapshots"]:
                    if symmetric:
                        assert snapshot["distinct"] == [1] * len(hidden)
                        assert snapshot["rank"] <= 1
                        assert all(
                            row == snapshot["classes"][0][0] for row in snapshot["classes"][0]
                        )
                        assert snapshot["a"][0] == snapshot["a"][1]
                        assert all(one == other for one, other in snapshot["derivatives"])
                        assert snapshot["a_gap"] == 0
                        assert snapshot["gaps"] == [0] * 5
                    elif hidden and key.split("/")[1] != "zeros":
                        assert snapshot["distinct"] == hidden
                        # Random units are never called equal, however few digits are stored.
                        assert snapshot["a_gap"] > 0
                        assert min(snapshot["gaps"]) > 0
                        # Some rules start all biases, column 0, at zero.
                        assert not np.any(np.array(snapshot["classes"][0])[:, 1:])


def test_every_combination_is_there(data):
    starts = [start["key"] for start in data["starts"]]
    assert starts == [
        "zeros", "constant", "uniform-0.0001", "uniform-0.01", "uniform-0.12", "uniform-0.3",
        "uniform-1", "uniform-10", "glorot", "he", "nguyen-widrow",
    ]  # fmt: skip
    wanted = {f"{method}/{start}" for method in ("gradient-descent", "l-bfgs") for start in starts}
    for scene in data["scenes"]:
        assert scene["networks"][0]["hidden"] == "0"
        for network in scene["networks"]:
            assert set(network["runs"]) == wanted
            for run in network["runs"].values():
                updates = [snapshot["updates"] for snapshot in run["snapshots"]]
                assert updates[0] == 0
                assert updates == sorted(set(updates))
                assert run["ending"] or updates == marks(scene["updates"])


def test_zeros_on_equally_frequent_classes_are_stationary(data):
    xor = data["scenes"][1]
    for method in ("gradient-descent", "l-bfgs"):
        run = xor["networks"][1]["runs"][f"{method}/zeros"]
        assert len(run["snapshots"]) == 1
        assert run["ending"].startswith("stationary start")


def test_gradient_checks_pass_and_find_the_mistake_made_on_purpose(data):
    for scene in data["scenes"]:
        for network in scene["networks"][1:]:
            drawn, zeros, wrong = (report["verdict"] for report in network["check"])
            assert drawn == "pass"
            assert zeros in ("pass", "inconclusive")
            assert wrong == "fail"
            halved = network["check"][2]["blocks"][-1]
            last = halved["name"].removesuffix(" weights")
            assert network["check"][2]["name"].endswith(f": {last} halved")
            assert halved["analytic"] == pytest.approx(halved["numerical"] / 2, rel=RTOL)


def test_restarts_are_sorted_and_start_0_is_the_run_shown(data):
    for scene in data["scenes"]:
        for network in scene["networks"][1:]:
            found = network["restarts"]
            assert found["J"] == sorted(found["J"])
            assert sorted(found["start"]) == list(range(found["n_starts"]))
            shown = network["runs"]["l-bfgs/uniform-0.12"]["snapshots"][-1]
            assert found["J"][found["start"].index(0)] == pytest.approx(shown["J"], rel=RTOL)


def test_same_seed_same_data(data):
    again = lesson_data(scenes(), epsilon=EPSILON, updates=UPDATES, seed=SEED)
    assert json.dumps(again) == json.dumps(data)


def test_another_seed_changes_random_starts_and_no_others():
    one, other = (lesson_data([blobs()], updates=1, seed=seed) for seed in (0, 1))
    runs = [found["scenes"][0]["networks"][1]["runs"] for found in (one, other)]
    assert runs[0]["l-bfgs/zeros"] == runs[1]["l-bfgs/zeros"]
    assert runs[0]["l-bfgs/glorot"] != runs[1]["l-bfgs/glorot"]


def test_marks():
    assert marks(1) == [0, 1]
    assert marks(4) == [0, 1, 2, 4]
    assert marks(100) == [0, 1, 2, 5, 10, 20, 50, 100]


def test_examples_shown_take_the_classes_in_turn():
    classes = np.array([0, 0, 0, 0, 1, 1, 2])
    assert shown_examples(classes, 5) == [0, 1, 4, 5, 6]


def test_large_data_are_sampled_and_say_so():
    scene = blobs().at_most(10, seed=1)
    assert len(scene.X) == len(scene.y) == 10
    assert "10 of 27 examples, drawn at random" in scene.description
    rows = [np.flatnonzero((row == blobs().X).all(axis=1))[0] for row in scene.X]
    assert len(set(rows)) == 10
    np.testing.assert_array_equal(scene.y, blobs().y[rows])


def test_planes_are_what_they_say():
    xor, circles, spirals = planes(seed=0)
    np.testing.assert_array_equal((xor.X[:, 0] * xor.X[:, 1] < 0).astype(int), xor.y)
    radius = np.hypot(*circles.X.T)
    assert radius[circles.y == 1].max() < 0.8 < radius[circles.y == 0].min()
    assert spirals.is_plane
    for scene in (xor, circles, spirals):
        np.testing.assert_array_equal(np.bincount(scene.y), [40, 40])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"features": ("a",)}, "1 names"),
        ({"classes": ("a",)}, "1 classes"),
        ({"hidden": ((),)}, r"hidden of scene 'blobs' must have \(\) for logistic regression"),
        ({"hidden": ((3,),)}, r"hidden of scene 'blobs' must have \(\) for logistic regression"),
        ({"hidden": ((), (1,))}, "2 or more units for each hidden layer"),
        ({"y": blobs().y + 1}, "y of scene 'blobs' must be whole numbers from 0 to 2"),
        ({"y": blobs().y - 1}, "y of scene 'blobs' must be whole numbers from 0 to 2"),
        ({"y": blobs().y * 1.0}, "y of scene 'blobs' must be whole numbers from 0 to 2"),
    ],
)
def test_scenes_that_do_not_fit_are_refused(changes, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        blobs(**changes)


def test_updates_and_scenes_must_be_there():
    with pytest.raises(InvalidInput, match="updates of the lesson must be a positive integer"):
        lesson_data([blobs()], updates=0)
    for scenes_given in ([], [blobs(), blobs()]):
        with pytest.raises(InvalidInput, match="1 or more scenes, each with a key of its own"):
            lesson_data(scenes_given)
    for make in (lambda seed: planes(seed=seed), lambda seed: lesson_data([blobs()], seed=seed)):
        with pytest.raises(InvalidInput, match="seed of the lesson must be zero or a positive"):
            make(-1)


def test_starts_that_differ_in_the_last_digits_have_keys_of_their_own():
    keys = [choice.key for choice in starts(0.12000001, (-1.0, 1.0))]
    assert {"uniform-0.12", "uniform-0.12000001", "uniform-0.0001", "uniform-10"} <= set(keys)
    assert len(set(keys)) == len(keys)


def test_what_rounding_leaves_is_no_difference_and_no_rank():
    one = np.array([1.0, 1.0, 1e-20, 1e-20, 0.0, -1e-20])
    other = np.array([1.0 + 1e-13, 1.0 + 2e-12, 1.0e-20 * (1 + 1e-13), 2e-20, 0.0, 1e-20])
    wanted = [0.0, 2e-12, 0.0, 1e-20, 0.0, 2e-20]
    assert gaps(one, other).tolist() == pytest.approx(wanted, rel=1e-3, abs=0.0)
    row = np.array([[1.0, 2.0, 3.0]])
    assert rank_of(np.vstack([row, -row * (1 + 1e-15)])) == 1
    assert rank_of(np.full((3, 3), 1e-17) * np.arange(9).reshape(3, 3) ** 2) == 0
    assert rank_of(1e-4 * np.eye(3)) == 3


def test_where_all_outputs_are_equal_nothing_is_decided_and_the_first_class_counts(data):
    scene, stored = scenes()[1], data["scenes"][1]
    for network in stored["networks"]:
        for start in ("zeros", "constant") if network["hidden"] != "0" else ("zeros",):
            first = network["runs"][f"gradient-descent/{start}"]["snapshots"][0]
            assert set(first["map"]) == {"-"}
            assert first["accuracy"] == np.mean(scene.y == 0)
