"""Values and fields of METADATA and PKG-INFO that uploads are refused for, each with its passing twin."""

import io
import tarfile
from pathlib import Path

from packaging.metadata import Metadata, parse_email

from support import wheels
from support.metadata_fields import FIELDS, VERSIONS, metadata_of
from support.rows import rows
from wheelkit.verification.checks import ALL_CHECKS, index_metadata
from wheelkit.verification.contract import Contract
from wheelkit.verification.model import Finding
from wheelkit.wheel import Sdist, Wheel, read
from wheelkit.wheel.sdist import read_sdist

CHECKS = (
    index_metadata.valid,
    index_metadata.metadata_version,
    index_metadata.local_version,
    index_metadata.direct_references,
    index_metadata.classifiers,
    index_metadata.urls,
    index_metadata.summary,
    index_metadata.emails,
    index_metadata.license_fields,
    index_metadata.rare_fields,
)


def wheel_of(folder: Path, text: str) -> Wheel:
    return read(wheels.write_wheel(folder, members={"{info}/METADATA": text}))


def sdist_of(folder: Path, text: str) -> Sdist:
    path = folder / "demo-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo("demo-1.0/PKG-INFO")
        info.size = len(text.encode())
        archive.addfile(info, io.BytesIO(text.encode()))
    return read_sdist(path)


def findings(file: Wheel | Sdist) -> list[Finding]:
    return [finding for check in CHECKS for finding in check(file, Contract())]


def judged(folder: Path, *lines: str, version: str = "2.4") -> list[Finding]:
    """Return the findings of a wheel with these fields, which an sdist with them has as well."""
    text = wheels.metadata("demo", "1.0", *lines).replace("Version: 2.4", f"Version: {version}")
    of_wheel, of_sdist = findings(wheel_of(folder, text)), findings(sdist_of(folder, text))
    assert [finding.code for finding in of_wheel] == [finding.code for finding in of_sdist]
    return of_wheel


def test_all_of_these_checks_are_registered_for_wheels_and_sdists() -> None:
    assert set(CHECKS) <= set(ALL_CHECKS.wheel)
    assert set(CHECKS) <= set(ALL_CHECKS.sdist)


LABEL = "x" * 32
URL = "https://example.org/"


@rows(
    ("bad", "good", "code"),
    [
        ("Requires-Python: three", "Requires-Python: >=3", "WK701"),
        ("Provides-Extra: a b", "Provides-Extra: a-b", "WK701"),
        ("License-Expression: My License", "License-Expression: LicenseRef-Mine", "WK701"),
        ("License-Expression: GPL", "License-Expression: GPL-3.0-only", "WK701"),
        ("Description-Content-Type: text/html", "Description-Content-Type: text/markdown", "WK701"),
        ("Dynamic: Name", "Dynamic: License-File", "WK701"),
        ("Colour: red", "Platform: red", "WK701"),
        (f"Summary: {'x' * 513}", f"Summary: {'x' * 512}", "WK734"),
        ("Requires-Dist: six @ https://e.org/six.zip", "Requires-Dist: six>=1", "WK720"),
        (
            "Requires-Dist: six@ git+https://e.org/six.git ; extra == 'doc'",
            "Requires-Dist: six ; extra == 'doc'",
            "WK720",
        ),
        ("Classifier: Development status :: 4 - Beta", "Classifier: Development Status :: 4 - Beta", "WK731"),
        ("Classifier: Natural Language :: Ukranian", "Classifier: Natural Language :: Ukrainian", "WK731"),
        ("Classifier: Private :: Do Not Upload", "Classifier: Topic :: Office/Business", "WK732"),
        ("Home-page: example.org", f"Home-page: {URL}", "WK733"),
        ("Download-URL: file:///srv/a.zip", f"Download-URL: {URL}", "WK733"),
        ("Project-URL: Docs,", f"Project-URL: Docs, {URL}", "WK733"),
        ("Project-URL: Docs, docs.html", f"Project-URL: Docs, {URL}", "WK733"),
        (f"Project-URL: , {URL}", f"Project-URL: a, {URL}", "WK733"),
        (f"Project-URL: {URL}", f"Project-URL: a,{URL}", "WK733"),
        (f"Project-URL: {LABEL}x, {URL}", f"Project-URL: {LABEL}, {URL}", "WK733"),
        ("Home-page: ", "Home-page: UNKNOWN", "WK739"),
        ("Author-email: me at home", "Author-email: Me <me@example.org>", "WK735"),
        ("Maintainer-email: Me <me@host.local>", "Maintainer-email: me@example.org", "WK735"),
        ("License: MIT\nLicense-Expression: MIT", "License-Expression: MIT", "WK736"),
        ("Dynamic: Dynamic", "Dynamic: Description", "WK738"),
        ("Provides-Dist: a @ https://e.org/a.zip", "Provides-Dist: a ==1.0", "WK738"),
        ("Obsoletes-Dist: a >>> 1", "Obsoletes-Dist: a", "WK738"),
    ],
)
def test_values(tmp_path: Path, bad: str, good: str, code: str) -> None:
    assert [finding.code for finding in judged(tmp_path, bad)] == [code]
    assert judged(tmp_path, good) == []


def test_versions_that_are_newer_than_the_index_knows(tmp_path: Path) -> None:
    assert [finding.code for finding in judged(tmp_path, version="2.6")] == ["WK737"]
    assert judged(tmp_path, "Import-Name: demo", version="2.5") == []


def test_one_finding_names_all_classifiers(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, "Classifier: A :: B", "Classifier: Natural Language :: Ukranian")
    assert finding.what.startswith("2 classifiers are not on the indexes' list: A :: B (unknown), ")
    assert "Natural Language :: Ukranian (replaced by Natural Language :: Ukrainian)" in finding.what


def test_a_local_version(tmp_path: Path) -> None:
    name = "demo-1.0+cpu-py3-none-any.whl"
    text = wheels.metadata("demo", "1.0+cpu")
    wheel = read(wheels.write_wheel(tmp_path, name, members={"{info}/METADATA": text}))
    assert [finding.code for finding in findings(wheel)] == ["WK703"]
    assert [finding.code for finding in findings(sdist_of(tmp_path, text))] == ["WK703"]


def test_fields_that_are_newer_than_their_version(tmp_path: Path) -> None:
    for line, version, code in (
        ("License-Expression: MIT", "2.3", "WK730"),
        ("Dynamic: Summary", "2.1", "WK730"),
        ("Import-Name: demo", "2.4", "WK730"),
        ("License-File: LICENSE", "2.3", "WK706"),
        ("License-File: LICENSE", "2.1", "WK706"),
    ):
        assert [finding.code for finding in judged(tmp_path, line, version=version)] == [code]
        newer = {"2.1": "2.4", "2.3": "2.4", "2.4": "2.5"}[version]
        assert judged(tmp_path, line, version=newer) == []


def packaging_accepts(text: str) -> bool:
    """Ask packaging as twine does: without License-File, where the version does not have it."""
    raw, unparsed = parse_email(text)
    if raw["metadata_version"] < "2.4":
        raw.pop("license_files", None)
    try:
        Metadata.from_raw(raw)
    except ExceptionGroup:
        return False
    return not unparsed


@rows("version", VERSIONS)
def test_every_field_in_every_version_is_judged_as_packaging_does(tmp_path: Path, version: str) -> None:
    for field in FIELDS:
        text = metadata_of(field, version)
        found = {finding.code for finding in index_metadata.valid(wheel_of(tmp_path, text), Contract())}
        assert packaging_accepts(text) == found.isdisjoint({"WK701", "WK730"}), field
        assert found <= {"WK706", "WK730"}, field
        assert ("WK706" in found) == (field == "License-File" and version < "2.4")


def test_the_two_kinds_of_newer_fields_are_apart(tmp_path: Path) -> None:
    lines = ("License-Expression: MIT", "License-File: LICENSE", "License-File: COPYING", "Dynamic: Summary")
    note, error = judged(tmp_path, *lines, version="2.1")
    assert (note.code, note.what) == (
        "WK706",
        "METADATA declares version 2.1 but uses License-File, which needs 2.4",
    )
    assert (error.code, error.what) == (
        "WK730",
        "METADATA declares version 2.1 but uses Dynamic, License-Expression, which need 2.4",
    )


def test_the_fast_path_and_packaging_name_the_same_fields(tmp_path: Path) -> None:
    lines = ("License-Expression: MIT", "Dynamic: Summary")
    fast = judged(tmp_path, *lines, version="2.1")
    # A continuation line is for packaging to read.
    slow = judged(tmp_path, *lines, "License: a", "   b", version="2.1")
    assert [finding.what for finding in fast] == [finding.what for finding in slow if finding.code == "WK730"]
