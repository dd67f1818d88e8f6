"""Debian packages, downloaded from the machine's apt sources and unpacked into a folder, never installed."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

COMPLETE = "complete"
"""The file that says that a folder was filled to the end."""
# What downloading and unpacking raise.
ERRORS = (subprocess.CalledProcessError, LookupError, OSError)

# Printed by apt-get for each list of packages that it is configured for.
_TARGET = ("--format", "$(REPO_URI)|$(RELEASE)|$(COMPONENT)", "Created-By: Packages")


def fetch(
    folder: Path, packages: Sequence[str], *, architecture: str = "", suite: str = "", alone: bool = False
) -> list[Path]:
    """Download packages (with their dependencies, unless ``alone``), keeping apt's state in ``folder``.

    ``suite`` is another suite than the machine's own, from the same mirror. Raises CalledProcessError, and
    LookupError where no Debian mirror is configured.
    """
    apt = _apt(folder, architecture, suite)
    if alone:
        call([*apt, "download", *packages], folder / "cache/archives")
    else:
        call([*apt, "install", "--yes", "--download-only", "--no-install-recommends", *packages])
    return sorted((folder / "cache/archives").glob("*.deb"))


def fetch_source(folder: Path, package: str, *, suite: str) -> Path:
    """Download a package's original source from a suite of the mirror, and return its archive.

    Raises CalledProcessError, and LookupError where no Debian mirror is configured.
    """
    apt = _apt(folder, "", suite)
    call([*apt, "source", "--download-only", "--tar-only", package], folder)
    return next(folder.glob("*.orig.tar.*"))


def _apt(folder: Path, architecture: str, suite: str) -> list[str]:
    """Return the command line of an apt-get that keeps its state in a new folder, with fresh lists."""
    for part in ("state/lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True)
    (folder / "status").touch()
    places = {"Dir::State": "state", "Dir::State::status": "status", "Dir::Cache": "cache"}
    options: dict[str, str] = {name: str(folder / place) for name, place in places.items()}
    options["Debug::NoLocking"] = "1"
    if os.geteuid() == 0:
        options["APT::Sandbox::User"] = "root"
    if architecture:
        options |= {"APT::Architecture": architecture, "APT::Architectures": architecture}
    if suite:
        options |= _sources(folder, suite)
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    apt = ["apt-get", "-q", *words]
    call([*apt, "update"])
    return apt


def _sources(folder: Path, suite: str) -> dict[str, str]:
    """Write the sources of another suite of the configured mirror; returns apt's options for them."""
    completed = call(["apt-get", "indextargets", *_TARGET])
    for line in completed.stdout.splitlines():
        uri, release, component = line.split("|")
        # "bookworm", not "bookworm-updates" or "bookworm-security": those have a mirror of their own.
        if component == "main" and release.isalpha():
            break
    else:
        message = "apt is configured for no Debian mirror; check its sources"
        raise LookupError(message)
    (folder / "sources.list").write_text(f"deb {uri} {suite} main\ndeb-src {uri} {suite} main\n")
    (folder / "parts").mkdir()
    return {
        "Dir::Etc::sourcelist": str(folder / "sources.list"),
        "Dir::Etc::sourceparts": str(folder / "parts"),
        # Mirrors of the suites that are in preparation lag behind.
        "Acquire::Check-Valid-Until": "false",
    }


def unpack(archives: Sequence[Path], root: Path) -> None:
    """Unpack packages into a folder, as a merged-/usr system has them; raises LookupError for none."""
    if not archives:
        message = "apt-get downloaded nothing; check its sources"
        raise LookupError(message)
    root.mkdir()
    for name in ("bin", "lib", "lib64", "sbin"):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    for archive in archives:
        # Without --keep-directory-symlink, folders in older packages would replace the links above.
        packed = subprocess.run(
            ["dpkg-deb", "--fsys-tarfile", str(archive)], capture_output=True, check=True
        ).stdout
        tar = ["tar", "--extract", "--keep-directory-symlink", "--directory", str(root)]
        subprocess.run(tar, input=packed, capture_output=True, check=True)


def call(
    command: Sequence[str], cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one step quietly; its error output is kept for the message."""
    return subprocess.run(
        command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )


@contextmanager
def to_fill(folder: Path) -> Iterator[bool]:
    """Make an empty folder unless a complete one is there; yields whether it is to be filled.

    It counts as complete once the block has ended without an error. Another process that wants the same
    folder waits.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        missing = not (folder / COMPLETE).exists()
        if missing:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        yield missing
        if missing:
            (folder / COMPLETE).touch()


def kept(name: str) -> Path:
    """Return the folder in the user's cache where something is kept."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "wheelkit" / name


def problem_of(error: Exception, folder: Path) -> str:
    """Describe one of ``ERRORS`` while ``folder`` was filled."""
    if isinstance(error, OSError):
        return f"{error.filename or folder} cannot be written: {error.strerror}"
    if not isinstance(error, subprocess.CalledProcessError):
        return str(error.args[0])
    output = error.stderr if isinstance(error.stderr, str) else error.stderr.decode(errors="replace")
    return f"{error.cmd[0]} failed with exit status {error.returncode}:\n{output}"
