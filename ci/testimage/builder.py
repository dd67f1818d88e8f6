"""Builds the image with mmdebstrap and podman."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shlex
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from testimage.machine import LEFT_OUT, REPOSITORY, ROOTFS_PACKAGES, ROOTFS_REPOSITORY, Inputs, Interpreter
from testimage.messages import ImageError, say

if TYPE_CHECKING:
    from collections.abc import Iterator

APT_ACQUIRE = ("Acquire::http", "Acquire::https", "Acquire::Check-", "Acquire::Retries", "Acquire::Force")


class Builder:
    """Builds the image in `cache`, with the output of the tools in `cache`/image.log."""

    def __init__(self, inputs: Inputs, cache: Path) -> None:
        self.inputs = inputs
        self.cache = cache
        self.log = cache / "image.log"
        self.environ = os.environ | {"CONTAINERS_CONF": str(cache / "containers.conf")}

    def exists(self, image: str) -> bool:
        """Return whether podman has `image`."""
        command = ["podman", "image", "exists", image]
        return (
            subprocess.run(command, env=self.environ, stderr=subprocess.DEVNULL, check=False).returncode == 0
        )

    def ask(self, *command: str) -> list[str]:
        """Run a tool that ends quickly; returns the lines that it prints."""
        run = subprocess.run(command, env=self.environ, stdout=subprocess.PIPE, text=True, check=False)
        return run.stdout.splitlines()

    def run(self, *command: str | Path) -> None:
        """Run a tool; its output goes to the log, whose end is shown when it fails."""
        with self.log.open("ab") as log:
            log.write(f"\n$ {shlex.join(map(str, command))}\n".encode())
            log.flush()
            code = _wait(
                subprocess.Popen(command, env=self.environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            )
        if code:
            end = "\n".join(f"  {line}" for line in self.log.read_text("utf-8", "replace").splitlines()[-15:])
            message = (
                f"{command[0]} failed with exit code {code}; its last lines:\n{end}\n  all of it: {self.log}"
            )
            raise ImageError(message, code=4)

    def build(self) -> None:
        """Build the images that are missing; podman adds a tag last, so an interrupted build leaves none."""
        with locked(self.cache / "image.lock"):
            if self.exists(self.inputs.image):
                return
            self.log.write_bytes(b"")
            self.sweep()
            with tempfile.TemporaryDirectory(prefix="build-", dir=self.cache) as folder:
                if not self.exists(self.inputs.rootfs):
                    self.build_rootfs(Path(folder) / "rootfs.tar")
                self.build_image(Path(folder))

    def sweep(self) -> None:
        """Remove what an interrupted build left behind. The caller holds the lock."""
        for folder in self.cache.glob("build-*"):
            shutil.rmtree(folder, ignore_errors=True)
        for line in self.ask("podman", "ps", "--all", "--external", "--format={{.ID}} {{.Image}}"):
            container, _, image = line.partition(" ")
            if image.startswith(ROOTFS_REPOSITORY):
                self.run("podman", "rm", "--force", container)

    def build_rootfs(self, archive: Path) -> None:
        """Make the root file system in `archive` and import it."""
        say(f"making the root file system of {self.inputs.suite} (about a minute, once)")
        packages = f"--include={','.join(ROOTFS_PACKAGES)}"
        command = [
            "mmdebstrap",
            "--variant=minbase",
            packages,
            *apt_options(),
            self.inputs.suite,
            str(archive),
        ]
        self.run(*command, *mirrors(self.inputs.suite))
        self.run("podman", "import", "--quiet", archive, self.inputs.rootfs)
        archive.unlink()

    def build_image(self, folder: Path) -> None:
        """Build the image on the root file system, with its context in `folder`."""
        names = ", ".join(python.tag.partition("-")[0] for python in self.inputs.interpreters) or "none"
        say(f"building {self.inputs.image} (half a minute, once; copied from this machine: {names})")
        context = folder / "context"
        context.mkdir()
        fill_context(self.inputs, context)
        command = ["podman", "build", "--network=host", "--force-rm", "--layers=false", "--pull=never"]
        self.run(*command, f"--build-arg=BASE={self.inputs.rootfs}", f"--tag={self.inputs.image}", context)

    def remove(self) -> None:
        """Remove every image that this program has built."""
        command = ["podman", "images", "--format={{.Repository}}:{{.Tag}}"]
        with locked(self.cache / "image.lock"):
            for repository in (REPOSITORY, ROOTFS_REPOSITORY):
                for image in self.ask(*command, repository):
                    self.run("podman", "rmi", image)


def _wait(process: subprocess.Popen[bytes]) -> int:
    """Wait for a tool; when interrupted, give it a minute to remove its mounts and working containers."""
    try:
        return process.wait()
    except BaseException:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=60)
        process.kill()
        raise


def fill_context(inputs: Inputs, context: Path) -> None:
    """Write the files that the Containerfile copies."""
    (context / "Containerfile").write_bytes(inputs.containerfile)
    (context / "ca-certificates.crt").write_bytes(inputs.certificates)
    (context / "pip.conf").write_text(inputs.pip_conf, encoding="utf-8")
    (context / "uv.toml").write_text(inputs.uv_toml, encoding="utf-8")
    lines = [f"{python.tag} {python.version} {python.prefix}\n" for python in inputs.interpreters]
    (context / "interpreters.txt").write_text("".join(lines), encoding="utf-8")
    with tarfile.open(context / "interpreters.tar", "w") as tar:
        for python in inputs.interpreters:
            add_interpreter(tar, python)


def add_interpreter(tar: tarfile.TarFile, python: Interpreter) -> None:
    """Add the parts of an interpreter that builds and tests need, under its configured prefix."""
    prefix, name = python.prefix, f"python{python.version}"
    libraries = sorted(prefix.glob(f"lib/libpython{python.version}*.so*"))
    for path in (prefix / "bin" / name, prefix / "lib" / name, prefix / "include" / name, *libraries):
        if path.exists():
            tar.add(path, filter=_wanted)


def _wanted(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    name = Path(member.name).name
    static = name.startswith("libpython") and name.endswith(".a")
    return None if name in LEFT_OUT or name.startswith("_tkinter.") or static else member


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on `path`; wait, and say so, while another process holds it."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another process is building the image; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def mirrors(release: str) -> list[str]:
    """Return this machine's apt sources for `release`; if empty, mmdebstrap uses Debian's mirror."""
    template = "deb $(REPO_URI) $(RELEASE) $(COMPONENT)"
    lines: list[str] = []
    for origin in ("Debian", "Ubuntu"):
        command = [
            "apt-get",
            "indextargets",
            "--format",
            template,
            "Created-By: Packages",
            f"Origin: {origin}",
        ]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        lines += run.stdout.splitlines()
    return [line for line in dict.fromkeys(lines) if line.split()[2].partition("-")[0] == release]


def apt_options() -> list[str]:
    """Return this machine's apt settings for downloads (proxy, dates) as options of mmdebstrap."""
    run = subprocess.run(["apt-config", "dump", "Acquire"], capture_output=True, text=True, check=False)
    lines = [
        line for line in run.stdout.splitlines() if line.startswith(APT_ACQUIRE) and not line.endswith(' "";')
    ]
    return [f"--aptopt={line}" for line in lines]
