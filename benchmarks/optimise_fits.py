"""Part A of `optimise.py`: many L-BFGS fits, the same starts and the same rule for all.

The rule: largest |gradient entry| <= GRADIENT. All contestants test just that; whether it holds is
computed anew by ours. What may end scikit-learn earlier is the ftol of SciPy's L-BFGS-B, a step
that lowers J by less than 2.2e-9 J, which its `fit` lets nobody change.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from common import interleave
from optimise_problems import (
    Contestant,
    Floats,
    Problem,
    bundled,
    linears,
    make_problem,
    pairs_of,
    sklearn_fit,
    theta_of,
    torch_examples,
    torch_net,
    torch_theta,
)

import symbreak as sb

if TYPE_CHECKING:
    from torch import Tensor

GRADIENT, MAX_ITER, MEMORY = 1e-4, 1000, 10
STARTS, ALPHA = 32, 1.0
TORCH_STARTS = 2  # its fits share nothing, so that the time of more is in proportion
HIDDEN = {"iris": 10, "breast-cancer": 16, "digits": 30}


def measure(data: str, names: Iterable[str], threads: int, budget: float) -> dict[str, Any]:
    """Time the contestants on one data set, in turns."""
    problem = problem_of(data, STARTS)
    field = {name: CONTESTANTS[name](problem) for name in names}
    samples = interleave(field, budget, one_thread=threads == 1)
    net = "-".join(map(str, problem.network.layers))
    case: dict[str, Any] = {"part": "fits", "data": data, "net": net, "threads": threads}
    case["examples"] = len(problem.X)
    for name, one in field.items():
        case[name] = {
            "seconds": median(samples[name]) * STARTS / one.networks,
            "networks": one.networks,
            "compile_seconds": one.compile_seconds,
            **worth(problem.first_starts(one.networks), one.theta),
        }
    return case


def worth(problem: Problem, theta: Floats) -> dict[str, float]:
    """Return the share of fits that meet the rule, recomputed, and their median J."""
    J, largest = problem.judge(theta)
    return {"met": float(np.mean(largest <= GRADIENT)), "J": float(np.median(J))}


def problem_of(data: str, starts: int) -> Problem:
    """Return the problem of a data set: tanh, one hidden layer."""
    loss = "binary_cross_entropy" if data == "breast-cancer" else "cross_entropy"
    return make_problem(bundled(data), HIDDEN[data], loss, starts, alpha=ALPHA, activation="tanh")


def ours(problem: Problem, dtype: str) -> Contestant:
    """`sb.minimize` of all starts at once."""

    def solve() -> Floats:
        cost = problem.cost(dtype)
        found = sb.minimize(
            cost, problem.theta, gradient_rtol=0.0, gradient_atol=GRADIENT, max_iter=MAX_ITER
        )
        return np.asarray(found.theta, dtype=np.float64)

    return Contestant(solve, len(problem.theta))


def sklearn(problem: Problem) -> Contestant:
    """One `fit` after another."""
    options: dict[str, Any] = {"solver": "lbfgs", "tol": GRADIENT}
    options |= {"max_iter": MAX_ITER, "max_fun": 100 * MAX_ITER}

    def solve() -> Floats:
        fits = [sklearn_fit(problem, start, **options) for start in range(len(problem.theta))]
        return np.stack(fits)

    return Contestant(solve, len(problem.theta))


def torch_lbfgs(problem: Problem) -> Contestant:
    """`torch.optim.LBFGS` on one `nn.Sequential` after another."""
    import torch

    starts = range(min(TORCH_STARTS, len(problem.theta)))
    examples = torch_examples(problem, torch.float64)

    def solve() -> Floats:
        return np.stack([_torch_fit(problem, start, *examples) for start in starts])

    return Contestant(solve, len(starts))


def _torch_fit(problem: Problem, start: int, X: Tensor, y: Tensor) -> Floats:
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

    model = torch_net(problem, start, X.dtype)
    weights = [linear.weight for linear in linears(model)]
    loss = (
        cross_entropy
        if problem.network.loss.name == "cross_entropy"
        else binary_cross_entropy_with_logits
    )
    optimizer = torch.optim.LBFGS(
        model.parameters(),
        max_iter=MAX_ITER,
        max_eval=100 * MAX_ITER,
        tolerance_grad=GRADIENT,
        tolerance_change=0.0,
        history_size=MEMORY,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        penalty = torch.stack([weight.square().sum() for weight in weights]).sum()
        J: Tensor = loss(model(X), y) + problem.alpha / (2 * len(X)) * penalty
        torch.autograd.backward(J)
        return J

    optimizer.step(closure)
    return torch_theta(problem.network, model)


def jax_lbfgs(problem: Problem) -> Contestant:
    """`optax.lbfgs` in `jit(vmap(while_loop))` over the starts."""
    import jax

    begin = time.perf_counter()
    parameters = jax.tree.map(jax.numpy.asarray, pairs_of(problem.network, problem.theta))
    fit = partial(_jax_fit, _jax_cost(problem))
    compiled = jax.jit(jax.vmap(fit)).lower(parameters).compile()
    seconds = time.perf_counter() - begin

    def solve() -> Floats:
        return theta_of(problem.network, compiled(parameters))

    return Contestant(solve, len(problem.theta), seconds)


def _jax_cost(problem: Problem) -> Callable[[Any], Any]:
    import jax.numpy as jnp
    import optax

    X, y = jnp.asarray(problem.X), jnp.asarray(problem.y)
    of_classes = problem.network.loss.name == "cross_entropy"

    def cost(parameters: Any) -> Any:
        a = X
        for weight, bias in parameters[:-1]:
            a = jnp.tanh(a @ weight + bias)
        weight, bias = parameters[-1]
        raw = a @ weight + bias
        losses = (
            optax.softmax_cross_entropy_with_integer_labels(raw, y)
            if of_classes
            else optax.sigmoid_binary_cross_entropy(raw[:, 0], y)
        )
        penalty = sum(jnp.sum(weight**2) for weight, _ in parameters)
        return losses.mean() + problem.alpha / (2 * len(X)) * penalty

    return cost


def _jax_fit(cost: Callable[[Any], Any], parameters: Any) -> Any:
    """Minimise from one start; `vmap` makes it many, which all wait for the slowest."""
    import jax
    import jax.numpy as jnp
    import optax

    optimizer = optax.lbfgs(memory_size=MEMORY)
    value_and_grad = optax.value_and_grad_from_state(cost)

    def goes_on(carry: Any) -> Any:
        count, gradient = (optax.tree.get(carry[1], key) for key in ("count", "grad"))
        largest = jnp.stack([jnp.abs(leaf).max() for leaf in jax.tree.leaves(gradient)]).max()
        return (count == 0) | ((count < MAX_ITER) & (largest > GRADIENT))

    def step(carry: Any) -> Any:
        parameters, state = carry
        value, grad = value_and_grad(parameters, state=state)
        updates, state = optimizer.update(
            grad, state, parameters, value=value, grad=grad, value_fn=cost
        )
        return optax.apply_updates(parameters, updates), state

    return jax.lax.while_loop(goes_on, step, (parameters, optimizer.init(parameters)))[0]


CONTESTANTS: dict[str, Callable[[Problem], Contestant]] = {
    "ours_float64": partial(ours, dtype="float64"),
    "ours_float32": partial(ours, dtype="float32"),
    "sklearn": sklearn,
    "torch": torch_lbfgs,
    "jax": jax_lbfgs,
}
