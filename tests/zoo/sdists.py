"""Sdists that installers unpack differently, or refuse."""

import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from support import wheels
from zoo.raw_tar import RawSdist, Record, with_checksum

TOP = "demo-1.0"
FILENAME = f"{TOP}.tar.gz"
PYPROJECT = b"""[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "demo"
version = "1.0"
"""
# Builds a wheel with a list of the files that were unpacked.
BACKEND = b"""import hashlib, os, zipfile
def get_requires_for_build_wheel(config=None): return []
def listing():
    lines = []
    for folder, folders, files in os.walk("."):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in files:
            path = os.path.join(folder, name)
            if os.path.islink(path): what = "-> " + os.readlink(path)
            else:
                with open(path, "rb") as file: what = hashlib.sha256(file.read()).hexdigest()[:12]
            lines.append(path + " " + what)
    return "\\n".join(sorted(lines))
def build_wheel(folder, config=None, metadata=None):
    info = "demo-1.0.dist-info"
    texts = {"demo/__init__.py": "", "demo/listing.txt": listing(),
        info + "/METADATA": "Metadata-Version: 2.1\\nName: demo\\nVersion: 1.0\\n",
        info + "/WHEEL": "Wheel-Version: 1.0\\nGenerator: zoo\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"}
    texts[info + "/RECORD"] = "".join(name + ",,\\n" for name in [*texts, info + "/RECORD"])
    with zipfile.ZipFile(os.path.join(folder, "demo-1.0-py3-none-any.whl"), "w") as archive:
        for name, text in texts.items(): archive.writestr(name, text)
    return "demo-1.0-py3-none-any.whl"
"""


SPARSE = {
    "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": f"{TOP}/demo/sparse.txt",
    "GNU.sparse.realsize": "10",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SdistVariant:
    """An sdist that differs from a valid one."""

    name: str
    make: Callable[[], RawSdist]

    def write(self, folder: Path) -> Path:
        """Write the sdist as a file."""
        path = folder / FILENAME
        path.write_bytes(self.make().write())
        return path


SDISTS: dict[str, SdistVariant] = {}


def sdist() -> RawSdist:
    """Return a valid sdist, which builds with nothing installed."""
    texts = {"PKG-INFO": wheels.metadata().encode(), "pyproject.toml": PYPROJECT, "backend.py": BACKEND,
             "demo/__init__.py": b"", "demo/data.txt": b"data\n"}  # fmt: skip
    return RawSdist(records=[Record(name=f"{TOP}/{name}", data=data) for name, data in texts.items()])


def enter(name: str, make: Callable[[], RawSdist]) -> None:
    """Add a variant to the registry."""
    assert name not in SDISTS, name
    SDISTS[name] = SdistVariant(name=name, make=make)


def change(function: Callable[[RawSdist], object]) -> Callable[[RawSdist], object]:
    """Enter a change of the valid sdist, named after the function."""

    def make() -> RawSdist:
        raw = sdist()
        function(raw)
        return raw

    enter(f"sdist_{getattr(function, '__name__', '')}", make)
    return function


def added(table: dict[str, list[Record]]) -> None:
    """Enter a variant for each list of records that follow those of the valid sdist."""
    for name, records in table.items():

        def make(records: list[Record] = records) -> RawSdist:
            raw = sdist()
            raw.records += records
            return raw

        enter(f"sdist_{name}", make)


@change
def valid(raw: RawSdist) -> None:
    """The twin of all others."""


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> Record:
    return Record(name=f"{TOP}/{name}", kind=kind, link=target, mode=0o777)


def hard(name: str, target: str) -> Record:
    return link(name, target, tarfile.LNKTYPE)


def folder(name: str, mode: int = 0o755) -> Record:
    return Record(name=f"{TOP}/{name}", kind=tarfile.DIRTYPE, mode=mode)


def patched(**fields: bytes) -> Record:
    return Record(name="x", raw=with_checksum(file("demo/more.txt").write(), **fields))


def replaced(old: bytes, new: bytes, **pax: str) -> Record:
    return Record(name="x", raw=file("demo/more.txt", pax=pax).write().replace(old, new))


def file(name: str, data: bytes = b"x\n", **fields: object) -> Record:
    return Record(name=f"{TOP}/{name}", data=data, **fields)  # type: ignore[arg-type]


added(
    {
        "link_inside": [link("demo/alias.txt", "data.txt")],
        "link_up_inside": [link("demo/top.toml", "../pyproject.toml")],
        "link_to_a_folder": [link("alias", "demo")],
        "link_dangling": [link("demo/gone.txt", "nowhere.txt")],
        "link_out": [link("demo/out.txt", "../../out.txt")],
        "link_absolute": [link("demo/out.txt", "/etc/hostname")],
        "link_out_far": [link("demo/out.txt", "../../../../../../../../../etc/hostname")],
        "link_back_in": [link("demo/back.txt", f"../../{TOP}/demo/data.txt")],
        "link_to_itself": [link("loop", "loop")],
        "links_in_a_circle": [link("one", "two"), link("two", "one")],
        "link_to_the_top": [link("demo/up", "..")],
        "link_to_its_folder": [link("demo/here", ".")],
        "link_above_the_top": [link("demo/up", "../..")],
        "link_empty": [link("demo/empty", "")],
        "link_through_a_link": [link("a", "."), link("a/b", "..")],
        "link_through_links_out": [link("a", "demo"), link("a/b", "../../out.txt")],
        "links_that_add_up": [link("demo/deep", "../demo"), link("x", "demo/deep/../../..")],
        "link_over_a_linked_folder": [folder("sub/dir"), link("l1", "sub/dir"), link("l2", "l1/../../..")],
        "file_through_a_link": [link("alias", "demo"), file("alias/new.txt")],
        "file_through_a_link_out": [link("out", "../.."), file("out/planted.txt")],
        "file_over_a_link": [link("demo/over.txt", "data.txt"), file("demo/over.txt")],
        "link_over_a_file": [file("demo/over.txt"), link("demo/over.txt", "data.txt")],
        "link_for_the_top": [Record(name=TOP, kind=tarfile.SYMTYPE, link="/demo-zoo")],
        "link_pkg_info": [link("PKG-INFO", "demo/data.txt")],
        "link_pyproject": [link("pyproject.toml", "demo/data.txt")],
        "hard_link": [hard("demo/hard.txt", f"{TOP}/demo/data.txt")],
        "hard_link_relative": [hard("demo/hard.txt", "data.txt")],
        "hard_link_before": [hard("demo/hard.txt", f"{TOP}/later.txt"), file("later.txt")],
        "hard_link_dangling": [hard("demo/hard.txt", f"{TOP}/nowhere.txt")],
        "hard_link_out": [hard("demo/hard.txt", f"{TOP}/../out.txt")],
        "hard_link_absolute": [hard("demo/hard.txt", "/etc/hostname")],
        "hard_link_to_a_link": [link("l", "demo/data.txt"), hard("h", f"{TOP}/l")],
        "hard_link_to_itself": [hard("h", f"{TOP}/h")],
        "hard_link_to_a_link_out": [link("l", "../../out"), hard("h", f"{TOP}/l")],
        "hard_link_to_a_folder": [folder("sub"), hard("h", f"{TOP}/sub")],
        "device": [Record(name=f"{TOP}/dev", kind=tarfile.CHRTYPE, changes={"devmajor": 1, "devminor": 3})],
        "block_device": [Record(name=f"{TOP}/dev", kind=tarfile.BLKTYPE)],
        "pipe": [Record(name=f"{TOP}/pipe", kind=tarfile.FIFOTYPE)],
        "contiguous": [file("demo/more.txt", kind=tarfile.CONTTYPE)],
        "unknown_type": [file("demo/more.txt", kind=b"Z")],
        "unknown_empty_type": [Record(name=f"{TOP}/odd", kind=b"V")],
        "old_type": [file("demo/more.txt", kind=tarfile.AREGTYPE)],
        "folders": [folder("sub"), file("sub/x.txt")],
        "folder_with_contents": [
            Record(name=f"{TOP}/sub", kind=tarfile.DIRTYPE, mode=0o755, changes={"size": 0})
        ],
        "file_then_folder": [file("sub"), file("sub/x.txt")],
        "folder_then_file": [folder("sub"), file("sub")],
        "mode_0": [file("demo/more.txt", mode=0)],
        "mode_0_pyproject": [file("pyproject.toml", PYPROJECT, mode=0)],
        "folder_mode_0": [folder("sub", 0), file("sub/x.txt")],
        "mode_setuid": [file("demo/more.txt", mode=0o4755)],
        "mode_777": [file("demo/more.txt", mode=0o777)],
        "mode_write_only": [file("demo/more.txt", mode=0o222)],
        "beside_the_top": [Record(name="other.txt", data=b"x")],
        "second_folder": [Record(name="other-1.0/x.txt", data=b"x")],
        "second_folder_empty": [Record(name="other-1.0", kind=tarfile.DIRTYPE, mode=0o755)],
        "absolute": [Record(name="/demo-zoo-absolute.txt", data=b"x")],
        "climbing": [file("../climbing.txt")],
        "climbing_far": [file("../../../../climbing.txt")],
        "climbing_inside": [file("demo/../inside.txt")],
        "dot": [file("./dotted.txt")],
        "double_slash": [file("demo//two.txt")],
        "dot_before_the_top": [Record(name=f"./{TOP}/dotted.txt", data=b"x")],
        "backslash": [file("demo\\back.txt")],
        "drive": [Record(name="C:/x.txt", data=b"x")],
        "control": [file("demo/a\x01b.txt")],
        "newline": [file("demo/a\nb.txt")],
        "unicode": [file("demo/\u00e9.txt")],
        "not_utf8": [file("demo/\udce9.txt", form=tarfile.GNU_FORMAT)],
        "zero_width": [file("demo/\u200b.txt")],
        "trailing_slash": [Record(name=f"{TOP}/sub/", data=b"x\n")],
        "empty_name": [Record(name="", data=b"x\n")],
        "long_name": [file("demo/" + "n" * 255)],
        "too_long_name": [file("demo/" + "n" * 256)],
        "long_name_gnu": [file("demo/" + "n" * 200, form=tarfile.GNU_FORMAT)],
        "long_name_ustar": [file("/".join(["n" * 50] * 3), form=tarfile.USTAR_FORMAT)],
        "deep": [file("d/" * 400 + "x")],
        "in_two_cases": [file("demo/Data.txt")],
        "pyproject_twice": [file("pyproject.toml", PYPROJECT.replace(b'"backend"', b'"nowhere"'))],
        "pyproject_twice_same": [file("pyproject.toml", PYPROJECT)],
        "pkg_info_twice": [file("PKG-INFO", wheels.metadata("other", "2.0").encode())],
        "pkg_info_twice_same": [file("PKG-INFO", wheels.metadata().encode())],
        "file_twice": [file("demo/data.txt", b"other\n")],
        "file_twice_same": [file("demo/data.txt", b"data\n")],
        "pkg_info_below": [file("demo.egg-info/PKG-INFO", wheels.metadata().encode())],
        "pax_path": [file("demo/short.txt", pax={"path": f"{TOP}/demo/other.txt"})],
        "pax_path_out": [file("demo/short.txt", pax={"path": "/demo-zoo-pax.txt"})],
        "pax_comment": [file("demo/more.txt", pax={"comment": "hello"})],
        "pax_vendor": [file("demo/more.txt", pax={"SCHILY.xattr.user.x": "1"})],
        "pax_libarchive": [file("demo/more.txt", pax={"LIBARCHIVE.creationtime": "1"})],
        "pax_unknown": [file("demo/more.txt", pax={"demo.key": "1"})],
        "pax_unknown_upper": [file("demo/more.txt", pax={"DEMO.key": "1"})],
        "pax_mtime": [file("demo/more.txt", pax={"mtime": "1700000000.5"})],
        "pax_uid": [file("demo/more.txt", pax={"uid": "99999999"})],
        "pax_size_right": [file("demo/more.txt", pax={"size": "2"})],
        "pax_size_wrong": [file("demo/more.txt", pax={"size": "1"})],
        "pax_size_text": [file("demo/more.txt", pax={"size": "many"})],
        "pax_linkpath": [
            Record(name=f"{TOP}/l", kind=tarfile.SYMTYPE, link="demo", pax={"linkpath": "../../out"})
        ],
        "pax_hdrcharset": [file("demo/more.txt", pax={"hdrcharset": "BINARY"})],
        "pax_sparse": [
            file("demo/more.txt", pax=SPARSE, data=b"1\n0\n10\n".ljust(512, b"\0") + b"0123456789")
        ],
        "time_negative": [file("demo/more.txt", changes={"mtime": -1})],
        "time_0": [file("demo/more.txt", changes={"mtime": 0})],
        "time_huge": [file("demo/more.txt", changes={"mtime": 1 << 60}, form=tarfile.GNU_FORMAT)],
        "uid_huge": [file("demo/more.txt", changes={"uid": 1 << 40}, form=tarfile.GNU_FORMAT)],
        "owner_unicode": [file("demo/more.txt", changes={"uname": "\u00e9"})],
        "compiled": [
            file("demo/core.cpython-311-x86_64-linux-gnu.so", b"\x7fELF"),
            file("build/x.o"),
            file("demo/__pycache__/x.cpython-311.pyc"),
        ],
        "gnu_volume": [Record(name="label", kind=b"V")],
        "gnu_multi_volume": [file("demo/more.txt", kind=b"M")],
        "gnu_dump": [Record(name=f"{TOP}/sub", kind=b"D")],
        "gnu_sparse": [file("demo/more.txt", kind=tarfile.GNUTYPE_SPARSE, form=tarfile.GNU_FORMAT)],
        "old_magic": [patched(magic=b"")],
        "checksum_wrong": [replaced(b"demo/more", b"demo/mora")],
        "size_base_256": [patched(size=b"\x80" + bytes(10) + b"\2")],
        "size_negative": [patched(size=b"\xff" * 12)],
        "size_text": [patched(size=b"many")],
        "size_huge": [patched(size=b"77777777777")],
        "size_empty": [Record(name="x", raw=with_checksum(file("demo/more.txt", b"").write(), size=b""))],
        "mode_text": [patched(mode=b"rwxr-xr")],
        "name_with_nul": [patched(name=b"demo-1.0/demo/a\0b.txt")],
        "pax_damaged": [replaced(b" comment=", b"9comment=", comment="hello")],
        "pax_not_utf8": [replaced(b"hello", b"hell\xff", comment="hello")],
        "pax_nul": [replaced(b"hellx", b"hel\0x", path=f"{TOP}/demo/hellx")],
    }
)
