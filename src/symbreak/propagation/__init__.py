"""Forward and backward propagation of many networks at once, written out."""
