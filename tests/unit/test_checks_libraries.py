"""Needed libraries, the exclude list and its providers, and search paths."""

from pathlib import Path

import pytest

from support import wheels
from support.rows import rows
from support.wheels import elf, macho, needs, pe
from wheelkit.config import Provider
from wheelkit.matrix import Matrix
from wheelkit.project.kinds import Kind
from wheelkit.verification.checks import libraries, providers, search_paths
from wheelkit.verification.contract import Contract, Promise
from wheelkit.verification.release import Dist
from wheelkit.wheel import Binary, Wheel

TORCH = Provider(
    name="torch",
    linux=("libtorch*", "libc10*"),
    macos=("libtorch*.dylib",),
    windows=("torch*.dll",),
    distributions=("torch",),
)
PROMISE = Promise(
    distribution="demo", kind=Kind.NATIVE, matrix=Matrix(targets=(), interpreters=(), declared=False)
)
EXCLUDING = Contract(promises={"demo": PROMISE}, exclude=(TORCH,))
REQUIRES = {"{info}/METADATA": wheels.metadata("demo", "1.0", "Requires-Dist: torch (>=2.5,<2.6)")}
CHECKS = (
    libraries.missing,
    search_paths.absolute,
    libraries.twice,
    providers.bundled,
    providers.requirement,
    providers.threading_runtime,
)


def codes(wheel: Wheel, contract: Contract = Contract()) -> list[str]:  # noqa: B008 - immutable
    return [finding.code for check in CHECKS for finding in check(wheel, contract)]


PYPY = wheels.WINDOWS.replace("cp311-cp311", "pp311-pypy311_pp73")
GRAALPY = wheels.WINDOWS.replace("cp311-cp311", "graalpy312-graalpy250_312_native")
GENERIC = wheels.LINUX.replace("manylinux_2_17", "linux")


@rows(
    ("filename", "made", "expected"),
    [
        (wheels.LINUX, elf(needed=needs("libc.so.6", "libstdc++.so.6", "ld-linux-x86-64.so.2")), []),
        (wheels.LINUX, elf(needed=needs("libfoo.so.1")), ["WK501"]),
        (GENERIC, elf(needed=needs("libfoo.so.1")), []),
        (wheels.LINUX, elf(needed=needs("libpython3.11.so.1.0")), ["WK502"]),
        (wheels.LINUX, elf("demo/a.o", kind="object", needed=needs("libfoo.so.1")), []),
        (
            wheels.MACOS,
            macho(
                needed=needs(
                    "/usr/lib/libSystem.B.dylib", "/System/Library/Frameworks/Accelerate.framework/Accelerate"
                )
            ),
            [],
        ),
        (wheels.MACOS, macho(needed=needs("/opt/homebrew/lib/libfoo.1.dylib")), ["WK501"]),
        (wheels.MACOS, macho(needed=needs("@rpath/libfoo.1.dylib")), ["WK501"]),
        (wheels.MACOS, macho(needed=needs("@rpath/libfoo.1.dylib", how="weak")), []),
        (
            wheels.MACOS,
            macho(needed=needs("/Library/Frameworks/Python.framework/Versions/3.11/Python")),
            ["WK502"],
        ),
        (
            wheels.WINDOWS,
            pe(
                needed=needs(
                    "KERNEL32.dll", "api-ms-win-crt-heap-l1-1-0.dll", "python311.dll", "VCRUNTIME140_1.dll"
                )
            ),
            [],
        ),
        (wheels.WINDOWS, pe(needed=needs("msvcp140.dll")), ["WK508"]),
        (
            wheels.WINDOWS,
            pe(needed=needs("RASAPI32.dll", "NTDSAPI.dll", "ACLUI.dll", "WinSCard.dll", "d3d10.dll")),
            [],
        ),
        (PYPY, pe("demo/_core.pypy311-pp73-win_amd64.pyd", needed=needs("libpypy3.11-c.dll")), []),
        (PYPY, pe("demo/_core.pypy311-pp73-win_amd64.pyd", needed=needs("libpypy3.10-c.dll")), ["WK502"]),
        (wheels.WINDOWS, pe(needed=needs("libpypy3.11-c.dll")), ["WK502"]),
        (
            GRAALPY,
            pe("demo/_core.graalpy250-312-native-x86_64-win32.pyd", needed=needs("python-native.dll")),
            [],
        ),
        (wheels.WINDOWS, pe(needed=needs("python-native.dll")), ["WK508"]),
        (wheels.WINDOWS, pe(needed=needs("nvcuda.dll", how="delay")), []),
        (wheels.LINUX, pe(needed=needs("msvcp140.dll")), []),
        (wheels.LINUX, elf(rpaths=(wheels.Rpath(path="$ORIGIN/../demo.libs"),)), []),
        (wheels.LINUX, elf(rpaths=(wheels.Rpath(path="$ORIGIN:/home/me/build/lib"),)), ["WK506"]),
        (wheels.MACOS, macho(rpaths=(wheels.Rpath(path="/usr/lib/swift"),)), []),
        (wheels.MACOS, macho(rpaths=(wheels.Rpath(path="/Users/me/lib"),)), ["WK506"]),
    ],
)
def test_needed_libraries(tmp_path: Path, filename: str, made: Binary, expected: list[str]) -> None:
    assert codes(wheels.facts(tmp_path, filename, made)) == expected


@pytest.mark.parametrize(
    ("filename", "made", "library"),
    [
        (
            wheels.LINUX,
            elf(needed=needs("libfoo.so.1")),
            elf("demo.libs/libfoo-1a2b3c4d.so.1.2", name="libfoo.so.1", exports=()),
        ),
        (wheels.LINUX, elf(needed=needs("libfoo.so.1")), elf("demo.libs/libfoo.so.1", exports=())),
        (
            wheels.MACOS,
            macho(needed=needs("@loader_path/.dylibs/libfoo.1.dylib")),
            macho("demo/.dylibs/libfoo.1.dylib", exports=()),
        ),
        (wheels.WINDOWS, pe(needed=needs("FOO.dll")), pe("demo.libs/foo.dll", exports=())),
    ],
)
def test_libraries_in_the_wheel(tmp_path: Path, filename: str, made: Binary, library: Binary) -> None:
    assert codes(wheels.facts(tmp_path, filename, made, library)) == []
    assert codes(wheels.facts(tmp_path, filename, made)) != []


def test_an_absolute_path_is_not_served_by_a_copy(tmp_path: Path) -> None:
    made, copy = macho(needed=needs("/opt/lib/libfoo.dylib")), macho("demo/.dylibs/libfoo.dylib", exports=())
    assert codes(wheels.facts(tmp_path, wheels.MACOS, made, copy)) == ["WK501"]


def test_the_message_says_who_needs_what(tmp_path: Path) -> None:
    wheel = wheels.facts(
        tmp_path,
        wheels.LINUX,
        elf("demo/a.so", needed=needs("libfoo.so.1")),
        elf("demo/b.so", needed=needs("libfoo.so.1")),
    )
    (finding,) = libraries.missing(wheel, Contract())
    assert finding.what == (
        "demo/a.so (and 1 other) needs libfoo.so.1, neither in the wheel nor on manylinux_2_17_x86_64 systems"
    )


USER = elf(needed=needs("libtorch_cpu.so"))


def test_excluded_with_a_required_provider(tmp_path: Path) -> None:
    assert codes(wheels.facts(tmp_path, wheels.LINUX, USER, members=REQUIRES), EXCLUDING) == []


def test_excluded_without_requiring_the_provider(tmp_path: Path) -> None:
    assert codes(wheels.facts(tmp_path, wheels.LINUX, USER), EXCLUDING) == ["WK505"]


def test_a_known_provider_counts_without_configuration(tmp_path: Path) -> None:
    assert codes(wheels.facts(tmp_path, wheels.LINUX, USER, members=REQUIRES)) == []
    assert codes(wheels.facts(tmp_path, wheels.LINUX, USER)) == ["WK501"]


@pytest.mark.parametrize(
    ("filename", "library", "expected"),
    [
        (wheels.LINUX, elf("demo.libs/libtorch_cpu-1a2b3c4d.so.2", exports=()), ["WK503"]),
        (wheels.LINUX, elf("demo.libs/libtorch.so", exports=()), ["WK503"]),
        (wheels.LINUX, elf("demo.libs/libz-1a2b3c4d.so.1", exports=()), []),
        (wheels.LINUX, elf("demo/libtorch_binding.so"), []),
        (
            wheels.WINDOWS,
            pe("demo.libs/Torch_cpu-a4c2229bdc2a2a630acdc095b4d86008.dll", exports=()),
            ["WK503"],
        ),
        (wheels.MACOS, macho("demo/.dylibs/libtorch.dylib", exports=()), ["WK503"]),
    ],
)
def test_bundled(tmp_path: Path, filename: str, library: Binary, expected: list[str]) -> None:
    assert codes(wheels.facts(tmp_path, filename, library), EXCLUDING) == expected
    assert codes(wheels.facts(tmp_path, filename, library)) == []


def test_the_provider_itself_may_hold_its_libraries(tmp_path: Path) -> None:
    own = wheels.facts(
        tmp_path, wheels.LINUX.replace("demo", "torch"), elf("torch/lib/libtorch.so", exports=())
    )
    assert codes(own, EXCLUDING) == []


def test_grafted_twice(tmp_path: Path) -> None:
    first, second = (elf(f"demo.libs/libz-{digits}.so.1", exports=()) for digits in ("1a2b3c4d", "5e6f7a8b"))
    assert codes(wheels.facts(tmp_path, wheels.LINUX, first, second)) == ["WK507"]
    assert codes(wheels.facts(tmp_path, wheels.LINUX, first)) == []


def unused(contract: Contract, *made: Wheel) -> list[str]:
    return [finding.what for finding in providers.unused_patterns(Dist(wheels=made, sdists=()), contract)]


def test_a_pattern_that_matches_nothing(tmp_path: Path) -> None:
    wheel = wheels.facts(tmp_path, wheels.LINUX, USER)
    assert unused(EXCLUDING, wheel) == ['exclude.torch: no wheel needs a library that matches "libc10*"']
    both = wheels.facts(tmp_path, wheels.LINUX, elf(needed=needs("libtorch_cpu.so", "libc10.so")))
    assert unused(EXCLUDING, both) == []


def test_a_pattern_for_another_system_is_not_judged(tmp_path: Path) -> None:
    both = wheels.facts(tmp_path, wheels.WINDOWS, pe(needed=needs("torch_cpu.dll")))
    assert unused(EXCLUDING, both) == []


def test_a_shipped_list_is_judged_as_a_whole(tmp_path: Path) -> None:
    from msgspec.structs import replace

    shipped = replace(EXCLUDING, exclude=(replace(TORCH, shipped=True),))
    assert unused(shipped, wheels.facts(tmp_path, wheels.LINUX, USER)) == []
    assert len(unused(shipped, wheels.facts(tmp_path, wheels.LINUX, elf(needed=needs("libc.so.6"))))) == 1


def test_foreign_wheels_do_not_use_the_projects_patterns(tmp_path: Path) -> None:
    other = wheels.facts(tmp_path, wheels.LINUX.replace("demo", "other"), elf(needed=needs("libc.so.6")))
    assert unused(EXCLUDING, other) == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("torch>=2.5,<2.6", []),
        ("torch==2.5.1", []),
        ("torch===2.5.1", []),
        ("torch~=2.5.0", []),
        ("torch>=2.5", ["WK509"]),
        ("torch<3,!=2.4", ["WK509"]),
        ("torch", ["WK509"]),
    ],
)
def test_bounds_of_a_provider_with_a_c_plus_plus_abi(tmp_path: Path, line: str, expected: list[str]) -> None:
    members = {"{info}/METADATA": wheels.metadata("demo", "1.0", f"Requires-Dist: {line}")}
    user = elf(needed=needs("libtorch_cpu.so"), imports=wheels.imports("_ZNK2at10TensorBase4nameEv"))
    assert codes(wheels.facts(tmp_path, wheels.LINUX, user, members=members)) == expected
    assert codes(wheels.facts(tmp_path, wheels.LINUX, elf(needed=needs("libc.so.6")), members=members)) == []


@pytest.mark.parametrize(
    ("filename", "made", "expected"),
    [
        (
            wheels.LINUX,
            elf(
                needed=needs("libtorch.so"),
                imports=wheels.imports("aoti_torch_get_numel", "_ZNSt8ios_base4InitC1Ev", "_Znwm"),
            ),
            [],
        ),
        (
            wheels.LINUX,
            elf(
                needed=needs("libtorch.so"),
                imports=wheels.imports("_ZTVN10__cxxabiv120__si_class_type_infoE", "_ZTISt9exception"),
            ),
            [],
        ),
        (
            wheels.LINUX,
            elf(needed=needs("libtorch.so"), imports=wheels.imports("_ZN3c105ErrorC1Ev")),
            ["WK509"],
        ),
        (
            wheels.LINUX,
            elf(
                needed=needs("libtorch.so"),
                imports=wheels.imports("_ZN4demo2goEv"),
                exports=("_ZN4demo2goEv",),
            ),
            [],
        ),
        (
            wheels.WINDOWS,
            pe(
                needed=needs("torch_cpu.dll"),
                imports=wheels.imports("?go@c10@@YAXXZ", library="torch_cpu.dll"),
            ),
            ["WK509"],
        ),
        (
            wheels.WINDOWS,
            pe(
                needed=needs("torch_cpu.dll"),
                imports=wheels.imports("?go@std@@YAXXZ", library="MSVCP140.dll"),
            ),
            [],
        ),
    ],
)
def test_functions_of_c_need_no_bound(
    tmp_path: Path, filename: str, made: Binary, expected: list[str]
) -> None:
    members = {"{info}/METADATA": wheels.metadata("demo", "1.0", "Requires-Dist: torch>=2.5")}
    assert codes(wheels.facts(tmp_path, filename, made, members=members)) == expected


def test_libraries_of_a_known_provider_are_one_finding_that_names_it(tmp_path: Path) -> None:
    user = elf(needed=needs("libtorch.so", "libtorch_cpu.so", "libc10.so", "libfoo.so.1"))
    first, second = libraries.missing(wheels.facts(tmp_path, wheels.LINUX, user), Contract())
    assert (
        "needs libc10.so, libtorch.so, libtorch_cpu.so of torch, which the wheel does not require"
        in first.what
    )
    assert "never graft" in first.fix
    assert "libfoo.so.1" in second.what
    assert "graft it" in second.fix


@pytest.mark.parametrize(
    ("library", "expected"),
    [("demo.libs/libgomp-1a2b3c4d.so.1.0.0", ["WK510"]), ("demo.libs/libz-1a2b3c4d.so.1", [])],
)
def test_a_second_threading_runtime(tmp_path: Path, library: str, expected: list[str]) -> None:
    grafted = elf(library, exports=())
    assert codes(wheels.facts(tmp_path, wheels.LINUX, USER, grafted, members=REQUIRES)) == expected
    assert codes(wheels.facts(tmp_path, wheels.LINUX, grafted, members=REQUIRES)) == []


GRAFTED, BESIDE = "demo.libs/libq-1a2b3c4d.so.1", "demo/libq-1a2b3c4d.so.1"


def user(*rpaths: str, member: str = "demo/_core.cpython-311-x86_64-linux-gnu.so", **facts: object) -> Binary:
    paths = tuple(wheels.Rpath(path=path) for path in rpaths)
    return elf(member, **({"needed": needs("libq-1a2b3c4d.so.1", "libc.so.6"), "rpaths": paths} | facts))


def reachable_codes(
    folder: Path, filename: str, binary: Binary, place: str, name: str | None = None
) -> list[str]:
    library = wheels.binary(
        place, wheels.Part(exports=("go",), name=name), form="macho" if "macosx" in filename else "elf"
    )
    wheel = wheels.facts(folder, filename, binary, library, members={place: "", binary.member: ""})
    return [finding.code for finding in search_paths.reachable(wheel, Contract())]


@rows(
    ("binary", "place", "expected"),
    [
        (user("$ORIGIN/../demo.libs"), GRAFTED, []),
        (user("${ORIGIN}/../demo.libs"), GRAFTED, []),
        (user("/opt/lib:$ORIGIN/../demo.libs"), GRAFTED, []),
        (user("/opt/lib", "$ORIGIN/../demo.libs"), GRAFTED, []),
        (user("$ORIGIN/../other.libs"), GRAFTED, ["WK511"]),
        (user("$ORIGINAL/../demo.libs"), GRAFTED, ["WK511"]),
        (user(), GRAFTED, ["WK511"]),
        (user("$ORIGIN"), BESIDE, []),
        (user(), BESIDE, ["WK512"]),
        (user(exports=("go",)), GRAFTED, ["WK511"]),
        (user("$ORIGIN/../demo.libs", exports=("go",)), GRAFTED, []),
        (user(exports=("go",)), BESIDE, []),
        (user(needed=needs("libq-1a2b3c4d.so.1", how="weak")), GRAFTED, []),
        (user("$ORIGIN/../demo.libs", member="demo-1.0.data/platlib/demo/_core.so"), GRAFTED, []),
        (user("$ORIGIN/../demo.libs", member="demo-1.0.data/platlib/_core.so"), GRAFTED, ["WK511"]),
    ],
)
def test_search_paths_lead_to_the_library(
    tmp_path: Path, binary: Binary, place: str, expected: list[str]
) -> None:
    assert reachable_codes(tmp_path, wheels.LINUX, binary, place) == expected


def test_a_library_is_found_by_its_file_name_alone(tmp_path: Path) -> None:
    binary = user("$ORIGIN/../demo.libs")
    assert reachable_codes(tmp_path, wheels.LINUX, binary, "demo.libs/renamed.so", "libq-1a2b3c4d.so.1") == [
        "WK511"
    ]
    assert reachable_codes(tmp_path, wheels.LINUX, binary, GRAFTED, "another-soname.so") == []


def test_windows_is_not_judged(tmp_path: Path) -> None:
    wheel = wheels.facts(
        tmp_path, wheels.WINDOWS, pe(needed=needs("q.dll")), pe("demo/lib/q.dll", exports=("go",))
    )
    assert list(search_paths.reachable(wheel, Contract())) == []


@pytest.mark.parametrize(
    ("filename", "library"),
    [
        (wheels.LINUX, "libtorch_cpu-1a2b3c4d.so"),
        (wheels.LINUX, "libc10-1a2b3c4d.so"),
        (wheels.LINUX, "libtensorflow_framework-1a2b3c4d.so.2"),
        (wheels.WINDOWS, "torch_cpu-1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d.dll"),
        (wheels.WINDOWS, "c10-1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d.dll"),
        (wheels.WINDOWS, "tensorflow_cc.2-1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d.dll"),
    ],
)
def test_a_grafted_framework_is_told_without_a_requirement(
    tmp_path: Path, filename: str, library: str
) -> None:
    make = elf if filename == wheels.LINUX else pe
    grafted = wheels.facts(tmp_path, filename, make(f"demo.libs/{library}", exports=("go",)))
    found = [finding.what for finding in providers.grafted_beside(grafted, Contract())]
    assert len(found) == 1
    assert library in found[0]
    other = wheels.facts(tmp_path, filename, make(f"demo.libs/libq{library}", exports=("go",)))
    assert list(providers.grafted_beside(other, Contract())) == []
