"""The pages for contributors name files and tables that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
PAGES = sorted((ROOT / "docs" / "development").glob("*.md"))
# Files that a page adds as an example, or that are not the repository's.
ELSEWHERE = {
    "python/wheelkit/workflows/buildkite.py",
    "python/wheelkit/data/buildkite.toml",
    "Python.h",
    "dist/",
}
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|toml|c|h|sh))`")
TABLE = re.compile(r"`(_?[A-Z][A-Z_]{3,})`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_and_tables_of_the_pages_exist(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    package = ROOT / "python" / "wheelkit"
    files = set(FILE.findall(text)) - ELSEWHERE
    missing = [
        name
        for name in files
        if not any((folder / name).exists() for folder in (ROOT, package, TESTS))
        and not any(path for folder in (package, TESTS) for path in folder.rglob(name.rstrip("/")))
    ]
    assert missing == []
    sources = (path for folder in (package, TESTS, ROOT / "ci") for path in folder.rglob("*.py"))
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    assert [name for name in set(TABLE.findall(text)) if not re.search(rf"\b{name}\b", code)] == []
