"""Real wheels and sdists for tests: downloaded by pip, pinned by sha256, kept outside the repository.

python tests/support/corpus.py      download all of them, before the machine goes offline
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import platformdirs
from packaging.utils import parse_sdist_filename, parse_wheel_filename

PINS = Path(__file__).parents[1] / "integration" / "corpus.toml"


class CorpusError(Exception):
    """A pinned file cannot be downloaded, or its sha256 differs."""


def names(table: str = "wheels") -> list[str]:
    """Return the filenames in a table of pins: "wheels" (for every run), "large" or "sdists"."""
    return list(_pins()[table])


def wheel(filename: str) -> Path:
    """Return the path of a pinned wheel or sdist, downloading it if needed; raises CorpusError."""
    digest = {name: digest for table in _pins().values() for name, digest in table.items()}.get(filename)
    if digest is None:
        raise CorpusError(f"{filename} is not pinned; add it with its sha256 to {PINS.name}")
    path = _cache() / filename
    if not path.exists():
        _download(filename, path)
    if _sha256(path) != digest:
        path.unlink()
        raise CorpusError(
            f"{filename} is not the pinned file: its sha256 differs; it was removed from {path.parent}"
        )
    return path


def _pins() -> dict[str, dict[str, str]]:
    return tomllib.loads(PINS.read_text("utf-8"))


def _cache() -> Path:
    chosen = os.environ.get("WHEELKIT_TEST_CACHE")
    cache = Path(chosen) if chosen else platformdirs.user_cache_path("wheelkit") / "test-wheels"
    cache.mkdir(parents=True, exist_ok=True)
    return cache


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(filename: str, path: Path) -> None:
    """Download to a scratch folder, then move atomically: tests may run in parallel."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        command = [*_pip_command(filename), "--dest", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        downloaded = Path(folder, filename)
        if not downloaded.exists():
            others = ", ".join(path.name for path in Path(folder).iterdir()) or "nothing"
            raise CorpusError(f"pip got {others} instead of {filename}\n$ {' '.join(command)}\n{done.stderr}")
        downloaded.replace(path)


def _pip_command(filename: str) -> list[str]:
    """Return the pip command that downloads exactly this sdist, or this wheel by its tags."""
    if filename.endswith(".tar.gz"):
        project, release = parse_sdist_filename(filename)
        return [
            sys.executable,
            "-m",
            "pip",
            "download",
            f"{project}=={release}",
            "--no-deps",
            "--no-binary",
            project,
            "--quiet",
        ]
    name, version, _, tags = parse_wheel_filename(filename)
    tag = min(tags, key=lambda t: filename.index(t.platform))
    python = tag.interpreter[2:] if tag.abi.startswith(tag.interpreter) else "311"
    kind = "pp" if tag.interpreter.startswith("pp") else "cp"
    wanted = [f"{name}=={version}", "--no-deps", "--only-binary", ":all:", "--quiet"]
    target = [
        "--platform",
        tag.platform,
        "--implementation",
        kind,
        "--abi",
        tag.abi,
        "--python-version",
        python,
    ]
    return [sys.executable, "-m", "pip", "download", *wanted, *target]


if __name__ == "__main__":
    for pinned in names():
        print(wheel(pinned))
