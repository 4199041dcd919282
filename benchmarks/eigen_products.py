"""The bare products by Eigen, compiled once for this processor; for `contestants.py`.

Needs a C++ compiler and the package cmeel-eigen, whose headers lie in its folder cmeel.prefix.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
import tempfile
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_suffix(".cpp")
FLAGS = ("-std=c++17", "-O3", "-march=native", "-DNDEBUG", "-shared", "-fPIC")


def has_eigen() -> bool:
    """Whether Eigen's headers are installed."""
    return bool(list(metadata.distributions(name="cmeel-eigen")))


@cache
def library() -> Any:
    """Return the compiled products."""
    folder = Path(tempfile.mkdtemp(prefix="eigen-products-"))
    built = folder / "products.so"
    subprocess.run(["c++", *FLAGS, f"-I{_headers()}", str(SOURCE), "-o", str(built)], check=True)
    return ctypes.CDLL(str(built))


def _headers() -> Path:
    files = metadata.files("cmeel-eigen") or []
    return next(
        Path(str(file.locate())).parents[1] for file in files if str(file).endswith("Eigen/Dense")
    )


def call(problem: Any, block: int) -> tuple[Any, Any]:
    """Return a function without arguments that makes the products, and where the sums lie."""
    import torch

    rows, theta = problem.rows.contiguous(), problem.theta.contiguous()
    gradient = torch.zeros_like(theta)
    layers = (ctypes.c_int * len(problem.layers))(*problem.layers)
    function = getattr(library(), f"products{8 * theta.element_size()}")
    sizes = ctypes.c_int(len(problem.layers) - 1), layers, ctypes.c_long(len(rows))
    pointers = [ctypes.c_void_p(tensor.data_ptr()) for tensor in (rows, theta, gradient)]
    arguments = (*sizes, ctypes.c_int(len(theta)), *pointers, ctypes.c_long(min(block, len(rows))))

    def products(_alive: Any = (rows, theta, gradient)) -> None:
        function(*arguments)

    return products, gradient


if __name__ == "__main__":
    sys.exit("This is a contestant of value_and_gradient.py.")
