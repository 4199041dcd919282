"""What weights alone can tell: no module, no data, no code is run."""
