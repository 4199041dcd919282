"""Steppers: what to evaluate next, and whether to accept it."""
