"""How fast `scan_weights` is beside reading a file and reducing every tensor once with torch.

    python benchmarks/weights_scan.py [--quick] [--write-docs]

The file has the shapes of a transformer, 12 layers of width 768 and 50257 tokens (124 million
numbers), once in float32 and once in bfloat16, and lies in the cache of the system: no disk is
measured. Rivals: the sum of every tensor, read by safetensors' `safe_open`; and the same with
`isfinite`, what a check for NaN alone costs. `share` is the time of the sum / the time of the scan.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from common import (
    has_answered,
    interleave,
    machine,
    machine_line,
    markdown_table,
    number,
    parser_of,
    publish,
    ratio,
    run_fresh,
)

NAME = "weights_scan"
WIDTH, LAYERS, TOKENS, PLACES = 768, 12, 50257, 1024
QUICK_LAYERS, QUICK_TOKENS = 2, 5000
DTYPES = ("float32", "bfloat16")
PACKAGES = ("torch", "safetensors")


def main() -> None:
    """Read the command line; measure; print and save."""
    options = parser_of(__doc__, "a small file").parse_args()
    if has_answered(options, measure):
        return
    begin = time.perf_counter()
    size = {"layers": QUICK_LAYERS, "tokens": QUICK_TOKENS} if options.quick else {}
    cases = [run_fresh(__file__, {"dtype": dtype, **size}, threads=1) for dtype in DTYPES]
    result = {"machine": machine(PACKAGES), "cases": cases}
    publish(NAME, result, render(result), options, begin)


def measure(
    dtype: str, layers: int = LAYERS, tokens: int = TOKENS, budget: float = 5.0
) -> dict[str, Any]:
    """Return the seconds of the scan and of its rivals on one file, and what the scan found."""
    import torch
    from safetensors import safe_open
    from safetensors.torch import save_file

    from symbreak import scan_weights

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        save_file(transformer(layers, tokens, getattr(torch, dtype)), path)

        def reduce_once() -> None:
            with safe_open(path, framework="pt") as file:
                for name in file.keys():  # noqa: SIM118  (not a mapping)
                    file.get_tensor(name).sum()

        def check_finite() -> None:
            with safe_open(path, framework="pt") as file:
                for name in file.keys():  # noqa: SIM118
                    file.get_tensor(name).isfinite().all()

        calls = {"scan": lambda: scan_weights(path), "sum": reduce_once, "finite": check_finite}
        seconds = interleave(calls, budget, one_thread=True)
        return {
            "dtype": dtype,
            "megabytes": path.stat().st_size / 1e6,
            "findings": len(scan_weights(path).findings),
            "milliseconds": {name: 1e3 * sorted(s)[len(s) // 2] for name, s in seconds.items()},
            "share": ratio(seconds["sum"], seconds["scan"]),
        }


def transformer(layers: int, tokens: int, dtype: Any) -> dict[str, Any]:
    """Return weights of a transformer, drawn with the spread 0.02 of GPT-2."""
    import torch

    generator = torch.Generator().manual_seed(0)
    shapes = {"wte.weight": (tokens, WIDTH), "wpe.weight": (PLACES, WIDTH)}
    for layer in range(layers):
        for name, shape in (
            ("attention.in", (3 * WIDTH, WIDTH)),
            ("attention.out", (WIDTH, WIDTH)),
            ("mlp.in", (4 * WIDTH, WIDTH)),
            ("mlp.out", (WIDTH, 4 * WIDTH)),
        ):
            shapes[f"h.{layer}.{name}.weight"] = shape
    return {
        name: torch.empty(shape).normal_(0, 0.02, generator=generator).to(dtype)
        for name, shape in shapes.items()
    }


def render(result: dict[str, Any]) -> str:
    """Return the section of the page."""
    head = ["weights", "MB", "scan, ms", "sum, ms", "isfinite, ms", "share", "findings"]
    rows = [
        [
            case["dtype"],
            f"{case['megabytes']:.0f}",
            *(number(case["milliseconds"][name]) for name in ("scan", "sum", "finite")),
            number(case["share"]),
            str(case["findings"]),
        ]
        for case in result["cases"]
    ]
    line = f"{machine_line(result['machine'])} One thread."
    return "\n\n".join([line, markdown_table(head, rows)])


if __name__ == "__main__":
    main()
