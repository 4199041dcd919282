"""Reports: what came out of a run, as plain data, as one HTML page and as pictures."""
