"""A runner of generated workflows on this machine: what GitHub does with them, as far as they use it; all else is an error."""
