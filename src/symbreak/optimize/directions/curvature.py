"""Whether a step says anything about the curvature of J."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from symbreak.optimize.rows import Mask


def has_curvature(s: Tensor, y: Tensor) -> Mask:
    """Return where s · y is positive beyond rounding, (rows,)."""
    norms = torch.linalg.vector_norm(s, dim=1) * torch.linalg.vector_norm(y, dim=1)
    positive = torch.linalg.vecdot(s, y) > torch.finfo(s.dtype).eps * norms
    return np.asarray(positive.cpu().numpy(), dtype=np.bool_)
