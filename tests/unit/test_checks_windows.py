"""Where Windows finds DLLs, and DLLs that get in the way of other wheels."""

from pathlib import Path

import pytest

from support import wheels
from support.rows import rows
from support.wheels import needs, pe
from wheelkit.analysis.windows import c_runtime, shared_runtime
from wheelkit.verification.checks import libraries, windows
from wheelkit.verification.contract import Contract
from wheelkit.wheel import Binary

CHECKS = (windows.renamed, windows.unreachable, windows.plain_runtime, windows.fixed_base, libraries.missing)
MODULE = pe(needed=needs("python311.dll", "foo.dll"))
HASH = "1a2b3c4d" * 4
ADD = "import os\nos.add_dll_directory(os.path.join(os.path.dirname(__file__), '{}'))\n"


def dll(member: str, **facts: object) -> Binary:
    return pe(member, **({"exports": ()} | facts))


def codes(folder: Path, *binaries: Binary, code: str = "", name: str = "demo/__init__.py") -> list[str]:
    wheel = wheels.facts(folder, wheels.WINDOWS, *binaries, members={name: code})
    return [finding.code for check in CHECKS for finding in check(wheel, Contract())]


@rows(
    ("place", "code", "expected"),
    [
        ("demo/foo.dll", "", []),
        ("demo/FOO.DLL", "", []),
        ("demo-1.0.data/platlib/demo/foo.dll", "", []),
        ("demo/bin/foo.dll", "", ["WK520"]),
        ("demo.libs/foo.dll", "", ["WK520"]),
        ("demo-1.0.data/data/Library/bin/foo.dll", "", ["WK520"]),
        ("demo/bin/foo.dll", ADD.format("bin"), []),
        ("demo/bin/foo.dll", ADD.format("lib"), ["WK521"]),
        ("demo/bin/foo.dll", "import ctypes\nctypes.WinDLL(here + '/bin/foo.dll')\n", []),
        ("demo/bin/foo.dll", "import ctypes\nctypes.windll.kernel32.Beep(1, 2)\n", ["WK520"]),
        ("demo/bin/foo.dll", "for path in glob.iglob('*'):\n    ctypes.CDLL(path)\n", []),
        ("demo/bin/foo.dll", "os.environ['PATH'] += os.path.join(here, 'bin')\n", ["WK520"]),
    ],
)
def test_where_a_dll_is(tmp_path: Path, place: str, code: str, expected: list[str]) -> None:
    assert codes(tmp_path, MODULE, dll(place), code=code) == expected


def test_code_in_the_folder_of_the_dll_adds_that(tmp_path: Path) -> None:
    code = "os.add_dll_directory(os.path.dirname(__file__))"
    assert codes(tmp_path, MODULE, dll("demo_libs/foo.dll"), code=code, name="demo_libs/__init__.py") == []
    assert codes(tmp_path, MODULE, dll("demo_libs/foo.dll"), code=code, name="demo/__init__.py") == ["WK521"]


def test_a_module_beside_the_dll_serves_the_others(tmp_path: Path) -> None:
    neighbour = pe("demo/bin/first.pyd", needed=needs("foo.dll"))
    assert codes(tmp_path, MODULE, dll("demo/bin/foo.dll"), neighbour) == ["WK521"]
    stranger = pe("demo/bin/first.pyd", needed=needs("python311.dll"))
    assert codes(tmp_path, MODULE, dll("demo/bin/foo.dll"), stranger) == ["WK520"]


def test_a_module_that_adds_folders_itself(tmp_path: Path) -> None:
    adding = pe("demo/first.pyd", imports=wheels.imports("AddDllDirectory", library="KERNEL32.dll"))
    assert codes(tmp_path, MODULE, dll("demo/bin/foo.dll"), adding) == ["WK521"]


def test_a_library_that_needs_another_one_in_another_folder(tmp_path: Path) -> None:
    module, user = pe(needed=needs("liba.dll")), dll("demo/liba.dll", needed=needs("foo.dll"))
    assert codes(tmp_path, module, user, dll("demo/bin/foo.dll")) == ["WK521"]
    assert codes(tmp_path, module, user, dll("demo/foo.dll")) == []
    load = "import ctypes\nctypes.WinDLL(here + '/liba.dll')\n"
    assert codes(tmp_path, user, dll("demo/bin/foo.dll"), code=load) == ["WK521"]
    assert codes(tmp_path, user, dll("demo/bin/foo.dll")) == []  # a plugin of something else
    assert codes(tmp_path, dll("demo/a.dll", needed=needs("foo.dll", how="delay")), dll("b/foo.dll")) == []


@pytest.mark.parametrize(
    ("needed", "file", "expected"),
    [
        ("foo.dll", f"foo-{HASH}.dll", ["WK522"]),
        (f"foo-{HASH}.dll", "foo.dll", ["WK522"]),
        (f"foo-{HASH}.dll", f"foo-{HASH[::-1]}.dll", ["WK522"]),
        (f"foo-{HASH}.dll", f"foo-{HASH}.dll", []),
        ("msvcp140.dll", f"msvcp140-{HASH}.dll", ["WK508"]),
        ("kernel32.dll", f"kernel32-{HASH}.dll", []),
        ("foo.dll", "foo-2.dll", ["WK508"]),
    ],
)
def test_only_the_exact_name_counts(tmp_path: Path, needed: str, file: str, expected: list[str]) -> None:
    exported = {"name": "foo.dll"}
    assert codes(tmp_path, pe(needed=needs(needed)), dll(f"demo/{file}", **exported)) == expected


@rows(
    ("file", "expected"),
    [
        ("msvcp140.dll", ["WK523"]),
        ("MSVCP140_2.dll", ["WK523"]),
        ("concrt140.dll", ["WK523"]),
        ("libgcc_s_seh-1.dll", ["WK523"]),
        ("libstdc++-6.dll", ["WK523"]),
        ("libomp140.x86_64.dll", ["WK523"]),
        ("libiomp5md.dll", ["WK523"]),
        ("vcruntime140_1.dll", ["WK524"]),
        ("ucrtbase.dll", ["WK524"]),
        (f"msvcp140-{HASH}.dll", []),
        ("zlib1.dll", []),
    ],
)
def test_runtimes_under_their_own_name(tmp_path: Path, file: str, expected: list[str]) -> None:
    assert codes(tmp_path, pe(), dll(f"demo/{file}")) == expected


def test_the_provider_of_a_runtime_has_it_under_its_own_name(tmp_path: Path) -> None:
    openmp = wheels.facts(tmp_path, "intel_openmp-1.0-py3-none-win_amd64.whl", dll("demo/libiomp5md.dll"))
    assert list(windows.plain_runtime(openmp, Contract())) == []


def test_dlls_without_relocations(tmp_path: Path) -> None:
    assert codes(tmp_path, pe(flags=("fixed-base",))) == ["WK525"]
    assert codes(tmp_path, pe("demo/tool.exe", kind="executable", exports=(), flags=("fixed-base",))) == []


def test_one_finding_for_a_folder(tmp_path: Path) -> None:
    module = pe(needed=needs("foo.dll", "bar.dll"))
    libraries_ = dll("demo/bin/foo.dll"), dll("demo/bin/bar.dll", needed=needs("foo.dll"))
    wheel = wheels.facts(tmp_path, wheels.WINDOWS, module, *libraries_)
    (finding,) = windows.unreachable(wheel, Contract())
    needs_both = "demo/_core.cp311-win_amd64.pyd needs bar.dll, foo.dll, which is in demo/bin/"
    assert finding.what == f"{needs_both}; Windows does not look there"


def test_a_wheel_that_is_gone_gives_no_hint(tmp_path: Path) -> None:
    wheel = wheels.facts(tmp_path, wheels.WINDOWS, MODULE, dll("demo/bin/foo.dll"))
    wheel.path.unlink()
    assert [finding.code for finding in windows.unreachable(wheel, Contract())] == ["WK520"]


def test_names_of_runtimes() -> None:
    assert not shared_runtime("vcruntime140.dll")
    assert not c_runtime("msvcp140.dll")
