"""What all displays share: axes to draw on, and the colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, cast

from symbreak.errors import InvalidType, MissingOptionalPackage

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, safe for the colour-blind, darkened to stand out from white.
COLOURS = ("#0069a6", "#b84500", "#007455", "#a03d78", "#7a5c00", "#6247b8")
GREY = "#737b84"


class Display:
    """A picture that can be drawn on any axes.

    Attributes
    ----------
    ax_, figure_ : where it was drawn last.
    """

    ax_: Axes
    figure_: Figure

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw on the given axes, or on new ones; return the display."""
        if ax is None:
            try:
                from matplotlib import pyplot
            except ImportError as error:
                raise MissingOptionalPackage.of("A picture", "matplotlib", "report") from error
            ax = pyplot.subplots()[1]
        self.ax_ = ax
        self.figure_ = cast("Figure", ax.get_figure(root=True))
        self._draw(ax)
        return self

    def _draw(self, ax: Axes) -> None:
        raise NotImplementedError


def colour(number: int) -> str:
    """Return the colour of class 1, 2, ...; they come round again after six."""
    return COLOURS[(number - 1) % len(COLOURS)]


def outcome_of(estimator: Any) -> Any:
    """Return the outcome of a fitted estimator or a trained network.

    Raises
    ------
    InvalidType
        It has none.
    """
    for name in ("outcome_", "outcome"):
        if hasattr(estimator, name):
            return getattr(estimator, name)
    raise InvalidType(
        "The estimator must be fitted and keep its outcome_. "
        f"Got {type(estimator).__name__} without one; fit it first, or use from_outcome."
    )
