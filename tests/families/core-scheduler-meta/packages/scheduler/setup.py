"""Writes down which core the scheduler was built with."""

from pathlib import Path

import ferry_core
from setuptools import setup

Path("src/ferry_scheduler/_built_with.py").write_text(
    f'"""Which core this was built with."""\n\nCORE = "{ferry_core.__version__}"\n'
)
setup()
