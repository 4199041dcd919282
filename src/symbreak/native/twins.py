"""Which networks the compiled core knows: their activations and loss have a twin in C++.

The core names them, in the order of its own numbers, and is believed only of our records: a record
of another's of the same name goes through Python.
"""

from __future__ import annotations

from functools import lru_cache

from symbreak.activations import ACTIVATIONS, Activation
from symbreak.losses import LOSSES, Loss
from symbreak.native.door import load
from symbreak.native.interface import Core
from symbreak.network import Network

KEPT_NETWORKS = 64


@lru_cache(KEPT_NETWORKS)
def native_network(network: Network) -> object | None:
    """Return the network as the core knows it; None where it does not, or is not there."""
    core = load()
    if core is None:
        return None
    twins = [_twin_of_activation(core, record) for record in network.activations]
    activations = [twin for twin in twins if twin is not None]
    loss = _twin_of_loss(core, network.loss)
    if loss is None or len(activations) < len(twins):
        return None
    return core.Network(list(network.layers), activations, loss, _parameter_of(network.loss))


def _twin_of_activation(core: Core, record: Activation) -> int | None:
    is_ours = record == ACTIVATIONS.get(record.name)
    names = core.ACTIVATIONS
    return names.index(record.name) if is_ours and record.name in names else None


def _twin_of_loss(core: Core, loss: Loss) -> int | None:
    is_ours = type(loss) is LOSSES.get(loss.name)
    names = core.LOSSES
    return names.index(loss.name) if is_ours and loss.name in names else None


def _parameter_of(loss: Loss) -> float:
    """Return delta of huber, q of quantile; 0 for losses without a parameter."""
    _, *parameters = loss.to_settings().values()
    return float(parameters[0]) if parameters else 0.0
