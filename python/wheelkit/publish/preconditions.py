"""Checks before an upload: commit and tag, native builds, verification, and the index's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.errors import CheckFailedError, UsageError
from wheelkit.machine.concurrency import worker_pool
from wheelkit.machine.git import Repository
from wheelkit.publish import twine
from wheelkit.publish.index_rules import refused_findings
from wheelkit.text import lines_of, plural, shorten_list
from wheelkit.verification.contract import contract_of
from wheelkit.verification.run import verify
from wheelkit.versions.git import DEFAULT_TEMPLATE
from wheelkit.versions.state import settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from wheelkit.config import Config
    from wheelkit.machine.process import Run
    from wheelkit.project.family import Family
    from wheelkit.publish.index import Index
    from wheelkit.publish.model import Release
    from wheelkit.verification.model import Finding, Report


class PublishTerms(Struct, frozen=True, kw_only=True):
    """The project that a release has to fit, and the options of its publication.

    ``tag_later`` is for a caller that creates the tags after publishing.
    """

    config: Config
    family: Family
    allow_dirty: bool = False
    tag_later: bool = False


def require_publishable(release: Release, indexes: Iterable[Index], terms: PublishTerms, run: Run) -> None:
    """Check that a release may be published on all of the indexes.

    Raises CheckFailedError with all reasons of one kind, UsageError for an option that does not fit an index.
    """
    indexes = tuple(indexes)
    for index in indexes:
        _require_commit(release, index, terms)
    _require_native(release, terms.config)
    contract = contract_of(terms.config, terms.family)
    with worker_pool(1) as pool:
        # twine takes as long to start as verification takes.
        twine_check = pool.submit(twine.check, run, release.files)
        report = verify([release.location], contract)
        _require_verified(report, release.folder)
        _refuse(
            "the index's rules forbid these files; nothing was uploaded",
            [
                f"{_describe(finding)}; {rule.rule}"
                for finding, rule in refused_findings(report.findings, indexes)
            ],
            hint="fix it and build again\n"
            "if the index makes an exception for your project, accept the finding with a reason:"
            "  distribution.NAME.ignore",
        )
        _refuse(
            "twine check reports problems; nothing was uploaded",
            twine_check.result().splitlines(),
            hint="fix the project's metadata, most often its readme, and build again",
        )


def _refuse(message: str, problems: Iterable[str], hint: str) -> None:
    detail = lines_of(problems)
    if detail:
        raise CheckFailedError(message, detail=detail, hint=hint)


def _require_commit(release: Release, index: Index, terms: PublishTerms) -> None:
    if terms.allow_dirty:
        if not index.staging:
            raise UsageError(
                f"--allow-dirty is for staging indexes, and {index} is not one",
                hint='testpypi is one; to name yours:  [tool.wheelkit.ci] staging = "NAME"',
            )
        return
    alternative = "\nor, for this staging index:  --allow-dirty" if index.staging else ""
    if release.dirty:
        raise CheckFailedError(
            f"the files were built with uncommitted changes on {release.commit[:12]}; nothing was uploaded",
            hint=f"commit the changes and build again{alternative}",
        )
    if not release.commit:
        raise CheckFailedError(
            "the files were built outside version control, so their source is unknown; nothing was uploaded",
            hint=f"put the project under git, commit and build again{alternative}",
        )
    if not index.staging:
        _refuse(
            f"releases on {index} need a tag on the commit that they were built from; nothing was uploaded",
            _tag_problems(release, terms),
            hint="a published tag never moves; release a new version:  wheelkit version bump patch"
            if terms.tag_later
            else "tag the commit:  wheelkit version tag\n"
            "if the tag is on another commit, release a new version:  wheelkit version bump patch",
        )


def release_tags(release: Release, config: Config) -> dict[str, list[str]]:
    """Return the names of a release's tags, each with the distributions and versions that share it."""
    tags: dict[str, list[str]] = {}
    for distribution in release.distributions:
        template = settings(config, distribution.key).tag or DEFAULT_TEMPLATE
        tags.setdefault(template.replace("{version}", distribution.version), []).append(str(distribution))
    return tags


def _tag_problems(release: Release, terms: PublishTerms) -> Iterator[str]:
    """Yield the tags that are on another commit, and without ``tag_later`` those that do not exist."""
    repository = Repository(folder=terms.config.root)
    repository.require_trusted()
    for name, owners in release_tags(release, terms.config).items():
        commit = repository.commit_of(name)
        verb = "was" if len(owners) == 1 else "were"
        built = f"{shorten_list(owners, 1)} {verb} built from {release.commit[:12]}"
        if commit and commit != release.commit:
            yield f"{name} is on {commit[:12]}, but {built}"
        elif not commit and not terms.tag_later:
            yield f"{name} does not exist; {built}"


def _require_native(release: Release, config: Config) -> None:
    cross_built = [file.name for file in release.files if file.builder == "cross"]
    if cross_built and not config.publish.allow_cross:
        raise CheckFailedError(
            f"{plural(len(cross_built), 'wheel is', 'wheels are')} cross-built: verified, but never run;"
            " nothing was uploaded",
            detail=lines_of(cross_built),
            hint="build each on its own system:  wheelkit plan  names the runners\n"
            "or accept cross-built wheels:  [tool.wheelkit.publish] allow-cross = true",
        )


def _require_verified(report: Report, folder: Path) -> None:
    failing = [finding for finding in report.findings if finding.fails]
    if failing:
        raise CheckFailedError(
            f"verification failed with {plural(len(failing), 'finding')}; nothing was uploaded",
            detail=lines_of(map(_describe, failing)),
            hint=f"explanation:       wheelkit explain {failing[0].code}\n"
            f"the whole matrix:  wheelkit verify-matrix {folder}",
        )


def _describe(finding: Finding) -> str:
    place = finding.file or ("" if finding.what.startswith(finding.where) else finding.where)
    return f"{finding.code}  {place}{': ' if place else ''}{finding.what}"
