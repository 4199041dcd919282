"""How long `diagnose` takes beside a training step of the module, and how much memory.

    python benchmarks/diagnosis.py [--quick] [--write-docs]

The module is of the size of GPT-2 small, 124 million parameters in float32; the batch is 2 x 128
tokens. A training step is forward, backward and AdamW, with a learning rate of 0: it costs the
same, and every diagnosis looks at the same start. Two starts: sound; and with two identical
features in one MLP, whose permanence takes real updates in float64 by two optimisers. Every case
runs in a fresh process.
"""

from __future__ import annotations

import time
from statistics import median
from typing import Any

from common import (
    all_threads,
    has_answered,
    interleave,
    machine,
    machine_line,
    markdown_table,
    number,
    parser_of,
    peak_bytes,
    publish,
    ratio,
    run_fresh,
    say,
)

NAME = "diagnosis"
STARTS = ("sound", "identical pair")
PACKAGES = ("torch",)
FULL = {"layers": 12, "vocabulary": 50257, "length": 128, "budget": 6.0}
QUICK = {"layers": 2, "vocabulary": 5000, "length": 128, "budget": 2.0}
SEQUENCES = 2


def main() -> None:
    """Measure, print and save."""
    options = parser_of(__doc__, "two layers and 5000 tokens").parse_args()
    if has_answered(options, measure):
        return
    cases = []
    for threads in sorted({1, all_threads()}):
        for start in STARTS:
            say(f"{start}, {threads} threads")
            size = QUICK if options.quick else FULL
            cases.append(run_fresh(__file__, {"start": start, "threads": threads, **size}, threads))
    result = {"machine": machine(PACKAGES), "quick": options.quick, "cases": cases}
    publish(NAME, result, render(result), options)


def measure(
    start: str, threads: int, layers: int, vocabulary: int, length: int, budget: float
) -> dict[str, Any]:
    """Return the seconds of a training step and of a diagnosis, and the peaks of memory."""
    import torch
    from gpt2 import GPT2, next_token_loss, tokens, twin_features_

    import symbreak as sb

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    module = GPT2(layers=layers, vocabulary=vocabulary)
    if start == "identical pair":
        twin_features_(module, layers // 2, 3, 1500)
    batch = tokens(SEQUENCES, length, vocabulary)
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.0)
    errors: list[int] = []

    def train() -> None:
        optimizer.zero_grad()
        next_token_loss(module(batch[0]), batch[1]).backward()
        optimizer.step()

    def diagnose() -> None:
        found = sb.diagnose(module, next_token_loss, batch)
        errors[:] = [sum(finding.level == "error" for finding in found.findings)]

    train()
    peak = peak_bytes()
    begin = time.perf_counter()
    seconds = interleave({"step": train, "diagnose": diagnose}, budget, one_thread=threads == 1)
    say(f"measured in {time.perf_counter() - begin:.0f} s")
    return {
        "start": start,
        "threads": threads,
        "parameters": sum(p.numel() for p in module.parameters()),
        "seconds": {name: median(sample) for name, sample in seconds.items()},
        "times": ratio(seconds["diagnose"], seconds["step"]),
        "peak": {"step": peak, "diagnose": peak_bytes()},
        "errors": errors[0],
    }


def render(result: dict[str, Any]) -> str:
    """Return the section of the page."""
    head = [
        "start", "threads", "step, s", "diagnose, s", "x step", "errors found",
        "peak of step, GiB", "with diagnose, GiB",
    ]  # fmt: skip
    rows = [
        [
            case["start"],
            str(case["threads"]),
            number(case["seconds"]["step"]),
            number(case["seconds"]["diagnose"]),
            number(case["times"]),
            str(case["errors"]),
            *(f"{case['peak'][name] / 2**30:.2f}" for name in ("step", "diagnose")),
        ]
        for case in result["cases"]
    ]
    millions = result["cases"][0]["parameters"] / 1e6
    size = f"{'Quick run, ' if result['quick'] else ''}{millions:.0f} million parameters."
    return f"{machine_line(result['machine'])} {size}\n\n{markdown_table(head, rows)}"


if __name__ == "__main__":
    main()
