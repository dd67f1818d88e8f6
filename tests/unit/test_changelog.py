"""The section of a version in changelogs as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.command import git_commit
from support.rows import rows
from support.sample_families import CLI, CORE, put
from wheelkit.__main__ import main
from wheelkit.machine.git import Repository
from wheelkit.versions.changelog import find_changelog, section

KEEP = """# Changelog

Notable changes.

## [Unreleased]

- soon

## [2.3.0] - 2026-11-02

### Added

- One thing, see [#12] and [the docs].

### Fixed

- Another.

## [2.2.10]

- old

[#12]: https://example.org/12
[the docs]: https://example.org/docs
[2.3.0]: https://example.org/compare
"""
RST = """=========
Changelog
=========

Version 2.3.0 (2026-11-02)
--------------------------

Added
^^^^^

* One thing.

2.2.0
-----

* old
"""


@rows(
    ("heading", "version", "taken"),
    [
        ("## 2.3.0", "2.3.0", True),
        ("## [2.3.0] - 2026-11-02", "2.3.0", True),
        ("## v2.3 (unreleased)", "2.3.0", True),
        ("# momentum 2.3.0", "2.3.0", True),
        ("### [v2.3.0](https://example.org/v2.3.0)", "2.3.0", True),
        ("2.3.0\n=====", "2.3.0", True),
        ("2.3.0rc1\n--------", "2.3.0rc1", True),
        ("## 2.3.0-rc.1", "2.3.0rc1", True),
        ("## 2.3.0rc1", "2.3.0", False),
        ("## 12.3.0", "2.3.0", False),
        ("## 2.3.0.1", "2.3.0", False),
        ("## from 2.3.0beta to x2.3.0", "2.3.0", False),
        ("2.3.0", "2.3.0", False),
        ("    ## 2.3.0", "2.3.0", False),
        ("```\n## 2.3.0\n```", "2.3.0", False),
    ],
)
def test_headings(heading: str, version: str, taken: bool) -> None:  # noqa: FBT001 - a column
    assert (section(f"{heading}\n\n- change\n\n# 1.0\n", version) is not None) is taken


def test_a_section_ends_at_the_next_heading_of_its_rank_and_has_its_links() -> None:
    assert section(KEEP, "2.3.0") == (
        "### Added\n\n- One thing, see [#12] and [the docs].\n\n### Fixed\n\n- Another.\n\n"
        "[#12]: https://example.org/12\n[the docs]: https://example.org/docs"
    )
    assert section(KEEP, "2.2.10") == "- old"
    assert section(KEEP, "2.2.1") is None


def test_a_section_of_restructured_text() -> None:
    assert section(RST, "2.3.0") == "Added\n^^^^^\n\n* One thing."
    assert section(RST, "2.2.0") == "* old"
    over = "=====\n2.3.0\n=====\n\nAdded\n=====\n\n* a\n\n=====\n2.2.0\n=====\n\n* b\n"
    assert section(over, "2.3.0") == "Added\n=====\n\n* a"


def test_code_is_no_heading() -> None:
    text = "## 2.3.0\n\n```sh\n# comment\n```\n\n- end\n\n## 2.2\n"
    assert section(text, "2.3.0") == "```sh\n# comment\n```\n\n- end"


@rows(
    ("names", "expected"),
    [
        (("README.md",), None),
        (("CHANGELOG.md", "NEWS.rst"), "CHANGELOG.md"),
        (("Changes",), "Changes"),
        (("changes.rst", "docs/changelog.md"), "changes.rst"),
        (("docs/changelog.md",), "docs/changelog.md"),
        (("changelog.py", "changelog.d/1.md"), None),
    ],
)
def test_where_a_changelog_is(names: tuple[str, ...], expected: str | None, tmp_path: Path) -> None:
    put(tmp_path, dict.fromkeys(names, ""))
    found = find_changelog([tmp_path])
    assert (found.relative_to(tmp_path).as_posix() if found else None) == expected


@pytest.fixture
def family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    put(tmp_path, {"core/pyproject.toml": CORE, "cli/pyproject.toml": CLI, "CHANGELOG.md": KEEP})
    (tmp_path / "wheelkit.toml").write_text('distributions = ["core", "cli"]\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_prints_the_notes(family: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version", "notes", "core"]) == 0
    assert capsys.readouterr().out.startswith("### Added\n\n- One thing")
    assert main(["version", "notes"]) == 1
    captured = capsys.readouterr()
    assert captured.out.startswith("## core 2.3.0\n\n### Added")
    assert "cli 1.0.0: CHANGELOG.md has no section\n    add one under the heading  ## 1.0.0" in captured.err
    put(family, {"cli/HISTORY.txt": "1.0.0\n-----\nfirst\n"})
    assert main(["version", "notes"]) == 0
    assert capsys.readouterr().out.endswith("## cli 1.0.0\n\nfirst\n")


def test_a_version_that_only_the_build_knows_is_that_of_the_tag(
    family: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    built = CORE.replace('version = "2.3.0"', 'dynamic = ["version"]')
    (family / "core/pyproject.toml").write_text(
        f"{built}[tool.hatch.version]\nsource = 'code'\npath = 'x.py'\n"
    )
    git_commit(family)
    assert main(["version", "notes", "core"]) == 1
    assert "core: CHANGELOG.md has no section" in capsys.readouterr().err
    for tag in ("nightly", "v2", "v2.3", "v2.3.0", "v1.9"):
        Repository(folder=family).run("tag", tag)
    assert main(["version", "notes", "core"]) == 0
    assert capsys.readouterr().out.startswith("### Added")


def test_no_changelog_and_one_that_is_no_text(family: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (family / "CHANGELOG.md").write_bytes(b"\xff")
    assert main(["version", "notes"]) == 2
    assert f"{family / 'CHANGELOG.md'} cannot be read: not UTF-8" in capsys.readouterr().err
    (family / "CHANGELOG.md").unlink()
    assert main(["version", "notes", "core"]) == 1
    assert "core 2.3.0: there is no changelog" in capsys.readouterr().err
