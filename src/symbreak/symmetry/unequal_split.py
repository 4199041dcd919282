"""The unequal split: how the ways out of one unit are shared out among its copies.

    T_o  = sum over the group of s_j W_oj          what the group does together to unit o above
    W_oj = s_j c_j T_o,  sum of c = 1              the same function, for any such c

c_j is proportional to 1 + (j + u_j / 2) / k, u_j in [0, 1), k units: no two shares are equal, and
none is above twice another. (Chen, Goodfellow and Shlens 2016, 1511.05641, section 2.1, has equal
shares, and noise to break the symmetry.)
"""

from __future__ import annotations

import numpy as np

from symbreak.initialization.streams import Floats, Stream


def unequal_shares(units: int, stream: Stream) -> Floats:
    """Return positive shares, (units,), all different, that sum to 1."""
    within = stream.uniform((units,))[0] / 2
    sizes = 1 + (np.arange(units) + within) / units
    return np.asarray(sizes / sizes.sum())


def shared_out(out: Floats, signs: Floats, shares: Floats) -> Floats:
    """Return outgoing weights with the same function and unequal shares.

    Parameters
    ----------
    out : (units above, units of the group).
    signs : (units,), -1 for a mirror.
    shares : (units,), with the sum 1.
    """
    together = (out * signs).sum(axis=1, keepdims=True)
    return np.asarray(together * (signs * shares))
