"""Where version 0.1 had `ModuleCost`, which its pickles look for here."""

from symbreak.pickles import refusing

__getattr__ = refusing(__name__, "ModuleCost")
