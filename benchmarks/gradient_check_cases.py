"""What `gradient_check.py` judges: right and wrong gradients, and the checkers that get them.

Conventions
-----------
J = scale * mean cross-entropy of a net, theta in symbreak's layout (n,), no penalty.
given gradient = factor * right gradient, entry by entry; no factor: the right gradient.
Every checker gets the same J and the same given gradient by its own means, and the tensors of a
layer as its library keeps them. Each runs with the defaults that it documents.
evaluations : of J, wherever a checker asks for it; one that also gives the gradient counts once.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import check_grad

import symbreak as sb

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[Any]
Floats = NDArray[np.float64]

WRONG_NET = (20, 50, 30, 5)
SHAPES = (WRONG_NET, (4, 10, 3), (30, 16, 2), (13, 25, 15, 4), (2, 8, 8, 3))
EXAMPLES = 40
WRONG_PARTS = tuple(f"Theta{i} {kind}" for i in (1, 2, 3) for kind in ("biases", "weights"))
SCALES = (1.0, 1e-8, 1e8)
# name: activation, dtype, scale of J
RIGHT = {
    "tanh, float64": ("tanh", "float64", 1.0),
    "relu, float64": ("relu", "float64", 1.0),
    "tanh, float32": ("tanh", "float32", 1.0),
    "relu, float32": ("relu", "float32", 1.0),
    "tanh, float64, J x 1e-8": ("tanh", "float64", 1e-8),
    "tanh, float64, J x 1e8": ("tanh", "float64", 1e8),
}
ONE_ENTRY = {"sign flipped": -1.0, "zero": 0.0, "1 % off": 1.01, "0.01 % off": 1.0001}
WHOLE = {"zero": 0.0, "sign flipped": -1.0}
MATTERS = 1e-3  # of the RMS of its block: an entry that is worth a mistake
# check_grad returns the norm of a difference and says nothing of it. Beside the norm of the given
# gradient this is the smallest power of ten that no right gradient of a smooth float64 net exceeds:
# 1.3e-6 in 100 nets of tanh. With hindsight, in SciPy's favour.
SCIPY_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Case:
    """A net, examples, theta, and the gradient that is given for it.

    Attributes
    ----------
    factor : (n,), or None for the right gradient.
    entry : the name of the one wrong entry, if there is one.
    """

    network: sb.Network
    X: Floats
    y: NDArray[np.int64]
    theta: Floats
    dtype: str = "float64"
    scale: float = 1.0
    factor: Floats | None = None
    entry: str | None = None

    @property
    def activation(self) -> str:
        """That of the hidden layers."""
        return self.network.activations[0].name

    def cost(self) -> sb.NetworkCost:
        """Return J / scale with its right gradient."""
        return sb.NetworkCost(self.network, self.X, self.y, dtype=self.dtype)

    def tensors(self, flat: Floats) -> list[Array]:
        """Return weights (out, in) and biases (out,) of every layer, in the dtype of the case."""
        found: list[Array] = []
        for Theta in self.network.thetas(flat):
            found += [Theta[:, 1:].astype(self.dtype), Theta[:, 0].astype(self.dtype)]
        return found


@dataclass(frozen=True)
class Outcome:
    """What a checker said of one case.

    Attributes
    ----------
    verdict : "pass", "fail", or "inconclusive".
    named : whether the wrong entry was named; None where no names are given.
    """

    verdict: str
    evaluations: int
    named: bool | None = None


@dataclass
class Count:
    """How often J was evaluated."""

    n: int = 0


def make_case(layers: Sequence[int], activation: str, seed: Sequence[int], **options: Any) -> Case:
    """Draw examples and classes, and theta by `glorot_uniform`."""
    random = np.random.default_rng(seed)
    network = sb.Network(layers, activation=activation, loss="cross_entropy")
    X = random.standard_normal((EXAMPLES, layers[0]))
    y = random.integers(layers[-1], size=EXAMPLES)
    theta = np.asarray(sb.initialize(network, "glorot_uniform", seed=seed[0]), dtype=np.float64)
    return Case(network, X, y, theta, **options)


def right_cases(kind: str, nets: int) -> Iterator[Case]:
    """Yield nets of all shapes in turn; the first are the same however many are asked for."""
    activation, dtype, scale = RIGHT[kind]
    for seed in range(nets):
        layers = SHAPES[seed % len(SHAPES)]
        yield make_case(layers, activation, [seed, 0], dtype=dtype, scale=scale)


def _wrong_net(seed: int, layers: Sequence[int]) -> tuple[Case, Floats]:
    """Return a net, and its right gradient (n,)."""
    case = make_case(layers, "tanh", [seed, 1])
    return case, np.asarray(case.cost()(case.theta)[1])


def places_of(network: sb.Network, part: str) -> NDArray[np.int64]:
    """Return where in theta a part is, such as "Theta1 weights"."""
    name, kind = part.split()
    number = [block.name for block in network.blocks].index(name)
    Theta = network.thetas(np.arange(network.n_parameters))[number]
    places: NDArray[np.int64] = (Theta[:, 0] if kind == "biases" else Theta[:, 1:]).ravel()
    return places


def one_wrong_entry(
    seed: int, part: str, mistake: str, scale: float, layers: Sequence[int] = WRONG_NET
) -> Case:
    """Return a case whose gradient is wrong in one entry of a part, drawn among those that matter.

    The entry depends on the seed and the part alone: every mistake is made at the same places.
    """
    case, gradient = _wrong_net(seed, layers)
    places = places_of(case.network, part)
    sizes = np.abs(gradient[places])
    candidates = places[sizes >= MATTERS * np.sqrt(np.mean(sizes**2))]
    draw = np.random.default_rng([seed, 2, WRONG_PARTS.index(part)])
    index = int(draw.choice(candidates))
    factor = np.ones_like(gradient)
    factor[index] = ONE_ENTRY[mistake]
    block = next(b for b in case.network.blocks if b.start <= index < b.stop)
    return replace(case, factor=factor, scale=scale, entry=block.entry(index - block.start))


def all_wrong(seed: int, mistake: str, scale: float, layers: Sequence[int] = WRONG_NET) -> Case:
    """Return a case whose whole gradient is wrong."""
    case, gradient = _wrong_net(seed, layers)
    return replace(case, factor=np.full_like(gradient, WHOLE[mistake]), scale=scale)


class Given:
    """The objective with the given gradient, which counts the evaluations of J."""

    def __init__(self, cost: sb.NetworkCost, case: Case, count: Count) -> None:
        self.cost, self.case, self.count = cost, case, count
        self.blocks, self.dtype, self.n_examples = cost.blocks, cost.dtype, cost.n_examples

    def __call__(self, theta: Array, *, out: Array | None = None) -> tuple[Array, Array]:
        """Return J and the given gradient."""
        value, gradient = self.cost(theta)
        self.count.n += value.size
        gradient = gradient * self.case.scale
        if self.case.factor is not None:
            gradient = gradient * self.case.factor
        if out is not None:
            out[:] = gradient
        return value * self.case.scale, gradient if out is None else out

    def value(self, theta: Array) -> Array:
        """Return J."""
        value: Array = self.cost.value(theta)
        self.count.n += value.size
        return value * self.case.scale

    def take(self, starts: Any) -> Given:
        """Return the same for these starts."""
        return Given(self.cost.take(starts), self.case, self.count)

    def batch(self, rows: Any) -> Given:
        """Return the same on some examples."""
        return Given(self.cost.batch(rows), self.case, self.count)

    def to(self, dtype: Any) -> Given:
        """Return the same in another dtype."""
        return Given(self.cost.to(dtype), self.case, self.count)


def ours(case: Case) -> Outcome:
    """`symbreak.check_gradient` of an objective."""
    count = Count()
    report = sb.check_gradient(Given(case.cost(), case, count), case.theta)
    named = None if case.entry is None else report.worst.wrong[:1] == (case.entry,)
    return Outcome(report.verdict, count.n, named)


def torch_slow(case: Case) -> Outcome:
    """`torch.autograd.gradcheck` of the loss of named tensors."""
    return _gradcheck(case, fast_mode=False)


def torch_fast(case: Case) -> Outcome:
    """The same with `fast_mode=True`."""
    return _gradcheck(case, fast_mode=True)


def _gradcheck(case: Case, *, fast_mode: bool) -> Outcome:
    import torch

    count = Count()
    loss = torch_loss(case)
    given = loss if case.factor is None else _altered(loss, case.tensors(case.factor))

    def counted(*tensors: Tensor) -> Tensor:
        count.n += 1
        return given(*tensors)

    tensors = [torch.from_numpy(t).requires_grad_() for t in case.tensors(case.theta)]
    with warnings.catch_warnings():  # it says, rightly, that float32 will likely fail
        warnings.filterwarnings("ignore", message=".*not a double precision floating point.*")
        is_right = torch.autograd.gradcheck(
            counted, tensors, fast_mode=fast_mode, raise_exception=False
        )
    return Outcome("pass" if is_right else "fail", count.n)


def torch_loss(case: Case) -> Callable[..., Tensor]:
    """Return J of weights and biases, written in torch's usual words."""
    import torch
    from torch.nn.functional import cross_entropy, linear

    X = torch.from_numpy(case.X.astype(case.dtype))
    y = torch.from_numpy(case.y)
    g = getattr(torch, case.activation)

    def loss(*tensors: Tensor) -> Tensor:
        a = X
        for weight, bias in zip(tensors[:-2:2], tensors[1:-2:2], strict=True):
            a = g(linear(a, weight, bias))
        return case.scale * cross_entropy(linear(a, *tensors[-2:]), y)

    return loss


def _altered(loss: Callable[..., Tensor], factors: Sequence[Array]) -> Any:
    """Return the loss as a `torch.autograd.Function` whose backward gives the wrong gradient."""
    import torch

    by_tensor = [torch.from_numpy(factor) for factor in factors]

    class Altered(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *tensors: Tensor) -> Tensor:
            ctx.save_for_backward(*tensors)
            return loss(*tensors)

        @staticmethod
        def backward(ctx: Any, *grad_outputs: Tensor) -> Any:
            inputs = [tensor.detach().requires_grad_() for tensor in ctx.saved_tensors]
            with torch.enable_grad():
                gradients = torch.autograd.grad(loss(*inputs), inputs)
            pairs = zip(gradients, by_tensor, strict=True)
            return tuple(grad_outputs[0] * gradient * factor for gradient, factor in pairs)

    return Altered.apply


def jax_check_grads(case: Case) -> Outcome:
    """`jax.test_util.check_grads` of first order; JAX has to be told of float64."""
    from jax import test_util

    check_grads: Any = test_util.check_grads  # without annotations
    count = Count()
    loss = jax_loss(case)
    given = loss if case.factor is None else _altered_in_jax(loss, case.tensors(case.factor))

    def counted(*tensors: Any) -> Any:
        count.n += 1
        return given(*tensors)

    # A `custom_vjp` has no forward mode; in both modes the one direction is the same.
    modes = ("fwd", "rev") if case.factor is None else ("rev",)
    try:
        check_grads(counted, case.tensors(case.theta), order=1, modes=modes)
    except AssertionError:
        return Outcome("fail", count.n)
    return Outcome("pass", count.n)


def jax_loss(case: Case) -> Callable[..., Any]:
    """Return J of weights and biases, written in JAX."""
    import jax
    import jax.numpy as jnp

    X, y = jnp.asarray(case.X.astype(case.dtype)), jnp.asarray(case.y)
    g = {"tanh": jnp.tanh, "relu": jax.nn.relu}[case.activation]

    def loss(*tensors: Any) -> Any:
        a = X
        for weight, bias in zip(tensors[:-2:2], tensors[1:-2:2], strict=True):
            a = g(a @ weight.T + bias)
        log_p = jax.nn.log_softmax(a @ tensors[-2].T + tensors[-1])
        return -case.scale * jnp.mean(jnp.take_along_axis(log_p, y[:, None], axis=1))

    return loss


def _altered_in_jax(loss: Callable[..., Any], factors: Sequence[Array]) -> Any:
    import jax

    def forward(*tensors: Any) -> tuple[Any, Any]:
        return loss(*tensors), tensors

    def backward(tensors: Any, cotangent: Any) -> Any:
        gradients = jax.grad(loss, argnums=tuple(range(len(tensors))))(*tensors)
        return tuple(cotangent * g * f for g, f in zip(gradients, factors, strict=True))

    altered = jax.custom_vjp(loss)
    altered.defvjp(forward, backward)
    return altered


def scipy_check_grad(case: Case) -> Outcome:
    """`scipy.optimize.check_grad`, and the rule of `SCIPY_TOLERANCE`."""
    count = Count()
    loss = numpy_loss(case)

    def counted(theta: Floats) -> float:
        count.n += 1
        return loss(theta)

    given = given_gradient(case)

    def gradient(theta: Floats) -> Floats:  # noqa: ARG001 - it is asked for at one theta alone
        return given

    error = check_grad(counted, gradient, case.theta)
    is_right = error <= SCIPY_TOLERANCE * np.linalg.norm(given)
    return Outcome("pass" if is_right else "fail", count.n)


def given_gradient(case: Case) -> Floats:
    """Return the given gradient (n,), computed in the dtype of the case."""
    _, gradient = Given(case.cost(), case, Count())(case.theta[None])
    answer: Floats = gradient[0].astype(np.float64)
    return answer


def numpy_loss(case: Case) -> Callable[[Floats], float]:
    """Return J of theta, written in NumPy."""
    X, rows = case.X.astype(case.dtype), np.arange(len(case.X))
    g: Callable[[Any], Any] = np.tanh if case.activation == "tanh" else _relu

    def loss(theta: Floats) -> float:
        tensors = case.tensors(theta)
        a = X
        for weight, bias in zip(tensors[:-2:2], tensors[1:-2:2], strict=True):
            a = g(a @ weight.T + bias)
        z = a @ tensors[-2].T + tensors[-1]
        z -= z.max(1, keepdims=True)
        losses = np.log(np.exp(z).sum(1)) - z[rows, case.y]
        return case.scale * float(losses.mean())

    return loss


def _relu(z: Any) -> Any:
    return np.maximum(z, 0.0)


CHECKERS: dict[str, Callable[[Case], Outcome]] = {
    "ours": ours,
    "torch_slow": torch_slow,
    "torch_fast": torch_fast,
    "jax": jax_check_grads,
    "scipy": scipy_check_grad,
}
