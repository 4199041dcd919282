"""Scores over penalties, of an estimator that has chosen by cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from symbreak.errors import InvalidType
from symbreak.reports.pictures.display import Display, colour
from symbreak.training.selection import name_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DASHES = ("-", "--", "-.", ":")


class PenaltyPathDisplay(Display):
    """The mean score over the folds at each penalty, with its standard error.

    The chosen one is ringed. There is a line for each network that was compared. A penalty of
    0 is left out: the axis is logarithmic.

    Parameters
    ----------
    alphas : the penalties of each network, rising.
    scores : of each network (penalties, folds), higher is better.
    names : of the networks.
    chosen : (place of the network, penalty).
    """

    def __init__(
        self, *, alphas: Sequence[Any], scores: Sequence[Any], names: Sequence[str],
        chosen: tuple[int, float],
    ) -> None:  # fmt: skip
        self.alphas = [np.asarray(one, dtype=np.float64) for one in alphas]
        self.scores = [np.asarray(one, dtype=np.float64) for one in scores]
        self.names, self.chosen = list(names), chosen

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Axes | None = None) -> Self:
        """Draw what a fitted `MLPClassifierCV` or `MLPRegressorCV` chose from.

        Raises
        ------
        InvalidType
            It has chosen nothing.
        """
        if not hasattr(estimator, "scores_path_"):
            raise InvalidType(
                "The estimator must be a fitted MLPClassifierCV or MLPRegressorCV. "
                f"Got {type(estimator).__name__} without scores_path_."
            )
        table = estimator.cv_results_
        hidden, activations = table["param_hidden_layer_sizes"], table["param_activation"]
        networks = [name_of(*one) for one in zip(hidden, activations, strict=True)]
        folds = [table[f"split{fold}_test_score"] for fold in range(estimator.n_splits_)]
        scores = np.column_stack(folds)
        kinds = list(dict.fromkeys(networks))
        rows = [[place for place, one in enumerate(networks) if one == kind] for kind in kinds]
        return cls(
            alphas=[table["param_alpha"][places] for places in rows],
            scores=[scores[places] for places in rows],
            names=kinds,
            chosen=(kinds.index(networks[estimator.best_index_]), estimator.alpha_),
        ).plot(ax)

    def _draw(self, ax: Axes) -> None:
        for place, (alphas, scores) in enumerate(zip(self.alphas, self.scores, strict=True)):
            shown = np.isfinite(scores).all(axis=1) & (alphas > 0.0)
            error = scores[shown].std(axis=1, ddof=1) if scores.shape[1] > 1 else None
            ax.errorbar(
                alphas[shown], scores[shown].mean(axis=1),
                yerr=None if error is None else error / np.sqrt(scores.shape[1]),
                color=colour(place + 1), linestyle=_DASHES[place % len(_DASHES)], marker=".",
                capsize=2.0, label=self.names[place],
            )  # fmt: skip
        place, alpha = self.chosen
        score = self.scores[place][self.alphas[place] == alpha].mean()
        if alpha > 0.0:
            ax.plot(
                [alpha], [score], "o", markersize=11, fillstyle="none", color=colour(place + 1),
                label=f"chosen: {alpha:.3g}",
            )  # fmt: skip
        ax.set(xscale="log", xlabel="penalty alpha", ylabel="score on the folds")
        ax.legend()
