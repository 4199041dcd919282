"""Activations of hidden units: the value and its derivative side by side.

Conventions
-----------
z : the weighted input of the units, any shape; a = g(z) elementwise.
Each activation states `value`, its derivative `derivative`, and the same derivative as it is used
by back-propagation: `multiply_by_derivative_` turns an incoming gradient into delta * g'(z) in
place.
`second_derivative` gives g''(z); it is 0 where g is piecewise linear.
`saved` is the array that the derivative is computed from: `a` itself (`needs_input` False: z may be
overwritten by a) or z (`needs_input` True). `multiply_by_derivative_` may overwrite `saved`.
Arrays are of any kind: NumPy on the CPU, tensors of PyTorch on other devices, or others of the
array API. A function of your own gets whichever is in use; plain operators and `out[...] = ` suit
them all.

At a kink both derivatives are those of the left side: g'(0) = 0 for relu, as PyTorch defines it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any

from symbreak.arrays import (
    Array,
    copied,
    empty_like,
    erfc,
    expit,
    into,
    namespace,
    negative_part,
    positive_part,
    softplus,
)
from symbreak.errors import InvalidInput, choose

LEAKY_SLOPE = 0.01  # Maas, Hannun, Ng 2013; the value of every framework
ELU_ALPHA = 1.0  # Clevert, Unterthiner, Hochreiter 2016
SELU_ALPHA = 1.6732632423543772848170429916717  # Klambauer et al. 2017, appendix A
SELU_SCALE = 1.0507009873554804934193349852946
_INV_SQRT_2 = math.sqrt(0.5)
_INV_SQRT_2PI = 1.0 / math.sqrt(2.0 * math.pi)


@dataclass(frozen=True)
class Activation:
    """One activation: its value, its derivative and what is known about it.

    Attributes
    ----------
    name : the word that names it in `Network(activation=...)`.
    formula : g(z) for people.
    write : write(z, out) puts g(z) into out; `out` may be z itself unless `needs_input`.
    derivative_from : g' computed from `saved` (a, or z when `needs_input`); may overwrite `saved`.
    second_derivative : g'' computed from z, a fresh array.
    gain : 1 / sqrt(E[g(z)²]) for z ~ N(0, 1); what it means is said in `initialization.gains`.
    active_range : the z between which g bends, which `nguyen_widrow` lays over the input range;
        None where g is straight everywhere.
    output_range : the lowest and the highest value of g; None where one of them is infinite.
    needs_input : whether the derivative needs z (True) or is a function of a (False).
    is_odd : whether g(-z) = -g(z), so that a unit with all signs flipped is its mirror.
    kinks : the z at which g has no derivative.
    sklearn_name : scikit-learn's word for it where that is another.
    """

    name: str
    write: Callable[[Array, Array], object]
    derivative_from: Callable[[Array], Array]
    second_derivative: Callable[[Array], Array]
    _: KW_ONLY
    formula: str
    gain: float
    active_range: tuple[float, float] | None
    output_range: tuple[float, float] | None
    needs_input: bool = False
    is_odd: bool = False
    kinks: tuple[float, ...] = ()
    sklearn_name: str | None = None

    def value(self, z: Array) -> Array:
        """Return g(z), a fresh array of the shape of z."""
        out = empty_like(z)
        self.write(z, out)
        return out

    def derivative(self, z: Array) -> Array:
        """Return g'(z), a fresh array of the shape of z."""
        return self.derivative_from(copied(z) if self.needs_input else self.value(z))

    def multiply_by_derivative_(self, delta: Array, saved: Array) -> Array:
        """Multiply `delta` by g' in place; `saved` is used up."""
        delta *= self.derivative_from(saved)
        return delta

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the state of a pickle; one of 0.1 says less, and stands for the one of its name."""
        if "formula" not in state:
            what = "activation in a pickle of version 0.1"
            state = vars(known_activation(what, state["name"]))
        self.__dict__.update(state)

    def __str__(self) -> str:
        return self.name


# a = z                                   g' = 1                        g'' = 0
def _identity(z: Array, out: Array) -> None:
    if out is not z:
        out[...] = z


def _identity_derivative(a: Array) -> Array:
    a[...] = 1.0
    return a


def _zero(z: Array) -> Array:
    return namespace(z).zeros_like(z)


# a = 1 / (1 + exp(-z))                   g' = a (1 - a)                g'' = -g' tanh(z / 2)
def _sigmoid(z: Array, out: Array) -> None:
    expit(z, out)


def _sigmoid_derivative(a: Array) -> Array:
    a -= a * a
    return a


def _sigmoid_second(z: Array) -> Array:
    return _bell(z) * namespace(z).tanh(-0.5 * z)


def _bell(z: Array) -> Array:
    """Return s (1 - s), s the sigmoid, without cancellation at saturation."""
    return expit(z) * expit(-z)


# a = tanh(z)                             g' = 1 - a^2                  g'' = -2 a g'
def _tanh(z: Array, out: Array) -> None:
    into(out, namespace(z).tanh, z)


def _tanh_derivative(a: Array) -> Array:
    a *= a
    return into(a, namespace(a).subtract, 1.0, a)


def _tanh_second(z: Array) -> Array:
    return -8.0 * _bell(2.0 * z) * namespace(z).tanh(z)  # 1 - tanh(z)² = 4 s(2z) (1 - s(2z))


# a = max(z, 0)                           g' = [a > 0]                  g'' = 0
def _relu(z: Array, out: Array) -> None:
    positive_part(z, out)


def _relu_derivative(a: Array) -> Array:
    return namespace(a).astype(a > 0.0, a.dtype)


# a = z if z > 0 else slope z             g' = 1 if a > 0 else slope    g'' = 0
def _leaky_relu(z: Array, out: Array) -> None:
    into(out, namespace(z).maximum, z, z * LEAKY_SLOPE)


def _leaky_relu_derivative(a: Array) -> Array:
    slope = _relu_derivative(a)
    slope *= 1.0 - LEAKY_SLOPE
    slope += LEAKY_SLOPE
    return slope


# a = z if z > 0 else exp(z) - 1          g' = 1 if a > 0 else a + 1    g'' = 0 if z > 0 else exp(z)
def _elu(z: Array, out: Array) -> None:
    xp = namespace(z)
    low = negative_part(z)
    into(low, xp.expm1, low)
    positive_part(z, out)
    out += low


def _elu_derivative(a: Array) -> Array:
    negative_part(a, a)
    a += ELU_ALPHA
    return a


def _elu_second(z: Array) -> Array:
    xp = namespace(z)
    return xp.where(z > 0.0, 0.0, ELU_ALPHA * xp.exp(negative_part(z)))


# a = s z if z > 0 else s alpha (exp(z) - 1)      g' = s if a > 0 else a + s alpha
#                                                 g'' = 0 if z > 0 else s alpha exp(z)
def _selu(z: Array, out: Array) -> None:
    xp = namespace(z)
    low = negative_part(z)
    into(low, xp.expm1, low)
    low *= SELU_ALPHA
    positive_part(z, out)
    out += low
    out *= SELU_SCALE


def _selu_derivative(a: Array) -> Array:
    return namespace(a).where(a > 0.0, SELU_SCALE, a + SELU_SCALE * SELU_ALPHA)


def _selu_second(z: Array) -> Array:
    return SELU_SCALE * SELU_ALPHA * _elu_second(z)


# a = log(1 + exp(z))                     g' = s(z) = 1 - exp(-a)       g'' = s (1 - s)
def _softplus(z: Array, out: Array) -> None:
    softplus(z, out)


def _softplus_derivative(a: Array) -> Array:
    a *= -1.0
    into(a, namespace(a).expm1, a)
    a *= -1.0
    return a


# a = z Phi(z)                            g' = Phi(z) + z phi(z)        g'' = phi(z) (2 - z²)
def _gelu(z: Array, out: Array) -> None:
    into(out, namespace(z).multiply, z, _normal_cdf(z))


def _gelu_derivative(z: Array) -> Array:
    return _normal_cdf(z) + z * _normal_density(_square(z))


def _gelu_second(z: Array) -> Array:
    square = _square(z)
    return _normal_density(square) * (2.0 - square)


def _square(z: Array) -> Array:
    """Return z²; 1600 where it is more: there phi is 0, and z² may be infinite."""
    far = namespace(z).clip(z, -40.0, 40.0)
    return far * far


def _normal_density(square: Array) -> Array:
    return namespace(square).exp(-0.5 * square) * _INV_SQRT_2PI


def _normal_cdf(z: Array) -> Array:
    # erfc keeps the lower tail, where (1 + erf) / 2 would cancel.
    return 0.5 * erfc(-_INV_SQRT_2 * z)


# a = z s(z), s the sigmoid               g' = s (1 + z (1 - s))        g'' = s' (2 - z tanh(z / 2))
def _silu(z: Array, out: Array) -> None:
    into(out, namespace(z).multiply, z, expit(z))


def _silu_derivative(z: Array) -> Array:
    return expit(z) * (1.0 + z * expit(-z))


def _silu_second(z: Array) -> Array:
    return _bell(z) * (2.0 - z * namespace(z).tanh(0.5 * z))


# The bend at 0, once around it, for all that have no range of their own (MATLAB's initnw).
_AROUND_ZERO = (-1.0, 1.0)

ACTIVATIONS: dict[str, Activation] = {
    activation.name: activation
    for activation in (
        Activation(
            "identity", _identity, _identity_derivative, _zero,
            formula="z", gain=1.0, active_range=None, output_range=None, is_odd=True,
        ),
        Activation(
            "sigmoid", _sigmoid, _sigmoid_derivative, _sigmoid_second,
            formula="1 / (1 + exp(-z))", gain=1.8462285453386054, sklearn_name="logistic",
            active_range=(-4.0, 4.0), output_range=(0.0, 1.0),
        ),
        Activation(
            "tanh", _tanh, _tanh_derivative, _tanh_second,
            formula="tanh(z)", gain=1.5925374197228312, is_odd=True,
            active_range=(-2.0, 2.0), output_range=(-1.0, 1.0),
        ),
        Activation(
            "relu", _relu, _relu_derivative, _zero,
            formula="max(z, 0)", gain=math.sqrt(2.0), kinks=(0.0,),
            active_range=_AROUND_ZERO, output_range=None,
        ),
        Activation(
            "leaky_relu", _leaky_relu, _leaky_relu_derivative, _zero,
            formula="z if z > 0, else 0.01 z", kinks=(0.0,),
            gain=math.sqrt(2.0 / (1.0 + LEAKY_SLOPE**2)),
            active_range=_AROUND_ZERO, output_range=None,
        ),
        Activation(
            "elu", _elu, _elu_derivative, _elu_second,
            formula="z if z > 0, else exp(z) - 1", gain=1.2451983007007066,
            active_range=_AROUND_ZERO, output_range=None,
        ),
        Activation(
            "selu", _selu, _selu_derivative, _selu_second,
            formula="1.0507 z if z > 0, else 1.7581 (exp(z) - 1)", gain=1.0, kinks=(0.0,),
            active_range=_AROUND_ZERO, output_range=None,
        ),
        Activation(
            "softplus", _softplus, _softplus_derivative, _bell,
            formula="log(1 + exp(z))", gain=1.0418668355353016,
            active_range=_AROUND_ZERO, output_range=None,
        ),
        Activation(
            "gelu", _gelu, _gelu_derivative, _gelu_second,
            formula="z Φ(z)", gain=1.5335304411955353, needs_input=True,
            active_range=_AROUND_ZERO, output_range=None,
        ),
        Activation(
            "silu", _silu, _silu_derivative, _silu_second,
            formula="z / (1 + exp(-z))", gain=1.6765324703310913, needs_input=True,
            active_range=_AROUND_ZERO, output_range=None,
        ),
    )
}  # fmt: skip


def activations_of(words: object, n_hidden: int) -> tuple[Activation, ...]:
    """Return one activation for each hidden layer.

    Parameters
    ----------
    words : a name, an `Activation`, or a sequence of `n_hidden` of them.

    Raises
    ------
    InvalidInput
        An unknown name, or a sequence of another length.
    """
    if isinstance(words, str | Activation):
        return (_activation(words),) * n_hidden
    if not isinstance(words, tuple | list):
        raise InvalidInput(
            f"activation of Network must be a name or one name per hidden layer. Got {words!r}."
        )
    if len(words) != n_hidden:
        raise InvalidInput(
            f"activation of Network must be one name or one per hidden layer ({n_hidden}). "
            f"Got {len(words)} names."
        )
    return tuple(_activation(word) for word in words)


def _activation(word: object) -> Activation:
    if isinstance(word, Activation):
        return word
    return known_activation("activation of Network", word)


def known_activation(what: str, name: object) -> Activation:
    """Return the activation of that name; `what` begins the message.

    Raises
    ------
    InvalidInput
        The name is unknown.
    """
    return ACTIVATIONS[choose(what, name, ACTIVATIONS)]


def sklearn_words() -> dict[str, str]:
    """Return our names of activations by scikit-learn's, where the two differ."""
    return {one.sklearn_name: one.name for one in ACTIVATIONS.values() if one.sklearn_name}
