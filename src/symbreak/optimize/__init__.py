"""Minimising J(theta) from many starts at once.

The loop exists once (`loop`); a method is a stepper, most often a direction (where to) and a line
search (how far), put together in `methods`. Every start has its own state, its own line search and
its own ending.
"""

from symbreak.optimize.loop import Loop
from symbreak.optimize.minimize import minimize
from symbreak.optimize.outcome import Outcome
from symbreak.optimize.search import Progress
from symbreak.optimize.status import Status
from symbreak.optimize.successive_halving import Racing

__all__ = ["Loop", "Outcome", "Progress", "Racing", "Status", "minimize"]
