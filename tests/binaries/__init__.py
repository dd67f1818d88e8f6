"""Tiny binaries of every format, assembled field by field or built by the C compiler. None is checked in."""
