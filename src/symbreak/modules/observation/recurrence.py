"""Recurrent modules, step by step, so that every hidden unit's h and delta can be seen.

Conventions (of PyTorch), W_i (gates * units, features), W_h (gates * units, units)
-----------
RNN  : h' = g(W_i x + b_i + W_h h + b_h)
GRU  : r, u = sigmoid of their gates,
       n = tanh(W_in x + b_in + r * (W_hn h + b_hn)), h' = (1 - u) n + u h
LSTM : i, f, o = sigmoid of their gates, c' = f c + i tanh(W_ig x + ...), h' = W_p (o tanh(c'))
x    : a list over time, (examples, features) each; with packed sequences the examples grow fewer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from symbreak.modules.observation.arguments import Arguments

State = tuple[Tensor, Tensor | None]  # h, and c of an LSTM
Seen = Callable[[Tensor, Tensor], None]  # h of one step, and the weight W_i of its layer


def unrolled(name: str, arguments: Arguments, seen: Seen) -> tuple[Tensor, ...]:
    """Return what the fused function `name` returns for its arguments, showing every h to `seen`.

    Parameters
    ----------
    arguments : as `recurrent_arguments` returns them.
    """
    packed = "batch_sizes" in arguments
    hx, weights, bias, layers = (
        arguments[each] for each in ("hx", "params", "has_biases", "num_layers")
    )
    both = arguments["bidirectional"]
    time_axis = 0 if packed or not arguments["batch_first"] else 1
    x = arguments["data" if packed else "input"]
    series = x.split(arguments["batch_sizes"].tolist()) if packed else x.unbind(time_axis)
    h0, c0 = hx if name == "lstm" else (hx, None)
    per_cell = len(weights) // (layers * (2 if both else 1))
    last_h, last_c = [], []
    for layer in range(layers):
        outputs = []
        for direction in range(2 if both else 1):
            k = layer * (2 if both else 1) + direction
            cell = weights[k * per_cell : (k + 1) * per_cell]
            state = (h0[k], None if c0 is None else c0[k])
            hs, (h, c) = _one_way(name, cell, bias, series, state, direction == 1, seen)
            outputs.append(hs)
            last_h.append(h)
            if c is not None:
                last_c.append(c)
        series = [torch.cat(at, dim=-1) for at in zip(*outputs, strict=True)]
    out = torch.cat(list(series)) if packed else torch.stack(list(series), time_axis)
    if name == "lstm":
        return out, torch.stack(last_h), torch.stack(last_c)
    return out, torch.stack(last_h)


def _one_way(
    name: str,
    cell: Sequence[Tensor],
    bias: bool,
    series: Sequence[Tensor],
    state: State,
    backward: bool,
    seen: Seen,
) -> tuple[list[Tensor], State]:
    h, c = state
    hs: list[Tensor] = []
    for x in reversed(series) if backward else series:
        n = x.shape[0]  # with packed sequences: the examples that last so long
        new_h, new_c = _step(name, cell, bias, x, h[:n], None if c is None else c[:n])
        seen(new_h, cell[0])
        hs.append(new_h)
        h = torch.cat([new_h, h[n:]])
        c = None if c is None or new_c is None else torch.cat([new_c, c[n:]])
    return (hs[::-1] if backward else hs), (h, c)


def _step(
    name: str, cell: Sequence[Tensor], bias: bool, x: Tensor, h: Tensor, c: Tensor | None
) -> State:
    b_i, b_h = (cell[2], cell[3]) if bias else (None, None)
    z_i, z_h = F.linear(x, cell[0], b_i), F.linear(h, cell[1], b_h)
    if name == "gru":
        (r_i, u_i, n_i), (r_h, u_h, n_h) = z_i.chunk(3, -1), z_h.chunk(3, -1)
        r, u = torch.sigmoid(r_i + r_h), torch.sigmoid(u_i + u_h)
        n = torch.tanh(n_i + r * n_h)
        return n + u * (h - n), None
    if name == "lstm" and c is not None:
        i, f, g, o = (z_i + z_h).chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        projected = len(cell) in (3, 5)
        return (F.linear(h, cell[-1]) if projected else h), c
    z = z_i + z_h
    return (torch.tanh(z) if name == "rnn_tanh" else torch.relu(z)), None
