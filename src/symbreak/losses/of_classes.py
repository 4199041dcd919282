"""Losses of classes, whose prediction is a probability; the conventions stand in `loss`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from symbreak.errors import InvalidInput
from symbreak.losses.loss import Loss, LossByOutputs

# A tensor: torch takes several times longer to multiply a small one by a Python number.
_LOG2_E = torch.tensor(math.log2(math.e), dtype=torch.float64)


@dataclass(frozen=True)
class BinaryCrossEntropy(LossByOutputs):
    """Σ_k log(1 + exp(u_k)), u = (1 - 2 y) raw, y 0 or 1; the prediction is sigmoid(raw).

    delta = (1 - 2 y) sigmoid(u), which is sigmoid(raw) - y without the cancellation at saturation.
    The target holds 1 - 2 y: +1 for class 0, -1 for class 1.
    """

    name: ClassVar[str] = "binary_cross_entropy"
    sklearn_link: ClassVar[str] = "logistic"
    fits_any_number: ClassVar[bool] = False
    is_classification: ClassVar[bool] = True

    def link(self, raw: Tensor) -> Tensor:
        return torch.sigmoid(raw)

    def value(self, raw: Tensor, target: Tensor) -> Tensor:
        return logsigmoid(raw.mul_(target).neg_()).sum(1).neg_()

    def value_and_delta_(self, raw: Tensor, target: Tensor) -> Tensor:
        value = logsigmoid(raw.mul_(target).neg_()).sum(1).neg_()
        raw.neg_().sigmoid_().mul_(target)
        return value

    def _curvature(self, raw: Tensor, target: Tensor) -> Tensor:  # noqa: ARG002 - of raw alone
        return torch.sigmoid(raw).mul_(torch.sigmoid(-raw))

    def from_prediction(self, prediction: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        logs = torch.where(y == 1.0, torch.log(prediction), torch.log(1.0 - prediction))
        return -logs.sum(1), prediction - y

    def prepare(self, y: Tensor, n_outputs: int) -> Tensor:
        return super().prepare(y, n_outputs).mul(-2.0).add_(1.0)

    def outputs_of(self, target: Tensor, n_outputs: int) -> Tensor:  # noqa: ARG002 - as many
        return (1.0 - target) / 2.0

    def _check_values(self, y: Tensor) -> None:
        wrong = (y != 0) & (y != 1)
        if bool(wrong.any()):
            raise InvalidInput(
                f"y of binary_cross_entropy must be 0 or 1. Got {float(y[wrong][0])!r}. "
                f"For more classes in one column use loss='cross_entropy'."
            )


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """-log p_y, p = softmax(raw) over the outputs; y is the index of the class.

    With e_k = exp(raw_k - max raw) and q = Σ_{k≠y} e_k, s = q + e_y:
        loss = log(s) - (raw_y - max raw) = log1p(q + (e_y - 1)) - (raw_y - max raw)
        delta_k = e_k / s for k ≠ y,    delta_y = -q / s
    which is p - onehot(y) without the cancellation in 1 - p_y, and no term of the loss is negative.
    C = diag(p) - p p^T,  R = diag(sqrt p) (I - 1 p^T).
    """

    name: ClassVar[str] = "cross_entropy"
    sklearn_link: ClassVar[str] = "softmax"
    fits_any_number: ClassVar[bool] = False
    sees_differences: ClassVar[bool] = True
    is_classification: ClassVar[bool] = True
    target_is_index: ClassVar[bool] = True

    def link(self, raw: Tensor) -> Tensor:
        return torch.softmax(raw, dim=1)

    def value(self, raw: Tensor, target: Tensor) -> Tensor:
        return self._terms_(raw, target)[0]

    def value_and_delta_(self, raw: Tensor, target: Tensor) -> Tensor:
        value, others, total, index = self._terms_(raw, target)
        raw.div_(total).scatter_(1, index, others.div_(total).neg_())
        return value

    def curvature_product(self, raw: Tensor, target: Tensor, u: Tensor) -> Tensor:  # noqa: ARG002
        p = self.link(raw)
        # C does not see a constant; without the u of the likeliest class nothing cancels.
        apart = u - u.gather(1, raw.argmax(1, keepdim=True))
        return p * (apart - (p * apart).sum(1, keepdim=True))

    def curvature_root(self, raw: Tensor, target: Tensor) -> Tensor:  # noqa: ARG002 - of raw alone
        p = self.link(raw)
        identity = torch.eye(raw.shape[1], dtype=raw.dtype, device=raw.device)[:, :, None]
        return p.sqrt()[:, :, None] * (identity - p[:, None])

    def _terms_(self, raw: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return loss, q, s and the index of y; raw becomes e with a zero at y."""
        index = target.expand(raw.shape[0], 1, -1)
        raw.sub_(raw.amax(1, keepdim=True))
        shifted_y = raw.gather(1, index)
        # Each twice as fast as exp_() and as scattering a Python number.
        raw.mul_(_LOG2_E).exp2_().scatter_(1, index, raw.new_zeros(()).expand(index.shape))
        others = raw.sum(1, keepdim=True)
        excess = torch.expm1(shifted_y).add_(others)
        value = torch.log1p(excess).sub_(shifted_y).squeeze(1)
        return value, others, excess.add_(excess.new_ones(())), index

    def from_prediction(self, prediction: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        logs = torch.where(y == 1.0, torch.log(prediction), 0.0)
        return -logs.sum(1), prediction - y

    def outputs_of(self, target: Tensor, n_outputs: int) -> Tensor:
        return torch.eye(n_outputs, dtype=torch.float64)[:, target[0]]

    def check_outputs(self, n_outputs: int) -> None:
        if n_outputs < 2:
            raise InvalidInput(
                f"outputs of Network must be 2 or more with loss 'cross_entropy' (one for each "
                f"class). Got {n_outputs}. For one output use loss='binary_cross_entropy'."
            )

    def prepare(self, y: Tensor, n_outputs: int) -> Tensor:
        """Return class indices (1, examples) of y: indices (examples,) or one-hot rows."""
        if y.dim() == 2 and y.shape[1] == n_outputs:
            y = _index_of_one_hot(y)
        elif y.dim() == 2 and y.shape[1] == 1:
            y = y[:, 0]
        if y.dim() != 1:
            raise InvalidInput(
                f"y of cross_entropy must be class indices (examples,) or one-hot rows "
                f"(examples, {n_outputs}). Got shape {tuple(y.shape)}."
            )
        index = y.long()
        wrong = (index != y) | (index < 0) | (index >= n_outputs)
        if bool(wrong.any()):
            raise InvalidInput(
                f"y of cross_entropy must be class indices 0..{n_outputs - 1}. "
                f"Got {y[wrong][0].item()!r}."
            )
        return index.reshape(1, -1)


def _index_of_one_hot(y: Tensor) -> Tensor:
    if bool(((y != 0) & (y != 1)).any()) or bool((y.sum(1) != 1).any()):
        raise InvalidInput(
            "y of cross_entropy must be class indices or one-hot rows: one 1 in each row, the "
            "rest 0. Got other values in two-dimensional y."
        )
    return y.argmax(1)
