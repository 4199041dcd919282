"""What the parameters of a module are: role, axes, fans, which index is a unit, what is read."""
