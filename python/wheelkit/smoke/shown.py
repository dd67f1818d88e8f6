"""What a configured command has shown already, so that it need not be tried again: a script that starts has imported its module."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheelkit.smoke.install import Place


# One program with plain words: the exit status of anything else need not be the first word's.
_PLAIN = re.compile(r"[\w.+-]+(?: +[\w./:=,@+-]+)*")


def started(commands: Iterable[str], scripts: Mapping[str, str], place: Place) -> dict[str, str]:
    """Choose those console scripts that commands which went well have started, each with the module that it imported."""
    words = {command.split()[0] for command in commands if _PLAIN.fullmatch(command.strip())}
    return {name: module for name, module in scripts.items() if name in words and _imports(Path(place.script(name)), module)}


def imported(modules: Iterable[str]) -> frozenset[str]:
    """Name the modules with the packages that hold them; not those that a standard module may have stood in for."""
    names = (module.split(".") for module in modules if module.partition(".")[0] not in sys.stdlib_module_names)
    return frozenset(".".join(parts[: number + 1]) for parts in names for number in range(len(parts)))


def _imports(script: Path, module: str) -> bool:
    """Tell whether a script is the installer's own for this module; one of Windows cannot be read, and proves nothing."""
    try:
        return re.search(rf"^from {re.escape(module)} import ", script.read_text(encoding="utf-8"), re.MULTILINE) is not None
    except (OSError, ValueError):
        return False
