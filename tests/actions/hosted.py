"""A hosted runner, simulated: a fresh home, interpreters on PATH, and an index that has this wheelkit."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from wheelkit.config import Config
from wheelkit.machine.interpreters import Python, find_pythons
from wheelkit.machine.process import find_tool
from wheelkit.matrix import Interpreter
from wheelkit.publish.index import resolve

ROOT = Path(__file__).resolve().parents[2]
# Prefixes of variables that the simulated machine inherits: how to reach the index, and caches.
_KEPT = (
    "LANG",
    "SSL_",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "UV_",
    "PIP_",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
)


def _index_of_uv() -> str:
    """Return the index that is set for uv here, or the public one."""
    chosen = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("UV_INDEX_URL")
    return chosen or resolve("pypi", Config(root=ROOT)).simple


@dataclass(frozen=True, kw_only=True)
class Hosted:
    """A machine: interpreters by version (``3.13``), folder of wheelkit's wheel, pinned requirements.

    ``start`` is what Python runs when it starts in the environment of the tools, ``programs`` a folder of
    programs that such machines have.
    """

    pythons: Mapping[str, Python]
    wheels: Path
    pinned: Path
    start: str = ""
    programs: Path | None = None

    def environment(self, home: Path) -> dict[str, str]:
        """Return the variables of a fresh machine without container engine, whose index has this wheelkit."""
        kept = {name: value for name, value in os.environ.items() if name.upper().startswith(_KEPT)}
        config = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
        return {
            **kept,
            "HOME": str(home),
            "XDG_CONFIG_HOME": config,
            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache"),
            "PATH": os.pathsep.join(
                [
                    *([str(self.programs)] if self.programs else []),
                    *map(_folder, self.pythons.values()),
                    "/usr/local/bin",
                    "/usr/bin",
                    "/bin",
                ]
            ),
            # Only this wheelkit is installed by pip; builds take what they need from the index, by uv.
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
            "UV_DEFAULT_INDEX": _index_of_uv(),
            "CIBW_CONTAINER_ENGINE": "none",
            "GIT_CONFIG_GLOBAL": "/dev/null",
        }

    def set_up_python(self, versions: Iterable[str], folder: Path) -> list[str]:
        """Do what setup-python does; returns the folders for PATH.

        The last version runs the steps, in a new environment that has wheelkit's requirements, but not
        wheelkit.
        """
        wanted = list(versions)
        available = [self.pythons[version] for version in wanted if version in self.pythons]
        uv = find_tool("uv")
        subprocess.run(
            [uv, "venv", "--quiet", "--seed", "--python", self.pythons[wanted[-1]].path, folder], check=True
        )
        install = [
            uv,
            "pip",
            "install",
            "--quiet",
            "--python",
            str(folder),
            "--no-deps",
            "--requirement",
            str(self.pinned),
        ]
        subprocess.run(install, check=True)
        if self.start:
            (packages,) = folder.glob("lib/python*/site-packages")
            (packages / "start_of_tests.py").write_text(self.start)
            (packages / "start_of_tests.pth").write_text("import start_of_tests\n")
        return [str(folder / "bin"), *map(_folder, reversed(available[:-1]))]


def _folder(python: Python) -> str:
    """Return the folder of the interpreter itself, not that of an environment made from it."""
    return str(python.path.resolve().parent)


def hosted(folder: Path, promised: Iterable[str], tool: str) -> Hosted:
    """Build wheelkit's wheel and pin its requirements; ``tool`` is the Python version that runs it."""
    tags = [f"cp{version.replace('.', '')}" for version in (*promised, tool)]
    installed = find_pythons([Interpreter.parse(tag) for tag in tags])
    pythons = {python.interpreter.python: python for python in installed.values()}
    wheels, uv = folder / "wheels", find_tool("uv")
    subprocess.run(
        [uv, "build", "--quiet", "--wheel", "--python", pythons[tool].path, "--out-dir", wheels, ROOT],
        check=True,
    )
    pinned = folder / "pinned.txt"
    lock = [
        uv,
        "pip",
        "compile",
        "--quiet",
        "--extra=attestations",
        f"--python={pythons[tool].path}",
        f"--output-file={pinned}",
        str(ROOT / "pyproject.toml"),
    ]
    subprocess.run(lock, check=True, stdout=subprocess.DEVNULL)
    return Hosted(pythons=pythons, wheels=wheels, pinned=pinned)
