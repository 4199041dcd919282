"""PyTorch modules: what their parameters are, their cost, their start and its faults."""

from symbreak.arrays.tensors import imported_torch

imported_torch("What works on modules and weights of PyTorch")
