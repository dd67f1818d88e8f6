"""The table of index rules: complete rows, and which indexes they apply to."""

import re

from support.rows import rows
from wheelkit.publish import Index
from wheelkit.publish.index_rules import RefusedBy, index_rules, refused_findings
from wheelkit.verification.findings import finding, finding_kinds
from wheelkit.verification.model import Severity

SITE = {"upload": "http://h.invalid/legacy/", "simple": "http://h.invalid/simple/"}
PUBLIC = Index(name="public", public=True, **SITE)
STRICT = Index(name="strict", strict=True, **SITE)
PRIVATE = Index(name="private", **SITE)


def test_every_rule_has_a_finding_and_a_source() -> None:
    assert list(index_rules()) == sorted(index_rules())
    assert index_rules().keys() <= finding_kinds().keys()
    for rule in index_rules().values():
        assert rule.rule
        assert re.match(r"(warehouse|twine|packaging)/[a-z_/]+\.py", rule.source)


# The findings that twine's and warehouse's own sources refuse, by the numbers of their codes.
TWINE = (101, 112, 701, 712, 730, 748)
WAREHOUSE = (
    103, 104, 107, 113, 115, 142, 201, 202, 204, 207, 307, 602, 703, 708, 710, 720, 731, 732,
    733, 734, 735, 736, 737, 738, 740, 742, 744, 745, 746, 747, 749, 750, 752,
)  # fmt: skip


def test_each_rule_is_known_with_the_one_who_refuses() -> None:
    """A rule that is dropped would let a release begin that the index refuses halfway."""
    found = {code: rule.refused_by.value for code, rule in index_rules().items()}
    twine, warehouse = ({f"WK{number}" for number in numbers} for numbers in (TWINE, WAREHOUSE))
    assert {code for code, by in found.items() if by == "twine"} == twine
    assert {code for code, by in found.items() if by == "public"} == warehouse


def test_what_twine_refuses_is_an_error() -> None:
    """No uploader takes it, so the file is of no use on any index."""
    for rule in index_rules().values():
        if rule.refused_by is RefusedBy.TWINE:
            assert finding_kinds()[rule.code].severity is Severity.ERROR


@rows(
    ("code", "indexes", "refused"),
    [
        ("WK720", (PUBLIC,), True),
        ("WK720", (STRICT,), True),
        ("WK720", (PRIVATE,), False),
        ("WK720", (PRIVATE, PUBLIC), True),
        ("WK701", (PRIVATE,), True),
        ("WK706", (PUBLIC,), False),
        ("WK711", (PUBLIC,), False),
        ("WK718", (PUBLIC,), False),
        ("WK751", (PUBLIC,), False),
    ],
)
def test_which_findings_are_refused(code: str, indexes: tuple[Index, ...], refused: bool) -> None:  # noqa: FBT001 - a row
    found = list(refused_findings([finding(code, "x")], indexes))
    assert bool(found) is refused


def test_an_accepted_finding_is_not_refused() -> None:
    from msgspec.structs import replace

    accepted = replace(finding("WK602", "x"), accepted="the limit was raised")
    assert list(refused_findings([accepted], (PUBLIC,))) == []
