"""What happens inside a module on a batch: activations and deltas of every unit."""
