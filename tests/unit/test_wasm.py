from pathlib import Path

import pytest

from support import wheels
from wheelkit import _core
from wheelkit.analysis.claims import is_wasm
from wheelkit.verification.checks import names, platform_tag, suffixes
from wheelkit.verification.contract import Contract
from wheelkit.wheel import read
from wheelkit.wheel.wasm import scan_wasm

MODULE = "demo/_core.cpython-313-wasm32-emscripten.so"
PYODIDE = "demo-1.0-cp313-cp313-pyodide_2025_0_wasm32.whl"


def number(value: int) -> bytes:
    low, high = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + number(high) if high else bytes([low])


def block(data: bytes) -> bytes:
    return number(len(data)) + data


def module(*exports: str, needed: tuple[str, ...] = (), code: int = 300) -> bytes:
    """Return a module by the specification, with a section of code that is longer than a byte can say."""
    libraries = number(len(needed)) + b"".join(block(name.encode()) for name in needed)
    memory = b"\x01" + block(b"\0\0\0\0")
    linking = block(b"dylink.0") + memory + b"\x02" + block(libraries)
    exported = number(len(exports)) + b"".join(block(name.encode()) + b"\0\x05" for name in exports)
    sections = (b"\0" + block(linking), b"\x07" + block(exported), b"\x0a" + block(b"\0" * code))
    return b"\0asm\x01\0\0\0" + b"".join(sections)


def test_exports_libraries_and_sizes() -> None:
    scan = scan_wasm(module("PyInit__core", "größe", needed=("libz.so",)))
    assert scan is not None
    (slice_,) = scan.slices
    assert (scan.format, slice_.arch, slice_.kind, slice_.bits) == ("wasm", "wasm32", "shared", 32)
    assert slice_.exports == ("PyInit__core", "größe")
    assert [library.name for library in slice_.needed] == ["libz.so"]
    assert (slice_.code_bytes, slice_.data_bytes) == (300, 0)


def test_a_damaged_module_is_still_one() -> None:
    whole = module("PyInit__core")
    assert scan_wasm(b"\x7fELF" + whole[4:]) is None
    for end in range(4, len(whole)):
        scan = scan_wasm(whole[:end])
        assert scan is not None
        assert len(scan.slices) == 1
    endless = scan_wasm(whole[:8] + b"\xff" * 20)
    assert endless is not None
    assert endless.slices[0].exports == ()


def test_every_fact_has_the_type_of_the_c_cores() -> None:
    """Or a check that reads it fails."""
    own = _core.scan(Path(_core.__file__).read_bytes())
    scan = scan_wasm(module())
    assert own is not None
    assert scan is not None
    for field in _core.Slice.__match_args__:
        core, wasm = getattr(own.slices[0], field), getattr(scan.slices[0], field)
        assert type(core) is type(wasm) or not isinstance(core, tuple | int) or isinstance(core, bool), field


@pytest.mark.parametrize(
    ("filename", "member", "contents", "expected"),
    [
        (PYODIDE, MODULE, module("PyInit__core"), []),
        (wheels.PURE, MODULE, module("PyInit__core"), ["WK304"]),
        (wheels.PURE, "demo/libdemo.so", module("demo"), ["WK305"]),
        # Packages ship such files for browsers.
        (wheels.PURE, "demo/static/viewer.wasm", module("demo"), []),
        (wheels.LINUX, "demo/_core.so", module("PyInit__core"), ["WK302"]),
        (wheels.WINDOWS, "demo/libdemo.so", module("demo"), ["WK303"]),
        (wheels.LINUX, "demo/static/viewer.wasm", module("demo"), ["WK306"]),
    ],
)
def test_modules_are_native_code(
    tmp_path: Path, filename: str, member: str, contents: bytes, expected: list[str]
) -> None:
    wheel = read(wheels.write_wheel(tmp_path, filename, members={member: contents}))
    checks = (
        platform_tag.system,
        platform_tag.architecture,
        platform_tag.pure,
        platform_tag.damage,
        names.purelib,
    )
    found = [finding.code for check in (*checks, suffixes.no_binary) for finding in check(wheel, Contract())]
    assert found == expected
    assert [is_wasm(binary) for binary in wheel.binaries] == ([] if member.endswith(".wasm") else [True])
    assert all(binary.extension is ("PyInit" in str(contents)) for binary in wheel.binaries)
