"""Part C of `optimise.py`: Adam on mini-batches, the same number of epochs for all, float32.

Relu nets with soft-max, no penalty, the defaults that all four share: learning rate 1e-3,
beta 0.9 and 0.999, eps 1e-8. Each contestant shuffles by itself, takes every example once an epoch
and lets the last mini-batch be short. Ours evaluates J over all examples only before and after.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from common import interleave, ratio
from numpy.typing import NDArray
from optimise_problems import (
    Contestant,
    Floats,
    Problem,
    bundled,
    make_problem,
    pairs_of,
    sklearn_fit,
    theta_of,
    torch_examples,
    torch_net,
    torch_theta,
)

import symbreak as sb

DTYPE = "float32"
FASHION, DIGITS = "Fashion-MNIST", "digits"
# Hidden units, activation, mini-batch, epochs.
SETTINGS: dict[str, tuple[int, str, int, int]] = {
    DIGITS: (30, "relu", 32, 20),
    FASHION: (128, "relu", 128, 3),
}


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Return the array of bytes in a gzipped IDX file: magic 0, 0, 8, dimensions; big-endian."""
    content = gzip.decompress(path.read_bytes())
    if content[:3] != b"\x00\x00\x08":
        raise SystemExit(f"{path.name} must be an IDX file of bytes.")
    begin = 4 + 4 * content[3]
    shape = np.frombuffer(content[4:begin], ">u4")
    return np.frombuffer(content[begin:], np.uint8).reshape(*map(int, shape))


def problem_of(data: str, starts: int, folder: str | None) -> Problem:
    """Return the classification; Fashion-MNIST is read from `folder` and scaled to [0, 1]."""
    hidden, activation = SETTINGS[data][:2]
    if data == DIGITS:
        return make_problem(
            bundled(DIGITS), hidden, "cross_entropy", starts, alpha=0.0, activation=activation
        )
    X, y = (read_idx(Path(str(folder)) / f"train-{name}.gz") for name in IDX_NAMES)
    network = sb.Network((X[0].size, hidden, 10), activation=activation, loss="cross_entropy")
    theta = sb.initialize(network, starts=starts, seed=0, rule="glorot_uniform")
    return Problem(
        network, X.reshape(len(X), -1) / 255.0, y.astype(np.int64), 0.0, np.asarray(theta)
    )


IDX_NAMES = ("images-idx3-ubyte", "labels-idx1-ubyte")


def measure(
    data: str,
    numbers: Iterable[int],
    names: Iterable[str],
    threads: int,
    budget: float,
    folder: str | None = None,
) -> list[dict[str, Any]]:
    """Time the contestants on one data set, once for each number of starts."""
    batch, epochs = SETTINGS[data][2:]
    numbers = list(numbers)
    whole = problem_of(data, max(numbers), folder)
    cases = []
    for starts in numbers:
        problem = whole.first_starts(starts)
        field = {name: CONTESTANTS[name](problem, batch, epochs) for name in names}
        samples = interleave(field, budget, one_thread=threads == 1)
        case: dict[str, Any] = {"part": "minibatches", "data": data, "threads": threads}
        case |= {"net": "-".join(map(str, problem.network.layers)), "examples": len(problem.X)}
        case |= {"starts": starts, "batch": batch, "epochs": epochs}
        for name, one in field.items():
            J, _ = problem.first_starts(one.networks).judge(one.theta)
            case[name] = {
                "seconds_per_network": median(samples[name]) / one.networks,
                "networks": one.networks,
                "compile_seconds": one.compile_seconds,
                "J": float(np.median(J)),
                "ours_over_this": ratio(samples["ours"], samples[name]) * one.networks / starts,
            }
        cases.append(case)
    return cases


def ours(problem: Problem, batch: int, epochs: int) -> Contestant:
    """`sb.minimize(method="adam")` of all starts at once; one iteration is all epochs."""
    cost = problem.cost(DTYPE)
    theta = problem.theta.astype(DTYPE)

    def solve() -> Floats:
        found = sb.minimize(
            cost, theta, method="adam", batch_size=batch, seed=0, epochs_per_evaluation=epochs,
            max_iter=1, gradient_rtol=0.0,
        )  # fmt: skip
        return np.asarray(found.theta, dtype=np.float64)

    return Contestant(solve, len(theta))


def torch_loop(problem: Problem, batch: int, epochs: int) -> Contestant:
    """The plain loop over one `nn.Sequential` with `torch.optim.Adam`."""
    import torch
    from torch.nn.functional import cross_entropy

    X, y = torch_examples(problem, torch.float32)

    def solve() -> Floats:
        model = torch_net(problem, 0, torch.float32)
        optimizer = torch.optim.Adam(model.parameters())
        for _ in range(epochs):
            for rows in torch.randperm(len(X)).split(batch):
                optimizer.zero_grad()
                torch.autograd.backward(cross_entropy(model(X[rows]), y[rows]))
                optimizer.step()
        return torch_theta(problem.network, model)[None]

    return Contestant(solve, 1)


def sklearn(problem: Problem, batch: int, epochs: int) -> Contestant:
    """`MLPClassifier(solver="adam").fit`, which does not stop before its last epoch."""
    options = {"solver": "adam", "batch_size": batch, "max_iter": epochs, "tol": 0.0}
    options["n_iter_no_change"] = epochs + 1
    # scikit-learn computes in the dtype of X.
    single = Problem(
        problem.network, problem.X.astype(DTYPE), problem.y, problem.alpha, problem.theta
    )
    return Contestant(lambda: sklearn_fit(single, 0, DTYPE, **options)[None], 1)


def jax_scan(problem: Problem, batch: int, epochs: int) -> Contestant:
    """`optax.adam` in a jitted scan over mini-batches, `vmap` over the starts if they are many."""
    import jax
    import jax.numpy as jnp
    import optax

    X, y = jnp.asarray(problem.X, DTYPE), jnp.asarray(problem.y)
    m, whole = len(X), len(X) // batch * batch
    optimizer = optax.adam(1e-3)

    def cost(parameters: Any, rows: Any) -> Any:
        (first, bias), (second, last_bias) = parameters
        a = ACTIVATIONS[problem.network.activations[0].name](jax, X[rows] @ first + bias)
        raw = a @ second + last_bias
        return optax.softmax_cross_entropy_with_integer_labels(raw, y[rows]).mean()

    def update(carry: Any, rows: Any) -> Any:
        parameters, state = carry
        updates, state = optimizer.update(jax.grad(cost)(parameters, rows), state)
        return (optax.apply_updates(parameters, updates), state), None

    def epoch(carry: Any, key: Any) -> Any:
        order = jax.random.permutation(key, m)
        carry, _ = jax.lax.scan(update, carry, order[:whole].reshape(-1, batch))
        return (update(carry, order[whole:])[0] if whole < m else carry), None

    def fit(parameters: Any, keys: Any) -> Any:
        return jax.lax.scan(epoch, (parameters, optimizer.init(parameters)), keys)[0][0]

    one = len(problem.theta) == 1
    theta = (problem.theta[0] if one else problem.theta).astype(DTYPE)
    arguments = (
        jax.tree.map(jnp.asarray, pairs_of(problem.network, theta)),
        jax.random.split(jax.random.key(0), epochs),
    )
    begin = time.perf_counter()
    function = fit if one else jax.vmap(fit, in_axes=(0, None))
    compiled = jax.jit(function).lower(*arguments).compile()
    seconds = time.perf_counter() - begin

    def solve() -> Floats:
        found = theta_of(problem.network, compiled(*arguments))
        return np.atleast_2d(found)

    return Contestant(solve, len(problem.theta), seconds)


ACTIVATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "relu": lambda jax, z: jax.nn.relu(z),
    "tanh": lambda jax, z: jax.numpy.tanh(z),
}

CONTESTANTS: dict[str, Callable[[Problem, int, int], Contestant]] = {
    "ours": ours,
    "torch": torch_loop,
    "sklearn": sklearn,
    "jax": jax_scan,
}
