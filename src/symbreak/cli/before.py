"""The lines that stand before a training."""

from __future__ import annotations

from symbreak.cli.train import TrainOptions
from symbreak.network import Network
from symbreak.training.choosing import Choice
from symbreak.training.data_split import DataSplit
from symbreak.words import counted


def data_line(source: str, split: DataSplit) -> str:
    """Return what was read and what became of it."""
    target, features = split.target, len(split.preparation.feature_names)
    what = f"{len(target.classes)} classes" if target.classes else "numbers"
    line = (
        f"Data: {source}, {counted(split.n_rows, 'row')}, {counted(split.n_columns, 'column')} -> "
        f"{counted(features, 'feature')}; {target.task} of '{target.name}' ({what})."
    )
    return " ".join([line, *split.preparation.notes])


def split_line(split: DataSplit, options: TrainOptions) -> str:
    """Return how many rows do what."""
    validation = f"{split.validation.n} validate" if split.validation.n else "no validation part"
    where = f" in {options.test}" if options.test is not None else ""
    return (
        f"Split: {split.train.n} rows train, {validation}, {split.holdout.n} held out for the "
        f"score{where} (seed {options.seed})."
    )


def network_line(network: Network, options: TrainOptions, alpha: float) -> str:
    """Return what is trained, from where and how."""
    return (
        f"Network: {network}; {counted(options.starts, 'start')} by {options.rule_words}, "
        f"{options.method}, alpha {alpha:g}, {options.dtype}."
    )


def search_line(choice: Choice) -> str:
    """Return which penalty was chosen, and by what."""
    return (
        f"Search: alpha {choice.alpha:g} of {len(choice.alphas)} from {choice.alphas[0]:g} to "
        f"{choice.alphas[-1]:g}; its {choice.score_words} over {choice.folds} folds of the "
        f"training rows, {choice.score:.4f}, is the lowest and chose it. The hold-out score is "
        "apart from this."
    )
