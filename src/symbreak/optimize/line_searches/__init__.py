"""How far to go along a direction: one line search per file."""
