"""What `symbreak train` was asked for, and its words turned into what the library takes."""

from __future__ import annotations

import dataclasses
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from symbreak.cli.choices import (
    ACTIVATIONS,
    DATASETS,
    ON_ALL_EXAMPLES,
    ON_BATCHES,
    RULES,
    WITH_LEARNING_RATE,
    WITH_MOMENTUM,
    listed,
)
from symbreak.cli.header_option import Header
from symbreak.cli.loading import loading
from symbreak.cli.network_options import NetworkOptions
from symbreak.errors import InvalidInput

if TYPE_CHECKING:
    from symbreak.training.settings import Settings

HOLDOUT, VALIDATION = 0.2, 0.15


@dataclass(frozen=True, kw_only=True)
class TrainOptions(NetworkOptions):
    """The options of `symbreak train`, as typed.

    Raises
    ------
    InvalidInput
        Options that contradict each other.
    """

    data: Annotated[
        Path | None,
        typer.Argument(
            metavar="DATA",
            help="CSV, TSV, TXT, Parquet, NPZ or MAT file with one example in a row.",
        ),
    ] = None
    target: Annotated[str | None, typer.Option(metavar="COLUMN", help="The column to learn.")] = (
        None
    )
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"Instead of DATA: {listed(DATASETS)}.",
        ),
    ] = None
    header: Header = None
    test: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Score on this file instead of a hold-out part."),
    ] = None
    task: Annotated[
        str | None,
        typer.Option(
            metavar="TASK",
            help="classification or regression; by default text, true/false and up to 20 "
            "different whole numbers are classes.",
        ),
    ] = None
    drop: Annotated[
        tuple[str, ...],
        typer.Option(metavar="COLUMN", help="Leave a column out; may be repeated."),
    ] = ()
    keep: Annotated[
        tuple[str, ...],
        typer.Option(
            metavar="COLUMN",
            help="Learn from a column that is left out as an identifier; may be repeated.",
        ),
    ] = ()
    group: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Rows with one value of this column, such as a patient, stay together in every "
            "split; it is no feature.",
        ),
    ] = None
    time: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Split by this column, numbers or dates: the score comes from the latest rows; it "
            "is no feature.",
        ),
    ] = None
    weight: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Weights of the rows, 0 or above, in training and scores; it is no feature.",
        ),
    ] = None
    holdout: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Share of the rows kept for the score; by default 0.2, but none of fewer than "
            "1000 rows, whose score comes from cross-validation of the whole training.",
        ),
    ] = None
    validation: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Share of the other rows that scores single starts; 0.15 where --combine best "
            "chooses by it, else none.",
        ),
    ] = None
    hidden: Annotated[
        str | None,
        typer.Option(
            metavar="UNITS",
            help="Units of each hidden layer, such as 25,10; none for no layer; by default chosen.",
        ),
    ] = None
    activation: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"{listed(ACTIVATIONS)}; one, or one for each hidden layer: relu,tanh; by default "
            "chosen.",
        ),
    ] = None
    init: Annotated[
        str | None,
        typer.Option(
            metavar="RULE",
            help=f"How starts are drawn: {listed(RULES, glorot_uniform='default')}.",
        ),
    ] = None
    epsilon: Annotated[
        float | None,
        typer.Option(help="Draw every parameter from [-EPSILON, EPSILON] (rule uniform)."),
    ] = None
    starts: Annotated[int, typer.Option(metavar="N", help="Number of starts.")] = 16
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of split and starts.")] = 0
    combine: Annotated[
        str,
        typer.Option(
            metavar="HOW",
            help="average of the starts' predictions, best (by the validation part) or "
            "lowest-cost.",
        ),
    ] = "average"
    method: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help=f"{listed(ON_ALL_EXAMPLES)}, on all examples at once; {listed(ON_BATCHES)}, on "
            "mini-batches; or scipy:NAME, a method of scipy.optimize.minimize, such as scipy:BFGS.",
        ),
    ] = "l-bfgs"
    learning_rate: Annotated[
        float | None, typer.Option(help=f"Of {listed(WITH_LEARNING_RATE, 'and')}.")
    ] = None
    momentum: Annotated[
        float | None,
        typer.Option(help=f"Of {listed(WITH_MOMENTUM, 'and')}; 0.9 by default."),
    ] = None
    alpha: Annotated[
        float | None,
        typer.Option(
            help="L2 penalty alpha/(2m) times the sum of squared weights; by default chosen."
        ),
    ] = None
    quick: Annotated[
        bool,
        typer.Option(
            "--quick",
            help="Choose nothing by cross-validation: 25 tanh units, and alpha 1 for "
            "classification, 10 for regression, unless they are given.",
        ),
    ] = False
    budget: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            help="Time for comparing networks and penalties by cross-validation.",
        ),
    ] = 60.0
    search: Annotated[
        bool, typer.Option("--search", help="Without effect: the search is the default now.")
    ] = False
    max_iter: Annotated[int, typer.Option(metavar="N", help="Most iterations of each start.")] = (
        1000
    )
    dtype: Annotated[str, typer.Option(metavar="DTYPE", help="float64 or float32.")] = "float64"
    device: Annotated[
        str, typer.Option(metavar="DEVICE", help="A PyTorch device, such as cpu or cuda.")
    ] = "cpu"
    model: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the trained model here.")
    ] = None
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write everything found here, as JSON.")
    ] = None
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write an HTML page of the run here.")
    ] = None
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Print only the hold-out score and warnings.")
    ] = False

    def __post_init__(self) -> None:
        if (self.data is None) == (self.dataset is None):
            raise InvalidInput(
                "The data must be one file or one --dataset NAME. "
                f"Got {'neither' if self.data is None else 'both'}."
            )
        self.check_network()
        if self.test is not None and self.holdout is not None:
            raise InvalidInput(
                "--holdout must not stand beside --test, whose rows give the score. "
                f"Got --holdout {self.holdout:g}; leave one out."
            )
        if self.search and self.quick:
            raise InvalidInput(
                "--quick must not stand beside --search, which it turns off. Got both; leave one "
                "out."
            )
        if self.quick and self.budget != type(self).budget:
            raise InvalidInput(
                "--quick must not stand beside --budget, the time for what it turns off. "
                f"Got --budget {self.budget:g}; leave one out."
            )
        if not self.budget >= 0.0:
            raise InvalidInput(f"--budget must be seconds, 0 or above. Got {self.budget:g}.")
        if self.alpha is not None:
            self.alpha_for("")
        if self.seed < 0:
            raise InvalidInput(f"--seed must be 0 or above. Got {self.seed}.")
        for name in self.method_options:
            _check_taken(name, self.method)

    @property
    def method_options(self) -> dict[str, float]:
        """The options of the method that were given."""
        typed = {"learning_rate": self.learning_rate, "momentum": self.momentum}
        return {name: value for name, value in typed.items() if value is not None}

    @property
    def holdout_share(self) -> float:
        """The share of the rows that is kept for the score where one is."""
        return HOLDOUT if self.holdout is None else self.holdout

    @property
    def may_cross_validate(self) -> bool:
        """Whether the score may come from cross-validation: nothing asks for other rows."""
        asks = (self.holdout, self.test, self.time, self.validation)
        return not self.quick and self.combine != "best" and all(one is None for one in asks)

    @property
    def validation_share(self) -> float:
        """The share of the rows that scores single starts: none where it would choose nothing."""
        if self.validation is None:
            return VALIDATION if self.combine == "best" else 0.0
        return self.validation

    @property
    def settings(self) -> Settings:
        """What the training is asked for."""
        from symbreak.training.settings import Settings

        return Settings(
            hidden=None if self.hidden is None else self.hidden_layers,
            activation=None if self.activation is None else self.activations,
            rule=self.rule, starts=self.starts, seed=self.seed, combine=self.combine,
            method=self.method, method_options=self.method_options, max_iter=self.max_iter,
            alpha=self.alpha, search=not self.quick, budget=self.budget, dtype=self.dtype,
            device=self.device,
        )  # fmt: skip

    def command_line(self, **changes: Any) -> str:
        """Return the command that asks for these options, changed."""
        words = ["symbreak", "train"]
        options = dataclasses.replace(self, **changes)
        for option in dataclasses.fields(options):
            value = getattr(options, option.name)
            if value != option.default:
                words += _words("--" + option.name.replace("_", "-"), value)
        return shlex.join(words)

    def as_dict(self) -> dict[str, Any]:
        """Return the options as plain data."""
        values = dataclasses.asdict(self)
        return {name: str(one) if isinstance(one, Path) else one for name, one in values.items()}


def train(options: TrainOptions) -> None:
    """Train a network on a table from many random starts.

    Checks the gradient and the symmetry of the starts first. Ctrl-C keeps the best so far; files
    that are there already stay, and it is written beside them.
    """
    with loading():
        from symbreak.cli.train_run import run

    raise typer.Exit(run(options))


def _check_taken(option: str, method: str) -> None:
    from symbreak.optimize.methods import find_method, methods_taking

    if option not in find_method(method).options:
        raise InvalidInput(
            f"--{option.replace('_', '-')} must come with --method "
            f"{' or '.join(methods_taking(option))}. Got --method {method}."
        )


def _words(flag: str, value: Any) -> list[str]:
    if flag == "--data":
        return [str(value)]
    if isinstance(value, bool):
        return [flag if value else flag.replace("--", "--no-", 1)]
    if isinstance(value, tuple):
        return [word for one in value for word in (flag, one)]
    return [flag, str(value)]
