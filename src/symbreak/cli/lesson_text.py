"""The steps of `symbreak lesson`: sentences around tables, one screen each.

Sentences that are true for every network are written here; what depends on the data is asked of the
lesson.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from rich.console import Console
from rich.table import Table

from symbreak.lesson.facts import Drift, Lesson, Pair, Run, Snapshot, StartResult, TwoUnits
from symbreak.text import pluralize


def print_lesson(lesson: Lesson, source: str, notes: Sequence[str]) -> None:
    """Print the whole lesson."""
    console = Console(markup=False, highlight=False)
    zeros, constant, uniform = lesson.starts
    same = _constant_words(constant)
    steps: list[tuple[str, Callable[[], None]]] = [
        ("No hidden layer: zeros work", lambda: _logistic(console, lesson)),
        ("Zeros: two hidden units", lambda: _units(console, zeros, _zeros_words())),
        ("Zeros: training", lambda: _symmetric_training(console, lesson, zeros)),
        ("A constant: two hidden units", lambda: _units(console, constant, same)),
        ("A constant: training", lambda: _symmetric_training(console, lesson, constant)),
        ("Random: two hidden units", lambda: _units(console, uniform, _uniform_words(lesson))),
        ("Random: training", lambda: _random_training(console, lesson, uniform)),
        ("What rounding does", lambda: _rounding(console, lesson)),
        ("All together", lambda: _together(console, lesson)),
    ]
    _opening(console, lesson, source, notes)
    for number, (title, show) in enumerate(steps, start=1):
        console.print(f"\n--- {number} of {len(steps)}. {title} ---\n")
        show()


def _opening(console: Console, lesson: Lesson, source: str, notes: Sequence[str]) -> None:
    sizes = "-".join(map(str, lesson.layers))
    console.print(
        f"Why theta must start at random: the network {sizes} ({lesson.activation}; one output "
        f"for each class, {lesson.loss}) on {source}, {lesson.n_examples} examples of "
        f"{len(lesson.classes)} classes. {' '.join(notes)}\n"
        "Every number below was computed for you just now, in float64. J and accuracy are those of "
        "the examples trained on: they compare runs and promise nothing about new examples. "
        f"Always naming the most frequent class has accuracy {lesson.most_frequent_share:.3f}."
    )


def _logistic(console: Console, lesson: Lesson) -> None:
    console.print(
        "Logistic regression from theta = 0. Each weight has an input of its own, so its "
        "derivative differs from that of its neighbours, and J, being convex, has no second "
        "minimum to be caught in."
    )
    console.print(runs_table(lesson.logistic_regression, ()))


def _units(console: Console, start: StartResult, words: str) -> None:
    console.print(words)
    console.print(units_table("Layer 2 at the start", start.units_before))
    console.print(
        "Row 0 of Theta1 leads into unit 1, row 1 into unit 2 (column 0 is the bias); columns 1 "
        "and 2 of Theta2 lead out of them. Weights in the same place have one colour in the "
        "lecture's drawing."
    )
    console.print(pairs_table(start.pairs))
    if start.warning is not None:
        console.print(f"symbreak warns of such a start: {start.warning}")


def _zeros_words() -> str:
    return (
        "Every parameter is 0. Both units see the same, answer a = g(0) = 0.5, and are told the "
        "same: delta(2) = Theta2' delta(3) * g'(z) = 0, because Theta2 is 0. With delta(2) = 0 "
        "every derivative by Theta1 is 0; those by Theta2 are equal in pairs."
    )


def _constant_words(start: StartResult) -> str:
    return (
        f"Every parameter is {start.value:g}. The units answer and are told something now, but the "
        "same for both. Equal weights have equal derivatives, so each update keeps them equal."
    )


def _uniform_words(lesson: Lesson) -> str:
    return (
        f"Every parameter is drawn from [-{lesson.epsilon:g}, {lesson.epsilon:g}) with seed "
        f"{lesson.seed}. The units answer differently, are told different things, and go "
        "different ways. (This epsilon is not the small step of a gradient check.)"
    )


def _symmetric_training(console: Console, lesson: Lesson, start: StartResult) -> None:
    hidden = lesson.layers[1:-1]
    noise = max(run.averaged_away for run in start.runs)
    stationary = any(run.is_stationary for run in start.runs)
    console.print(
        "These runs are made in exact symmetry: the gradient is averaged over equal units, as "
        "exact arithmetic would have it."
        + ("" if stationary else _noise_words(noise))
        + f" {_methods_words(start.runs)}"
    )
    console.print(runs_table(start.runs, hidden))
    console.print("\n".join(_symmetric_findings(lesson, start)))
    last = start.runs[-1]
    if not last.is_stationary:
        title = f"Layer 2 after {pluralize(last.end.updates, 'update')} of {last.method}"
        console.print(units_table(title, start.units_after))


def _noise_words(noise: float) -> str:
    return (
        f" At the points shown that changed no derivative by more than {noise:.0e} of the largest: "
        "it removed rounding."
    )


def _methods_words(runs: Sequence[Run]) -> str:
    options = ", ".join(
        f"{name.replace('_', ' ')} {value:g}" for run in runs for name, value in run.options.items()
    )
    return f"Gradient descent has {options}."


def _symmetric_findings(lesson: Lesson, start: StartResult) -> list[str]:
    hidden = lesson.layers[1:-1]
    if all(run.is_stationary for run in start.runs):
        return [
            f"The largest derivative at this start is {start.largest_derivative:.0e}, zero up to "
            "rounding. The start is stationary, no method can leave it, and that is not "
            "convergence to a minimum."
        ]
    run = min(start.runs, key=lambda run: run.end.J)
    found = []
    if run.end.J < run.before.J:
        found.append(
            f"J falls from {run.before.J:.4g} to {run.end.J:.4g} with {run.method}, and the "
            f"distinct hidden units are {distinct_words(run.end, hidden)} all the same: J does not "
            "tell."
        )
    if run.after_one.largest_theta1 == 0.0:
        found.append("The first update left Theta1 at exactly 0, since delta(2) was 0.")
    if run.after_one.largest_theta1 == 0.0 < run.end.largest_theta1:
        found.append(
            "At the end, with Theta2 no longer 0, the largest entry of Theta1 is "
            f"{run.end.largest_theta1:.3g}, and all its rows are alike."
        )
    return found


def _random_training(console: Console, lesson: Lesson, start: StartResult) -> None:
    console.print("Nothing is averaged here: no two units are equal, and none become so.")
    console.print(runs_table(start.runs, lesson.layers[1:-1]))
    last = start.runs[-1]
    title = f"Layer 2 after {pluralize(last.end.updates, 'update')} of {last.method}"
    console.print(units_table(title, start.units_after))


def _rounding(console: Console, lesson: Lesson) -> None:
    console.print(
        "The symmetric runs once more without averaging. In exact arithmetic nothing would change. "
        "A computer sums in an order that can differ from unit to unit, so equal derivatives may "
        "differ in their last bits, and as J is often lower beside the symmetric theta, training "
        "can make such a difference grow. Differences are relative to the largest parameter; - "
        f"means never within {pluralize(lesson.updates, 'update')}. Compare J with the averaged "
        "runs above."
    )
    console.print(
        drift_table((start.rule, drift) for start in lesson.starts for drift in start.drifts)
    )
    console.print(
        "This is luck of the last bit, another one on another machine. It is no cure: draw theta "
        "at random."
    )


def _together(console: Console, lesson: Lesson) -> None:
    console.print(summary_table(lesson))
    console.print(
        "A hidden layer of equal units can do what one unit can, which is enough only where a "
        "table is easy. `symbreak train` says before each training how many units are distinct, "
        "and starts at random:\n\n"
        "    symbreak train --dataset digits --starts 16"
    )


def units_table(title: str, units: TwoUnits) -> Table:
    """Return a(2) and delta(2) of units 1 and 2, one example in a row."""
    table = _table(title, ["example", "a, unit 1", "a, unit 2", "delta, unit 1", "delta, unit 2"])
    columns = zip(units.examples, *units.a, *units.delta, strict=True)
    for example, *numbers in columns:
        table.add_row(str(example), *map(_number, numbers))
    return table


def pairs_table(pairs: Sequence[Pair]) -> Table:
    """Return the derivatives by the weights in the same place of units 1 and 2."""
    table = _table("dJ by weights in the same place", ["unit 1", "dJ", "unit 2", "dJ"])
    for pair in pairs:
        cells = zip(pair.names, pair.derivatives, strict=True)
        table.add_row(*(cell for name, number in cells for cell in (name, _number(number))))
    return table


def runs_table(runs: Sequence[Run], hidden: Sequence[int]) -> Table:
    """Return J, accuracy and distinct units of the runs from one start."""
    headings = ["method", "updates", "J", "accuracy", *(["distinct units"] if hidden else [])]
    table = _table(None, headings, text=1)
    for run in runs:
        for number, point in enumerate(_different([run.before, run.after_one, run.end])):
            table.add_row(run.method if number == 0 else "", *_cells(point, hidden))
    return table


def drift_table(rows: Iterable[tuple[str, Drift]]) -> Table:
    """Return when rounding tears equal units apart."""
    headings = ["start", "method", "a bit", "1e-12", "1e-3", "end", "J"]
    table = _table("Update at which equal units differ by", headings, text=2)
    for rule, drift in rows:
        first = (drift.first_unequal, drift.first_above_rounding, drift.first_visible)
        updates = ("-" if update is None else str(update) for update in first)
        table.add_row(rule, drift.method, *updates, f"{drift.spread:.1e}", f"{drift.end.J:.4g}")
    return table


def summary_table(lesson: Lesson) -> Table:
    """Return the end of every run in one line."""
    hidden = lesson.layers[1:-1]
    table = _table(None, ["start", "method", "J", "accuracy", "distinct units"], text=2)
    for run in lesson.logistic_regression:
        table.add_row("zeros, logistic", run.method, *_cells(run.end, ())[1:], "-")
    for start in lesson.starts:
        for run in start.runs:
            table.add_row(start.rule, run.method, *_cells(run.end, hidden)[1:])
    return table


def distinct_words(point: Snapshot, hidden: Sequence[int]) -> str:
    """Return "1 of 25", or "1 of 25, 1 of 10" for two hidden layers."""
    pairs = zip(point.distinct_units, hidden, strict=True)
    return ", ".join(f"{distinct} of {units}" for distinct, units in pairs)


def _cells(point: Snapshot, hidden: Sequence[int]) -> list[str]:
    words = [distinct_words(point, hidden)] if hidden else []
    return [str(point.updates), f"{point.J:.4g}", f"{point.accuracy:.3f}", *words]


def _number(number: float) -> str:
    return f"{number + 0.0:.6g}"  # -0.0 + 0.0 is 0.0


def _different(points: Sequence[Snapshot]) -> list[Snapshot]:
    """Leave out points that are the same point: a start that never moved, a run of one update."""
    return list({point.updates: point for point in points}.values())


def _table(title: str | None, headings: Sequence[str], *, text: int = 0) -> Table:
    """Return an empty table whose first `text` columns hold words and the others numbers."""
    table = Table(title=title, title_justify="left", title_style="")
    for number, heading in enumerate(headings):
        is_text = number < text
        table.add_column(heading, justify="left" if is_text else "right", no_wrap=is_text)
    return table
