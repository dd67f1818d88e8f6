"""The rules of the public indexes that are checked before an upload. A new rule is a row here.

What an index refuses during an upload is explained by the rows of ``upload_errors``.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from wheelkit.text import shorten_list, size
from wheelkit.verification.checks.size import INDEX_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from wheelkit.publish.model import DistributionFiles
    from wheelkit.verification.contract import Contract


REFUSED_FINDINGS: Mapping[str, str] = {
    "WK202": "names have to be normalised",
    "WK307": "linux_* platform tags are refused",
    "WK602": "the file is over the size limit",
    "WK703": "local versions are refused",
    "WK710": "the description has to render",
    "WK720": "requirements with a URL are refused",
}
"""Findings that need not fail verification, and the rule by which an index refuses the file."""
NEW_FILES_ACCEPTED_FOR = timedelta(days=14)
"""How long after its first file a release takes further ones (announced in July 2026)."""


def sdist_problems(distributions: Iterable[DistributionFiles], contract: Contract) -> Iterator[str]:
    """Apply the rules for sdists, and yield a line for each violation."""
    for distribution in distributions:
        for rule in _SDIST_RULES:
            yield from rule(distribution, contract)


def _one_sdist(distribution: DistributionFiles, _contract: Contract) -> Iterator[str]:
    sdists = distribution.sdists
    if len(sdists) > 1:
        names = shorten_list(file.name for file in sdists)
        yield f"{distribution.key} has {len(sdists)} sdists ({names}); an index accepts one per release"


def _size_limit(distribution: DistributionFiles, contract: Contract) -> Iterator[str]:
    promise = contract.promise(distribution.key)
    limit = promise.max_size if promise and promise.max_size else INDEX_LIMIT
    for file in distribution.sdists:
        if file.size > limit:
            yield f"{file.name} has {size(file.size)}; the limit is {size(limit)}"


def _normalised_name(distribution: DistributionFiles, _contract: Contract) -> Iterator[str]:
    expected = f"{distribution.key.replace('-', '_')}-{distribution.version}.tar.gz"
    for file in distribution.sdists:
        if file.name != expected:
            yield f"{file.name} has to be named {expected} (PEP 625)"


_SDIST_RULES: tuple[Callable[[DistributionFiles, Contract], Iterator[str]], ...] = (
    _one_sdist,
    _size_limit,
    _normalised_name,
)
