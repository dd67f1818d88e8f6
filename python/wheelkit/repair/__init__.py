"""Repair: foreign libraries are copied into a wheel, excluded ones are left to their providers, and the name says the target."""
