"""What the interpreters of a wheel's tags import: suffixes, triplets, entry points, abi3t, and no ABI tag."""

from pathlib import Path

import pytest

from support import wheels
from support.rows import rows
from support.wheels import elf, imports, macho, needs, pe
from wheelkit.verification.checks import abi, abi_tags, suffixes
from wheelkit.verification.contract import Contract
from wheelkit.wheel import Binary, Wheel

CHECKS = (
    abi.stable,
    abi.interpreter_library,
    abi.interpreter_build,
    abi_tags.export_hook,
    abi_tags.hidden_definition,
    abi_tags.floor_of_abi3t,
    abi_tags.without_abi,
    suffixes.suffix,
    suffixes.entry_point,
    suffixes.own_name,
)
GNU, MUSL = "x86_64-linux-gnu", "x86_64-linux-musl"
HOOK = ("PyModExport_m",)
INIT = ("PyInit_m",)
STATIC = imports("PyModuleDef_Init", "PyLong_FromLong")
SHARED = imports("PyLong_FromLong")


def wheel_of(
    folder: Path, tags: str, *binaries: Binary, platform: str = "manylinux_2_17_x86_64", required: str = ""
) -> Wheel:
    lines = (f"Requires-Python: {required}",) if required else ()
    members = {"{info}/METADATA": wheels.metadata("demo", "1.0", *lines)}
    return wheels.facts(folder, f"demo-1.0-{tags}-{platform}.whl", *binaries, members=members)


def codes(wheel: Wheel) -> list[str]:
    return [finding.code for check in CHECKS for finding in check(wheel, Contract())]


def module(suffix: str, exports: tuple[str, ...] = INIT, **facts: object) -> Binary:
    return elf(f"demo/m{suffix}", exports=exports, **facts)


@rows(
    ("tags", "suffixes_", "expected"),
    [
        # The suffixes of the stable ABI, and since when which build looks for them.
        ("cp311-abi3", (".abi3.so",), []),
        ("cp311-abi3", (".so",), []),
        ("cp315-abi3", (f".abi3-{GNU}.so",), []),
        ("cp314-abi3", (f".abi3-{GNU}.so",), ["WK404"]),
        ("cp314-abi3", (f".abi3-{GNU}.so", ".abi3.so"), []),
        ("cp315-abi3", (".abi3t.so",), []),
        ("cp311-abi3", (".abi3t.so",), ["WK404"]),
        ("cp311-abi3", (".abi3t.so", ".abi3.so"), []),
        ("cp315-abi3t", (".abi3t.so",), []),
        ("cp315-abi3t", (f".abi3t-{GNU}.so",), []),
        ("cp315-abi3t", (".abi3.so",), ["WK404"]),
        ("cp315-abi3.abi3t", (".abi3t.so",), []),
        ("cp315-abi3.abi3t", (".abi3.so",), ["WK404"]),
        ("cp315-abi3.abi3t", (".abi3.so", ".abi3t.so"), []),
        ("cp314-cp314t", (".abi3.so",), ["WK404"]),
        ("cp315-cp315t", (".abi3t.so",), []),
        ("cp314-cp314t", (".abi3t.so",), ["WK404"]),
        # Those of one version and build.
        ("cp311-cp311", (f".cpython-311-{GNU}.so",), []),
        ("cp311-cp311", (f".cpython-312-{GNU}.so",), ["WK404"]),
        ("cp311-cp311", (f".cpython-311d-{GNU}.so",), ["WK404"]),
        ("cp311-cp311", (".cpython-311.so",), ["WK404"]),
        ("cp34-cp34m", (".cpython-34m.so",), []),
        ("cp37-cp37m", (f".cpython-37m-{GNU}.so",), []),
        ("cp314-cp314t", (f".cpython-314t-{GNU}.so",), []),
        ("cp314-cp314t", (f".cpython-314-{GNU}.so",), ["WK404"]),
        ("cp311.cp312-cp311.cp312", (f".cpython-311-{GNU}.so",), ["WK404"]),
        ("cp311.cp312-cp311.cp312", (f".cpython-311-{GNU}.so", f".cpython-312-{GNU}.so"), []),
        ("cp311-cp311", (".graalpy242-311-native-x86_64-linux.so",), ["WK404"]),
        # The platform in the name.
        ("cp311-cp311", (f".cpython-311-{MUSL}.so",), ["WK404"]),
        ("cp311-cp311", (".cpython-311-aarch64-linux-gnu.so",), ["WK404"]),
        ("cp311-cp311", (".cpython-311-darwin.so",), ["WK404"]),
        ("cp315-abi3", (".abi3-aarch64-linux-gnu.so",), ["WK404"]),
        ("cp315-abi3", (f".abi3-{MUSL}.so",), ["WK404"]),
        # Python 2.7 and debug builds are not among the interpreters that are judged.
        ("cp27-cp27mu", (".so",), []),
        ("cp310-cp310d", (f".cpython-310d-{GNU}.so",), []),
    ],
)
def test_suffixes(tmp_path: Path, tags: str, suffixes_: tuple[str, ...], expected: list[str]) -> None:
    exports = HOOK if "abi3t" in tags else INIT
    wheel = wheel_of(tmp_path, tags, *(module(suffix, exports) for suffix in suffixes_))
    assert codes(wheel) == expected


@rows(
    ("platform", "name", "expected"),
    [
        ("manylinux_2_17_i686", ".cpython-311-i386-linux-gnu.so", []),
        ("manylinux_2_17_i686", ".cpython-311-i686-linux-gnu.so", ["WK404"]),
        ("manylinux_2_31_armv7l", ".cpython-311-arm-linux-gnueabihf.so", []),
        ("linux_armv6l", ".cpython-311-arm-linux-gnueabihf.so", []),
        ("manylinux_2_17_ppc64le", ".cpython-311-powerpc64le-linux-gnu.so", []),
        ("manylinux_2_17_s390x", ".cpython-311-s390x-linux-gnu.so", []),
        ("manylinux1_x86_64.manylinux_2_5_x86_64", ".cpython-311-x86_64-linux-gnu.so", []),
        ("linux_x86_64", ".cpython-311-x86_64-linux-musl.so", []),
        ("musllinux_1_2_x86_64", ".cpython-311-x86_64-linux-musl.so", []),
        ("musllinux_1_2_x86_64", ".cpython-311-x86_64-linux-gnu.so", ["WK404"]),
        ("musllinux_1_2_aarch64", ".cpython-311-x86_64-linux-musl.so", ["WK404"]),
        ("android_24_arm64_v8a", ".cpython-311-aarch64-linux-android.so", []),
        ("android_24_arm64_v8a", ".cpython-311-aarch64-linux-gnu.so", ["WK404"]),
        ("ios_13_0_arm64_iphoneos", ".cpython-311-iphoneos.so", []),
        ("ios_13_0_arm64_iphoneos", ".cpython-311-iphonesimulator.so", ["WK404"]),
        ("macosx_11_0_arm64", ".cpython-311-darwin.so", []),
        ("macosx_11_0_arm64", ".cpython-311-aarch64-linux-gnu.so", ["WK404"]),
        ("freebsd_14_0_release_amd64", ".cpython-311.so", ["WK404"]),
        ("freebsd_14_0_release_amd64", ".cpython-311-x86_64-freebsd14.so", []),
        ("win_amd64", ".cp311-win_amd64.pyd", []),
        ("win_amd64", ".cp311-win32.pyd", ["WK404"]),
        ("win_arm64", ".cp311-win_amd64.pyd", ["WK404"]),
        ("win_amd64", ".abi3.pyd", ["WK404"]),
    ],
)
def test_the_platform_in_a_suffix(tmp_path: Path, platform: str, name: str, expected: list[str]) -> None:
    assert codes(wheel_of(tmp_path, "cp311-cp311", module(name), platform=platform)) == expected


def test_before_3_11_a_suffix_does_not_tell_musl_from_glibc(tmp_path: Path) -> None:
    made = module(f".cpython-310-{GNU}.so")
    assert codes(wheel_of(tmp_path, "cp310-cp310", made, platform="musllinux_1_2_x86_64")) == []


def test_a_library_of_the_stable_abi_is_no_module(tmp_path: Path) -> None:
    library = pe("demo/demo.abi3.dll", exports=("go",), imports=imports("PyList_New", library="python3.dll"))
    assert codes(wheel_of(tmp_path, "cp311-abi3", library, platform="win_amd64")) == []
    module_ = pe("demo/m.abi3.dll", exports=INIT)
    assert codes(wheel_of(tmp_path, "cp311-abi3", module_, platform="win_amd64")) == ["WK404"]


@rows(
    ("tags", "exports", "required", "expected"),
    [
        ("cp311-abi3", INIT, "", []),
        ("cp311-abi3", HOOK, "", ["WK411"]),
        ("cp311-abi3", (*INIT, *HOOK), "", []),
        ("cp311-abi3", HOOK, ">=3.15", []),
        ("cp315-abi3", HOOK, "", []),
        ("cp311-cp311", HOOK, "", ["WK411"]),
        ("cp311-abi3", ("PyInit_n",), "", ["WK409"]),
        ("cp315-abi3", ("PyModExport_n",), "", ["WK409"]),
    ],
)
def test_entry_points(
    tmp_path: Path, tags: str, exports: tuple[str, ...], required: str, expected: list[str]
) -> None:
    assert codes(wheel_of(tmp_path, tags, module(".so", exports), required=required)) == expected


@pytest.mark.parametrize(
    ("member", "exports", "expected"),
    [
        ("demo/caf\u00e9.abi3.so", ("PyInitU_caf_dma",), []),
        ("demo/caf\u00e9.abi3.so", ("PyInit_cafe",), ["WK409"]),
        ("demo/__init__.abi3.so", ("PyInit_demo",), []),
        ("demo-1.0.data/platlib/demo/__init__.abi3.so", ("PyInit_demo",), []),
        ("demo/__init__.abi3.so", ("PyInit___init__",), ["WK409"]),
        ("demo/sub/m.abi3.so", ("PyInit_demo_sub_m",), ["WK409"]),
    ],
)
def test_the_entry_point_follows_from_the_name(
    tmp_path: Path, member: str, exports: tuple[str, ...], expected: list[str]
) -> None:
    assert codes(wheel_of(tmp_path, "cp311-abi3", elf(member, exports=exports))) == expected


@rows(
    ("tags", "made", "required", "expected"),
    [
        ("cp315-abi3.abi3t", module(".abi3t.so", HOOK, imports=SHARED), "", []),
        ("cp315-abi3.abi3t", module(".abi3t.so", INIT, imports=STATIC), "", ["WK412"]),
        ("cp315-abi3t", module(".so", INIT, imports=imports("PyModule_Create2")), "", ["WK412"]),
        ("cp315-abi3.abi3t", module(".abi3t.so", (*INIT, *HOOK), imports=STATIC), "", []),
        ("cp315-abi3", module(".abi3t.so", INIT, imports=STATIC), "", []),
        ("cp315-cp315t", module(".so", INIT, imports=STATIC), "", []),
        ("cp314-abi3t", module(".abi3t.so", HOOK), "", ["WK413"]),
        ("cp313-abi3.abi3t", module(".abi3t.so", (*INIT, *HOOK)), "", ["WK413", "WK404"]),
        ("cp314-abi3t", module(".abi3t.so", HOOK), ">=3.15", []),
    ],
)
def test_abi3t(tmp_path: Path, tags: str, made: Binary, required: str, expected: list[str]) -> None:
    assert codes(wheel_of(tmp_path, tags, made, required=required)) == expected


PRIVATE = imports("_PyDict_NewPresized")


@rows(
    ("tags", "made", "required", "expected"),
    [
        ("cp314-none", [module(".so", imports=imports("PyModule_Create2"))], "", ["WK414"]),
        ("cp312-none", [module(".so", imports=imports("PyModule_Create2"))], "", []),
        ("cp313-none", [module(f".cpython-313-{GNU}.so")], "", ["WK414"]),
        ("cp313-none", [module(f".cpython-313-{GNU}.so"), module(f".cpython-313t-{GNU}.so")], "", []),
        ("py3-none", [module(".so", imports=SHARED)], "", ["WK414"]),
        ("py3-none", [module(".abi3.so", imports=SHARED)], ">=3.8,<3.13", []),
        ("py3-none", [module(".abi3.so", imports=SHARED)], ">=3.8", ["WK414"]),
        ("py3-none", [module(".so", imports=PRIVATE)], ">=3.11,<3.13", ["WK414"]),
        ("py3-none", [module(".so", imports=PRIVATE)], "==3.12.*", []),
        ("py3-none", [module(".so", imports=imports("PyType_GetName"))], ">=3.10,<3.13", ["WK414"]),
        ("py3-none", [module(".so", imports=imports("PyType_GetName"))], ">=3.11,<3.13", []),
        # One build for all, as the authors of PEP 803 show it.
        ("py3-none", [module(".so", (*INIT, *HOOK), imports=STATIC)], ">=3.13", []),
        # Nothing that Python imports: a library, a program's plugin, a module of a bundled Python.
        ("py3-none", [elf("demo/libm.so", exports=("go",))], "", []),
        ("py3-none", [elf("demo/lib-dynload/m.so", exports=INIT, imports=PRIVATE)], "", []),
    ],
)
def test_modules_without_an_abi_tag(
    tmp_path: Path, tags: str, made: list[Binary], required: str, expected: list[str]
) -> None:
    assert codes(wheel_of(tmp_path, tags, *made, required=required)) == expected


@pytest.mark.parametrize(
    ("tags", "dll", "expected"),
    [
        ("cp313-none", "python313.dll", ["WK414"]),
        ("cp312-none", "python312.dll", []),
        ("cp35.cp36.cp37.cp38-none", "python3.dll", []),
        ("cp37.cp38-none", "python38.dll", ["WK414"]),
        ("cp312-none", "python311.dll", ["WK403"]),
    ],
)
def test_the_dll_tells_what_a_module_is_for(tmp_path: Path, tags: str, dll: str, expected: list[str]) -> None:
    made = pe("demo/m.pyd", exports=INIT, needed=needs(dll), imports=imports("PyList_New", library=dll))
    assert codes(wheel_of(tmp_path, tags, made, platform="win_amd64")) == expected


@pytest.mark.parametrize(
    ("tags", "symbols", "lost"),
    [
        ("cp314-none", ("_PyDict_NewPresized",), ["free-threaded 3.14, which"]),
        ("cp314-none", ("_PyDict_NewPresized", "_Py_DecRefShared"), ["for 3.14, which"]),
        ("cp312.cp313-none", ("_PyDict_NewPresized",), ["3.12, 3.13, free-threaded 3.13"]),
        ("cp312-none", ("_PyDict_NewPresized",), []),
    ],
)
def test_a_module_with_a_plain_name_is_for_one_build(
    tmp_path: Path, tags: str, symbols: tuple[str, ...], lost: list[str]
) -> None:
    wheel = wheel_of(tmp_path, tags, module(".so", imports=imports(*symbols)))
    found = [finding.what for finding in abi_tags.without_abi(wheel, Contract())]
    assert len(found) == len(lost)
    assert all(words in what for words, what in zip(lost, found, strict=True))


def test_modules_of_python_2_have_an_entry_point_of_their_own(tmp_path: Path) -> None:
    made = pe("demo/m.pyd", exports=("initm",), needed=needs("python27.dll"))
    assert codes(wheel_of(tmp_path, "cp27-none", made, platform="win_amd64")) == []
    other = pe("demo/m.pyd", exports=("go",), needed=needs("python311.dll"))
    assert codes(wheel_of(tmp_path, "cp311-none", other, platform="win_amd64")) == ["WK405"]


def test_the_builds_that_cannot_run_a_module_are_named(tmp_path: Path) -> None:
    wheel = wheel_of(tmp_path, "cp314-none", module(".so", imports=imports("PyModule_Create2")))
    (finding,) = abi_tags.without_abi(wheel, Contract())
    assert finding.what == (
        "demo/m.so is an extension module, and with the ABI tag none the wheel is also for "
        "free-threaded 3.14, which cannot run it"
    )


@pytest.mark.parametrize(
    ("tag", "symbols", "expected"),
    [
        ("cp314-cp314t", ("_Py_Dealloc",), ["WK406"]),
        ("cp314-cp314t", ("_Py_Dealloc", "_Py_DecRefShared"), []),
        ("cp314-cp314t", ("Py_DecRef",), []),
        ("cp314-cp314", ("_Py_Dealloc",), []),
    ],
)
def test_reference_counting_shows_the_build(
    tmp_path: Path, tag: str, symbols: tuple[str, ...], expected: list[str]
) -> None:
    assert codes(wheel_of(tmp_path, tag, module(".so", imports=imports(*symbols)))) == expected


def test_a_universal_module_needs_its_entry_point_twice(tmp_path: Path) -> None:
    parts = [wheels.Part(arch=arch, exports=INIT, os="macos") for arch in ("x86_64", "arm64")]
    hook = wheels.Part(arch="arm64", exports=HOOK, os="macos")
    for slices, expected in ((parts, []), ([parts[0], hook], ["WK411"])):
        made = wheels.binary("demo/m.so", *slices, form="macho")
        wheel = wheel_of(tmp_path, "cp311-abi3", made, platform="macosx_11_0_universal2")
        assert codes(wheel) == expected
    assert codes(wheel_of(tmp_path, "cp311-abi3", macho("demo/m.so", exports=INIT))) == []
