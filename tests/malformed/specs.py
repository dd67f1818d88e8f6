"""The registry of malformed wheels, and the valid wheels that they change."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from binaries import elf, macho, pe
from support import wheels

LINUX = "demo-1.0-cp311-abi3-manylinux_2_31_x86_64.whl"
MACOS = "demo-1.0-cp311-abi3-macosx_11_0_arm64.whl"
WINDOWS = "demo-1.0-cp311-abi3-win_amd64.whl"
PURE = "demo-1.0-py3-none-any.whl"
INFO = "demo-1.0.dist-info"
SO, DYLIB, PYD = "demo/dx.abi3.so", "demo/dx.abi3.so", "demo/tiny.pyd"


def so(**shape: object) -> bytes:
    """Return a valid extension module for Linux, which needs glibc 2.29."""
    data = elf.tiny(elf.Shape(**shape)).data  # type: ignore[arg-type]  # any shape
    return data.replace(b"tiny_call", b"PyInit_dx").replace(b":/opt/tiny", b":$ORIGIN/x")


def dylib(**shape: object) -> bytes:
    """Return a valid extension module for macOS."""
    data = macho.tiny(macho.Shape(trie=False, **shape)).data  # type: ignore[arg-type]  # any shape
    for old, new in (
        (b"_tiny_call", b"_PyInit_dx"),
        (b"@rpath/libagain.dylib", b"/usr/lib/liba.1.dylib"),
        (b"@rpath/libup.dylib", b"/usr/lib/lib.dylib"),
    ):
        assert len(old) == len(new)
        data = data.replace(old, new)
    return macho.signed(data)


def pyd(**shape: object) -> bytes:
    """Return a valid extension module for Windows."""
    return pe.tiny(pe.Shape(**shape)).data  # type: ignore[arg-type]  # any shape


def replaced(data: bytes, old: bytes, new: bytes) -> bytes:
    """Replace bytes, which must be present, by others of the same length; sign the file again."""
    assert old in data
    assert len(old) == len(new)
    return macho.signed(data.replace(old, new))


class _Pipe:
    """A file that can only be written, from which zipfile expects no more than from a pipe."""

    def __init__(self, file: BinaryIO) -> None:
        self.write, self.flush = file.write, file.flush


@dataclass(kw_only=True)
class WheelSpec:
    """A wheel to write: members by path, and edits of RECORD, of each entry and of the finished bytes."""

    filename: str
    members: dict[str, bytes]
    edit_record: Callable[[str], str] = str
    edit_entry: Callable[[zipfile.ZipInfo], object] = bool
    edit_bytes: Callable[[bytearray], object] = bool
    unrecorded: list[tuple[str, bytes]] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)
    config: str = ""
    info: str = INFO
    to_pipe: bool = False

    def write(self, folder: Path) -> Path:
        """Write the wheel as a file."""
        path = folder / self.filename
        record = self.edit_record(wheels.record(self.members, self.info)).encode()
        with path.open("wb") as file, zipfile.ZipFile(_Pipe(file) if self.to_pipe else file, "w") as archive:
            for name, data in [*self.members.items(), *self.unrecorded, (f"{self.info}/RECORD", record)]:
                entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
                entry.external_attr = 0o100644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                self.edit_entry(entry)
                if name not in self.left_out:
                    archive.writestr(entry, data, entry.compress_type)
        archive_bytes = bytearray(path.read_bytes())
        self.edit_bytes(archive_bytes)
        path.write_bytes(archive_bytes)
        if self.config:
            (folder / "wheelkit.toml").write_text(self.config)
        return path

    def text(self, name: str) -> str:
        return self.members[f"{INFO}/{name}"].decode()

    def swap(self, name: str, old: str, new: str) -> None:
        """Change a text of the dist-info folder."""
        assert old in self.text(name)
        self.members[f"{INFO}/{name}"] = self.text(name).replace(old, new).encode()

    def rename(self, filename: str) -> None:
        """Change the file name, and the tags in WHEEL with it."""
        self.filename = filename
        self.members[f"{INFO}/WHEEL"] = wheels.wheel_file(filename).encode()


def valid_wheel(filename: str = LINUX) -> WheelSpec:
    """Return the valid wheel with this file name."""
    binary = {LINUX: {SO: so()}, MACOS: {DYLIB: dylib()}, WINDOWS: {PYD: pyd()}, PURE: {}}[filename]
    texts = {
        "demo/__init__.py": "answer = 42\n",
        f"{INFO}/METADATA": wheels.metadata("demo", "1.0", "Requires-Python: >=3.11"),
        f"{INFO}/WHEEL": wheels.wheel_file(filename),
    }
    return WheelSpec(
        filename=filename, members={name: text.encode() for name, text in texts.items()} | binary
    )


@dataclass(frozen=True, kw_only=True)
class MalformedWheel:
    """A malformed wheel: its name, the code that must catch it, and a function that returns it."""

    name: str
    code: str
    draft: Callable[[], WheelSpec]

    def write(self, folder: Path) -> Path:
        return self.draft().write(folder)


MALFORMED: dict[str, MalformedWheel] = {}
Change = Callable[[WheelSpec], object]


def malformed(code: str, base: str = LINUX) -> Callable[[Change], Change]:
    """Return a decorator that adds a change of a valid wheel to MALFORMED, named after the function."""

    def enter(change: Change) -> Change:
        def draft() -> WheelSpec:
            wheel = valid_wheel(base)
            change(wheel)
            return wheel

        name = getattr(change, "__name__", "")
        assert name not in MALFORMED
        MALFORMED[name] = MalformedWheel(name=name, code=code, draft=draft)
        return change

    return enter


def write_valid_wheels(folder: Path, count: int) -> Path:
    """Write a dist folder of valid native wheels, each of another distribution."""
    folder.mkdir()
    for number in range(count):
        members = {f"part{number}/__init__.py": b"answer = 42\n", f"part{number}/dx.abi3.so": so()}
        wheels.write_wheel(folder, f"part{number}-1.0-cp311-abi3-manylinux_2_31_x86_64.whl", members=members)
    return folder
