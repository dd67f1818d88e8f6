"""Commands with what they find, for golden documents and screens: real files, prepared tools and indexes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

import malformed
from malformed import LINUX
from support.command import git_commit
from support.publishing import HERE, make_scene
from support.sample_families import CLI, CORE, put
from support.wheels import PURE, metadata, write_wheel
from wheelkit.builders.execute import BuildOutcome
from wheelkit.command_line import main
from wheelkit.doctor import CheckLine, LineState
from wheelkit.machine import facts
from wheelkit.machine.emulators import Runtime
from wheelkit.machine.interpreters import Python
from wheelkit.manifest import BuiltFile, Manifest, sha256
from wheelkit.matrix import Interpreter, System, Target
from wheelkit.publish.transaction import PublishResult, plan_publication
from wheelkit.release import ReleaseResult
from wheelkit.repair.run import Repaired
from wheelkit.smoke.model import Case, CaseResult, Failure, InstallMode, NotRun, SmokeResult
from wheelkit.versions.tags import ReleaseTag

Patch = pytest.MonkeyPatch
NATIVE = """[build-system]
build-backend = "mesonpy"
[project]
name = "momentum"
version = "1.2.0"
requires-python = ">=3.11"
[tool.wheelkit.matrix]
targets = ["manylinux_2_28_x86_64", "win_amd64"]
interpreters = ["cp311", "cp312"]
"""
# The interpreter that runs the tests is here for sure.
HERE_ONLY = NATIVE.replace('"cp311", "cp312"', f'"cp3{sys.version_info.minor}"')
MACHINE = facts.Machine(system=System.LINUX, arch="x86_64", libc="manylinux", libc_version=(2, 36))
# What a command does between its arguments and its document, where that takes real tools or an index.
Make = Callable[[Path, Patch], None]


def native(folder: Path, _patch: Patch) -> None:
    (folder / "pyproject.toml").write_text(HERE_ONLY)


def versions(folder: Path, _patch: Patch) -> None:
    put(folder, {"core/pyproject.toml": CORE, "cli/pyproject.toml": CLI})
    tag = '[distribution.cli]\ntag = "cli-v{version}"\n'
    (folder / "wheelkit.toml").write_text(f'distributions = ["*"]\n{tag}')
    git_commit(folder)


def changelog(folder: Path, patch: Patch) -> None:
    versions(folder, patch)
    put(folder, {"core/CHANGELOG.md": "# Changes\n\n## 2.3.0\n\n- A change.\n\n## 2.2.0\n"})


def disagreeing(folder: Path, patch: Patch) -> None:
    versions(folder, patch)
    put(folder, {"core/pyproject.toml": CORE.replace("2.3.0", "3.0.0")})


def drifted(folder: Path, _patch: Patch) -> None:
    (folder / "pyproject.toml").write_text(NATIVE)
    assert main(["ci"]) == 0
    (folder / "pyproject.toml").write_text(NATIVE.replace(', "win_amd64"', ""))


def wheels(folder: Path, _patch: Patch) -> None:
    malformed.valid_wheel(LINUX).write(folder)
    (folder / "old").mkdir()
    write_wheel(folder / "old", PURE)


def dist(folder: Path, _patch: Patch) -> None:
    """Write a dist with fine and missing cells, and findings of all severities."""
    (folder / "pyproject.toml").write_text(NATIVE.replace("momentum", "demo").replace("1.2.0", "1.0"))
    (folder / "dist").mkdir()
    malformed.valid_wheel(LINUX).write(folder / "dist")
    (folder / "dist" / "demo-1.0-py2-none-any.egg").write_bytes(b"")
    more = {"{info}/METADATA": metadata("demo", "1.0", "License-File: NONE"), "demo/a.py~": ""}
    write_wheel(folder / "dist", "demo-1.0-cp312-cp312-manylinux_2_28_x86_64.whl", members=more)


def cached(folder: Path, patch: Patch) -> None:
    patch.setenv("WHEELKIT_CACHE_DIR", str(folder / "cache"))
    (folder / "cache/v2/entries").mkdir(parents=True)
    (folder / "cache/v2/entries/x").write_text("x")


def earlier(folder: Path, patch: Patch) -> None:
    dist(folder, patch)
    (folder / "old").mkdir()
    write_wheel(folder / "old", "demo-0.9-cp311-cp311-win_amd64.whl")


def lines(_folder: Path, patch: Patch) -> None:
    found = [CheckLine(topic="a", name="b", state=state, detail="c", fix="d") for state in LineState]
    patch.setattr("wheelkit.cli.doctor.run_checks", lambda _context: found)


def built(folder: Path, patch: Patch) -> None:
    native(folder, patch)
    file = BuiltFile(
        file=LINUX, sha256="0" * 64, size=1, kind="wheel", cells=("cp311",), tested=("cp311",),
        grafted=("a",), excluded=("b",),
    )  # fmt: skip
    made = Manifest(
        distribution="momentum", version="1.2.0", target="manylinux_2_28_x86_64", builder="host",
        source="0" * 64, commit="0" * 40, dirty=False, created="2026-01-01T00:00:00+00:00",
        tools={"cibuildwheel": "4.3"}, files=(file,), source_date_epoch=1_700_000_000,
    )  # fmt: skip
    patch.setattr("wheelkit.cli.build.execute", lambda *_: BuildOutcome(files=(), manifests=(made,)))


def artifacts(folder: Path, patch: Patch) -> None:
    """Write a project, and files of it as a CI service has them."""
    native(folder, patch)
    name = LINUX.replace("demo-1.0", "momentum-1.2.0")
    (folder / "artifacts").mkdir()
    wheel = write_wheel(folder / "artifacts", name)
    file = BuiltFile(file=name, sha256=sha256(wheel), size=wheel.stat().st_size, kind="wheel")
    made = Manifest(
        distribution="momentum", version="1.2.0", target="manylinux_2_28_x86_64", builder="host",
        source="0" * 64, commit="0" * 40, dirty=False, created="2026-01-01T00:00:00+00:00",
        tools={"cibuildwheel": "4.3"}, files=(file,),
    )  # fmt: skip
    (folder / "artifacts" / made.filename).write_text(made.to_json())


def repaired(folder: Path, patch: Patch) -> None:
    path = malformed.valid_wheel(LINUX).write(folder)
    done = Repaired(path=path, grafted=("a",), excluded=("b",), unmatched=(), unsigned=("c",))
    patch.setattr("wheelkit.cli.repair.repair", lambda *_: done)


def smoked(folder: Path, patch: Patch) -> None:
    write_wheel(folder, PURE)
    python = Python(interpreter=Interpreter.parse("cp311"), path=Path("/p"), version="3.11.9", headers=True)
    cases = [
        Case(
            distribution=name, mode=mode, python=python, requirements=("demo",), packages={}, needed={},
            checked=("demo",),
        )
        for name in ("demo", None)
        for mode in InstallMode
    ]  # fmt: skip
    failure = Failure(check="import demo", what="no", detail="x", fix="y")
    failed = CaseResult(case=cases[0], failures=(failure,), checks=2, seconds=1.5, log=folder, kept=folder)
    results = (failed, *(CaseResult(case=case, checks=2, seconds=1.5) for case in cases))
    runtime = Runtime(emulator="wine", format="pe", words=("wine",), target=Target.parse("win_amd64"))
    emulated = replace(cases[0], python=replace(python, runtime=runtime))
    results += (CaseResult(case=emulated, checks=2, seconds=1.5),)
    wheel = NotRun(file="x.whl", what="no", fix="y", missing=True)
    patch.setattr(
        "wheelkit.cli.smoke.smoke",
        lambda *_: SmokeResult(
            results=results, skipped=("cp315",), not_run=(wheel,), notes=("a",), order=("demo",)
        ),
    )


def scene(folder: Path, patch: Patch) -> PublishResult:
    """Let publishing find a release of which the index has one file."""
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "core"\nversion = "1.0"\n'
        '[tool.wheelkit.index.here]\nupload = "http://h.invalid/legacy/"\nsimple = "http://h.invalid/simple/"\n'
        '[tool.wheelkit.ci]\nstaging = "here"\n'
    )
    (folder / "dist").mkdir()
    made = make_scene(folder / "dist")
    first, *_ = made.release.files
    made.index.keep(first.name, first.sha256)
    patch.setattr("wheelkit.publish.collect_release", lambda *_: made.release)
    patch.setattr("wheelkit.publish.open_session", lambda *_: made.session)
    patch.setattr("wheelkit.publish.require_publishable", lambda *_: None)
    plan = plan_publication(made.release, HERE, made.session.client)
    return PublishResult(plan=plan, uploaded=(first.name,))


def published(folder: Path, patch: Patch) -> None:
    scene(folder, patch)


def released(folder: Path, patch: Patch) -> None:
    stage = scene(folder, patch)
    tag = ReleaseTag(name="v1.0", version="1.0", distributions=("core",), exists=False)
    result = ReleaseResult(release=stage.plan.release, stages=(stage,), created_tags=(tag,))
    patch.setattr("wheelkit.release.run_release", lambda *_: result)


# Golden document: the command, its exit code, and what it finds.
DOCUMENTS: dict[str, tuple[list[str], int, Make]] = {
    "build": (["build", "--no-cache"], 0, built),
    "build-dry-run": (["build", "--dry-run", "--no-cache"], 0, native),
    "ci": (["ci", "--check"], 1, drifted),
    "clean": (["clean", "--all", "--dry-run"], 0, dist),
    "clean-cache": (["clean", "--cache", "--dry-run"], 0, cached),
    "doctor": (["doctor", "--offline"], 1, lines),
    "explain": (["explain", "WK101", "WK105", "WK120"], 0, native),
    "fetch-dist": (["fetch-dist", "--from", "artifacts"], 0, artifacts),
    "inspect": (["inspect", LINUX], 0, wheels),
    "inspect-two": (["inspect", f"old/{PURE}", LINUX], 0, wheels),
    "plan": (["plan"], 0, native),
    "plan-identifiers": (["plan", "--identifiers", "all"], 0, native),
    "publish": (["publish", "dist", "--to", "here"], 0, published),
    "publish-dry-run": (["publish", "dist", "--to", "here", "--dry-run"], 0, published),
    "release": (["release", "dist"], 0, released),
    "repair": (["repair", LINUX], 0, repaired),
    "smoke": (["smoke", "."], 1, smoked),
    "verify-matrix": (["verify-matrix", "dist"], 1, dist),
    "verify-matrix-against": (["verify-matrix", "dist", "--against", "old"], 1, earlier),
    "version bump": (["version", "bump", "minor"], 0, versions),
    "version check": (["version", "check"], 1, disagreeing),
    "version dev": (["version", "dev", "--stamp", "20261120143000", "--dry-run"], 0, versions),
    "version notes": (["version", "notes"], 1, changelog),
    "version set": (["version", "set", "3.0.0"], 0, versions),
    "version show": (["version", "show"], 0, versions),
    "version tag": (["version", "tag", "--no-remote", "--dry-run"], 0, versions),
}


def prepare(row: tuple[list[str], int, Make], folder: Path, patch: Patch) -> tuple[list[str], int]:
    """Make what a command of a table finds, in the current folder; returns its words and exit code."""
    words, code, make = row
    for name in [name for name in os.environ if name.startswith("CIBW_")]:
        patch.delenv(name)
    patch.chdir(folder)
    patch.setenv("CIBW_CONTAINER_ENGINE", "none")
    patch.setenv("XDG_STATE_HOME", str(folder / "state"))
    patch.setattr("wheelkit.machine.facts.detect", lambda **_: MACHINE)
    make(folder, patch)
    return words, code
