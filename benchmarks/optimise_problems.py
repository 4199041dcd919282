"""What the contestants of `optimise.py` share: problems, scikit-learn's entrances, nets of torch.

Conventions
-----------
J = mean loss + alpha / (2 m) Σ weights², biases excluded: symbreak's J is also scikit-learn's.
Every contestant begins at the same theta and returns theta, (starts, n) float64, in symbreak's
layout; what it is worth is computed once more by `NetworkCost` in float64, and is not timed.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

import symbreak as sb

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Floats = NDArray[np.float64]
SKLEARN_NAME = {"sigmoid": "logistic"}  # the others are called as in symbreak


@dataclass(frozen=True)
class Problem:
    """A network, its examples, the penalty, and the starts (starts, n) float64."""

    network: sb.Network
    X: Floats
    y: NDArray[Any]
    alpha: float
    theta: Floats

    def first_starts(self, starts: int) -> Problem:
        """Return the same problem with its first starts only."""
        return Problem(self.network, self.X, self.y, self.alpha, self.theta[:starts])

    def cost(self, dtype: str = "float64") -> sb.NetworkCost:
        """Return J."""
        return sb.NetworkCost(self.network, self.X, self.y, alpha=self.alpha, dtype=dtype)

    def judge(self, theta: Floats) -> tuple[Floats, Floats]:
        """Return J and the largest |gradient entry| of every start, in float64."""
        J, gradient = self.cost()(theta)
        return J, np.abs(gradient).max(1)


@dataclass
class Contestant:
    """What is timed; the theta that its last call returned is kept.

    Attributes
    ----------
    solve : returns theta, (networks, n) float64.
    networks : how many of the starts it works on.
    compile_seconds : what went before, once; None where nothing is compiled.
    """

    solve: Callable[[], Floats]
    networks: int
    compile_seconds: float | None = None
    theta: Floats = field(init=False)

    def __call__(self) -> None:
        """Solve and keep the answer."""
        self.theta = self.solve()


def make_problem(
    data: tuple[Any, Any], hidden: int, loss: str, starts: int, *, alpha: float, activation: str
) -> Problem:
    """Standardise X, and y of a regression, and draw the starts by `glorot_uniform`."""
    X = StandardScaler().fit_transform(np.asarray(data[0], dtype=np.float64))
    y = np.asarray(data[1])
    if loss == "squared_error":
        y = (y - y.mean()) / y.std()
    outputs = int(y.max()) + 1 if loss == "cross_entropy" else 1
    network = sb.Network((X.shape[1], hidden, outputs), activation=activation, loss=loss)
    theta = sb.initialize(network, starts=starts, seed=0, rule="glorot_uniform")
    return Problem(network, X, y, alpha, np.asarray(theta, dtype=np.float64))


def bundled(name: str) -> tuple[Any, Any]:
    """Return (X, y) of a data set that comes with scikit-learn."""
    X, y = getattr(datasets, f"load_{name.replace('-', '_')}")(return_X_y=True)
    return X, y


def pairs_of(network: sb.Network, theta: Floats) -> list[tuple[Any, Any]]:
    """Return (weights (..., in, out), biases (..., out)) of every layer, as scikit-learn does."""
    matrices = network.thetas(theta)
    return [(np.swapaxes(t[..., 1:], -1, -2).copy(), t[..., 0].copy()) for t in matrices]


def theta_of(network: sb.Network, pairs: Sequence[tuple[Any, Any]]) -> Floats:
    """Return theta of such pairs; the inverse of `pairs_of`."""
    matrices = [
        np.concatenate([np.asarray(b)[..., None], np.swapaxes(np.asarray(w), -1, -2)], axis=-1)
        for w, b in pairs
    ]
    return np.asarray(network.unroll(matrices), dtype=np.float64)


def sklearn_model(problem: Problem, start: int, dtype: str = "float64", **options: Any) -> Any:
    """Return an MLPClassifier or MLPRegressor whose `fit` begins at this start."""
    network = problem.network
    kind = MLPRegressor if network.loss.name == "squared_error" else MLPClassifier
    name = network.activations[0].name
    model = kind(
        hidden_layer_sizes=network.layers[1:-1],
        activation=SKLEARN_NAME.get(name, name),
        alpha=problem.alpha,
        random_state=0,
        **options,
    )
    given = iter(pairs_of(network, problem.theta[start].astype(dtype)))
    # Where `fit` draws the start, layer by layer.
    model._init_coef = lambda *_: next(given)
    return model


def sklearn_fit(problem: Problem, start: int, dtype: str = "float64", **options: Any) -> Floats:
    """Fit from this start and return theta."""
    model = sklearn_model(problem, start, dtype, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(problem.X.astype(dtype, copy=False), problem.y)
    return sklearn_theta(problem.network, model)


def sklearn_theta(network: sb.Network, model: Any) -> Floats:
    """Return theta of a model as it stands."""
    return theta_of(network, list(zip(model.coefs_, model.intercepts_, strict=True)))


class _CaughtError(Exception):
    """The L-BFGS of scikit-learn was about to begin."""


def sklearn_lbfgs_function(problem: Problem, start: int) -> tuple[Any, Callable[[Any], Any], Any]:
    """Return (model, x -> (J, gradient), first x): what `fit` hands to the L-BFGS of SciPy."""
    model = sklearn_model(problem, start, solver="lbfgs")
    function = model._loss_grad_lbfgs
    caught: list[Any] = []

    def catch(x: Any, *arguments: Any) -> Any:
        caught.extend((x.copy(), arguments))
        raise _CaughtError

    model._loss_grad_lbfgs = catch
    try:
        model.fit(problem.X, problem.y)
    except _CaughtError:
        x, arguments = caught
    return model, lambda packed: function(packed, *arguments), x


def torch_net(problem: Problem, start: int, dtype: torch.dtype) -> torch.nn.Sequential:
    """Return `nn.Sequential` at this start."""
    import torch

    kinds = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU, "sigmoid": torch.nn.Sigmoid}
    modules: list[torch.nn.Module] = []
    for weight, bias in pairs_of(problem.network, problem.theta[start]):
        n_in, n_out = weight.shape
        linear = torch.nn.Linear(n_in, n_out, dtype=dtype)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weight.T))
            linear.bias.copy_(torch.from_numpy(bias))
        modules += [linear, kinds[problem.network.activations[0].name]()]
    return torch.nn.Sequential(*modules[:-1])


def linears(model: torch.nn.Sequential) -> Iterator[torch.nn.Linear]:
    """Yield the layers that have parameters."""
    import torch

    yield from (module for module in model if isinstance(module, torch.nn.Linear))


def torch_theta(network: sb.Network, model: torch.nn.Sequential) -> Floats:
    """Return theta of a model as it stands."""
    pairs = [(m.weight.detach().numpy().T, m.bias.detach().numpy()) for m in linears(model)]
    return theta_of(network, pairs)


def torch_examples(problem: Problem, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return X and y as the losses of torch take them."""
    import torch

    of_classes = problem.network.loss.name == "cross_entropy"
    y = torch.from_numpy(np.asarray(problem.y))
    return torch.from_numpy(problem.X).to(dtype), y.long() if of_classes else y.to(dtype)[:, None]
