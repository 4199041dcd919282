"""What comes out of a network with some thetas: predictions, their logarithms, hidden activations.

Computed block of rows by block of rows, so that sparse rows are dense only a block at a time.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import log_expit, log_softmax, logsumexp

from symbreak import arrays
from symbreak.errors import InvalidInput
from symbreak.estimators.problem import Array, Scaling
from symbreak.network import Network
from symbreak.propagation.first_layer import is_sparse
from symbreak.propagation.prediction import raw
from symbreak.training.combine import by_blocks

# Up to so many bytes sparse rows become dense: then the compiled core takes them.
DENSE_BYTES = 2**28


def dense(X: Any) -> Array:
    """Return rows as a dense array."""
    return np.asarray(X.toarray() if hasattr(X, "toarray") else X)


def trainable(X: Any, *, standardize: Any) -> Any:
    """Return rows as they are trained on: dense, or in CSR where that would take too much memory.

    Raises
    ------
    InvalidInput
        They are to be standardised, which leaves no zeros.
    """
    if not _is_wide(X):
        return dense(X)
    if standardize:
        n_bytes = math.prod(X.shape) * X.dtype.itemsize
        raise InvalidInput(
            f"standardize must be False for sparse X of shape {tuple(X.shape)}: standardised it is "
            f"dense and takes {n_bytes} bytes. Got {standardize!r}; scale the columns before, as "
            "MaxAbsScaler does."
        )
    return X.tocsr()


def _is_wide(X: Any) -> bool:
    return is_sparse(X) and math.prod(X.shape) * X.dtype.itemsize > DENSE_BYTES


class Inputs:
    """Rows of X (m, features), which become the network's as they are taken.

    Parameters
    ----------
    X : validated, dense or sparse.
    device : where the network computes.
    """

    def __init__(self, X: Any, scaling: Scaling, device: Any) -> None:
        self._stays_sparse = _is_wide(X) and scaling.x_scale is None and device in (None, "cpu")
        self._X = X.tocsr() if self._stays_sparse else X
        self._scaling, self._device = scaling, device

    def __len__(self) -> int:
        return int(self._X.shape[0])

    @property
    def shape(self) -> tuple[int, ...]:
        """(m, features)."""
        return tuple(self._X.shape)

    def __getitem__(self, rows: slice) -> Any:
        if self._stays_sparse:
            return self._X[rows].astype(self._scaling.dtype)
        return self._scaling.inputs(dense(self._X[rows]), self._device)


def log_probabilities(network: Network, theta: arrays.Array, X: Inputs) -> Array:
    """Return log mean probabilities without a detour over probabilities that may be 0.

    (m, outputs) for soft-max; for sigmoids (2, m, outputs): of "no" and of "yes".
    """
    is_softmax = network.loss.target_is_index

    def of(rows: arrays.Array) -> Array:
        z = arrays.as_numpy(raw(network, theta, rows))
        if is_softmax:
            return _log_mean(log_softmax(z, axis=-1))
        # A sigmoid of infinity is certain; its logarithm is to be finite all the same.
        z = np.clip(z, np.finfo(z.dtype).min, np.finfo(z.dtype).max)
        return np.stack([_log_mean(log_expit(-z)), _log_mean(log_expit(z))])

    return by_blocks(X, of)


def _log_mean(logs: Array) -> Array:
    """Return the logarithm of the mean over the starts of what these are the logarithms of."""
    return np.asarray(logsumexp(logs, axis=0) - math.log(len(logs)))
