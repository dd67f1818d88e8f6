"""FIFOs, sockets, devices, folders and dangling links in the place of files: never a hang, never silence."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec import Struct

from support.releases import Project, make_family
from support.wheels import PURE, write_wheel
from wheelkit import inputs, manifest
from wheelkit.builders.cache.store import Store, ValueKind
from wheelkit.command_line import main
from wheelkit.publish.client import Clock
from wheelkit.publish.lock import index_lock

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
Place = Callable[[Path, str], Path]
Capture = pytest.CaptureFixture[str]
ODD = ("fifo", "socket", "device", "folder", "dangling", "loop", "to a fifo")
SECONDS = 60


@pytest.fixture
def place() -> Iterator[Place]:
    """Return a function that puts an odd file at a path."""
    sockets: list[socket.socket] = []

    def put(path: Path, kind: str) -> Path:
        path.unlink(missing_ok=True)
        if kind == "fifo":
            os.mkfifo(path)
        elif kind == "socket":
            listener = socket.socket(socket.AF_UNIX)
            sockets.append(listener)
            here = Path.cwd()
            os.chdir(path.parent)  # the path of a socket is short
            try:
                listener.bind(path.name)
            finally:
                os.chdir(here)
        elif kind == "device":
            path.symlink_to("/dev/zero")
        elif kind == "folder":
            path.mkdir()
        elif kind == "to a fifo":
            os.mkfifo(path.with_name("fifo"))
            path.symlink_to("fifo")
        else:
            path.symlink_to(path.name if kind == "loop" else "nowhere")
        return path

    yield put
    for listener in sockets:
        listener.close()


class Ended(Struct, frozen=True, kw_only=True):
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Ended]


@pytest.fixture
def wheelkit(capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Return a function that runs a command in a folder."""
    monkeypatch.setenv("CIBW_CONTAINER_ENGINE", "none")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def run(*words: str | Path, cwd: Path) -> Ended:
        monkeypatch.chdir(cwd)
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return Ended(returncode=code, stdout=captured.out, stderr=captured.err)

    return run


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_wheel_or_sdist_is_a_finding(kind: str, place: Place, wheelkit: Run, tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    dist.mkdir()
    write_wheel(dist, PURE)
    (tmp_path / "other").mkdir()
    for name, code in (("other-1.0-py3-none-any.whl", "WK101"), ("other-1.0.tar.gz", "WK112")):
        odd = place(dist / name, kind)
        done = wheelkit("verify-matrix", dist, "--json", cwd=tmp_path)
        found = [(one["code"], one["file"]) for one in json.loads(done.stdout)["findings"]]
        assert (done.returncode, (code, name) in found) == (1, True), found
        alone = wheelkit("verify-matrix", odd, cwd=tmp_path)
        assert (alone.returncode, code in alone.stdout) == (1, True)
        odd.rmdir() if kind == "folder" else odd.unlink()
        (dist / "fifo").unlink(missing_ok=True)
    assert wheelkit("verify-matrix", dist, cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("kind", ODD)
def test_every_command_that_takes_a_wheel(kind: str, place: Place, wheelkit: Run, tmp_path: Path) -> None:
    odd = place(tmp_path / "demo-1.0-cp311-cp311-linux_x86_64.whl", kind)
    (tmp_path / "dist").mkdir()
    write_wheel(tmp_path / "dist", PURE)
    for words in (
        ("inspect", odd),
        ("repair", odd, "--target", "manylinux_2_28_x86_64"),
        ("smoke", tmp_path),
        ("verify-matrix", "dist", "--against", tmp_path),
        ("verify-matrix", "dist", "--against", odd),
    ):
        done = wheelkit(*words, cwd=tmp_path)
        assert done.returncode in {1, 2}, words
        assert odd.name in done.stderr, words
    honest = tmp_path / "dist" / PURE
    assert wheelkit("inspect", honest, cwd=tmp_path).returncode == 0
    assert wheelkit("verify-matrix", "dist", "--against", honest, cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("kind", ODD)
def test_every_file_that_configures(kind: str, place: Place, wheelkit: Run, tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    write_wheel(tmp_path / "dist", PURE)
    for name, commands in (
        ("wheelkit.toml", [("plan",), ("verify-matrix", "dist"), ("version", "show"), ("ci",)]),
        ("pyproject.toml", [("plan",), ("verify-matrix", "dist"), ("version", "show"), ("init",)]),
        ("setup.py", [("plan",)]),
        ("other.toml", [("plan", "--config", "other.toml"), ("version", "show", "--config", "other.toml")]),
    ):  # fmt: skip
        if name == "setup.py" and kind in {"folder", "dangling", "loop"}:
            continue  # as if it were not there
        odd = place(tmp_path / name, kind)
        for words in commands:
            done = wheelkit(*words, cwd=tmp_path)
            assert done.returncode in {1, 2, 4}, (words, done.stdout, done.stderr)
            assert name in done.stderr or "other.toml" in done.stderr, (words, done.stderr)
        odd.rmdir() if kind == "folder" else odd.unlink()
        (tmp_path / "fifo").unlink(missing_ok=True)


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_sdist_is_no_project(kind: str, place: Place, wheelkit: Run, tmp_path: Path) -> None:
    odd = place(tmp_path / "demo-1.0.tar.gz", kind)
    done = wheelkit("plan", odd, cwd=tmp_path)
    named = any(name in done.stderr for name in (odd.name, "/fifo", "/nowhere", "/dev/zero"))
    assert (done.returncode, named) == (2, True)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_family(tmp_path / "gyro", git=False)


@pytest.mark.parametrize("kind", ODD)
def test_publish_refuses_an_odd_file(kind: str, place: Place, wheelkit: Run, project: Project) -> None:
    to = ("--to", "http://127.0.0.1:9/legacy/", "--dry-run")
    wheel = next(project.dist.glob("*.whl"))
    record = next(project.dist.glob("*.wheelkit.json"))
    attestation = project.dist / f"{wheel.name}.publish.attestation"
    for path in (project.dist / "stray-1.0-py3-none-any.whl", attestation, wheel, record):
        place(path, kind)
        done = wheelkit("publish", "dist", *to, cwd=project.root)
        assert (done.returncode, path.name in done.stderr) == (1, True), (path, done.stderr)
        path.rmdir() if kind == "folder" else path.unlink()
        (project.dist / "fifo").unlink(missing_ok=True)


@pytest.mark.parametrize("kind", ODD)
def test_clean_leaves_what_is_no_file_and_says_so(
    kind: str, place: Place, wheelkit: Run, project: Project
) -> None:
    wheel = next(project.dist.glob("*.whl"))
    place(wheel, kind)
    done = wheelkit("clean", cwd=project.root)
    is_link = kind in {"device", "dangling", "loop", "to a fifo"}
    assert done.returncode == 0
    assert (wheel.name in done.stdout) == is_link
    assert (f"{wheel.name} is not a file and was left unchanged" in done.stderr) != is_link
    assert os.path.lexists(wheel) != is_link


@pytest.mark.parametrize("kind", ODD)
def test_odd_entries_of_the_cache_are_none(kind: str, place: Place, tmp_path: Path) -> None:
    notes: list[str] = []
    store = Store(folder=tmp_path, limit=1 << 30, note=notes.append)
    store.save_value(ValueKind.ANSWER, "x", "y")
    assert store.load_value(ValueKind.ANSWER, "x") == "y"
    place(store.base / ValueKind.ANSWER / "x", kind)
    assert store.load_value(ValueKind.ANSWER, "x") is None
    entry = store.base / "entries/label/key.json"
    entry.parent.mkdir(parents=True)
    place(entry, kind)
    assert store.find("label", "key") is None
    assert list(store.latest("label")) == []


@pytest.mark.parametrize("kind", ["fifo", "device", "to a fifo"])
def test_an_odd_lock_ends_in_a_message(kind: str, place: Place, tmp_path: Path) -> None:
    from wheelkit.errors import OutputError

    path = place(tmp_path / "x.lock", kind)
    with pytest.raises(OutputError, match=r"x\.lock"), index_lock(path, Clock(), print):
        pass
    with index_lock(tmp_path / "y.lock", Clock(), print):
        assert (tmp_path / "y.lock").read_text() == str(os.getpid())


@pytest.mark.parametrize("kind", ODD)
def test_only_regular_files_are_read(kind: str, place: Place, tmp_path: Path) -> None:
    honest = tmp_path / "file"
    honest.write_bytes(b"x\r\ny\rz")
    linked = tmp_path / "link"
    linked.symlink_to("file")
    assert inputs.read_bytes(linked) == honest.read_bytes()
    assert inputs.read_text(honest) == "x\ny\nz"
    assert manifest.sha256(honest) == manifest.sha256(linked)
    odd = place(tmp_path / "odd", kind)
    for read in (inputs.read_bytes, inputs.read_text, inputs.open_file, manifest.sha256):
        with pytest.raises(OSError, match=r"odd|nowhere"):
            read(odd)
