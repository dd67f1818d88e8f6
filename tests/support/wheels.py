"""Small wheels for tests: files with any defect, and facts with made-up scan results."""

import base64
import hashlib
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from wheelkit.wheel import Binary, Wheel, read

LINUX = "demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"
ABI3 = "demo-1.0-cp311-abi3-manylinux_2_17_x86_64.whl"
MACOS = "demo-1.0-cp311-cp311-macosx_11_0_arm64.whl"
WINDOWS = "demo-1.0-cp311-cp311-win_amd64.whl"
PURE = "demo-1.0-py3-none-any.whl"

Contents = bytes | str


def metadata(name: str = "demo", version: str = "1.0", *lines: str, markup: str = "text/x-rst") -> str:
    """Return a METADATA file; ``markup`` is the description's type, unless empty or in ``lines``."""
    declared = any(line.startswith("Description-Content-Type:") for line in lines)
    last = (f"Description-Content-Type: {markup}",) if markup and not declared else ()
    return "\n".join(
        ("Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *lines, *last, "", "A demo.", "")
    )


def wheel_file(filename: str, **fields: str) -> str:
    """Return a WHEEL file that agrees with the file name; ``fields`` replace or, when empty, remove lines."""
    *_, pythons, abis, platforms = filename.removesuffix(".whl").split("-")
    tags = [
        f"{py}-{abi}-{plat}"
        for py in pythons.split(".")
        for abi in abis.split(".")
        for plat in platforms.split(".")
    ]
    lines = {
        "Wheel-Version": "1.0",
        "Generator": "demo",
        "Root-Is-Purelib": "true" if platforms == "any" else "false",
    }
    lines |= {key.replace("_", "-"): value for key, value in fields.items()}
    named = [f"{key}: {value}" for key, value in lines.items() if value]
    return "\n".join([*named, *(f"Tag: {tag}" for tag in tags)]) + "\n"


def row(path: str, data: bytes, algorithm: str = "sha256") -> str:
    digest = base64.urlsafe_b64encode(hashlib.new(algorithm, data).digest()).rstrip(b"=").decode()
    return f"{path},{algorithm}={digest},{len(data)}"


def record(members: Mapping[str, bytes], dist_info: str) -> str:
    return "\n".join([*(row(path, data) for path, data in members.items()), f"{dist_info}/RECORD,,"]) + "\n"


def write_wheel(  # noqa: PLR0913 - one per property that a test may change
    folder: Path,
    filename: str = LINUX,
    *,
    members: Mapping[str, Contents] | None = None,
    dist_info: str | None = None,
    record_text: str | None = None,
    leave_out: Iterable[str] = (),
    compression: int = zipfile.ZIP_DEFLATED,
    package: bool = True,
) -> Path:
    """Write a wheel that is valid apart from what the arguments change.

    ``members`` add to and replace the usual ones, by path; ``{info}`` in a path is the dist-info folder.
    ``record_text`` replaces RECORD. ``leave_out`` drops members from the archive but not from RECORD. Without
    ``package`` the wheel has no package beside ``members``.
    """
    name, version = filename.split("-")[:2]
    info = dist_info or f"{name}-{version}.dist-info"
    usual: dict[str, Contents] = {
        **({"demo/__init__.py": ""} if package else {}),
        "{info}/METADATA": metadata(name, version),
        "{info}/WHEEL": wheel_file(filename),
    }
    texts = {
        path.replace("{info}", info): contents for path, contents in (usual | dict(members or {})).items()
    }
    data = {path: text.encode() if isinstance(text, str) else text for path, text in texts.items()}
    data[f"{info}/RECORD"] = (
        record(data, info) if record_text is None else record_text.replace("{info}", info)
    ).encode()
    dropped = {path.replace("{info}", info) for path in leave_out}
    path = folder / filename
    with zipfile.ZipFile(path, "w", compression) as archive:
        for member, contents in data.items():
            if member not in dropped:
                archive.writestr(zipfile.ZipInfo(member, (2026, 1, 1, 0, 0, 0)), contents, compression)
    return path


def compressible(size: int) -> bytes:
    """Return bytes that deflate to about a hundredth."""
    block = b"".join(hashlib.sha256(bytes([number])).digest() for number in range(16)) + bytes(65024)
    return block * (size // len(block))


@dataclass(frozen=True, kw_only=True)
class Library:
    name: str
    how: str = "required"


@dataclass(frozen=True, kw_only=True)
class Rpath:
    path: str
    how: str = "runpath"


@dataclass(frozen=True, kw_only=True)
class Version:
    library: str
    version: str
    symbol: str | None = None
    weak: bool = False


@dataclass(frozen=True, kw_only=True)
class Symbol:
    name: str
    library: str | None = None
    version: str | None = None
    weak: bool = False


@dataclass(frozen=True, kw_only=True)
class Part:
    """Scan result for one architecture; the defaults are those of a Linux extension module."""

    offset: int = 0
    size: int = 1000
    arch: str = "x86_64"
    bits: int = 64
    endian: str = "little"
    kind: str = "shared"
    name: str | None = None
    interpreter: str | None = None
    needed: tuple[Library, ...] = ()
    rpaths: tuple[Rpath, ...] = ()
    versions: tuple[Version, ...] = ()
    imports: tuple[Symbol, ...] = ()
    exports: tuple[str, ...] = ()
    min_os: str | None = None
    sdk: str | None = None
    os: str | None = None
    signed: bool | None = None
    executable_stack: bool | None = None
    writable_executable: int = 0
    debug_bytes: int = 0
    symbol_bytes: int = 0
    flags: tuple[str, ...] = ()
    refusal: str | None = None
    definitions: tuple[str, ...] = ()
    page_size: int = 1 << 16
    alignment: int = 1 << 16
    tls_bytes: int = 0
    isa: int = 0
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Scan:
    format: str
    fat: bool
    slices: tuple[Part, ...]


def needs(*names: str, how: str = "required") -> tuple[Library, ...]:
    return tuple(Library(name=name, how=how) for name in names)


def imports(*names: str, library: str | None = None, weak: bool = False) -> tuple[Symbol, ...]:
    return tuple(Symbol(name=name, library=library, weak=weak) for name in names)


def binary(member: str, *parts: Part, form: str = "elf") -> Binary:
    slices: Any = Scan(format=form, fat=len(parts) > 1, slices=parts)
    return Binary(member=member, scan=slices)


def elf(member: str = "demo/_core.cpython-311-x86_64-linux-gnu.so", **facts: Any) -> Binary:
    """Return an extension module for Linux with these facts."""
    return binary(member, Part(**({"exports": ("PyInit__core",)} | facts)))


def macho(member: str = "demo/_core.cpython-311-darwin.so", *archs: str, **facts: Any) -> Binary:
    """Return an extension module for macOS with a slice for each architecture."""
    usual = {"kind": "bundle", "exports": ("PyInit__core",), "min_os": "11.0", "os": "macos", "signed": True}
    return binary(member, *(Part(arch=arch, **(usual | facts)) for arch in archs or ("arm64",)), form="macho")


def pe(member: str = "demo/_core.cp311-win_amd64.pyd", **facts: Any) -> Binary:
    """Return an extension module for Windows with these facts."""
    return binary(member, Part(**({"exports": ("PyInit__core",), "os": "gui"} | facts)), form="pe")


def facts(folder: Path, filename: str, *binaries: Binary, **options: Any) -> Wheel:
    """Return the facts of a wheel as if it held these binaries; ``options`` are those of ``write_wheel``."""
    return replace(read(write_wheel(folder, filename, **options)), binaries=tuple(binaries))
