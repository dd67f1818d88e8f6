"""Each kind of finding has the severity of the harm that it does (tests/golden/severities.tsv)."""

from __future__ import annotations

import re

from support.severities import TABLE, harms
from wheelkit.verification.findings import finding_kinds

SEVERITIES = ("error", "warning", "note")


def test_the_product_has_the_severities_that_the_harm_decides() -> None:
    assert {code: str(kind.severity) for code, kind in finding_kinds().items()} == {
        code: harm.severity for code, harm in harms().items()
    }


def test_every_line_says_which_harm() -> None:
    form = re.compile(r"WK\d{3}\t(error|warning|note)\t[^\t]{8,}")
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert len(lines) == len(harms()) > 200
    assert [line for line in lines if not form.fullmatch(line)] == []
    assert lines == sorted(lines)


def test_one_harm_has_one_severity() -> None:
    severities: dict[str, set[str]] = {}
    for harm in harms().values():
        severities.setdefault(harm.what, set()).add(harm.severity)
    assert {what: found for what, found in severities.items() if len(found) > 1} == {}


def test_what_a_consumer_refuses_is_an_error_and_what_works_is_none() -> None:
    who = r"pip|uv|installers|ld\.so|dyld|macOS|Windows|twine|Python"
    refused = re.compile(rf"^({who}) [^;,]*\b(refuses?|kills|fail)\b")
    works = re.compile(r"^(works|installs|untidy|loads|takes space only)\b")
    for code, harm in harms().items():
        if refused.search(harm.what):
            assert harm.severity == "error", code
        elif works.search(harm.what):
            assert harm.severity != "error", code
