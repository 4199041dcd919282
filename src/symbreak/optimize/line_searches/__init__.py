"""How far to go along a direction: one step rule per file."""
