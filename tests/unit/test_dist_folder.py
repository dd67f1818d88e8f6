from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from wheelkit import manifest
from wheelkit.builders.dist_folder import Delivery, require_writable
from wheelkit.builders.dist_folder import deliver as deliver_all
from wheelkit.errors import CheckFailedError, InterruptedByUserError, OutputError
from wheelkit.machine import signals
from wheelkit.manifest import BuiltFile, Manifest


def record(*names: str) -> Manifest:
    return Manifest(
        distribution="x-y",
        version="1.0",
        target="win_amd64",
        builder="host",
        source="0" * 64,
        commit="",
        dirty=False,
        created="2026-11-21T00:00:00+00:00",
        tools={"uv": "0.13"},
        files=tuple(
            BuiltFile(file=name, sha256="0" * 64, size=1, kind="wheel", cells=("cp311",)) for name in names
        ),
    )


def deliver(files: list[Path], record: Manifest, dist: Path) -> tuple[Path, ...]:
    return deliver_all([Delivery(files=tuple(files), record=record)], dist)


def made(folder: Path, name: str, content: str = "new") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(content)
    return folder / name


def test_files_and_manifest_appear_together(tmp_path: Path) -> None:
    out = tmp_path / "dist"
    out.mkdir()
    wheels = deliver([made(tmp_path / "work", "a.whl")], record("a.whl"), out)
    assert wheels == (out / "a.whl",)
    assert sorted(path.name for path in out.iterdir()) == ["a.whl", "x_y-1.0-win_amd64.wheelkit.json"]
    assert manifest.read_all(out) == (record("a.whl"),)


def test_the_last_build_of_the_same_thing_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "dist"
    out.mkdir()
    deliver([made(tmp_path / "work", "a-2_17.whl", "old")], record("a-2_17.whl"), out)
    (out / "other.whl").write_text("kept")
    deliver([made(tmp_path / "work", "a-2_28.whl")], record("a-2_28.whl"), out)
    assert sorted(path.name for path in out.glob("*.whl")) == ["a-2_28.whl", "other.whl"]


def test_other_targets_and_versions_keep_their_files(tmp_path: Path) -> None:
    out = tmp_path / "dist"
    out.mkdir()
    deliver([made(tmp_path / "work", "a.whl")], record("a.whl"), out)
    deliver([made(tmp_path / "work", "b.whl")], replace(record("b.whl"), target="macosx_11_0_arm64"), out)
    deliver([made(tmp_path / "work", "c.whl")], replace(record("c.whl"), version="2.0"), out)
    assert [path.name for path in sorted(out.glob("*.whl"))] == ["a.whl", "b.whl", "c.whl"]


def test_a_failure_in_the_middle_puts_everything_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "dist"
    out.mkdir()
    deliver(
        [made(tmp_path / "work", "a.whl", "old"), made(tmp_path / "work", "b.whl", "old")],
        record("a.whl", "b.whl"),
        out,
    )
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    real = Path.replace

    def full(self: Path, target: Path) -> Path:
        if self.name == "b.whl" and target == out / "b.whl" and "aside" not in self.parts:
            raise OSError(28, "No space left on device", str(target))
        return real(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="No space left") as caught:
        deliver(
            [made(tmp_path / "work", "a.whl"), made(tmp_path / "work", "b.whl")],
            record("a.whl", "b.whl"),
            out,
        )
    monkeypatch.undo()
    assert "free some space" in caught.value.hint
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_dist_folder_that_is_a_file_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    (tmp_path / "dist").write_text("")
    with pytest.raises(OutputError, match="dist cannot be written") as caught:
        require_writable(tmp_path / "dist")
    assert "--out" in caught.value.hint
    require_writable(tmp_path / "fine")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_dist_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir(mode=0o555)
    with pytest.raises(OutputError, match="permissions"):
        require_writable(tmp_path / "dist")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"schema": 2}', '{"schema": 1, "files": [{"x": 1}]}', "null"]
)
def test_what_is_no_manifest_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.wheelkit.json"
    path.write_text(text)
    with pytest.raises(CheckFailedError, match=r"x\.wheelkit\.json cannot be read as a manifest"):
        manifest.read(path)


def test_a_manifest_survives_the_round_trip_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "x.wheelkit.json"
    path.write_text(record("a.whl").to_json())
    assert manifest.read(path).to_json() == path.read_text()


def interrupted_at(name: str, monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    real = getattr(Path, target)

    def interrupt(self: Path, *arguments: object, **options: object) -> object:
        if self.name == name:
            os.kill(os.getpid(), signal.SIGTERM)
        return real(self, *arguments, **options)

    monkeypatch.setattr(Path, target, interrupt)


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals as POSIX does")
@pytest.mark.parametrize(("step", "new"), [("write_text", False), ("replace", True)])
def test_a_signal_finds_all_units_delivered_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, *, new: bool
) -> None:
    out = tmp_path / "dist"
    units = [
        Delivery(
            files=(made(tmp_path / "work", f"{name}.whl", "old"),),
            record=replace(record(f"{name}.whl"), target=name),
        )
        for name in ("a", "b", "c")
    ]
    deliver_all(units, out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    for name in ("a", "b", "c"):
        made(tmp_path / "work", f"{name}.whl", "new")
    manifest_name = units[1].record.filename
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    signals.catch()
    interrupted_at(manifest_name if step == "write_text" else "b.whl", monkeypatch, step)
    try:
        with pytest.raises(InterruptedByUserError):
            deliver_all(units, out)
    finally:
        monkeypatch.undo()
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signals._state.begin()
    after = {path.name: path.read_bytes() for path in out.iterdir()}
    assert after.keys() == before.keys()
    assert {after[f"{name}.whl"] for name in "abc"} == ({b"new"} if new else {b"old"})
