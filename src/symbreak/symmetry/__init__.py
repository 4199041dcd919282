"""Equal units: what symmetry a theta has, and what training can do with it."""
