"""Compiling on this machine for a glibc that is older than its own: zig stands in for the C and C++ compilers.

All else stays this machine's: its Python, the backend, the headers and libraries of other packages, the tests.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.builders.cache.store import ValueKind
from wheelkit.errors import CheckFailedError, MissingToolError
from wheelkit.machine.compilers import find_zig, zig_environment
from wheelkit.plan.cross import cross_target

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wheelkit.builders.cache.store import Store
    from wheelkit.machine.interpreters import Python
    from wheelkit.matrix import Target
    from wheelkit.plan import NativeStep
    from wheelkit.wheel import Wheel


INSTALL = "pip install 'wheelkit[cross]'"
_CHOSEN = ("CC", "CXX", "LDSHARED", "LDCXXSHARED")
# Words that sysconfig of an interpreter built with GCC hands on to every extension, and that clang, which zig is, refuses or takes for
# something else: its link-time optimisation needs its own archiver, and the files of -specs= are GCC's.
_GCC_ONLY = (
    "-flto*",
    "-ffat-lto-objects",
    "-fno-fat-lto-objects",
    "-fuse-linker-plugin",
    "-specs=*",
    "-mtls-dialect=*",
)
# The names by which modules find the registry that they share (pybind11's detail/internals.h, nanobind's nb_internals.cpp).
_PYBIND11 = re.compile(rb"__pybind11_internals_v\w+")
_NANOBIND = b"nanobind.nb_"
_STRANGERS = "with zig's C++ library in each, they do not recognise each other's exceptions"
_SCRIPT = """\
#!/bin/sh
for word do
  shift
  case $word in
    {dropped}) ;;
    *) set -- "$@" "$word" ;;
  esac
done
exec {command} "$@" {behind}
"""


class Zig(Struct, frozen=True, kw_only=True):
    """zig as the compilers of one target, which is ``triple`` in zig's words: ``cc`` and ``cxx`` are programs that take a compiler's.

    ``mark`` is what they have pybind11 write into the name by which its modules find each other.
    """

    cc: Path
    cxx: Path
    triple: str
    mark: str

    @property
    def described(self) -> str:
        """Say which zig it is, and what it compiles for, in words for the manifest."""
        from importlib.metadata import version

        return f"zig {version('ziglang')} for {self.triple}"

    @property
    def glibc(self) -> str:
        """The version of glibc that it compiles against."""
        return self.triple.partition("gnu.")[2]

    def environment(self, python: Python) -> dict[str, str]:
        """Give the variables by which setuptools, Meson and CMake take zig for the compiler and linker."""
        env = {"CC": str(self.cc), "CXX": str(self.cxx), **zig_environment()}
        for name, program in (("LDSHARED", self.cc), ("LDCXXSHARED", self.cxx)):
            words = shlex.split(python.links.get(name, ""))[1:] or ["-shared"]
            env[name] = shlex.join([str(program), *(word for word in words if not is_search_path(word))])
        return env


def is_search_path(word: str) -> bool:
    """Tell whether a linker's word has it write a search path of this machine into what it links."""
    return word.startswith(("-Wl,-rpath", "-Wl,-R", "-R/"))


def is_known_target(target: Target) -> bool:
    """Tell whether zig has the target's C library in the versions that its tag promises."""
    return target.libc == "manylinux" and cross_target(target) is not None


def unavailable_reason(environ: Mapping[str, str] = os.environ) -> str:
    """Say what somebody would do for zig to compile in this machine's compiler's place; empty where it can as things are.

    Who chose a compiler is to get what that one makes.
    """
    told = next((name for name in _CHOSEN if environ.get(name)), None)
    if told is not None:
        return f"unset {told}"
    try:
        find_zig()
    except MissingToolError:
        return INSTALL
    return ""


def supports_target(target: Target, environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether zig may compile for the target in this machine's compiler's place."""
    return is_known_target(target) and not unavailable_reason(environ)


def zig_for(job: NativeStep, folder: Path, environ: Mapping[str, str] = os.environ) -> Zig:
    """Write the programs that compile for the step's target into ``folder``; raises MissingToolError without zig."""
    row = cross_target(job.target)
    assert row is not None  # noqa: S101 - asked before, by serves()
    mark = f"_zig_{_name(job)[:8]}"
    # Without -s, which -g would undo that comes later, zig's C++ library alone brings 5 MB of debug information.
    behind = shlex.join(("-s", *_system_folders(job.target.arch, environ)))
    programs = {}
    for name in ("cc", "c++"):
        # zig has undefined behaviour end the program wherever nothing is said of optimisation.
        words = (
            str(find_zig()),
            name,
            "-target",
            row.triple,
            "-g0",
            "-fno-sanitize=undefined",
            f'-DPYBIND11_STDLIB="{mark}"',
        )
        programs[name] = folder / name
        programs[name].write_text(
            _SCRIPT.format(dropped="|".join(_GCC_ONLY), command=shlex.join(words), behind=behind)
        )
        programs[name].chmod(0o755)
    return Zig(cc=programs["cc"], cxx=programs["c++"], triple=row.triple, mark=mark)


def _system_folders(arch: str, environ: Mapping[str, str]) -> Iterator[str]:
    """Name this machine's headers and libraries, for what zig does not bring itself: its own C library is found before them."""
    for place in ("/usr/local/include", f"/usr/include/{arch}-linux-gnu", "/usr/include"):
        yield from ("-idirafter", place)
    told = [place for place in environ.get("LIBRARY_PATH", "").split(os.pathsep) if place]
    for place in (*told, "/usr/local/lib", f"/usr/lib/{arch}-linux-gnu", "/usr/lib64", "/usr/lib"):
        if Path(place).is_dir():
            yield f"-L{place}"


def reject_shared_cxx(wheel: Wheel) -> None:
    """Refuse a wheel of which one binary takes C++ objects from another: zig's C++ library is linked into each, and is not this machine's.

    What two C++ libraries make of one class differs in ways that neither the linker nor an import shows. Raises CheckFailedError.
    """
    for binary, part in wheel.slices():
        # Weak ones may be missing, and _ZTH is asked for weakly by every user of a thread-local variable.
        taken = sorted(one.name for one in part.imports if one.name.startswith("_Z") and not one.weak)
        if taken:
            raise CheckFailedError(
                f"{binary.member} takes C++ objects from another library ({taken[0]}), and zig's C++ library is not that library's"
            )


def reject_shared_registry(wheel: Wheel, mark: str) -> None:
    """Refuse a wheel whose modules meet others in a registry of pybind11 or nanobind, but for one module with a registry of its own.

    Modules of one registry translate each other's C++ exceptions. zig's C++ library tells types by their addresses, is in each module once
    more, and so would make a RuntimeError of another module's std::invalid_argument. Raises CheckFailedError.
    """
    from zipfile import ZipFile

    meeting = []
    with ZipFile(wheel.path) as archive:
        for binary in wheel.binaries:
            data = archive.read(binary.member)
            names = _PYBIND11.findall(data)
            if _NANOBIND in data or any(mark.encode() not in name for name in names):
                raise CheckFailedError(
                    f"{binary.member} meets other projects' modules in a registry of C++: {_STRANGERS}"
                )
            meeting += [binary.member] if names else []
    if len(meeting) > 1:
        raise CheckFailedError(f"{' and '.join(meeting[:2])} meet in pybind11's registry: {_STRANGERS}")


class TooNewModules(Struct, frozen=True, kw_only=True):
    """Remembers, where there is a cache, for which distributions and targets this machine's own compiler did not do."""

    store: Store | None = None

    def recall(self, job: NativeStep) -> frozenset[str]:
        """Give the binaries for which zig had to be asked when the step's distribution was last built; none where it had not."""
        text = self.store.load_value(ValueKind.ANSWER, _name(job)) if self.store is not None else None
        return frozenset((text or "").splitlines())

    def remember(self, job: NativeStep, modules: frozenset[str]) -> None:
        """Remember for which binaries zig was asked."""
        if self.store is not None and self.recall(job) != modules:
            self.store.save_value(ValueKind.ANSWER, _name(job), "\n".join(sorted(modules)))


def _name(job: NativeStep) -> str:
    from hashlib import sha256

    return sha256(f"compiler\0{job.distribution.key}\0{job.target}".encode()).hexdigest()
