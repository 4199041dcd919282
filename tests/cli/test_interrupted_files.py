"""What Ctrl-C leaves on the disk: no file that was there is replaced by less."""

from __future__ import annotations

import json
import signal

import pytest

from symbreak.optimize import minimize
from symbreak.training import table_training
from symbreak.training.model import Model

IRIS = ("train", "--quick", "--dataset", "iris", "--starts", 3, "--hidden", 4)


@pytest.fixture
def pressed_at(monkeypatch):
    """Ctrl-C at an iteration of the training, as a signal, once or more often."""

    def at(iteration, times=1):
        def with_signal(*args, callback, **options):
            def press(progress):
                if callback is not None:
                    callback(progress)
                if progress.iteration == iteration:
                    for _ in range(times):
                        signal.raise_signal(signal.SIGINT)

            return minimize(*args, callback=press, **options)

        monkeypatch.setattr(table_training, "minimize", with_signal)

    return at


def outputs(folder):
    return {
        "--model": folder / "m.symbreak", "--json": folder / "f.json", "--report": folder / "r.html"
    }  # fmt: skip


def words_of(files):
    return [word for pair in files.items() for word in pair]


def test_an_interrupted_result_stands_beside_what_was_there(run, pressed_at, tmp_path):
    files = outputs(tmp_path)
    assert run(*IRIS, *words_of(files)).code == 0
    before = {path: path.read_bytes() for path in files.values()}
    pressed_at(2)
    for number in ("", "-2"):
        ran = run(*IRIS, "--quiet", *words_of(files))
        assert ran.code == 130
        assert {path: path.read_bytes() for path in before} == before
        for path in before:
            other = path.with_name(f"{path.stem}.interrupted{number}{path.suffix}")
            assert f"'{path}' was there already and stays as it was" in ran.err
            assert f"the interrupted result is in '{other}'" in ran.err
            assert other.exists()
    assert len([*tmp_path.iterdir()]) == 9
    assert json.loads((tmp_path / "f.interrupted.json").read_text())["interrupted"]
    assert "Ctrl-C ended this training" in (tmp_path / "r.interrupted.html").read_text("utf-8")
    assert "Ctrl-C ended this training" not in files["--report"].read_text("utf-8")
    for model, is_cut in ((tmp_path / "m.interrupted.symbreak", True), (files["--model"], False)):
        assert Model.load(model).summary["interrupted"] is is_cut
        page = tmp_path / "page.html"
        assert run("report", model, "-o", page).code == 0
        assert ("Ctrl-C ended this training" in page.read_text("utf-8")) is is_cut


def test_only_what_was_there_goes_by_another_name(run, pressed_at, shop, tmp_path):
    model, found = tmp_path / "m", tmp_path / "f.json"
    real = tmp_path / "folder" / "real"
    real.parent.mkdir()
    real.write_text("mine")
    model.symlink_to(real)
    pressed_at(2)
    few = ("--target", "kind", "--starts", 2, "--hidden", 3)
    ran = run("train", "--quick", shop, *few, "--model", model, "--json", found)
    assert ran.code == 130
    beside = tmp_path / "folder" / "real.interrupted"
    assert (real.read_text(), model.resolve()) == ("mine", real)
    assert f"Model: {beside}" in ran.out
    assert f"symbreak predict {beside} new.csv" in ran.out
    assert json.loads(found.read_text())["interrupted"]
    assert str(found) not in ran.err


@pytest.mark.parametrize("there", [True, False])
def test_nothing_is_written_where_nothing_was_trained(run, monkeypatch, tmp_path, there):
    files = outputs(tmp_path)
    for path in files.values():
        if there:
            path.write_text("finished")

    def press_at_once(*args, **options):
        def press(progress):
            raise KeyboardInterrupt

        return minimize(*args, **{**options, "callback": press})

    monkeypatch.setattr(table_training, "minimize", press_at_once)
    ran = run(*IRIS, *words_of(files))
    assert ran.code == 130
    assert "Interrupted before there was anything to keep.\n" in ran.err
    assert "Hold-out (" not in ran.out
    assert {path.name for path in tmp_path.iterdir()} == (
        {path.name for path in files.values()} if there else set()
    )
    assert all(path.read_text() == "finished" for path in tmp_path.iterdir())


def test_a_second_signal_in_the_training_writes_nothing(run, pressed_at, tmp_path):
    pressed_at(3, times=2)
    ran = run(*IRIS, "--quiet", "--model", tmp_path / "m")
    assert (ran.code, ran.out) == (130, "")
    assert ran.err == "Interrupted before there was anything to keep.\n"
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("how", ["signal", "last tick", "raised"])
def test_a_search_that_is_interrupted_chooses_nothing(run, monkeypatch, tmp_path, how):
    """No penalty is chosen by trainings that were cut, and no training follows."""
    begun = []

    def pressed(*args, callback, **options):
        begun.append(0)

        def press(progress):
            if how == "raised":
                raise KeyboardInterrupt
            if how == "signal":
                signal.raise_signal(signal.SIGINT)

        found = minimize(*args, callback=press, **options)
        if how == "last tick":
            signal.raise_signal(signal.SIGINT)
        return found

    monkeypatch.setattr("symbreak.training.fold_fits.minimize", pressed)
    (tmp_path / "m").write_text("finished")
    ran = run(
        *[word for word in IRIS if word != "--quick"],
        "--max-iter",
        3,
        "--quiet",
        "--model",
        tmp_path / "m",
    )
    assert (ran.code, ran.out) == (130, "")
    assert ran.err == "Interrupted before there was anything to keep.\n"
    assert (tmp_path / "m").read_text() == "finished"
    assert len(begun) == 1


OTHERS = {
    "lesson": ("lesson", "--dataset", "iris", "--updates", "2", "--json"),
    "check-gradient": ("check-gradient", "--dataset", "iris", "--json"),
    "predict": ("predict", "MODEL", "DATA", "-o"),
    "report": ("report", "MODEL", "--json"),
    "diagnose": ("diagnose", "MODEL", "--json"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_commands_leave_what_was_there(run, shop, monkeypatch, tmp_path, name):
    """Ctrl-C in the midst of writing."""
    model, there = tmp_path / "m", tmp_path / "there.csv"
    few = ("--target", "kind", "--starts", 2, "--hidden", 3, "--max-iter", 3)
    assert run("train", "--quick", shop, *few, "--model", model).code == 0
    there.write_text("finished")
    monkeypatch.setattr("os.fsync", lambda _: signal.raise_signal(signal.SIGINT))
    words = [{"MODEL": model, "DATA": shop}.get(word, word) for word in OTHERS[name]]
    ran = run(*words, there)
    assert ran.code == 130
    assert ran.err.endswith("Interrupted before there was anything to keep.\n")
    assert there.read_text() == "finished"
    assert {path.name for path in tmp_path.iterdir()} == {"m", "there.csv", shop.name}
