"""Make nist_strd.json from the files of the NIST Statistical Reference Datasets.

    python tests/reference/nist_strd.py FOLDER

FOLDER holds Misra1a.dat ... Thurber.dat of "Statistical Reference Datasets: Nonlinear Least Squares
Regression", National Institute of Standards and Technology (public domain). The certified values
were computed there in multiple precision and are given to 11 digits.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

PARAMETER = re.compile(r"^\s*b\d+\s*=\s*(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s*$", re.MULTILINE)
RESIDUALS = re.compile(r"Residual Sum of Squares:\s+(\S+)")
LEVEL = re.compile(r"(Lower|Average|Higher) Level of Difficulty", re.IGNORECASE)


def read(text: str) -> dict[str, Any]:
    """Return the numbers of one file."""
    rows = [tuple(map(float, row)) for row in PARAMETER.findall(text)]
    level, residuals = LEVEL.search(text), RESIDUALS.search(text)
    assert level is not None
    assert residuals is not None
    # "Data:" stands twice: in the description and above the columns.
    columns = [line.split() for line in text.split("Data:")[-1].splitlines()[1:] if line.strip()]
    data = [list(map(float, line)) for line in columns]
    return {
        "level": level[1].lower(),
        "starts": [[row[0] for row in rows], [row[1] for row in rows]],
        "certified": [row[2] for row in rows],
        "sum_of_squares": float(residuals[1]),
        "y": [line[0] for line in data],
        "x": [line[1:] for line in data],
    }


def main() -> None:
    """Read all files of the folder and write the JSON file beside this script."""
    files = sorted(Path(sys.argv[1]).glob("*.dat"))
    found = {file.stem: read(file.read_text(encoding="latin-1")) for file in files}
    path = Path(__file__).with_suffix(".json")
    lines = [f"{json.dumps(name)}: {json.dumps(numbers)}" for name, numbers in found.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
