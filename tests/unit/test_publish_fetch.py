"""The files of a release as the index serves them, for a smoke test from there."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.publishing import HERE, MemoryClient, answer, distribution, listing, release_of
from wheelkit.errors import CheckFailedError
from wheelkit.machine import facts
from wheelkit.matrix import System
from wheelkit.publish.client import Response
from wheelkit.publish.fetch import fetch
from wheelkit.publish.model import Release

LINUX = facts.Machine(system=System.LINUX, arch="x86_64", libc="manylinux", libc_version=(2, 28))


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Release:
    monkeypatch.setattr("wheelkit.machine.facts.detect", lambda **_: LINUX)
    (tmp_path / "into").mkdir()
    return release_of(distribution(tmp_path / "dist", "demo"))


def client(release: Release, *, shown: bool = True, listed: str = "", served: bytes = b"") -> MemoryClient:
    (file,) = release.distributions[0].wheels
    page = listing("demo", {file.name: listed or file.sha256} if shown else {})

    def reply(url: str) -> Response:
        return answer(page) if url.endswith("/demo/") else answer(served or file.path.read_bytes())

    return MemoryClient(reply)


def test_wheels_for_this_machine_are_downloaded(release: Release, tmp_path: Path) -> None:
    fetch(release, HERE, client(release), tmp_path / "into")
    (file,) = release.distributions[0].wheels
    assert [path.name for path in (tmp_path / "into").iterdir()] == [file.name]
    assert (tmp_path / "into" / file.name).read_bytes() == file.path.read_bytes()


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        ({"shown": False}, "here does not show FILE; nothing was installed", "publish it first"),
        ({"listed": "0" * 64}, "here has other bytes of FILE; nothing was installed", "cannot be replaced"),
        ({"served": b"other"}, "here serves FILE with other bytes than it lists: sha256 ", "do not install"),
    ],
)
def test_what_is_not_as_it_was_built(
    options: dict[str, object], message: str, hint: str, release: Release, tmp_path: Path
) -> None:
    with pytest.raises(CheckFailedError) as caught:
        fetch(release, HERE, client(release, **options), tmp_path / "into")  # type: ignore[arg-type]  # a row
    assert caught.value.message.startswith(message.replace("FILE", "demo-1.0-py3-none-any.whl"))
    assert hint in caught.value.hint
    assert list((tmp_path / "into").iterdir()) == []
