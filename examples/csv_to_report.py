"""From a CSV file to a page for the browser: what was found, how good it is, how sure that is.

Run it with `python examples/csv_to_report.py`; it takes a few seconds and writes flats.csv,
flats.html, flats.json and flats.symbreak into the folder it is run in.
It needs `pip install "symbreak[cli,report]"`.
"""

import csv
import json
import random
import subprocess
import sys

import symbreak as sb

random.seed(0)

# A table as it comes from a colleague: numbers, words, gaps, and a column that says nothing.
with open("flats.csv", "w", newline="", encoding="utf-8") as file:
    table = csv.writer(file)
    table.writerow(["area in m2", "rooms", "heating", "town", "rent"])
    for _ in range(300):
        area, rooms = random.uniform(25, 120), random.randint(1, 5)
        heating = random.choice(["gas", "district", "electric"])
        rent = 200 + 9 * area - 0.02 * area**2 + 30 * rooms - 80 * (heating == "electric")
        shown = "" if random.random() < 0.03 else f"{area:.1f}"
        table.writerow([shown, rooms, heating, "Ulm", round(rent + random.gauss(0, 40))])

# One command: read, split, check the gradient and the starts, train all of them, score, write.
command = [
    *("train", "flats.csv", "--target", "rent", "--task", "regression", "--starts", "12"),
    *("--hidden", "8", "--seed", "1", "--report", "flats.html", "--json", "flats.json"),
    *("--model", "flats.symbreak"),
]
print("$ symbreak", *command)
subprocess.run([sys.executable, "-m", "symbreak", *command, "--quiet"], check=True)

# The page is for people. What it says is also there as numbers.
with open("flats.json", encoding="utf-8") as file:
    found = json.load(file)
scores, restarts = found["scores"]["cross_validation"]["scores"], found["restarts"]
print(f"\nRent is predicted to about {scores['rmse']:.0f} on rows that trained nothing", end=" ")
print(f"(R2 {scores['r2']:.3f});\n{restarts['n_lowest']} of {restarts['n_starts']} starts", end=" ")
print("reached the lowest J.")
print("\nOpen flats.html in a browser to see it all.")
print(f"(symbreak {sb.__version__})")
