"""Collecting: what came out of a run, as plain data that a page can show."""
