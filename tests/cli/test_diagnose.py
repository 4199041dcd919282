"""`symbreak diagnose`: a module of a program, a saved model, a file of weights."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from symbreak.cli.diagnose_subjects import _rounding
from symbreak.cli.program import NAME
from symbreak.symmetry import Escape, symmetries
from symbreak.training.model import Model
from tests.cli.diagnose_programs import PROGRAM
from tests.cli.gradient_programs import FILES

DOCS = Path(__file__).parents[2] / "docs"
TWINS = "Error: identical units, for ever, in '0': units 2, 5"
SOUND = "Diagnosis: sound, nothing found."
Plant = Callable[[tuple[Any, ...]], None]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "good.csv").write_text(FILES["good.csv"], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def diagnose(run):
    return lambda *words: run("diagnose", *words)


@pytest.fixture
def model(run) -> Path:
    """A model of three starts, 4-4-3-2, for 'kind' in good.csv."""
    ran = run("train", "--quick", "good.csv", "--target", "kind", "--starts", 3, "--hidden", "4,3",
              "--max-iter", 3, "--model", "m.symbreak", "--quiet")  # fmt: skip
    assert ran.code == 0, ran.err
    return Path("m.symbreak")


@pytest.fixture
def planted(model) -> Callable[..., Path]:
    """Give a model whose Theta, (starts, units_out, 1 + units_in), a function has changed."""

    def changed(plant: Plant, **other: Any) -> Path:
        known = Model.load(model)
        theta = known.theta.copy()
        plant(known.network.thetas(theta))
        replace(known, theta=theta, **other).save("p.symbreak")
        return Path("p.symbreak")

    return changed


def twins_in_start_1(thetas):
    """Unit 3 of the first hidden layer becomes unit 0."""
    Theta1, Theta2, _ = thetas
    Theta1[1, 3], Theta2[1, :, 4] = Theta1[1, 0], Theta2[1, :, 1]


def magic_squares(thetas):
    """Every sum over the 3 x 3 block of units 0, 1, 2 and the second layer is the same."""
    Theta1, Theta2, Theta3 = thetas
    Theta1[:, :3], Theta3[:] = 0.5, 0.5
    Theta2[:, :, :], Theta2[:, :, 4] = 0.0, 0.25
    Theta2[:, :, 1:4] = np.array([[2.0, 7, 6], [9, 5, 1], [4, 3, 8]]) / 8


@pytest.mark.needs_torch
def test_a_sound_program(diagnose):
    path = list(sys.path)
    ran = diagnose("mine.py:sound")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        SOUND,
        "Diagnosed: Sequential of mine.py:sound, 58 parameters; its batch.",
    ]
    assert sys.path == path
    assert NAME not in sys.modules


@pytest.mark.needs_torch
def test_equal_units_of_a_program(diagnose):
    ran = diagnose("mine.py:twins", "--json", "d.json")
    assert (ran.code, ran.err) == (1, "")
    lines = ran.out.splitlines()
    assert lines[:3] == ["Diagnosis: not sound, 1 error.", "", TWINS]
    assert "4 updates of SGD with momentum and AdamW keep it" in " ".join(ran.out.split())
    assert '    sb.repair(module, found, how="redraw")' in lines
    assert lines[-1] == "The diagnosis, as JSON: d.json"
    record = json.loads(Path("d.json").read_text("utf-8"))
    assert record["ok"] is False
    (finding,) = record["findings"]
    assert (finding["kind"], finding["level"]) == ("identical_units", "error")
    assert (finding["where"], finding["units"], finding["permanent"]) == ("0", [2, 5], True)


@pytest.mark.needs_torch
def test_mirrored_units_and_a_step(diagnose):
    ran = diagnose("mine.py:mirror")
    assert ran.code == 1
    assert "Error: mirrored units, for ever, in '0': units 2, 5" in ran.out
    ran = diagnose("mine.py:stepped")
    assert ran.code == 1
    assert TWINS in ran.out


@pytest.mark.needs_torch
@pytest.mark.parametrize(
    ("words", "tried"),
    [
        (("mine.py:named",), "RMSprop"),
        (("mine.py:named", "--optimizer", "sgd"), "SGD with momentum"),
        (("mine.py:named", "--optimizer", "both"), "SGD with momentum and AdamW"),
        (("mine.py:twins", "--optimizer", "adamw"), "AdamW"),
    ],
)
def test_the_optimizer_that_is_tried(diagnose, words, tried):
    ran = diagnose(*words)
    assert ran.code == 1
    assert f"4 updates of {tried} keep it" in " ".join(ran.out.split())


@pytest.mark.needs_torch
def test_rows_of_a_batch(diagnose):
    ran = diagnose("mine.py:twins", "--rows", 10)
    assert ran.code == 1
    assert "equal on 10 samples" in " ".join(ran.out.split())
    assert ran.out.splitlines()[-1].endswith("58 parameters; 10 of 40 examples.")
    assert "equal on 40 samples" in " ".join(diagnose("mine.py:twins", "--rows", 0).out.split())


@pytest.mark.needs_torch
def test_quiet_prints_the_first_line(diagnose):
    loud, quiet = diagnose("mine.py:twins"), diagnose("mine.py:twins", "--quiet")
    assert quiet.out == loud.out.splitlines()[0] + "\n"
    assert quiet.code == 1


def test_a_sound_model(diagnose, model):
    ran = diagnose(model)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        SOUND,
        "Diagnosed: model m.symbreak, 4-4-3-2 (tanh; cross_entropy), 43 parameters; 3 starts, "
        "linear updates, alpha 1.",
    ]


def test_a_model_with_equal_units_in_one_start(diagnose, planted):
    ran = diagnose(planted(twins_in_start_1), "--json", "d.json")
    assert ran.code == 1
    title = "Error: identical units, for ever, in hidden layer 1 of start 1: units 0, 3"
    assert title in ran.out.splitlines()
    record = json.loads(Path("d.json").read_text("utf-8"))
    assert record["symmetries"]["effective_widths"] == [[4, 3], [3, 3], [4, 3]]
    assert "escape" not in record


@pytest.mark.parametrize(("start", "code"), [(0, 0), (1, 1), (2, 0)])
def test_one_start_of_a_model_keeps_its_number(diagnose, planted, start, code):
    ran = diagnose(planted(twins_in_start_1), "--start", start, "--json", "d.json")
    assert ran.code == code
    assert f"; start {start}, linear updates" in ran.out
    found = json.loads(Path("d.json").read_text("utf-8"))["symmetries"]
    assert found["starts"] == [start]
    assert [group["start"] for group in found["groups"]] == [1] * code
    assert ("of start 1: units 0, 3" in ran.out) == bool(code)


@pytest.mark.parametrize(
    ("words", "code", "level"),
    [
        ((), 1, "Error"),
        (("--update", "elementwise"), 0, "Note"),
        (("--update", "elementwise", "--alpha", 0), 1, "Error"),
        (("--update", "linear", "--alpha", 3), 1, "Error"),
    ],
)
def test_update_and_alpha_decide_whether_equal_sums_last(diagnose, planted, words, code, level):
    ran = diagnose(planted(magic_squares), *words)
    assert ran.code == code, ran.out
    lasting = "for ever" if code else "for now"
    title = f"{level}: identical units, {lasting}, in hidden layer 1 of starts 0-2: units 0-2"
    assert title in ran.out.splitlines()


def test_nearly_equal_units_are_told_within_the_tolerance(diagnose, planted):
    def nearly(thetas):
        twins_in_start_1(thetas)
        thetas[0][1, 3] *= 1 + 1e-5

    path = planted(nearly)
    assert diagnose(path).out.splitlines()[0] == SOUND
    ran = diagnose(path, "--tolerance", 1e-3)
    assert ran.code == 0
    assert "Warning: identical units, for now, in hidden layer 1 of start 1: units 0, 3" in ran.out
    assert diagnose(path, "--tolerance", 1e-7).out.splitlines()[0] == SOUND


def test_on_a_table_rounding_is_measured(diagnose, planted):
    path = planted(twins_in_start_1)
    ran = diagnose(path, "good.csv", "--rows", 30, "--json", "d.json")
    assert ran.code == 1
    said = re.findall(r"^Rounding .+$", ran.out, re.MULTILINE)
    (torn,) = {one for one in json.loads(Path("d.json").read_text("utf-8"))["escape"]["updates"]
               if one >= 0} or {-1}  # fmt: skip
    assert said == [
        "Rounding keeps the groups of start 1 for all of 1000 updates of SGD with momentum."
        if torn < 0
        else f"Rounding tears the groups of start 1 after {torn} updates of SGD with momentum."
    ]
    assert ran.out.splitlines()[-2].endswith("alpha 1, 30 of 90 rows of good.csv.")


@pytest.mark.parametrize(("update", "kind"), [("linear", "SGD"), ("elementwise", "Adam")])
def test_rounding_is_measured_with_an_optimizer_of_the_update(
    torch, diagnose, planted, monkeypatch, update, kind
):
    measured = []

    def look(self, cost, **options):
        measured.append(options["optimizer"])
        return Escape(np.array([-1, 5, -1]), np.zeros(3), 10, 1e-3)

    monkeypatch.setattr("symbreak.symmetry.Symmetries.escape", look)
    ran = diagnose(planted(twins_in_start_1), "good.csv", "--update", update)
    name = "SGD with momentum" if kind == "SGD" else "Adam"
    assert f"Rounding tears the groups of start 1 after 5 updates of {name}." in ran.out
    # None is SGD with momentum, the default of `escape`.
    (make,) = measured
    assert kind == ("SGD" if make is None else type(make([torch.ones(1)])).__name__)


def test_the_starts_that_rounding_tears_and_those_it_does_not(planted):
    def all_starts(thetas):
        for start in range(3):
            thetas[0][start, 3], thetas[1][start, :, 4] = (
                thetas[0][start, 0],
                thetas[1][start, :, 1],
            )

    known = Model.load(planted(all_starts))
    found = symmetries(known.network, known.theta)
    for torn, lines in {
        (7, -1, 7): [
            "Rounding tears the groups of starts 4, 8 after 7 updates of Adam.",
            "Rounding keeps the groups of start 6 for all of 50 updates of Adam.",
        ],
        (9, 12, 7): ["Rounding tears the groups of starts 4, 6, 8 after 7 to 12 updates of Adam."],
    }.items():
        lasts = Escape(np.array(torn), np.zeros(3), 50, 1e-3)
        assert list(_rounding(found, lasts, np.array([4, 6, 8]))) == lines


def test_a_table_beside_a_sound_model(diagnose, model):
    assert "Rounding has no group to tear apart." in diagnose(model, "good.csv").out


def test_a_model_is_known_by_its_content_and_not_by_its_name(torch, diagnose, model):
    model.rename("m.safetensors")
    assert "Diagnosed: model m.safetensors, " in diagnose("m.safetensors").out
    save_file({"a.weight": torch.eye(3)}, "weights")
    assert "Diagnosed: weights, its weights alone" in diagnose("weights").out


def save_file(tensors: dict[str, Any], path: str) -> None:
    """Write a file of weights."""
    from safetensors.torch import save_file

    save_file(tensors, path)


def weights() -> dict[str, Any]:
    import torch

    stream = torch.Generator().manual_seed(0)
    return {f"{name}.weight": torch.randn(30, 20, generator=stream) / 20**0.5 for name in "ab"}


def test_weights(torch, diagnose):
    sound, bad = weights(), weights()
    save_file(sound, "sound.safetensors")
    ran = diagnose("sound.safetensors")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[0] == SOUND
    bad["a.weight"][7] = bad["a.weight"][3]
    torch.save(bad, "equal.pt")
    ran = diagnose("equal.pt")
    assert ran.code == 0
    assert "Warning: identical units, in 'a.weight': {3, 7}" in ran.out
    bad["b.weight"][0, 0] = torch.nan
    save_file(bad, "bad.safetensors")
    ran = diagnose("bad.safetensors", "--memory-budget", 2**16, "--json", "d.json")
    assert ran.code == 1
    assert ran.out.splitlines()[0] == "Diagnosis: not sound, 1 error, 1 warning."
    kinds = [one["kind"] for one in json.loads(Path("d.json").read_text("utf-8"))["findings"]]
    assert kinds == ["non_finite", "identical_units"]


def test_the_level_chooses_what_is_printed_and_nothing_else(torch, diagnose):
    bad = {**weights(), "z.weight": torch.zeros(3, 3)}
    bad["a.weight"][7], bad["b.weight"][0, 0] = bad["a.weight"][3], torch.nan
    save_file(bad, "bad.safetensors")
    counts = "Diagnosis: not sound, 1 error, 1 warning, 1 note."
    for level, shown in (("error", 1), ("warning", 2), ("note", 3)):
        ran = diagnose("bad.safetensors", "--level", level, "--json", "d.json")
        assert ran.code == 1
        assert ran.out.splitlines()[0] == counts
        assert len(re.findall(r"^(?:Error|Warning|Note): ", ran.out, re.MULTILINE)) == shown
        assert ("Not shown below --level" in ran.out) == (shown < 3)
        assert len(json.loads(Path("d.json").read_text("utf-8"))["findings"]) == 3


@pytest.mark.needs_torch
def test_the_output_on_the_page_is_what_the_command_prints(diagnose, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    page = (DOCS / "diagnosing-a-start.md").read_text("utf-8")
    built = re.search(r"```python\n(.+?)found = ", page, re.DOTALL)
    shown = re.search(r"the command prints\n\n((?:    .*\n|\n)+)", page)
    assert built is not None
    assert shown is not None
    end = "\ndef start():\n    return module, torch.nn.functional.mse_loss, (X, y)\n"
    Path("mine.py").write_text(built[1] + end, encoding="utf-8")
    expected = [line.removeprefix("    ") for line in shown[1].strip("\n").split("\n")]
    assert diagnose("mine.py:start").out.splitlines() == expected


def line_of(words: str) -> int:
    return PROGRAM[: PROGRAM.index(words)].count("\n") + 1


BAD_INPUT: list[tuple[tuple[Any, ...], str]] = [
    ((), "Missing argument 'SUBJECT'"),
    (("mine.py",), "A program to diagnose must be given with its function, as FILE.py:FUNC"),
    (("mine.py:rihgt",), "'rihgt' of 'mine.py' must be a function. Got nothing of that name."),
    (("missing.py:f",), "Program 'missing.py' must be an existing file"),
    (("mine.py:raises",), f"Got ValueError: no such thing (line {line_of('raise ValueE')})."),
    (("mine.py:misfit",), "must run on the batch. Got RuntimeError: mat1 and mat2 shapes"),
    (
        ("mine.py:loss_raises",),
        f"Got ZeroDivisionError: division by zero (line {line_of('1 / 0')}).",
    ),
    (("mine.py:vector",), "must be one real number. Got torch.float32 of shape (40, 2)."),
    (("mine.py:number",), "must be a scalar tensor. Got float."),
    (("mine.py:constant",), "must depend differentiably on a parameter that is trained."),
    (("mine.py:one_way",), f"RuntimeError: no way back (line {line_of('raise RuntimeE')})."),
    (("mine.py:no_pair",), "must be a pair (X, y). Got Tensor."),
    (("mine.py:no_pair", "--rows", 3), "must be a pair (X, y). Got Tensor."),
    (("mine.py:frozen",), "at least one parameter to train (requires_grad=True). Got none."),
    (("mine.py:no_module",), "module must be a torch.nn.Module. Got int."),
    (("mine.py:no_module", "--rows", 3), "module must be a torch.nn.Module. Got int."),
    (
        ("mine.py:misspelt",),
        "and loss or step, and optimizer if wanted. Got dict with the keys",
    ),
    (("mine.py:no_optimizer",), "optimizer of diagnose must be a class, an optimizer or a"),
    (("mine.py:stepped", "--rows", 3), "--rows must come with a loss and with X and y"),
    (("mine.py:sound", "good.csv"), "DATA must come with a saved model. Got it with FILE.py"),
    (("mine.py:sound", "--alpha", 1), "--alpha must come with a saved model. Got it with FILE"),
    (("mine.py:sound", "--optimizer", "adma"), "Did you mean 'adamw'?"),
    (("mine.py:sound", "--level", "notes"), "Did you mean 'note'?"),
    (("mine.py:sound", "--rows", -1), "--rows must be 0 or above. Got -1."),
    (("mine.py:sound", "--json", "mine.py"), "must be a file of its own"),
    (("mine.py:sound", "--json", "no/f.json"), "The folder of output 'no/f.json' must exist"),
    (("missing",), "Model 'missing' must be an existing file. Got none of that name."),
    (("missing.safetensors",), "Weights 'missing.safetensors' must be an existing file."),
    ((".",), "Model '.' must be a file. Got a folder"),
    (("good.csv",), "Model 'good.csv' must be a whole symbreak model file."),
    (("text.safetensors",), "Weights 'text.safetensors' must be a whole safetensors file."),
    (("cut.safetensors",), "Weights 'cut.safetensors' must be a whole safetensors file."),
    (("cut.symbreak",), "Model 'cut.symbreak' must be a whole symbreak model file."),
    (("altered.symbreak",), "content that does not match its checksum"),
    (("w.safetensors", "good.csv"), "DATA must come with a saved model. Got it with a file of"),
    (("w.safetensors", "--rows", 3), "--rows must come with FILE.py:FUNCTION or a saved model"),
    (("w.safetensors", "--memory-budget", 5), "at least 65536 bytes. Got 5."),
    (("m.symbreak", "--memory-budget", 5), "--memory-budget must come with a file of weights."),
    (("m.symbreak", "--optimizer", "sgd"), "--optimizer must come with FILE.py:FUNCTION."),
    (("m.symbreak", "--update", "linaer"), "Did you mean 'linear'?"),
    (("m.symbreak", "--alpha", -1), "--alpha must be a finite number, 0 or above. Got -1.0."),
    (("m.symbreak", "--tolerance", 2), "tolerance of symmetries must be at least 0"),
    (("m.symbreak", "--start", 3), "of the model, 0 to 2. Got 3."),
    (("m.symbreak", "--start", -1), "--start must be 0 or above. Got -1."),
    (("m.symbreak", "--rows", 3), "--rows of a model must come with DATA or --dataset."),
    (("m.symbreak", "good.csv", "--dataset", "iris"), "DATA must stand alone after a model."),
    (("m.symbreak", "--dataset", "irs"), "Did you mean 'iris'?"),
    (("m.symbreak", "--dataset", "iris"), "must have every column"),
    (("m.symbreak", "missing.csv"), "'missing.csv' must be an existing file"),
    (("m.symbreak", "--json", "m.symbreak"), "must be a file of its own"),
]


OF_TORCH = re.compile(r"mine\.py:|\.safetensors")  # modules and their weights


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        pytest.param(
            *case, marks=[pytest.mark.needs_torch] if OF_TORCH.search(str(case[0])) else []
        )
        for case in BAD_INPUT
    ],
)
def test_bad_input(diagnose, request, words, sentence):
    if any("symbreak" in str(word) for word in words):
        content = request.getfixturevalue("model").read_bytes()
        Path("cut.symbreak").write_bytes(content[:-9])
        Path("altered.symbreak").write_bytes(content[:-9] + b"x" * 9)
    Path("w.safetensors").write_bytes(save({"a.weight": np.ones((3, 2))}))
    Path("cut.safetensors").write_bytes(Path("w.safetensors").read_bytes()[:-9])
    Path("text.safetensors").write_text("hello")
    before = {name: Path(name).read_bytes() for name in os.listdir() if os.path.isfile(name)}
    ran = diagnose(*words)
    assert ran.code == 2
    assert sentence in ran.err
    assert len(re.findall(r"\bError: ", ran.err)) == 1
    assert ran.err.rstrip().count("\n") == 0 or ran.err.startswith("Usage: ")
    assert ran.out == ""
    after = {name: Path(name).read_bytes() for name in os.listdir() if os.path.isfile(name)}
    assert after == before
