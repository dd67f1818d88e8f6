"""SBOMs and equal bytes, of wheels that are really built, by CycloneDX's own validator."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from support.command import MakeProject, Wheelkit, git_commit

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the host builder is for Linux"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler"),
]
GEAR = Path(__file__).parents[1] / "projects/grafting/gear/gear.c"
RUNNING = f"cp3{sys.version_info[1]}"
DECLARED = """
[tool.wheelkit.distribution.torque]
components = [
  { name = "gear", version = "1.4", license = "MIT", files = ["libgear.so*"] },
  { name = "simdjson", version = "3.10.1", url = "https://example.org/simdjson-3.10.1.tar.gz" },
]
"""


@pytest.fixture
def gear(tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "lib"
    folder.mkdir()
    options = ("-shared", "-fPIC", "-Wl,-soname,libgear.so.1")
    subprocess.run(["cc", *options, "-o", folder / "libgear.so.1", GEAR], check=True)
    (folder / "libgear.so").symlink_to("libgear.so.1")
    return {"LIBRARY_PATH": str(folder), "LD_LIBRARY_PATH": str(folder)}


def grafting(make: MakeProject, more: str = "") -> Path:
    folder = make("grafting", git=False)
    path = folder / "pyproject.toml"
    path.write_text(path.read_text().replace('["cp311"]', f'["{RUNNING}"]') + more)
    git_commit(folder)
    return folder


def build(wheelkit: Wheelkit, folder: Path, env: dict[str, str]) -> Path:
    done = wheelkit("build", "--builder", "host", "--no-cache", cwd=folder, env=env)
    assert done.returncode == 0, done.stderr
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel


def sbom(wheel: Path) -> dict[str, Any]:
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read("torque-2.0.dist-info/sboms/wheelkit.cdx.json").decode()
        names = set(archive.namelist())
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document: dict[str, Any] = json.loads(text)
    files = {one["location"] for item in document.get("components", []) for one in places(item)}
    assert files <= names
    return document


def places(component: dict[str, Any]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = component.get("evidence", {}).get("occurrences", [])
    return found


def test_a_wheel_names_its_graft_and_what_is_declared(
    project: MakeProject, wheelkit: Wheelkit, gear: dict[str, str]
) -> None:
    wheel = build(wheelkit, grafting(project, DECLARED), gear)
    components = {one["name"]: one for one in sbom(wheel)["components"]}
    assert set(components) == {"gear", "simdjson"}
    assert (components["gear"]["version"], components["gear"]["licenses"]) == ("1.4", [{"expression": "MIT"}])
    assert places(components["gear"])[0]["location"].startswith("torque.libs/libgear-")
    assert places(components["simdjson"])[0]["location"].startswith("torque/_core")
    done = wheelkit("inspect", str(wheel), cwd=wheel.parent)
    assert "gear      1.4     in libgear-" in done.stdout
    assert "in no SBOM" not in done.stdout


def test_a_graft_that_nobody_owns_is_named_by_its_file(
    project: MakeProject, wheelkit: Wheelkit, gear: dict[str, str]
) -> None:
    (component,) = sbom(build(wheelkit, grafting(project), gear))["components"]
    assert (component["name"], component.get("version")) == ("libgear", None)


def test_the_same_commit_gives_the_same_bytes_elsewhere_at_another_time_under_another_umask(
    project: MakeProject, wheelkit: Wheelkit, gear: dict[str, str], tmp_path: Path
) -> None:
    folder = grafting(project, DECLARED)
    other = tmp_path / "a much longer name of a folder" / "copy"
    subprocess.run(["git", "clone", "--quiet", str(folder), str(other)], check=True)
    build(wheelkit, folder, gear)
    before = os.umask(0o077)
    try:
        build(wheelkit, other, gear)
    finally:
        os.umask(before)
    first, second = (
        {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (place / "dist").iterdir()
            if path.suffix in {".whl", ".gz"}
        }
        for place in (folder, other)
    )
    assert len(first) == 2
    assert first == second
    epochs = {json.loads(path.read_text())["source_date_epoch"] for path in other.glob("dist/*.json")}
    committed = subprocess.run(
        ["git", "-C", str(folder), "log", "-1", "--format=%ct"], capture_output=True, text=True, check=True
    )
    assert epochs == {int(committed.stdout)}
