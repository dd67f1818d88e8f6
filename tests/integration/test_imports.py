"""What CPython 3.11 to 3.15 import, and refuse, of small wheels, against the findings.

uv installs them, and in the long form pip too.

Free-threaded builds do not run here: what only they refuse is judged by CPython's source.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from support import wheels
from wheelkit.analysis.module_files import module_file
from wheelkit.machine.interpreters import find_pythons
from wheelkit.matrix import Interpreter
from wheelkit.verification.contract import Contract
from wheelkit.verification.model import Severity
from wheelkit.verification.run import verify

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(
        sys.platform != "linux", reason="compiles with gcc for the Pythons of a Linux machine"
    ),
]
ROOT = Path(__file__).parents[2]
TAGS = tuple(f"cp3{minor}" for minor in range(11, 16))
TRIPLET = sysconfig.get_config_var("MULTIARCH") or "x86_64-linux-gnu"
OTHER = "aarch64-linux-gnu" if TRIPLET.startswith("x86_64") else "x86_64-linux-gnu"
MUSL = TRIPLET.replace("gnu", "musl")
PLATFORM = f"manylinux_2_17_{platform.machine()}"
SLOW_PYTHON = 60

HEAD = "#include <Python.h>\n"
INIT = """
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "NAME", NULL, 0, NULL, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_NAME(void) { return PyModuleDef_Init(&definition); }
"""
SINGLE_PHASE = INIT.replace("PyModuleDef_Init", "PyModule_Create")
HOOK = """
PyABIInfo_VAR(abi_info);
static PySlot slots[] = {
    PySlot_STATIC_DATA(Py_mod_abi, &abi_info), PySlot_STATIC_DATA(Py_mod_name, "NAME"), PySlot_END};
PyMODEXPORT_FUNC PyModExport_NAME(void) { return slots; }
"""
PRIVATE = INIT + "\nPyObject *use(void) { return _PyList_Extend == NULL ? NULL : Py_None; }\n"


@dataclass(frozen=True, kw_only=True)
class Build:
    """How a module is compiled: its source, the interpreter whose headers it takes, and defines."""

    source: str = INIT
    python: str = "cp311"
    defines: tuple[str, ...] = ("Py_LIMITED_API=0x030b0000",)
    name: str = "m"


LIMITED = Build()
SINGLE = Build(source=SINGLE_PHASE)
LIMITED_315 = Build(python="cp315", defines=("Py_LIMITED_API=0x030f0000",))
EXPORT = Build(source=HOOK, python="cp315", defines=("Py_LIMITED_API=0x030f0000",))
ABI3T = Build(source=HOOK, python="cp315", defines=("Py_TARGET_ABI3T=0x030f0000",))
RENAMED = Build(name="n")


def full(tag: str) -> Build:
    """Return a build against all of an interpreter's API."""
    return Build(python=tag, defines=())


@dataclass(frozen=True, kw_only=True)
class Case:
    """A wheel: its tags, its modules by suffix, and who refuses it where no interpreter of this test does."""

    tags: str
    modules: Mapping[str, Build]
    required: str = ""
    refused_elsewhere: str = ""
    member: str = "demo/m"
    imported: str = "demo.m"


FREE_THREADED = "free-threaded builds (Python/dynload_shlib.c, PEP 803)"
UPSTREAM = "3.14 without Debian's patch (Python/dynload_shlib.c)"
CASES = {
    "abi3": Case(tags="cp311-abi3", modules={".abi3.so": LIMITED}),
    "abi3 as a plain name": Case(tags="cp311-abi3", modules={".so": LIMITED}),
    "abi3, single-phase": Case(tags="cp311-abi3", modules={".abi3.so": SINGLE}),
    "abi3 with a triplet, too early": Case(tags="cp311-abi3", modules={f".abi3-{TRIPLET}.so": LIMITED}),
    "abi3 with a triplet and 3.14": Case(
        tags="cp314-abi3", modules={f".abi3-{TRIPLET}.so": LIMITED}, refused_elsewhere=UPSTREAM
    ),
    "abi3 with a triplet": Case(tags="cp315-abi3", modules={f".abi3-{TRIPLET}.so": LIMITED_315}),
    "abi3 with a triplet beside one without": Case(
        tags="cp311-abi3", modules={f".abi3-{TRIPLET}.so": LIMITED_315, ".abi3.so": LIMITED}
    ),
    "abi3 of another processor": Case(tags="cp315-abi3", modules={f".abi3-{OTHER}.so": LIMITED_315}),
    "abi3 of another C library": Case(tags="cp315-abi3", modules={f".abi3-{MUSL}.so": LIMITED_315}),
    "abi3t, too early": Case(tags="cp311-abi3", modules={".abi3t.so": ABI3T}),
    "abi3t in a wheel for abi3": Case(tags="cp315-abi3", modules={".abi3t.so": ABI3T}),
    "abi3t with a triplet": Case(tags="cp315-abi3", modules={f".abi3t-{TRIPLET}.so": ABI3T}),
    "abi3.abi3t": Case(tags="cp315-abi3.abi3t", modules={".abi3t.so": ABI3T}),
    "abi3.abi3t with a triplet": Case(tags="cp315-abi3.abi3t", modules={f".abi3t-{TRIPLET}.so": ABI3T}),
    "abi3.abi3t with an abi3 module alone": Case(
        tags="cp315-abi3.abi3t", modules={".abi3.so": EXPORT}, refused_elsewhere=FREE_THREADED
    ),
    "abi3.abi3t with a PyModuleDef": Case(
        tags="cp315-abi3.abi3t", modules={".abi3t.so": LIMITED_315}, refused_elsewhere=FREE_THREADED
    ),
    "abi3.abi3t, too early": Case(
        tags="cp311-abi3.abi3t", modules={".abi3t.so": ABI3T}
    ),
    "abi3.abi3t, too early, but Requires-Python is not": Case(
        tags="cp311-abi3.abi3t", modules={".abi3t.so": ABI3T}, required=">=3.15"
    ),
    "the new entry point": Case(tags="cp315-abi3", modules={".abi3.so": EXPORT}),
    "the new entry point, too early": Case(tags="cp311-abi3", modules={".abi3.so": EXPORT}),
    "the new entry point, too early but for Requires-Python": Case(
        tags="cp311-abi3", modules={".abi3.so": EXPORT}, required=">=3.15"
    ),
    "an entry point of another name": Case(tags="cp311-abi3", modules={".abi3.so": RENAMED}),
    "an entry point of another name, with a triplet": Case(
        tags="cp315-abi3", modules={f".abi3-{TRIPLET}.so": RENAMED}
    ),
    "a package": Case(
        tags="cp311-abi3", modules={".abi3.so": Build(name="demo")}, member="demo/__init__", imported="demo"
    ),
    "a package of another name": Case(
        tags="cp311-abi3", modules={".abi3.so": LIMITED}, member="demo/__init__", imported="demo"
    ),
    "a name in Punycode": Case(
        tags="cp311-abi3",
        modules={".abi3.so": Build(source=INIT.replace("PyInit_", "PyInitU_"), name="caf_dma")},
        member="demo/caf\u00e9",
        imported="demo.caf\u00e9",
    ),
    "a name without Punycode": Case(
        tags="cp311-abi3",
        modules={".abi3.so": Build(name="caf_dma")},
        member="demo/caf\u00e9",
        imported="demo.caf\u00e9",
    ),
    "one version": Case(tags="cp312-cp312", modules={f".cpython-312-{TRIPLET}.so": full("cp312")}),
    "one version without a triplet": Case(tags="cp312-cp312", modules={".cpython-312.so": full("cp312")}),
    "one version, for debugging": Case(
        tags="cp312-cp312", modules={f".cpython-312d-{TRIPLET}.so": full("cp312")}
    ),
    "another version": Case(tags="cp312-cp312", modules={f".cpython-313-{TRIPLET}.so": full("cp313")}),
    "another processor": Case(tags="cp312-cp312", modules={f".cpython-312-{OTHER}.so": full("cp312")}),
    "a version of two": Case(
        tags="cp312.cp313-cp312.cp313", modules={f".cpython-312-{TRIPLET}.so": full("cp312")}
    ),
    "both versions": Case(
        tags="cp312.cp313-cp312.cp313",
        modules={f".cpython-3{minor}-{TRIPLET}.so": full(f"cp3{minor}") for minor in (12, 13)},
    ),
    "no ABI, one version": Case(tags="cp312-none", modules={".so": full("cp312")}),
    "no ABI, private functions, all versions": Case(
        tags="py3-none", modules={f".cpython-312-{TRIPLET}.so": full("cp312")}, required=">=3.11"
    ),
    "no ABI, and free threading": Case(
        tags="cp314-none", modules={".so": SINGLE}, refused_elsewhere=FREE_THREADED
    ),
    "no ABI, the stable ABI, before free threading": Case(
        tags="py3-none", modules={".abi3.so": LIMITED}, required=">=3.11,<3.13"
    ),
    "no ABI, the stable ABI": Case(
        tags="py3-none", modules={".abi3.so": LIMITED}, refused_elsewhere=FREE_THREADED, required=">=3.11"
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def pythons() -> Mapping[str, Path]:
    """Return the interpreters by their tags; 3.14 and 3.15 are unpacked by ci/interpreters.py if needed."""
    found = find_pythons(map(Interpreter.parse, TAGS))
    paths = {tag: python.path for tag, python in found.items() if python.headers}
    if missing := sorted(set(TAGS) - set(paths)):
        done = subprocess.run(
            [sys.executable, ROOT / "ci/interpreters.py", "--install", "--json"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode == 3 and not os.environ.get("CI"):
            pytest.skip(f"{', '.join(missing)} cannot be had here: {done.stderr.strip()}")
        assert done.returncode == 0, done.stderr
        unpacked = {
            f"cp{version.replace('.', '')}": Path(path) for version, path in json.loads(done.stdout).items()
        }
        paths = unpacked | paths
    if absent := sorted(set(TAGS) - set(paths)):
        assert not os.environ.get("CI"), f"CI lacks {', '.join(absent)}"
        pytest.skip(f"not here: {', '.join(absent)}")
    return {tag: paths[tag] for tag in TAGS}


@pytest.fixture(scope="module")
def compiled(pythons: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> object:
    """Return a function that compiles a module, once for each build."""
    folder = tmp_path_factory.mktemp("modules")

    @cache
    def compile_(build: Build) -> bytes:
        number = len(list(folder.glob("*.c")))
        source, target = folder / f"{number}.c", folder / f"{number}.so"
        source.write_text(HEAD + build.source.replace("NAME", build.name))
        include = ask(pythons[build.python], "import sysconfig; print(sysconfig.get_path('include'))")
        options = [f"-D{define}" for define in build.defines] + [f"-I{include}"]
        gcc = ["gcc", "-shared", "-fPIC", "-O1", *options, "-o", str(target), str(source)]
        done = subprocess.run(gcc, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return target.read_bytes()

    return compile_


def ask(python: Path, code: str) -> str:
    """Run code in an interpreter; raises CalledProcessError where that fails."""
    done = subprocess.run(
        [python, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=SLOW_PYTHON
    )
    return done.stdout.strip()


def write(folder: Path, case: Case, compiled: object) -> Path:
    """Write the wheel of a case."""
    lines = (f"Requires-Python: {case.required}",) if case.required else ()
    members: dict[str, bytes | str] = {
        f"{case.member}{suffix}": compiled(build)  # type: ignore[operator]  # the fixture's function
        for suffix, build in case.modules.items()
    }
    members["{info}/METADATA"] = wheels.metadata("demo", "1.0", *lines)
    package = not case.member.endswith("__init__")
    return wheels.write_wheel(
        folder, f"demo-1.0-{case.tags}-{PLATFORM}.whl", members=members, package=package
    )


# The command before and after the interpreter, and how each says that a wheel is for others.
INSTALLERS: Mapping[str, tuple[list[str], list[str], re.Pattern[str]]] = {
    "uv": (
        ["uv", "pip", "install", "--python"],
        [],
        re.compile(r"incompatible with the current platform|matching\s+Python version|does not satisfy"),
    ),
    "pip": (
        [sys.executable, "-m", "pip", "--python"],
        ["install", "--disable-pip-version-check"],
        re.compile(r"not a supported wheel on this platform|requires a different Python"),
    ),
}


def refusal(wheel: Path, python: Path, name: str, target: Path, installer: str) -> str | None:
    """Return why an interpreter cannot import a module, empty if it can; None if the wheel is refused."""
    before, after, refuses = INSTALLERS[installer]
    options: list[str | Path] = ["--quiet", "--no-index", "--no-deps", "--target", target, wheel]
    installed = subprocess.run(
        [*before, python, *after, *options], capture_output=True, text=True, check=False
    )
    if installed.returncode != 0:
        assert refuses.search(installed.stderr), installed.stderr
        return None
    code = f"import sys; sys.path.insert(0, {str(target)!r}); import {name}; print({name}.__file__)"
    done = subprocess.run(
        [python, "-I", "-c", code], capture_output=True, text=True, check=False, timeout=SLOW_PYTHON
    )
    return "" if done.returncode == 0 else done.stderr.strip() or f"exit status {done.returncode}"


@pytest.mark.parametrize("installer", ["uv", pytest.param("pip", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", CASES)
def test_what_is_imported_has_no_error(
    name: str, installer: str, pythons: Mapping[str, Path], compiled: object, tmp_path: Path
) -> None:
    case = CASES[name]
    wheel = write(tmp_path, case, compiled)
    findings = verify([wheel], Contract()).findings
    errors = [
        one for one in findings if one.severity is Severity.ERROR and one.code[:3] in {"WK2", "WK4", "WK7"}
    ]
    answers = {
        tag: refusal(wheel, path, case.imported, tmp_path / tag, installer) for tag, path in pythons.items()
    }
    assert any(answer is not None for answer in answers.values()), "no interpreter of this test accepts it"
    refused = {tag: answer for tag, answer in answers.items() if answer}
    if case.refused_elsewhere:
        assert not refused, "an interpreter of this test decides: leave out refused_elsewhere"
        assert errors
    else:
        assert bool(errors) == bool(refused), (errors, answers)


def suffixes() -> list[str]:
    """Return every suffix that an interpreter here may look for, and near misses."""
    versions = [f".cpython-3{minor}{flag}" for minor in range(9, 17) for flag in ("", "d", "t")]
    stems = [*versions, ".abi3", ".abi3t"]
    return [f"{stem}{triplet}.so" for stem in stems for triplet in ("", f"-{TRIPLET}", f"-{OTHER}")] + [".so"]


@pytest.mark.parametrize("tag", TAGS)
def test_each_interpreter_looks_for_the_suffixes_that_are_known(
    tag: str, pythons: Mapping[str, Path]
) -> None:
    code = "import importlib.machinery as m; print(*m.EXTENSION_SUFFIXES)"
    theirs = set(ask(pythons[tag], code).split())
    if tag == "cp314":
        theirs.discard(f".abi3-{TRIPLET}.so")  # Debian's patch; upstream has it since 3.15
    files = {suffix: module_file(wheels.elf(f"demo/m{suffix}")) for suffix in suffixes()}
    ours = {
        suffix
        for suffix, file in files.items()
        if file is not None
        and file.imported_by(Interpreter.parse(tag))
        and not file.named_for_another((PLATFORM,))
    }
    assert ours == theirs
