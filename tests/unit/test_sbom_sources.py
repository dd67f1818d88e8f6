"""Components that files of the sources name."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

from malformed.sboms import library, sbom
from support.rows import rows
from wheelkit.builders.sbom import used_components
from wheelkit.sbom.model import Component
from wheelkit.sbom.sources import find_components
from wheelkit.sbom.submodules import submodules

WRAP = """[wrap-file]
directory = zlib-1.3.1
source_url = https://zlib.example/zlib-1.3.1.tar.gz
source_hash = 9A93B2B7
wrapdb_version = 1.3.1-2

[provide]
zlib = zlib_dep
"""
CARGO = """version = 4
[[package]]
name = "demo"
version = "0.1.0"

[[package]]
name = "itoa"
version = "1.0.9"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "00ff"

[[package]]
name = "fork"
version = "2.0.0"
source = "git+https://git.example/fork?branch=x#abcdef"
"""
CMAKE = """
set(FMT_VERSION 10.2.1)  # a comment)
FetchContent_Declare(fmt # the library
  GIT_REPOSITORY https://git.example/fmt.git
  GIT_TAG ${FMT_VERSION})
ExternalProject_Add(sqlite URL "https://h.example/sqlite-3.45.1.tar.gz" URL_HASH SHA256=ABCD)
FetchContent_Declare(main GIT_REPOSITORY https://git.example/m.git GIT_TAG main)
FetchContent_Declare(later GIT_REPOSITORY https://git.example/l.git GIT_TAG ${UNKNOWN})
# FetchContent_Declare(off URL https://h.example/off-1.0.zip)
cmake_minimum_required(VERSION 3.15)
"""
CHROMIUM = (
    "Name: Expat XML Parser\nShort Name: expat\nURL: https://libexpat.example\nVersion: 2.6.2\nLicense: MIT\n"
)


def sdist(folder: Path, files: dict[str, str]) -> Path:
    path = folder / "demo-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(f"demo-1.0/{name}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return path


def component(name: str, version: str = "", origin: str = "", **fields: str) -> Component:
    return Component(name=name, version=version, origin=origin, **fields)


@rows(
    ("file", "text", "expected"),
    [
        (
            "subprojects/zlib.wrap",
            WRAP,
            [
                component(
                    "zlib",
                    "1.3.1",
                    "subprojects/zlib.wrap",
                    url="https://zlib.example/zlib-1.3.1.tar.gz",
                    sha256="9a93b2b7",
                )
            ],
        ),
        (
            "subprojects/fmt.wrap",
            "[wrap-git]\nurl = https://git.example/fmt\nrevision = 10.2.1\n",
            [component("fmt", "10.2.1", "subprojects/fmt.wrap", vcs="git+https://git.example/fmt@10.2.1")],
        ),
        (
            "subprojects/fmt.wrap",
            "[wrap-git]\nurl = https://git.example/fmt\nrevision = head\n",
            [component("fmt", "", "subprojects/fmt.wrap", vcs="git+https://git.example/fmt@head")],
        ),
        ("subprojects/x.wrap", "not a wrap", []),
        ("subprojects/x.wrap", "[wrap-redirect]\nfilename = a.wrap\n", []),
        (
            "subprojects/sub/meson.build",
            "project('sub', 'c', version: '0.5')",
            [component("sub", "0.5", "subprojects/sub/meson.build")],
        ),
        ("subprojects/packagefiles/zlib/meson.build", "project('zlib', version: '1')", []),
        ("subprojects/sub/src/meson.build", "x = 1", []),
        (
            "rust/Cargo.lock",
            CARGO,
            [
                component("itoa", "1.0.9", "rust/Cargo.lock", purl="pkg:cargo/itoa@1.0.9", sha256="00ff"),
                component("fork", "2.0.0", "rust/Cargo.lock", vcs="git+https://git.example/fork@abcdef"),
            ],
        ),
        ("Cargo.lock", "[[package]\n", []),
        ("Cargo.lock", "package = 3\n", []),
        (
            "CMakeLists.txt",
            CMAKE,
            [
                component("fmt", "10.2.1", "CMakeLists.txt", vcs="git+https://git.example/fmt.git@10.2.1"),
                component(
                    "sqlite",
                    "3.45.1",
                    "CMakeLists.txt",
                    url="https://h.example/sqlite-3.45.1.tar.gz",
                    sha256="abcd",
                ),
                component("main", "", "CMakeLists.txt", vcs="git+https://git.example/m.git@main"),
                component("later", "", "CMakeLists.txt"),
            ],
        ),
        ("tests/CMakeLists.txt", CMAKE, []),
        (
            "third_party/expat/README.chromium",
            CHROMIUM,
            [
                component(
                    "expat",
                    "2.6.2",
                    "third_party/expat/README.chromium",
                    license="MIT",
                    url="https://libexpat.example",
                )
            ],
        ),
        (
            "vendor/bom.cdx.json",
            sbom(library("x", "1")).decode(),
            [component("x", "1", "vendor/bom.cdx.json")],
        ),
        ("vendor/bom.cdx.json", "{not json", []),
        ("vendor/zlib/zlib.h", "1.2.3", []),
    ],
)
def test_what_a_file_names(tmp_path: Path, file: str, text: str, expected: list[Component]) -> None:
    assert list(find_components(sdist(tmp_path, {file: text}))) == expected


def test_a_subproject_with_a_wrap_is_one_component(tmp_path: Path) -> None:
    files = {"subprojects/zlib.wrap": WRAP, "subprojects/zlib/meson.build": "project('zlib', version: '9')"}
    (found,) = find_components(sdist(tmp_path, files))
    assert found.version == "1.3.1"


def test_what_is_no_archive_names_nothing(tmp_path: Path) -> None:
    path = tmp_path / "demo-1.0.tar.gz"
    path.write_bytes(b"no archive")
    assert find_components(path) == ()


def test_only_subprojects_that_meson_used_count() -> None:
    wraps = [component(name, "1", f"subprojects/{name}.wrap") for name in ("zlib", "gtest")]
    crate = component("itoa", "1", "Cargo.lock")
    log = "The Meson build system\nlibpng| Executing subproject zlib method meson\n"
    assert list(used_components([*wraps, crate], log)) == [wraps[0], crate]
    assert list(used_components([*wraps, crate], "cmake")) == [*wraps, crate]


def git(folder: Path, *words: str) -> None:
    settings = ("-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "protocol.file.allow=always")
    subprocess.run(["git", *settings, *words], cwd=folder, check=True, capture_output=True)


def test_submodules_have_their_commit_and_tag(tmp_path: Path) -> None:
    used, project = tmp_path / "library", tmp_path / "project"
    for folder in (used, project):
        folder.mkdir()
        git(folder, "init", "-q")
        (folder / "a.c").write_text("int a;\n")
        git(folder, "add", ".")
        git(folder, "commit", "-qm", "first")
    git(used, "tag", "v1.2.0")
    for name in ("lib", "unused"):
        git(project, "submodule", "add", "-q", str(used), f"extern/{name}")
    git(project, "commit", "-qm", "submodules")
    commit = (used / ".git/refs/heads" / next((used / ".git/refs/heads").iterdir()).name).read_text().strip()
    (found,) = submodules(project, {"a.c", "extern/lib/a.c"})
    assert (found.name, found.version, found.origin) == ("lib", "1.2.0", ".gitmodules")
    assert found.vcs == f"git+{used}@{commit}"
    assert list(submodules(used, {"a.c"})) == []
