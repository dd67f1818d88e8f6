"""Which libraries of a wheel the loader of Linux finds, and where else it looks."""

from pathlib import Path

from support import wheels
from support.rows import rows
from support.wheels import Rpath, elf, macho, needs
from wheelkit.verification.checks import libraries, search_paths
from wheelkit.verification.contract import Contract
from wheelkit.wheel import Binary

MUSL = wheels.LINUX.replace("manylinux_2_17", "musllinux_1_2")
MODULE, LIBRARY, PROGRAM = "demo/_core.cpython-311-x86_64-linux-gnu.so", "demo/libops.so", "demo/bin/tool"
GRAFT = "demo.libs/libq-1a2b3c4d.so.1"
Q = "libq-1a2b3c4d.so.1"


def file(member: str, *needed: str, run: str = "", old: str = "", **facts: object) -> Binary:
    """Return an ELF file with DT_RUNPATH and DT_RPATH; only MODULE is an extension module."""
    paths = [Rpath(path=path) for path in run.split(":") if run]
    paths += [Rpath(path=path, how="rpath") for path in old.split(":") if old]
    exports = ("PyInit__core",) if member == MODULE else ("go",)
    return elf(member, **({"needed": needs(*needed), "rpaths": tuple(paths), "exports": exports} | facts))


def codes(folder: Path, filename: str, *binaries: Binary) -> list[str]:
    members = {binary.member: "" for binary in binaries}
    wheel = wheels.facts(folder, filename, *binaries, members=members)
    checks = (search_paths.absolute, search_paths.planted, search_paths.reachable, libraries.twice)
    return [finding.code for check in checks for finding in check(wheel, Contract())]


LIBS = "$ORIGIN/../demo.libs"
BELOW_TMP = "/tmp/build/lib"  # noqa: S108 - what wheels have in their search paths
SHARED_MEMORY = "/dev/shm"  # noqa: S108
NOT_TMP = "/tmpfiles/lib"  # noqa: S108
CASES: dict[str, tuple[str, list[Binary], list[str]]] = {
    "a library that code opens": (wheels.LINUX, [file(LIBRARY, Q), file(GRAFT)], ["WK511"]),
    "with a search path": (wheels.LINUX, [file(LIBRARY, Q, run=LIBS), file(GRAFT)], []),
    "a program": (wheels.LINUX, [file(PROGRAM, Q, kind="executable"), file(GRAFT)], ["WK511"]),
    "a program with a search path": (
        wheels.LINUX,
        [file(PROGRAM, Q, run="$ORIGIN/../../demo.libs", kind="executable"), file(GRAFT)],
        [],
    ),
    "a module may have loaded it before": (
        wheels.LINUX,
        [file(MODULE, Q, run=LIBS), file(LIBRARY, Q), file(GRAFT)],
        ["WK512"],
    ),
    "code may open a library beside": (wheels.LINUX, [file(LIBRARY, "libq.so"), file("demo/libq.so")], []),
    "a library of a library": (
        wheels.LINUX,
        [file(MODULE, "libops.so", run="$ORIGIN"), file(LIBRARY, Q), file(GRAFT)],
        ["WK511"],
    ),
    "a library of a library, loaded first": (
        wheels.LINUX,
        [file(MODULE, "libops.so", Q, run=f"$ORIGIN:{LIBS}"), file(LIBRARY, Q), file(GRAFT)],
        [],
    ),
    "an inherited path": (
        wheels.LINUX,
        [file(MODULE, "libops.so", old=f"$ORIGIN:{LIBS}"), file(LIBRARY, Q), file(GRAFT)],
        [],
    ),
    "a path that RUNPATH does not hand on": (
        wheels.LINUX,
        [file(MODULE, "libops.so", run=f"$ORIGIN:{LIBS}"), file(LIBRARY, Q), file(GRAFT)],
        ["WK511"],
    ),
    "RUNPATH stops what would be inherited": (
        wheels.LINUX,
        [file(MODULE, "libops.so", old=f"$ORIGIN:{LIBS}"), file(LIBRARY, Q, run="$ORIGIN"), file(GRAFT)],
        ["WK511"],
    ),
    "RPATH beside RUNPATH": (
        wheels.LINUX,
        [file(MODULE, Q, run="$ORIGIN", old=LIBS), file(GRAFT)],
        ["WK511"],
    ),
    "musl hands on both": (
        MUSL,
        [file(MODULE, "libops.so", run=f"$ORIGIN:{LIBS}"), file(LIBRARY, Q, run="$ORIGIN"), file(GRAFT)],
        [],
    ),
    "the system has the library": (
        wheels.LINUX,
        [file(MODULE, "libgcc_s.so.1"), file("demo.libs/libgcc_s.so.1")],
        [],
    ),
    "a soname that is loaded already": (
        wheels.LINUX,
        [
            file(MODULE, "libfirst.so", "libreal.so.1", run=LIBS),
            file("demo.libs/libfirst.so", name="libreal.so.1"),
        ],
        [],
    ),
    "musl compares no sonames": (
        MUSL,
        [
            file(MODULE, "libfirst.so", "libreal.so.1", run=LIBS),
            file("demo.libs/libfirst.so", name="libreal.so.1"),
        ],
        ["WK511"],
    ),
    "a path in place of a name": (
        wheels.LINUX,
        [file(MODULE, f"$ORIGIN/../{GRAFT}"), file(GRAFT)],
        [],
    ),
    "an empty element": (wheels.LINUX, [file(MODULE, run="$ORIGIN:")], ["WK513"]),
    "an empty element for musl": (MUSL, [file(MODULE, run="$ORIGIN:")], []),
    "an element between colons": (wheels.LINUX, [file(MODULE, run="$ORIGIN::$ORIGIN/x")], ["WK513"]),
    "a relative path": (wheels.LINUX, [file(MODULE, run="../lib")], ["WK513"]),
    "an empty path": (wheels.LINUX, [file(MODULE, rpaths=(Rpath(path=""),))], []),
    "a path below /tmp": (wheels.LINUX, [file(MODULE, run=BELOW_TMP)], ["WK514"]),
    "shared memory": (wheels.LINUX, [file(MODULE, run=SHARED_MEMORY)], ["WK514"]),
    "a path that only begins so": (wheels.LINUX, [file(MODULE, run=NOT_TMP)], ["WK506"]),
    "a path that RUNPATH replaces": (wheels.LINUX, [file(MODULE, run="$ORIGIN", old=BELOW_TMP)], []),
    "a copy beside the grafted one": (
        wheels.LINUX,
        [file(MODULE, Q, run=LIBS), file(GRAFT), file("demo/libq.so.1")],
        ["WK507"],
    ),
    "another library beside it": (
        wheels.LINUX,
        [file(MODULE, Q, run=LIBS), file(GRAFT), file("demo/libr.so.1")],
        [],
    ),
    "grafted and grafted again": (
        wheels.LINUX,
        [file("demo.libs/libq-1a2b3c4d-5e6f7a8b.so.1"), file("demo.libs/libq-9c0d1e2f.so.1")],
        ["WK507"],
    ),
}


@rows("case", CASES)
def test_what_the_loader_finds(case: str, tmp_path: Path) -> None:
    filename, binaries, expected = CASES[case]
    assert codes(tmp_path, filename, *binaries) == expected


def test_a_path_below_tmp_weighs_on_macos_too(tmp_path: Path) -> None:
    paths = (Rpath(path=BELOW_TMP, how="rpath"), Rpath(path="/private/tmp/lib", how="rpath"))
    made = macho(rpaths=paths, needed=needs("@rpath/libq.dylib"))
    assert codes(tmp_path, wheels.MACOS, made) == ["WK514"]
    nothing_searched = macho(rpaths=paths, needed=needs("/usr/lib/libSystem.B.dylib"))
    assert codes(tmp_path, wheels.MACOS, nothing_searched) == ["WK506"]
    relative = macho(rpaths=(Rpath(path="lib", how="rpath"),))
    assert codes(tmp_path, wheels.MACOS, relative) == []


def test_the_message_names_the_empty_element(tmp_path: Path) -> None:
    wheel = wheels.facts(tmp_path, wheels.LINUX, file(MODULE, run="$ORIGIN:"))
    (finding,) = search_paths.planted(wheel, Contract())
    assert finding.what == (
        f"{MODULE} has a search path (RPATH or RUNPATH) with an empty element, the current folder"
    )


def test_the_library_of_a_required_provider_is_loaded_by_then(tmp_path: Path) -> None:
    module = file(MODULE, "libcudart.so.13")
    grafted = file("demo.libs/libcudart-1a2b3c4d.so.13", name="libcudart.so.13")
    assert codes(tmp_path, wheels.LINUX, module, grafted) == ["WK511"]
    members = {"{info}/METADATA": wheels.metadata("demo", "1.0", "Requires-Dist: torch")}
    wheel = wheels.facts(tmp_path, wheels.LINUX, module, grafted, members=members)
    assert list(search_paths.reachable(wheel, Contract())) == []
