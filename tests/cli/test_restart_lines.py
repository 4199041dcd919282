"""`symbreak train` says what the starts show together, and which were drawn again."""

from __future__ import annotations

import json

FEW = ("--quick", "--dataset", "iris", "--hidden", 4, "--starts", 5)


def test_two_lines_below_the_table_of_starts_and_the_same_in_the_json(run, tmp_path):
    found = tmp_path / "f.json"
    ran = run("train", *FEW, "--json", found)
    lines = ran.out.splitlines()
    place = next(i for i, line in enumerate(lines) if " of 5 starts reached the lowest J" in line)
    assert lines[place - 1].startswith("└")
    assert lines[place + 1].startswith("The next start: a new value, about ")
    assert "at most 17 % (1 in 6)." in lines[place + 1]
    record = json.loads(found.read_text(encoding="utf-8"))
    restarts = record["restarts"]
    J = sorted(start["J"] for start in record["starts"])
    assert restarts["lowest_J"] == J[0]
    near = sum(one <= J[0] * 1.0001 for one in J)
    assert near <= restarts["n_lowest"] <= 5
    assert lines[place].startswith(f"{restarts['n_lowest']} of 5 starts reached the lowest J")
    assert sum(len(one["starts"]) for one in restarts["minima"]) == restarts["n_converged"] == 5
    assert record["redrawn"] == 0
    assert "drawn again" not in ran.out


def test_starts_that_are_still_on_their_way_are_no_minima(run, tmp_path):
    found = tmp_path / "f.json"
    ran = run("train", *FEW, "--max-iter", 3, "--json", found)
    assert "none converged, so no value is a minimum." in ran.out
    assert "The lowest has not converged: stopped at max_iter; raise max_iter to go on." in ran.out
    assert json.loads(found.read_text(encoding="utf-8"))["restarts"]["chance_of_new"] is None


def test_starts_that_were_drawn_again_are_counted(run, tmp_path):
    """Weights up to 1e154: the penalty overflows at most starts, not at all."""
    found = tmp_path / "f.json"
    ran = run("train", *FEW, "--epsilon", 1.1e154, "--alpha", 36, "--max-iter", 0,
              "--json", found)  # fmt: skip
    redrawn = json.loads(found.read_text(encoding="utf-8"))["redrawn"]
    assert redrawn > 0
    assert f"A start was drawn again {redrawn} times, as J or its gradient was not " in ran.out


def test_quiet_says_nothing_of_it(run):
    assert run("train", *FEW, "--max-iter", 3, "--quiet").out.count("\n") == 1
