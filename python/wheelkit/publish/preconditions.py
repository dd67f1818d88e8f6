"""Checks before an upload: commit and tag, native builds, verification, and the index's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.errors import CheckFailedError
from wheelkit.machine.concurrency import worker_pool
from wheelkit.publish import twine
from wheelkit.publish.index_rules import refused_findings
from wheelkit.publish.origins import Part, require_origin
from wheelkit.publish.siblings import Patience, await_siblings, find_siblings
from wheelkit.text import lines_of, plural
from wheelkit.verification.contract import contract_of
from wheelkit.verification.run import verify

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from wheelkit.config import Config
    from wheelkit.publish.index import Index
    from wheelkit.publish.model import Release
    from wheelkit.publish.origins import PublishTerms
    from wheelkit.publish.session import PublishSession
    from wheelkit.publish.siblings import Sibling
    from wheelkit.verification.model import Finding, Report


def require_publishable(
    release: Release, indexes: Iterable[Index], terms: PublishTerms, session: PublishSession
) -> None:
    """Check that a release may be published on all of the indexes.

    Raises CheckFailedError with all reasons of one kind, UsageError for an option that does not fit an index,
    IndexUnavailableError where an index has to be asked and does not answer.
    """
    indexes = tuple(indexes)
    for index in indexes:
        require_origin(Part(release, index, session), terms)
    for index in indexes:
        _require_siblings(release, index, terms, session)
    _require_native(release, terms.config)
    # A part promises nothing for the other members.
    shipped = {distribution.key for distribution in release.distributions}
    contract = contract_of(terms.config, terms.family.part(shipped))
    with worker_pool(1) as pool:
        # twine takes as long to start as verification takes.
        twine_check = pool.submit(twine.check, session.run, release.files)
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


def _require_siblings(release: Release, index: Index, terms: PublishTerms, session: PublishSession) -> None:
    def find() -> tuple[Sibling, ...]:
        return find_siblings(release, index, session.client, terms.family, terms.config.ci.production)

    patience = Patience(seconds=terms.wait, note=session.progress.note)
    await_siblings(find, patience, session.client.clock)


def _refuse(message: str, problems: Iterable[str], hint: str) -> None:
    detail = lines_of(problems)
    if detail:
        raise CheckFailedError(message, detail=detail, hint=hint)


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
