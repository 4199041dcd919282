"""What the parameters of a module are, for all who look at them after they were drawn.

1. the role that was registered, or that of the layer of `torch.nn`
2. what the first function that multiplied with it made of it: `SeenParameter.reading`
3. what is the habit of such functions
"""

from __future__ import annotations

from torch import nn

from symbreak.modules.anatomy.role import Role
from symbreak.modules.anatomy.targets import Target, own_targets, targets_of

MULTIPLIED = ("linear weight", "conv weight", "embedding", "product", "recurrent")


def roles_in(module: nn.Module) -> dict[str, Role]:
    """Return the role of each weight that is registered or in a layer of `torch.nn`, by name."""
    return {
        target.name: target.role
        for target in targets_of(module)
        if target.role.is_weight and target.role.kind != "unknown" and not target.parametrized
    }


def weight_of(layer: nn.Module) -> Target | None:
    """Return the one weight of a layer; None where it has several, or none whose role is known."""
    weights = {
        target.leaf: target
        for target in own_targets(layer)
        if target.role.is_weight and target.role.kind != "unknown"
    }
    only = next(iter(weights.values())) if len(weights) == 1 else None
    return weights.get("weight", only)


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
