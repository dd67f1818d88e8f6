"""The inputs of the image that come from this machine: suite, index, certificates and interpreters."""

from __future__ import annotations

import configparser
import contextlib
import hashlib
import json
import os
import platform
import re
import ssl
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from testimage.messages import ImageError

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTAINERFILE = Path(__file__).with_name("Containerfile")
REPOSITORY = "localhost/wheelkit-manylinux"
ROOTFS_REPOSITORY = "localhost/wheelkit-rootfs"
ROOTFS_PACKAGES = (
    "ca-certificates",
    "file",
    "g++",
    "gcc",
    "git",
    "libc6-dev",
    "make",
    "pkg-config",
    "python3-dev",
    "python3-venv",
)
# Parts of an interpreter that builds and tests do not need; they make up most of its size.
LEFT_OUT = {"__pycache__", "site-packages", "test", "tests", "idlelib", "tkinter", "turtledemo", "lib2to3"}
OLDEST, NEWEST = 11, 15  # range of CPython 3.x to look for


@dataclass(frozen=True, kw_only=True, slots=True)
class Interpreter:
    """A CPython of this machine that can be copied: `tag` like cp312-cp312, `version` like 3.12."""

    tag: str
    version: str
    release: str
    prefix: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Inputs:
    """Everything that the image depends on; its digest is the image's tag."""

    suite: str
    machine: str
    certificates: bytes
    pip_conf: str
    uv_toml: str
    debian: Interpreter | None
    interpreters: tuple[Interpreter, ...]
    containerfile: bytes

    @property
    def rootfs_tag(self) -> str:
        """Digest of what the root file system is made of."""
        return _digest(self.suite, self.machine, *ROOTFS_PACKAGES)

    @property
    def tag(self) -> str:
        """Digest of all inputs."""
        pythons = [f"{python.tag} {python.release} {python.prefix}" for python in self.interpreters]
        parts = (self.rootfs_tag, self.certificates, self.containerfile, self.pip_conf, self.uv_toml)
        return _digest(*parts, *sorted(LEFT_OUT), *pythons)

    @property
    def image(self) -> str:
        """Full name of the image."""
        return f"{REPOSITORY}:{self.tag}"

    @property
    def rootfs(self) -> str:
        """Full name of the image of the root file system."""
        return f"{ROOTFS_REPOSITORY}:{self.rootfs_tag}"


def _digest(*parts: str | bytes) -> str:
    sha = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        sha.update(len(data).to_bytes(8, "big") + data)
    return sha.hexdigest()[:16]


def gather(environ: Mapping[str, str]) -> Inputs:
    """Collect the inputs from this machine; raises ImageError when one is missing."""
    settings = pip_settings(environ)
    debian = _ask(Path("/usr/bin/python3"))  # the image's suite is this machine's, so it has the same one
    return Inputs(
        suite=suite(),
        machine=platform.machine(),
        certificates=certificates(settings, environ),
        pip_conf=pip_conf(settings),
        uv_toml=uv_toml(settings, environ),
        debian=debian,
        interpreters=find_interpreters(environ, debian),
        containerfile=CONTAINERFILE.read_bytes(),
    )


def suite() -> str:
    """Return this machine's Debian suite; the image uses the same one, so that copied interpreters run."""
    try:
        codename = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    except OSError:
        codename = ""
    if not codename:
        raise ImageError(
            "this system names no VERSION_CODENAME in /etc/os-release; Debian or Ubuntu is needed", code=3
        )
    return codename


def pip_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Read pip's [global] and [install] settings, overridden by PIP_* (pip's docs, "Configuration")."""
    home = Path.home()
    files = [
        *(Path(folder, "pip/pip.conf") for folder in environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")),
        Path("/etc/pip.conf"),
        home / ".pip/pip.conf",
        Path(environ.get("XDG_CONFIG_HOME", home / ".config"), "pip/pip.conf"),
        Path(sys.prefix, "pip.conf"),
        Path(environ.get("PIP_CONFIG_FILE", os.devnull)),
    ]
    parser = configparser.RawConfigParser()
    try:
        parser.read(files, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        raise ImageError(f"pip's configuration cannot be read: {error}", code=2) from error
    sections = [parser[name] for name in ("global", "install") if parser.has_section(name)]
    settings = {key: value for section in sections for key, value in section.items()}
    variables = {
        key[4:].lower().replace("_", "-"): value for key, value in environ.items() if key.startswith("PIP_")
    }
    return settings | variables


def remote(value: str) -> str:
    """Return those addresses of a list that also work in a container: no folders, no file:// addresses.

    The names that UV_INDEX may give them (name=address) are dropped.
    """
    addresses = [re.sub(r"^[\w.-]+=(?=\w+://)", "", address) for address in value.split()]
    return " ".join(address for address in addresses if "://" in address and not address.startswith("file:"))


def pip_conf(settings: Mapping[str, str]) -> str:
    """Return the pip.conf of the image: this machine's indexes, without those that only it can reach."""
    kept = {key: remote(settings.get(key, "")) for key in ("index-url", "extra-index-url", "find-links")}
    kept |= {
        key: settings.get(key, "")
        for key in ("trusted-host", "proxy", "timeout", "default-timeout", "retries")
    }
    return "".join(
        ["[global]\n", *(f"{key} = {' '.join(value.split())}\n" for key, value in kept.items() if value)]
    )


def uv_toml(settings: Mapping[str, str], environ: Mapping[str, str]) -> str:
    """Return the uv.toml of the image: this machine's, or one with pip's index (uv ignores pip.conf)."""
    config = Path(environ.get("XDG_CONFIG_HOME", Path.home() / ".config"), "uv/uv.toml")
    for file in (Path(environ.get("UV_CONFIG_FILE", config)), Path("/etc/uv/uv.toml")):
        if file.is_file():
            return file.read_text(encoding="utf-8")
    default = environ.get("UV_DEFAULT_INDEX") or environ.get("UV_INDEX_URL") or settings.get("index-url", "")
    extra = (
        environ.get("UV_INDEX") or environ.get("UV_EXTRA_INDEX_URL") or settings.get("extra-index-url", "")
    )
    tables = [f"[[index]]\nurl = {json.dumps(url)}\n" for url in remote(extra).split()]
    tables += [f"[[index]]\nurl = {json.dumps(url)}\ndefault = true\n" for url in remote(default).split()[:1]]
    return "\n".join(tables)


def certificates(settings: Mapping[str, str], environ: Mapping[str, str]) -> bytes:
    """Read the certificate bundle that this machine trusts."""
    named = [
        settings.get("cert", ""),
        environ.get("SSL_CERT_FILE", ""),
        environ.get("REQUESTS_CA_BUNDLE", ""),
    ]
    for name in (*named, ssl.get_default_verify_paths().cafile or "", "/etc/ssl/certs/ca-certificates.crt"):
        if name and Path(name).is_file():
            return Path(name).read_bytes()
    raise ImageError(
        "no certificate bundle was by_tag\n  Debian, Ubuntu:  apt-get install ca-certificates", code=3
    )


def find_interpreters(environ: Mapping[str, str], debian: Interpreter | None) -> tuple[Interpreter, ...]:
    """Return the CPythons to copy, one per tag: pyenv's newest, then PATH's; without `debian`'s own."""
    pyenv = Path(environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    folders = [*sorted(pyenv.glob("3.*/bin"), key=_natural, reverse=True)]
    folders += [Path(folder) for folder in environ.get("PATH", "").split(os.pathsep) if folder]
    names = [f"python3.{minor}{t}" for minor in range(OLDEST, NEWEST + 1) for t in ("", "t")]
    by_tag: dict[str, Interpreter] = {}
    for path in dict.fromkeys(
        folder / name for folder in folders if folder != Path("/usr/bin") for name in names
    ):
        if _is_elf(path) and (python := _ask(path)) and python.tag not in by_tag:
            by_tag[python.tag] = python
    return tuple(by_tag[tag] for tag in sorted(by_tag) if debian is None or tag != debian.tag)


def _natural(path: Path) -> list[int]:
    return [int(part) if part.isdigit() else -1 for part in path.parent.name.split(".")]


def _is_elf(path: Path) -> bool:
    """Return whether it is a program rather than a script such as pyenv's shims."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        return file.read(4) == b"\x7fELF"
    return False


ASK = """
import json, sys, sysconfig
t = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
v = "%d%d" % sys.version_info[:2]
print(json.dumps([sys.implementation.name, sys.prefix == sys.base_prefix, f"cp{v}-cp{v}{t}",
    "%d.%d" % sys.version_info[:2] + t, "%d.%d.%d" % sys.version_info[:3], sys.base_prefix]))
"""


def _ask(path: Path) -> Interpreter | None:
    """Return the CPython at `path`; None if it does not run, is another one, or a virtual environment's."""
    try:
        run = subprocess.run([path, "-IS", "-c", ASK], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    name, real, tag, version, release, prefix = json.loads(run.stdout)
    if name != "cpython" or not real:
        return None
    return Interpreter(tag=tag, version=version, release=release, prefix=Path(prefix))
