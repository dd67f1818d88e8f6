import sys
import sysconfig
from pathlib import Path

import pytest

from support import wheels
from support.rows import rows
from support.wheels import elf, imports, macho, needs, pe
from wheelkit import _core
from wheelkit.analysis import python_api
from wheelkit.verification.checks import abi, abi_tags, suffixes
from wheelkit.verification.contract import Contract
from wheelkit.wheel import Binary, Wheel

CHECKS = (
    abi.stable,
    abi.interpreter_library,
    abi_tags.export_hook,
    abi_tags.hidden_definition,
    abi_tags.floor_of_abi3t,
    abi_tags.without_abi,
    suffixes.suffix,
    suffixes.entry_point,
)
STABLE = "demo/_core.abi3.so"
OLD = wheels.ABI3.replace("cp311", "cp38")
WIN_ABI3 = "demo-1.0-cp311-abi3-win_amd64.whl"
MUSL = wheels.LINUX.replace("manylinux_2_17", "musllinux_1_2")
OLD_FLAGS = wheels.WINDOWS.replace("cp311-cp311", "cp36-cp36m")
NO_ABI = wheels.WINDOWS.replace("cp311-cp311", "cp311-none")
THREADED = "demo-1.0-cp314-cp314t-win_amd64.whl"


def codes(wheel: Wheel) -> list[str]:
    return [finding.code for check in CHECKS for finding in check(wheel, Contract())]


def dll(name: str, *symbols: str, member: str = "demo/_core.pyd") -> Binary:
    return pe(member, needed=wheels.needs(name), imports=imports(*symbols, library=name))


@rows(
    ("filename", "made", "expected"),
    [
        (wheels.ABI3, elf(STABLE, imports=imports("PyList_New", "_Py_Dealloc", "malloc")), []),
        (wheels.ABI3, elf(STABLE, imports=imports("PyType_GetName")), []),
        (OLD, elf(STABLE, imports=imports("PyType_GetName")), ["WK402"]),
        (OLD, elf(STABLE, imports=imports("PyType_GetName", weak=True)), []),
        (wheels.ABI3, elf(STABLE, imports=imports("_PyDict_NewPresized")), ["WK401"]),
        (OLD, elf(STABLE, imports=imports("_PyDict_NewPresized", "PyType_GetName")), ["WK401", "WK402"]),
        (wheels.LINUX, elf(imports=imports("_PyDict_NewPresized")), []),
        (wheels.ABI3, elf(STABLE, imports=imports("PyFoo_Bar", library="libother.so.1")), []),
        (wheels.ABI3, elf(STABLE, exports=("PyInit__core", "PyFoo_Bar"), imports=imports("PyFoo_Bar")), []),
        (wheels.ABI3, elf(STABLE, imports=imports("PyDict_Bar")), ["WK401"]),
        (wheels.ABI3, elf(STABLE, imports=imports("PySideSignalInstance_TypeF")), []),
        (
            "demo-1.0-cp311-abi3-macosx_11_0_arm64.whl",
            macho(STABLE, imports=imports("_PyDict_NewPresized")),
            ["WK401"],
        ),
        (
            "demo-1.0-cp38-abi3-macosx_11_0_arm64.whl",
            macho(STABLE, imports=imports("PyType_GetName")),
            ["WK402"],
        ),
        (WIN_ABI3, dll("python3.dll", "PyList_New"), []),
        (WIN_ABI3, dll("python3.dll", "PyFoo_Bar"), ["WK401"]),
        (WIN_ABI3, dll("other.dll", "PyFoo_Bar"), []),
        (WIN_ABI3, dll("python311.dll", "PyList_New"), ["WK403"]),
        (wheels.WINDOWS, dll("python311.dll", "PyList_New", "_PyDict_NewPresized"), []),
        (wheels.WINDOWS, dll("python312.dll"), ["WK403"]),
        (wheels.WINDOWS, dll("python3.dll"), []),
        (THREADED, dll("python314t.dll"), []),
        (THREADED, dll("python314.dll"), ["WK403"]),
        (THREADED, dll("python3.dll"), ["WK403"]),
        ("demo-1.0-cp315-abi3t-win_amd64.whl", dll("python3t.dll"), []),
        (wheels.LINUX, elf("demo/_core.cpython-312-x86_64-linux-gnu.so"), ["WK404"]),
        (wheels.LINUX, elf("demo/_core.so"), []),
        (wheels.LINUX, elf("demo/_core.abi3.so"), []),
        (wheels.ABI3, elf("demo/_core.cpython-311-x86_64-linux-gnu.so"), ["WK404"]),
        (wheels.LINUX.replace("cp311-cp311", "cp314-cp314t"), elf("demo/_core.abi3.so"), ["WK404"]),
        (
            wheels.LINUX.replace("cp311-cp311", "cp314-cp314t"),
            elf("demo/_core.cpython-314t-x86_64-linux-gnu.so"),
            [],
        ),
        (wheels.LINUX, elf("demo/_core.cpython-311-x86_64-linux-musl.so"), ["WK404"]),
        (MUSL, elf("demo/_core.cpython-311-x86_64-linux-gnu.so"), ["WK404"]),
        (MUSL.replace("311", "310"), elf("demo/_core.cpython-310-x86_64-linux-gnu.so"), []),
        (OLD_FLAGS, pe("demo/_core.cp36-win_amd64.pyd", needed=wheels.needs("python36.dll")), []),
        (
            OLD_FLAGS,
            pe("demo/_core.cp37-win_amd64.pyd", needed=wheels.needs("python37.dll")),
            ["WK403", "WK404"],
        ),
        (
            wheels.LINUX.replace("cp311-cp311", "cp36-cp36m"),
            elf("demo/_core.cpython-36m-x86_64-linux-gnu.so"),
            [],
        ),
        (
            wheels.LINUX.replace("cp311-cp311", "cp36-cp36m"),
            elf("demo/_core.cpython-37m-x86_64-linux-gnu.so"),
            ["WK404"],
        ),
        (NO_ABI, pe(needed=wheels.needs("python311.dll")), []),
        (
            NO_ABI,
            pe("demo/_core.cp312-win_amd64.pyd", needed=wheels.needs("python312.dll")),
            ["WK403", "WK404"],
        ),
        (NO_ABI.replace("cp311", "py3"), pe(), ["WK414"]),
        (MUSL, elf("demo/_core.cpython-311-x86_64-linux-musl.so"), []),
        (
            "demo-1.0-pp311-pypy311_pp73-manylinux_2_17_x86_64.whl",
            elf("demo/_core.pypy311-pp73-x86_64-linux-gnu.so"),
            [],
        ),
        (wheels.LINUX, elf("demo/_core.pypy311-pp73-x86_64-linux-gnu.so"), ["WK404"]),
        (wheels.WINDOWS, pe("demo/_core.cp312-win_amd64.pyd"), ["WK404"]),
        (wheels.LINUX, elf(exports=("other",), imports=imports("PyList_New")), ["WK405"]),
        (wheels.LINUX, elf(exports=("other",), imports=imports("malloc")), ["WK407"]),
        (wheels.LINUX, elf(exports=("_init", "_fini")), ["WK405"]),
        (wheels.LINUX, elf(STABLE.replace("/", "_"), exports=("PyInit__core",)), []),
        (wheels.LINUX, elf("demo.libs/libdemo.so", exports=("other",)), []),
        (wheels.WINDOWS, pe("demo/_core.pyd", exports=()), ["WK405"]),
        (
            wheels.WINDOWS,
            pe("demo/_core.pyd", exports=("other",), needed=wheels.needs("python311.dll")),
            ["WK405"],
        ),
        (wheels.WINDOWS, pe("demo/_core.pyd", exports=("other",)), ["WK407"]),
        (
            wheels.WINDOWS,
            pe("demo/_core.pyd", exports=(), imports=imports("go", library="torch_cpu.dll")),
            ["WK407"],
        ),
        (
            wheels.WINDOWS,
            pe("demo/_core.pyd", exports=(), imports=imports("new", library="MSVCP140.dll")),
            ["WK405"],
        ),
        (wheels.LINUX, elf(exports=("PyModExport__core",)), ["WK411"]),
        (
            wheels.LINUX.replace("311", "315"),
            elf("demo/_core.cpython-315-x86_64-linux-gnu.so", exports=("PyModExport__core",)),
            [],
        ),
    ],
)
def test_abi(tmp_path: Path, filename: str, made: Binary, expected: list[str]) -> None:
    assert codes(wheels.facts(tmp_path, filename, made)) == expected


@pytest.mark.parametrize(
    ("filename", "others", "expected"),
    [
        (
            wheels.LINUX,
            [
                elf("demo/_core.cpython-312-x86_64-linux-gnu.so"),
                elf("demo/_core.cpython-313-x86_64-linux-gnu.so"),
            ],
            ["WK408"],
        ),
        (wheels.LINUX, [elf("demo/_other.cpython-312-x86_64-linux-gnu.so")], ["WK404"]),
        (wheels.LINUX, [elf("demo/sub/_core.cpython-312-x86_64-linux-gnu.so")], ["WK404"]),
        (wheels.WINDOWS, [dll("python312.dll", member="demo/_core.cp312-win_amd64.pyd")], ["WK408"]),
        # Python 3.12 imports the one of its own version, before the one for the stable ABI.
        (wheels.ABI3, [elf("demo/_core.cpython-312-x86_64-linux-gnu.so")], ["WK404"]),
    ],
)
def test_modules_of_another_interpreter_beside_the_right_one(
    tmp_path: Path, filename: str, others: list[Binary], expected: list[str]
) -> None:
    right = {wheels.LINUX: elf(), wheels.WINDOWS: pe(), wheels.ABI3: elf(STABLE)}[filename]
    assert codes(wheels.facts(tmp_path, filename, right, *others)) == expected
    assert codes(wheels.facts(tmp_path, filename, right)) == []


def test_the_message_says_since_when(tmp_path: Path) -> None:
    (finding,) = abi.stable(
        wheels.facts(tmp_path, OLD, elf(STABLE, imports=imports("PyType_GetName"))), Contract()
    )
    assert (
        finding.what
        == "demo/_core.abi3.so imports PyType_GetName, in the stable ABI since 3.11, but the tag promises 3.8"
    )
    assert finding.fix == "raise the floor to cp311, or avoid the call"


def test_a_library_for_the_stable_abi_in_another_wheel_may_define_the_symbol(tmp_path: Path) -> None:
    outside = imports("PyRun_String")
    user = elf(STABLE, imports=outside, needed=needs("libshiboken6.abi3.so.6.12"))
    assert codes(wheels.facts(tmp_path, wheels.ABI3, user)) == []
    alone = elf(STABLE, imports=outside, needed=needs("libother.so.6"))
    assert codes(wheels.facts(tmp_path, wheels.ABI3, alone)) == ["WK401"]


def test_a_symbol_that_another_binary_defines_is_the_projects_own(tmp_path: Path) -> None:
    user = elf(STABLE, imports=imports("PyDict_Bar"))
    owner = elf("demo.libs/libfoo.so", exports=("PyDict_Bar",))
    assert codes(wheels.facts(tmp_path, wheels.ABI3, user, owner)) == []
    assert codes(wheels.facts(tmp_path, wheels.ABI3, user)) == ["WK401"]


@pytest.mark.parametrize(
    ("symbols", "violations"),
    [
        ((), []),
        (("PyList_New",), []),
        (("PyType_GetName", "PyList_New"), ["PyType_GetName"]),
        (("_PyDict_NewPresized",), ["_PyDict_NewPresized"]),
    ],
)
def test_symbols_that_a_floor_lacks(tmp_path: Path, symbols: tuple[str, ...], violations: list[str]) -> None:
    wheel = wheels.facts(tmp_path, wheels.LINUX, elf(imports=imports(*symbols)))
    assert [violation.symbol for violation in python_api.abi_violations(wheel, (3, 10))] == violations


def test_offences_name_the_symbol_and_its_version(tmp_path: Path) -> None:
    wheel = wheels.facts(
        tmp_path, wheels.LINUX, elf(imports=imports("PyType_GetName", "_PyDict_NewPresized"))
    )
    assert [(one.symbol, one.added) for one in python_api.abi_violations(wheel, (3, 8))] == [
        ("PyType_GetName", (3, 11)),
        ("_PyDict_NewPresized", None),
    ]


@pytest.mark.parametrize(
    ("filename", "floor"),
    [
        (wheels.ABI3, (3, 11)),
        (OLD, (3, 8)),
        (wheels.LINUX, None),
        (wheels.ABI3.replace("cp311", "cp38.cp310"), (3, 8)),
        (wheels.ABI3.replace("cp311", "py3"), (3, 2)),
    ],
)
def test_declared_floor(filename: str, floor: tuple[int, int] | None) -> None:
    from wheelkit.wheel.names import parse_file_name

    assert python_api.declared_floor(parse_file_name(filename)) == floor


@pytest.mark.parametrize(
    ("symbol", "tag", "expected"),
    [
        ("_Py_DecRefShared", "cp314-cp314", ["WK406"]),
        ("_Py_DecRefShared", "cp314-cp314t", []),
        ("_Py_NegativeRefcount", "cp314-cp314", ["WK406"]),
        ("_Py_NegativeRefcount", "cp314-cp314d", []),
        ("PyLong_FromLong", "cp314-cp314", []),
    ],
)
def test_builds_of_the_interpreter(tmp_path: Path, symbol: str, tag: str, expected: list[str]) -> None:
    wheel = wheels.facts(
        tmp_path, f"demo-1.0-{tag}-manylinux_2_17_x86_64.whl", elf(imports=wheels.imports(symbol))
    )
    assert [finding.code for finding in abi.interpreter_build(wheel, Contract())] == expected


@rows(
    ("filename", "made", "expected"),
    [
        (wheels.LINUX, elf(), []),
        (wheels.LINUX, elf("demo/_other.so"), ["WK409"]),
        (wheels.LINUX, elf("demo/__init__.so", exports=("PyInit_demo",)), []),
        (wheels.LINUX, elf("demo/__init__.so", exports=("PyInit___init__",)), ["WK409"]),
        (wheels.LINUX, elf(exports=("PyInit_other", "PyInit__core")), []),
        (wheels.LINUX, elf(exports=("PyModExport__core",)), []),
        (wheels.LINUX, elf("demo/caf\u00e9.so", exports=("PyInitU_caf_dma",)), []),
        (wheels.LINUX, elf("demo.libs/libdemo.so.1", exports=("PyInit_other",)), []),
        (wheels.WINDOWS, pe("demo/other311.dll", exports=("PyInit_other",)), []),
        (wheels.WINDOWS, pe("demo/other.pyd"), ["WK409"]),
        (wheels.LINUX, elf("demo/libdemo_ops4.so", exports=("PyInit_demo_ops",)), ["WK410"]),
        (wheels.LINUX, elf("demo/libdemo_ops4.so", exports=("PyInit_libdemo_ops4",)), []),
        (
            wheels.LINUX,
            elf("demo/lib_core.so", exports=("PyInit__core",)),
            ["WK409"],
        ),  # CMake's prefix, where PREFIX "" was forgotten
        (wheels.LINUX, elf("demo/libdemo_ops4.abi3.so", exports=("PyInit_demo_ops",)), ["WK409"]),
    ],
)
def test_modules_are_named_as_their_entry_points(
    tmp_path: Path, filename: str, made: Binary, expected: list[str]
) -> None:
    wheel = wheels.facts(tmp_path, filename, made)
    assert [finding.code for finding in suffixes.own_name(wheel, Contract())] == expected


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("PyInit_", ["WK410"]),
        ("PyInitU_", ["WK410"]),
        ("PyModExport_", ["WK410"]),
        ("PyModExportU_", ["WK410"]),
        ("PyOther_", []),
    ],
)
def test_each_kind_of_init_function_makes_a_module(tmp_path: Path, prefix: str, expected: list[str]) -> None:
    wheel = wheels.facts(tmp_path, wheels.LINUX, elf("demo/libdemo_ops4.so", exports=(f"{prefix}demo_ops",)))
    assert [finding.code for finding in suffixes.own_name(wheel, Contract())] == expected


def test_every_processor_needs_the_entry_point(tmp_path: Path) -> None:
    both = [wheels.Part(arch=arch, exports=("PyInit__core",), os="macos") for arch in ("x86_64", "arm64")]
    stripped = [wheels.Part(arch="x86_64", exports=(), os="macos"), both[1]]
    for parts, expected in (
        (both, []),
        (stripped, ["exports no entry point for x86_64, but Python looks for PyInit__core"]),
    ):
        wheel = wheels.facts(tmp_path, wheels.MACOS, wheels.binary("demo/_core.so", *parts, form="macho"))
        assert [
            finding.what.removeprefix("demo/_core.so ") for finding in suffixes.own_name(wheel, Contract())
        ] == expected


@pytest.mark.parametrize(
    ("filename", "member", "expected"),
    [
        (wheels.LINUX, "demo/_x.cpython-311-x86_64-linux-gnu.so", ["WK308"]),
        (wheels.ABI3, "demo/_x.abi3.so", ["WK308"]),
        (wheels.WINDOWS, "demo/_x.pyd", ["WK308"]),
        (wheels.LINUX, "demo/script.so", []),  # linkers take a text of that name
        (wheels.LINUX, "demo/_x.py", []),
        (
            "demo-1.0-cp313-cp313-pyemscripten_2025_0_wasm32.whl",
            "demo/_x.cpython-313-wasm32-emscripten.so",
            [],
        ),
    ],
)
def test_modules_that_are_no_binaries(
    tmp_path: Path, filename: str, member: str, expected: list[str]
) -> None:
    wheel = wheels.facts(tmp_path, filename, members={member: "not a binary\n"})
    assert [finding.code for finding in suffixes.no_binary(wheel, Contract())] == expected


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the names are in other files")
def test_every_name_that_this_interpreter_exports_belongs_to_a_known_family() -> None:
    shared = sysconfig.get_config_var("Py_ENABLE_SHARED")
    library = Path(sysconfig.get_config_var("LIBDIR"), sysconfig.get_config_var("INSTSONAME"))
    scan = _core.scan((library if shared else Path(sys.executable).resolve()).read_bytes())
    assert scan is not None
    names = {name for slice_ in scan.slices for name in slice_.exports if name.startswith("Py")}
    assert len(names) > 500
    assert {name.partition("_")[0] for name in names} <= python_api._FAMILIES
