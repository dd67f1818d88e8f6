import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from support import wheels
from support.rows import rows
from wheelkit.errors import ProjectError
from wheelkit.verification.checks import sdist_archive, sdists
from wheelkit.verification.contract import Contract
from wheelkit.verification.release import Release
from wheelkit.wheel import Wheel, read
from wheelkit.wheel.sdist import read_sdist

MESON = '[build-system]\nrequires = ["meson-python"]\nbuild-backend = "mesonpy"\n[project]\nname = "demo"\n'
PLAIN = (
    '[build-system]\nrequires = ["flit_core"]\nbuild-backend = "flit_core.buildapi"\n'
    '[project]\nname = "demo"\n'
)
SETUPTOOLS = PLAIN.replace("flit_core.buildapi", "setuptools.build_meta")


def write(  # noqa: PLR0913 - one for each thing that a case may change
    folder: Path,
    files: Mapping[str, str] | None = None,
    *,
    filename: str = "demo-1.0.tar.gz",
    top: str = "demo-1.0/",
    links: Mapping[str, str] | None = None,
    pkg_info: str | None = None,
) -> Path:
    path = folder / filename
    texts = {f"{top}PKG-INFO": pkg_info or wheels.metadata(), f"{top}pyproject.toml": PLAIN}
    texts |= {name if name.startswith("/") else f"{top}{name}": text for name, text in (files or {}).items()}
    with tarfile.open(path, "w:gz") as archive:
        for name, text in texts.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(f"{top}{name}")
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
    return path


def codes(path: Path) -> list[str]:
    checks = (
        sdists.file_name,
        sdists.paths,
        sdists.complete,
        sdist_archive.unpacking,
        sdist_archive.form,
        sdist_archive.twice,
        sdist_archive.compiled,
    )
    return [finding.code for check in checks for finding in check(read_sdist(path), Contract())]


def test_a_good_sdist_has_nothing(tmp_path: Path) -> None:
    assert codes(write(tmp_path, {"demo.py": "x", "src/a/b.c": "y"})) == []


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("demo-1.0.tar.gz", []),
        ("Demo-1.0.tar.gz", ["WK202"]),
        ("demo-1.0.0.tar.gz", ["WK202"]),
        ("other-1.0.tar.gz", ["WK204"]),
        ("demo-2.0.tar.gz", ["WK204"]),
    ],
)
def test_file_names(tmp_path: Path, filename: str, expected: list[str]) -> None:
    assert codes(write(tmp_path, filename=filename)) == expected


@rows(
    ("files", "links", "expected"),
    [
        ({"/outside.py": "x"}, {}, ["WK712"]),
        ({"../up.py": "x"}, {}, ["WK712"]),
        ({}, {"link": "/etc/passwd"}, ["WK714"]),
        ({}, {"a/link": "../../up"}, ["WK714"]),
        ({}, {"a/link": "../demo.py"}, []),
        ({}, {"a/link": "nowhere"}, []),
        ({}, {"a/link": "../../demo-1.0/demo.py"}, ["WK714"]),
        ({}, {"link": "link"}, ["WK714"]),
        ({}, {"link": ""}, ["WK714"]),
        ({}, {"here": ".", "here/up": ".."}, ["WK714"]),
        ({}, {"a": "b/../../x"}, ["WK714"]),
        ({}, {"a": "b/../x"}, ["WK714"]),
        ({"a:b.txt": "x"}, {}, ["WK150"]),
        ({"a\\b.txt": "x"}, {}, ["WK150"]),
        ({"a\x01.txt": "x"}, {}, ["WK150"]),
        ({"n" * 256: "x"}, {}, ["WK150"]),
        ({"n" * 255: "x"}, {}, []),
        ({"a": "x", "a/b": "x"}, {}, ["WK148"]),
        ({"a": "x", "ab/b": "x"}, {}, []),
        ({"build/lib.linux-x86_64/x.py": "x"}, {}, ["WK152"]),
        ({"build/x.py": "x"}, {}, []),
        ({"x.cpython-311-x86_64-linux-gnu.so": "x"}, {}, ["WK152"]),
        ({"tests/data/libx.so": "x"}, {}, []),
        ({"__pycache__/x.cpython-311.pyc": "x"}, {}, ["WK152"]),
    ],
)
def test_paths(
    tmp_path: Path, files: Mapping[str, str], links: Mapping[str, str], expected: list[str]
) -> None:
    assert codes(write(tmp_path, files, links=links)) == expected


@rows(
    ("files", "expected"),
    [
        ({"pyproject.toml": MESON}, ["WK713"]),
        ({"pyproject.toml": MESON, "meson.build": "project('demo')"}, []),
        ({"pyproject.toml": MESON, "meson.build": "subdir('src')"}, ["WK713"]),
        ({"pyproject.toml": MESON, "meson.build": "subdir('src')", "src/meson.build": ""}, []),
        (
            {"pyproject.toml": MESON, "meson.build": "subdir('src')", "src/meson.build": "subdir('deep')"},
            ["WK713"],
        ),
        ({"pyproject.toml": MESON, "meson.build": "# subdir('src')"}, []),
        ({"pyproject.toml": MESON, "meson.build": "if get_option('tests')\n  subdir('tests')\nendif"}, []),
        ({"pyproject.toml": PLAIN + 'readme = "README.md"\n'}, ["WK713"]),
        ({"pyproject.toml": PLAIN + 'readme = "README.md"\n', "README.md": "x"}, []),
        ({"pyproject.toml": PLAIN + 'license = {file = "LICENSE"}\n'}, ["WK713"]),
        ({"pyproject.toml": PLAIN + 'license = {file = "LICENSE"}\n', "LICENSE": "x"}, []),
        # setuptools warns about them and builds.
        ({"pyproject.toml": SETUPTOOLS + 'readme = "README.md"\n'}, ["WK753"]),
        ({"pyproject.toml": SETUPTOOLS + 'readme = "README.md"\n', "README.md": "x"}, []),
        ({"pyproject.toml": SETUPTOOLS + 'license = {file = "LICENSE"}\n'}, ["WK753"]),
        ({"pyproject.toml": SETUPTOOLS + 'license = {file = "LICENSE"}\n', "LICENSE": "x"}, []),
        ({"pyproject.toml": MESON.replace("mesonpy", "maturin")}, ["WK713"]),
        ({"pyproject.toml": MESON.replace("mesonpy", "maturin"), "Cargo.toml": ""}, []),
        ({"pyproject.toml": MESON.replace("mesonpy", "scikit_build_core.build")}, ["WK713"]),
        ({"pyproject.toml": "this is no [toml"}, ["WK713"]),
        ({"pyproject.toml": "[build-system]\nbuild-backend = 3\n[project]\nreadme = 4\n"}, []),
    ],
)
def test_what_a_build_needs(tmp_path: Path, files: Mapping[str, str], expected: list[str]) -> None:
    assert codes(write(tmp_path, files)) == expected


def test_neither_pyproject_nor_setup(tmp_path: Path) -> None:
    path = tmp_path / "demo-1.0.tar.gz"

    def with_files(**files: str) -> Path:
        with tarfile.open(path, "w:gz") as archive:
            for name, text in ({"PKG-INFO": wheels.metadata()} | files).items():
                info = tarfile.TarInfo(f"demo-1.0/{name}")
                info.size = len(text)
                archive.addfile(info, io.BytesIO(text.encode()))
        return path

    assert codes(with_files()) == ["WK713"]
    assert codes(with_files(**{"setup.cfg": ""})) == ["WK713"]
    assert codes(with_files(**{"setup.py": ""})) == []  # pip and uv build it with setuptools
    assert codes(with_files(**{"pyproject.toml": PLAIN})) == []


@pytest.mark.parametrize("data", [b"", b"junk", b"\x1f\x8b\x08\0junk"])
def test_what_is_no_sdist(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "demo-1.0.tar.gz"
    path.write_bytes(data)
    with pytest.raises(ProjectError, match=r"cannot be read as an sdist|has no PKG-INFO"):
        read_sdist(path)


def wheel(folder: Path, *lines: str) -> Wheel:
    return read(
        wheels.write_wheel(folder, members={"{info}/METADATA": wheels.metadata("demo", "1.0", *lines)})
    )


@pytest.mark.parametrize(
    ("of_sdist", "of_wheel", "expected"),
    [
        (("Requires-Dist: six",), ("Requires-Dist: six",), []),
        (("Requires-Dist: six >=1",), ("Requires-Dist: six>=1",), []),
        (("Requires-Dist: six",), (), ["WK704"]),
        (("Requires-Python: >=3.9",), ("Requires-Python: >=3.11",), ["WK704"]),
        (("Dynamic: Requires-Dist",), ("Requires-Dist: six",), []),
    ],
)
def test_wheels_carry_the_metadata_of_the_sdist(
    tmp_path: Path, of_sdist: tuple[str, ...], of_wheel: tuple[str, ...], expected: list[str]
) -> None:
    source = read_sdist(write(tmp_path, pkg_info=wheels.metadata("demo", "1.0", *of_sdist)))
    release = Release(
        distribution="demo", version="1.0", wheels=(wheel(tmp_path, *of_wheel),), sdists=(source,)
    )
    assert [finding.code for finding in sdists.same_metadata(release, Contract())] == expected


def test_old_sdists_promise_nothing(tmp_path: Path) -> None:
    old = wheels.metadata("demo", "1.0").replace("Metadata-Version: 2.4", "Metadata-Version: 2.1")
    release = Release(
        distribution="demo",
        version="1.0",
        wheels=(wheel(tmp_path, "Requires-Dist: six"),),
        sdists=(read_sdist(write(tmp_path, pkg_info=old)),),
    )
    assert list(sdists.same_metadata(release, Contract())) == []
