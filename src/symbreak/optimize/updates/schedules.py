"""The learning rate of each start over time.

Conventions
-----------
epoch = 0, 1, 2, ...; the rate holds for a whole epoch
constant:    rate = learning_rate
invscaling:  rate = learning_rate / (1 + epoch)^power_t
cosine:      rate = learning_rate ½ (1 + cos(π (epoch mod T) / T)), T = cosine_epochs
             (Loshchilov & Hutter 2017, eq. 5): down to 0 in T epochs, then again from the top
adaptive:    divided by 5 for a start whose J has not fallen by more than tol below its lowest for
             n_iter_no_change evaluations in a row; then the count begins anew. At a rate of 1e-6 or
             below, as in scikit-learn, the start ends instead
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from symbreak.errors import InvalidInput
from symbreak.optimize.per_start import Floats, Mask, PerStart

SCHEDULES = ("constant", "invscaling", "adaptive", "cosine")
DIVISOR = 5.0
LEAST_RATE = 1e-6  # which is not divided any more


class Schedule(PerStart):
    """The same rate for ever; other schedules derive from it.

    learning_rate : (), or (starts,) one for each start.
    """

    per_start: ClassVar[tuple[str, ...]] = ("_rates",)

    def __init__(self, learning_rate: Floats) -> None:
        self._learning_rate = learning_rate

    def start(self, value: Floats) -> None:
        """Begin with J (starts,) at the starts.

        Raises
        ------
        InvalidInput
            As many learning rates as there are not starts.
        """
        if self._learning_rate.shape not in ((), value.shape):
            raise InvalidInput(
                f"learning_rate must be a number or one for each of {len(value)} starts. "
                f"Got shape {self._learning_rate.shape}."
            )
        self._rates = np.array(np.broadcast_to(self._learning_rate, value.shape))

    def rates(self, epoch: int) -> Floats:
        """Return the rates of an epoch, (starts,)."""
        return self._rates * self.factor(epoch)

    def twin_settings(self) -> Mapping[str, float]:
        """Return its options by the names that the compiled core asks for."""
        return {}

    def look(self, value: Floats) -> None:
        """Take notice of J (starts,) at the end of an epoch."""

    def ended(self) -> Mask:
        """Return which starts are at the end of their rates, (starts,)."""
        return np.zeros(len(self._rates), dtype=bool)

    def factor(self, epoch: int) -> float:
        """Return what the rates of an epoch are multiplied by, the same for all starts."""
        return 1.0


class InverseScaling(Schedule):
    """Falls with a power of the epoch."""

    def __init__(self, learning_rate: Floats, power_t: float) -> None:
        super().__init__(learning_rate)
        self._power = power_t

    def factor(self, epoch: int) -> float:
        """Return 1 / (1 + epoch)^power_t."""
        return float((1.0 + epoch) ** -self._power)


class Cosine(Schedule):
    """Falls along half a cosine, again and again."""

    def __init__(self, learning_rate: Floats, cosine_epochs: int) -> None:
        super().__init__(learning_rate)
        self._epochs = cosine_epochs

    def factor(self, epoch: int) -> float:
        """Return the height of the cosine."""
        return 0.5 * (1.0 + math.cos(math.pi * (epoch % self._epochs) / self._epochs))


class Adaptive(Schedule):
    """Falls where J does not."""

    per_start = ("_rates", "_lowest", "_since")

    def __init__(self, learning_rate: Floats, tol: float, n_iter_no_change: int) -> None:
        super().__init__(learning_rate)
        self._tol, self._patience = tol, n_iter_no_change

    def twin_settings(self) -> Mapping[str, float]:
        """Return what makes it fall."""
        return {
            "adaptive_tol": self._tol, "adaptive_patience": self._patience,
            "adaptive_divisor": DIVISOR, "least_rate": LEAST_RATE,
        }  # fmt: skip

    def start(self, value: Floats) -> None:
        """Begin with J (starts,) at the starts."""
        super().start(value)
        self._lowest = value
        self._since = np.zeros(len(value), dtype=np.int64)

    def look(self, value: Floats) -> None:
        """Count how long J has not fallen, and divide where that was too long."""
        with np.errstate(invalid="ignore"):
            fell = value < self._lowest - self._tol
            self._lowest = np.fmin(self._lowest, value)
        since = np.where(fell, 0, self._since + 1)
        is_divided = (since >= self._patience) & (self._rates > LEAST_RATE)
        self._rates = np.where(is_divided, self._rates / DIVISOR, self._rates)
        self._since = np.where(is_divided, 0, since)

    def ended(self) -> Mask:
        """Return which starts have waited too long at a rate that is not divided any more."""
        return np.asarray(self._since >= self._patience)


def schedule_of(word: str, learning_rate: Floats, options: Mapping[str, Any]) -> Schedule:
    """Return the schedule that `word` names; `options` holds the parameters of all of them."""
    if word == "invscaling":
        return InverseScaling(learning_rate, options["power_t"])
    if word == "cosine":
        return Cosine(learning_rate, options["cosine_epochs"])
    if word == "adaptive":
        return Adaptive(learning_rate, options["tol"], options["n_iter_no_change"])
    return Schedule(learning_rate)
