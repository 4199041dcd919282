"""Gradient reports and diagnoses as the page shows them."""

from __future__ import annotations

from typing import Any

from symbreak.findings import Diagnosis, Finding
from symbreak.gradient_check import GradientReport
from symbreak.reports.numbers import section, short
from symbreak.training.checks import Symmetry

MOST_BLOCKS, MOST_FINDINGS, MOST_WORDS, MOST_UNITS = 400, 200, 2000, 50


def gradient_section(report: GradientReport, rows_of_data: int | None = None) -> dict[str, Any]:
    """Return the verdict and one row for each block, in the order of theta.

    Parameters
    ----------
    rows_of_data : how many examples J was taken of, where that is known.
    """
    rows = [
        {
            "check": name,
            "block": short(block.name),
            "verdict": block.verdict,
            "relative_error": block.relative_error,
            "scale": block.scale,
            "bar": block.bar,
            "worst": short(block.worst),
            "analytic": block.analytic,
            "numerical": block.numerical,
            "n_checked": block.n_checked,
            "n_parameters": block.n_parameters,
            "note": short(block.note, MOST_WORDS),
        }
        for name, one in (("", report), *report.also)
        for block in one.blocks
    ]
    return section({
        "verdict": report.verdict,
        "line": short(report.line, MOST_WORDS),
        "finding": short(report.finding, MOST_WORDS),
        "relative_error": report.relative_error,
        "J": report.value,
        "rows_of_data": rows_of_data,
        "tolerance": report.tolerance,
        "directions": report.directions,
        "n_evaluations": report.n_evaluations,
        "n_checked": report.n_checked,
        "n_parameters": report.n_parameters,
        "of_blocks": len(rows),
        "blocks": rows[:MOST_BLOCKS],
    })  # fmt: skip


def symmetry_section(symmetry: Symmetry) -> dict[str, Any]:
    """Return how many hidden units of the starts can be told apart."""
    return section({
        "units": symmetry.units,
        "least": symmetry.least,
        "kinds": symmetry.kinds,
        "is_broken": symmetry.is_broken,
        "line": symmetry.line,
        "finding": symmetry.finding,
    })  # fmt: skip


def diagnosis_section(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return the findings, errors first, each with its remedy."""
    levels = [finding.level for finding in diagnosis.findings]
    return {
        "ok": diagnosis.ok,
        "counts": {level: levels.count(level) for level in ("error", "warning", "note")},
        "of_findings": len(levels),
        "findings": [_finding(one) for one in diagnosis.findings[:MOST_FINDINGS]],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    units = [list(u) if isinstance(u, tuple) else u for u in finding.units]
    return {
        "kind": finding.kind.replace("_", " "),
        "level": finding.level,
        "where": short(finding.where or "the module"),
        "n_units": len(units),
        "units": units[:MOST_UNITS],
        "permanent": finding.permanent,
        "evidence": short(finding.evidence, MOST_WORDS),
        "remedy": short(finding.remedy, MOST_WORDS),
        "call": short(finding.call, MOST_WORDS),
    }
