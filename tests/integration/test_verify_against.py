"""wheelkit verify-matrix --against: a dist or a published release, compared with an earlier one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from servers.devpi import PASSWORD, USER
from servers.devpi import serving as devpi_serving
from servers.warehouse import Warehouse, serving
from support import wheels
from support.command import Wheelkit

SCHEMA = json.loads(files("wheelkit").joinpath("data/report.schema.json").read_text(encoding="utf-8"))
LINUX, WINDOWS = "cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-win_amd64"


@dataclass
class Place:
    """A folder with old wheels and new ones, an index with releases, and the command."""

    folder: Path
    index: Warehouse
    wheelkit: Wheelkit

    def __call__(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        asks = {"--against", "--from-index"}.intersection(words)
        return self.wheelkit("verify-matrix", *(("--index", "here") if asks else ()), *words, cwd=self.folder)

    def wheel(self, folder: str, version: str, tags: str, *lines: str, **members: str) -> Path:
        (self.folder / folder).mkdir(exist_ok=True)
        texts: dict[str, wheels.Contents] = {
            "{info}/METADATA": wheels.metadata("demo", version, *lines),
            **{f"{name}/__init__.py": text for name, text in members.items()},
        }
        path = wheels.write_wheel(self.folder / folder, f"demo-{version}-{tags}.whl", members=texts)
        if folder == "index":
            self.index.put(path.name, path.read_bytes())
        return path

    def report(self, *words: str | Path) -> dict[str, Any]:
        done = self("--json", *words)
        document: dict[str, Any] = json.loads(done.stdout)
        jsonschema.validate(document, SCHEMA)
        return document

    def codes(self, *words: str | Path) -> list[str]:
        """Return the codes of the findings that a comparison can have."""
        found = [finding["code"] for finding in self.report(*words)["findings"]]
        return [code for code in found if code.startswith("WK80") or code in {"WK810", "WK811", "WK812"}]


@pytest.fixture
def place(wheelkit: Wheelkit, tmp_path: Path) -> Iterator[Place]:
    index = Warehouse(core_metadata=True)
    with serving(index) as address:
        here = f'[index.here]\nupload = "{address.upload}"\nsimple = "{address.simple}"\n'
        (tmp_path / "wheelkit.toml").write_text(here)
        yield Place(folder=tmp_path, index=index, wheelkit=wheelkit)


def test_a_folder(place: Place) -> None:
    for tags in (LINUX, WINDOWS):
        place.wheel("old", "1.0", tags, "Provides-Extra: docs", extra="")
        place.wheel("dist", "2.0", tags, "Provides-Extra: docs", extra="")
    assert place.codes("dist", "--against", "old") == []
    (place.folder / f"dist/demo-2.0-{WINDOWS}.whl").unlink()
    place.wheel("dist", "2.0", LINUX)
    assert place.codes("dist", "--against", "old") == ["WK806", "WK810", "WK812"]
    done = place("dist", "--against", "old")
    assert done.returncode == 1
    assert "demo 2.0 against 1.0 (old)" in done.stdout
    assert "no wheel any more for win_amd64; users there get 1.0 or nothing" in done.stdout


def test_single_files_miss_nothing(place: Place) -> None:
    for tags in (LINUX, WINDOWS):
        place.wheel("old", "1.0", tags)
    new = place.wheel("dist", "2.0", LINUX)
    report = place.report(new, "--against", "old")
    assert [row["platform"] for row in report["comparisons"][0]["rows"]] == ["manylinux_x86_64"]
    assert place.codes(new, "--against", "old") == []
    assert place.codes("dist", "--against", "old") == ["WK806"]
    # Only what this machine builds is looked for.
    config = '[matrix]\ntargets = ["win_amd64"]\ninterpreters = ["cp311"]\n'
    (place.folder / "wheelkit.toml").write_text(config)
    assert "WK806" not in place.codes("dist", "--native", "--against", "old")


def test_a_release_on_the_index_and_the_latest(place: Place) -> None:
    place.wheel("index", "1.0", LINUX)
    place.wheel("index", "1.1", LINUX, "Requires-Dist: attrs>=1")
    place.wheel("index", "1.1", WINDOWS, "Requires-Dist: attrs>=1")
    place.wheel("dist", "2.0", LINUX, "Requires-Dist: attrs>=2")
    assert place.codes("dist", "--against", "demo==1.0") == []
    (comparison,) = place.report("dist", "--against", "latest")["comparisons"]
    assert (comparison["earlier"], comparison["origin"]) == ("1.1", "here")
    assert comparison["requirements"]["changed"] == [{"before": "attrs>=1", "after": "attrs>=2"}]
    assert comparison["modules"] is None
    assert place.codes("dist", "--against", "latest") == ["WK806"]
    # Nothing but METADATA was downloaded.
    assert not [request for request in place.index.requests if request.endswith(".whl")]
    (comparison,) = place.report("dist", "--against", "latest", "--deep")["comparisons"]
    assert comparison["modules"] == {"added": [], "removed": [], "changed": []}


def test_a_published_release_against_another(place: Place) -> None:
    place.wheel("index", "1.0", LINUX, "Requires-Dist: attrs", "Provides-Extra: docs", extra="")
    place.wheel("index", "1.1", LINUX, "Requires-Dist: attrs", extra="")
    for words in (("demo", "latest"), ("demo==1.1", "demo==1.0")):
        (comparison,) = place.report("--from-index", words[0], "--against", words[1])["comparisons"]
        assert (comparison["version"], comparison["earlier"]) == ("1.1", "1.0")
        assert comparison["extras"]["removed"] == ["docs"]
        assert comparison["modules"] is None
    assert place.codes("--from-index", "demo", "--against", "latest") == ["WK810"]
    place.wheel("index", "1.1", LINUX, "Requires-Dist: attrs")
    assert place.codes("--from-index", "demo", "--against", "latest", "--deep") == ["WK810", "WK812"]
    place.wheel("old", "0.9", LINUX)
    assert place.codes("--from-index", "demo==1.0", "--against", "old") == []
    assert place.codes("--from-index", "demo==1.0", "--against", "demo==1.1") == []


@pytest.mark.parametrize("form", ["text", "json", "markdown", "github"])
def test_a_first_release_is_no_error(place: Place, form: str) -> None:
    place.wheel("dist", "1.0", LINUX)
    done = place("dist", "--against", "latest", "--format", form)
    assert done.returncode == place("dist", "--format", form).returncode
    line = "demo 1.0 was not compared: here has no earlier release of it"
    assert (line in done.stdout) == (form != "github")


def test_an_accepted_loss(place: Place) -> None:
    for tags in (LINUX, WINDOWS):
        place.wheel("old", "1.0", tags)
    place.wheel("dist", "2.0", LINUX)
    config = '[distribution.demo]\nignore = { WK806 = "Windows is no more" }\n'
    (place.folder / "wheelkit.toml").write_text(config)
    findings = place.report("dist", "--against", "old")["findings"]
    accepted = {finding["code"]: finding.get("accepted", "") for finding in findings}
    assert accepted["WK806"] == "Windows is no more"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("dist", "--against", "demo==9"), 2, "here has no version 9 of demo; it has 1.0"),
        (("dist", "--against", "other==1"), 2, "the files to verify are of demo"),
        (("dist", "--against", "nowhere"), 2, "no such folder, and not a release"),
        (("dist", "--against", "demo"), 2, "no such folder, and not a release"),
        (("dist", "--against", "demo==x"), 2, '"demo==x" is not a release'),
        (("dist", "--against", "empty"), 2, "empty contains no wheel and no sdist"),
        (("dist", "--against", "elsewhere"), 2, "elsewhere has no wheel of demo to compare with"),
        (("dist", "--against", "broken"), 2, "--against: "),
        (("dist", "--against", "sdists==1"), 2, "the files to verify are of demo"),
        (("--from-index", "demo", "--against", "demo==9"), 2, "here has no version 9 of demo"),
        (("--from-index", "demo", "--against", "other==9"), 2, "the files to verify are of demo"),
        (("--against", "latest"), 2, "nothing to verify"),
    ],
)
def test_bad_input(place: Place, words: tuple[str, ...], code: int, message: str) -> None:
    place.wheel("dist", "2.0", LINUX)
    place.wheel("index", "1.0", LINUX)
    place.wheel("broken", "1.0", LINUX).write_bytes(b"broken")
    (place.folder / "empty").mkdir()
    (place.folder / "elsewhere").mkdir()
    wheels.write_wheel(place.folder / "elsewhere", "other-1.0-py3-none-any.whl")
    done = place(*words)
    assert (done.returncode, message in done.stderr) == (code, True), done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_an_index_that_is_down(place: Place) -> None:
    place.wheel("dist", "2.0", LINUX)
    (place.folder / "wheelkit.toml").write_text(
        '[index.here]\nupload = "http://127.0.0.1:9/legacy/"\nsimple = "http://127.0.0.1:9/simple/"\n'
    )
    done = place("dist", "--against", "latest")
    assert (done.returncode, "cannot be reached" in done.stderr) == (3, True)
    assert done.stderr.count("\n") <= 3


def test_a_real_server_that_serves_metadata(wheelkit: Wheelkit, tmp_path: Path) -> None:
    """devpi-server lists METADATA beside wheels by PEP 658 and 714, and serves it."""
    for version, extra in (("1.0", "Provides-Extra: docs"), ("1.1", "Provides-Extra: test")):
        members = {"{info}/METADATA": wheels.metadata("demo", version, extra)}
        wheels.write_wheel(tmp_path, f"demo-{version}-{LINUX}.whl", members=members)
    (tmp_path / "server").mkdir()
    with devpi_serving(tmp_path / "server", "here") as devpi:
        upload = [sys.executable, "-m", "twine", "upload", "--non-interactive", "--disable-progress-bar"]
        upload += ["--repository-url", devpi.upload("here"), "-u", USER, "-p", PASSWORD]
        subprocess.run([*upload, *tmp_path.glob("*.whl")], check=True, capture_output=True)
        address = f'[index.here]\nupload = "{devpi.upload("here")}"\nsimple = "{devpi.simple("here")}"\n'
        (tmp_path / "wheelkit.toml").write_text(address)
        words = ("--from-index", "demo", "--index", "here", "--against", "latest", "--json")
        document = json.loads(wheelkit("verify-matrix", *words, cwd=tmp_path).stdout)
    (comparison,) = document["comparisons"]
    assert (comparison["version"], comparison["earlier"]) == ("1.1", "1.0")
    assert comparison["extras"] == {"added": ["test"], "removed": ["docs"], "changed": []}
    assert comparison["modules"] is None


Case = tuple[str, str, set[str], dict[tuple[str, str], str]]
# Releases on the public index, what users lose, and what the table says of some of it.
REAL: list[Case] = [
    (
        "numpy==2.1.0",
        "numpy==2.0.2",
        {"WK807", "WK808"},
        {
            ("macosx_arm64", "cp311"): "raised",
            ("macosx_arm64", "cp310"): "kept",
            ("win32", "cp39"): "excluded",
        },
    ),
    (
        "psutil==7.2.2",
        "psutil==6.1.1",
        {"WK805", "WK808"},
        {("win32", "cp311"): "gone", ("manylinux_i686", "cp39"): "gone", ("win_arm64", "cp313t"): "new"},
    ),
    (
        "charset-normalizer==3.4.0",
        "charset-normalizer==3.3.2",
        {"WK809"},
        {("win_amd64", "cp313"): "native", ("musllinux_x86_64", "cp37"): "raised", ("any", "cp312"): "kept"},
    ),
    (
        "cryptography==46.0.3",
        "cryptography==44.0.0",
        {"WK604", "WK805", "WK808"},
        {("macosx_x86_64", "cp39"): "kept", ("win_amd64", "cp37"): "excluded", ("win_arm64", "cp38"): "new"},
    ),
]


@pytest.mark.network
@pytest.mark.parametrize("case", REAL, ids=[row[0] for row in REAL])
def test_real_releases(wheelkit: Wheelkit, tmp_path: Path, case: Case) -> None:
    later, earlier, codes, cells = case
    done = wheelkit("verify-matrix", "--json", "--from-index", later, "--against", earlier, cwd=tmp_path)
    document = json.loads(done.stdout)
    jsonschema.validate(document, SCHEMA)
    losses = {f"WK8{number:02}" for number in range(5, 13)} | {"WK604"}
    assert losses & {finding["code"] for finding in document["findings"]} == codes
    (comparison,) = document["comparisons"]
    changes = {
        (row["platform"], cell["interpreter"]): cell["change"]
        for row in comparison["rows"]
        for cell in row["cells"]
    }
    assert {cell: changes[cell] for cell in cells} == cells
