"""Make activations_at_extremes.json: g(z) and g'(z) to 25 digits, by decimal numbers.

python tests/reference/activations_at_extremes.py
"""

from __future__ import annotations

import json
from decimal import Decimal, getcontext
from pathlib import Path

getcontext().prec = 400

Z = (0.001953125, 1.0, 5.0, 20.0, 36.0)
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899")
LEAKY_SLOPE = Decimal("0.01")
SELU_ALPHA = Decimal("1.6732632423543772848170429916717")
SELU_SCALE = Decimal("1.0507009873554804934193349852946")


def sigmoid(z):
    s = 1 / (1 + (-z).exp())
    return s, s * (1 - s)


def tanh(z):
    a = ((2 * z).exp() - 1) / ((2 * z).exp() + 1)
    return a, 1 - a * a


def relu(z):
    return (z, Decimal(1)) if z > 0 else (Decimal(0), Decimal(0))


def leaky_relu(z):
    return (z, Decimal(1)) if z > 0 else (LEAKY_SLOPE * z, LEAKY_SLOPE)


def elu(z):
    return (z, Decimal(1)) if z > 0 else (z.exp() - 1, z.exp())


def selu(z):
    value, slope = (z, Decimal(1)) if z > 0 else (SELU_ALPHA * (z.exp() - 1), SELU_ALPHA * z.exp())
    return SELU_SCALE * value, SELU_SCALE * slope


def softplus(z):
    return (1 + z.exp()).ln(), sigmoid(z)[0]


def silu(z):
    s = sigmoid(z)[0]
    return z * s, s + z * s * (1 - s)


def gelu(z):
    """Phi(z) = 1/2 + phi(z) sum z^(2k+1) / (2k+1)!!"""
    density = (-z * z / 2).exp() / (2 * PI).sqrt()
    term, total, k = z, z, 1
    while abs(term) > Decimal(10) ** -390 * abs(total):
        term *= z * z / (2 * k + 1)
        total += term
        k += 1
    # The digits of pi above end at 80; far below zero the tail is summed on its own instead.
    below = Decimal("0.5") + density * total if z > -10 else density * tail(-z)
    return z * below, below + z * density


def tail(z):
    """(1 - Phi(z)) / phi(z) for z > 0: Laplace's continued fraction 1/(z+ 1/(z+ 2/(z+ ..."""
    fraction = z
    for k in range(600, 0, -1):
        fraction = z + k / fraction
    return 1 / fraction


def main() -> None:
    cases = []
    for g in (sigmoid, tanh, relu, leaky_relu, elu, selu, softplus, silu, gelu):
        for z in sorted({sign * z for z in Z for sign in (1, -1)}):
            value, slope = g(Decimal(z))
            case = {"name": g.__name__, "z": z, "value": f"{value:.25e}", "slope": f"{slope:.25e}"}
            cases.append(case)
    text = json.dumps(cases, indent=1) + "\n"
    Path(__file__).with_suffix(".json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
