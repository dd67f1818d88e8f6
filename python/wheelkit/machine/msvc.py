"""Microsoft's C compiler, which build tools for Python find on Windows although it is mostly not on PATH."""

from __future__ import annotations

import platform
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.inputs import read_text
from wheelkit.machine.process import Command, query

if TYPE_CHECKING:
    from collections.abc import Mapping


INSTALL = (
    "winget install Microsoft.VisualStudio.2022.BuildTools --override "
    '"--passive --add Microsoft.VisualStudio.Workload.VCTools --includeRecommended"'
)
_COMPONENTS = {"ARM64": "Microsoft.VisualStudio.Component.VC.Tools.ARM64"}
_COMPONENT = "Microsoft.VisualStudio.Component.VC.Tools.x86.x64"


class Msvc(Struct, frozen=True, kw_only=True):
    """An installed compiler: the version of its tools, empty if unknown, and where it is."""

    version: str
    place: str

    def __str__(self) -> str:
        """Return it for people, such as ``MSVC 14.44.35207, D:/VS``."""
        return f"MSVC {self.version}, {self.place}" if self.version else f"MSVC, {self.place}"


def find_msvc(environ: Mapping[str, str]) -> Msvc | None:
    """Return the compiler as setuptools and Meson find it; None where there is none.

    A developer's prompt has ``cl`` on PATH. Elsewhere, ``vswhere``, which the installer of Visual Studio puts
    at a fixed place, names the newest installation with the C++ tools.
    """
    values = {name.upper(): value for name, value in environ.items()}  # Windows ignores the case
    if compiler := which("cl", path=values.get("PATH")):
        return Msvc(version=values.get("VCTOOLSVERSION", ""), place=compiler)
    for variable in ("PROGRAMFILES(X86)", "PROGRAMFILES"):
        folder = values.get(variable)
        vswhere = Path(folder or "", "Microsoft Visual Studio", "Installer", "vswhere.exe")
        if folder and vswhere.is_file():
            return _ask(vswhere)
    return None


def _ask(vswhere: Path) -> Msvc | None:
    component = _COMPONENTS.get(platform.machine(), _COMPONENT)
    options = ("-latest", "-prerelease", "-products", "*", "-requires", component)
    argv = (str(vswhere), *options, "-property", "installationPath", "-utf8")
    completed = query(Command(argv=argv))
    folders = completed.output.splitlines()
    if completed.returncode != 0 or not folders:
        return None
    tools = Path(folders[0].strip(), "VC", "Auxiliary", "Build", "Microsoft.VCToolsVersion.default.txt")
    version = read_text(tools, errors="replace").strip() if tools.is_file() else ""
    return Msvc(version=version, place=folders[0].strip())
