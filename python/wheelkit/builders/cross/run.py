"""Builds, renames and repairs the wheels of several targets, some at a time.

They are verified like all other wheels, but not tested, as they do not run on this machine.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit import wheel as wheels
from wheelkit.builders import zig_compile
from wheelkit.builders.cross.environment import HIDDEN_VARIABLES, make_environment
from wheelkit.builders.cross.files import CrossFiles
from wheelkit.builders.cross.limits import NATIVE_HINT
from wheelkit.builders.frontend import BuildTask, build_file, repair_wheel
from wheelkit.builders.results import Failure, StepResult
from wheelkit.errors import CheckFailedError, ToolFailedError
from wheelkit.machine.compilers import find_zig, zig_environment
from wheelkit.machine.concurrency import run_jobs, worker_count
from wheelkit.machine.interpreters import pythons_with_headers
from wheelkit.machine.process import Command, find_tool, query_checked, run_checked
from wheelkit.machine.time_limits import REWRITE
from wheelkit.matrix import System
from wheelkit.plan.cross import cross_target
from wheelkit.plan.model import FILES, OUT, PYTHON, SDIST
from wheelkit.project.backends import CrossBuild
from wheelkit.wheel.names import parse_file_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheelkit.builders.cross.environment import BuildEnvironment
    from wheelkit.builders.results import BuiltWheel
    from wheelkit.builders.sdist import SourceDist
    from wheelkit.machine.concurrency import Stop
    from wheelkit.machine.workspace import Workspace
    from wheelkit.matrix import Interpreter
    from wheelkit.plan import NativeStep
    from wheelkit.plan.cross import CrossTarget


_HEADERS = "import sysconfig; print(sysconfig.get_path('include'))"
_ABI3 = ".abi3.so"
_ELF = b"\x7fELF"
_OTHER_LANGUAGE = f"cross builds compile only C, C++ and Cython\n{NATIVE_HINT}"
_TOO_NEW = (
    "the symbol is not in the stable ABI of the oldest promised interpreter: "
    "raise that version, or avoid the call"
)
# What Meson and zig's linker print, and the hint for it.
_HINTS = (
    ("not defined in cross", _OTHER_LANGUAGE),
    ("No host machine compiler for", _OTHER_LANGUAGE),
    ("undefined symbol: Py", _TOO_NEW),
    ("undefined symbol: _Py", _TOO_NEW),
)


def build_all(
    steps: Sequence[NativeStep], source: SourceDist, workspace: Workspace, *, fail_fast: bool = False
) -> tuple[StepResult, ...]:
    """Build the wheel of each step, in the order of the steps; one that fails does not end the others.

    With ``fail_fast`` it does. Raises MissingToolError without zig or an interpreter with headers.
    """
    # The oldest one: later headers contain its limited API too.
    promised = {interpreter for job in steps for interpreter in job.interpreters}
    python = next(iter(pythons_with_headers(promised).values()))
    asked = Command(argv=(str(python.path), "-I", "-c", _HEADERS))
    headers = Path(query_checked(asked, f"asking {python.path} for its headers").output)
    with workspace.step("build environment"):
        folder = workspace.new_folder("cross")
        environment = make_environment(source.distribution, python.path, folder, workspace.run, source.path)
    results: dict[int, StepResult] = {}

    def build(number: int, stop: Stop | None) -> None:
        target = steps[number].target
        own = workspace.for_job(str(target), stop)
        try:
            with workspace.step(f"cross build {target}"):
                wheel = _CrossBuild(
                    step=steps[number],
                    source=source,
                    environment=environment,
                    headers=headers,
                    folder=workspace.new_folder(f"cross-{target}"),
                    workspace=own,
                ).wheel()
            results[number] = StepResult(wheels=(wheel,))
        except (ToolFailedError, CheckFailedError) as error:
            results[number] = StepResult(failures=(Failure(error=error, log=own.log),))
            if fail_fast:
                raise

    # Windows first: its C library takes zig longer to compile, the first time, than everything else.
    order = sorted(range(len(steps)), key=lambda number: steps[number].target.system is not System.WINDOWS)
    # One more than there are processors, since Meson does not use its processor all the time.
    with suppress(*((ToolFailedError, CheckFailedError) if fail_fast else ())):
        run_jobs(order, build, workers=worker_count() + 1)
    return tuple(results.get(number, StepResult()) for number in range(len(steps)))


class _CrossBuild(Struct, frozen=True, kw_only=True):
    """The build of one target's wheel, in a folder of its own."""

    step: NativeStep
    source: SourceDist
    environment: BuildEnvironment
    headers: Path
    folder: Path
    workspace: Workspace

    @property
    def target(self) -> CrossTarget:
        target = cross_target(self.step.target)
        assert target is not None  # noqa: S101 - a plan has no step for a target that zig does not support
        return target

    @property
    def floor(self) -> Interpreter:
        return min(self.step.interpreters, key=lambda interpreter: interpreter.version)

    @property
    def _how(self) -> CrossBuild:
        return self.step.distribution.build_backend.cross

    def wheel(self) -> BuiltWheel:
        """Build, rename and repair the wheel; C++ that other libraries or modules share is rejected."""
        wheel = self._rename(self._edit(self._compile()))
        content = wheels.read(wheel)
        zig_compile.reject_shared_cxx(content)
        zig_compile.reject_shared_registry(content, mark="")
        return repair_wheel(wheel, self.step, self.step.interpreters, self.workspace)

    def _compile(self) -> Path:
        """Build the raw wheel from the sdist; its name is still that of this machine."""
        files, out = self.folder / "files", self.folder / "raw"
        files.mkdir()
        cross_files = CrossFiles(
            target=self.target, floor=self.floor, headers=self.headers, zig=find_zig(), how=self._how
        )
        variables = cross_files.write(files, self.workspace.run)
        values = {
            FILES: str(files),
            OUT: str(out),
            SDIST: str(self.source.path),
            PYTHON: str(self.environment.python),
        }
        command = Command(
            argv=(find_tool("uv"), *(_fill_in(word, values) for word in self.step.argv[1:])),
            env={**variables, **zig_environment()},
            unset=HIDDEN_VARIABLES,
            prefix_path=(str(self.environment.scripts),),
        )
        distribution = self.step.distribution
        purpose = f"cross-building {distribution.name} for {self.step.target}"
        task = BuildTask(purpose=purpose, distribution=distribution, hints=_HINTS)
        return build_file(self.workspace.run, command, out, task)[0]

    def _edit(self, raw: Path) -> Path:
        """Give musl its real soname, which zig's libc lacks, and modules for Windows their suffix there.

        Import libraries are removed.
        """
        if not (self.target.libc or self.target.import_library):
            return raw
        unpacked, packed = self.folder / "unpacked", self.folder / "packed"
        packed.mkdir()
        self._run("wheel", "unpack", "--dest", str(unpacked), str(raw), task=f"unpacking {raw.name}")
        (content,) = unpacked.iterdir()
        for path in sorted(content.rglob("*")):
            if self.target.import_library and path.name.endswith(".dll.a"):
                path.unlink()
            elif self.target.import_library and path.name.endswith(_ABI3):
                path.rename(path.with_name(path.name.removesuffix(_ABI3) + self.target.suffix))
            elif self.target.libc and path.is_file() and path.read_bytes()[:4] == _ELF:
                options = ("--replace-needed", "libc.so", self.target.libc)
                self._run("patchelf", *options, str(path), task=f"setting the name of musl in {path.name}")
        self._run("wheel", "pack", "--dest-dir", str(packed), str(content), task=f"packing {raw.name}")
        shutil.rmtree(unpacked)
        return next(packed.glob("*.whl"))

    def _rename(self, raw: Path) -> Path:
        """Rename the wheel for its target before it is repaired: what repair tools do depends on the tags.

        A Linux wheel gets the plain tag, from which auditwheel, which recognises musl, computes the real one.
        """
        name = parse_file_name(raw.name)
        if self._how is not CrossBuild.MESON and "abi3" not in name.abis:
            raise CheckFailedError(
                f"{raw.name} is for one version of Python only; cross builds need the limited API",
                hint="set py-limited-api (setuptools) or py-api (scikit-build-core)",
            )
        # meson-python names the building interpreter, setuptools the version that is configured.
        python = self.floor.tag if self._how is CrossBuild.MESON else name.pythons[0]
        is_linux = self.step.target.system is System.LINUX
        platform = self.target.platform.replace("-", "_") if is_linux else self.step.target.tag
        tags = ("--python-tag", python, "--abi-tag", "abi3", "--platform-tag", platform)
        task = f"renaming {raw.name} for {self.step.target}"
        self._run("wheel", "tags", "--remove", *tags, str(raw), task=task)
        return next(raw.parent.glob("*.whl"))

    def _run(self, tool: str, *arguments: str, task: str) -> None:
        timeout = REWRITE.of(self.source.path.stat().st_size)
        run_checked(self.workspace.run, Command(argv=(find_tool(tool), *arguments), timeout=timeout), task)


def _fill_in(word: str, values: dict[str, str]) -> str:
    for placeholder, value in values.items():
        word = word.replace(placeholder, value)
    return word
