"""A real devpi-server on loopback, as an example of a private index."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sysconfig
import time
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

USER, PASSWORD = "acme", "a-password-for-devpi"
# With the defaults, hashing a password takes seconds.
_CHEAP = ("--argon2-memory-cost", "1024", "--argon2-time-cost", "1", "--argon2-parallelism", "1")
_START_TIMEOUT = 60.0


@dataclass(frozen=True, kw_only=True)
class Devpi:
    """A running server; its indexes are non-volatile, as for releases."""

    port: int

    def upload(self, index: str) -> str:
        """Return the upload address of an index."""
        return f"http://127.0.0.1:{self.port}/{USER}/{index}/"

    def simple(self, index: str) -> str:
        """Return the address of an index's simple API."""
        return f"{self.upload(index)}+simple/"


@contextmanager
def serving(folder: Path, *indexes: str) -> Iterator[Devpi]:
    """Run a server with the named indexes, and its data in a folder."""
    scripts = Path(sysconfig.get_path("scripts"))
    env = {**os.environ, "PYTHONWARNINGS": "ignore"}
    data = ("--serverdir", str(folder))
    subprocess.run(
        [scripts / "devpi-init", *data, "--no-root-pypi"], check=True, env=env, capture_output=True
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = (
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--threads",
        "4",
        "--enable-core-metadata",
        *_CHEAP,
    )
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [scripts / "devpi-server", *data, *options], env=env, stdout=log, stderr=log
        )
    try:
        _prepare(port, indexes)
        yield Devpi(port=port)
    finally:
        process.terminate()
        process.wait()


def _prepare(port: int, indexes: tuple[str, ...]) -> None:
    root = f"http://127.0.0.1:{port}"
    started = time.monotonic()
    while True:
        try:
            _ask(f"{root}/+api")
            break
        except OSError:
            if time.monotonic() - started > _START_TIMEOUT:
                raise
            time.sleep(0.05)
    _ask(f"{root}/{USER}", "PUT", {"password": PASSWORD})
    token = _ask(f"{root}/+login", "POST", {"user": USER, "password": PASSWORD})["result"]["password"]
    for index in indexes:
        _ask(f"{root}/{USER}/{index}", "PUT", {"type": "stage", "volatile": False, "bases": []}, token)


def _ask(
    url: str, method: str = "GET", document: object = None, token: str = ""
) -> dict[str, dict[str, str]]:
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    if token:
        headers["X-Devpi-Auth"] = b64encode(f"{USER}:{token}".encode()).decode()
    data = json.dumps(document).encode() if document is not None else None
    request = urllib.request.Request(url, data=data, headers=headers, method=method)  # noqa: S310 - an address of our own
    with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310 - a server of this test
        answer: dict[str, dict[str, str]] = json.load(response)
    return answer
