"""When zig compiles, with which arguments, and what is reported."""

from __future__ import annotations

import subprocess
import sys
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from binaries import elf
from support import wheels
from wheelkit import wheel
from wheelkit.builders import host_compile, zig_compile
from wheelkit.builders.cache.store import Store
from wheelkit.builders.sdist import SourceDist
from wheelkit.builders.zig_compile import TooNewModules, Zig
from wheelkit.errors import CheckFailedError, MissingToolError, ToolFailedError
from wheelkit.machine.interpreters import Python
from wheelkit.machine.process import Command, Completed
from wheelkit.machine.progress import Progress
from wheelkit.machine.workspace import Workspace
from wheelkit.matrix import Interpreter, Target
from wheelkit.plan import Builder, NativeStep
from wheelkit.project.kinds import Kind
from wheelkit.project.read import Distribution

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the host builder is for Linux")
NAME = "demo-1.0-cp312-cp312-linux_x86_64.whl"
# Needs libm's exp of GLIBC_2.29, which manylinux_2_28 does not have.
NEW = bytes(elf.tiny(elf.Shape()).data)
OLD = NEW.replace(b"GLIBC_2.29", b"GLIBC_2.17")
LINKS = {"LDSHARED": "gcc -shared -L/opt/lib -Wl,-rpath,/opt/lib", "LDCXXSHARED": "g++ -shared"}
PYTHON = Python(
    interpreter=Interpreter.parse("cp312"), path=Path("/opt/cp312"), version="3", headers=True, links=LINKS
)
TARGET = Target.parse("manylinux_2_28_x86_64")


@pytest.fixture(autouse=True)
def zig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a program in zig's place that prints its words, and take the user's own compilers away."""
    program = tmp_path / "the zig"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr(zig_compile, "find_zig", lambda: program)
    for name in ("CC", "CXX", "LDSHARED", "LDCXXSHARED", "LIBRARY_PATH"):
        monkeypatch.delenv(name, raising=False)
    return program


@pytest.fixture
def no_zig(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Path:
        raise MissingToolError("zig was not found")

    monkeypatch.setattr(zig_compile, "find_zig", missing)


def words(program: Path, *arguments: str) -> list[str]:
    return subprocess.run(
        [program, *arguments], capture_output=True, text=True, check=True
    ).stdout.splitlines()


def test_the_programs_hand_a_compilers_words_on_but_for_those_of_gcc_alone(tmp_path: Path) -> None:
    made = zig_compile.write_compilers(job(), tmp_path, {"LIBRARY_PATH": f"{tmp_path}::/nowhere"})
    given = ["-c", "-flto=auto", "-O3", "-specs=/x", "", "two words", "-ffat-lto-objects", "a'b.c", "-flat"]
    arguments = words(made.cc, *given)
    assert arguments[:3] == ["cc", "-target", "x86_64-linux-gnu.2.28"]
    assert f'-DPYBIND11_STDLIB="{made.mark}"' in arguments
    assert zig_compile.write_compilers(job(name="other"), tmp_path, {}).mark != made.mark
    start = arguments.index("-c")
    assert arguments[start : start + 6] == ["-c", "-O3", "", "two words", "a'b.c", "-flat"]
    behind = arguments[start + 6 :]
    assert behind[behind.index("/usr/include") - 1] == "-idirafter"
    assert f"-L{tmp_path}" in behind
    assert "-L/nowhere" not in behind
    assert words(made.cxx)[:1] == ["c++"]


def test_setuptools_links_with_zig_and_takes_no_search_path_of_this_machine() -> None:
    made = Zig(cc=Path("/z/cc"), cxx=Path("/z/c++"), triple="x86_64-linux-gnu.2.28", mark="_zig_1")
    env = made.environment(PYTHON)
    assert {name: env[name] for name in ("CC", "CXX", "LDSHARED", "LDCXXSHARED")} == {
        "CC": "/z/cc",
        "CXX": "/z/c++",
        "LDSHARED": "/z/cc -shared -L/opt/lib",
        "LDCXXSHARED": "/z/c++ -shared",
    }
    assert made.glibc == "2.28"


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("manylinux_2_28_x86_64", True),
        ("manylinux_2_17_aarch64", True),
        ("manylinux_2_5_x86_64", False),
        ("manylinux_2_28_s390x", True),
        ("manylinux_2_36_loongarch64", False),
        ("musllinux_1_2_x86_64", False),
    ],
)
def test_zig_serves_the_targets_whose_glibc_it_has(tag: str, expected: bool) -> None:  # noqa: FBT001 - a column of the table
    assert zig_compile.supports_target(Target.parse(tag), {}) is expected


def test_who_chose_a_compiler_gets_what_that_one_makes() -> None:
    assert zig_compile.unavailable_reason({}) == ""
    assert zig_compile.unavailable_reason({"CXX": "clang++"}) == "unset CXX"
    assert not zig_compile.supports_target(TARGET, {"CC": "gcc"})


@pytest.mark.usefixtures("no_zig")
def test_without_zig_the_way_to_install_it_is_named() -> None:
    assert zig_compile.unavailable_reason({}) == "pip install 'wheelkit[cross]'"
    assert not zig_compile.supports_target(TARGET, {})


@pytest.mark.parametrize("symbol", ["_ZN4Gear4turnEv", "_ZNSt6vectorIiSaIiEED1Ev"])
def test_a_binary_that_takes_cxx_objects_from_another_is_refused(tmp_path: Path, symbol: str) -> None:
    taken = wheels.facts(tmp_path, NAME, wheels.elf(imports=wheels.imports("malloc", symbol)))
    with pytest.raises(CheckFailedError, match=rf"imports C\+\+ symbols from another library \({symbol}\)"):
        zig_compile.reject_shared_cxx(taken)
    zig_compile.reject_shared_cxx(
        wheels.facts(tmp_path, NAME, wheels.elf(imports=wheels.imports("malloc", "Zinc")))
    )
    zig_compile.reject_shared_cxx(
        wheels.facts(tmp_path, NAME, wheels.elf(imports=wheels.imports(symbol, weak=True)))
    )


def job(tag: str = "manylinux_2_28_x86_64", name: str = "demo") -> NativeStep:
    return NativeStep(
        distribution=Distribution(name=name, version="1.0", kind=Kind.NATIVE, source=Path("demo")),
        target=Target.parse(tag),
        builder=Builder.HOST,
        interpreters=(Interpreter.parse("cp312"),),
        identifiers=(),
        argv=("uv", "build", "--wheel", "--python", "{python}", "--out-dir", "{out}", "{sdist}"),
        repair="",
        patterns=(),
        tests=(),
    )


OWN, OTHERS = (
    b"\0__pybind11_internals_v12_system_zig_1_libcpp_abi1__\0",
    b"\0__pybind11_internals_v12_system_libcpp_abi1__\0",
)


@pytest.mark.parametrize(
    ("modules", "refused"),
    [
        ((OWN, b""), ""),
        ((OWN, OWN), r"demo/_0\.so and demo/_1\.so share pybind11's registry"),
        ((OTHERS,), r"demo/_0\.so shares a C\+\+ registry"),
        ((b"\0nanobind.nb_func\0",), r"demo/_0\.so shares a C\+\+ registry"),
    ],
)
def test_modules_that_meet_in_a_registry_are_refused(
    tmp_path: Path, modules: tuple[bytes, ...], refused: str
) -> None:
    members = {f"demo/_{number}.so": OLD + more for number, more in enumerate(modules)}
    made = wheel.read(wheels.write_wheel(tmp_path, NAME, members=members))
    assert len(made.binaries) == len(modules)
    with pytest.raises(CheckFailedError, match=refused) if refused else nullcontext():
        zig_compile.reject_shared_registry(made, "_zig_1")


def test_what_did_not_do_is_remembered_by_distribution_and_target(tmp_path: Path) -> None:
    memory = TooNewModules(store=Store(folder=tmp_path, limit=1 << 20))
    assert not memory.load(job())
    memory.save(job(), frozenset({"demo/_core", "demo/_speed"}))
    assert memory.load(job()) == {"demo/_core", "demo/_speed"}
    assert not memory.load(job(name="other"))
    assert not memory.load(job("manylinux_2_31_x86_64"))
    memory.save(job(), frozenset())
    assert not memory.load(job())
    TooNewModules().save(job(), frozenset({"demo/_core"}))
    assert not TooNewModules().load(job())


@dataclass
class Backend(Progress):
    """A fake uv whose wheels need a new glibc unless built with zig; ``fails`` maps compilers to errors.

    ``passed_over`` are the binaries that zig's wheels lack.
    """

    fails: dict[str, str] = field(default_factory=dict)
    new: bool = True
    passed_over: frozenset[str] = frozenset()
    asked: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def __call__(self, command: Command, /) -> Completed:
        who = "zig" if "CC" in command.env else "own"
        self.asked.append(who)
        if who in self.fails:
            return Completed(returncode=1, output=self.fails[who])
        out = Path(command.argv[command.argv.index("--out-dir") + 1])
        made = {
            f"demo/{name}.so": OLD if who == "zig" or not self.new else NEW for name in ("_core", "_speed")
        }
        left = {name: data for name, data in made.items() if who == "own" or name not in self.passed_over}
        wheels.write_wheel(out, NAME, members={"demo/__init__.py": "", **left})
        return Completed(returncode=0, output="")


def compiler(tmp_path: Path, backend: Backend, *modules: str) -> host_compile.HostCompiler:
    source = SourceDist(path=tmp_path / "demo.tar.gz", distribution=job().distribution, sha256="")
    workspace = Workspace(folder=tmp_path, log=tmp_path / "log", run=backend, progress=backend)
    return host_compile.HostCompiler(
        step=job(), source=source, workspace=workspace, modules=frozenset(modules)
    )


BOTH = ("demo/_core", "demo/_speed")


def test_zig_is_asked_only_where_the_machines_own_compiler_does_not_do(tmp_path: Path) -> None:
    backend = Backend(new=False)
    one = compiler(tmp_path, backend)
    assert "zig" not in one.compile(PYTHON).compiler
    assert (backend.asked, backend.notes, one.modules) == (["own"], [], frozenset())


def test_after_the_first_wheel_zig_makes_them_all_and_that_is_noted_once(tmp_path: Path) -> None:
    backend = Backend()
    one = compiler(tmp_path, backend)
    assert one.compile(PYTHON).compiler.startswith("zig ")
    one.compile(PYTHON)
    assert backend.asked == ["own", "zig", "zig"]
    assert one.modules == set(BOTH)
    (note,) = backend.notes
    assert note.startswith(
        "compiled again with zig against glibc 2.28: with this machine's own libraries "
        "demo/_core.so needs GLIBC_2.29"
    )
    assert note.endswith("(exp of libm.so.6)")


def test_what_is_remembered_saves_the_first_attempt(tmp_path: Path) -> None:
    backend = Backend()
    compiler(tmp_path, backend, *BOTH).compile(PYTHON)
    assert backend.asked == ["zig"]
    assert backend.notes == [
        "compiled with zig against glibc 2.28: this machine's libraries were too new when it was last built"
    ]


def test_where_zig_does_not_do_any_more_the_machines_own_compiler_is_asked_again(tmp_path: Path) -> None:
    backend = Backend(fails={"zig": "core.c:1:2: error: no"}, new=False)
    one = compiler(tmp_path, backend, *BOTH)
    assert "zig" not in one.compile(PYTHON).compiler
    assert (backend.asked, one.modules) == (["zig", "own"], frozenset())


@pytest.mark.parametrize("remembered", [(), BOTH])
def test_where_neither_does_both_reasons_are_shown_in_a_line_each(
    tmp_path: Path, remembered: tuple[str, ...]
) -> None:
    backend = Backend(fails={"zig": "cc -c core.c\ncore.c:1:10: fatal error: 'omp.h' file not found\n"})
    with pytest.raises(CheckFailedError, match="and zig could not build it for an older one") as caught:
        compiler(tmp_path, backend, *remembered).compile(PYTHON)
    assert sorted(backend.asked) == ["own", "zig"]
    first, second = caught.value.detail.splitlines()
    assert first.startswith("this machine's compiler: demo/_core.so needs GLIBC_2.29 (exp of libm.so.6)")
    assert second.startswith(
        "zig: building demo for cp312 with zig failed: core.c:1:10: omp.h: No such file or directory"
    )
    assert "wheelkit[cross]" not in caught.value.hint


def test_a_binary_that_is_optional_is_not_lost_silently(tmp_path: Path) -> None:
    backend = Backend(passed_over=frozenset({"demo/_speed.so"}))
    with pytest.raises(CheckFailedError, match="and zig could not build it for an older one") as caught:
        compiler(tmp_path, backend).compile(PYTHON)
    assert (
        caught.value.detail.splitlines()[1]
        == "zig: its wheel lacks demo/_speed, which this machine's compiler made"
    )


def test_a_binary_that_the_project_has_no_more_is_not_missed(tmp_path: Path) -> None:
    backend = Backend()
    one = compiler(tmp_path, backend, *BOTH, "demo/_gone")
    assert one.compile(PYTHON).compiler.startswith("zig ")
    assert (backend.asked, one.modules) == (["zig", "own", "zig"], frozenset(BOTH))


def test_a_project_that_does_not_compile_at_all_is_not_compiled_twice(tmp_path: Path) -> None:
    backend = Backend(fails={"own": "core.c:1:2: error: no"})
    with pytest.raises(ToolFailedError, match="building demo for cp312 failed"):
        compiler(tmp_path, backend).compile(PYTHON)
    assert backend.asked == ["own"]


@pytest.mark.usefixtures("no_zig")
def test_without_zig_the_refusal_names_it_as_one_way(tmp_path: Path) -> None:
    with pytest.raises(CheckFailedError, match=r"needs a newer system than manylinux_2_28_x86_64$") as caught:
        compiler(tmp_path, Backend()).compile(PYTHON)
    assert caught.value.hint.splitlines() == [
        (
            "this machine's own libraries are too new for that target: compile against older ones "
            "with zig (pip install 'wheelkit[cross]'),"
        ),
        "build in a container (install docker or podman),",
        "or promise manylinux_2_31_x86_64, which this wheel satisfies, in [tool.wheelkit.matrix]",
    ]
