"""Repair: grafts external libraries into a wheel, except for excluded ones, and retags the wheel."""
