"""wheelkit publish with the real twine, against a fake of the public indexes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from servers.faults import Fault, Faults, Kind
from servers.warehouse import Address, Token, Warehouse, serving
from support.command import Wheelkit
from support.releases import CLI, CORE, FAMILY, META, Member, Project, make_family
from support.signing import Authority

TOKEN = "pypi-valid-token-0123456789"  # noqa: S105 - only valid for the fake index
PAIR = (Member(name="gyro-core"), CLI)


@pytest.fixture
def index() -> Warehouse:
    return Warehouse()


@pytest.fixture
def address(index: Warehouse) -> Iterator[Address]:
    with serving(index) as address:
        yield address


class Publisher:
    """Runs publish for one family on one index."""

    def __init__(self, wheelkit: Wheelkit, project: Project, address: Address) -> None:
        self.project = project
        self.wheelkit = wheelkit
        text = (project.root / "wheelkit.toml").read_text()
        here = f'upload = "{address.upload}"\nsimple = "{address.simple}"\nlag = "1 s"\n'
        self.config = project.root.parent / "settings.toml"
        self.config.write_text(f'{text}\n[index.here]\n{here}\n[ci]\nstaging = "here"\n')

    def arguments(self, *options: str) -> list[str]:
        return self.wheelkit.arguments("publish", "dist", "--to", "here", "--config", self.config, *options)

    def __call__(self, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
        secrets = {"TWINE_PASSWORD": TOKEN, "HOME": str(self.project.root.parent), **env}
        return self.wheelkit(*self.arguments(*options)[3:], cwd=self.project.root, env=secrets)

    @property
    def env(self) -> Mapping[str, str]:
        return {**self.wheelkit.env, "TWINE_PASSWORD": TOKEN}


@pytest.fixture
def pair(wheelkit: Wheelkit, tmp_path: Path, address: Address) -> Publisher:
    """Two small distributions of which one needs the other."""
    return Publisher(wheelkit, make_family(tmp_path / "gyro", PAIR), address)


def test_a_family_is_published_in_order_and_the_second_run_has_nothing_to_do(
    wheelkit: Wheelkit, tmp_path: Path, address: Address, index: Warehouse
) -> None:
    publish = Publisher(wheelkit, make_family(tmp_path / "gyro", FAMILY), address)
    index.lag = 0.3
    done = publish()
    assert done.returncode == 0
    assert "3 distributions on here: 6 files uploaded" in done.stdout
    sent = [event.file for event in index.events]
    assert [name.split("-")[0] for name in sent] == ["gyro_core"] * 2 + ["gyro_cli"] * 2 + ["gyro"] * 2
    assert [name.endswith(".whl") for name in sent] == [True, False] * 3
    assert {name: stored.data for name, stored in index.files.items()} == {
        path.name: path.read_bytes() for path in publish.project.files()
    }
    for member in publish.project.members:
        first = min(stored.visible for stored in index.files.values() if stored.project == member.name)
        assert all(file.visible <= first for file in index.files.values() if file.project in member.needs)
    again = publish()
    assert (again.returncode, again.stdout) == (
        0,
        "nothing to do: all 6 files are on here with the same bytes\n",
    )
    assert len(index.events) == 6


def test_the_dry_run_shows_the_plan_and_does_nothing(pair: Publisher, index: Warehouse) -> None:
    path = pair.project.dist / "gyro_core-1.0.tar.gz"
    index.put(path.name, path.read_bytes())
    done = pair("--dry-run")
    assert done.returncode == 0
    lines = [re.sub(" +", " ", line.strip()) for line in done.stdout.splitlines()]
    assert lines == [
        "1 gyro-core 1.0 1 wheel, 1 sdist 1 on the index with the same bytes, 1 to upload",
        "2 gyro-cli 1.0 1 wheel, 1 sdist 2 to upload, after gyro-core is visible",
    ]
    assert "nothing was uploaded (--dry-run)" in done.stderr
    document = json.loads(pair("--dry-run", "--json").stdout)
    assert [batch["waits_for"] for batch in document["batches"]] == [[], ["gyro-core"]]
    assert [file["state"] for batch in document["batches"] for file in batch["files"]] == [
        "absent",
        "same",
        "absent",
        "absent",
    ]
    assert index.events == []


def test_the_same_name_with_other_bytes_is_refused_before_the_first_upload(
    pair: Publisher, index: Warehouse
) -> None:
    index.put("gyro_cli-1.0-py3-none-any.whl", b"other bytes")
    done = pair()
    assert done.returncode == 1
    assert "gyro_cli-1.0-py3-none-any.whl is on here already, with other bytes" in done.stderr
    assert "A published file cannot be replaced. Nothing was uploaded to here." in done.stderr
    assert index.events == []


@pytest.mark.parametrize(
    ("kind", "successes"),
    [
        (Kind.BROKEN_BEFORE, 1),
        (Kind.BROKEN_AFTER, 1),
        (Kind.CUT_BEFORE, 1),
        (Kind.CUT_AFTER, 0),
        (Kind.BUSY, 1),
    ],
)
def test_no_fault_causes_a_second_upload(
    pair: Publisher, index: Warehouse, kind: Kind, successes: int
) -> None:
    index.faults = Faults([Fault(kind=kind, at=1)])
    assert pair().returncode == 0
    assert index.faults.met == [kind]
    first = [event for event in index.events if event.file == "gyro_core-1.0-py3-none-any.whl"]
    assert sum(event.status == 200 for event in first) == successes
    assert sum(event.kept for event in first) == 1
    assert len(index.files) == 4


def test_the_run_after_an_unavailable_index(pair: Publisher, index: Warehouse) -> None:
    index.faults = Faults([Fault(kind=Kind.LOOK_BROKEN, at=1, times=99)])
    done = pair()
    assert done.returncode == 3
    assert "answered 503 Service Unavailable 4 times" in done.stderr
    index.faults = Faults()
    assert pair().returncode == 0


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"tokens": {TOKEN: Token(expires=1.0)}}, 1, "does not accept the credentials"),
        ({"tokens": {}}, 1, "does not accept the credentials"),
        (
            {"tokens": {TOKEN: Token(projects=frozenset({"gyro-core"}))}},
            1,
            "are not valid for this project",
        ),
        ({"largest": 10}, 1, "exceeds the index's size limit"),
        ({"deleted": {"gyro_core-1.0.tar.gz"}}, 1, "its name can never be used again"),
        (
            {"redirect": "http://elsewhere.invalid/simple/"},
            3,
            "redirects to another host, elsewhere.invalid",
        ),
        ({"form": "proxy"}, 3, "it is a web page that lists no files"),
    ],
)
def test_refusals_of_an_index_are_explained(
    pair: Publisher, index: Warehouse, change: dict[str, object], code: int, words: str
) -> None:
    for name, value in change.items():
        setattr(index, name, value)
    done = pair()
    assert done.returncode == code
    assert words in done.stderr
    assert TOKEN not in done.stdout + done.stderr


def test_no_credentials(pair: Publisher, index: Warehouse) -> None:
    done = pair(TWINE_PASSWORD="", PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring")
    assert done.returncode == 1
    assert "no credentials were found" in done.stderr
    assert index.events == []


def test_credentials_of_a_pypirc(pair: Publisher, index: Warehouse) -> None:
    (pair.project.root.parent / ".pypirc").write_text(f"[here]\nusername = __token__\npassword = {TOKEN}\n")
    assert pair(TWINE_PASSWORD="").returncode == 0
    assert len(index.files) == 4


def test_an_index_without_the_json_api(pair: Publisher, index: Warehouse) -> None:
    index.form = "html"
    index.put("gyro_core-0.9.tar.gz", b"an older one")
    index.put("gyro_cli-0.9.tar.gz", b"an older one, too")
    done = pair()
    assert done.returncode == 0
    assert "has no JSON API" in done.stderr
    index.hashes = False
    assert "nothing to do" in pair().stdout


def test_a_file_that_was_changed_after_the_build(pair: Publisher, index: Warehouse) -> None:
    path = pair.project.dist / "gyro_cli-1.0.tar.gz"
    path.write_bytes(path.read_bytes() + b"\0")
    done = pair()
    assert done.returncode == 1
    assert "gyro_cli-1.0.tar.gz was changed after it was built and verified" in done.stderr
    assert index.requests == []


def test_problems_that_only_twine_check_finds(wheelkit: Wheelkit, tmp_path: Path, address: Address) -> None:
    broken = "Description-Content-Type: text/x-rst\n\nSee `broken <"
    bad = Member(name="gyro-web", metadata=("Summary: Its readme does not render.", broken))
    publish = Publisher(wheelkit, make_family(tmp_path / "gyro", (bad,)), address)
    done = publish("--dry-run")
    assert done.returncode == 1
    assert "twine check reports problems" in done.stderr
    assert "`long_description` has syntax errors in markup" in done.stderr
    plain = Member(name="gyro-plain", metadata=("Summary: It does not say how its readme is written.",))
    assert (
        Publisher(wheelkit, make_family(tmp_path / "plain", (plain,)), address)("--dry-run").returncode == 0
    )


@pytest.fixture
def signed(pair: Publisher) -> Publisher:
    """Sign the files of the pair."""
    authority = Authority()
    authority.trust(pair.project.root.parent)
    for path in pair.project.files():
        attestation = authority.attestation(path.name, path.read_bytes())
        path.with_name(f"{path.name}.publish.attestation").write_text(json.dumps(attestation))
    return pair


def test_attestations_are_uploaded_and_served(signed: Publisher, index: Warehouse) -> None:
    assert signed().returncode == 0
    assert len(index.provenance) == 4
    words = (
        "--index",
        "here",
        "--config",
        signed.config,
        "--deep",
        "--repository",
        "https://github.com/acme/gyro",
    )
    home = {"HOME": str(signed.project.root.parent), "XDG_CACHE_HOME": ""}
    done = signed.wheelkit(
        "verify-matrix", "--from-index", "gyro-cli==1.0", *words, cwd=signed.project.root, env=home
    )
    assert done.returncode == 0
    assert (
        "2 files signed by GitHub acme/gyro release.yml, commit c0ffeec0ffee;"
        " not verified, without the network" in done.stdout
    )


def test_a_file_without_attestation_has_a_run_of_its_own(signed: Publisher, index: Warehouse) -> None:
    path = signed.project.dist / "gyro_cli-1.0.tar.gz"
    path.with_name(f"{path.name}.publish.attestation").unlink()
    done = signed()
    assert done.returncode == 0
    assert "gyro_cli-1.0.tar.gz has no attestation; the other files have one" in done.stderr
    assert set(index.files) - set(index.provenance) == {path.name}


def test_attestations_without_trusted_publishing(signed: Publisher, index: Warehouse) -> None:
    index.publishers.enabled = True
    done = signed()
    assert done.returncode == 1
    assert "does not accept the file's attestations" in done.stderr
    for path in signed.project.dist.glob("*.attestation"):
        path.unlink()
    assert signed().returncode == 0


def test_a_clock_that_is_off_by_hours(pair: Publisher, index: Warehouse) -> None:
    index.clock_error = timedelta(hours=-7)
    assert pair().returncode == 0
    index.clock_error = timedelta(hours=9)
    assert "nothing to do" in pair().stdout


def test_dirty_files_need_a_staging_index_and_the_option(
    wheelkit: Wheelkit, tmp_path: Path, address: Address, index: Warehouse
) -> None:
    publish = Publisher(wheelkit, make_family(tmp_path / "gyro", (META, *PAIR), dirty=True), address)
    assert "built with uncommitted changes" in publish().stderr
    assert index.events == []
    assert publish("--allow-dirty").returncode == 0


def test_two_runs_at_once_take_turns(pair: Publisher, index: Warehouse) -> None:
    index.lag = 0.6
    first, second = (
        subprocess.Popen(
            pair.arguments(),
            cwd=pair.project.root,
            env=dict(pair.env),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    )
    outputs = [process.communicate() for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0)
    assert sorted("nothing to do" in out for out, _ in outputs) == [False, True]
    assert any("is publishing this release; waiting" in err for _, err in outputs)
    assert len(index.events) == 4


def test_the_run_after_an_interrupt(pair: Publisher, index: Warehouse) -> None:
    import signal

    index.lag = 30.0
    process = subprocess.Popen(
        pair.arguments(),
        cwd=pair.project.root,
        env=dict(pair.env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = threading.Timer(30.0, process.kill)
    deadline.start()
    while process.poll() is None and len(index.events) < 2:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    deadline.cancel()
    assert process.returncode == 130
    assert "Traceback" not in err
    with index.lock:
        index.files = {name: _shown(stored) for name, stored in index.files.items()}
    index.lag = 0.0
    assert pair().returncode == 0
    assert len(index.events) == 4


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a file that is always full")
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_an_upload_is_told_where_the_result_cannot_be_shown(
    pair: Publisher, index: Warehouse, options: tuple[str, ...]
) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            pair.arguments(*options),
            cwd=pair.project.root,
            env=dict(pair.env),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 4
    assert done.stderr.splitlines()[-3:] == [
        "wheelkit: standard output cannot be written: No space left on device",
        "  the whole release is on here",
        "  free some space, or send it somewhere else",
    ]
    assert len(index.files) == 4


def _shown(stored: object) -> object:
    from dataclasses import replace

    return replace(stored, visible=0.0)  # type: ignore[type-var]  # a stored file of the fake index


def test_no_secret_is_kept_anywhere(pair: Publisher, index: Warehouse, tmp_path: Path) -> None:
    index.tokens = {}
    done = pair("--verbose")
    assert done.returncode == 1
    assert "TWINE_PASSWORD='***'" in done.stderr.replace('"', "'") or "TWINE_PASSWORD=***" in done.stderr
    state = Path(dict(pair.env)["XDG_STATE_HOME"])
    kept = [path for path in (*state.rglob("*"), *tmp_path.rglob("*")) if path.is_file()]
    assert any(path.suffix == ".log" for path in kept)
    assert not [path for path in kept if TOKEN.encode() in path.read_bytes()]
    assert TOKEN not in done.stdout + done.stderr


def test_a_native_family_needs_its_whole_matrix(
    wheelkit: Wheelkit, tmp_path: Path, address: Address, index: Warehouse
) -> None:
    project = make_family(tmp_path / "gyro", (CORE,))
    text = (project.root / "wheelkit.toml").read_text()
    (project.root / "wheelkit.toml").write_text(
        text.replace('["manylinux_2_40_x86_64"]', '["manylinux_2_40_x86_64", "win_amd64"]')
    )
    done = Publisher(wheelkit, project, address)()
    assert done.returncode == 1
    assert "WK801  win_amd64" in done.stderr
    assert index.requests == []


def test_publishing_does_not_import_twine() -> None:
    names = "[name for name in sys.modules if name.startswith(('twine', 'requests', 'id.'))]"
    code = f"import sys, wheelkit.publish, wheelkit.cli.publish; print({names})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.strip() == "[]"
