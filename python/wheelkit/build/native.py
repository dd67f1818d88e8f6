"""The main job: this machine's native wheels, from the sdist to a proven wheel in the dist folder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from wheelkit import manifest
from wheelkit.build import cibuildwheel, host
from wheelkit.build.deliver import deliver, require_writable
from wheelkit.build.progress import step
from wheelkit.build.sdist import make_sdist
from wheelkit.errors import CheckFailedError, ProjectError
from wheelkit.matrix import System
from wheelkit.plan import Builder
from wheelkit.repair import TOOLS
from wheelkit.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from wheelkit.build.made import Made
    from wheelkit.build.sdist import SourceDist
    from wheelkit.build.workshop import Workshop
    from wheelkit.checks.contract import Contract
    from wheelkit.manifest import Manifest
    from wheelkit.plan import NativeStep, Plan
    from wheelkit.report.model import Report

    Build = Callable[["NativeStep", SourceDist, Workshop], tuple[Made, ...]]

_BUILDERS: Mapping[Builder, Build] = {Builder.CIBUILDWHEEL: cibuildwheel.build, Builder.HOST: host.build}


@dataclass(frozen=True, kw_only=True, slots=True)
class Built:
    """The finished wheels in the dist folder, their manifests, and the report on them."""

    wheels: tuple[Path, ...]
    manifests: tuple[Manifest, ...]
    report: Report


def build_native(plan: Plan, contract: Contract, shop: Workshop) -> Built:
    """Execute the native steps of the plan: sdist, wheels, repair, tests, proof, and only then the dist folder.

    Raises what the builders raise, ProjectError when nothing can be built here, CheckFailedError (with the findings) for a wheel that
    is not what it claims. Until the last moment the dist folder stays as it was.
    """
    if not plan.steps:
        raise _nothing_to_build(plan)
    require_writable(plan.out)
    sources: dict[str, SourceDist] = {}
    results: list[tuple[NativeStep, SourceDist, tuple[Made, ...]]] = []
    for job in plan.steps:
        key = job.distribution.key
        if key not in sources:
            sources[key] = make_sdist(job.distribution, shop)
        _announce(job, plan, shop)
        results.append((job, sources[key], _BUILDERS[job.builder](job, sources[key], shop)))
    report = _proven(results, contract, shop)
    return _delivered(results, plan, report)


def _nothing_to_build(plan: Plan) -> ProjectError:
    if not plan.family.native:
        names = ", ".join(item.name for item in plan.family.distributions)
        return ProjectError(
            f"no native distribution was found ({names}: pure Python)",
            hint='if one of them compiles code, say so: [tool.wheelkit.distribution.NAME] kind = "native"',
        )
    reasons = "\n".join(f"{row.target}: {row.why}" for row in plan.targets)
    return ProjectError("none of the promised targets can be built on this machine", detail=reasons, hint="wheelkit plan")


def _announce(job: NativeStep, plan: Plan, shop: Workshop) -> None:
    if job.builder is Builder.HOST:
        why = next(row.why for row in plan.targets if row.target == job.target)
        shop.progress.note(f"using the host builder ({why})")


def _proven(results: list[tuple[NativeStep, SourceDist, tuple[Made, ...]]], contract: Contract, shop: Workshop) -> Report:
    """Verify the wheels as they are about to ship; coverage is judged later, over the whole dist folder."""
    files = [one.path for _, _, made in results for one in made]
    with step(shop.progress, "verify"):
        report = verify(files, contract)
        if not report.ok:
            failing = [finding for finding in report.findings if finding.fails]
            lines = [f"{one.code}  {one.file}: {one.what}\n       {one.fix}" for one in failing]
            count = f"{len(failing)} finding{'s' if len(failing) > 1 else ''}"
            raise CheckFailedError(
                f"what was built is not what it claims: {count}; dist/ is as it was",
                detail="\n".join(lines),
                hint=f"wheelkit explain {failing[0].code}",
            )
    return report


def _delivered(results: list[tuple[NativeStep, SourceDist, tuple[Made, ...]]], plan: Plan, report: Report) -> Built:
    merged: dict[tuple[str, str], list[tuple[NativeStep, SourceDist, Made]]] = {}
    for job, source, made in results:
        merged.setdefault((job.distribution.key, job.target.tag), []).extend((job, source, one) for one in made)
    wheels: list[Path] = []
    records: list[Manifest] = []
    for group in merged.values():
        record = _record(group)
        wheels += deliver([made.path for _, _, made in group], record, plan.out)
        records.append(record)
    return Built(wheels=tuple(wheels), manifests=tuple(records), report=report)


def _record(group: list[tuple[NativeStep, SourceDist, Made]]) -> Manifest:
    job, source, _ = group[0]
    stated = source.distribution
    files = tuple(
        manifest.describe(made.path, "wheel", cells=made.cells, tested=made.tested, grafted=made.grafted, excluded=made.excluded)
        for _, _, made in group
    )
    return manifest.Manifest(
        distribution=stated.key,
        version=stated.version or "",
        target=job.target.tag,
        builder=job.builder,
        source=source.sha256,
        commit=source.commit,
        dirty=source.dirty,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        tools=_tools(job),
        files=files,
    )


def _tools(job: NativeStep) -> Mapping[str, str]:
    """Give the versions of what built and repaired; inside a container the repair tool is the image's own."""
    names = ["wheelkit", "cibuildwheel" if job.builder is Builder.CIBUILDWHEEL else "uv"]
    if job.builder is Builder.HOST or job.target.system is not System.LINUX:
        names.append(TOOLS[job.target.system])
    return {name: _version(name) for name in names}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"
