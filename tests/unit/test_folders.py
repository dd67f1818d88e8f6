from __future__ import annotations

from pathlib import Path

import pytest

from wheelkit.errors import UsageError
from wheelkit.machine import folders


def test_the_environment_says_where_and_how_large(tmp_path: Path) -> None:
    assert folders.cache_folder({"WHEELKIT_CACHE_DIR": str(tmp_path)}) == tmp_path
    assert folders.cache_folder({}).name == "wheelkit"
    assert (folders.cache_limit({}), folders.cache_limit({"WHEELKIT_CACHE_SIZE": "1.5 GB"})) == (
        2_000_000_000,
        1_500_000_000,
    )
    with pytest.raises(UsageError, match="is not a size"):
        folders.cache_limit({"WHEELKIT_CACHE_SIZE": "big"})
    assert folders.cache_enabled({})
    assert not folders.cache_enabled({"WHEELKIT_NO_CACHE": "1"})


@pytest.mark.parametrize(
    ("path", "leftover"),
    [
        ("dist/a.whl", True),
        ("src/dist/a.whl", False),
        ("src/__pycache__/a.pyc", True),
        ("demo.egg-info/PKG-INFO", True),
        ("build.py", False),
    ],
)
def test_what_builds_leave_is_known_by_its_folder(path: str, *, leftover: bool) -> None:
    assert folders.is_build_leftover(path) is leftover
