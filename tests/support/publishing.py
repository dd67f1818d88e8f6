"""Fakes for publishing: a clock, an index in memory, and twine's output."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any

from servers.warehouse import JSON_TYPE
from wheelkit.errors import IndexUnavailableError
from wheelkit.machine.process import Command, Completed
from wheelkit.machine.progress import Progress
from wheelkit.machine.redaction import Secrets
from wheelkit.project.kinds import Kind
from wheelkit.publish import DistributionFiles, Index, PublishSession, Release, ShippedFile
from wheelkit.publish.client import Client, Clock, Response
from wheelkit.publish.journal import Journal

HERE = Index(name="here", upload="http://h.invalid/legacy/", simple="http://h.invalid/simple/", lag=10.0)


class CountingClock(Clock):
    """A clock that advances only by sleeping."""

    def __init__(self) -> None:
        self.time = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        self.slept.append(seconds)


class Notes(Progress):
    """Progress that records notes and the labels of steps."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.steps: list[str] = []

    def begin(self, label: str) -> None:
        self.steps.append(label)

    def note(self, text: str) -> None:
        self.notes.append(text)


def answer(
    body: bytes | dict[str, Any], status: int = 200, kind: str = JSON_TYPE, **headers: str
) -> Response:
    message = Message()
    message["Content-Type"] = kind
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status=status, headers=message, body=data, url="http://h.invalid/simple/demo/")


def listing(project: str, files: dict[str, str], **entry: Any) -> dict[str, Any]:
    """Return the simple API's JSON for files by name and sha256."""
    entries = [
        {"filename": name, "url": f"/f/{name}", "hashes": {"sha256": digest}, **entry}
        for name, digest in files.items()
    ]
    return {"meta": {"api-version": "1.1"}, "name": project, "files": entries}


@dataclass
class MemoryIndex:
    """An index that shows files after a lag; the first ``unreachable`` requests fail."""

    clock: CountingClock
    lag: float = 0.0
    shown: dict[str, tuple[str, float]] = field(default_factory=dict)
    unreachable: int = 0
    looks: int = 0

    def keep(self, name: str, digest: str) -> None:
        self.shown[name] = digest, self.clock.now() + self.lag

    def get(self, url: str) -> Response:
        self.looks += 1
        if self.unreachable:
            self.unreachable -= 1
            raise IndexUnavailableError("it is not there")
        project = url.rstrip("/").rpartition("/")[2]
        stem = project.replace("-", "_") + "-"
        files = {
            name: digest
            for name, (digest, moment) in self.shown.items()
            if name.startswith(stem) and moment <= self.clock.now()
        }
        return answer(listing(project, files)) if files else answer(b"", 404, "text/html")


class MemoryClient(Client):
    """A client that takes its responses from a function."""

    def __init__(
        self,
        reply: Callable[[str], Response],
        post: Callable[[str, Any], Response] | None = None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(clock=clock or CountingClock())
        self._reply = reply
        self._post = post
        self.asked: list[str] = []

    def get(self, url: str, *, accept: str = "*/*") -> Response:  # noqa: ARG002 - the client's signature
        self.asked.append(url)
        return self._reply(url)

    def download(self, url: str, path: Path) -> str:
        response = self.get(url)
        if response.status != 200:
            raise IndexUnavailableError(f"answered {response.status} for {url}")
        path.write_bytes(response.body)
        return hashlib.sha256(response.body).hexdigest()

    def post_json(self, url: str, document: Any) -> Response:
        self.asked.append(url)
        assert self._post is not None
        return self._post(url, document)


def completed(*lines: str, code: int = 1) -> Completed:
    return Completed(returncode=code, output="\n".join(lines) + "\n")


def accepted(name: str) -> tuple[str, ...]:
    """Return twine's output for a file that the index accepted."""
    return (f"Uploading {name}", "INFO     Response from http://h.invalid/legacy/:", "         200 OK")


def refused(name: str, status: int, reason: str, title: str = "") -> tuple[str, ...]:
    """Return twine's output for a file that the index refused."""
    page = (f"INFO     <html><head><title>{status} {title}</title></head>",) if title else ()
    return (
        f"Uploading {name}",
        "INFO     Response from http://h.invalid/legacy/:",
        f"         {status} {reason}",
        *page,
        f"ERROR    HTTPError: {status} {reason} from http://h.invalid/legacy/",
        f"         {reason}",
    )


def disconnected(name: str) -> tuple[str, ...]:
    """Return twine's output for a connection that broke."""
    reason = "('Connection aborted.', RemoteDisconnected('Remote end closed connection'))"
    error = f"requests.exceptions.ConnectionError: {reason}"
    return (f"Uploading {name}", "Traceback (most recent call last):", error)


@dataclass
class FakeTwine:
    """Uploads to an index in memory; ``replies`` replace single runs and get the names of the files."""

    index: MemoryIndex
    digests: dict[str, str]
    replies: list[Callable[[list[str]], Completed]] = field(default_factory=list)
    calls: list[list[str]] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)

    def __call__(self, command: Command, /) -> Completed:
        names = [Path(word).name for word in command.argv if word.endswith((".whl", ".tar.gz"))]
        self.commands.append(command)
        self.calls.append(names)
        if self.replies and (reply := self.replies.pop(0)):
            return reply(names)
        return self.take(names)

    def take(self, names: Iterable[str]) -> Completed:
        lines: list[str] = []
        for name in names:
            self.index.keep(name, self.digests[name])
            lines += accepted(name)
        return completed(*lines, code=0)


def distribution(
    folder: Path, name: str, *needs: str, sdist: bool = True, kind: Kind = Kind.PURE
) -> DistributionFiles:
    """Write placeholder files for one distribution."""
    stem = name.replace("-", "_")
    names = [f"{stem}-1.0-py3-none-any.whl", *([f"{stem}-1.0.tar.gz"] if sdist else [])]
    return DistributionFiles(
        key=name,
        name=name,
        version="1.0",
        kind=kind,
        needs=needs,
        files=tuple(shipped(folder / filename) for filename in names),
        commit="c" * 40,
    )


def shipped(path: Path) -> ShippedFile:
    from wheelkit import manifest

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(path.name)
    return ShippedFile(path=path, sha256=manifest.sha256(path), size=path.stat().st_size)


def release_of(*distributions: DistributionFiles) -> Release:
    return Release(
        folder=Path("dist"),
        distributions=distributions,
        commit="c" * 40,
        created="2026-11-20T10:00:00+00:00",
    )


@dataclass
class Scene:
    """A release, an index in memory, and the session that publishes to it."""

    release: Release
    clock: CountingClock
    index: MemoryIndex
    twine: FakeTwine
    notes: Notes
    session: PublishSession

    @property
    def journal(self) -> Journal:
        return self.session.journal(self.release, HERE)


def make_scene(folder: Path, *distributions: DistributionFiles, lag: float = 0.0) -> Scene:
    distributions = distributions or (distribution(folder, "core"), distribution(folder, "cli", "core"))
    release = release_of(*distributions)
    clock = CountingClock()
    index = MemoryIndex(clock=clock, lag=lag)
    twine = FakeTwine(index=index, digests={file.name: file.sha256 for file in release.files})
    notes = Notes()
    session = PublishSession(
        run=twine,
        client=MemoryClient(index.get, clock=clock),
        secrets=Secrets({}),
        progress=notes,
        environ={"TWINE_PASSWORD": "a-secret", "HOME": str(folder)},
        state=folder / "state",
    )
    return Scene(release=release, clock=clock, index=index, twine=twine, notes=notes, session=session)
