from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from binaries.elf import Elf
from wheels import write_wheel

from wheelkit.errors import MissingToolError, OutputError, ToolFailedError, WheelError
from wheelkit.matrix import System, Target
from wheelkit.process import Command, Completed
from wheelkit.repair import container_line, host_line, matches, patterns_for_sonames, repair

LINUX, MACOS, WINDOWS = (Target.parse(tag) for tag in ("manylinux_2_28_x86_64", "macosx_11_0_arm64", "win_amd64"))
