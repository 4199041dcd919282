"""How to do a training of the command again: its command line, and a program in Python."""

from __future__ import annotations

from collections.abc import Mapping

from symbreak.cli.train import TrainOptions
from symbreak.training.record import Provenance
from symbreak.training.table_training import Prepared

_LONGEST = 20_000  # characters of a command that a page shows


def provenance_of(options: TrainOptions, source: str, ready: Prepared) -> Provenance:
    """Return where a training of the command comes from."""
    network = ready.network
    used = {
        "hidden": ",".join(map(str, network.layers[1:-1])) or "none",
        "activation": ",".join(dict.fromkeys(one.name for one in network.activations)) or None,
        "alpha": ready.alpha,
        "validation": options.validation_share,
    }
    return Provenance(
        source=source,
        command=shortened(options.command_line()),
        python=shortened(python_of(options, ready)),
        settings={**options.as_dict(), **used},
    )


def python_of(options: TrainOptions, ready: Prepared) -> str:
    """Return a program that trains the same starts on the same rows."""
    reading, table, test = _reading(options)
    split, network = ready.split, ready.network
    names = tuple(activation.name for activation in network.activations)
    more = {
        "group": options.group, "time": options.time, "weight": options.weight,
        "keep": options.keep,
    }  # fmt: skip
    shares = {
        "task": split.target.task, "drop": options.drop, "holdout": options.holdout_share,
        "validation": options.validation_share, "seed": options.seed,
        "separate_test": options.test is not None or not split.holdout.n,
        **{name: given for name, given in more.items() if given},
    }  # fmt: skip
    arguments = {
        "starts": options.starts, "seed": options.seed, "method": options.method,
        "alpha": ready.alpha, "max_iter": options.max_iter, "combine": options.combine,
        "dtype": options.dtype, "device": options.device, **options.method_options,
    }  # fmt: skip
    rule = repr(options.init or "glorot_uniform")
    if options.epsilon is not None:
        rule = f"sb.rules.Uniform(epsilon={options.epsilon!r})"
    validation = "split.validation" if split.validation.n else "None"
    if options.weight is not None:
        validation += ", sample_weight=split.weights['training']"
    return "\n".join([
        "import symbreak as sb", *reading, "from symbreak.training import train",
        "from symbreak.training.data_split import DataSplit", "",
        table,
        f"split = DataSplit.of(table, {options.target_column!r}, {_words(shares)})", *test,
        f"network = sb.Network({network.layers!r}, {names!r}, {split.loss!r})",
        f"trained = train(network, *split.train, rule={rule}, validation={validation},",
        f"    {_words(arguments)})",
        f"prediction = trained.predict(split.{'holdout' if split.holdout.n else 'train'}.X)",
    ])  # fmt: skip


def _reading(options: TrainOptions) -> tuple[list[str], str, list[str]]:
    names, test = [], []
    header = "" if options.header is None else f", header={options.header}"
    if options.test is not None:
        names, path = ["read_alike"], str(options.test)
        test = [f"split = split.with_test(read_alike({path!r}, split{header}))"]
    if options.dataset is None:
        names, table = [*names, "read_table"], f"table = read_table({str(options.data)!r}{header})"
    else:
        table = f"table, _ = load_dataset({options.dataset!r})"
    imports = [f"from symbreak.tables.read import {', '.join(names)}"] if names else []
    if options.dataset is not None:
        imports.insert(0, "from symbreak.tables.datasets import load_dataset")
    return imports, table, test


def _words(arguments: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items())


def shortened(text: str) -> str:
    """Return a text that a page can show, or a word on why it does not."""
    if len(text) <= _LONGEST:
        return text
    return f"(longer than {_LONGEST} characters, so it is not shown)"
