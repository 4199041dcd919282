"""The page of a training: the result of the command turned into what reports show."""

from __future__ import annotations

from symbreak.cli.after import keep_command, predict_command
from symbreak.cli.result import Result
from symbreak.cli.train_options import TrainOptions
from symbreak.reports.collect.training import Run, of_run
from symbreak.reports.report import Report
from symbreak.training.checks import CHECKED_ROWS

_LONGEST = 20_000  # characters of a command that a page shows


def report_of(result: Result) -> Report:
    """Return the report of a training."""
    symmetry = result.symmetry
    run = Run(
        trained=result.trained,
        parts=result.parts,
        source=result.source,
        theta=result.theta,
        gradient=result.gradient,
        gradient_rows=min(CHECKED_ROWS, result.parts.train.n),
        symmetry={
            "units": symmetry.units,
            "least": symmetry.least,
            "kinds": symmetry.kinds,
            "is_broken": symmetry.is_broken,
            "line": symmetry.line,
        },
        choice=result.choice,
        singles=result.singles,
        path=result.path,
        reproduce={
            "command": _short(result.options.command_line()),
            "python": _short(python_of(result)),
            "settings": {**result.options.as_dict(), "alpha": result.alpha},
        },
        then=_then(result),
    )
    return Report.of(of_run(run))


def python_of(result: Result) -> str:
    """Return a program that trains the same starts on the same rows."""
    options, parts, network = result.options, result.parts, result.trained.network
    reading, table, test = _reading(options)
    names = tuple(activation.name for activation in network.activations)
    split = {
        "task": parts.target.task, "drop": options.drop, "holdout": options.holdout,
        "validation": options.validation, "seed": options.seed,
        "separate_test": options.test is not None,
    }  # fmt: skip
    given = {
        "starts": options.starts, "seed": options.seed, "method": options.method,
        "alpha": result.alpha, "max_iter": options.max_iter, "combine": options.combine,
        "dtype": options.dtype, "device": options.device, **options.method_options,
    }  # fmt: skip
    rule = repr(options.init or "glorot_uniform")
    if options.epsilon is not None:
        rule = f"sb.rules.Uniform(epsilon={options.epsilon!r})"
    validation = "parts.validation" if parts.validation.n else "None"
    return "\n".join([
        "import symbreak as sb", *reading, "from symbreak.training import train",
        "from symbreak.training.parts import Parts", "",
        table,
        f"parts = Parts.of(table, {options.target_column!r}, {_words(split)})", *test,
        f"network = sb.Network({network.layers!r}, {names!r}, {parts.loss!r})",
        f"trained = train(network, *parts.train, rule={rule}, validation={validation},",
        f"    {_words(given)})",
        "prediction = trained.predict(parts.holdout.X)",
    ])  # fmt: skip


def _reading(options: TrainOptions) -> tuple[list[str], str, list[str]]:
    names, test = [], []
    header = "" if options.header is None else f", header={options.header}"
    if options.test is not None:
        names, path = ["read_alike"], str(options.test)
        test = [f"parts = parts.with_test(read_alike({path!r}, parts{header}))"]
    if options.dataset is None:
        names, table = [*names, "read_table"], f"table = read_table({str(options.data)!r}{header})"
    else:
        table = f"table, _ = load_dataset({options.dataset!r})"
    imports = [f"from symbreak.tables.read import {', '.join(names)}"] if names else []
    if options.dataset is not None:
        imports.insert(0, "from symbreak.tables.datasets import load_dataset")
    return imports, table, test


def _words(arguments: dict[str, object]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items())


def _then(result: Result) -> str:
    options = result.options
    if options.model is None:
        return f"To keep the model, train with --model: {_short(keep_command(options))}"
    return f"Predict rows with it: {_short(predict_command(result))}"


def _short(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"(longer than {_LONGEST} characters, so it is not shown)"
