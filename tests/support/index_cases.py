"""Files that indexes refuse, and their closest twins that they accept: one row for each rule."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from support import wheels
from support.releases import extension_module

NAME = "gyro_cli"
PURE_TAGS, NATIVE_TAGS = "py3-none-any", "cp311-abi3-manylinux_2_40_x86_64"
WHEEL, SDIST = "wheel", "sdist"
BOTH = (WHEEL, SDIST)


class Pipe:
    """A file that can only be written, as a pipe: zipfile then writes sizes behind the data."""

    def __init__(self, file: BinaryIO) -> None:
        self.write, self.flush = file.write, file.flush


@dataclass
class Draft:
    """A wheel and an sdist of one distribution, which both are good unless something is changed."""

    name: str = NAME
    version: str = "1.0"
    metadata_version: str = "2.4"
    fields: list[str] = field(default_factory=list)
    markup: str = "text/markdown"
    body: str = "A member of a family.\n"
    tags: str = PURE_TAGS
    wheel_name: str = ""
    sdist_name: str = ""
    dist_info: str = ""
    wheel_files: dict[str, bytes] = field(default_factory=dict)
    sdist_files: dict[str, bytes] = field(default_factory=dict)
    to_pipe: bool = False
    left_out: str = ""
    repeated: str = ""
    edit: Callable[[bytes], bytes] = bytes
    sdist_prefix: str = ""
    sparse: bool = False

    @property
    def native(self) -> bool:
        return self.tags != PURE_TAGS

    def metadata(self) -> bytes:
        lines = [
            f"Metadata-Version: {self.metadata_version}",
            f"Name: {self.name.replace('_', '-')}",
            f"Version: {self.version}",
            "Requires-Python: >=3.11",
            *self.fields,
            *([f"Description-Content-Type: {self.markup}"] if self.markup else []),
        ]
        return "\n".join([*lines, "", self.body]).encode()

    def write(self, folder: Path, kind: str) -> Path:
        """Write the wheel or the sdist."""
        return self._write_wheel(folder) if kind == WHEEL else self._write_sdist(folder)

    def _write_wheel(self, folder: Path) -> Path:
        filename = self.wheel_name or f"{self.name}-{self.version}-{self.tags}.whl"
        info = self.dist_info or f"{self.name}-{self.version}.dist-info"
        module = {f"{self.name}/_core.abi3.so": extension_module()} if self.native else {}
        members = {
            f"{self.name}/__init__.py": b"answer = 42\n",
            **module,
            f"{info}/METADATA": self.metadata(),
            f"{info}/WHEEL": wheels.wheel_file(filename).encode(),
            **{name.replace("{info}", info): data for name, data in self.wheel_files.items()},
        }
        members[f"{info}/RECORD"] = wheels.record(members, info).encode()
        if self.left_out.endswith("WHEEL"):
            del members[f"{info}/WHEEL"]
        path = folder / filename
        with path.open("wb") as file, zipfile.ZipFile(Pipe(file) if self.to_pipe else file, "w") as archive:
            again = [(name, data) for name, data in members.items() if name == self.repeated]
            for name, data in [*members.items(), *again]:
                entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
                if name != self.left_out.replace("{info}", info):
                    archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
        path.write_bytes(self.edit(path.read_bytes()))
        return path

    def _write_sdist(self, folder: Path) -> Path:
        top = f"{self.name}-{self.version}"
        backend = "mesonpy" if self.native else "hatchling.build"
        project = f'[build-system]\nrequires = []\nbuild-backend = "{backend}"\n'
        build = {"meson.build": b"project('x', 'c')\n"} if self.native else {}
        files = {
            "PKG-INFO": self.metadata(),
            "pyproject.toml": project.encode(),
            **build,
            **self.sdist_files,
        }
        path = folder / (self.sdist_name or f"{top}.tar.gz")
        with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
            for name, data in files.items():
                entry = tarfile.TarInfo(f"{self.sdist_prefix}{top}/{name}")
                entry.size = len(data)
                if self.sparse and name == "pyproject.toml":
                    entry.pax_headers = {
                        "GNU.sparse.size": str(len(data)),
                        "GNU.sparse.numblocks": "1",
                        "GNU.sparse.map": f"0,{len(data)}",
                    }
                archive.addfile(entry, io.BytesIO(data))
        return path


Change = Callable[[Draft], None]


def changed(**values: object) -> Change:
    """Return a change that sets attributes of a draft."""

    def change(draft: Draft) -> None:
        for name, value in values.items():
            setattr(draft, name, value)

    return change


def fields(*lines: str, **values: object) -> Change:
    """Return a change that adds fields to the metadata, and sets attributes."""

    def change(draft: Draft) -> None:
        draft.fields += lines
        changed(**values)(draft)

    return change


def unchanged(_draft: Draft) -> None:
    """Leave the draft as it is."""


@dataclass(frozen=True)
class Case:
    """A rule: the finding's code, the words of the refusal (by the index or by twine), and two changes.

    ``twine`` is set where twine refuses and asks no index.
    """

    name: str
    code: str
    words: str
    bad: Change
    good: Change = unchanged
    kinds: tuple[str, ...] = BOTH
    twine: bool = False


URL = "https://example.org/"
LABEL = "x" * 32
LICENSE = {"{info}/licenses/LICENSE": b"MIT"}
SCRIPT = b"[console_scripts]\ngyro%s = gyro_cli:answer\n"
NATIVE_NAME = f"{NAME}-1.0-{NATIVE_TAGS}"

# fmt: off
CASES = (
    Case("a requirement with a URL", "WK720", "have direct dependency",
         fields("Requires-Dist: six @ https://example.org/six.zip"), fields("Requires-Dist: six>=1")),
    Case("a requirement of an extra with a URL", "WK720", "have direct dependency",
         fields("Provides-Extra: doc", 'Requires-Dist: six @ git+https://e.org/six.git ; extra == "doc"'),
         fields("Provides-Extra: doc", 'Requires-Dist: six ; extra == "doc"')),
    Case("an unknown classifier", "WK731", "is not a valid classifier",
         fields("Classifier: Development status :: 4 - Beta"),
         fields("Classifier: Development Status :: 4 - Beta")),
    Case("a deprecated classifier", "WK731", "has been deprecated",
         fields("Classifier: Natural Language :: Ukranian"),
         fields("Classifier: Natural Language :: Ukrainian")),
    Case("a private project", "WK732", "is not a valid classifier",
         fields("Classifier: Private :: Do Not Upload")),
    Case("a home page without a scheme", "WK733", "is not a valid url",
         fields("Home-page: example.org"), fields(f"Home-page: {URL}")),
    Case("a download from a folder", "WK733", "is not a valid url",
         fields("Download-URL: file:///srv/gyro"), fields(f"Download-URL: {URL}")),
    Case("a project URL without a URL", "WK733", "Must have a URL",
         fields("Project-URL: Documentation, "), fields(f"Project-URL: Documentation, {URL}")),
    Case("a project URL without a label", "WK733", "Must have a label",
         fields(f"Project-URL: , {URL}"), fields(f"Project-URL: a, {URL}")),
    Case("a long label", "WK733", "must be 32 characters or less",
         fields(f"Project-URL: {LABEL}x, {URL}"), fields(f"Project-URL: {LABEL}, {URL}")),
    Case("a project URL with another scheme", "WK733", "is not a valid url",
         fields("Project-URL: Source, git@example.org:a/b.git"), fields(f"Project-URL: Source, {URL}a")),
    Case("a long summary", "WK734", "must be 512 characters or less",
         fields(f"Summary: {'x' * 513}"), fields(f"Summary: {'x' * 512}")),
    Case("an address on the local network", "WK735", "is not a valid email address",
         fields("Author-email: Me <me@host.local>"), fields("Author-email: Me <me@example.org>")),
    Case("an address that is a name", "WK735", "is not a valid email address",
         fields("Maintainer-email: me"), fields("Maintainer-email: me@example.org, you")),
    Case("both license fields", "WK736", "License is deprecated when License-Expression is present",
         fields("License: MIT", "License-Expression: MIT"), fields("License-Expression: MIT")),
    Case("a new metadata version", "WK737", "is not a valid metadata version",
         changed(metadata_version="2.6"), changed(metadata_version="2.5")),
    Case("Dynamic as a dynamic field", "WK738", "is not a valid dynamic field",
         fields("Dynamic: Dynamic"), fields("Dynamic: Keywords")),
    Case("a provided distribution with a URL", "WK738", "have direct dependency",
         fields("Provides-Dist: a @ https://example.org/a.zip"), fields("Provides-Dist: a")),
    Case("a description that does not render", "WK710", "The description failed to render",
         changed(markup="text/x-rst", body="See `broken <\n"),
         changed(markup="text/x-rst", body=f"See `it <{URL}>`_.\n")),
    Case("Markdown that is not called so", "WK710", "The description failed to render",
         changed(markup="", body="| a | b |\n|---|\n\n```\n*\n"), changed(markup="", body="Gyro\n")),
    Case("a local version", "WK703", "The use of local versions",
         changed(version="1.0+cpu"), changed(version="1.0")),
    Case("an invalid extra", "WK701", "InvalidDistribution",
         fields("Provides-Extra: a b"), fields("Provides-Extra: a-b"), twine=True),
    Case("an invalid license expression", "WK701", "InvalidDistribution",
         fields("License-Expression: GPL"), fields("License-Expression: GPL-3.0-only"), twine=True),
    Case("an unknown field", "WK701", "InvalidDistribution",
         fields("Colour: red"), fields("Platform: red"), twine=True),
    Case("License-Expression in metadata 2.3", "WK730", "InvalidDistribution",
         fields("License-Expression: MIT", metadata_version="2.3"), fields("License-Expression: MIT"),
         twine=True),
    Case("a license file that is not there", "WK708", "License-File LICENSE does not exist",
         fields("License-File: LICENSE"),
         fields("License-File: LICENSE", wheel_files=LICENSE, sdist_files={"LICENSE": b"MIT"})),
    Case("a license file beside METADATA", "WK740", "License-File LICENSE does not exist",
         fields("License-File: LICENSE", wheel_files={"{info}/LICENSE": b"MIT"}),
         fields("License-File: LICENSE", wheel_files=LICENSE, sdist_files={"LICENSE": b"MIT"}), (WHEEL,)),
    Case("a .dist-info folder in capitals", "WK742", "WHEEL not found at",
         changed(dist_info="Gyro_Cli-1.0.dist-info"), unchanged, (WHEEL,)),
    Case("a .dist-info folder with another spelling of the version", "WK742", "WHEEL not found at",
         changed(dist_info="gyro_cli-1.0.0.dist-info"), unchanged, (WHEEL,)),
    Case("a wheel named with capitals", "WK202", "should contain the normalized project name",
         changed(wheel_name="Gyro_Cli-1.0-py3-none-any.whl", dist_info="Gyro_Cli-1.0.dist-info"), unchanged,
         (WHEEL,)),
    Case("an sdist named with dashes", "WK202", "is invalid, should be",
         changed(sdist_name="gyro-cli-1.0.tar.gz"), unchanged, (SDIST,)),
    Case("a platform tag of no index", "WK744", "has an unsupported platform tag",
         changed(tags=NATIVE_TAGS, wheel_name=f"{NATIVE_NAME}.freebsd_14_0_release_amd64.whl"),
         changed(tags=NATIVE_TAGS), (WHEEL,)),
    Case("linux_x86_64", "WK307", "has an unsupported platform tag",
         changed(tags=NATIVE_TAGS, wheel_name=f"{NATIVE_NAME}.linux_x86_64.whl"),
         changed(tags=NATIVE_TAGS), (WHEEL,)),
    Case("a bomb", "WK745", "exceeds compression ratio",
         changed(wheel_files={"gyro_cli/table.bin": wheels.compressible(65 << 20)}),
         changed(wheel_files={"gyro_cli/table.bin": wheels.compressible(63 << 20)}), (WHEEL,)),
    Case("an archive from a pipe", "WK746", "ZIP contains a data descriptor",
         changed(to_pipe=True), unchanged, (WHEEL,)),
    Case("bytes in front of the archive", "WK113", "ZIP archive not accepted",
         changed(edit=lambda data: b"#!/bin/sh\n" + data), unchanged, (WHEEL,)),
    Case("bytes behind the archive", "WK113", "ZIP archive not accepted",
         changed(edit=lambda data: data + b"and more"), unchanged, (WHEEL,)),
    Case("zeros behind the archive", "WK142", "ZIP archive not accepted",
         changed(edit=lambda data: data + b"\0" * 10), unchanged, (WHEEL,)),
    Case("a member that is there twice", "WK104", "ZIP archive not accepted",
         changed(repeated="gyro_cli/__init__.py"), unchanged, (WHEEL,)),
    Case("another size in a local header", "WK115", "ZIP archive not accepted",
         changed(edit=lambda data: data[:22] + b"\1" + data[23:]), unchanged, (WHEEL,)),
    Case("no RECORD", "WK107", "does not contain the required RECORD",
         changed(left_out="{info}/RECORD"), unchanged, (WHEEL,)),
    Case("no WHEEL", "WK207", "WHEEL not found at",
         changed(left_out="{info}/WHEEL"), unchanged, (WHEEL,)),
    Case("a sample of METADATA that twine reads", "WK752", "Start filename for",
         changed(wheel_files={"gyro_cli/METADATA": b"Metadata-Version: 2.1\nName: sample\nVersion: 9\n"}),
         changed(wheel_files={"gyro_cli/a/METADATA": b"Metadata-Version: 2.1\nName: sample\nVersion: 9\n"}),
         (WHEEL,)),
    Case("a script with a plus", "WK747", "has invalid entry points",
         changed(wheel_files={"{info}/entry_points.txt": SCRIPT % b"+two"}),
         changed(wheel_files={"{info}/entry_points.txt": SCRIPT % b"-two"}), (WHEEL,)),
    Case("an sdist whose names begin with ./", "WK748", "InvalidDistribution",
         changed(sdist_prefix="./"), unchanged, (SDIST,), twine=True),
    Case("an sdist with a sparse file", "WK750", "Sparse members are not allowed",
         changed(sparse=True), unchanged, (SDIST,)),
)

# What is worth a finding, and no reason to refuse: name, code, change.
ACCEPTED = (
    ("License-File in metadata 2.1", "WK706",
     fields("License-File: LICENSE", metadata_version="2.1", wheel_files={"{info}/LICENSE": b"MIT"},
            sdist_files={"LICENSE": b"MIT"})),
    ("a missing license file in metadata 2.1", "WK741",
     fields("License-File: LICENSE", metadata_version="2.1")),
    ("a home page without a value", "WK739", fields("Home-page: ", "Download-URL: ")),
    ("no description", "WK711", changed(markup="", body="")),
    ("no content type", "WK718", changed(markup="")),
)
# fmt: on
