"""Repair a start: draw what was found anew, leave all else as it is."""
