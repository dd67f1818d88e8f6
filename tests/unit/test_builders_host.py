"""Decisions of the host builder, with fake uv and interpreters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec.structs import replace

from binaries import elf
from support import wheels
from wheelkit.builders import dispatch, host, host_compile, zig_compile
from wheelkit.builders.host_tests import WheelTests
from wheelkit.builders.results import BuiltWheel, supported_interpreters
from wheelkit.builders.sdist import SourceDist
from wheelkit.errors import CheckFailedError, MissingToolError, ProjectError, ToolFailedError, WheelkitError
from wheelkit.machine import compilers, interpreters
from wheelkit.machine.interpreters import Python
from wheelkit.machine.process import Command, Completed
from wheelkit.machine.progress import Progress
from wheelkit.machine.workspace import Workspace
from wheelkit.matrix import Interpreter, Target
from wheelkit.plan import Builder, NativeStep
from wheelkit.plan.model import HostSettings
from wheelkit.project.kinds import Kind
from wheelkit.project.read import Distribution

ABI3 = "demo-1.0-cp312-abi3-linux_x86_64.whl"
# Needs libc.so.6's memcpy of GLIBC_2.17 and libm's exp of GLIBC_2.29.
ELF = bytes(elf.tiny(elf.Shape()).data)


class Notes(Progress):
    """Keeps the notes shown to the user."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@dataclass
class Uv:
    """Fakes every program: writes the wheel to build, and keeps the commands."""

    makes: tuple[str, ...] = (ABI3,)
    fails: Mapping[str, str] = field(default_factory=dict)
    asked: list[Command] = field(default_factory=list)

    def __call__(self, command: Command, /) -> Completed:
        self.asked.append(command)
        line = " ".join(command.argv)
        for words, output in self.fails.items():
            if words in line:
                return Completed(returncode=2, output=output)
        if "build" in command.argv and "--wheel" in command.argv:
            out = Path(command.argv[command.argv.index("--out-dir") + 1])
            for name in self.makes:
                wheels.write_wheel(out, name, members={"demo/_core.abi3.so": ELF})
        return Completed(returncode=0, output="")


def job(
    tag: str = "manylinux_2_28_x86_64", *interpreters: str, tests: tuple[str, ...] = ("true",)
) -> NativeStep:
    return NativeStep(
        distribution=Distribution(name="demo", version="1.0", kind=Kind.NATIVE, source=Path("demo")),
        target=Target.parse(tag),
        builder=Builder.HOST,
        interpreters=tuple(map(Interpreter.parse, interpreters or ("cp311", "cp312"))),
        identifiers=(),
        argv=("uv", "build", "--wheel", "--python", "{python}", "--out-dir", "{out}", "{sdist}"),
        repair="",
        patterns=(),
        tests=tests,
    )


def pythons(*tags: str, headers: bool = True) -> dict[str, Python]:
    return {
        tag: Python(
            interpreter=Interpreter.parse(tag),
            path=Path(f"/opt/{tag}"),
            version="3",
            headers=headers,
            links={"LDSHARED": "cc"},
        )
        for tag in tags
    }


def make_workspace(tmp_path: Path, run: Uv) -> Workspace:
    return Workspace(folder=tmp_path, log=tmp_path / "log", run=run, progress=Notes())


def source(tmp_path: Path) -> SourceDist:
    item = Distribution(name="demo", version="1.0", kind=Kind.NATIVE, source=Path("demo"))
    return SourceDist(path=tmp_path / "demo-1.0.tar.gz", distribution=item, sha256="")


def compiler(workspace: Workspace) -> host_compile.HostCompiler:
    return host_compile.HostCompiler(step=job(), source=source(workspace.folder), workspace=workspace)


def test_a_machine_without_a_promised_interpreter_names_the_way_to_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(interpreters, "find_pythons", lambda _wanted: pythons("cp312", headers=False))
    with pytest.raises(
        MissingToolError, match=r"none of the promised interpreters \(cp311, cp312\)"
    ) as caught:
        interpreters.pythons_with_headers(job().interpreters)
    assert caught.value.hint == "uv python install 3.11"
    monkeypatch.setattr(interpreters, "find_pythons", lambda _wanted: pythons("cp312"))
    assert list(interpreters.pythons_with_headers(job().interpreters)) == ["cp312"]


def test_interpreters_are_taken_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        interpreters, "find_pythons", lambda _wanted: pythons("cp314t", "cp312", "cp39", "cp314")
    )
    assert list(
        interpreters.pythons_with_headers(
            job("manylinux_2_28_x86_64", "cp314t", "cp314", "cp39", "cp312").interpreters
        )
    ) == [
        "cp39",
        "cp312",
        "cp314",
        "cp314t",
    ]


def test_the_search_paths_of_an_interpreter_do_not_reach_a_wheel() -> None:
    links = {
        "LDSHARED": "gcc -shared -L/opt/lib -Wl,-rpath,/opt/lib '-Wl,-rpath=/opt/my lib' -Wl,-O1",
        "LDCXXSHARED": "g++ -shared",
    }
    assert zig_compile.link_environment(links, {}) == {"LDSHARED": "gcc -shared -L/opt/lib -Wl,-O1"}
    assert zig_compile.link_environment(links, {"LDSHARED": "mine"}) == {}


def test_an_abi3_wheel_is_named_for_the_floor_once_its_imports_allow_it(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, Uv())
    path = wheels.write_wheel(tmp_path, ABI3, members={"demo/_core.abi3.so": ELF})
    host._lower_python_tag(job(), path, workspace)
    assert isinstance(workspace.run, Uv)
    assert workspace.run.asked[0].argv[1:] == ("tags", "--remove", "--python-tag", "cp311", str(path))
    assert "verified against the stable ABI of 3.11" in workspace.progress.notes[0]  # type: ignore[attr-defined]  # the fake keeps its commands


def test_pypy_and_free_threaded_builds_are_no_floor_of_the_stable_abi(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, Uv())
    path = wheels.write_wheel(tmp_path, ABI3, members={"demo/_core.abi3.so": ELF})
    step = job("manylinux_2_28_x86_64", "pp310", "cp311", "cp312")
    host._lower_python_tag(step, path, workspace)
    assert isinstance(workspace.run, Uv)
    assert workspace.run.asked[0].argv[4] == "cp311"
    pypy = make_workspace(tmp_path, Uv())
    assert host._lower_python_tag(job("manylinux_2_28_x86_64", "pp310"), path, pypy) == path


@pytest.mark.parametrize(
    "name", ["demo-1.0-cp311-abi3-linux_x86_64.whl", "demo-1.0-cp312-cp312-linux_x86_64.whl"]
)
def test_a_wheel_at_its_floor_or_without_the_stable_abi_keeps_its_name(tmp_path: Path, name: str) -> None:
    workspace = make_workspace(tmp_path, Uv())
    path = wheels.write_wheel(tmp_path, name, members={"demo/_core.so": ELF})
    assert host._lower_python_tag(job(), path, workspace) == path
    assert workspace.run.asked == []  # type: ignore[attr-defined]  # the fake keeps its commands


def test_what_the_target_does_not_have_is_named_with_symbol_file_and_limit(tmp_path: Path) -> None:
    path = wheels.write_wheel(tmp_path, ABI3, members={"demo/_core.abi3.so": ELF})
    wanted = job("manylinux_2_17_x86_64")
    wheel = host_compile.read_as_target(path, wanted)
    error = host_compile.too_new_error(wheel, wanted, host_compile.too_new(wheel))
    assert "needs a newer system than manylinux_2_17_x86_64" in error.message
    for part in ("demo/_core.abi3.so", "exp", "GLIBC_2.29", "manylinux_2_17_x86_64 does not allow"):
        assert part in error.detail
    assert "promise manylinux_2_31_x86_64, which this wheel satisfies," in error.hint
    assert host_compile.too_new(host_compile.read_as_target(path, job("manylinux_2_29_x86_64"))) == []


@pytest.mark.parametrize("makes", [(), (ABI3, "demo-1.0-cp311-abi3-linux_x86_64.whl")])
def test_no_wheel_or_several_are_reported_with_their_number(tmp_path: Path, makes: tuple[str, ...]) -> None:
    workspace = make_workspace(tmp_path, Uv(makes=makes))
    with pytest.raises(ToolFailedError, match=f"building demo for cp312 produced {len(makes)} files"):
        compiler(workspace).compile_with(pythons("cp312")["cp312"])


def test_a_refused_build_shows_the_compilers_lines(tmp_path: Path) -> None:
    output = "[1/2] Compiling\ncore.c:5:9: error: expected ';'\n    5 | x\n" + "noise\n" * 50
    workspace = make_workspace(tmp_path, Uv(fails={"build --wheel": output}))
    with pytest.raises(
        ToolFailedError, match=r"building demo for cp312 failed: core\.c:5:9: expected ';'"
    ) as caught:
        compiler(workspace).compile_with(pythons("cp312")["cp312"])
    assert caught.value.detail.splitlines()[:2] == ["[1/2] Compiling", "core.c:5:9: error: expected ';'"]


@pytest.mark.parametrize(
    ("backend", "requires", "cargo", "output", "missing"),
    [
        ("maturin", (), None, "Traceback", True),
        ("setuptools.build_meta", ("setuptools", "setuptools-rust>=1.5"), None, "Traceback", True),
        ("maturin", (), "/usr/bin/cargo", "Traceback", False),
        ("setuptools.build_meta", ("setuptools",), None, "Traceback", False),
        ("maturin", (), None, "core.c:5:9: error: expected ';'", False),
    ],
)
def test_a_missing_rust_is_named(  # noqa: PLR0913 - one for each thing that a case may change
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    backend: str,
    requires: tuple[str, ...],
    cargo: str | None,
    output: str,
    missing: bool,
) -> None:
    monkeypatch.setattr(compilers, "which", lambda _name: cargo)
    given = source(tmp_path)
    given = replace(given, distribution=replace(given.distribution, backend=backend, build_requires=requires))
    workspace = make_workspace(tmp_path, Uv(fails={"build --wheel": output}))
    with pytest.raises(WheelkitError) as caught:
        replace(compiler(workspace), source=given).compile_with(pythons("cp312")["cp312"])
    assert isinstance(caught.value, MissingToolError) is missing
    assert ("demo is built with Rust, and cargo was not found" in caught.value.message) is missing


def test_an_extension_that_was_passed_over_shows_why(tmp_path: Path) -> None:
    class Optional(Uv):
        def __call__(self, command: Command, /) -> Completed:
            return Completed(
                returncode=super().__call__(command).returncode, output="core.c:5:9: error: expected ';'\n"
            )

    workspace = make_workspace(tmp_path, Optional(makes=("demo-1.0-py3-none-any.whl",)))
    with pytest.raises(ProjectError, match="treated as native, but its wheel contains no binary") as caught:
        compiler(workspace).compile_with(pythons("cp312")["cp312"])
    assert caught.value.detail == "core.c:5:9: error: expected ';'"


def test_the_build_gets_the_interpreter_the_sdist_and_a_folder_of_its_own(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, Uv())
    made = compiler(workspace).compile_with(pythons("cp312")["cp312"])
    command = workspace.run.asked[0]  # type: ignore[attr-defined]  # the fake keeps its commands
    assert command.argv[1:5] == ("build", "--wheel", "--python", "/opt/cp312")
    assert command.argv[-1] == str(tmp_path / "demo-1.0.tar.gz")
    assert command.unset == ("VIRTUAL_ENV",)
    assert made.parent.parent == tmp_path


def test_the_build_gets_what_the_project_sets_for_cibuildwheel(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, Uv())
    own = HostSettings(
        config_settings=(("pure-python", "false"),), environment={"USE_MYPYC": "1", "CC": "their-cc"}
    )
    wanted = replace(job(), settings={"cp312": own})
    zig = zig_compile.Zig(cc=Path("zig-cc"), cxx=Path("zig-c++"), triple="x86_64-linux-gnu.2.28", mark="m")
    for interpreter, by in (("cp312", None), ("cp312", zig), ("cp311", None)):
        replace(compiler(workspace), step=wanted).compile_with(pythons(interpreter)[interpreter], by)
    with_own, by_zig, without = workspace.run.asked  # type: ignore[attr-defined]  # the fake keeps its commands
    assert with_own.argv[-2:] == by_zig.argv[-2:] == ("--config-setting", "pure-python=false")
    assert (with_own.env["USE_MYPYC"], with_own.env["CC"]) == ("1", "their-cc")
    assert (by_zig.env["USE_MYPYC"], by_zig.env["CC"]) == ("1", "zig-cc")
    assert "--config-setting" not in without.argv
    assert "USE_MYPYC" not in without.env


def test_a_failing_test_is_a_failed_check_with_the_command(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, Uv(fails={"second --now": "AssertionError\n"}))
    path = wheels.write_wheel(tmp_path, ABI3)
    tests = WheelTests(
        step=job(tests=("first 'a b'", "second --now", "third")),
        source=SourceDist(path=tmp_path / "no sdist", distribution=job().distribution, sha256=""),
        pythons=pythons("cp312"),
        workspace=workspace,
    )
    good, (failure,) = tests.run([BuiltWheel(path=path, cells=("cp312",))])
    assert good == ()
    assert isinstance(failure.error, CheckFailedError)
    message = (
        "the test of demo-1.0-cp312-abi3-linux_x86_64.whl on cp312 failed with exit status 2: second --now"
    )
    assert failure.error.message == message
    assert (failure.error.detail, failure.wheel, failure.interpreters) == ("AssertionError", path, ("cp312",))
    ran = [command.argv for command in workspace.run.asked if command.argv[0] in {"first", "second", "third"}]  # type: ignore[attr-defined]  # the fake keeps its commands
    assert ran == [("first", "a b"), ("second", "--now")]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("demo-1.0-cp311-abi3-manylinux_2_28_x86_64.whl", ("cp311", "cp312")),
        ("demo-1.0-cp312-abi3-manylinux_2_17_x86_64.whl", ("cp312",)),
        ("demo-1.0-cp311-cp311-manylinux_2_28_x86_64.whl", ("cp311",)),
        ("demo-1.0-cp314-cp314t-manylinux_2_28_x86_64.whl", ("cp314t",)),
        ("demo-1.0-cp311-abi3-manylinux_2_31_x86_64.whl", ()),
        ("demo-1.0-cp311-abi3-win_amd64.whl", ()),
    ],
)
def test_a_wheel_serves_where_an_installer_would_take_it(name: str, expected: tuple[str, ...]) -> None:
    interpreters = tuple(map(Interpreter.parse, ("cp311", "cp312", "cp314t")))
    assert supported_interpreters(Path(name), job(), interpreters) == expected


@pytest.mark.parametrize(
    ("builder", "files", "expected"),
    [
        (
            Builder.HOST,
            {"cp311-cp311": ("cp311",)},
            [
                (
                    "no wheel for cp312, cp313t: not installed here, or skipped; to build them: uv "
                    "python install 3.12 3.13t"
                )
            ],
        ),
        (
            Builder.CIBUILDWHEEL,
            {"cp311-abi3": ("cp311",)},
            ["no wheel for cp313t: not installed here, or skipped", "not tested on cp312: "],
        ),
        (Builder.HOST, {"cp311-abi3": ("cp311", "cp312"), "cp313-cp313t": ("cp313t",)}, []),
    ],
)
def test_unsupported_and_untested_interpreters_are_reported(
    builder: Builder, files: dict[str, tuple[str, ...]], expected: list[str]
) -> None:
    one = replace(job("manylinux_2_28_x86_64", "cp311", "cp312", "cp313t"), builder=builder)
    made = [
        BuiltWheel(path=Path(f"demo-1.0-{tags}-manylinux_2_28_x86_64.whl"), cells=cells, tested=cells)
        for tags, cells in files.items()
    ]
    notes = list(dispatch._left_out(one, made, ()))
    assert [text[: len(start)] for text, start in zip(notes, expected, strict=True)] == expected


@pytest.mark.parametrize("requires", [(), ("nanobind>=2",)])
def test_a_project_of_nanobind_is_compiled_once_because_zig_cannot_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, requires: tuple[str, ...]
) -> None:
    monkeypatch.setattr(zig_compile, "supports_target", lambda _target: True)
    workspace = make_workspace(tmp_path, Uv())
    step = job("manylinux_2_17_x86_64", "cp312")
    step = replace(step, distribution=replace(step.distribution, build_requires=requires))
    tried: list[str] = []
    monkeypatch.setattr(
        host_compile.HostCompiler,
        "_try_zig",
        lambda _self, _python, reason: tried.append(reason) or WheelkitError("no"),
    )
    with pytest.raises(CheckFailedError, match="needs a newer system than manylinux_2_17_x86_64"):
        replace(compiler(workspace), step=step).compile(pythons("cp312")["cp312"])
    assert bool(tried) is not bool(requires)
