"""SBOMs in wheels: which are reported, and which pass."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from malformed.sboms import library, sbom
from malformed.specs import LINUX, SO, so
from support import wheels
from support.rows import rows
from wheelkit import wheel as reader
from wheelkit.analysis.components import is_version, known_libraries, recognise, upstream_version
from wheelkit.analysis.sboms import hex_digest, read_sbom, schema_problem
from wheelkit.verification.checks import sboms
from wheelkit.verification.contract import Contract
from wheelkit.verification.report.text import Screen, render
from wheelkit.verification.run import verify

CHECKS = (sboms.readable, sboms.build_paths, sboms.true, sboms.complete)
OWN, OTHER = "{info}/sboms/wheelkit.cdx.json", "{info}/sboms/auditwheel.cdx.json"
ZLIB = b"\0 inflate 1.3.1 Copyright 1995-2024 Mark Adler \0"
GRAFT = "demo.libs/libz-1a2b3c4d.so.1"


def codes(folder: Path, members: dict[str, bytes]) -> list[str]:
    path = wheels.write_wheel(folder, LINUX, members={SO: so(), **members})
    wheel = reader.read(path)
    return [finding.code for check in CHECKS for finding in check(wheel, Contract())]


@rows(
    ("members", "expected"),
    [
        ({}, []),
        ({OTHER: b"{not json"}, ["WK154"]),
        ({OTHER: b"[]"}, ["WK154"]),
        ({OTHER: b"{}"}, ["WK154"]),
        ({OTHER: sbom()}, []),
        ({OTHER: sbom(specVersion="one")}, ["WK154"]),
        ({OTHER: sbom(specVersion="1.99")}, []),  # newer than the schemas
        ({OTHER: sbom(specVersion="1.4", colour="red")}, ["WK154"]),
        ({OTHER: b'{"spdxVersion": "SPDX-2.3", "packages": [{"name": "zlib"}]}'}, []),
        ({"{info}/sboms/demo.spdx": b"{not json"}, []),  # another form
        ({OTHER: sbom(library("zlib", "1.3.1"))}, []),
        ({OTHER: sbom(library("zlib1g", "1:1.3.1.dfsg-1")), SO: so() + ZLIB}, []),
        ({OTHER: sbom(library("zlib1g", "1:1.2.13.dfsg-1")), SO: so() + ZLIB}, ["WK155"]),
        ({OTHER: sbom(), SO: so() + ZLIB}, []),  # another tool's SBOM need not be complete
        ({OWN: sbom(), SO: so() + ZLIB}, ["WK157"]),
        ({OWN: sbom(library("zlib", "")), SO: so() + ZLIB}, []),
        ({OWN: sbom(library("zlib", "1.3.1", SO)), SO: so() + ZLIB}, []),
        ({OWN: sbom(), SO: so() + ZLIB + b"zlib-ng"}, []),  # a relative
        ({OWN: sbom(library("x", "1", "gone.so"))}, ["WK155"]),
        ({OTHER: sbom(library("x", "1", "src/gone.c"))}, []),  # files of the sources
        ({GRAFT: so()}, ["WK158"]),
        ({GRAFT: so(), OTHER: sbom(library("zlib", "1.2.11-41.el8"))}, []),
        ({GRAFT: so(), OTHER: sbom(library("libpng", "1"))}, ["WK158"]),
        ({GRAFT: so(), OWN: sbom(library("libpng", "1"))}, ["WK157"]),
        ({GRAFT: so() + ZLIB, OWN: sbom(library("zlib1g", "1.3.1", GRAFT))}, []),
        ({"demo.libs/libtiff-1a2b3c4d.so.6": so(), OTHER: sbom(library("libtiff5", "4"))}, []),
        ({OTHER: sbom(library("demo", "1") | {"bom-ref": "path+file:///D:/a/demo#1"})}, ["WK156"]),
    ],
)
def test_what_is_reported(tmp_path: Path, members: dict[str, bytes], expected: list[str]) -> None:
    assert codes(tmp_path, members) == expected


def test_a_file_with_other_bytes_than_the_sbom_says(tmp_path: Path) -> None:
    def component(content: str) -> bytes:
        return sbom(library("zlib", "1", GRAFT) | {"hashes": [{"alg": "SHA-256", "content": content}]})

    wheel = reader.read(wheels.write_wheel(tmp_path, LINUX, members={GRAFT: so()}))
    digest = next(hex_digest(member.digest) for member in wheel.members if member.name == GRAFT)
    assert codes(tmp_path, {GRAFT: so(), OWN: component(digest)}) == []
    assert codes(tmp_path, {GRAFT: so(), OWN: component("0" * 64)}) == ["WK155"]


def test_the_fix_is_what_to_write(tmp_path: Path) -> None:
    path = wheels.write_wheel(tmp_path, LINUX, members={SO: so() + ZLIB, OWN: sbom()})
    (finding,) = sboms.complete(reader.read(path), Contract())
    assert finding.what == f"{SO} contains zlib 1.3.1, which no SBOM names"
    assert 'components = [{ name = "zlib", version = "1.3.1" }]' in finding.fix


def test_an_oversized_sbom_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wheelkit.limits.SBOM", 10)
    path = wheels.write_wheel(tmp_path, LINUX, members={OTHER: sbom()})
    assert reader.read(path).sboms == {}


@rows(
    ("text", "expected"),
    [
        ("1:1.2.13.dfsg-1", "1.2.13"),
        ("1.6.39-2+deb12u4", "1.6.39"),
        ("1:1.1.1k-14.el8_10", "1.1.1k"),
        ("2.6.2-r0", "2.6.2"),
        ("v1.3.1", "1.3.1"),
        ("R_2_6_2", "2.6.2"),
        ("openssl-3.0.16", "3.0.16"),
        ("1.0.8", "1.0.8"),
    ],
)
def test_the_version_of_the_project_in_that_of_a_package(text: str, expected: str) -> None:
    assert upstream_version(text) == expected
    assert is_version(text, expected)
    assert not is_version(text, f"{expected}1")


@rows(
    ("text", "expected"),
    [
        (b" deflate 1.3.1 Copyright 1995-2024 Jean-loup Gailly and Mark Adler ", ("zlib", "1.3.1")),
        (b'OpenSSL 3.0.16 11 Feb 2025\0OPENSSLDIR: "/usr/lib/ssl"', ("OpenSSL", "3.0.16")),
        (b'OpenSSL 1.1.1k  FIPS 25 Mar 2021\0OPENSSLDIR: "/etc/pki/tls"', ("OpenSSL", "1.1.1k")),
        (b"libpng version 1.6.43\n", ("libpng", "1.6.43")),
        (b"libpng version 1.6.43\nlibpng version 1.6.44\n", ("libpng", "")),  # two
        (b"\0expat_2.6.2\0not well-formed (invalid token)\0", ("expat", "2.6.2")),
        (b"\0001.0.8, 13-Jul-2019\0\n\nbzip2/libbzip2: internal error number %d.", ("bzip2", "1.0.8")),
        (b"SQLite format 3\0\0003.45.1\0", ("SQLite", "3.45.1")),
    ],
)
def test_libraries_are_recognised_by_their_texts(text: bytes, expected: tuple[str, str]) -> None:
    (found,) = recognise("x.so", b"\x7fELF" + text)
    assert (found.library.name, found.version) == expected
    assert not list(recognise("x.so", text.replace(found.library.marker.encode(), b"")))


def test_no_known_library_has_the_names_or_files_of_another() -> None:
    for known in known_libraries():
        others = [other for other in known_libraries() if other is not known]
        assert not any(other.calls(known.name) for other in others)
        for pattern in known.libraries:
            file = pattern.replace("[0-9]", "1").replace("*", "")
            assert not any(other.is_file(f"{file}so") for other in others), pattern


_VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.text(max_size=3))
_STRICT = {version: JsonStrictValidator(SchemaVersion.from_version(version)) for version in ("1.4", "1.6")}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    version=st.sampled_from(["1.4", "1.6"]),
    key=st.sampled_from(["components", "metadata", "version", "serialNumber", "dependencies", "odd"]),
    value=_VALUES
    | st.lists(st.fixed_dictionaries({"type": st.sampled_from(["library", "x"]), "name": _VALUES})),
)
def test_the_schema_decides_as_the_librarys_own_validator(version: str, key: str, value: object) -> None:
    text = sbom(**{"specVersion": version, key: value})
    accepted = _STRICT[version].validate_str(text.decode()) is None
    assert (schema_problem(json.loads(text)) == "") == accepted


def test_components_inside_of_components_are_read() -> None:
    nested = library("outer", "1") | {"components": [library("zlib", "2")]}
    assert [one.name for one in read_sbom("a/x.json", sbom(nested)).components] == ["outer", "zlib"]


def test_the_report_counts_the_components(tmp_path: Path) -> None:
    components = (library("demo", "1.0"), library("zlib", "1"), library("zlib", "1", SO), library("png", "2"))
    path = wheels.write_wheel(tmp_path, LINUX, members={OTHER: sbom(*components)})
    report = verify([path], Contract())
    assert report.components == ((LINUX, 2),)
    assert "SBOMs in 1 of 1 wheel name 2 components" in render(report, Screen())
