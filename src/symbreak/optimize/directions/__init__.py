"""Where to go from a point: one direction per file."""
