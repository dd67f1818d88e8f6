"""Tiny binaries of every format, assembled field by field or compiled; none is checked in."""
