"""Writes the pickled networks beside this file; run with version 0.1.1 of symbreak.

`tests/test_network.py` reads them with the version of today.
"""

import pickle
from pathlib import Path

import symbreak as sb

networks = [
    sb.Network((4, 5, 2), "tanh", "cross_entropy"),
    sb.Network((4, 5, 3, 2), ("gelu", "leaky_relu"), sb.losses.Huber(0.5)),
]
for network in networks:
    print(network.blocks)  # which then is part of the pickle
Path(__file__).with_suffix(".pickle").write_bytes(pickle.dumps(networks, protocol=4))
