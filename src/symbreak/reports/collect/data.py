"""What was learned from: rows, parts, features, target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symbreak.reports.numbers import section, short

if TYPE_CHECKING:  # these need polars; a report of an outcome does not
    from symbreak.tables.preparation import Preparation
    from symbreak.tables.target import Target
    from symbreak.training.data_split import DataSplit

MOST_FEATURES, MOST_CLASSES, MOST_NAMED = 200, 200, 5


def data_of_split(split: DataSplit, source: str) -> dict[str, Any]:
    """Return a summary of a table that was split and prepared."""
    return {
        "source": short(source),
        "rows": split.n_rows,
        "columns": split.n_columns,
        "train_rows": split.train.n,
        "validation_rows": split.validation.n,
        "holdout_rows": split.holdout.n,
        **columns_and_target(split.preparation, split.target),
    }


def columns_and_target(preparation: Preparation, target: Target) -> dict[str, Any]:
    """Return what the columns are and what is predicted."""
    columns = [_column(one.to_settings()) for one in preparation.columns]
    return section({
        "n_features": len(preparation.feature_names),
        "of_columns": len(columns),
        "column_table": columns[:MOST_FEATURES],
        "target": short(target.name),
        "task": target.task,
        "n_classes": len(target.classes),
        "classes": [short(label) for label in target.classes[:MOST_CLASSES]],
        "target_mean": None if target.classes else target.mean,
        "target_std": None if target.classes else target.std,
        "notes": [short(note, 1000) for note in preparation.notes],
    })  # fmt: skip


def _column(settings: dict[str, Any]) -> dict[str, Any]:
    if settings["kind"] == "number":
        kept = {name: settings[name] for name in ("mean", "std", "median")}
        return {"name": short(settings["name"]), "kind": "number", **kept}
    categories = settings["categories"]
    return {
        "name": short(settings["name"]),
        "kind": "categories",
        "n_categories": len(categories),
        "categories": [short(one, 40) for one in categories[:MOST_NAMED]],
    }
