"""A small fit as in a browser's Python: no compiled core, no threads, no processes, no PyTorch."""

from __future__ import annotations

import _thread
import os
import subprocess
import sys
import threading
from typing import Any


class NoTorch:
    """Finds no PyTorch, wherever it lies."""

    def find_spec(self, name: str, *_: Any) -> None:
        """Refuse it; leave all else to those who find."""
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def no_thread(*_: Any, **__: Any) -> Any:
    """Stand where a thread would begin."""
    raise RuntimeError("can't start new thread")


def no_process(*_: Any, **__: Any) -> Any:
    """Stand where a process would begin."""
    raise OSError("no processes here")


def block() -> None:
    """Take away what a browser has not."""
    sys.meta_path.insert(0, NoTorch())  # type: ignore[arg-type]
    threading.Thread.start = no_thread  # type: ignore[method-assign]
    _thread.start_new_thread = no_thread
    subprocess.Popen.__init__ = no_process  # type: ignore[method-assign]
    for name in ("fork", "posix_spawn", "system"):
        setattr(os, name, no_process)


def fit() -> None:
    """Train a classifier, and a network from several starts."""
    from sklearn.datasets import load_iris

    import symbreak as sb

    assert sb.show_versions(as_dict=True)["engine"] == "numpy"
    X, y = load_iris(return_X_y=True)
    X = (X - X.mean(0)) / X.std(0)
    cost = sb.NetworkCost(sb.Network((4, 5, 3), "tanh", "cross_entropy"), X, y, alpha=0.1)
    theta = sb.initialize(cost.network, starts=4, seed=0)
    assert sb.check_gradient(cost, theta).verdict == "pass"
    print(sb.minimize(cost, theta, max_iter=100))
    assert (
        sb.MLPClassifier((5,), n_starts=4, max_iter=2000, random_state=0).fit(X, y).score(X, y)
        > 0.95
    )
    try:
        sb.ModuleCost  # noqa: B018
    except sb.MissingOptionalPackage as error:
        print(error)
    else:
        raise AssertionError("ModuleCost must say that PyTorch is missing.")


if __name__ == "__main__":
    block()
    fit()
