"""Losses: an output link and a loss that belong together, value and gradient side by side.

Conventions
-----------
raw        : (starts, outputs, examples), the value before the link
prediction : link(raw), the same shape: probabilities or means
target     : (outputs, examples), as `prepare` makes it; class indices (1, examples) for soft-max
loss       : (starts, examples), the sum over outputs for each example; means are taken elsewhere
delta      : d loss / d raw, (starts, outputs, examples)

curvature  : d delta / d raw, for each example an (outputs, outputs) matrix C; C is diagonal but for
             soft-max. Its root R, with R^T R = C, makes the Gauss-Newton matrix. Where a loss is
             linear in raw C is 0, at its kinks too: the Gauss-Newton matrix does not see such an
             example, and that of absolute_error and quantile holds the penalty alone.

`value(raw, target)` gives the loss; `value_and_delta_(raw, target)` gives it too and overwrites raw
with delta. Both compute every term so that nothing cancels: the loss and its gradient keep their
relative precision far into saturation, and nothing overflows at |raw| = 1e4.

Arrays are of any kind: NumPy on the CPU, tensors of PyTorch on other devices, or others of the
array API. A loss of your own gets whichever is in use; plain operators, in place too, suit them
all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from symbreak.arrays import Array, contiguous, namespace
from symbreak.errors import InvalidInput


@dataclass(frozen=True)
class Loss(ABC):
    """An output link and the loss that belongs to it.

    Attributes
    ----------
    name : the word that names it in `Network(loss=...)`.
    sklearn_link : the link as scikit-learn's `out_activation_` calls it.
    is_classification : whether the prediction holds probabilities; it is then scored as classes.
    target_is_index : whether y is the index of a class, and the prediction a share for each class;
        else there is a y for each output.
    fits_any_number : whether y may be shifted and scaled to suit the search.
    sees_differences : whether a number added to all raw of an example changes nothing.
    """

    name: ClassVar[str]
    sklearn_link: ClassVar[str]
    is_classification: ClassVar[bool]
    target_is_index: ClassVar[bool] = False
    fits_any_number: ClassVar[bool]
    sees_differences: ClassVar[bool] = False

    @abstractmethod
    def link(self, raw: Array) -> Array:
        """Return the prediction, a fresh array."""

    @abstractmethod
    def value(self, raw: Array, target: Array) -> Array:
        """Return the loss of every example, (starts, examples); raw may be overwritten."""

    @abstractmethod
    def value_and_delta_(self, raw: Array, target: Array) -> Array:
        """Return the loss (starts, examples) and turn raw into delta."""

    @abstractmethod
    def curvature_product(self, raw: Array, target: Array, u: Array) -> Array:
        """Return C u for u (starts, outputs, examples), a fresh array."""

    @abstractmethod
    def curvature_root(self, raw: Array, target: Array) -> Array:
        """Return R, (starts, outputs, outputs, examples), its second axis the row of R."""

    @abstractmethod
    def from_prediction(self, prediction: Array, y: Array) -> tuple[Array, Array]:
        """Return the loss (starts, examples) and delta by the textbook, from the prediction alone.

        Unlike `value_and_delta_` they may cancel; what a learner computes is held against them.

        Parameters
        ----------
        prediction : (starts, outputs, examples); it need not be exactly what the link gives.
        y : (outputs, examples), as `outputs_of` gives it.
        """

    def outputs_of(self, target: Array, n_outputs: int) -> Array:  # noqa: ARG002 - of classes
        """Return y, one number for each output (outputs, examples), of a prepared target."""
        return target

    def prepare(self, y: Array, n_outputs: int) -> Array:
        """Return the target (outputs, examples) of y (examples,) or (examples, outputs)."""
        columns = namespace(y).reshape(y, (y.shape[0], -1)) if y.ndim <= 2 else y
        if columns.ndim != 2 or columns.shape[1] != n_outputs:
            raise InvalidInput(
                f"y of {self.name} must be of shape (examples, {n_outputs}). Got {tuple(y.shape)}."
            )
        self._check_values(columns)
        return contiguous(columns.T)

    def check_outputs(self, n_outputs: int) -> None:  # noqa: B027 - most losses take any number
        """Refuse a number of outputs that the loss cannot have."""

    def to_settings(self) -> dict[str, Any]:
        """Return a plain dictionary that names the loss and its parameters."""
        return {"name": self.name, **asdict(self)}

    def _check_values(self, y: Array) -> None:  # noqa: B027 - most losses take any number
        """Refuse targets outside the range of the loss."""

    def __str__(self) -> str:
        return self.name


class LossByOutputs(Loss):
    """A loss that is a sum over outputs of its own for each: C is diagonal."""

    def curvature_product(self, raw: Array, target: Array, u: Array) -> Array:
        return self._curvature(raw, target) * u

    def curvature_root(self, raw: Array, target: Array) -> Array:
        xp = namespace(raw)
        identity = xp.eye(raw.shape[1], dtype=raw.dtype, device=raw.device)[:, :, None]
        return xp.sqrt(self._curvature(raw, target))[:, None, :, :] * identity

    @abstractmethod
    def _curvature(self, raw: Array, target: Array) -> Array:
        """Return the diagonal of C, (starts, outputs, examples)."""
