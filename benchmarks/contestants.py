"""The contestants of `value_and_gradient.py`: the same J and gradient, in several ways.

Conventions
-----------
A contestant is a `call` without arguments and a `read` that turns what the call returned into
(J, gradient) in symbreak's layout: (networks,) and (networks, n), bias in column 0, row-major.
`read` is for the test that all of them compute the same; it is not timed.
Bare products compute no J: their `read` gives the sums of products that they make.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

import symbreak as sb
from symbreak.objectives.blocking import DEFAULT_MEMORY, plan


@dataclass(frozen=True)
class Problem:
    """A net of sigmoid hidden layers with soft-max, examples and starts, from a fixed seed."""

    layers: tuple[int, ...]
    X: Tensor
    y: Tensor
    theta: Tensor

    @property
    def network(self) -> sb.Network:
        """The network in symbreak's words."""
        return sb.Network(self.layers, activation="sigmoid", loss="cross_entropy")

    @property
    def rows(self) -> Tensor:
        """X with a column of ones in front."""
        return torch.cat([torch.ones_like(self.X[:, :1]), self.X], dim=1)

    def first_starts(self, starts: int) -> Problem:
        """Return the same problem with its first starts only."""
        return Problem(self.layers, self.X, self.y, self.theta[:starts].contiguous())


def make_problem(examples: int, layers: Sequence[int], starts: int, dtype: str) -> Problem:
    """Draw examples, classes and starts."""
    random = np.random.default_rng(20)
    kind = np.dtype(dtype).type
    network = sb.Network(layers, loss="cross_entropy")
    X = random.standard_normal((examples, layers[0]), dtype=kind)
    y = random.integers(layers[-1], size=examples)
    theta = random.uniform(-0.12, 0.12, (starts, network.n_parameters)).astype(kind)
    return Problem(tuple(layers), *map(torch.from_numpy, (X, y, theta)))


@dataclass(frozen=True)
class Contestant:
    """What is timed, and how its answer is read."""

    call: Callable[[], Any]
    networks: int
    read: Callable[[Any], tuple[Any, Any]]


def ours(problem: Problem) -> Contestant:
    """`NetworkCost`, with a buffer for the gradient."""
    cost = sb.NetworkCost(problem.network, problem.X.numpy(), problem.y.numpy())
    theta = problem.theta.numpy()
    gradient = np.empty_like(theta)
    return Contestant(lambda: cost(theta, out=gradient), len(theta), lambda answer: answer)


def bare_blocked(problem: Problem) -> Contestant:
    """The products alone by torch, in the blocks that `NetworkCost` takes without its core."""
    size = plan(problem.network, problem.theta, len(problem.X), DEFAULT_MEMORY)
    return _bare(problem, *size)


def bare_whole(problem: Problem) -> Contestant:
    """The products alone by torch, all starts and examples at once."""
    return _bare(problem, len(problem.theta), len(problem.X))


def bare_numpy(problem: Problem) -> Contestant:
    """The products alone by NumPy's BLAS, one network after another in the same room."""
    m, layers = len(problem.X), problem.layers
    dtype = problem.X.numpy().dtype
    inputs = [np.ascontiguousarray(problem.rows.numpy().T)]
    inputs += [np.zeros((units, m), dtype) for units in layers[1:]]
    spare = [np.zeros((units, m), dtype) for units in layers[1:-1]]
    thetas = problem.network.thetas(problem.theta.numpy())
    weights = [thetas[0], *(np.ascontiguousarray(theta[:, :, 1:]) for theta in thetas[1:])]
    sums = [np.empty_like(weight) for weight in weights]
    products: list[Callable[[], object]] = []
    for start in range(len(problem.theta)):
        of_start = [w[start] for w in weights], [total[start] for total in sums]
        products += _numpy_products(*of_start, inputs, spare)

    def call() -> None:
        for product in products:
            product()

    return Contestant(call, len(problem.theta), lambda _: (None, list(map(torch.from_numpy, sums))))


def _numpy_products(
    weights: Sequence[Any], sums: Sequence[Any], inputs: Sequence[Any], spare: Sequence[Any]
) -> list[Callable[[], object]]:
    """Return the products of one network: forward, then backward from the last layer's values."""
    made: list[Callable[[], object]] = [
        partial(np.matmul, weight, below, out=above)
        for weight, below, above in zip(weights, inputs, inputs[1:], strict=False)
    ]
    delta = inputs[-1]
    for layer in range(len(weights) - 1, -1, -1):
        made.append(partial(np.matmul, delta, inputs[layer].T, out=sums[layer]))
        if layer > 0:
            made.append(partial(np.matmul, weights[layer].T, delta, out=spare[layer - 1]))
            delta = spare[layer - 1]
    return made


def bare_eigen(problem: Problem) -> Contestant:
    """The products alone by Eigen, one network after another, 256 examples at a time."""
    from eigen_products import call as eigen_call

    products, gradient = eigen_call(problem, 256)
    thetas = problem.network.thetas(gradient)
    sums = [thetas[0], *(theta[:, :, 1:] for theta in thetas[1:])]
    return Contestant(products, len(problem.theta), lambda _: (None, sums))


def _bare(problem: Problem, starts: int, examples: int) -> Contestant:
    thetas = [theta.contiguous() for theta in problem.network.thetas(problem.theta)]
    weights = [thetas[0], *(theta[:, :, 1:].contiguous() for theta in thetas[1:])]
    sums = [torch.empty_like(weight) for weight in weights]
    if len(problem.theta) > 1:
        # The first gradient of many starts is faster transposed, (1 + features, starts * units).
        sums[0] = sums[0].flatten(0, 1).T.contiguous().T.view(sums[0].shape)
    rows = problem.rows
    room = [rows.new_empty(starts * units * examples).fill_(0.0) for units in problem.layers[1:]]
    spare = [torch.zeros_like(flat) for flat in room[:-1]]
    products: list[Callable[[], object]] = []
    for begin in range(0, len(problem.theta), starts):
        part = slice(begin, begin + starts)
        of_part = [weight[part] for weight in weights], [total[part] for total in sums]
        for row in range(0, len(rows), examples):
            block = rows[row : row + examples]
            if starts > 1:  # as `NetworkCost` keeps them, and faster too
                block = block.T.contiguous().T
            products += _products(*of_part, block, room, spare, accumulate=row > 0)

    def call() -> None:
        for product in products:
            product()

    return Contestant(call, len(problem.theta), lambda _: (None, sums))


def _products(
    weights: Sequence[Tensor],
    sums: Sequence[Tensor],
    rows: Tensor,
    room: Sequence[Tensor],
    spare: Sequence[Tensor],
    *,
    accumulate: bool,
) -> list[Callable[[], object]]:
    """Return the products of one block: forward, then backward from the last layer's values."""
    starts = len(weights[0])

    def view(flat: Tensor, weight: Tensor) -> Tensor:
        shape = (starts, weight.shape[1], len(rows))
        return flat[: shape[0] * shape[1] * shape[2]].view(shape)

    a = [view(flat, weight) for flat, weight in zip(room, weights, strict=True)]
    below = [view(flat, weight) for flat, weight in zip(spare, weights[:-1], strict=True)]
    first, total = weights[0].flatten(0, 1), sums[0].flatten(0, 1)
    made: list[Callable[[], object]] = [partial(torch.mm, first, rows.T, out=a[0].flatten(0, 1))]
    later = zip(weights[1:], a[:-1], a[1:], strict=True)
    made += [partial(torch.bmm, weight, under, out=over) for weight, under, over in later]
    delta = a[-1]
    for layer in range(len(weights) - 1, 0, -1):
        factors = delta, a[layer - 1].transpose(1, 2)
        add = partial(torch.baddbmm, sums[layer]) if accumulate else torch.bmm
        made.append(partial(add, *factors, out=sums[layer]))
        made.append(partial(torch.bmm, weights[layer].mT, delta, out=below[layer - 1]))
        delta = below[layer - 1]
    factors = delta.flatten(0, 1), rows
    if not total.is_contiguous():
        total, factors = total.T, (rows.T, factors[0].T)
    add = partial(torch.addmm, total) if accumulate else torch.mm
    made.append(partial(add, *factors, out=total))
    return made


def autograd_stacked(problem: Problem) -> Contestant:
    """The layout of `NetworkCost`, differentiated by torch autograd."""
    theta = problem.theta.clone().requires_grad_()
    sizes = [block.size for block in problem.network.blocks]
    shapes = [block.shape for block in problem.network.blocks]
    rows, starts = problem.rows, len(theta)
    target = problem.y.expand(starts, -1)

    def call() -> tuple[Tensor, Tensor]:
        flat = torch.split(theta, sizes, dim=1)
        z = flat[0].reshape(-1, shapes[0][1]) @ rows.T
        z = z.view(starts, shapes[0][0], -1)
        for part, shape in zip(flat[1:], shapes[1:], strict=True):
            matrix = part.view(starts, *shape)
            z = torch.baddbmm(matrix[:, :, :1], matrix[:, :, 1:], torch.sigmoid(z))
        J = cross_entropy(z, target, reduction="none").mean(1)
        return J.detach(), torch.autograd.grad(J.sum(), theta)[0]

    return Contestant(call, starts, lambda answer: answer)


def torch_one_net(problem: Problem) -> Contestant:
    """`torch.nn.Sequential` in its ordinary layout, `cross_entropy`, `backward`."""
    thetas = problem.network.thetas(problem.theta[0])
    modules: list[torch.nn.Module] = []
    for theta in thetas:
        linear = torch.nn.Linear(theta.shape[1] - 1, theta.shape[0], dtype=theta.dtype)
        with torch.no_grad():
            linear.bias.copy_(theta[:, 0])
            linear.weight.copy_(theta[:, 1:])
        modules += [linear, torch.nn.Sigmoid()]
    model = torch.nn.Sequential(*modules[:-1])

    def call() -> Tensor:
        model.zero_grad()
        loss = cross_entropy(model(problem.X), problem.y)
        torch.autograd.backward(loss)
        return loss.detach()

    def read(loss: Tensor) -> tuple[Any, Any]:
        linears = [module for module in model if isinstance(module, torch.nn.Linear)]
        return loss[None], _joined(problem, [(m.weight.grad, m.bias.grad) for m in linears])

    return Contestant(call, 1, read)


def _joined(problem: Problem, pairs: Sequence[tuple[Any, Any]]) -> Any:
    """Return (networks, n) of pairs of weights (..., out, in) and biases (..., out)."""
    matrices = []
    for weight, bias in pairs:
        parts = [np.asarray(bias)[..., None], np.asarray(weight)]
        matrices.append(np.concatenate(parts, axis=-1))
    return np.atleast_2d(problem.network.unroll(matrices))


def jax_vmap(problem: Problem) -> Contestant:
    """JAX, `jit(vmap(value_and_grad))` over the starts."""
    return _jax(problem, stacked=True)


def jax_jit(problem: Problem) -> Contestant:
    """JAX, `jit(value_and_grad)` of one network."""
    return _jax(problem.first_starts(1), stacked=False)


def _jax(problem: Problem, *, stacked: bool) -> Contestant:
    import jax
    import jax.numpy as jnp

    def cost(params: Any, X: Any, y: Any) -> Any:
        a = X
        for weight, bias in params[:-1]:
            a = jax.nn.sigmoid(a @ weight + bias)
        weight, bias = params[-1]
        log_p = jax.nn.log_softmax(a @ weight + bias)
        return -jnp.mean(jnp.take_along_axis(log_p, y[:, None], axis=1))

    both = jax.value_and_grad(cost)
    theta = problem.theta if stacked else problem.theta[0]
    matrices = problem.network.thetas(theta.numpy())
    params = [(jnp.asarray(t[..., 1:].swapaxes(-1, -2)), jnp.asarray(t[..., 0])) for t in matrices]
    arguments = params, jnp.asarray(problem.X.numpy()), jnp.asarray(problem.y.numpy())
    function = jax.jit(jax.vmap(both, in_axes=(0, None, None)) if stacked else both)
    compiled = function.lower(*arguments).compile()

    def read(answer: Any) -> tuple[Any, Any]:
        value, pairs = answer
        turned = [(np.asarray(weight).swapaxes(-1, -2), bias) for weight, bias in pairs]
        return np.atleast_1d(value), _joined(problem, turned)

    wait: Callable[[Any], Any] = jax.block_until_ready
    return Contestant(lambda: wait(compiled(*arguments)), len(problem.theta), read)


def sklearn_one_net(problem: Problem) -> Contestant:
    """scikit-learn's `MLPClassifier._loss_grad_lbfgs`, packing included, as its L-BFGS calls it."""
    from sklearn.neural_network import MLPClassifier
    from sklearn.neural_network._multilayer_perceptron import _pack
    from sklearn.preprocessing import LabelBinarizer

    X, dtype = problem.X.numpy(), problem.X.numpy().dtype
    target = np.eye(problem.layers[-1], dtype=bool)[problem.y.numpy()]
    model = MLPClassifier(problem.layers[1:-1], activation="logistic", solver="lbfgs", alpha=0.0)
    # What `fit` sets before it calls L-BFGS. Three classes make the output soft-max, whatever
    # their number here: scikit-learn would give two classes a single output, which is less work.
    model._label_binarizer = LabelBinarizer().fit([0, 1, 2])
    model._random_state = np.random.RandomState(0)
    model._initialize(target, list(problem.layers), dtype)
    thetas = problem.network.thetas(problem.theta[0].numpy())
    coefs = [theta[:, 1:].T for theta in thetas]
    packed = _pack(coefs, [theta[:, 0] for theta in thetas])
    sizes = [coef.size for coef in coefs] + [len(theta) for theta in thetas]
    spans = list(pairwise(accumulate(sizes, initial=0)))
    model._coef_indptr = [(*s, c.shape) for s, c in zip(spans, coefs, strict=False)]
    model._intercept_indptr = spans[len(coefs) :]
    room = [[None] * len(coefs) for _ in range(3)]

    def call() -> Any:
        return model._loss_grad_lbfgs(packed, X, target, None, [X, *room[0]], *map(list, room))

    def read(answer: Any) -> tuple[Any, Any]:
        value, flat = answer
        weights = [flat[a:b].reshape(shape).T for a, b, shape in model._coef_indptr]
        biases = [flat[a:b] for a, b in model._intercept_indptr]
        return np.array([value]), _joined(problem, list(zip(weights, biases, strict=True)))

    return Contestant(call, 1, read)


CONTESTANTS: dict[str, Callable[[Problem], Contestant]] = {
    "ours": ours,
    "bare_blocked": bare_blocked,
    "bare_whole": bare_whole,
    "bare_numpy": bare_numpy,
    "bare_eigen": bare_eigen,
    "autograd": autograd_stacked,
    "jax_vmap": jax_vmap,
    "torch_one_net": torch_one_net,
    "jax_jit": jax_jit,
    "sklearn": sklearn_one_net,
}
BARE = tuple(name for name in CONTESTANTS if name.startswith("bare"))
ONE_NET = ("torch_one_net", "jax_jit", "sklearn")
