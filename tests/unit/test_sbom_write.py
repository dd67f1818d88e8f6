"""SBOMs that wheelkit composes and writes."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from malformed.sboms import library, sbom
from malformed.specs import LINUX, SO, so
from support import wheels
from wheelkit import wheel as reader
from wheelkit.sbom import packages
from wheelkit.sbom.compose import compose
from wheelkit.sbom.model import Component, SbomSources
from wheelkit.sbom.packages import owning_package
from wheelkit.sbom.write import render
from wheelkit.verification.contract import Contract
from wheelkit.verification.run import verify
from wheelkit.wheel.rewrite import rewrite_wheel

ZLIB = b"\0 inflate 1.3.1 Copyright 1995-2024 Mark Adler \0"
OTHER_SO = "demo/other.abi3.so"
GRAFT = "demo.libs/libz-1a2b3c4d.so.1"


def composed(folder: Path, members: dict[str, bytes], sources: SbomSources) -> tuple[Component, ...]:
    path = wheels.write_wheel(folder, LINUX, members={SO: so(), **members})
    return compose(reader.read(path), sources)


def declared(name: str, version: str = "1.3.1", **fields: Any) -> Component:
    return Component(name=name, version=version, origin="configuration", **fields)


def test_a_declared_library_is_where_its_text_is(tmp_path: Path) -> None:
    sources = SbomSources(declared=(declared("zlib"),))
    (found,) = composed(tmp_path, {OTHER_SO: so() + ZLIB}, sources)
    assert (found.files, found.license) == ((OTHER_SO,), "Zlib")
    assert found.cpe == "cpe:2.3:a:zlib:zlib:1.3.1:*:*:*:*:*:*:*"


def test_an_unknown_library_is_in_the_only_binary_or_where_it_is_declared(tmp_path: Path) -> None:
    (only,) = composed(tmp_path, {}, SbomSources(declared=(declared("simdjson"),)))
    assert only.files == (SO,)
    (nowhere,) = composed(tmp_path, {OTHER_SO: so()}, SbomSources(declared=(declared("simdjson"),)))
    assert nowhere.files == ()
    sources = SbomSources(declared=(declared("simdjson", patterns=("demo/other*",)),))
    (stated,) = composed(tmp_path, {OTHER_SO: so()}, sources)
    assert stated.files == (OTHER_SO,)


def test_the_configuration_and_the_sources_make_one_component(tmp_path: Path) -> None:
    wrap = Component(
        name="zlib", version="1.3.1", url="https://z.example/z.tar.gz", origin="subprojects/zlib.wrap"
    )
    (found,) = composed(tmp_path, {}, SbomSources(declared=(declared("zlib", license="MIT"),), found=(wrap,)))
    assert (found.license, found.url, found.origin) == ("MIT", wrap.url, "configuration")
    (corrected,) = composed(tmp_path, {}, SbomSources(declared=(declared("zlib", "1.3.2"),), found=(wrap,)))
    assert corrected.version == "1.3.2"


def test_texts_alone_name_nothing(tmp_path: Path) -> None:
    assert composed(tmp_path, {SO: so() + ZLIB}, SbomSources()) == ()


def test_a_graft_is_the_package_that_owns_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = Component(
        name="zlib1g", version="1:1.2.13.dfsg-1", purl="pkg:deb/debian/zlib1g@1", origin="dpkg"
    )
    monkeypatch.setattr("wheelkit.sbom.compose.owning_package", {Path("/lib/libz.so.1"): package}.get)
    sources = SbomSources(grafts={"libz-1a2b3c4d.so.1": Path("/lib/libz.so.1")})
    (found,) = composed(tmp_path, {GRAFT: so()}, sources)
    assert (found.name, found.files, len(found.digest)) == ("zlib1g", (GRAFT,), 64)
    assert found.cpe == "cpe:2.3:a:zlib:zlib:1.2.13:*:*:*:*:*:*:*"
    (unowned,) = composed(tmp_path, {GRAFT: so()}, SbomSources(grafts={"libz-1a2b3c4d.so.1": Path("/x")}))
    assert (unowned.name, unowned.version, unowned.origin) == ("libz", "", "file")


def test_a_graft_is_what_auditwheel_says_of_it_in_a_container(tmp_path: Path) -> None:
    of_auditwheel = sbom(library("zlib", "1.2.11-41.el8") | {"purl": "pkg:rpm/almalinux/zlib@1.2.11-41.el8"})
    members = {GRAFT: so(), "{info}/sboms/auditwheel.cdx.json": of_auditwheel}
    (found,) = composed(tmp_path, members, SbomSources())
    assert (found.name, found.purl) == ("zlib", "pkg:rpm/almalinux/zlib@1.2.11-41.el8")


def test_a_graft_is_what_the_configuration_says_of_it(tmp_path: Path) -> None:
    sources = SbomSources(declared=(declared("gear", "2.0", patterns=("libgear.so*",)), declared("zlib")))
    members = {"demo.libs/libgear-1a2b3c4d.so": so(), GRAFT: so()}
    found = {one.name: (one.version, one.files) for one in composed(tmp_path, members, sources)}
    assert found == {"gear": ("2.0", ("demo.libs/libgear-1a2b3c4d.so",)), "zlib": ("1.3.1", (GRAFT,))}


def test_crates_that_maturin_names_are_not_named_again(tmp_path: Path) -> None:
    of_maturin = sbom(library("itoa", "1.0.9") | {"purl": "pkg:cargo/itoa@1.0.9"})
    lock = Component(name="itoa", version="1.0.9", purl="pkg:cargo/itoa@1.0.9", origin="Cargo.lock")
    members = {"{info}/sboms/demo.cyclonedx.json": of_maturin}
    assert composed(tmp_path, members, SbomSources(found=(lock,))) == ()
    assert len(composed(tmp_path, {SO: so() + b" "}, SbomSources(found=(lock,)))) == 1


COMPONENTS = (
    Component(
        name="zlib", version="1.3.1", license="Zlib", cpe="cpe:2.3:a:zlib:zlib:1.3.1:*:*:*:*:*:*:*",
        url="https://z.example/zlib-1.3.1.tar.gz", sha256="ab" * 32, files=(SO,), origin="configuration",
    ),
    Component(name="fmt", vcs="git+https://git.example/fmt@main", license="the license of fmt"),
    Component(name="odd name/ü", version="1 2", purl="no purl"),
    Component(name="libz", files=(GRAFT,), digest="cd" * 32, origin="file"),
)  # fmt: skip


def rendered(folder: Path, **options: Any) -> dict[str, Any]:
    wheel = reader.read(wheels.write_wheel(folder, LINUX, members={SO: so()}))
    text = render(wheel, COMPONENTS, **options)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text.decode()) is None
    document: dict[str, Any] = json.loads(text)
    return document


def test_an_sbom_is_valid_and_says_what_is_known(tmp_path: Path) -> None:
    document = rendered(tmp_path, epoch=1_700_000_000)
    by_name = {component["name"]: component for component in document["components"]}
    assert by_name["zlib"]["purl"].startswith("pkg:generic/zlib@1.3.1?checksum=sha256:abab")
    assert by_name["zlib"]["evidence"] == {"occurrences": [{"location": SO}]}
    assert by_name["zlib"]["licenses"] == [{"expression": "Zlib"}]
    assert by_name["fmt"]["licenses"] == [{"license": {"name": "the license of fmt"}}]
    assert by_name["libz"]["hashes"] == [{"alg": "SHA-256", "content": "cd" * 32}]
    root = document["metadata"]["component"]["purl"]
    assert root == f"pkg:pypi/demo@1.0?file_name={LINUX}"
    assert document["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"
    assert document["compositions"] == [{"aggregate": "incomplete", "assemblies": [root]}]
    depends = next(one["dependsOn"] for one in document["dependencies"] if one["ref"] == root)
    assert len(depends) == len(COMPONENTS)
    assert rendered(tmp_path, complete=True)["compositions"][0]["aggregate"] == "complete"


def test_the_same_content_gives_the_same_sbom(tmp_path: Path) -> None:
    assert rendered(tmp_path) == rendered(tmp_path)
    assert "timestamp" not in rendered(tmp_path)["metadata"]
    assert rendered(tmp_path)["serialNumber"] != rendered(tmp_path, complete=True)["serialNumber"]


def test_a_rewritten_wheel_is_sorted_and_passes_verification(tmp_path: Path) -> None:
    source = wheels.write_wheel(tmp_path, LINUX, members={SO: so(), "a.txt": "a", "z/__init__.py": ""})
    with zipfile.ZipFile(source, "a") as archive:
        archive.writestr("folder/", "")
    (tmp_path / "new").mkdir()
    target = tmp_path / "new" / LINUX
    added = {"demo-1.0.dist-info/sboms/wheelkit.cdx.json": sbom()}
    rewrite_wheel(source, target, "demo-1.0.dist-info", added=added, epoch=1_700_000_000)
    with zipfile.ZipFile(target) as archive:
        infos = archive.infolist()
    names = [info.filename for info in infos]
    assert names[:4] == sorted(names[:4])
    assert names[-1] == "demo-1.0.dist-info/RECORD"
    assert [name.startswith("demo-1.0.dist-info/") for name in names] == [False] * 4 + [True] * 4
    assert {(info.date_time, info.external_attr >> 16, info.create_system) for info in infos} == {
        ((2023, 11, 14, 22, 13, 20), 0o100644, 3)
    }
    codes = {finding.code for finding in verify([target], Contract()).findings}
    assert not {code for code in codes if code.startswith("WK1")}
    again = tmp_path / LINUX
    rewrite_wheel(target, again, "demo-1.0.dist-info", added={}, epoch=1_700_000_000)
    assert again.read_bytes() == target.read_bytes()


@pytest.mark.parametrize("epoch", [0, 5_000_000_000])
def test_times_that_zip_archives_cannot_have_are_limited(tmp_path: Path, epoch: int) -> None:
    source = wheels.write_wheel(tmp_path, LINUX)
    (tmp_path / "new").mkdir()
    rewrite_wheel(source, tmp_path / "new" / LINUX, "demo-1.0.dist-info", added={}, epoch=epoch)
    with zipfile.ZipFile(tmp_path / "new" / LINUX) as archive:
        assert {info.date_time[0] for info in archive.infolist()} == {2107 if epoch else 1980}


def test_the_owner_of_a_file_is_the_one_that_the_package_manager_names() -> None:
    if not Path("/usr/bin/dpkg-query").exists():
        pytest.skip("this system has no dpkg")
    file = Path("/bin/sh").resolve()
    found = owning_package(file)
    listed = subprocess.run(["dpkg-query", "--show", "dash"], capture_output=True, text=True, check=True)
    assert found is not None
    assert f"{found.name}\t{found.version}\n" == listed.stdout
    assert found.purl.startswith("pkg:deb/debian/dash@")
    assert owning_package(Path("/nowhere")) is None


@pytest.mark.parametrize(
    ("program", "answers", "expected"),
    [
        ("rpm", {"rpm": "zlib 1.2.11-41.el8 x86_64\n"}, "pkg:rpm/{distro}zlib@1.2.11-41.el8?arch=x86_64"),
        ("rpm", {"rpm": "openssl-libs 1:1.1.1k-14 x86_64\n"}, "pkg:rpm/{distro}openssl-libs@1:1.1.1k-14?"),
        ("apk", {"apk": "/lib/x is owned by libpng-1.6.44-r0\n"}, "pkg:apk/{distro}libpng@1.6.44-r0?arch="),
    ],
)
def test_the_answers_of_other_package_managers(
    monkeypatch: pytest.MonkeyPatch, program: str, answers: dict[str, str], expected: str
) -> None:
    monkeypatch.setattr(packages.shutil, "which", {program: f"/bin/{program}"}.get)
    monkeypatch.setattr(packages, "_ask", lambda *argv: answers[argv[0]].strip())
    monkeypatch.setattr(packages, "_os_release", lambda: {"ID": "here", "VERSION_ID": "8"})
    found = owning_package(Path("/lib/x"))
    assert found is not None
    assert found.purl.startswith(expected.format(distro="here/").replace("1:1", "1:1"))
    assert "distro=here-8" in found.purl
