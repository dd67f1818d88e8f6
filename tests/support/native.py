"""Shared libraries and extension modules for any target, compiled by zig, and raw wheels of them."""

from __future__ import annotations

import sysconfig
from dataclasses import dataclass
from pathlib import Path

from support.wheels import metadata, write_wheel
from wheelkit.builders.cross.files import CrossFiles
from wheelkit.machine.compilers import find_zig, zig_environment
from wheelkit.machine.process import Command, LoggedRun, run_checked
from wheelkit.matrix import Interpreter, System, Target
from wheelkit.plan.cross import CrossTarget, cross_target
from wheelkit.project.backends import CrossBuild

FLOOR = Interpreter.parse("cp311")


@dataclass(frozen=True, kw_only=True)
class Library:
    """A shared library: its file, the name that binaries load it by, and the file to link with."""

    path: Path
    name: str
    link: Path


class Toolchain:
    """zig for one target; writes its files to ``folder``."""

    def __init__(self, tag: str, folder: Path) -> None:
        self.target = Target.parse(tag)
        self.folder = folder
        row = cross_target(self.target)
        assert row is not None
        self.row: CrossTarget = row
        self._run = LoggedRun(log=folder / "log")

    @property
    def raw_tag(self) -> str:
        """The platform tag of a wheel before repair."""
        return self.row.platform.replace("-", "_") if self.target.system is System.LINUX else self.target.tag

    def library(
        self, name: str, code: str, *, version: str = "", needs: tuple[Library, ...] = (), folder: str = "lib"
    ) -> Library:
        """Compile ``libNAME.so[.VERSION]``, ``libNAME.dylib`` or ``NAME.dll``."""
        file = {
            System.LINUX: f"lib{name}.so{version and f'.{version}'}",
            System.MACOS: f"lib{name}.dylib",
            System.WINDOWS: f"{name}.dll",
        }[self.target.system]
        place = self.folder / folder
        place.mkdir(parents=True, exist_ok=True)
        path, link = place / file, place / file
        options: list[str] = {
            System.LINUX: [f"-Wl,-soname,{file}"],
            System.MACOS: [f"-Wl,-install_name,@rpath/{file}", "-Wl,-headerpad_max_install_names"],
            System.WINDOWS: [],
        }[self.target.system]
        if self.target.system is System.WINDOWS:
            link = place / f"{name}.lib"
            options.append(f"-Wl,--out-implib,{link}")
        self._compile(path, code, [*options, *(str(library.link) for library in needs)])
        return Library(path=path, name=file, link=link)

    def extension(self, code: str, needs: tuple[Library, ...] = (), *, rpath: str = "") -> bytes:
        """Return a limited-API extension module for CPython 3.11."""
        files = self.folder / "python"
        if not files.exists():
            files.mkdir(parents=True)
            kit = CrossFiles(
                target=self.row,
                floor=FLOOR,
                headers=Path(sysconfig.get_path("include")),
                zig=find_zig(),
                how=CrossBuild.MESON,
            )
            kit.write(files, self._run)
        options = [f"-I{files / 'include'}", "-DPy_LIMITED_API=0x030b0000"]
        options += [str(library.link) for library in needs]
        if self.target.system is System.WINDOWS:
            options.append(str(files / "libpython3.a"))
        if self.target.system is System.MACOS:
            options += ["-Wl,-undefined,dynamic_lookup", "-Wl,-headerpad_max_install_names"]
        if rpath:
            options.append(f"-Wl,-rpath,{rpath}")
        path = self.folder / f"_core{self.row.suffix}"
        self._compile(path, code, options)
        return path.read_bytes()

    def _compile(self, path: Path, code: str, options: list[str]) -> None:
        source = self.folder / f"{path.name.split('.')[0]}.c"
        source.write_text(code)
        argv = (
            str(find_zig()),
            "cc",
            "-target",
            self.row.triple,
            "-shared",
            "-fPIC",
            "-O1",
            "-s",
            "-o",
            str(path),
            str(source),
            *options,
        )
        run_checked(self._run, Command(argv=argv, env=zig_environment()), f"making {path.name}")

    def wheel(self, folder: Path, module: bytes, *, requires: tuple[str, ...] = ()) -> Path:
        """Write a raw abi3 wheel of ``demo`` with this module as ``demo._core``."""
        folder.mkdir(parents=True, exist_ok=True)
        text = metadata(
            "demo",
            "1.0",
            "Requires-Python: >=3.11",
            *(f"Requires-Dist: {requirement}" for requirement in requires),
        )
        members: dict[str, bytes | str] = {f"demo/_core{self.row.suffix}": module, "{info}/METADATA": text}
        return write_wheel(folder, f"demo-1.0-cp311-abi3-{self.raw_tag}.whl", members=members)


MODULE = """
#define PY_SSIZE_T_CLEAN
#include <Python.h>
%(declarations)s
static PyObject *compute(PyObject *module, PyObject *argument)
{
    long value = PyLong_AsLong(argument);
    (void)module;
    return value == -1 && PyErr_Occurred() ? NULL : PyLong_FromLong(%(expression)s);
}
static PyMethodDef methods[] = {{"compute", compute, METH_O, NULL}, {NULL, NULL, 0, NULL}};
static PyModuleDef_Slot slots[] = {{0, NULL}};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_core", NULL, 0, methods, slots, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit__core(void) { return PyModuleDef_Init(&definition); }
"""


def module(declarations: str, expression: str) -> str:
    """Return the source of a module whose ``compute(value)`` is a C expression of ``value``."""
    return MODULE % {"declarations": declarations, "expression": expression}


def function(name: str, expression: str, declarations: str = "") -> str:
    """Return the source of a library with one exported function of ``value``."""
    export = '#ifdef _WIN32\n__declspec(dllexport)\n#else\n__attribute__((visibility("default")))\n#endif\n'
    return f"{declarations}\n{export}int {name}(int value)\n{{\n    return {expression};\n}}\n"
