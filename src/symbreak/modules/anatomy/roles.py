"""The roles of the parameters of `torch.nn`: what a shape cannot tell and the layer can.

    layer                      parameter          role
    Linear, Bilinear           weight             weight, (out, in, *kernel)
    Conv                       weight             weight, one part for each group
    ConvTranspose              weight             weight, (in, out, *kernel), one for each group
    RNN, GRU, LSTM and cells   weight_ih, _hh     input and recurrent weight, one part for each gate
                               weight_hr          weight
    MultiheadAttention         in_proj_weight     attention weight, three parts: query, key, value
                               q_, k_, v_proj_    attention weight, their biases side by side
                               bias_k, bias_v     bias token
    Embedding, EmbeddingBag    weight             embedding, (entries, dimension) as (out, in)
    norms                      weight, bias       norm weight, norm bias
    PReLU                      weight             slope
    torch.nn.utils.weight_norm weight_v, weight_g  weight, its size

A layer registered with `register_role` goes first. Of other layers, what is named bias is one,
what has two or more axes is "unknown", read as (out, in, *kernel), and what has one axis is kept.
"""

from __future__ import annotations

import math

from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.utils.parametrize import ParametrizationList

from symbreak.modules.anatomy.registry import check_fits, registered
from symbreak.modules.anatomy.role import Role

KEPT = Role("kept")
_NORMS = (nn.LayerNorm, nn.RMSNorm, nn.GroupNorm, _NormBase)
_RECURRENT = (nn.RNNBase, nn.RNNCellBase)
_PROJECTIONS = {"q_proj_weight": 0, "k_proj_weight": 1, "v_proj_weight": 2}


def role_of(owner: nn.Module, leaf: str, shape: tuple[int, ...]) -> Role:
    """Return the role of the parameter `leaf` of the layer `owner`."""
    known = registered(owner, leaf)
    if known is not None:
        check_fits(known, f"{type(owner).__name__}.{leaf}", shape)
        return known
    if isinstance(owner, _NORMS):
        return Role("norm bias" if leaf == "bias" else "norm weight")
    if isinstance(owner, nn.PReLU):
        return Role("slope")
    if isinstance(owner, nn.MultiheadAttention) and leaf in ("bias_k", "bias_v"):
        return Role("bias token", axes=("stack", "out", "in"))
    if leaf.startswith("bias") or leaf.endswith("_bias"):
        return Role("bias")
    if len(shape) < 2 or math.prod(shape) == 0:
        return KEPT
    if leaf.endswith("_g") and hasattr(owner, f"{leaf[:-2]}_v"):
        return Role("size")
    return _weight(owner, leaf, shape)


def _weight(owner: nn.Module, leaf: str, shape: tuple[int, ...]) -> Role:
    if isinstance(owner, nn.Embedding | nn.EmbeddingBag):
        return Role("embedding", padding=owner.padding_idx)
    if isinstance(owner, _RECURRENT):
        return _recurrent(owner, leaf, shape)
    if isinstance(owner, nn.MultiheadAttention):
        return _attention(leaf)
    if isinstance(owner, _ConvNd):
        axes = ("in", "out") if isinstance(owner, _ConvTransposeNd) else ("out", "in")
        return Role("weight", axes, owner.groups, owner.stride, bias="bias", reads_activation=True)
    if isinstance(owner, ParametrizationList):
        is_size = leaf != "original" and math.prod(shape) == max(shape)
        return KEPT if is_size else Role("weight")
    kind = "weight" if isinstance(owner, nn.Linear | nn.Bilinear) else "unknown"
    is_direction = leaf == "weight_v" and hasattr(owner, "weight_g")
    bias = "bias" if is_direction else leaf.replace("weight", "bias") if "weight" in leaf else ""
    return Role(kind, bias=bias, reads_activation=True)


def _recurrent(owner: nn.RNNBase | nn.RNNCellBase, leaf: str, shape: tuple[int, ...]) -> Role:
    if leaf.startswith("weight_hr"):
        return Role("weight")
    kind = "input weight" if leaf.startswith("weight_ih") else "recurrent weight"
    other = leaf.replace("ih", "hh") if kind == "input weight" else leaf.replace("hh", "ih")
    return Role(
        kind,
        parts=shape[0] // int(owner.hidden_size),
        bias=leaf.replace("weight", "bias"),
        also_in=int(getattr(owner, other).shape[1]),
    )


def _attention(leaf: str) -> Role:
    if leaf in _PROJECTIONS:
        return Role(
            "attention weight",
            bias="in_proj_bias",
            bias_part=_PROJECTIONS[leaf],
            shares_bias=True,
        )
    return Role("attention weight", parts=3, bias="in_proj_bias")


def of_habit(use: str, n_axes: int) -> Role | None:
    """Return what a parameter of so many axes is where it is used like that, if it is a weight.

    Parameters
    ----------
    use : a word of `SeenParameter.role`.
    """
    if n_axes < 2:
        return None
    habits = {
        "linear weight": Role("weight"),
        "conv weight": Role("weight"),
        "embedding": Role("embedding"),
        "product": Role("weight", ("stack",) * (n_axes - 2) + ("in", "out")),  # x @ W
    }
    return habits.get(use)
