"""What has to hold before the first byte leaves: proof, policy, the tree, and the rules that the index would apply."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.errors import CheckFailedError, UsageError
from wheelkit.machine.git import Repository
from wheelkit.publish import twine
from wheelkit.text import plural, shorten_list, size
from wheelkit.verification.checks.size import INDEX_LIMIT
from wheelkit.verification.contract import contract_of
from wheelkit.verification.run import verify
from wheelkit.versions.git import DEFAULT_TEMPLATE
from wheelkit.versions.state import settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from wheelkit.config import Config
    from wheelkit.machine.process import Run
    from wheelkit.project.family import Family
    from wheelkit.publish.index import Index
    from wheelkit.publish.model import DistributionFiles, Release
    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding, Report


# Findings that are warnings in a dist, and that a public index refuses.
_PUBLIC_RULES: Mapping[str, str] = {
    "WK202": "names have to be normalised",
    "WK307": "linux_* tags are refused",
    "WK602": "the file is over the size limit",
    "WK703": "local versions are refused",
    "WK710": "the description has to render",
}


class PublishTerms(Struct, frozen=True, kw_only=True):
    """On what terms a release goes to an index; ``tag_later`` for a caller that makes the tags once all is well."""

    folder: Path
    config: Config
    family: Family
    allow_dirty: bool = False
    tag_later: bool = False


def require_publishable(release: Release, indexes: Iterable[Index], terms: PublishTerms, run: Run) -> Report:
    """Make sure that a release may go to all of the indexes; gives the proof.

    Raises CheckFailedError with all reasons of one kind together, UsageError for an option that does not fit the index.
    """
    wanted = tuple(indexes)
    strict = any(one.public for one in wanted)
    _require_tree(release, wanted, terms)
    _require_native(release, terms.config)
    contract = contract_of(terms.config, terms.family)
    with ThreadPoolExecutor(max_workers=1) as pool:
        # twine takes half a second to start, in which the proof is done.
        checking = pool.submit(twine.check, run, release.files)
        report = verify([terms.folder], contract)
        _require_proof(report)
        _refuse(
            "the index's own rules forbid it; nothing was uploaded",
            _index_rules(release, report, contract) if strict else (),
            hint="mend that and build again\nwhat this index grants your project is accepted, with a reason, by  distribution.NAME.ignore",
        )
        _refuse(
            "twine check --strict finds what the index would refuse; nothing was uploaded",
            checking.result().splitlines(),
            hint="mend the project's metadata, most often its readme, and build again",
        )
    return report


def _refuse(message: str, lines: Iterable[str], hint: str) -> None:
    detail = "\n".join(lines)
    if detail:
        raise CheckFailedError(message, detail=detail, hint=hint)


def _require_tree(release: Release, indexes: Iterable[Index], terms: PublishTerms) -> None:
    for index in indexes:
        if terms.allow_dirty and not index.staging:
            raise UsageError(
                f"--allow-dirty is for staging indexes, and {index} is none",
                hint='testpypi is one; name yours in the configuration:  [tool.wheelkit.ci] staging = "NAME"',
            )
        if not terms.allow_dirty:
            _require_clean(release, index)
            if not index.staging:
                _refuse(
                    f"what goes to {index} has to be tagged; nothing was uploaded",
                    _untagged(release, terms),
                    hint="wheelkit version tag"
                    if not terms.tag_later
                    else "a tag that was published never moves:  wheelkit version bump patch",
                )


def _require_clean(release: Release, index: Index) -> None:
    lift = "      or, for this staging index:  --allow-dirty" if index.staging else ""
    if release.dirty:
        raise CheckFailedError(
            f"these files were built with uncommitted changes, on top of {release.commit[:12]}; nothing was uploaded",
            hint=f"commit, then build again{lift}",
        )
    if not release.commit:
        raise CheckFailedError(
            "these files were built outside version control, so nobody can tell from what; nothing was uploaded",
            hint=f"put the project under git, commit, then build again{lift}",
        )


def _untagged(release: Release, terms: PublishTerms) -> Iterator[str]:
    """Name the tags that ought to stand on the release's commit and do not; with ``tag_later`` only those that stand elsewhere."""
    repository = Repository(folder=terms.config.root)
    repository.require_trusted()
    tags: dict[str, list[str]] = {}
    for batch in release.batches:
        template = settings(terms.config, batch.distribution).tag or DEFAULT_TEMPLATE
        tags.setdefault(template.replace("{version}", batch.version), []).append(
            f"{batch.name} {batch.version}"
        )
    for name, owners in tags.items():
        commit = repository.commit_of(name)
        built = f"{shorten_list(owners, 1)} {'was' if len(owners) == 1 else 'were'} built from {release.commit[:12]}"
        if commit and commit != release.commit:
            yield f"{name} stands on {commit[:12]}, and {built}"
        elif not commit and not terms.tag_later:
            yield f"{name} does not exist; {built}"


def _require_native(release: Release, config: Config) -> None:
    crossed = [one.name for one in release.files if one.builder == "cross"]
    if crossed and not config.publish.allow_cross:
        raise CheckFailedError(
            f"{plural(len(crossed), 'wheel is', 'wheels are')} cross-built, proven from bytes and never run; nothing was uploaded",
            detail="\n".join(crossed),
            hint="what is promised are native builds, each on its own system:  wheelkit plan  names the runners\n"
            "or accept these:  [tool.wheelkit.publish] allow-cross = true",
        )


def _require_proof(report: Report) -> None:
    failing = [one for one in report.findings if one.fails]
    if failing:
        raise CheckFailedError(
            f"verify-matrix has {plural(len(failing), 'finding')} that fail{'s' if len(failing) == 1 else ''}; nothing was uploaded",
            detail="\n".join(_line(one) for one in failing),
            hint=f"wheelkit explain {failing[0].code}      and the whole matrix:  wheelkit verify-matrix DIST",
        )


def _line(finding: Finding) -> str:
    place = finding.file or ("" if finding.what.startswith(finding.where) else finding.where)
    return f"{finding.code}  {place}{': ' if place else ''}{finding.what}"


def _index_rules(release: Release, report: Report, contract: Contract) -> Iterator[str]:
    for finding in report.findings:
        if finding.code in _PUBLIC_RULES and not finding.accepted:
            yield f"{_line(finding)}; {_PUBLIC_RULES[finding.code]}"
    for batch in release.batches:
        yield from _sdist_rules(batch, contract)


def _sdist_rules(batch: DistributionFiles, contract: Contract) -> Iterator[str]:
    if len(batch.sdists) > 1:
        names = shorten_list(sdist.name for sdist in batch.sdists)
        yield f"{batch.distribution}: {len(batch.sdists)} sdists ({names}); an index takes one a release"
    promise = contract.promise(batch.distribution)
    limit = promise.max_size if promise and promise.max_size else INDEX_LIMIT
    for one in batch.sdists:
        if one.size > limit:
            yield f"{one.name} has {size(one.size)}, over the limit of {size(limit)}"
        wanted = f"{batch.distribution.replace('-', '_')}-{batch.version}.tar.gz"
        if one.name != wanted:
            yield f"{one.name} is not the sdist's normalised name, {wanted} (PEP 625)"
