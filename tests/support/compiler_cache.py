"""A server of sccache that one test has to itself."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def compiler_cache_server() -> Iterator[dict[str, str]]:
    """Provide the variables of a server of its own, which ends with the test if something has started it.

    Meson compiles with sccache wherever it is installed. All programs of a machine share a server, which
    works in the folders of whoever started it: if that was another test, these are gone.
    """
    # A socket's path has at most 104 bytes on macOS, so it is not in the folder of the test.
    with tempfile.TemporaryDirectory(prefix="sccache-", ignore_cleanup_errors=True) as folder:
        cache = {"SCCACHE_DIR": str(Path(folder, "cache")), "SCCACHE_IDLE_TIMEOUT": "600"}
        variables = {**cache, **_address(folder)}
        try:
            yield variables
        finally:
            if any(Path(folder).iterdir()):
                _stop({**os.environ, **variables})


def _address(folder: str) -> dict[str, str]:
    if sys.platform != "win32":
        return {"SCCACHE_SERVER_UDS": f"{folder}/server"}
    with socket.create_server(("127.0.0.1", 0)) as free:
        return {"SCCACHE_SERVER_PORT": str(free.getsockname()[1])}


def _stop(env: dict[str, str]) -> None:
    program = shutil.which("sccache")
    if program is not None:
        subprocess.run([program, "--stop-server"], env=env, capture_output=True, timeout=60, check=False)
