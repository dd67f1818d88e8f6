"""Facts computed from the binaries of wheels: what they need, and which systems and interpreters have it."""
