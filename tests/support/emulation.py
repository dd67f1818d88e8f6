"""Emulators and interpreters of other platforms, from the scripts in ci/."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "ci/emulation.py"
NOT_HERE = 3


def emulation(*names: str) -> dict[str, str]:
    """Return the variables with which ``smoke --emulate`` finds what ci/emulation.py makes.

    Skips the test where that cannot be had; in CI it fails.
    """
    command = [sys.executable, str(SCRIPT), "--json", *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == NOT_HERE and not os.environ.get("CI"):
        pytest.skip(done.stderr.strip())
    if done.returncode != 0:
        pytest.fail(f"ci/emulation.py failed with exit status {done.returncode}:\n{done.stderr}")
    variables: dict[str, str] = json.loads(done.stdout)
    return variables
