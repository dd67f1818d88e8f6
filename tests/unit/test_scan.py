"""The C core's facts about valid binaries, and the inputs that it accepts."""

import ast
import importlib
import mmap
import pickle
import subprocess
import sys
import sysconfig
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from binaries import macho, make, pe
from support.rows import rows
from wheelkit import _core

BINARIES = {name: binary.data for name, binary in make.assembled().items()}
ELF_FACTS = {
    "bits": 64, "endian": "little", "kind": "shared", "name": "libtiny.so.1", "interpreter": None,
    "os": "none",
    "needed": (("libc.so.6", "required"), ("libm.so.6", "required")),
    "rpaths": (("$ORIGIN/../tiny.libs", "runpath"), ("/opt/tiny", "runpath")),
    "versions": (
        ("libc.so.6", "GLIBC_2.17", "memcpy", False),
        ("libc.so.6", "GLIBC_2.4", None, False),
        ("libm.so.6", "GLIBC_2.29", "exp", False),
    ),
    "imports": (
        ("memcpy", "libc.so.6", "GLIBC_2.17", False),
        ("exp", "libm.so.6", "GLIBC_2.29", False),
        ("PyLong_FromLong", None, None, False),
        ("__gmon_start__", None, None, True),
    ),
    "exports": ("tiny_call", "tiny_weak"),
    "relro": "full", "executable_stack": False, "writable_executable": 0, "signed": None,
    "min_os": None, "sdk": None,
    "debug_bytes": 6, "symbol_bytes": 25, "code_bytes": 16, "flags": (),
    "definitions": (), "page_size": 0x400000, "alignment": 0x10000, "tls_bytes": 0, "isa": 0, "faults": (),
}  # fmt: skip
WORD_32 = {"bits": 32, "symbol_bytes": 17}
MACHO_FACTS = {
    "bits": 64, "endian": "little", "kind": "shared", "name": "@rpath/libtiny.1.dylib", "interpreter": None,
    "needed": (
        ("/usr/lib/libSystem.B.dylib", "required"),
        ("@rpath/libweak.dylib", "weak"),
        ("@rpath/libagain.dylib", "reexport"),
        ("@rpath/libup.dylib", "upward"),
    ),
    "rpaths": (("@loader_path/../lib", "rpath"),),
    "versions": (),
    "imports": (
        ("malloc", "/usr/lib/libSystem.B.dylib", None, False),
        ("maybe", "@rpath/libweak.dylib", None, True),
        ("PyLong_FromLong", None, None, False),
        ("dyld_stub_binder", "/usr/lib/libSystem.B.dylib", None, False),
    ),
    "exports": ("tiny_call", "tiny_other", "_Zfoo"),
    "min_os": "11.0", "sdk": "14.2.1", "os": "macos", "signed": True, "executable_stack": False,
    "relro": None,
    "debug_bytes": 15, "code_bytes": 12, "data_bytes": 0, "flags": (),
}  # fmt: skip
PE_FACTS = {
    "bits": 64, "endian": "little", "kind": "shared", "name": "tiny.pyd", "interpreter": None,
    "rpaths": (), "versions": (),
    "needed": (
        ("python3.dll", "required"),
        ("WS2_32.dll", "required"),
        ("ADVAPI32.dll", "delay"),
        ("ole32.dll", "delay"),
    ),
    "imports": (
        ("PyLong_FromLong", "python3.dll", None, False),
        ("Py_DecRef", "python3.dll", None, False),
        ("#115", "WS2_32.dll", None, False),
        ("socket", "WS2_32.dll", None, False),
        ("RegOpenKeyExW", "ADVAPI32.dll", None, False),
        ("#9", "ole32.dll", None, False),
    ),
    "exports": ("PyInit_tiny", "tiny_call"),
    "min_os": None, "sdk": None, "os": "gui", "signed": False, "executable_stack": None, "relro": None,
    "debug_bytes": 0, "symbol_bytes": 0, "data_bytes": 512, "flags": ("aslr", "high-entropy", "nx"),
}  # fmt: skip
EXPECTED: dict[str, dict[str, Any]] = {
    "elf-x86_64": ELF_FACTS | {"arch": "x86_64"},
    "elf-i686": ELF_FACTS | WORD_32 | {"arch": "i686"},
    "elf-aarch64": ELF_FACTS | {"arch": "aarch64", "executable_stack": False},
    "elf-armv7l": ELF_FACTS | WORD_32 | {"arch": "armv7l", "flags": ("hard-float",)},
    "elf-ppc64": ELF_FACTS | {"arch": "ppc64", "endian": "big"},
    "elf-s390x": ELF_FACTS | {"arch": "s390x", "endian": "big"},
    "elf-mips": ELF_FACTS | WORD_32 | {"arch": "mips", "endian": "big"},
    "elf-stripped": ELF_FACTS | {"arch": "x86_64", "debug_bytes": 0, "symbol_bytes": 0, "code_bytes": 1056},
    "elf-stripped-gnu-hash": ELF_FACTS
    | {"arch": "x86_64", "debug_bytes": 0, "symbol_bytes": 0, "code_bytes": 1048},
    "elf-interpreter": ELF_FACTS | {"arch": "x86_64", "interpreter": "/lib/ld.so", "executable_stack": True},
    "elf-properties": ELF_FACTS
    | {
        "arch": "x86_64",
        "isa": 4,
        "tls_bytes": 600,
        "definitions": ("TINY_1",),
        "flags": ("static-tls",),
        "writable_executable": 1,
    },
    "elf-properties-32": ELF_FACTS | WORD_32 | {"arch": "i686", "isa": 2},
    "macho-arm64": MACHO_FACTS | {"arch": "arm64", "symbol_bytes": 27},
    "macho-x86_64": MACHO_FACTS | {"arch": "x86_64", "min_os": "10.13", "sdk": "10.15", "signed": False},
    "macho-i386": MACHO_FACTS | {"arch": "i686", "bits": 32, "symbol_bytes": 23},
    "macho-ppc": MACHO_FACTS | {"arch": "ppc", "bits": 32, "endian": "big", "kind": "bundle"},
    "pe-amd64": PE_FACTS | {"arch": "x86_64", "code_bytes": 512},
    "pe-i386": PE_FACTS | {"arch": "i686", "bits": 32, "flags": ("aslr", "nx")},
    "pe-arm64": PE_FACTS | {"arch": "arm64", "signed": True},
    "pe-mingw": PE_FACTS | {"arch": "x86_64", "debug_bytes": 512, "symbol_bytes": 34, "data_bytes": 0},
    "pe-addresses-only": PE_FACTS | {"arch": "x86_64"},
    "pe-program": PE_FACTS | {"arch": "x86_64", "kind": "executable", "needed": (), "imports": ()},
}


def scan(data: bytes) -> _core.Scan:
    found = _core.scan(data)
    assert found is not None
    return found


@rows("name", EXPECTED)
def test_facts_of_a_thin_binary(name: str) -> None:
    data = BINARIES[name]
    found = scan(data)
    assert (found.format, found.fat, len(found.slices)) == (name.split("-", 1)[0], False, 1)
    slice_ = found.slices[0]
    assert (slice_.offset, slice_.size) == (0, len(data))
    assert {field: getattr(slice_, field) for field in EXPECTED[name]} == EXPECTED[name]


def test_every_assembled_binary_has_its_facts_checked() -> None:
    assert set(EXPECTED) | {"macho-fat", "macho-fat64"} == set(BINARIES)


@pytest.mark.parametrize("name", ["macho-fat", "macho-fat64"])
def test_a_fat_file_is_its_slices(name: str) -> None:
    found = scan(BINARIES[name])
    assert found.fat
    assert [slice_.arch for slice_ in found.slices] == ["x86_64", "arm64"]
    for slice_ in found.slices:
        thin = BINARIES[name][slice_.offset : slice_.offset + slice_.size]
        assert slice_[1:] == scan(thin).slices[0][1:]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return make.compiled(tmp_path_factory.mktemp("compiled"))


@pytest.mark.parametrize("name", ["compiled.so", "compiled.o", "compiled.exe"])
@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the compiler of this system makes no ELF files"
)
def test_what_the_compiler_makes(name: str, compiled: dict[str, bytes]) -> None:
    slice_ = scan(compiled[name]).slices[0]
    if name == "compiled.so":
        assert (slice_.kind, slice_.name) == ("shared", "libtiny.so.1")
        assert "tiny_call" in slice_.exports
    elif name == "compiled.o":
        assert (slice_.kind, slice_.imports, slice_.exports) == ("object", (), ())
        assert slice_.debug_bytes > 0
    else:
        assert (slice_.kind, slice_.relro) == ("executable", "full")
        assert "puts" in [symbol.name for symbol in slice_.imports]
        assert slice_.interpreter


@rows(
    "data",
    [
        b"",
        b"\x7f",
        b"\x7fEL",
        b"#!/bin/sh\n",
        b"PK\x03\x04" + bytes(60),
        b"!<arch>\nan archive of objects",
        b"\xca\xfe\xba\xbe\x00\x00\x00\x34 a Java class",
        b"MZ is how this text begins, and it goes on for some more lines than the header for DOS is long.\n"
        * 2,
        macho.fat([(macho.ARM64, b"!<arch>\nan archive")]).data,
    ],
)
def test_another_kind_of_file_is_no_damage(data: bytes) -> None:
    assert _core.scan(data) is None


def test_any_buffer_is_taken(tmp_path: Path) -> None:
    data = BINARIES["elf-x86_64"]
    expected = scan(data)
    assert scan(bytearray(data)) == expected
    assert scan(memoryview(b"xx" + data)[2:]) == expected
    path = tmp_path / "library.so"
    path.write_bytes(data)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert scan(mapped) == expected


def test_what_is_no_buffer_of_bytes_in_a_row_is_refused() -> None:
    with pytest.raises(TypeError):
        _core.scan("a path")  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(BufferError):
        _core.scan(memoryview(BINARIES["elf-x86_64"])[::2])


def test_results_outlive_the_buffer() -> None:
    data = bytearray(BINARIES["macho-fat"])
    found = scan(data)
    data[:] = bytes(len(data))
    assert found == scan(BINARIES["macho-fat"])


def test_results_are_plain_values() -> None:
    found = scan(BINARIES["pe-mingw"])
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301 - our own bytes
    assert repr(found.slices[0].needed[0]) == "wheelkit._core.Library(name='python3.dll', how='required')"
    with pytest.raises(AttributeError):
        found.slices[0].arch = "arm64"  # type: ignore[misc]  # wrong on purpose


def test_text_that_is_no_utf8_can_be_printed() -> None:
    data = BINARIES["elf-x86_64"].replace(b"tiny_call", b"tiny\xff\xfeall")
    assert scan(data).slices[0].exports[0] == r"tiny\xff\xfeall"


def test_an_unknown_processor_is_named_by_its_number() -> None:
    data = pe.tiny(pe.Shape(machine=0x1234)).data
    assert scan(data).slices[0].arch == "unknown-0x1234"


def test_versions_whose_numbers_are_far_apart_are_distinguished() -> None:
    """The scanner remembers 256 numbers and looks up the others."""
    binary = make.assembled()["elf-x86_64"]
    renumbered = replace(binary, data=binary.patched("vernaux:GLIBC_2.4", 2 + 256, 2, skip=6))
    of_second_symbol = 2 * 2
    asked = scan(renumbered.patched("versym", 2 + 256, 2, skip=of_second_symbol)).slices[0].imports
    assert [symbol.version for symbol in asked[:2]] == ["GLIBC_2.17", "GLIBC_2.4"]
    unknown = scan(binary.patched("versym", 2 + 512, 2, skip=of_second_symbol)).slices[0].imports
    assert [symbol.version for symbol in unknown[:2]] == ["GLIBC_2.17", None]


def test_threads_scan_at_once() -> None:
    expected = {name: scan(data) for name, data in BINARIES.items()}
    names = list(BINARIES) * 50
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda name: _core.scan(BINARIES[name]), names))
    assert results == [expected[name] for name in names]


@pytest.mark.skipif(
    "editable" in type(_core.__loader__).__module__,
    reason="an editable install runs a build tool, which other interpreters of a process may not",
)
def test_other_interpreters_of_this_process_have_their_own_module() -> None:
    module = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
    interpreters = importlib.import_module(module)
    script = (
        f"import sys; sys.path[:] = {sys.path!r}\n"
        "from wheelkit import _core\n"
        f"assert _core.scan({BINARIES['elf-x86_64']!r}).slices[0].arch == 'x86_64'\n"
        "try:\n    _core.scan(b'\\x7fELF')\nexcept _core.ScanError as error:\n"
        "    assert error.reason == 'truncated'\n"
        "else:\n    raise AssertionError\n"
    )
    for _ in range(2):
        interpreter = interpreters.create()
        try:
            failure = interpreters.run_string(interpreter, script)
            assert failure is None
        finally:
            interpreters.destroy(interpreter)
    assert scan(BINARIES["elf-x86_64"]).format == "elf"


@pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this interpreter always has its lock"
)
def test_free_threading_stays_on() -> None:
    command = [sys.executable, "-c", "import sys, wheelkit._core; sys.exit(sys._is_gil_enabled())"]
    subprocess.run(command, check=True)


def test_the_stub_names_the_fields_in_their_order() -> None:
    stub = ast.parse((Path(__file__).parents[2] / "python" / "wheelkit" / "_core.pyi").read_text("utf-8"))
    classes = {node.name: node for node in stub.body if isinstance(node, ast.ClassDef)}
    results = {name for name in dir(_core) if isinstance(getattr(_core, name), type) and name != "ScanError"}
    assert results == set(classes) - {"ScanError"}
    for name in results:
        fields = tuple(node.name for node in classes[name].body if isinstance(node, ast.FunctionDef))
        assert fields == getattr(_core, name).__match_args__


def test_the_stub_lists_every_reason() -> None:
    stub = (Path(__file__).parents[2] / "python" / "wheelkit" / "_core.pyi").read_text("utf-8")
    assert _core.ScanError.__doc__ is not None
    reasons = {
        word.strip("',.\n") for word in _core.ScanError.__doc__.split("one of")[1].split() if "'" in word
    }
    assert len(reasons) == 10
    assert all(f'"{reason}"' in stub for reason in reasons)


def test_the_module_works_from_a_read_only_file_of_its_own() -> None:
    with tempfile.TemporaryFile() as file:
        assert _core.__file__ is not None
        file.write(Path(_core.__file__).read_bytes())
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            found = _core.scan(mapped)
    assert found is not None
    assert any("PyInit__core" in slice_.exports for slice_ in found.slices)
