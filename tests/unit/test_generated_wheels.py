"""The generator of odd wheels: the same number is the same wheel, and without oddities it is valid."""

import io
import zipfile
from pathlib import Path
from random import Random

import pytest

from installers.drafts import ODDITIES, Draft, generate, valid
from installers.reasons import kind_of
from support.rows import rows
from wheelkit.verification.contract import Contract
from wheelkit.verification.run import verify


def test_a_number_is_a_wheel() -> None:
    assert [generate(number, 3).contents() for number in range(20)] == [
        generate(number, 3).contents() for number in range(20)
    ]
    assert generate(1, 3).contents() != generate(1, 4).contents()


def test_the_wheels_without_oddities_are_valid(tmp_path: Path) -> None:
    for number in range(20):
        path = valid(Random(number)).write(tmp_path)  # noqa: S311
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
        findings = verify([path], Contract(), threads=1).findings
        assert [item.code for item in findings if item.severity != "note" and item.code != "WK125"] == []


@rows("name", sorted(ODDITIES))
def test_each_oddity_changes_the_wheel(name: str) -> None:
    changed = 0
    for number in range(12):
        draft, plain = valid(Random(number)), valid(Random(number))  # noqa: S311
        draft.oddities.append(name)
        ODDITIES[name](draft)
        changed += (draft.filename, draft.contents()) != (plain.filename, plain.contents())
    assert changed >= 6


def test_leaving_out_oddities_leaves_the_others_alone() -> None:
    number = next(number for number in range(100) if len(generate(number).oddities) == 2)
    whole, first = generate(number), generate(number, keep=frozenset({0}))
    assert first.oddities == whole.oddities[:1]
    assert generate(number, keep=frozenset()).oddities == []


def test_data_descriptors_are_read_by_zipfile() -> None:
    draft: Draft = valid(Random(1))  # noqa: S311

    def describe(entries: list) -> None:  # type: ignore[type-arg]
        for entry, form in zip(entries, ("signed32", "bare32", "signed64", "bare64"), strict=False):
            entry.descriptor = form

    draft.entry_edits.append(describe)
    with zipfile.ZipFile(io.BytesIO(draft.contents())) as archive:
        assert archive.testzip() is None
        assert archive.infolist()[0].flag_bits == 8


@pytest.mark.parametrize(
    ("output", "kind"),
    [
        ("ERROR: demo has an invalid wheel, .dist-info directory not found", "no dist-info"),
        ("ERROR: demo.whl is not a supported wheel on this platform.", "another platform"),
        ("error: File name too long (os error 36)", "path too long"),
        ("something else 12", "other: something else N"),
    ],
)
def test_refusals_are_counted_by_kind(output: str, kind: str) -> None:
    assert kind_of(output, "demo.whl") == kind
