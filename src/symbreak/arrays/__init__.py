"""Arrays at the surface and inside: what users hold goes in, what came in comes out.

NumPy arrays, torch tensors, pandas and polars frames and lists are accepted. What is on the CPU is
computed on as NumPy arrays, of which tensors there are views; tensors on other devices are computed
on where they are, by the same text in the array API. The dtype follows the data: floating arrays
keep theirs, all else becomes float64. PyTorch is imported only where something asks for it.
"""

from symbreak.arrays.crossing import alike, at_surface, empty, like, tensor_on
from symbreak.arrays.kinds import (
    Array,
    as_array,
    as_numpy,
    as_own_kind,
    cast,
    copied,
    float_word,
    is_array,
    is_tensor,
    namespace,
    plain_number,
    quiet,
)
from symbreak.arrays.memory import (
    contiguous,
    device_of,
    empty_like,
    has_float64,
    is_contiguous,
    is_on_host,
    itemsize,
    nbytes,
)
from symbreak.arrays.special import erfc, expit, negative_part, positive_part, softplus
from symbreak.arrays.steps import (
    add_matrix_products_,
    add_product_,
    add_quotient_,
    add_scaled_,
    chosen,
    dots,
    solve_positive,
)
from symbreak.arrays.tensors import as_device, as_dtype, as_tensor
from symbreak.arrays.words import FLOATS, dtype_word, is_torchs, word_of
from symbreak.arrays.writing import cuts, gather, into, picked, scatter_, sums, take_into

__all__ = [
    "FLOATS",
    "Array",
    "add_matrix_products_",
    "add_product_",
    "add_quotient_",
    "add_scaled_",
    "alike",
    "as_array",
    "as_device",
    "as_dtype",
    "as_numpy",
    "as_own_kind",
    "as_tensor",
    "at_surface",
    "cast",
    "chosen",
    "contiguous",
    "copied",
    "cuts",
    "device_of",
    "dots",
    "dtype_word",
    "empty",
    "empty_like",
    "erfc",
    "expit",
    "float_word",
    "gather",
    "has_float64",
    "into",
    "is_array",
    "is_contiguous",
    "is_on_host",
    "is_tensor",
    "is_torchs",
    "itemsize",
    "like",
    "namespace",
    "nbytes",
    "negative_part",
    "picked",
    "plain_number",
    "positive_part",
    "quiet",
    "scatter_",
    "softplus",
    "solve_positive",
    "sums",
    "take_into",
    "tensor_on",
    "word_of",
]
