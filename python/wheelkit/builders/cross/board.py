"""Several steps at a time on a screen that shows one, and in a log that stays readable."""

from __future__ import annotations
