"""Equal units: what symmetry a theta has, and what training can do with it."""

from symbreak.symmetry.certificate import Symmetries, symmetries
from symbreak.symmetry.escape import Escape
from symbreak.symmetry.groups import Group

__all__ = ["Escape", "Group", "Symmetries", "symmetries"]
