"""The release to compare with: the one that is named, the latest before, or that of a folder."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from support import wheels
from support.publishing import HERE, MemoryClient, answer
from wheelkit.errors import CheckFailedError, IndexUnavailableError, UsageError
from wheelkit.publish.client import Response
from wheelkit.publish.earlier import Against, EarlierSource, find_earlier, parse_against
from wheelkit.publish.listed_versions import WantedRelease
from wheelkit.publish.simple_api import fetch_listing, fetch_metadata
from wheelkit.verification.comparison.facts import Earlier
from wheelkit.verification.comparison.gather import earlier_in_folder, releases_by_name

TAGS = "cp311-cp311-win_amd64"


class Shelf:
    """An index in memory: the files of projects, with what their entries say, and bytes by address."""

    def __init__(self, *filenames: str, **entry: Any) -> None:
        self.files = {name: dict(entry) for name in filenames}
        self.bytes: dict[str, bytes] = {}
        self.client = MemoryClient(self.get)

    def get(self, url: str) -> Response:
        name = url.rstrip("/").rpartition("/")[2]
        if "/f/" in url:
            return answer(self.bytes[name]) if name in self.bytes else answer(b"", 404, "text/html")
        found = {file: entry for file, entry in self.files.items() if file.startswith(f"{name}-")}
        entries = [
            {"filename": file, "url": f"/f/{file}", "hashes": {}, **entry} for file, entry in found.items()
        ]
        document = {"meta": {"api-version": "1.1"}, "name": name, "files": entries}
        return answer(document) if found else answer(b"", 404, "text/html")

    def find(self, against: Against, *later: str, deep: bool = False) -> Earlier:
        source = EarlierSource(index=HERE, client=self.client, deep=deep)
        return find_earlier(against, releases_by_name(later), source)


def wheel_name(version: str, name: str = "demo") -> str:
    return f"{name}-{version}-{TAGS}.whl"


LATEST = Against()


# The versions on an index, "y" for yanked, the version that is verified, and the one to compare with.
@pytest.mark.parametrize(
    ("versions", "later", "expected"),
    [
        ("1.0 1.1", "1.2", "1.1"),
        ("1.0 1.1 1.2", "1.2", "1.1"),
        ("1.9 1.10", "2.0", "1.10"),
        ("1.0 1.1y", "1.2", "1.0"),
        ("1.0 1.1rc1 1.1.dev1", "1.2", "1.0"),
        ("1.0 1.0.post1", "1.2", "1.0.post1"),
        # A release of an older series is compared with the one before it.
        ("1.0 2.0", "1.1", "1.0"),
        ("1.0", "1.0rc1", ""),
        ("1.0", "1.1.dev3", "1.0"),
        ("1.0", "1.0.0", ""),
        ("1.0", "1.0", ""),
        ("2.0", "1.0", ""),
        ("1.0rc1", "1.0", ""),
        ("1.0y", "1.1", ""),
        ("1!0.1 9.0", "1!0.2", "1!0.1"),
    ],
)
def test_the_latest(versions: str, later: str, expected: str) -> None:
    shelf = Shelf()
    for version in versions.split():
        shelf.files[wheel_name(version.rstrip("y"))] = {"yanked": version.endswith("y")}
    earlier = shelf.find(LATEST, wheel_name(later))
    assert [release.version for release in earlier.releases.values()] == ([expected] if expected else [])
    gap = f"demo {later} was not compared: here has no earlier release of it"
    assert earlier.gaps == (() if expected else (gap,))


def test_the_first_release_of_a_project_is_no_error() -> None:
    assert Shelf().find(LATEST, wheel_name("1.0")).gaps == (
        "demo 1.0 was not compared: here has no earlier release of it",
    )


def test_each_member_of_a_family_has_its_own_latest() -> None:
    shelf = Shelf(wheel_name("1.0"), wheel_name("1.1", "other"), wheel_name("1.2", "other"))
    earlier = shelf.find(LATEST, wheel_name("2.0"), wheel_name("1.2", "other"), wheel_name("0.1", "fresh"))
    found = {key: (release.distribution, release.version) for key, release in earlier.releases.items()}
    assert found == {"demo==2": ("demo", "1.0"), "other==1.2": ("other", "1.1")}
    assert earlier.gaps == ("fresh 0.1 was not compared: here has no earlier release of it",)


def test_a_latest_release_without_wheels_is_no_error() -> None:
    shelf = Shelf("demo-1.1.tar.gz", wheel_name("1.0"))
    assert shelf.find(LATEST, wheel_name("2.0")).gaps == (
        "demo 2.0 was not compared: 1.1, the latest release on here, has no wheel",
    )


def test_what_the_listing_says_of_wheels() -> None:
    shelf = Shelf("demo-1.0.tar.gz")
    shelf.files[wheel_name("1.0")] = {"size": 12, "requires-python": ">=3.9"}
    shelf.files["demo-1.0-py3-none-any.whl"] = {"yanked": True}
    (release,) = shelf.find(LATEST, wheel_name("2.0")).releases.values()
    assert [(one.filename, one.size, one.requires_python) for one in release.wheels] == [
        (wheel_name("1.0"), 12, ">=3.9")
    ]
    assert (release.origin, release.requires_python) == ("here", ">=3.9")


def named(version: str, name: str = "demo") -> Against:
    return Against(wanted=WantedRelease(distribution=name, version=version))


def test_a_named_release_may_be_yanked_newer_or_a_pre_release() -> None:
    shelf = Shelf(wheel_name("2.0rc1"))
    shelf.files[wheel_name("3.0")] = {"yanked": True}
    for version in ("2.0rc1", "3.0"):
        (release,) = shelf.find(named(version), wheel_name("2.0")).releases.values()
        assert release.version == version


@pytest.mark.parametrize(
    ("against", "message"),
    [
        (named("9.9"), "here has no version 9.9 of demo; it has 1.1, 1.0"),
        (named("1.1"), "here has no wheel of demo 1.1 to compare with"),
        (named("1.0", "other"), "--against other: the files to verify are of demo"),
    ],
)
def test_named_releases_that_are_not_there(against: Against, message: str) -> None:
    shelf = Shelf(wheel_name("1.0"), "demo-1.1.tar.gz")
    assert shelf.find(named("1.0"), wheel_name("2.0")).releases
    with pytest.raises(UsageError) as caught:
        shelf.find(against, wheel_name("2.0"))
    assert caught.value.message == message
    assert caught.value.hint


def test_a_project_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="here has no project demo"):
        Shelf().find(named("1.0"), wheel_name("2.0"))


def test_an_index_that_does_not_answer() -> None:
    def fail(_url: str) -> Response:
        raise IndexUnavailableError("here cannot be reached")

    source = EarlierSource(index=HERE, client=MemoryClient(fail))
    with pytest.raises(IndexUnavailableError, match="cannot be reached"):
        find_earlier(LATEST, releases_by_name([wheel_name("2.0")]), source)


def test_words_of_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old").mkdir()
    (tmp_path / "latest").mkdir()
    (tmp_path / "a==1").mkdir()
    assert parse_against("latest") == LATEST
    assert parse_against("old") == Against(path=Path("old"))
    assert parse_against("./latest") == Against(path=Path("latest"))
    assert parse_against("a==1") == Against(path=Path("a==1"))
    assert parse_against("Demo == 1.0") == named("1.0")


@pytest.mark.parametrize("text", ["nowhere", "demo", "1.0", "demo>=1.0", "demo==", "demo==x", "==1.0", ""])
def test_words_that_are_neither(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_against(text)
    assert "not a release" in caught.value.message
    assert "NAME==VERSION" in caught.value.hint


METADATA = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Dist: a>=1\nProvides-Extra: x\n"


@pytest.mark.parametrize("key", ["core-metadata", "dist-info-metadata"])
@pytest.mark.parametrize("stated", [True, {"sha256": hashlib.sha256(METADATA).hexdigest()}, {"md5": "x"}])
def test_metadata_without_the_wheel(key: str, stated: object) -> None:
    shelf = Shelf(wheel_name("1.0"), **{key: stated})
    shelf.bytes[f"{wheel_name('1.0')}.metadata"] = METADATA
    (release,) = shelf.find(LATEST, wheel_name("2.0")).releases.values()
    (wheel,) = release.wheels
    assert wheel.declared is not None
    assert (wheel.declared.requirements, wheel.declared.extras) == (("a>=1",), ("x",))
    assert not [url for url in shelf.client.asked if url.endswith(".whl")]


@pytest.mark.parametrize("entry", [{}, {"core-metadata": False}])
def test_without_metadata_nothing_is_fetched(entry: dict[str, Any]) -> None:
    shelf = Shelf(wheel_name("1.0"), **entry)
    (release,) = shelf.find(LATEST, wheel_name("2.0")).releases.values()
    assert release.wheels[0].declared is None
    assert shelf.client.asked == [HERE.page("demo")]


def test_metadata_that_is_missing_or_has_other_bytes() -> None:
    shelf = Shelf(wheel_name("1.0"), **{"core-metadata": {"sha256": "0" * 64}})
    (file,) = fetch_listing(shelf.client, HERE, "demo").files
    assert fetch_metadata(shelf.client, file) is None
    shelf.bytes[f"{wheel_name('1.0')}.metadata"] = METADATA
    with pytest.raises(IndexUnavailableError, match=r"METADATA of demo-1\.0-.* with another sha256"):
        fetch_metadata(shelf.client, file)


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ("", None),
        (' data-core-metadata="true"', ""),
        (f' data-core-metadata="sha256={"ab" * 32}"', "ab" * 32),
        (f' data-dist-info-metadata="sha256={"ab" * 32}"', "ab" * 32),
        (' data-core-metadata="md5=ab"', ""),
    ],
)
def test_metadata_in_html(attribute: str, expected: str | None) -> None:
    page = f'<html><body><a href="/f/{wheel_name("1.0")}"{attribute}>x</a></body></html>'
    client = MemoryClient(lambda _url: answer(page.encode(), kind="text/html"))
    (file,) = fetch_listing(client, HERE, "demo").files
    assert file.metadata == expected


def test_deep_reads_the_wheels(tmp_path: Path) -> None:
    path = wheels.write_wheel(
        tmp_path,
        wheel_name("1.0"),
        members={"{info}/entry_points.txt": "[console_scripts]\ndemo = demo:main\n", "_demo.py": ""},
    )
    shelf = Shelf(path.name)
    shelf.bytes[path.name] = path.read_bytes()
    (release,) = shelf.find(LATEST, wheel_name("2.0"), deep=True).releases.values()
    contents = release.wheels[0].contents
    assert contents is not None
    assert contents.entry_points == {"console_scripts: demo"}
    assert contents.modules == {"demo", "_demo"}
    shelf.bytes[path.name] = b"broken"
    with pytest.raises(CheckFailedError, match=r"--against: .* cannot be opened"):
        shelf.find(LATEST, wheel_name("2.0"), deep=True)
    shelf.files[path.name]["hashes"] = {"sha256": "0" * 64}
    with pytest.raises(IndexUnavailableError, match="but the index lists"):
        shelf.find(LATEST, wheel_name("2.0"), deep=True)


def test_a_folder(tmp_path: Path) -> None:
    for version in ("1.0", "1.10", "1.9"):
        wheels.write_wheel(tmp_path, wheel_name(version))
    later = releases_by_name([wheel_name("2.0"), wheel_name("1.0", "other"), "demo-2.0.tar.gz", "odd.whl"])
    earlier = earlier_in_folder(tmp_path, later)
    assert {key: release.version for key, release in earlier.releases.items()} == {"demo==2": "1.10"}
    assert earlier.gaps == (f"other was not compared: {tmp_path} has no wheel of it",)
    single = earlier_in_folder(tmp_path / wheel_name("1.0"), later)
    assert single.releases["demo==2"].version == "1.0"


def test_a_folder_with_nothing_to_compare(tmp_path: Path) -> None:
    wheels.write_wheel(tmp_path, wheel_name("1.0", "other"))
    with pytest.raises(UsageError, match="has no wheel of demo to compare with"):
        earlier_in_folder(tmp_path, releases_by_name([wheel_name("2.0")]))
    (tmp_path / wheel_name("1.0")).write_bytes(b"broken")
    with pytest.raises(UsageError, match=r"--against: .*demo-1\.0"):
        earlier_in_folder(tmp_path, releases_by_name([wheel_name("2.0")]))
