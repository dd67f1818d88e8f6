"""Files that are made to keep a reader busy or to fill its memory, most of them small on the disk."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from binaries import elf
from support.wheels import PURE, metadata, record, wheel_file

INFO = "demo-1.0.dist-info"
MB = 1 << 20
ELF = bytes(elf.tiny(elf.Shape()).data)
Write = Callable[[Path], Path]


def _wheel(  # noqa: PLR0913 - one per part of a wheel
    folder: Path,
    *,
    name: str = PURE,
    lines: str = "",
    tags: str = "",
    members: Iterable[tuple[str, bytes]] = (),
    texts: Mapping[str, bytes] | None = None,
    listed: bool = True,
) -> Path:
    """Write a wheel; ``lines`` are added to METADATA and ``tags`` to WHEEL, ``texts`` replace files."""
    usual: dict[str, bytes] = {
        f"{INFO}/METADATA": metadata("demo", "1.0")
        .replace("Version: 1.0\n", f"Version: 1.0\n{lines}")
        .encode(),
        f"{INFO}/WHEEL": (wheel_file(name if len(name) < 60 else PURE) + tags).encode(),
        "demo/__init__.py": b"",
        **{f"{INFO}/{file}": data for file, data in (texts or {}).items()},
    }
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        rows = dict(usual)
        for path, data in members:
            archive.writestr(path, data)
            if listed:
                rows[path] = data
        for path, data in usual.items():
            archive.writestr(path, data)
        if f"{INFO}/RECORD" not in usual:
            archive.writestr(f"{INFO}/RECORD", record(rows, INFO))
    return folder / name


def _requirements(*texts: str) -> Write:
    return lambda folder: _wheel(folder, lines="".join(f"Requires-Dist: {text}\n" for text in texts))


def _repeated(text: str, size: int) -> str:
    return text * (size // len(text))


def _numbered(form: str, size: int) -> str:
    count = size // (len(form) + 3)
    return "".join(form.format(number) for number in range(count))


def _many(count: int, data: bytes, form: str = "demo/m{}.txt") -> Iterator[tuple[str, bytes]]:
    return ((form.format(number), data) for number in range(count))


def _plain_zip(folder: Path, count: int) -> Path:
    """Write a wheel with very many empty members, whose names the directory alone lists."""
    path = _wheel(folder, listed=False)
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(count):
            archive.writestr(zipfile.ZipInfo(f"demo/{number}"), b"")
    return path


def _deep(folder: Path, depth: int, count: int) -> Path:
    return _wheel(
        folder, members=((f"demo/{number}/" + "d/" * depth + "x.py", b"") for number in range(count))
    )


def _one_letter_tags(count: int) -> str:
    return ".".join(
        chr(ord("a") + number % 26) + ("" if number < 26 else str(number // 26)) for number in range(count)
    )


def _elf_with_exports(folder: Path) -> Path:
    return _wheel(
        folder, name="demo-1.0-cp311-cp311-linux_x86_64.whl", members=_many(3000, ELF, "demo/m{}.so")
    )


WHEELS: dict[str, Write] = {
    "one requirement of parentheses": _requirements("a; " + "(" * 1900),
    "one requirement of many parentheses": _requirements("a; " + "(" * 1_000_000),
    "requirements of parentheses": _requirements(*["a; " + "(" * 19] * 100_000),
    "requirements of nested markers": _requirements(
        *(f"a{number}; " + "(" * 19 + "os_name == 'x'" + ")" * 19 for number in range(20_000))
    ),
    "requirements of long markers": _requirements(
        *(f"a{number}; " + " and ".join(["os_name != 'x'"] * 100) for number in range(2000))
    ),
    "requirements of long extras": _requirements(
        *(
            f"a{number}[" + ",".join("e" * 3 + str(extra) for extra in range(300)) + "]"
            for number in range(2000)
        )
    ),
    "requirements of many specifiers": _requirements(
        *(f"a{number}" + ",".join(f"!=1.{part}.dev1" for part in range(180)) for number in range(1500))
    ),
    "requirements of dashes": _requirements("a" + "-" * 1_500_000 + "a", *["a" + "-" * 1900 + "a"] * 1000),
    "a name of dashes": lambda folder: _wheel(
        folder,
        texts={"METADATA": f"Metadata-Version: 2.1\nName: a{'-' * 3_000_000}a\nVersion: 1.0\n".encode()},
    ),
    "a long Requires-Python": lambda folder: _wheel(
        folder, lines="Requires-Python: " + ",".join(f"!=3.{part}.*" for part in range(300_000)) + "\n"
    ),
    "a long version": lambda folder: _wheel(
        folder, texts={"METADATA": b"Metadata-Version: 2.1\nName: demo\nVersion: " + b"1." * MB + b"1\n"}
    ),
    "a license of parentheses": lambda folder: _wheel(
        folder, lines="License-Expression: " + "(" * 500_000 + "MIT" + ")" * 500_000 + "\n"
    ),
    "a license of operators": lambda folder: _wheel(
        folder, lines="License-Expression: " + " AND ".join(["MIT"] * 300_000) + "\n"
    ),
    "many classifiers": lambda folder: _wheel(folder, lines=_numbered("Classifier: Private :: {}\n", 3 * MB)),
    "many extras": lambda folder: _wheel(folder, lines=_numbered("Provides-Extra: e{}\n", 3 * MB)),
    "many URLs": lambda folder: _wheel(
        folder, lines=_numbered("Project-URL: u{}, https://h.invalid/\n", 3 * MB)
    ),
    "many license files": lambda folder: _wheel(folder, lines=_numbered("License-File: f{}\n", 3 * MB)),
    "many field names": lambda folder: _wheel(folder, lines=_numbered("X-{}: a\n", 3 * MB)),
    "many continuation lines": lambda folder: _wheel(folder, lines="Summary: a\n" + " b\n" * 900_000),
    "many colons": lambda folder: _wheel(folder, lines=":" * 3 * MB + "\n"),
    "a long author": lambda folder: _wheel(folder, lines="Author-email: " + "<a@b>," * 500_000 + "\n"),
    "a long keyword list": lambda folder: _wheel(folder, lines="Keywords: " + "a," * 1_500_000 + "\n"),
    "a description of links": lambda folder: _wheel(
        folder, texts={"METADATA": metadata("demo", "1.0").encode() + b"`a <" * 900_000}
    ),
    "a description of markup": lambda folder: _wheel(
        folder, texts={"METADATA": metadata("demo", "1.0", markup="text/markdown").encode() + b"[" * (3 * MB)}
    ),
    "repeated tags": lambda folder: _wheel(folder, tags="Tag: py3-none-any\n" * 50_000),
    "other tags": lambda folder: _wheel(folder, tags=_numbered("Tag: py3-none-a{}\n", 900_000)),
    "a compressed tag": lambda folder: _wheel(
        folder, tags="Tag: " + "-".join(".".join(f"a{part}" for part in range(3000)) for _ in range(3)) + "\n"
    ),
    "compressed tags in the file name": lambda folder: _wheel(
        folder, name="demo-1.0-" + "-".join([_one_letter_tags(30)] * 3) + ".whl"
    ),
    "the same tags in the file name": lambda folder: _wheel(
        folder, name="demo-1.0-" + "-".join([".".join(["a"] * 38)] * 3) + ".whl"
    ),
    "many entry points": lambda folder: _wheel(
        folder,
        texts={
            "entry_points.txt": b"[console_scripts]\n" + _numbered("s{} = demo:main\n", 1_000_000).encode()
        },
    ),
    "many sections": lambda folder: _wheel(
        folder, texts={"entry_points.txt": _numbered("[s{}]\na = demo:main\n", 1_000_000).encode()}
    ),
    "entry points with other line ends": lambda folder: _wheel(
        folder,
        texts={"entry_points.txt": ("[console_scripts]\n" + "a = demo:main\u2028\n" * 50_000).encode()},
    ),
    "a huge entry_points.txt": lambda folder: _wheel(folder, texts={"entry_points.txt": b"[a]\n" * (8 * MB)}),
    "a huge METADATA": lambda folder: _wheel(
        folder, texts={"METADATA": metadata("demo", "1.0").encode() + b"a\n" * (32 * MB)}
    ),
    "a huge WHEEL": lambda folder: _wheel(folder, texts={"WHEEL": b"Tag: py3-none-any\n" * MB}),
    "a huge RECORD": lambda folder: _wheel(folder, texts={"RECORD": b"a,,\n" * (40 * MB)}),
    "a long RECORD": lambda folder: _wheel(
        folder, texts={"RECORD": _numbered("demo/{},,\n", 30 * MB).encode()}
    ),
    "a RECORD of one line": lambda folder: _wheel(folder, texts={"RECORD": b"a" * (30 * MB)}),
    "a RECORD of quotes": lambda folder: _wheel(folder, texts={"RECORD": b'"a""",,\n' * (4 * MB)}),
    "a RECORD that lists one file again and again": lambda folder: _wheel(
        folder, texts={"RECORD": b"demo/__init__.py,,\n" * MB}
    ),
    "20,000 members": lambda folder: _wheel(folder, members=_many(20_000, b"")),
    "100,000 members": lambda folder: _plain_zip(folder, 100_000),
    "400,000 members": lambda folder: _plain_zip(folder, 400_000),
    "members in deep folders": lambda folder: _deep(folder, 30_000, 30),
    "many members in deep folders": lambda folder: _deep(folder, 400, 8000),
    "many top-level names": lambda folder: _wheel(folder, members=_many(50_000, b"", "m{}.py")),
    "many .pth files": lambda folder: _wheel(folder, members=_many(5000, b"import os\n" * 6000, "m{}.pth")),
    "many scripts": lambda folder: _wheel(
        folder, members=_many(20_000, b"#!python\n" + b"x" * 1000, "demo-1.0.data/scripts/s{}")
    ),
    "many small binaries": _elf_with_exports,
    "a gigabyte of zeros": lambda folder: _wheel(
        folder, members=[("demo/zeros", bytes(1 << 30))], listed=False
    ),
    "sixteen members of zeros": lambda folder: _wheel(
        folder, members=_many(16, bytes(63 * MB)), listed=False
    ),
    "many dist-info folders": lambda folder: _wheel(
        folder, members=_many(30_000, b"", "a{}-1.0.dist-info/METADATA"), listed=False
    ),
    "many data folders": lambda folder: _wheel(
        folder, members=_many(30_000, b"", "demo-1.0.data/purelib/demo/m{}.py"), listed=False
    ),
}


# Just below the limits of wheelkit/limits.py, so that what is read takes as long as it can.
LINES = 9_900


def _lines(form: str, count: int = LINES) -> Write:
    text = "".join(form.format(number) + "\n" for number in range(count))
    assert len(text) < MB
    return lambda folder: _wheel(folder, lines=text)


AT_THE_LIMIT: dict[str, Write] = {
    "requirements of parentheses": _lines("Requires-Dist: a{}; " + "(" * 19),
    "requirements of nested markers": _lines("Requires-Dist: a{}; " + "(" * 19 + "os_name == 'x'" + ")" * 19),
    "requirements of long markers": _lines(
        "Requires-Dist: a{}; " + " and ".join(["os_name != 'x'"] * 95), 550
    ),
    "requirements of many extras": _lines("Requires-Dist: a{}[" + ",".join(["extra"] * 300) + "]", 550),
    "requirements of many specifiers": _lines(
        "Requires-Dist: a{}" + ",".join(f"!=1.{part}.dev1" for part in range(140)), 550
    ),
    "requirements of markers for extras": _lines(
        "Requires-Dist: a{}>=1.dev0; extra == 'e{}'".replace("{}", "{0}")
    ),
    "classifiers": _lines("Classifier: Private :: {}"),
    "extras": _lines("Provides-Extra: e{}"),
    "URLs": _lines("Project-URL: u{}, https://h.invalid/"),
    "license files": _lines("License-File: f{}"),
    "field names": _lines("X-{}: a"),
    "continuation lines": _lines(" b{}"),
    "a long author": lambda folder: _wheel(folder, lines="Author-email: " + "<a@b>," * 170_000 + "\n"),
    "authors": _lines("Author-email: (({} <a@b>,<c@d>"),
    "a long keyword list": lambda folder: _wheel(folder, lines="Keywords: " + "a," * 500_000 + "\n"),
    "a long license": lambda folder: _wheel(folder, lines="License-Expression: " + "MIT OR " * 280 + "MIT\n"),
    "a description of links": lambda folder: _wheel(
        folder, texts={"METADATA": metadata("demo", "1.0").encode() + b"`a <" * MB}
    ),
    "entry points": lambda folder: _wheel(
        folder,
        texts={"entry_points.txt": b"[console_scripts]\n" + _numbered("s{} = d:m\n", 250_000).encode()},
    ),
    "tags": lambda folder: _wheel(folder, tags=_numbered("Tag: py3-none-a{}\n", MB - 1000)),
    "RECORD": lambda folder: _wheel(
        folder,
        members=_many(30_000, b"", "demo/{}"),
        texts={"RECORD": _numbered("demo/x{},,\n", 900_000).encode()},
    ),
    "quotes in RECORD": lambda folder: _wheel(
        folder, texts={"RECORD": (b'"' + b'""' * 50_000 + b'",,\n') * 150}
    ),
    "65,000 members": lambda folder: _plain_zip(folder, 65_000),
    "folders": lambda folder: _deep(folder, 120, 8000),
    ".pth files": lambda folder: _wheel(folder, members=_many(60, b"import os\n" * 6000, "m{}.pth")),
    "a gigabyte of zeros": lambda folder: _wheel(folder, members=_many(16, bytes(63 * MB)), listed=False),
}


def _sdist(folder: Path, members: Iterable[tuple[str, bytes]] = (), **texts: bytes) -> Path:
    path = folder / "demo-1.0.tar.gz"
    files = {"PKG-INFO": metadata("demo", "1.0").encode(), "pyproject.toml": b"[build-system]\n", **texts}
    with tarfile.open(path, "w:gz", compresslevel=6, format=tarfile.PAX_FORMAT) as archive:
        for name, data in (*files.items(), *members) if not isinstance(members, Iterator) else files.items():
            _add(archive, name, data)
        if isinstance(members, Iterator):
            for name, data in members:
                _add(archive, name, data)
    return path


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(f"demo-1.0/{name}")
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))


def _empty_members(folder: Path, count: int) -> Path:
    """Write an sdist of very many empty files; their headers differ in a few bytes and pack well."""
    path = _sdist(folder)
    whole = gzip.decompress(path.read_bytes()).rstrip(b"\0")
    whole += bytes(-len(whole) % 512)
    headers = bytearray()
    for number in range(count):
        headers += tarfile.TarInfo(f"demo-1.0/{number}").tobuf(tarfile.USTAR_FORMAT)
    path.write_bytes(gzip.compress(whole + bytes(headers) + bytes(1024), 6))
    return path


def _zeros(folder: Path, size: int) -> Path:
    """Write an sdist with one file of zeros, packed in pieces."""
    path = _sdist(folder)
    whole = gzip.decompress(path.read_bytes()).rstrip(b"\0")
    whole += bytes(-len(whole) % 512)
    info = tarfile.TarInfo("demo-1.0/zeros")
    info.size = size
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    data = [packer.compress(whole + info.tobuf(tarfile.GNU_FORMAT))]
    data += [packer.compress(bytes(MB)) for _ in range(size // MB)]
    path.write_bytes(b"".join([*data, packer.compress(bytes(1024)), packer.flush()]))
    return path


def _extended(folder: Path, kind: bytes, size: int, count: int = 1) -> Path:
    """Write an sdist with extended headers of a size."""
    path = _sdist(folder)
    whole = gzip.decompress(path.read_bytes()).rstrip(b"\0")
    whole += bytes(-len(whole) % 512)
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    data = [packer.compress(whole)]
    for number in range(count):
        info = tarfile.TarInfo("././@LongLink")
        info.type, info.size = kind, size
        data.append(packer.compress(info.tobuf(tarfile.USTAR_FORMAT)))
        text = b"x" * size
        if kind == tarfile.XHDTYPE:
            text = f"{size} comment=".encode()
            text += b"x" * (size - len(text) - 1) + b"\n"
        data.append(packer.compress(text + bytes(-size % 512)))
        data.append(packer.compress(tarfile.TarInfo(f"demo-1.0/{number}").tobuf(tarfile.USTAR_FORMAT)))
    path.write_bytes(b"".join([*data, packer.compress(bytes(1024)), packer.flush()]))
    return path


SDISTS: dict[str, Write] = {
    "500,000 empty files": lambda folder: _empty_members(folder, 500_000),
    "a gigabyte of zeros": lambda folder: _zeros(folder, 1 << 30),
    "many PKG-INFO": lambda folder: _sdist(folder, _many(200, bytes(4 * MB - 1), "m{}/PKG-INFO")),
    "many pyproject.toml": lambda folder: _sdist(folder, _many(2000, b"a" * 100_000, "m{}/pyproject.toml")),
    "a huge PKG-INFO": lambda folder: _sdist(folder, **{"PKG-INFO": bytes(64 * MB)}),
    "a PKG-INFO of fields": lambda folder: _sdist(
        folder, **{"PKG-INFO": metadata("demo", "1.0", _numbered("X-{}: a\n", 3 * MB).rstrip()).encode()}
    ),
    "a pyproject.toml of dots": lambda folder: _sdist(folder, **{"pyproject.toml": b"a." * MB + b"b = 1\n"}),
    "a pyproject.toml of tables": lambda folder: _sdist(
        folder, **{"pyproject.toml": _numbered("[a{}]\n", 3 * MB).encode()}
    ),
    "a pyproject.toml of brackets": lambda folder: _sdist(
        folder, **{"pyproject.toml": b"a = " + b"[" * (3 * MB)}
    ),
    "a meson.build of parentheses": lambda folder: _sdist(
        folder, **{"meson.build": b"project(" + b"(" * (3 * MB)}
    ),
    "a long name of GNU tar": lambda folder: _extended(folder, tarfile.GNUTYPE_LONGNAME, 512 * MB),
    "a long extended header": lambda folder: _extended(folder, tarfile.XHDTYPE, 512 * MB),
    "many extended headers": lambda folder: _extended(folder, tarfile.XHDTYPE, MB - 1, 400),
    "files in deep folders": lambda folder: _sdist(
        folder, ((f"{number}/" + "d/" * 20_000 + "x", b"") for number in range(300))
    ),
}


SDISTS_AT_THE_LIMIT: dict[str, Write] = {
    "20,000 empty files": lambda folder: _empty_members(folder, 20_000),
    "zeros": lambda folder: _zeros(folder, 255 * MB),
    "zeros behind the end": lambda folder: _trailing(folder, 255 * MB),
    "texts": lambda folder: _sdist(folder, _many(15, b"a = 1\n" * (MB // 7), "m{}/pyproject.toml")),
    "a pyproject.toml of tables": lambda folder: _sdist(
        folder, **{"pyproject.toml": _numbered("[a{}]\n", MB - 1000).encode()}
    ),
    "a pyproject.toml of dots": lambda folder: _sdist(
        folder, **{"pyproject.toml": b"a." * 5000 + b"b = 1\n"}
    ),
    "a meson.build": lambda folder: _sdist(folder, **{"meson.build": b"if a(b, [c])\nendif\n" * 50_000}),
    "extended headers": lambda folder: _extended(folder, tarfile.XHDTYPE, MB - 1, 70),
    "long names": lambda folder: _extended(folder, tarfile.GNUTYPE_LONGNAME, 4000, 1900),
    "folders": lambda folder: _sdist(
        folder, ((f"{number}/" + "d/" * 400 + "x", b"") for number in range(700))
    ),
}


def _trailing(folder: Path, size: int) -> Path:
    path = _sdist(folder)
    whole = gzip.decompress(path.read_bytes())
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    data = [packer.compress(whole), *(packer.compress(bytes(MB)) for _ in range(size // MB)), packer.flush()]
    path.write_bytes(b"".join(data))
    return path
