"""The rules of indexes (data/index_rules.toml): the findings for which an upload is refused, and where."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit import data

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wheelkit.publish.index import Index
    from wheelkit.verification.model import Finding


class RefusedBy(StrEnum):
    """Who refuses a file: twine, which sends it to no index, or the public indexes."""

    TWINE = "twine"
    PUBLIC = "public"


class IndexRule(Struct, frozen=True, kw_only=True):
    """A finding's code, the rule in a few words, who applies it, and where that is written."""

    code: str
    rule: str
    refused_by: RefusedBy
    source: str

    def applies_to(self, index: Index) -> bool:
        """Return whether files with this finding cannot be uploaded to an index."""
        return self.refused_by is RefusedBy.TWINE or index.public_rules


@cache
def index_rules() -> Mapping[str, IndexRule]:
    """Return every rule by the code of its finding."""
    table = data.table("index_rules.toml")
    return {code: _rule(code, row) for code, row in table.items()}


def _rule(code: str, row: Mapping[str, str]) -> IndexRule:
    refused_by = RefusedBy(row["refused-by"])
    return IndexRule(code=code, rule=row["rule"], refused_by=refused_by, source=row["source"])


def refused_findings(
    findings: Iterable[Finding], indexes: Iterable[Index]
) -> Iterator[tuple[Finding, IndexRule]]:
    """Yield the findings for which one of the indexes refuses a file, unless they are accepted."""
    indexes = tuple(indexes)
    for finding in findings:
        rule = index_rules().get(finding.code)
        if rule and not finding.accepted and any(rule.applies_to(index) for index in indexes):
            yield finding, rule
