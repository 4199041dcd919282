"""What a rule may know about a layer: its size and the activations around it.

    fan_in = units_in        fan_out = units_out        (the bias counts in neither)
    block  = (units_out, 1 + units_in), bias in column 0

The symbols of the rules' formulas; every rule reads them here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LayerShape:
    """One layer as a rule sees it.

    Parameters
    ----------
    units_in, units_out : int
        Units that the layer reads and units that it has, the bias not counted.
    activation : str or None
        Name of the layer's own activation; None for the output layer.
    input_activation : str or None
        Name of the activation whose values the layer reads; None when it reads the data.
    """

    units_in: int
    units_out: int
    activation: str | None = None
    input_activation: str | None = None

    @property
    def fan_in(self) -> float:
        """Weights that come into one unit."""
        return self.units_in

    @property
    def fan_out(self) -> float:
        """Units that read one input."""
        return self.units_out

    @property
    def block(self) -> tuple[int, int]:
        """Shape of the layer's Theta, bias included."""
        return self.units_out, 1 + self.units_in
