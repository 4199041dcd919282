"""What a network is: its layers, activations and loss. No numbers live here.

Conventions
-----------
layers = (features, hidden..., outputs); layer 1 is the input, as in the lecture.
z(l+1) = Theta(l) [1; a(l)],  a(l) = g(z(l)),  the last z is `raw`, prediction = link(raw).
"""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from symbreak import parameters
from symbreak.activations import Activation, activations_of
from symbreak.errors import InvalidInput
from symbreak.losses import Loss, loss_from_settings, loss_of
from symbreak.parameters import Block


@dataclass(frozen=True, init=False)
class Network:
    """A fully connected feed-forward network.

    Parameters
    ----------
    layers : (features, hidden..., outputs), two or more positive integers. No hidden layer is
        logistic regression (losses on probabilities) or linear regression (the others).
    activation : one name for all hidden layers, or one for each: identity, sigmoid, tanh, relu,
        leaky_relu, elu, selu, softplus, gelu, silu.
    loss : cross_entropy (soft-max), binary_cross_entropy (one sigmoid for each output),
        squared_error, poisson, absolute_error, huber, quantile, or an object such as
        `sb.losses.Huber(delta)`.

    Raises
    ------
    InvalidInput
        Sizes that are no positive integers, unknown names, soft-max over fewer than two outputs.

    Examples
    --------
    >>> net = Network((10, 10, 1))
    >>> net.n_parameters
    121
    """

    layers: tuple[int, ...]
    activations: tuple[Activation, ...]
    loss: Loss

    def __init__(
        self,
        layers: Sequence[int],
        activation: str | Activation | Sequence[str | Activation] = "sigmoid",
        loss: str | Loss = "binary_cross_entropy",
    ) -> None:
        sizes = _checked_layers(layers)
        # The dataclass is frozen; this is the one place where its fields are set.
        object.__setattr__(self, "layers", sizes)
        object.__setattr__(self, "activations", activations_of(activation, len(sizes) - 2))
        object.__setattr__(self, "loss", loss_of(loss))
        self.loss.check_outputs(sizes[-1])

    @property
    def n_features(self) -> int:
        """The number of inputs, without the constant one."""
        return self.layers[0]

    @property
    def n_outputs(self) -> int:
        """The number of output units."""
        return self.layers[-1]

    @property
    def n_hidden(self) -> int:
        """The number of hidden layers."""
        return len(self.layers) - 2

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Theta1, Theta2, ...: name, slice and shape within theta."""
        return parameters.blocks_of(self.layers)

    @property
    def n_parameters(self) -> int:
        """The length of theta."""
        return self.blocks[-1].stop

    def thetas(self, theta: Any, order: str = "C") -> tuple[Any, ...]:
        """Return the matrices Theta of theta as views; see `symbreak.parameters.views`."""
        return parameters.views(theta, self.blocks, order)

    def unroll(self, thetas: Sequence[Any], order: str = "C") -> Any:
        """Return theta from its matrices; see `symbreak.parameters.unroll`."""
        return parameters.unroll(thetas, self.blocks, order)

    def predict(self, theta: Any, X: Any) -> Any:
        """Return the prediction, after the link: probabilities or means.

        Parameters
        ----------
        theta : (starts, n) or (n,).
        X : (m, features), rows are examples.

        Returns
        -------
        (starts, m, outputs), or (m, outputs) for a plain vector; of the kind of theta.
        """
        from symbreak.propagation.prediction import predict

        return predict(self, theta, X)

    def hidden(self, theta: Any, X: Any, layer: int) -> Any:
        """Return the activations a of hidden layer `layer` (1 is the first).

        Returns
        -------
        (starts, m, units), or (m, units) for a plain vector; of the kind of theta.
        """
        from symbreak.propagation.prediction import hidden

        return hidden(self, theta, X, layer)

    def to_settings(self) -> dict[str, Any]:
        """Return a plain dictionary from which `from_settings` makes an equal network."""
        return {
            "layers": list(self.layers),
            "activations": [activation.name for activation in self.activations],
            "loss": self.loss.to_settings(),
        }

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Network:
        """Return the network that `to_settings` described; refuses anything else."""
        try:
            layers, names = settings["layers"], settings["activations"]
            loss = loss_from_settings(settings["loss"])
        except (AttributeError, KeyError, TypeError) as error:
            raise InvalidInput(
                f"network settings must hold layers, activations and loss. Got {settings!r}."
            ) from error
        return cls(layers, tuple(names), loss)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the fields of a pickle, and not the blocks: those of 0.1 say less."""
        self.__dict__.update({one.name: state[one.name] for one in fields(self)})

    def __str__(self) -> str:
        sizes = "-".join(str(size) for size in self.layers)
        names = ", ".join(dict.fromkeys(a.name for a in self.activations)) or "no hidden layer"
        return f"{sizes} ({names}; {self.loss.name}), {self.n_parameters} parameters"


def _checked_layers(layers: object) -> tuple[int, ...]:
    if hasattr(layers, "tolist"):  # an array
        layers = layers.tolist()
    if not isinstance(layers, Sequence) or isinstance(layers, str) or len(layers) < 2:
        raise InvalidInput(
            f"layers of Network must be two or more positive integers "
            f"(features, hidden..., outputs). Got {layers!r}."
        )
    for place, size in enumerate(layers, start=1):
        if isinstance(size, bool) or not isinstance(size, numbers.Integral) or size < 1:
            raise InvalidInput(
                f"layers of Network must be positive integers. Got {tuple(layers)!r}: "
                f"layer {place} has {size!r} units. Remove the layer or give it at least 1 unit."
            )
    return tuple(int(size) for size in layers)
