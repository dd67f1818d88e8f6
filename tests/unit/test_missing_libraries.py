"""Libraries that a wheel lacks: who brings them, and whether the code loads what needs them on import."""

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from support import wheels
from support.rows import rows
from support.wheels import Rpath, elf, macho, needs, pe
from wheelkit.analysis import requirements
from wheelkit.analysis.on_demand import loaded_on_demand
from wheelkit.analysis.requirements import required_names
from wheelkit.verification.checks import libraries, platform_tag, providers, search_paths, suffixes
from wheelkit.verification.contract import Contract
from wheelkit.wheel import Binary

MODULE = "demo/_core.cpython-311-x86_64-linux-gnu.so"
PYPY = wheels.LINUX.replace("cp311-cp311", "pp311-pypy311_pp73")
# Who asks for the module gets it or an error, and all others go on without it.
BRANCHES = """
if ASKED:
    from . import _core
else:
    try:
        from . import _core
    except ImportError:
        pass
"""
LIBRARY = "demo/lib/libfast.so"
CHECKS = (
    libraries.missing,
    providers.requirement,
    providers.grafted_beside,
    search_paths.absolute,
    platform_tag.pure,
)


def codes(
    folder: Path,
    filename: str,
    *binaries: Binary,
    requires: tuple[str, ...] = (),
    members: dict[str, str] | None = None,
    description: str = "A demo.",
) -> list[str]:
    metadata = wheels.metadata("demo", "1.0", *(f"Requires-Dist: {line}" for line in requires))
    members = {"{info}/METADATA": metadata.replace("A demo.", description), **(members or {})}
    wheel = wheels.facts(folder, filename, *binaries, members=members)
    return [finding.code for check in CHECKS for finding in check(wheel, Contract())]


@rows(
    ("filename", "requires", "expected"),
    [
        (wheels.LINUX, "torch", {"torch"}),
        (wheels.LINUX, 'torch; sys_platform == "linux"', {"torch"}),
        (wheels.LINUX, 'torch; sys_platform == "win32"', set()),
        (wheels.LINUX, 'torch; platform_system != "Windows" and platform_machine == "x86_64"', {"torch"}),
        (wheels.LINUX, 'torch; platform_machine == "aarch64"', set()),
        (wheels.LINUX, 'torch; extra == "gpu"', set()),
        (wheels.LINUX, "torch >=2 ;extra=='gpu' ", set()),
        (wheels.LINUX, 'torch; extra == ""', {"torch"}),
        (wheels.LINUX, 'torch; extra != "gpu"', {"torch"}),
        (wheels.LINUX, 'torch; extra == "gpu" or os_name == "posix"', {"torch"}),
        (wheels.LINUX, 'torch; os_name == "posix" and extra == "gpu"', set()),
        (wheels.LINUX, 'torch; python_version < "3.12"', {"torch"}),
        (wheels.ABI3, 'torch; python_version < "3.12"', set()),
        (wheels.ABI3, 'torch; python_version >= "3.11"', {"torch"}),
        (wheels.LINUX, 'torch; python_full_version >= "3.11.1"', {"torch"}),
        (wheels.LINUX, 'torch; implementation_name == "pypy"', set()),
        (wheels.LINUX, 'torch; platform_python_implementation == "CPython"', {"torch"}),
        (wheels.MACOS, 'torch; sys_platform == "darwin" and platform_machine == "arm64"', {"torch"}),
        (wheels.MACOS.replace("arm64", "universal2"), 'torch; platform_machine == "arm64"', set()),
        (wheels.WINDOWS, 'torch; os_name == "nt" and platform_machine == "AMD64"', {"torch"}),
        (wheels.LINUX.replace("cp311-cp311", "cp27-cp27mu"), 'torch; python_version == "2.7"', {"torch"}),
        (wheels.LINUX.replace("cp311-cp311", "py2.py3-none"), 'torch; python_version >= "3"', set()),
        (PYPY, 'torch; implementation_name == "pypy"', {"torch"}),
        (wheels.LINUX, "not a requirement!", set()),
    ],
)  # fmt: skip
def test_what_is_installed_with_a_wheel(
    tmp_path: Path, filename: str, requires: str, expected: set[str]
) -> None:
    members = {"{info}/METADATA": wheels.metadata("demo", "1.0", f"Requires-Dist: {requires}")}
    assert required_names(wheels.facts(tmp_path, filename, members=members)) == expected


def test_requirements_of_extras_need_no_parser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    monkeypatch.setattr(
        requirements, "parse_requirement", lambda line: parsed.append(line) or Requirement(line)
    )
    lines = ("numpy", 'torch; extra == "gpu"', "torch; extra=='cuda-12'")
    members = {"{info}/METADATA": wheels.metadata("demo", "1.0", *(f"Requires-Dist: {one}" for one in lines))}
    assert required_names(wheels.facts(tmp_path, wheels.LINUX, members=members)) == {"numpy"}
    assert parsed == ["numpy"]


def test_a_provider_that_is_required_elsewhere_only_is_missing(tmp_path: Path) -> None:
    made = elf(needed=needs("libtorch.so"))
    only_windows = 'torch>=2.5,<2.6; sys_platform == "win32"'
    assert codes(tmp_path, wheels.LINUX, made, requires=(only_windows,)) == ["WK501"]
    assert codes(tmp_path, wheels.LINUX, made, requires=("torch>=2.5,<2.6",)) == []


def test_torch_brings_the_libraries_of_cuda(tmp_path: Path) -> None:
    made = elf(needed=needs("libcudart.so.12"))
    assert codes(tmp_path, wheels.LINUX, made, requires=("torch",)) == []
    assert codes(tmp_path, wheels.LINUX, made, requires=("numpy",)) == ["WK501"]


@rows(
    ("needed", "path", "requires", "expected"),
    [
        # A library of the sibling's name.
        ("librmm.so", "$ORIGIN", "librmm-cu12", ["WK531"]),
        ("libacme.so.1", "", "acme-core", ["WK531"]),
        ("libboost_python311.so.1.90", "$ORIGIN", "cmeel-boost", ["WK531"]),
        ("librmm.so", "$ORIGIN", "numpy", ["WK501"]),
        # A search path into a folder of its name, which the wheel does not have.
        ("libQt6Core.so.6", "$ORIGIN/Qt6/lib", "PyQt6-Qt6", ["WK531"]),
        ("libhelp.so", "$ORIGIN/../acme_core/lib", "acme-core", ["WK531"]),
        ("libhelp.so", "$ORIGIN/../acme_core/lib", "numpy", ["WK501"]),
        ("libhelp.so", "/opt/acme/lib", "acme-core", ["WK501", "WK506"]),
        # The folder of a repair tool belongs to the wheel: what it lacks is lost.
        ("libhelp.so", "$ORIGIN/../demo.libs", "demo-core", ["WK501"]),
        # The run-time library of a compiler is in no sibling, unless it has its name.
        ("libquadmath.so.0", "$ORIGIN/../acme_core/lib", "acme-core", ["WK501"]),
        # The parts of a family require exactly their own version.
        ("libhelp.so", "", "demo-core==1.0", ["WK531"]),
        ("libhelp.so", "", "demo-core; extra == 'all'", ["WK501"]),
    ],
)
def test_siblings_by_name_and_folder(
    tmp_path: Path, needed: str, path: str, requires: str, expected: list[str]
) -> None:
    made = elf(needed=needs(needed), rpaths=(Rpath(path=path),) if path else ())
    assert codes(tmp_path, wheels.LINUX, made, requires=(requires,)) == expected


def test_siblings_of_one_family_and_version(tmp_path: Path) -> None:
    name = wheels.LINUX.replace("demo-1.0", "acme_adapters-1.4.0")
    made = elf("acme/_core.cpython-311-x86_64-linux-gnu.so", needed=needs("libhelp.so"))
    for requires, expected in (
        ("acme-core==1.4.0", ["WK531"]),
        ("acme-core==1.4.*", ["WK531"]),
        ("acme-core>=1.4", ["WK501"]),
        ("acme-core==1.3.0", ["WK501"]),
        ("numpy==1.4.0", ["WK501"]),
    ):
        metadata = wheels.metadata("acme-adapters", "1.4.0", f"Requires-Dist: {requires}")
        wheel = wheels.facts(tmp_path, name, made, members={"{info}/METADATA": metadata})
        assert [finding.code for finding in libraries.missing(wheel, Contract())] == expected, requires


def test_one_cause_is_one_finding(tmp_path: Path) -> None:
    made = elf(needed=needs("liba.so", "libb.so", "libc.so", "libd.so", "libe.so"))
    wheel = wheels.facts(tmp_path, wheels.LINUX, made)
    (found,) = libraries.missing(wheel, Contract())
    assert found.what.startswith(f"{MODULE} needs liba.so, libb.so, libc.so and 2 more, neither in the wheel")


@rows(
    ("code", "on_demand"),
    [
        ("from demo import _core\n", False),
        ("from . import _core\n", False),
        ("import demo._core\n", False),
        ("from ._core import call\n", False),
        ("try:\n    from . import _core\nexcept ImportError:\n    _core = None\n", True),
        ("try:\n    from . import _core\nexcept (ImportError, OSError) as error:\n    _core = error\n", True),
        ("try:\n    from . import _core\nexcept:\n    pass\n", True),
        ("try:\n    from . import _core\nexcept KeyError:\n    pass\n", False),
        ("try:\n    from . import _core\nexcept ImportError as e:\n    raise OSError('no') from e\n", False),
        ("try:\n    pass\nexcept ImportError:\n    from . import _core\n", False),
        ("def load():\n    from . import _core\n    return _core\n", True),
        ("def load():\n    from . import _core\n\nload()\n", False),
        ("def load():\n    from . import _core\n\ndef start():\n    load()\n\nstart()\n", False),
        ("def load():\n    from . import _core\n\ndef start():\n    load()\n", True),
        ("class Fast:\n    def __init__(self):\n        from . import _core\n", True),
        ("class Fast:\n    def __init__(self):\n        from . import _core\n\nfast = Fast()\n", False),
        ("if True:\n    from . import _core\n", False),
        ("if TYPE_CHECKING:\n    from . import _core\n\ndef f():\n    from . import _core\n", True),
        ("import importlib\n_core = importlib.import_module('demo._core')\n", False),
        ("import importlib\n_core = importlib.import_module('._core', 'demo')\n", False),
        ("def f():\n    import importlib\n    importlib.import_module('demo._core')\n", True),
        (BRANCHES, True),
        ("from . import _core\ntry:\n    from . import _core\nexcept ImportError:\n    pass\n", False),
        # Nobody imports it here, so users do.
        ("", False),
        ("'''Reads _core.'''\n", False),
        ("def broken(:\n    from . import _core\n", False),
        ("from . import _core\ndef load():\n    from . import _core\n", False),
    ],
)  # fmt: skip
def test_modules_that_are_loaded_on_demand(tmp_path: Path, code: str, *, on_demand: bool) -> None:
    made = elf(needed=needs("libmissing.so"))
    wheel = wheels.facts(tmp_path, wheels.LINUX, made, members={"demo/__init__.py": code})
    assert loaded_on_demand(wheel, [MODULE]) == (frozenset({MODULE}) if on_demand else frozenset())
    expected = ["WK530" if on_demand else "WK501"]
    assert [finding.code for finding in libraries.missing(wheel, Contract())] == expected


@pytest.mark.parametrize(
    ("code", "on_demand"),
    [
        ("import ctypes\nctypes.CDLL('lib/libfast.so')\n", False),
        ("import ctypes\ntry:\n    ctypes.CDLL('lib/libfast.so')\nexcept OSError:\n    pass\n", True),
        ("def load():\n    ctypes.CDLL('libfast.so')\n", True),
        ("def load():\n    ctypes.CDLL('libfast.so')\n\nload()\n", False),
        ("NAME = 'fast'\n", False),
        ('"""It has libfast.so."""\n', True),
        ("", True),
    ],
)
def test_libraries_that_are_loaded_on_demand(tmp_path: Path, code: str, *, on_demand: bool) -> None:
    made = elf(LIBRARY, exports=(), needed=needs("libmissing.so"))
    wheel = wheels.facts(tmp_path, wheels.LINUX, made, members={"demo/__init__.py": code})
    assert loaded_on_demand(wheel, [LIBRARY]) == (frozenset({LIBRARY}) if on_demand else frozenset())


def test_what_a_module_needs_is_loaded_with_it(tmp_path: Path) -> None:
    module = elf(needed=needs("libfast.so"))
    library = elf(LIBRARY, exports=(), needed=needs("libmissing.so"))
    wheel = wheels.facts(tmp_path, wheels.LINUX, module, library)
    assert loaded_on_demand(wheel, [LIBRARY]) == frozenset()
    assert loaded_on_demand(wheels.facts(tmp_path, wheels.LINUX, elf(), library), [LIBRARY]) == {LIBRARY}


def test_programs_are_to_be_run_and_tests_are_no_users(tmp_path: Path) -> None:
    program = elf("demo/bin/tool", kind="executable", exports=(), needed=needs("libmissing.so"))
    assert loaded_on_demand(wheels.facts(tmp_path, wheels.LINUX, program), ["demo/bin/tool"]) == frozenset()
    members = {
        "demo/load.py": "def f():\n    from demo import _core\n",
        "demo/tests/test_a.py": "from demo import _core\n",
    }
    wheel = wheels.facts(tmp_path, wheels.LINUX, elf(), members=members)
    assert loaded_on_demand(wheel, [MODULE]) == {MODULE}


@rows(
    ("needed", "rpath", "description", "expected"),
    [
        ("/opt/homebrew/opt/libomp/lib/libomp.dylib", "", "Run brew install libomp.", ["WK532"]),
        ("/usr/local/opt/libomp/lib/libomp.dylib", "", "Run brew install libomp.", ["WK532"]),
        ("/opt/homebrew/opt/libomp/lib/libomp.dylib", "", "A demo.", ["WK501"]),
        ("@rpath/libomp.dylib", "/opt/homebrew/opt/libomp/lib", "Run brew install libomp.", ["WK532"]),
        ("@rpath/libomp.dylib", "/opt/local/lib/libomp", "sudo port install libomp", ["WK532"]),
        ("@rpath/libomp.dylib", "/opt/homebrew/opt/libomp/lib", "A demo.", ["WK501"]),
        ("@rpath/libomp.dylib", "/Users/me/lib", "Run brew install libomp.", ["WK501", "WK506"]),
        ("/Users/me/lib/libomp.dylib", "", "Run brew install libomp.", ["WK501"]),
    ],
)
def test_package_managers_of_macos_where_the_project_documents_them(
    tmp_path: Path, needed: str, rpath: str, description: str, expected: list[str]
) -> None:
    made = macho(needed=needs(needed), rpaths=(Rpath(path=rpath),) if rpath else ())
    assert codes(tmp_path, wheels.MACOS, made, description=description) == expected


def test_code_that_names_the_package_manager_documents_it(tmp_path: Path) -> None:
    made = macho(needed=needs("/opt/homebrew/opt/libomp/lib/libomp.dylib"))
    members = {"demo/core.py": "HELP = 'macOS: brew install libomp'\n"}
    assert codes(tmp_path, wheels.MACOS, made, members=members) == ["WK532"]


@pytest.mark.parametrize(
    ("needed", "expected"),
    [
        (("libEGL.so.1", "libxkbcommon.so.0", "libxcb-cursor.so.0"), ["WK533"]),
        (("libEGL.so.1", "libfoo.so.1"), ["WK533", "WK501"]),
        (("libX11.so.6", "libGL.so.1"), []),  # in every manylinux policy
    ],
)
def test_libraries_of_a_desktop(tmp_path: Path, needed: tuple[str, ...], expected: list[str]) -> None:
    assert codes(tmp_path, wheels.LINUX, elf(needed=needs(*needed))) == expected


@pytest.mark.parametrize(
    ("member", "requires", "expected"),
    [
        ("demo.libs/libtorch_cpu-1a2b3c4d.so", ("torch>=2,<3",), ["WK503"]),
        ("demo.libs/libtorch_cpu-1a2b3c4d.so", (), ["WK534"]),
        ("demo.libs/libtorch_cpu-1a2b3c4d.so", ("numpy",), ["WK534"]),
        ("demo.libs/libcudart-1a2b3c4d.so.12", ("nvidia-cuda-runtime-cu12",), ["WK534"]),
        ("demo.libs/libcudart-1a2b3c4d.so.12", (), []),
        ("demo.libs/libgfortran-1a2b3c4d.so.5", ("numpy",), []),
        ("demo/lib/libtorch_cpu.so", (), []),
    ],
)
def test_grafted_libraries_of_providers_without_an_exclude_list(
    tmp_path: Path, member: str, requires: tuple[str, ...], expected: list[str]
) -> None:
    library = elf(member, exports=())
    assert codes(tmp_path, wheels.LINUX, elf(), library, requires=requires) == expected


def test_a_provider_may_hold_its_own_libraries(tmp_path: Path) -> None:
    name = wheels.LINUX.replace("demo-", "torch-")
    wheel = wheels.facts(tmp_path, name, elf("torch.libs/libtorch_cpu-1a2b3c4d.so", exports=()))
    assert list(providers.grafted_beside(wheel, Contract())) == []


@pytest.mark.parametrize(
    ("program", "expected"),
    [("demo/t64.exe", []), ("demo/cli-arm64.exe", []), ("demo/gui.exe", []), ("demo/tool.exe", ["WK305"])],
)
def test_launchers_belong_to_any_platform(tmp_path: Path, program: str, expected: list[str]) -> None:
    made = pe(program, kind="executable", exports=())
    assert codes(tmp_path, wheels.PURE, made) == expected


@pytest.mark.parametrize(("python", "expected"), [("cp27-cp27m", []), ("cp311-cp311", ["WK508"])])
def test_python_2_brings_its_c_runtime(tmp_path: Path, python: str, expected: list[str]) -> None:
    name = wheels.WINDOWS.replace("cp311-cp311", python)
    assert codes(tmp_path, name, pe("demo/_core.pyd", needed=needs("MSVCR90.dll"))) == expected


@pytest.mark.parametrize(
    ("sibling", "member", "expected"),
    [
        ("acme-1.0-py3-none-manylinux_2_17_x86_64.whl", "acme/lib/libhelp.so", ["WK531"]),
        ("acme-1.0-py3-none-manylinux_2_28_x86_64.whl", "acme/lib/libhelp.so", ["WK531"]),
        ("acme-1.0-py3-none-any.whl", "acme.data/data/lib/libhelp.so", ["WK531"]),
        # It is in the dist, and has no such library.
        ("acme-1.0-py3-none-manylinux_2_17_x86_64.whl", "acme/lib/libother.so", ["WK501"]),
        ("acme-1.0-py3-none-manylinux_2_17_aarch64.whl", "acme/lib/libhelp.so", ["WK501"]),
        ("other-1.0-py3-none-manylinux_2_17_x86_64.whl", "acme/lib/libhelp.so", ["WK501"]),
    ],
)
def test_a_sibling_in_the_same_dist_decides(
    tmp_path: Path, sibling: str, member: str, expected: list[str]
) -> None:
    beside = wheels.write_wheel(tmp_path, sibling, members={member: "library"})
    metadata = wheels.metadata("demo", "1.0", "Requires-Dist: acme", "Requires-Dist: numpy")
    made = elf(needed=needs("libhelp.so"))
    wheel = wheels.facts(tmp_path, wheels.LINUX, made, members={"{info}/METADATA": metadata})
    contract = Contract(beside=(beside, wheel.path))
    assert [finding.code for finding in libraries.missing(wheel, contract)] == expected


def test_the_name_of_a_sibling_is_no_evidence_if_its_wheel_is_there(tmp_path: Path) -> None:
    empty = wheels.write_wheel(tmp_path, "acme-1.0-py3-none-manylinux_2_17_x86_64.whl")
    made = elf(needed=needs("libacme.so"))
    metadata = wheels.metadata("demo", "1.0", "Requires-Dist: acme")
    wheel = wheels.facts(tmp_path, wheels.LINUX, made, members={"{info}/METADATA": metadata})
    assert [finding.code for finding in libraries.missing(wheel, Contract())] == ["WK531"]
    contract = Contract(beside=(empty,))
    assert [finding.code for finding in libraries.missing(wheel, contract)] == ["WK501"]


@pytest.mark.parametrize(
    ("library", "requires", "expected"),
    [
        ("libsixel.so.1", "six", ["WK501"]),
        ("libsix.so.1", "six", ["WK531"]),
        ("libtbb12.so", "tbb-devel", ["WK531"]),
        ("libQt6Core.so.6", "PyQt6-Qt6", ["WK531"]),
        ("libusb-1.0.so.0", "libusb-package", ["WK531"]),
    ],
)
def test_short_names_have_to_be_whole(
    tmp_path: Path, library: str, requires: str, expected: list[str]
) -> None:
    assert codes(tmp_path, wheels.LINUX, elf(needed=needs(library)), requires=(requires,)) == expected


@pytest.mark.parametrize(
    ("package", "on_demand"),
    [
        ("from . import fast\n", False),
        ("try:\n    from . import fast\nexcept ImportError:\n    fast = None\n", True),
        ("def load():\n    from . import fast\n", True),
        ("", False),  # users import demo.fast
    ],
)
def test_a_module_is_loaded_with_what_imports_it(tmp_path: Path, package: str, *, on_demand: bool) -> None:
    members = {"demo/__init__.py": package, "demo/fast.py": "from . import _core\n"}
    wheel = wheels.facts(tmp_path, wheels.LINUX, elf(needed=needs("libx.so")), members=members)
    assert loaded_on_demand(wheel, [MODULE]) == (frozenset({MODULE}) if on_demand else frozenset())


def test_modules_that_only_import_each_other_are_for_users(tmp_path: Path) -> None:
    members = {
        "demo/__init__.py": "",
        "demo/a.py": "from . import b\nfrom . import _core\n",
        "demo/b.py": "from . import a\n",
    }
    wheel = wheels.facts(tmp_path, wheels.LINUX, elf(needed=needs("libx.so")), members=members)
    assert loaded_on_demand(wheel, [MODULE]) == frozenset()


@pytest.mark.parametrize(
    ("code", "expected"), [("from demo import _core\n", ["WK304"]), (BRANCHES, ["WK305"])]
)
def test_a_module_with_a_fallback_may_be_in_a_wheel_for_any_platform(
    tmp_path: Path, code: str, expected: list[str]
) -> None:
    made = pe("demo/_core.cp311-win_amd64.pyd")
    wheel = wheels.facts(tmp_path, wheels.PURE, made, members={"demo/__init__.py": code})
    assert [finding.code for finding in platform_tag.pure(wheel, Contract())] == expected


@pytest.mark.parametrize(
    ("code", "expected"), [("from demo import _core\n", ["WK404"]), (BRANCHES, ["WK408"]), ("", ["WK404"])]
)
def test_a_module_with_a_fallback_may_be_for_other_interpreters(
    tmp_path: Path, code: str, expected: list[str]
) -> None:
    made = elf("demo/_core.cpython-39-x86_64-linux-gnu.so")
    wheel = wheels.facts(tmp_path, wheels.LINUX, made, members={"demo/__init__.py": code})
    assert [finding.code for finding in suffixes.suffix(wheel, Contract())] == expected
