"""How much the starts disagree about a class: the mutual information of label and start.

    disagreement = H(mean of p) - mean of H(p),  H(p) = -sum p log p, in nats

From 0, where all starts say the same, sure or not, to log(classes), where each is sure of another
one. It is what is not known for want of rows; H(mean of p) holds the noise of the labels too.
Sources: Houlsby et al. 2011 (BALD); Lakshminarayanan et al. 2017 (deep ensembles); Depeweg et al.
2018, section 3.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

Floats = NDArray[np.float64]


def disagreement(probabilities: Any) -> Floats:
    """Return the mutual information of label and start, (m,), in nats.

    Parameters
    ----------
    probabilities : (starts, m, classes), of every start; or (starts, m, labels, 2) of several
        yes-or-no labels, whose informations are added.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    known = entr(p.mean(axis=0)).sum(axis=-1) - entr(p).sum(axis=-1).mean(axis=0)
    # Equal starts leave the rounding of a difference.
    return np.maximum(known if known.ndim == 1 else known.sum(axis=-1), 0.0)


def both_answers(yes: Any) -> Floats:
    """Return the probabilities of no and yes, (..., 2), of those of yes (...)."""
    p = np.asarray(yes, dtype=np.float64)
    return np.stack([1.0 - p, p], axis=-1)
