"""wheelkit verify-matrix --from-index: a published release, by the index's listing or by its files."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from servers.warehouse import Warehouse, serving
from support import wheels
from support.command import Wheelkit
from support.releases import CLI, CORE, FAMILY, Member, Project, make_family
from support.signing import Authority


@dataclass
class Published:
    """A family on an index, and the command that verifies it."""

    project: Project
    index: Warehouse
    config: Path
    wheelkit: Wheelkit

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        env = {"HOME": str(self.config.parent), "XDG_CACHE_HOME": ""}
        return self.wheelkit(
            "verify-matrix",
            *(("--index", "here") if words else ()),
            "--config",
            self.config,
            *words,
            cwd=self.project.root,
            env=env,
        )

    def codes(self, *words: str) -> list[str]:
        return list(self.findings(*words))

    def findings(self, *words: str) -> dict[str, str]:
        done = self("--json", *words)
        findings = {finding["code"]: finding["what"] for finding in json.loads(done.stdout)["findings"]}
        assert done.returncode == (
            1 if {"WK901", "WK902", "WK903", "WK905", "WK801", "WK101", "WK102"}.intersection(findings) else 0
        )
        return findings

    def sign(self, authority: Authority, *members: Member, **other: bytes) -> None:
        """Serve attestations for distributions; ``other`` are bytes to sign instead, by suffix."""
        for name, stored in self.index.files.items():
            if stored.project in {member.name for member in members}:
                data = other.get(name.rpartition(".")[2], stored.data)
                self.index.provenance[name] = json.dumps(authority.provenance(name, data)).encode()


@pytest.fixture
def published(wheelkit: Wheelkit, tmp_path: Path) -> Iterator[Published]:
    project = make_family(tmp_path / "gyro", FAMILY, git=False)
    index = Warehouse()
    for path in project.files():
        index.put(path.name, path.read_bytes())
    with serving(index) as address:
        config = tmp_path / "settings.toml"
        here = f'\n[index.here]\nupload = "{address.upload}"\nsimple = "{address.simple}"\n'
        config.write_text((project.root / "wheelkit.toml").read_text() + here)
        yield Published(project=project, index=index, config=config, wheelkit=wheelkit)


@pytest.mark.parametrize("depth", [(), ("--deep",)])
def test_a_complete_release(published: Published, depth: tuple[str, ...]) -> None:
    for member in FAMILY:
        assert published.codes("--from-index", f"{member.name}==1.0", "dist", *depth) == []
    assert [request for request in published.index.requests if "/files/" in request] == [] or depth


def test_a_missing_wheel_is_found_by_the_listing(published: Published) -> None:
    del published.index.files["gyro_core-1.0-cp311-abi3-manylinux_2_40_x86_64.whl"]
    assert "WK801" in published.codes("--from-index", "gyro-core==1.0")
    assert {"WK801", "WK902"} <= set(published.codes("--from-index", "Gyro.Core==1.0", "dist"))


def test_other_bytes_and_unknown_files(published: Published) -> None:
    published.index.put("gyro_cli-1.0-py3-none-any.whl", b"other bytes")
    published.index.put("gyro_cli-1.0-1-py3-none-any.whl", b"a stranger")
    assert {"WK901", "WK903"} <= set(published.codes("--from-index", "gyro-cli==1.0", "dist"))
    assert not {"WK901", "WK903"} & set(published.codes("--from-index", "gyro-cli==1.0"))
    assert "WK101" in published.codes("--from-index", "gyro-cli==1.0", "--deep")


def test_a_yanked_release(published: Published) -> None:
    published.index.yanked = {"gyro_cli-1.0.tar.gz"}
    assert published.codes("--from-index", "gyro-cli==1.0") == ["WK904"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--from-index", "gyro cli"), '"gyro cli" is not a release'),
        (("--from-index", "gyro-cli==x"), "is not a release"),
        (("--from-index", "gyro-cli=="), "is not a release"),
        (("--from-index", "gyro-cli>=1.0"), "is not a release"),
        (("--from-index", "gyro-cli==2.0"), "here has no version 2.0 of gyro-cli; it has 1.0"),
        (("--from-index", "gyro-clu"), "here has no project gyro-clu"),
        (("--from-index", "gyro-clu==1.0"), "here has no project gyro-clu"),
        ((), "nothing to verify"),
    ],
)
def test_invalid_and_unknown_releases(published: Published, words: tuple[str, ...], message: str) -> None:
    done = published(*words)
    assert done.returncode == 2
    assert message in done.stderr


def test_a_name_alone_is_the_latest(published: Published) -> None:
    for version in ("0.9", "1.10", "1.9", "2.0rc1"):
        published.index.put(f"gyro_cli-{version}-py3-none-any.whl", b"x")
    done = published("--from-index", "gyro-cli")
    assert done.stdout.startswith("gyro-cli 1.10 ")
    # The manifests are those of 1.0.
    assert published.codes("--from-index", "gyro-cli", "dist") == ["WK705"]
    assert published.codes("--from-index", "gyro-cli==1.0", "dist") == []
    done = published("--from-index", "gyro-cli==1.8")
    assert "no version 1.8 of gyro-cli; it has 1.0, 1.9, 0.9, 1.10, 2.0rc1" in done.stderr


# The versions on an index, "y" for yanked, and the one that installers choose.
LATEST = [
    ("1.9 1.10", "1.10"),
    ("1.0 2.0rc1", "1.0"),
    ("1.0 2.0.dev1 1.0.post1", "1.0.post1"),
    ("1.0 2.0y", "1.0"),
    ("2.0a1 2.0b1", "2.0b1"),
    ("2.0a1 2.0b1y", "2.0a1"),
    ("1.0 1!0.1", "1!0.1"),
    ("1.0y 2.0rc1", "2.0rc1"),
    ("1.0y 2.0y", ""),
]
# For pip, a yanked final release keeps pre-releases from being chosen, too.
PIP_REFUSES = "1.0y 2.0rc1"


@pytest.mark.parametrize("form", ["json", "html"])
def test_the_latest_is_the_one_that_pip_and_uv_choose(tmp_path: Path, wheelkit: Wheelkit, form: str) -> None:
    index = Warehouse(form=form)
    for number, (versions, _) in enumerate(LATEST):
        for version in versions.split():
            path = wheels.write_wheel(tmp_path, f"case{number}-{version.rstrip('y')}-py3-none-any.whl")
            index.put(path.name, path.read_bytes())
            index.yanked |= {path.name} if version.endswith("y") else set()
    chosen: dict[str, list[str]] = {"wheelkit": [], "pip": [], "uv": []}
    with serving(index) as address:
        here = f'[index.here]\nupload = "{address.upload}"\nsimple = "{address.simple}"\n'
        (tmp_path / "wheelkit.toml").write_text(here)
        for number in range(len(LATEST)):
            name = f"case{number}"
            done = wheelkit("verify-matrix", "--json", "--index", "here", "--from-index", name, cwd=tmp_path)
            rows = json.loads(done.stdout)["matrix"] if done.returncode == 0 else [{"version": ""}]
            assert done.returncode == 0 or "all are yanked" in done.stderr
            chosen["wheelkit"].append(rows[0]["version"])
            chosen["pip"].append(_installed("pip", name, address.simple))
            chosen["uv"].append(_installed("uv", name, address.simple))
    assert chosen["wheelkit"] == [latest for _, latest in LATEST]
    assert chosen["uv"] == chosen["wheelkit"]
    assert chosen["pip"] == ["" if versions == PIP_REFUSES else latest for versions, latest in LATEST]


def _installed(tool: str, name: str, simple: str) -> str:
    """Return the version of a project that an installer would install, empty if it refuses."""
    if tool == "pip":
        words = ["-m", "pip", "install", "--dry-run", "--no-deps", "--ignore-installed", "--isolated"]
        words += ["--no-cache-dir", "--disable-pip-version-check"]
    else:
        words = ["-m", "uv", "pip", "install", "--dry-run", "--no-deps", "--no-config", "--no-cache"]
        words += ["--python", sys.executable]
    done = subprocess.run(
        [sys.executable, *words, "--index-url", simple, name], capture_output=True, text=True, check=False
    )
    found = re.search(rf"(?:Would install |\+ ){name}(?:==|-)([\w.!]+)", done.stdout + done.stderr)
    return found[1] if done.returncode == 0 and found else ""


@pytest.mark.parametrize("form", ["json", "html"])
def test_a_file_that_is_listed_twice_is_refused(published: Published, form: str) -> None:
    published.index.form = form
    assert published("--from-index", "gyro-cli").returncode == 0
    published.index.doubled = {"gyro_cli-1.0.tar.gz"}
    for words in (("gyro-cli",), ("gyro-cli==1.0", "--deep")):
        done = published("--from-index", *words)
        assert done.returncode == 3
        assert "here lists gyro_cli-1.0.tar.gz more than once" in done.stderr


@pytest.mark.parametrize("form", ["json", "html"])
def test_a_truncated_listing_is_an_error(published: Published, form: str) -> None:
    published.index.form = form
    published.index.truncated = "/simple/"
    done = published("--from-index", "gyro-cli==1.0")
    assert done.returncode == 3
    assert "is truncated" in done.stderr


def test_a_truncated_file_is_an_error(published: Published) -> None:
    published.index.truncated = "/files/gyro_cli-1.0-py3"
    assert published("--from-index", "gyro-cli==1.0").returncode == 0
    done = published("--from-index", "gyro-cli==1.0", "--deep")
    assert done.returncode == 3
    assert "is truncated" in done.stderr
    assert not done.stdout


def test_a_single_distribution_does_not_need_the_others(published: Published) -> None:
    assert "WK804" not in published.codes("--from-index", f"{CORE.name}==1.0", "--deep")


def test_valid_attestations_and_one_for_other_bytes(published: Published) -> None:
    authority = Authority()
    authority.trust(published.config.parent)
    published.sign(authority, CLI)
    reasons = published.findings("--from-index", "gyro-cli==1.0", "--deep")
    assert list(reasons) == ["WK907"]
    assert reasons["WK907"].startswith("2 files signed by GitHub acme/gyro release.yml, commit c0ffeec0ffee;")
    published.sign(authority, CLI, gz=b"the same name, and other bytes")
    reasons = published.findings("--from-index", "gyro-cli==1.0", "--deep")
    assert reasons["WK905"] == (
        "the attestation by GitHub acme/gyro release.yml is not valid: "
        "subject does not match distribution digest"
    )
    assert reasons["WK907"].startswith("1 file signed by")


def test_attestations_are_not_verified_without_deep(published: Published) -> None:
    published.sign(Authority(), CLI)
    reasons = published.findings("--from-index", "gyro-cli==1.0")
    assert reasons["WK907"].endswith("were not verified: the files were not downloaded")
    assert not [path for path in published.index.requests if "/integrity/" in path]


def test_attestations_by_an_untrusted_authority(published: Published) -> None:
    published.sign(Authority(), CLI)
    assert (
        "is not valid: failed to build timestamp certificate chain"
        in published.findings("--from-index", "gyro-cli==1.0", "--deep")["WK905"]
    )


@pytest.mark.network
def test_real_attestations_with_sigstores_own_keys(published: Published, tmp_path: Path) -> None:
    """Real attestations from the public index, as the library's own tests keep them."""
    file, provenance = real_provenance(tmp_path)
    published.index.put(file.name, file.read_bytes())
    published.index.provenance[file.name] = provenance
    words = ("--from-index", "pypi-attestations==0.0.19", "--deep", "--repository")
    reasons = published.findings(*words, "https://github.com/trailofbits/pypi-attestations")
    assert reasons["WK907"].startswith(
        "1 file signed by GitHub trailofbits/pypi-attestations release.yml, commit "
    )
    assert "it was signed by GitHub" in published.findings(*words, "https://github.com/acme/gyro")["WK905"]
    published.index.provenance[file.name] = provenance.replace(b'"signature":"ME', b'"signature":"MF')
    assert "is not valid" in published.findings(*words, "trailofbits/pypi-attestations")["WK905"]


def real_provenance(folder: Path) -> tuple[Path, bytes]:
    """Fetch the pinned sdist in which they are."""
    release, digest = (
        "pypi_attestations-0.0.30",
        "14ff13c76bbef02a483c2b77532da02bfd746b5141b881f355e06b9807434423",
    )
    spec = f"pypi-attestations==0.0.30 --hash=sha256:{digest}"
    (folder / "pins").write_text(spec)
    fetch = ("download", "--quiet", "--no-deps", "--no-binary", ":all:", "--require-hashes", "-r", "pins")
    subprocess.run([sys.executable, "-m", "pip", *fetch], cwd=folder, check=True)
    with tarfile.open(folder / f"{release}.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    file = folder / release / "test" / "assets" / "pypi_attestations-0.0.19.tar.gz"
    return file, file.with_name(f"{file.name}.provenance").read_bytes()
