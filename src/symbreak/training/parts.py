"""The old name of `symbreak.training.data_split`, which programs in earlier reports import."""

from symbreak.deprecation import renamed

__getattr__ = renamed(__name__, {"Parts": "DataSplit"}, "symbreak.training.data_split")
