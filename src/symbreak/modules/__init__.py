"""PyTorch modules: what their parameters are, their cost, their start and its faults."""
