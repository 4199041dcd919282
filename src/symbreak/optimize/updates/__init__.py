"""How a mini-batch gradient changes theta, in place: one rule per file, and the rates over time."""
