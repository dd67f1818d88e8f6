from pathlib import Path

import pytest

from support import wheels
from support.rows import rows
from support.wheels import Symbol, Version, elf
from wheelkit.verification.checks import elf as elf_checks
from wheelkit.verification.checks import mobile
from wheelkit.verification.contract import Contract
from wheelkit.wheel import Binary, Wheel

ARM = wheels.LINUX.replace("x86_64", "aarch64")
POWER = wheels.LINUX.replace("x86_64", "ppc64le")
MUSL = wheels.LINUX.replace("manylinux_2_17", "musllinux_1_2")
NEW = wheels.LINUX.replace("2_17", "2_35")
ANDROID = "demo-1.0-cp313-cp313-android_24_arm64_v8a.whl"
LIBRARY = "demo/libq.so.1"


def codes(wheel: Wheel) -> list[str]:
    checks = (
        elf_checks.refused,
        elf_checks.page_size,
        elf_checks.contradictory,
        elf_checks.processor,
        elf_checks.thread_storage,
        elf_checks.version_libraries,
        elf_checks.version_definitions,
        elf_checks.self_modifying,
        mobile.page_size,
    )
    return [finding.code for check in checks for finding in check(wheel, Contract())]


def pages(size: int, alignment: int | None = None, arch: str = "x86_64", **facts: object) -> Binary:
    return elf(page_size=size, alignment=size if alignment is None else alignment, arch=arch, **facts)


@rows(
    ("filename", "made", "expected"),
    [
        (wheels.LINUX, elf(), []),
        (wheels.LINUX, elf(faults=("noopen",)), ["WK340"]),
        (MUSL, elf(faults=("noopen", "ident", "program", "versions", "order")), []),
        (MUSL, elf(faults=("no-dynamic",)), ["WK340"]),
        (wheels.LINUX, elf(faults=("program",), kind="executable"), ["WK340"]),
        (wheels.LINUX, elf(LIBRARY, faults=("program",), exports=()), ["WK340"]),
        (wheels.LINUX, elf(LIBRARY, kind="object", faults=("program",), exports=()), ["WK340"]),
        (MUSL, elf(LIBRARY, kind="object", faults=("program",), exports=()), ["WK340"]),
        (wheels.LINUX, elf("demo/tool", kind="executable", faults=("program",), exports=()), []),
        (wheels.LINUX, elf("demo/part.o", kind="object", faults=("program",), exports=()), []),
        (wheels.LINUX, elf("demo/.debug/libq.so.1", faults=("no-dynamic",), exports=()), []),
        (wheels.LINUX, elf(faults=("hash",)), ["WK340"]),
        (wheels.LINUX, elf(LIBRARY, faults=("hash",), exports=()), []),
        (wheels.LINUX, pages(1 << 11), ["WK340"]),
        (wheels.LINUX, pages(1 << 12), []),
        (wheels.LINUX, pages(1 << 12, 8), ["WK340"]),
        (NEW, pages(1 << 12, 8), []),
        (wheels.LINUX, elf(faults=("alignment",)), ["WK340"]),
        (NEW, elf(faults=("alignment",)), []),
        (POWER, pages(1 << 12, arch="ppc64le"), ["WK340"]),
        (POWER, pages(1 << 16, arch="ppc64le"), []),
        (ARM, pages(1 << 16, arch="aarch64"), []),
        (ARM, pages(1 << 14, arch="aarch64"), ["WK341"]),
        (ARM, pages(1 << 16, 1 << 12, arch="aarch64"), ["WK341"]),
        (ARM, elf(page_size=0, alignment=0, arch="aarch64"), []),
        (ANDROID, pages(1 << 12, arch="aarch64"), ["WK342"]),
        (ANDROID, pages(1 << 14, arch="aarch64"), []),
        (ANDROID.replace("arm64_v8a", "armeabi_v7a"), pages(1 << 12, arch="armv7l", bits=32), []),
        (wheels.LINUX, elf(faults=("counts", "sections")), ["WK344"]),
        (wheels.LINUX, elf("demo/part.o", faults=("offset",), kind="object", exports=()), []),
    ],
)
def test_what_loaders_accept(tmp_path: Path, filename: str, made: Binary, expected: list[str]) -> None:
    assert codes(wheels.facts(tmp_path, filename, made)) == expected


def test_one_reason_is_one_finding(tmp_path: Path) -> None:
    made = [elf(f"demo/lib{name}.so", faults=("noopen",), exports=()) for name in "abc"]
    (finding,) = elf_checks.refused(wheels.facts(tmp_path, wheels.LINUX, *made), Contract())
    assert (
        finding.what
        == "demo/liba.so (and 2 others) cannot be loaded: it is marked as not to be opened by dlopen"
    )


def tls(size: int, *flags: str, **facts: object) -> Binary:
    return elf(tls_bytes=size, flags=flags, **facts)


@rows(
    ("filename", "made", "expected"),
    [
        (wheels.LINUX, elf(isa=1), []),
        (wheels.LINUX, elf(isa=2), ["WK349"]),
        (wheels.LINUX, elf(isa=3), ["WK343"]),
        (wheels.LINUX, elf("demo/glibc-hwcaps/x86-64-v3/libq.so", isa=3, exports=()), []),
        (wheels.LINUX, tls(512, "static-tls"), []),
        (wheels.LINUX, tls(513, "static-tls"), ["WK345"]),
        (wheels.LINUX, tls(5000), []),
        (wheels.LINUX, tls(5000, "static-tls", "pie", kind="executable", exports=()), []),
        (MUSL, tls(8, "static-tls"), ["WK345"]),
        (MUSL, tls(0, "static-tls"), []),
        (wheels.LINUX, elf(flags=("textrel",)), ["WK348"]),
        (wheels.LINUX, elf(writable_executable=1), ["WK348"]),
        (wheels.LINUX, elf(writable_executable=1, kind="executable", exports=()), []),
    ],
)
def test_what_machines_offer(tmp_path: Path, filename: str, made: Binary, expected: list[str]) -> None:
    assert codes(wheels.facts(tmp_path, filename, made)) == expected


def asking(library: str, version: str, *needed: str, weak: bool = False) -> Binary:
    rows = (Version(library=library, version=version, weak=weak),)
    return elf(needed=wheels.needs(*needed), versions=rows)


@rows(
    ("filename", "made", "expected"),
    [
        (wheels.LINUX, asking("libz.so.1", "ZLIB_1.2.9", "libz.so.1"), []),
        (wheels.LINUX, asking("libz.so.1", "ZLIB_1.2.9", "libc.so.6"), ["WK346"]),
        (wheels.LINUX, asking("libz.so.1", "ZLIB_1.2.9", "libc.so.6", weak=True), ["WK346"]),
        (MUSL, asking("libz.so.1", "ZLIB_1.2.9", "libc.so.6"), []),
        (wheels.LINUX, asking("libc.so.6", "GLIBC_2.2.5"), []),
        (wheels.LINUX, asking("ld-linux-x86-64.so.2", "GLIBC_2.3", "libc.so.6"), []),
        (wheels.LINUX, asking("libgcc_s.so.1", "GCC_3.0", "libstdc++.so.6"), []),
        (wheels.LINUX, asking("libgcc_s.so.1", "GCC_3.0", "libm.so.6"), ["WK346"]),
        (wheels.LINUX, asking("libgcc_s.so.1", "GCC_3.0", "libX11.so.6"), []),
    ],
)
def test_versions_of_libraries_that_are_loaded(
    tmp_path: Path, filename: str, made: Binary, expected: list[str]
) -> None:
    assert codes(wheels.facts(tmp_path, filename, made)) == expected


def test_what_a_library_of_the_wheel_loads_is_loaded(tmp_path: Path) -> None:
    user = asking("libz.so.1", "ZLIB_1.2.9", "libq.so.1")
    loads, loads_not = (
        elf("demo/libq.so.1", exports=(), needed=wheels.needs(name)) for name in ("libz.so.1", "libc.so.6")
    )
    assert codes(wheels.facts(tmp_path, wheels.LINUX, user, loads)) == []
    assert codes(wheels.facts(tmp_path, wheels.LINUX, user, loads_not)) == ["WK346"]


@pytest.mark.parametrize(
    ("defined", "weak", "expected"),
    [
        (("Q_1", "Q_2"), False, []),
        (("Q_1",), False, ["WK347"]),
        (("Q_1",), True, []),
        ((), False, []),
    ],
)
def test_versions_that_the_wheel_defines(
    tmp_path: Path, *, defined: tuple[str, ...], weak: bool, expected: list[str]
) -> None:
    user = asking("libq.so.1", "Q_2", "libq.so.1", weak=weak)
    library = elf("demo.libs/libq.so.1", exports=(), definitions=defined)
    assert codes(wheels.facts(tmp_path, wheels.LINUX, user, library)) == expected


@pytest.mark.parametrize(("weak", "expected"), [(True, []), (False, ["WK347"])])
def test_a_weak_version_counts_for_the_symbols_that_have_it(
    tmp_path: Path, *, weak: bool, expected: list[str]
) -> None:
    rows = (Version(library="libq.so.1", version="Q_2", weak=True),)
    symbols = (Symbol(name="q", library="libq.so.1", version="Q_2", weak=weak),)
    user = elf(needed=wheels.needs("libq.so.1"), versions=rows, imports=symbols)
    library = elf("demo.libs/libq.so.1", exports=(), definitions=("Q_1",))
    assert codes(wheels.facts(tmp_path, wheels.LINUX, user, library)) == expected


def test_the_systems_own_library_may_define_the_version(tmp_path: Path) -> None:
    library = elf("demo.libs/libstdc++.so.6", exports=(), definitions=("GLIBCXX_3.4",))
    old, new = (
        asking("libstdc++.so.6", name, "libstdc++.so.6") for name in ("GLIBCXX_3.4.19", "GLIBCXX_3.4.30")
    )
    assert codes(wheels.facts(tmp_path, wheels.LINUX, old, library)) == []
    assert codes(wheels.facts(tmp_path, wheels.LINUX, new, library)) == ["WK347"]
