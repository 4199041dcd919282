"""`scan_weights`: findings about weights of which nothing else is known.

Every tensor of real numbers is looked at once, piece by piece. A second look is taken only at
rows and tensors that agree in all that the first look kept. What weights alone cannot tell
(whether equal rows stay equal, dead units, gradients) is not claimed: `permanent` is None.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from symbreak.errors import InvalidInput
from symbreak.findings import Diagnosis, Finding
from symbreak.modules.diagnosis.detectors import non_finite, uninitialized
from symbreak.modules.diagnosis.detectors.identical_tensors import of_groups
from symbreak.modules.diagnosis.detectors.wrong_scale import of_shape
from symbreak.modules.diagnosis.tensor_stats import BYTES_PER_ENTRY, TensorStats, stats_of
from symbreak.modules.weight_scan.equal_rows import BYTES_PER_ROW, digest, equal_rows
from symbreak.modules.weight_scan.files import Source, opened

DEFAULT_BUDGET = 64 * 2**20
LEAST_BUDGET = 2**16
ONLY_WEIGHTS = "Weights alone cannot tell whether it lasts; run symbreak.diagnose on the module."
MOST_GROUPS = 5  # whose sizes are told
REDRAW = f"Draw the rows at random unless they are copies on purpose. {ONLY_WEIGHTS}"


def scan_weights(
    weights: str | os.PathLike[str] | Mapping[str, Any], memory_budget: int = DEFAULT_BUDGET
) -> Diagnosis:
    """Return what weights alone can tell about a start: no module, no data, no code is run.

    Looks for numbers that are not finite, memory that was never written, tensors and rows that are
    equal bit by bit, zero tensors, and a spread that is wrong for every fan the shape allows.
    Integers, booleans, sparse and quantised tensors are passed over.

    Parameters
    ----------
    weights
        A `.safetensors` file, a file of `torch.save` that holds tensors alone, or a state dict.
    memory_budget
        Bytes that the scan may allocate at a time, 64 KiB or more. The pages of a mapped file are
        not counted: the system takes them back when it needs room.

    Returns
    -------
    Diagnosis
        Its findings, errors first. `permanent` is None where only a run can tell.

    Raises
    ------
    InvalidInput
        The file is missing, cut off, of another kind or would need code to be run; there is nothing
        to look at; or the budget is below 64 KiB.
    InvalidType
        `weights` is neither a path nor a mapping.

    Examples
    --------
    >>> import torch
    >>> import symbreak as sb
    >>> weight = torch.randn(4, 9) / 3
    >>> weight[3] = weight[1]
    >>> found = sb.scan_weights({"hidden.weight": weight}).findings[0]
    >>> found.kind, found.units, found.permanent
    ('identical_units', ((1, 3),), None)
    """
    if type(memory_budget) is not int or memory_budget < LEAST_BUDGET:
        raise InvalidInput(
            f"memory_budget of scan_weights must be a whole number of at least {LEAST_BUDGET} "
            f"bytes. Got {memory_budget!r}."
        )
    with opened(weights) as source:
        return Diagnosis(tuple(_findings(source, memory_budget)))


def _findings(source: Source, budget: int) -> Iterator[Finding]:
    piece = budget // BYTES_PER_ENTRY
    alike: defaultdict[tuple[Any, ...], list[str]] = defaultdict(list)
    seen = False
    for name in source.names:
        tensor = source.tensor(name)
        if tensor.is_complex() and tensor.layout is torch.strided:
            tensor = torch.view_as_real(tensor.resolve_conj())
        if not tensor.is_floating_point() or tensor.layout is not torch.strided:
            continue
        seen = True
        stats = stats_of(tensor, piece)
        yield from _of_tensor(name, tensor, stats, budget)
        if _comparable(stats):
            alike[_fingerprint(stats)].append(name)
    if not seen:
        kinds = sorted({str(source.tensor(name).dtype) for name in source.names})
        raise InvalidInput(
            "weights of scan_weights must hold at least one dense tensor of real or complex "
            f"numbers. Got {', '.join(kinds) or 'no tensor'}."
        )
    yield from of_groups(_equal(source, alike.values(), piece))


def _of_tensor(name: str, tensor: Tensor, stats: TensorStats, budget: int) -> Iterator[Finding]:
    if stats.non_finite:
        yield non_finite.of_count(name, stats.non_finite, stats.count)
    unwritten = uninitialized.of_stats(name, stats)
    if unwritten is not None:
        yield unwritten
    elif len(stats.shape) > 1 and stats.count:
        yield from _of_rows(name, tensor, stats, budget)
        yield from of_shape(name, stats)


def _of_rows(name: str, tensor: Tensor, stats: TensorStats, budget: int) -> Iterator[Finding]:
    n_rows = stats.shape[0]
    if stats.zero:
        remedy = f"Leave it if the layer is to add nothing at the start. {ONLY_WEIGHTS}"
        yield _rows("note", name, (tuple(range(n_rows)),), "all entries are zero", remedy)
    elif stats.constant and n_rows > 1:
        evidence = f"all {n_rows} rows are equal: every entry is {stats.low:.6g}"
        yield _rows("warning", name, (tuple(range(n_rows)),), evidence, REDRAW)
    elif n_rows * BYTES_PER_ROW > budget:
        evidence = (
            f"{n_rows} rows were not compared: that takes {n_rows * BYTES_PER_ROW} bytes, "
            f"the budget is {budget}"
        )
        yield _rows("note", name, (), evidence, "Give scan_weights a larger memory_budget.")
    elif not stats.binary and (groups := equal_rows(tensor, budget // BYTES_PER_ENTRY)):
        evidence = (
            f"{sum(map(len, groups))} of {n_rows} rows are equal bit by bit to others, "
            f"in groups of {', '.join(str(len(group)) for group in groups[:MOST_GROUPS])}"
            f"{', ...' if len(groups) > MOST_GROUPS else ''}"
        )
        yield _rows("warning", name, groups, evidence, REDRAW)


def _rows(
    level: str, name: str, groups: tuple[tuple[int, ...], ...], evidence: str, remedy: str
) -> Finding:
    return Finding("identical_units", level, name, groups, None, evidence, remedy)


def _comparable(stats: TensorStats) -> bool:
    return len(stats.shape) > 1 and stats.sampled > 0 and not (stats.constant or stats.binary)


def _fingerprint(stats: TensorStats) -> tuple[Any, ...]:
    ends = stats.low, stats.high, stats.total, stats.squares
    return (stats.shape, stats.dtype, stats.non_finite, *ends)


def _equal(source: Source, alike: Iterable[list[str]], piece: int) -> Iterator[tuple[str, ...]]:
    """Yield the names of tensors that are equal bit by bit, among those of one fingerprint."""
    for names in alike:
        if len(names) < 2:
            continue
        by_code: defaultdict[bytes, list[str]] = defaultdict(list)
        for name in names:
            by_code[digest(source.tensor(name), piece)].append(name)
        yield from (tuple(same) for same in by_code.values() if len(same) > 1)
