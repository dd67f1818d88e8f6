"""Install wheels by pip and uv into fresh environments, and read what lies there afterwards."""

import hashlib
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PathDistribution
from pathlib import Path
from typing import IO
from urllib.parse import quote

from installers.drafts import OUTSIDE

PYTHON = f"python{sys.version_info[0]}.{sys.version_info[1]}"
# Below an environment; Debian's own scheme is not used in virtual environments.
SITE = f"lib/{PYTHON}/site-packages"
_PIP = (
    "install", "--no-deps", "--no-index", "--disable-pip-version-check", "--ignore-installed",
    "--no-cache-dir",
    "--no-input", "--no-color", "--no-warn-script-location", "--progress-bar", "off", "--root-user-action",
    "ignore",
)  # fmt: skip
_UV = (
    "pip", "install", "--no-deps", "--no-index", "--no-config", "--no-progress", "--color", "never",
    "--link-mode", "copy",
)  # fmt: skip
# What a server answers once, it answers always; threads take longer to start than such wheels to install.
_UV_VARIABLES = {"UV_HTTP_RETRIES": "0", "UV_CONCURRENT_INSTALLS": "1", "RAYON_NUM_THREADS": "1"}
_OUTSIDE = Path("/", OUTSIDE)
WORKER = Path(__file__).with_name("pip_worker.py")


@dataclass(frozen=True, kw_only=True)
class Installed:
    """One file below an environment: its contents, and whether its mode lets it be run."""

    data: bytes
    executable: bool

    @property
    def digest(self) -> str:
        """The sha256 of the contents."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an installer did: its exit code and output, and the files that lie below the environment then.

    ``outside`` are the files that lie elsewhere, ``metadata`` is what importlib.metadata reads, by folder.
    """

    installer: str
    code: int
    output: str
    files: dict[str, Installed] = field(default_factory=dict)
    outside: tuple[str, ...] = ()
    metadata: dict[str, object] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        """Whether the wheel was not installed."""
        return self.code != 0


class Installers:
    """Both pips and uv, ready to install one wheel after the other."""

    def __init__(self, scratch: Path, pips: dict[str, Path], first: Path) -> None:
        """Start the workers; ``pips`` maps a name to the folder with that pip, ``first`` is a valid wheel."""
        self._scratch = scratch
        self._skeleton = scratch / "skeleton"
        self._environment = scratch / "run" / "a" / "b" / "environment"
        self._cache = scratch / "cache"
        self._uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        assert self._uv is not None
        _make_environment(self._skeleton)
        self._usual = _paths(self._skeleton)
        self._server = _Server()
        self._base = scratch / "base"
        _make_environment(self._base)
        self._python = str(self._base / "bin/python")
        self._pips = {name: _Worker(self._python, folder) for name, folder in pips.items()}
        self.versions = {"uv": self._uv_version()}
        for name, worker in self._pips.items():
            with self._fresh():
                self.versions[name] = str(worker.ask(self._request(first))["version"])

    def close(self) -> None:
        """End the workers."""
        for worker in self._pips.values():
            worker.close()
        self._server.close()

    def install(self, wheel: Path) -> list[Outcome]:
        """Install a wheel by each installer into a fresh environment."""
        outcomes = []
        for name, worker in self._pips.items():
            with self._fresh():
                code = int(str(worker.ask(self._request(wheel))["code"]))
                output = (self._scratch / "output").read_text("utf-8", "replace")
                outcomes.append(self._outcome(name, code, output))
        for name, source in (("uv", str(wheel)), ("uv download", self._server.offer(wheel))):
            with self._fresh():
                done = self._run_uv(source)
                outcomes.append(self._outcome(name, done.returncode, done.stderr.decode("utf-8", "replace")))
        return outcomes

    def _request(self, wheel: Path) -> dict[str, object]:
        return {
            "arguments": [*_PIP, "--prefix", str(self._environment), str(wheel)],
            "folder": str(self._scratch / "run"),
            "output": str(self._scratch / "output"),
        }

    def _run_uv(self, source: str) -> subprocess.CompletedProcess[bytes]:
        place = (
            "--prefix",
            str(self._environment),
            "--python",
            self._python,
            "--cache-dir",
            str(self._cache),
        )
        return subprocess.run(
            [str(self._uv), *_UV, *place, source],
            cwd=self._scratch / "run",
            env={**os.environ, **_UV_VARIABLES},
            capture_output=True,
            check=False,
            timeout=120,
        )

    def _uv_version(self) -> str:
        done = subprocess.run([str(self._uv), "--version"], capture_output=True, text=True, check=True)
        return done.stdout.split()[1]

    @contextmanager
    def _fresh(self) -> Iterator[None]:
        """Make an empty environment, and remove it with all that an installer left."""
        shutil.copytree(self._skeleton, self._environment, symlinks=True)
        yield
        _remove(self._scratch / "run")
        for folder in ("archive-v0", "wheels-v8", "sdists-v11"):
            _remove(self._cache / folder)
        if self._cache.exists():
            for path in self._cache.iterdir():
                if not path.name.startswith(("interpreter", "CACHEDIR", ".")):
                    _remove(path)
        _remove(_OUTSIDE)

    def _outcome(self, name: str, code: int, output: str) -> Outcome:
        own = self._environment
        files = {path: _read(own / path) for path in _paths(own) if path not in self._usual}
        replaced = {path for path, kind in self._usual.items() if _paths_kind(own / path) != kind}
        files |= {path: _read(own / path) for path in replaced if (own / path).is_file()}
        outside = [
            str(path.relative_to(self._scratch))
            for path in _walk(self._scratch / "run")
            if own not in path.parents
        ]
        outside += [str(_OUTSIDE)] if _OUTSIDE.exists() or _OUTSIDE.is_symlink() else []
        return Outcome(
            installer=name,
            code=code,
            output=output,
            files={path: file for path, file in files.items() if path != ".lock"},
            outside=tuple(outside),
            metadata={} if code else _metadata(own / SITE),
        )


class _Server:
    """An HTTP server on a loopback port that has one wheel, which uv unpacks while it downloads."""

    def __init__(self) -> None:
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.wfile.write(self._answer())

            def do_HEAD(self) -> None:
                self._answer()

            def _answer(self) -> bytes:
                """Send the headers, like an index that serves parts of files; returns the body."""
                size = len(outer._data)
                wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
                start, end = 0, size
                if wanted:
                    start = int(wanted[1]) if wanted[1] else max(size - int(wanted[2]), 0)
                    end = min(int(wanted[2]) + 1, size) if wanted[1] and wanted[2] else size
                self.send_response(206 if wanted else 200)
                if wanted:
                    self.send_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
                self.send_header("Accept-Ranges", "bytes")
                self.send_header("Content-Length", str(end - start))
                self.end_headers()
                return outer._data[start:end]

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self._data = b""
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def offer(self, wheel: Path) -> str:
        """Serve this wheel from now on; returns its URL."""
        self._data = wheel.read_bytes()
        return f"http://127.0.0.1:{self._server.server_address[1]}/{quote(wheel.name)}"

    def close(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()


class _Worker:
    """One process of ``pip_worker.py``."""

    def __init__(self, python: str, folder: Path) -> None:
        self._process = subprocess.Popen(
            [python, "-P", str(WORKER), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PIP_CONFIG_FILE": os.devnull, "PYTHONWARNINGS": "ignore"},
        )

    def ask(self, request: dict[str, object]) -> dict[str, object]:
        """Run one installation and return the worker's answer."""
        stdin, stdout = self._streams()
        stdin.write(json.dumps(request) + "\n")
        stdin.flush()
        answer: dict[str, object] = json.loads(stdout.readline())
        return answer

    def close(self) -> None:
        """End the worker."""
        stdin, stdout = self._streams()
        stdin.close()
        self._process.wait(timeout=60)
        stdout.close()

    def _streams(self) -> tuple[IO[str], IO[str]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout


@contextmanager
def installers(pips: dict[str, Path], first: Path) -> Iterator[Installers]:
    """Start the installers, with a scratch folder in memory where the system has one."""
    with ExitStack() as stack:
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
        scratch = stack.enter_context(tempfile.TemporaryDirectory(dir=memory, prefix="wheelkit-compare-"))
        ready = Installers(Path(scratch), pips, first)
        stack.callback(ready.close)
        yield ready


def _make_environment(folder: Path) -> None:
    """Write what an empty virtual environment has."""
    (folder / SITE).mkdir(parents=True)
    (folder / "lib64").symlink_to("lib")
    (folder / "bin").mkdir()
    (folder / "bin/python").symlink_to(Path(sys.base_prefix, "bin", PYTHON))
    (folder / "bin/python3").symlink_to("python")
    (folder / "bin/activate").write_text("# activate\n")
    (folder / "pyvenv.cfg").write_text(
        f"home = {sys.base_prefix}/bin\nversion = {sysconfig.get_python_version()}\n"
    )


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the files and links below a folder, other than folders."""
    for root, folders, files in os.walk(folder):
        for name in files:
            yield Path(root, name)
        for name in folders:
            if os.path.islink(os.path.join(root, name)):  # noqa: PTH114, PTH118 - called for every folder
                yield Path(root, name)


def _paths(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): _paths_kind(path) for path in _walk(folder)}


def _paths_kind(path: Path) -> str:
    """Return what would change if an installer wrote there: a link's target, or a file's contents."""
    if path.is_symlink():
        return f"link to {path.readlink()}"
    return path.read_bytes().decode("utf-8", "replace") if path.is_file() else "no file"


def _read(path: Path) -> Installed:
    if path.is_symlink():
        return Installed(data=f"link to {path.readlink()}".encode(), executable=False)
    return Installed(data=path.read_bytes(), executable=bool(path.stat().st_mode & 0o111))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    elif path.exists() or path.is_symlink():
        path.unlink()


def _metadata(site: Path) -> dict[str, object]:
    """Return the metadata as importlib.metadata reads it after the installation."""
    found: dict[str, object] = {}
    for folder in sorted(site.glob("*.dist-info")):
        distribution = PathDistribution(folder)
        try:
            message = distribution.metadata
            points = [(entry.group, entry.name, entry.value) for entry in distribution.entry_points]
            found[folder.name] = {
                "Name": (message["Name"] or "").strip(),
                "Version": (message["Version"] or "").strip(),
                "Requires-Dist": tuple(map(str.strip, message.get_all("Requires-Dist") or ())),
                "Requires-Python": (message["Requires-Python"] or "").strip() or None,
                "entry points": tuple(sorted(points)),
            }
        except Exception as error:  # noqa: BLE001 - a difference like any other
            found[folder.name] = f"{type(error).__name__}: {error}"
    return found
