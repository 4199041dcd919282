"""J over iterations, and J at the end, of all starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from symbreak.optimize import Outcome
from symbreak.reports.pictures.display import GREY, Display, colour, outcome_of
from symbreak.reports.svg import axis_limit
from symbreak.text import pluralize

if TYPE_CHECKING:
    from matplotlib.axes import Axes


MOST_IN_LEGEND = 8


class CostCurvesDisplay(Display):
    """J after every iteration of every start; the chosen start stands out, its kept point dotted.

    Of starts that diverge, J is drawn up to a hundred times the highest start.

    Parameters
    ----------
    history : (iterations + 1, starts), NaN after a start has ended.
    chosen : the start to mark.
    kept : the iteration and J of its kept point, if known.
    validation : (points,) or (points, starts), a validation score or loss beside it, if any.
    """

    def __init__(
        self, *, history: Any, chosen: int, validation: Any = None, kept: Any = None
    ) -> None:
        self.history = np.asarray(history, dtype=np.float64)
        self.chosen, self.kept = chosen, kept
        self.validation = None if validation is None else np.asarray(validation, dtype=np.float64)

    @classmethod
    def from_outcome(
        cls,
        outcome: Outcome,
        *,
        chosen: int | None = None,
        validation: Any = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw an outcome of `minimize`; the start with the lowest J is chosen unless given."""
        start = outcome.best if chosen is None else chosen
        kept = outcome.best_iteration[start], outcome.value[start]
        return cls(history=outcome.history, chosen=start, validation=validation, kept=kept).plot(ax)

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Axes | None = None) -> Self:
        """Draw a fitted estimator or trained network, with its validation scores if it keeps them.

        The start that is chosen is the one that leads its prediction.
        """
        outcome, scores = outcome_of(estimator), getattr(estimator, "validation_scores_", None)
        chosen = getattr(getattr(estimator, "training_", estimator), "lead", None)
        # There is no score before the first iteration.
        validation = None if scores is None else [np.nan, *scores]
        return cls.from_outcome(outcome, chosen=chosen, validation=validation, ax=ax)

    def _draw(self, ax: Axes) -> None:
        finite = self.history[np.isfinite(self.history)]
        is_log = bool(finite.size and finite.min() > 0.0)
        shown = self._cut(finite, is_log)
        for start, J in enumerate(shown.T):
            if start != self.chosen:
                ax.plot(J, color=GREY, linewidth=1.0, alpha=0.6)
        ax.plot(
            shown[:, self.chosen], color=colour(1), linewidth=2.5,
            label=f"start {self.chosen}, chosen of {self.history.shape[1]}",
        )  # fmt: skip
        if self.kept is not None and np.isfinite(self.kept[1]):
            ax.plot(*self.kept, "o", color=colour(1), label="the point that is kept")
        ax.set_xscale("symlog", linthresh=1.0)
        ax.set_xlim(0.0, max(len(self.history) - 1, 1))
        if is_log:
            ax.set_yscale("log")
        is_cut = bool((self.history > shown).any())
        ax.set(xlabel="iterations", ylabel="J (cut at the top)" if is_cut else "J")
        if self.validation is not None:
            other = ax.twinx()
            other.plot(self.validation, color=colour(2), linewidth=1.5, linestyle="--")
            other.set_ylabel("validation (dashed)")
        ax.legend()

    def _cut(self, finite: NDArray[np.float64], is_log: bool) -> NDArray[np.float64]:
        if not finite.size:
            return self.history
        lines = [J[np.isfinite(J)] for J in self.history.T]
        return np.minimum(self.history, axis_limit(lines, log=is_log))


class FinalCostsDisplay(Display):
    """J at the end of every start, sorted; the starts at one minimum have one colour and mark.

    Parameters
    ----------
    value : (starts,).
    minima : groups of starts, lowest first; the others did not converge.
    n_lowest : how many reached the lowest J.
    """

    MARKS = "osD^v<>P"

    def __init__(self, *, value: Any, minima: Any, n_lowest: int) -> None:
        self.value = np.asarray(value, dtype=np.float64)
        self.minima = [tuple(group) for group in minima]
        self.n_lowest = n_lowest

    @classmethod
    def from_outcome(cls, outcome: Outcome, *, minima: Any = None, ax: Axes | None = None) -> Self:
        """Draw an outcome; `minima` are other groups, such as `distinct_minima(...).by_theta`."""
        found = outcome.restarts
        groups = [one.starts for one in found.minima] if minima is None else minima
        return cls(value=outcome.value, minima=groups, n_lowest=found.n_lowest).plot(ax)

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Axes | None = None) -> Self:
        """Draw a fitted estimator."""
        return cls.from_outcome(outcome_of(estimator), ax=ax)

    @property
    def text(self) -> str:
        """How many starts reached the best."""
        return f"{self.n_lowest} of {pluralize(len(self.value), 'start')} reached the best"

    def _draw(self, ax: Axes) -> None:
        from matplotlib.ticker import MaxNLocator

        order = np.argsort(self.value, kind="stable")
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(1, len(order) + 1)
        for number, group in enumerate(self.minima, start=1):
            starts = list(group)
            ax.plot(
                rank[starts], self.value[starts], self.MARKS[(number - 1) % len(self.MARKS)],
                color=colour(number), label=f"minimum {number}: {pluralize(len(starts), 'start')}",
            )  # fmt: skip
        others = sorted(set(range(len(order))) - {start for one in self.minima for start in one})
        others = [start for start in others if np.isfinite(self.value[start])]
        if others:
            ax.plot(
                rank[others], self.value[others], "o", mfc="none", color=GREY, label="not converged"
            )
        ax.set(xlabel="starts, lowest J first", ylabel="J at the end", title=self.text)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        if self.minima or others:
            handles, labels = ax.get_legend_handles_labels()
            more = len(labels) - MOST_IN_LEGEND
            title = f"{more} more are not named" if more > 0 else None
            ax.legend(handles[:MOST_IN_LEGEND], labels[:MOST_IN_LEGEND], title=title)
