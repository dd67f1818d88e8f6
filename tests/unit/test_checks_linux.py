from pathlib import Path

import pytest

from support import wheels
from support.rows import rows
from support.wheels import Version, elf
from wheelkit.analysis.linux import linux_floor
from wheelkit.analysis.policies import policies, policy_for
from wheelkit.matrix import LINUX_ARCHS, Target
from wheelkit.verification.checks import linux
from wheelkit.verification.contract import Contract
from wheelkit.wheel import Binary, Wheel

GLIBC = wheels.needs("libc.so.6")
MUSL = wheels.LINUX.replace("manylinux_2_17", "musllinux_1_2")
GENERIC = wheels.LINUX.replace("manylinux_2_17", "linux")


def asks(*versions: str, library: str = "libc.so.6", symbol: str | None = "f") -> Binary:
    rows = tuple(Version(library=library, version=version, symbol=symbol) for version in versions)
    return elf(needed=wheels.needs(library), versions=rows)


def codes(wheel: Wheel) -> list[str]:
    checks = (linux.symbol_versions, linux.forbidden_symbols, linux.c_library)
    return [finding.code for check in checks for finding in check(wheel, Contract())]


@rows(
    ("needed", "floor"),
    [
        ("libc.so", 1),
        ("libm.so", 1),
        ("libpthread.so.0", 1),
        ("libc.so.6", 1),
        ("libc.musl-x86_64.so.1", 1),
        ("libc.musl-aarch64.so.1", 0),
        ("libz.so", 0),
        ("libcrypt.so.1", 0),
    ],
)
def test_musl_takes_the_names_of_its_parts_for_itself(tmp_path: Path, needed: str, floor: int) -> None:
    wheel = wheels.facts(tmp_path, MUSL, elf(needed=wheels.needs("libc.musl-x86_64.so.1", needed)))
    assert (linux_floor(wheel) is not None) == floor


@pytest.mark.parametrize(("asked", "expected"), [(True, ["WK316"]), (False, []), (None, [])])
def test_executable_stacks(tmp_path: Path, asked: object, expected: list[str]) -> None:
    wheel = wheels.facts(tmp_path, wheels.LINUX, elf(executable_stack=asked))
    assert [finding.code for finding in linux.executable_stack(wheel, Contract())] == expected


@rows(
    ("tag", "made", "expected"),
    [
        ("manylinux_2_17", asks("GLIBC_2.17"), []),
        ("manylinux_2_17", asks("GLIBC_2.18"), ["WK311"]),
        ("manylinux_2_17", asks("GLIBC_2.34", "GLIBC_2.28"), ["WK311"]),
        ("manylinux2014", asks("GLIBC_2.18"), ["WK311"]),
        ("manylinux2014", asks("GLIBC_2.17"), []),
        ("manylinux_2_29", asks("GLIBC_2.29"), []),
        ("manylinux_2_29", asks("GLIBC_2.30"), ["WK311"]),
        ("manylinux_2_17", asks("GLIBC_PRIVATE"), ["WK311"]),
        ("manylinux_2_17", asks("GLIBC_ABI_DT_RELR", symbol=None), ["WK311"]),
        ("manylinux_2_17", asks("GLIBCXX_3.4.19", library="libstdc++.so.6"), []),
        ("manylinux_2_17", asks("GLIBCXX_3.4.20", library="libstdc++.so.6"), ["WK311"]),
        ("manylinux_2_17", asks("CXXABI_1.3.9", library="libstdc++.so.6"), ["WK311"]),
        ("manylinux_2_17", asks("ZLIB_1.2.9", library="libz.so.1"), ["WK311"]),
        ("manylinux_2_17", asks("alpha_1", library="libm.so.6"), ["WK311"]),
        ("manylinux_2_17", asks("GCC_3.0"), []),
        ("manylinux_2_17", asks("OPENSSL_3.0.0", library="libssl.so.3"), []),
        ("manylinux_2_17", asks("GLIBC_2.35", library="ld-linux-x86-64.so.2"), []),
        ("linux", asks("GLIBC_2.40"), []),
        ("manylinux_2_17_x86_64.manylinux_2_34", asks("GLIBC_2.34"), ["WK311"]),
    ],
)
def test_symbol_versions(tmp_path: Path, tag: str, made: Binary, expected: list[str]) -> None:
    assert codes(wheels.facts(tmp_path, wheels.LINUX.replace("manylinux_2_17", tag), made)) == expected


def test_the_message_names_symbol_version_and_floor(tmp_path: Path) -> None:
    made = elf(
        needed=GLIBC, versions=(Version(library="libc.so.6", version="GLIBC_2.34", symbol="pthread_create"),)
    )
    (finding,) = linux.symbol_versions(wheels.facts(tmp_path, wheels.LINUX, made), Contract())
    assert finding.what == (
        "demo/_core.cpython-311-x86_64-linux-gnu.so needs GLIBC_2.34 (pthread_create of libc.so.6), "
        "which manylinux_2_17_x86_64 does not allow"
    )
    assert "manylinux_2_34_x86_64" in finding.fix


def test_versions_of_a_grafted_library_are_its_own(tmp_path: Path) -> None:
    made = elf(
        needed=wheels.needs("libstdc++-1a2b3c4d.so.6"),
        versions=(Version(library="libstdc++-1a2b3c4d.so.6", version="GLIBCXX_3.4.30"),),
    )
    grafted = elf("demo.libs/libstdc++-1a2b3c4d.so.6", exports=(), name="libstdc++-1a2b3c4d.so.6")
    assert codes(wheels.facts(tmp_path, wheels.LINUX, made, grafted)) == []
    assert codes(wheels.facts(tmp_path, wheels.LINUX, made)) == ["WK311"]


@pytest.mark.parametrize(
    ("symbol", "weak", "expected"),
    [
        ("__cxa_thread_atexit_impl", False, ["WK312"]),
        ("__cxa_thread_atexit_impl", True, []),
        ("malloc", False, []),
    ],
)
def test_forbidden_symbols(tmp_path: Path, symbol: str, *, weak: bool, expected: list[str]) -> None:
    made = elf(needed=GLIBC, imports=wheels.imports(symbol, weak=weak))
    assert codes(wheels.facts(tmp_path, wheels.LINUX, made)) == expected


@pytest.mark.parametrize("needed", [("libc.so.6",), ("libc.so.6", "libc.so.6")])
def test_a_forbidden_symbol_is_named_once(tmp_path: Path, needed: tuple[str, ...]) -> None:
    imports = wheels.imports(
        "__cxa_thread_atexit_impl", "pthread_setattr_default_np", "__cxa_thread_atexit_impl"
    )
    made = elf(needed=wheels.needs(*needed), imports=imports)
    (finding,) = linux.forbidden_symbols(wheels.facts(tmp_path, wheels.LINUX, made), Contract())
    assert "uses __cxa_thread_atexit_impl, pthread_setattr_default_np of libc.so.6" in finding.what


@pytest.mark.parametrize(
    ("tag", "library", "symbol", "expected"),
    [
        ("manylinux_2_17", "libc.so.6", "pthread_setattr_default_np", ["WK312"]),
        ("manylinux_2_18", "libc.so.6", "pthread_setattr_default_np", []),
        ("manylinux_2_24", "libc.so.6", "pthread_setattr_default_np", []),
        ("manylinux_2_18", "libz.so.1", "_dist_code", ["WK312"]),
        ("manylinux_2_24", "libz.so.1", "_dist_code", ["WK312"]),
    ],
)
def test_what_came_to_be_between_two_tables_is_allowed(
    tmp_path: Path, tag: str, library: str, symbol: str, expected: list[str]
) -> None:
    made = elf(needed=wheels.needs(library), imports=wheels.imports(symbol))
    assert codes(wheels.facts(tmp_path, wheels.LINUX.replace("manylinux_2_17", tag), made)) == expected


@rows(
    ("filename", "needed", "facts", "expected"),
    [
        (wheels.LINUX, "libc.so.6", {}, []),
        (wheels.LINUX, "libc.musl-x86_64.so.1", {}, ["WK314"]),
        (wheels.LINUX, "libc.musl-x86_64.so.1", {"kind": "executable", "exports": ()}, ["WK315"]),
        (MUSL, "libc.musl-x86_64.so.1", {}, []),
        (MUSL, "libc.so", {}, []),
        (MUSL, "libc.so.6", {"versions": (Version(library="libc.so.6", version="GLIBC_2.17"),)}, ["WK314"]),
        (MUSL, "libc.so.6", {}, []),
        (
            MUSL,
            "libgcc_s-1a2b3c4d.so.1",
            {"versions": (Version(library="libgcc_s-1a2b3c4d.so.1", version="GLIBC_2.0"),)},
            [],
        ),
        (GENERIC, "libc.musl-x86_64.so.1", {}, []),
    ],
)
def test_c_library(
    tmp_path: Path, filename: str, needed: str, facts: dict[str, object], expected: list[str]
) -> None:
    assert codes(wheels.facts(tmp_path, filename, elf(needed=wheels.needs(needed), **facts))) == expected


@pytest.mark.parametrize(
    ("made", "floor"),
    [
        (asks("GLIBC_2.5"), "manylinux_2_5_x86_64"),
        (asks("GLIBC_2.14"), "manylinux_2_17_x86_64"),
        (asks("GLIBC_2.18"), "manylinux_2_24_x86_64"),
        (asks("GLIBCXX_3.4.20", library="libstdc++.so.6"), "manylinux_2_24_x86_64"),
        (elf(needed=wheels.needs("libexpat.so.1", "libc.so.6")), "manylinux_2_12_x86_64"),
        (elf(needed=wheels.needs("libfoo.so.1", "libc.so.6")), None),
        (elf(needed=wheels.needs("libc.musl-x86_64.so.1")), "musllinux_1_1_x86_64"),
    ],
)
def test_floor(tmp_path: Path, made: Binary, floor: str | None) -> None:
    found = linux_floor(wheels.facts(tmp_path, GENERIC, made))
    known = {
        policy.target.tag
        for arch in LINUX_ARCHS
        for libc in ("manylinux", "musllinux")
        for policy in policies(libc, arch)
    }
    assert floor is None or floor in known
    assert (found.target.tag if found else None) == floor


def test_a_static_program_has_the_floor_of_its_tags_c_library(tmp_path: Path) -> None:
    program = elf("demo/tool", kind="executable", exports=())
    for filename, floor in ((MUSL, "musllinux_1_1_x86_64"), (wheels.LINUX, "manylinux_2_5_x86_64")):
        found = linux_floor(wheels.facts(tmp_path, filename, program))
        assert found is not None
        assert found.target.tag == floor


def test_policies_of_every_architecture() -> None:
    for arch in LINUX_ARCHS:
        for libc in ("manylinux", "musllinux"):
            versions = [policy.target.version for policy in policies(libc, arch)]
            assert versions == sorted(versions)
            assert versions
    assert not list(policies("manylinux", "sparc"))


def test_musl_knows_its_own_c_library() -> None:
    policy = policy_for(Target.parse("musllinux_1_2_i686"))
    assert policy is not None
    assert policy.provides("libc.musl-x86.so.1")
    assert not policy.provides("libc.musl-x86_64.so.1")


def test_a_target_below_all_tables_has_none() -> None:
    assert policy_for(Target.parse("manylinux_2_4_x86_64")) is None
