"""The old name of `symbreak.training.trajectory`."""

from symbreak.deprecation import renamed

__getattr__ = renamed(
    __name__,
    {"Path": "Trajectories", "PathOfStart": "Trajectory"},
    "symbreak.training.trajectory",
)
