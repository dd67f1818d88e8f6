"""zig as the compiler for a glibc that is older than this machine's.

Everything else is this machine's: the interpreter, the backend, the headers and libraries of other packages,
the tests.
"""

from __future__ import annotations

import os
import re
import shlex
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

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
_COMPILER_VARIABLES = ("CC", "CXX", "LDSHARED", "LDCXXSHARED")
# Options that sysconfig of an interpreter built with GCC passes on to every extension, and that clang, which
# zig is, rejects or misunderstands: its link-time optimisation needs its own archiver, and the files of
# -specs= are GCC's.
_GCC_ONLY = (
    "-flto*", "-ffat-lto-objects", "-fno-fat-lto-objects", "-fuse-linker-plugin",
    "-specs=*", "-mtls-dialect=*",
)  # fmt: skip
# The names by which modules find their shared registry (pybind11's detail/internals.h, nanobind's
# nb_internals.cpp).
_PYBIND11 = re.compile(rb"__pybind11_internals_v\w+")
_NANOBIND = b"nanobind.nb_"
_NO_SHARED_EXCEPTIONS = "with zig's C++ library in each, they do not recognise each other's exceptions"
_SCRIPT = """\
#!/bin/sh
for word do
  shift
  case $word in
    {dropped}) ;;
    *) set -- "$@" "$word" ;;
  esac
done
exec {command} "$@" {last}
"""


class Zig(Struct, frozen=True, kw_only=True):
    """zig for one target.

    ``cc`` and ``cxx`` are programs that take a compiler's arguments. ``triple`` is zig's name of the target,
    and ``mark`` is what they make pybind11 write into the name of the registry that modules share.
    """

    cc: Path
    cxx: Path
    triple: str
    mark: str

    @property
    def description(self) -> str:
        """The version of zig and the target, for the manifest."""
        return f"zig {version('ziglang')} for {self.triple}"

    @property
    def glibc(self) -> str:
        """The version of glibc that it compiles against."""
        return self.triple.partition("gnu.")[2]

    def environment(self, python: Python) -> dict[str, str]:
        """Return the variables that make setuptools, Meson and CMake compile and link with zig."""
        env = {"CC": str(self.cc), "CXX": str(self.cxx), **zig_environment()}
        for name, program in (("LDSHARED", self.cc), ("LDCXXSHARED", self.cxx)):
            words = shlex.split(python.links.get(name, ""))[1:] or ["-shared"]
            env[name] = shlex.join([str(program), *(word for word in words if not is_search_path(word))])
        return env


def is_search_path(word: str) -> bool:
    """Return whether a linker option adds a search path of this machine to the binary."""
    return word.startswith(("-Wl,-rpath", "-Wl,-R", "-R/"))


def link_environment(links: Mapping[str, str], environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return an interpreter's link commands without the search paths of this machine.

    An interpreter built with ``-rpath`` passes it on to every extension that setuptools links, but a user's
    machine has no such folder. Variables set by the user stay.
    """
    changed = {}
    for name, line in links.items():
        words = shlex.split(line)
        kept = [word for word in words if not is_search_path(word)]
        if kept != words and name not in environ:
            changed[name] = shlex.join(kept)
    return changed


def is_known_target(target: Target) -> bool:
    """Return whether zig has the C library of the target in the version that its tag promises."""
    return target.libc == "manylinux" and cross_target(target) is not None


def unavailable_reason(environ: Mapping[str, str] = os.environ) -> str:
    """Return how to make zig usable instead of this machine's compiler; empty if it can be used now.

    Users who set a compiler get what that compiler makes.
    """
    variable = next((name for name in _COMPILER_VARIABLES if environ.get(name)), None)
    if variable is not None:
        return f"unset {variable}"
    try:
        find_zig()
    except MissingToolError:
        return INSTALL
    return ""


def supports_target(target: Target, environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether zig may be used for the target."""
    return is_known_target(target) and not unavailable_reason(environ)


def write_compilers(step: NativeStep, folder: Path, environ: Mapping[str, str] = os.environ) -> Zig:
    """Write the compilers for the step's target into ``folder``. Raises MissingToolError without zig."""
    target = cross_target(step.target)
    assert target is not None  # noqa: S101 - the caller has asked supports_target()
    mark = f"_zig_{_digest(step)[:8]}"
    # -g0 can be undone by a later -g, and then zig's C++ library alone adds 5 MB of debug information, which
    # -s removes.
    last = shlex.join(("-s", *_system_folders(step.target.arch, environ)))
    programs = {}
    for name in ("cc", "c++"):
        # By default, zig traps undefined behaviour in builds without optimisation.
        options = ("-g0", "-fno-sanitize=undefined", f'-DPYBIND11_STDLIB="{mark}"')
        command = shlex.join((str(find_zig()), name, "-target", target.triple, *options))
        programs[name] = write_script(folder / name, command, last=last)
    return Zig(cc=programs["cc"], cxx=programs["c++"], triple=target.triple, mark=mark)


def write_script(path: Path, command: str, *, dropped: tuple[str, ...] = (), last: str = "") -> Path:
    """Write a program that runs a shell command with its arguments, less those that only GCC understands.

    ``dropped`` are patterns of further arguments to leave out, ``last`` what follows the arguments.
    """
    words = "|".join((*_GCC_ONLY, *dropped))
    path.write_text(_SCRIPT.format(dropped=words, command=command, last=last), encoding="utf-8")
    path.chmod(0o755)
    return path


def _system_folders(arch: str, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield options for this machine's headers and libraries, to be used after those of zig's C library."""
    for include in ("/usr/local/include", f"/usr/include/{arch}-linux-gnu", "/usr/include"):
        yield from ("-idirafter", include)
    configured = [path for path in environ.get("LIBRARY_PATH", "").split(os.pathsep) if path]
    for path in (*configured, "/usr/local/lib", f"/usr/lib/{arch}-linux-gnu", "/usr/lib64", "/usr/lib"):
        if Path(path).is_dir():
            yield f"-L{path}"


def reject_shared_cxx(wheel: Wheel) -> None:
    """Reject a wheel with a binary that imports C++ symbols from another library.

    zig links its own C++ standard library into each binary. Two of these differ in ways that neither the
    linker nor an import reports. Raises CheckFailedError.
    """
    for binary, slice_ in wheel.slices():
        # Weak ones may be missing, and _ZTH is imported weakly by every user of a thread-local variable.
        imports = sorted(
            symbol.name for symbol in slice_.imports if symbol.name.startswith("_Z") and not symbol.weak
        )
        if imports:
            raise CheckFailedError(
                f"{binary.member} imports C++ symbols from another library ({imports[0]}), "
                "which has another C++ standard library than zig's"
            )


def reject_shared_registry(wheel: Wheel, mark: str) -> None:
    """Reject a wheel whose modules share a registry of pybind11 or nanobind; one marked ``mark`` may.

    Modules of one registry translate each other's C++ exceptions. zig's C++ library compares types by address
    and is linked into each module, so that another module's std::invalid_argument would become a
    RuntimeError. Raises CheckFailedError.
    """
    sharing = []
    with ZipFile(wheel.path) as archive:
        for binary in wheel.binaries:
            data = archive.read(binary.member)
            registries = _PYBIND11.findall(data)
            if _NANOBIND in data or any(mark.encode() not in registry for registry in registries):
                shares = f"{binary.member} shares a C++ registry with modules of other projects"
                raise CheckFailedError(f"{shares}: {_NO_SHARED_EXCEPTIONS}")
            if registries:
                sharing.append(binary.member)
    if len(sharing) > 1:
        raise CheckFailedError(
            f"{' and '.join(sharing[:2])} share pybind11's registry: {_NO_SHARED_EXCEPTIONS}"
        )


class TooNewModules(Struct, frozen=True, kw_only=True):
    """The binaries that this machine's compiler made too new for their targets, saved in the cache."""

    store: Store | None = None

    def load(self, step: NativeStep) -> frozenset[str]:
        """Return the binaries of the last build of the step's distribution for its target."""
        text = self.store.load_value(ValueKind.ANSWER, _digest(step)) if self.store else None
        return frozenset((text or "").splitlines())

    def save(self, step: NativeStep, modules: frozenset[str]) -> None:
        """Save the binaries of a build; none if they are old enough."""
        if self.store and self.load(step) != modules:
            self.store.save_value(ValueKind.ANSWER, _digest(step), "\n".join(sorted(modules)))


def _digest(step: NativeStep) -> str:
    return sha256(f"compiler\0{step.distribution.key}\0{step.target}".encode()).hexdigest()
