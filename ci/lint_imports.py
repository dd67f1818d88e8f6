#!/usr/bin/env python3
"""Check the floors of the checkout with import-linter, whatever the state of the install.

    .venv/bin/python ci/lint_imports.py

import-linter looks at the installed package. It does not find the modules of meson-python's editable install.

Exit codes: 0 fine, 1 a contract is broken.
"""

from __future__ import annotations

import sys
from pathlib import Path

from importlinter.cli import lint_imports

if __name__ == "__main__":
    sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in type(finder).__module__]
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "python"))
    sys.exit(lint_imports())
