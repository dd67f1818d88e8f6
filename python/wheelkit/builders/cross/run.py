"""Builds, names and repairs the wheels of several targets, some at a time; they are proven like all others, and not run."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.builders.cross.environment import HIDDEN_VARIABLES, make_environment
from wheelkit.builders.cross.files import CrossFiles, write_files
from wheelkit.builders.cross.limits import NATIVE_HINT
from wheelkit.builders.results import BuiltWheel, supported_interpreters
from wheelkit.errors import MissingToolError, ToolFailedError
from wheelkit.machine.compilers import compiler_errors, find_zig, zig_environment
from wheelkit.machine.interpreters import find_pythons
from wheelkit.machine.process import Command, checked, failure, query
from wheelkit.machine.progress import ParallelProgress
from wheelkit.machine.workspace import SharedLog, find_tool
from wheelkit.matrix import System
from wheelkit.plan.cross import cross_target
from wheelkit.plan.model import FILES, OUT, PYTHON, SDIST
from wheelkit.repair.lines import RepairRecipe
from wheelkit.repair.run import repair

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheelkit.builders.cross.environment import Environment
    from wheelkit.builders.pure import SourceDist
    from wheelkit.machine.interpreters import Python
    from wheelkit.machine.process import Run
    from wheelkit.machine.workspace import Workspace
    from wheelkit.plan import NativeStep
    from wheelkit.plan.cross import CrossTarget


def _at_a_time() -> int:
    """Choose how many targets are built at once: one more than there are processors, so that none idles while Meson thinks."""
    return (os.cpu_count() or 1) + 1


class _CrossBuild(Struct, frozen=True, kw_only=True):
    """What the builds of one distribution share."""

    source: SourceDist
    environment: Environment
    headers: Path
    zig: Path
    shop: Workspace
    board: ParallelProgress


def build_all(jobs: Sequence[NativeStep], source: SourceDist, shop: Workspace) -> tuple[BuiltWheel, ...]:
    """Build the wheel of each job, in the order of the jobs.

    Raises MissingToolError without zig or an interpreter with headers, ToolFailedError when the backend or a repair tool refuses; the
    other builds are ended then.
    """
    zig = find_zig()
    python, headers = _python(jobs)
    board = ParallelProgress(shop.progress)
    with board.step("build environment"):
        environment = make_environment(source.distribution, python.path, shop.fresh("cross"), shop.run)
    bench = _CrossBuild(
        source=source, environment=environment, headers=headers, zig=zig, shop=shop, board=board
    )
    pool = ThreadPoolExecutor(max_workers=_at_a_time(), thread_name_prefix="cross")
    try:
        # Windows first: to compile its C library, for the first time, takes zig longer than all the others.
        order = sorted(jobs, key=lambda job: job.target.system is not System.WINDOWS)
        made = dict(zip(map(id, order), pool.map(lambda job: _build(job, bench), order), strict=True))
        return tuple(made[id(job)] for job in jobs)
    finally:
        bench.board.stopped.set()
        pool.shutdown(wait=True, cancel_futures=True)


def _python(jobs: Sequence[NativeStep]) -> tuple[Python, Path]:
    """Find the oldest promised interpreter here that has headers; the limited API of any later one serves too."""
    wanted = sorted({one for job in jobs for one in job.interpreters}, key=lambda one: one.version)
    for interpreter in wanted:
        python = find_pythons([interpreter]).get(interpreter.tag)
        if python is not None and python.headers:
            asked = query(
                Command(
                    argv=(
                        str(python.path),
                        "-I",
                        "-c",
                        "import sysconfig; print(sysconfig.get_path('include'))",
                    )
                )
            )
            return python, Path(asked.output)
    names = ", ".join(one.tag for one in wanted)
    raise MissingToolError(
        f"none of the promised interpreters ({names}) is on this machine with its headers",
        hint=f"uv python install {wanted[0].python}",
    )


def _build(job: NativeStep, bench: _CrossBuild) -> BuiltWheel:
    row = cross_target(job.target)
    assert row is not None  # noqa: S101 - the plan has no step for a target that zig does not serve
    place = bench.shop.fresh(f"cross-{job.target}")
    run = SharedLog(bench.shop, bench.board, place / "log")
    with bench.board.step(f"cross build {job.target}"):
        raw = _compiled(job, row, bench, place, run)
        named = _named(raw, job, row, place, run)
        recipe = RepairRecipe(target=job.target, patterns=job.patterns, lib_paths=job.lib_paths)
        done = repair(named, recipe, place / "repaired", run)
    cells = supported_interpreters(done.path, job, job.interpreters)
    return BuiltWheel(path=done.path, cells=cells, grafted=done.grafted, excluded=done.excluded)


def _compiled(job: NativeStep, row: CrossTarget, bench: _CrossBuild, place: Path, run: Run) -> Path:
    """Build the raw wheel from the sdist; its name is still that of the building machine."""
    files, out = place / "files", place / "raw"
    files.mkdir()
    floor = min(job.interpreters, key=lambda one: one.version)
    write_files(files, CrossFiles(row=row, floor=floor, headers=bench.headers, zig=bench.zig), run)
    filled = {
        FILES: str(files),
        OUT: str(out),
        SDIST: str(bench.source.path),
        PYTHON: str(bench.environment.python),
    }
    argv = (find_tool("uv"), *(_filled(word, filled) for word in job.argv[1:]))
    done = run(
        Command(
            argv=argv,
            env=zig_environment(),
            unset=HIDDEN_VARIABLES,
            prefix_path=(str(bench.environment.scripts),),
        )
    )
    if done.returncode != 0:
        raise _refused(failure(done, f"cross-building {job.distribution.name} for {job.target}"), done.output)
    built = sorted(out.glob("*.whl"))
    if len(built) != 1:
        raise ToolFailedError(
            f"cross-building {job.distribution.name} for {job.target} gave {len(built)} wheels, where one was expected"
        )
    return built[0]


def _filled(word: str, values: dict[str, str]) -> str:
    for placeholder, value in values.items():
        word = word.replace(placeholder, value)
    return word


def _refused(error: ToolFailedError, output: str) -> ToolFailedError:
    error.detail = compiler_errors(output) or error.detail
    if "not defined in cross" in output or "No host machine compiler for" in output:
        error.hint = f"cross builds compile C only (and Cython to C)\n{NATIVE_HINT}"
    elif "undefined symbol: Py" in output or "undefined symbol: _Py" in output:
        error.hint = "that symbol is not in the stable ABI of the oldest promised interpreter: raise the floor, or avoid the call"
    return error


def _named(raw: Path, job: NativeStep, row: CrossTarget, place: Path, run: Run) -> Path:
    """Name the wheel for its target, before repair: what repair tools write depends on the tags.

    auditwheel finds a Linux wheel's own tag, from the plain one; it knows musl by its soname, which zig's stand-in does not have.
    """
    if row.libc or row.import_library:
        raw = _mended(raw, row, place, run)
    floor = min(job.interpreters, key=lambda one: one.version)
    platform = row.platform.replace("-", "_") if job.target.system is System.LINUX else job.target.tag
    words = ("--remove", "--python-tag", floor.tag, "--abi-tag", "abi3", "--platform-tag", platform)
    checked(
        run,
        Command(argv=(find_tool("wheel"), "tags", *words, str(raw))),
        f"naming {raw.name} for {job.target}",
    )
    return next(raw.parent.glob("*.whl"))


def _mended(raw: Path, row: CrossTarget, place: Path, run: Run) -> Path:
    """Give musl its real soname, and leave out the import libraries that linkers for Windows make beside each module."""
    tree, packed = place / "tree", place / "packed"
    packed.mkdir()
    wheel = find_tool("wheel")
    checked(run, Command(argv=(wheel, "unpack", "--dest", str(tree), str(raw))), f"unpacking {raw.name}")
    (content,) = tree.iterdir()
    for path in sorted(content.rglob("*")):
        if row.import_library and path.name.endswith(".dll.a"):
            path.unlink()
        elif row.libc and path.is_file() and path.read_bytes()[:4] == b"\x7fELF":
            change = (find_tool("patchelf"), "--replace-needed", "libc.so", row.libc, str(path))
            checked(run, Command(argv=change), f"naming musl in {path.name}")
    checked(
        run, Command(argv=(wheel, "pack", "--dest-dir", str(packed), str(content))), f"packing {raw.name}"
    )
    shutil.rmtree(tree)
    return next(packed.glob("*.whl"))
