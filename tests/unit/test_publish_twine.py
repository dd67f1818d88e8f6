from __future__ import annotations

import sys
from pathlib import Path

import pytest

from support.publishing import HERE, accepted, completed, disconnected, distribution, refused
from wheelkit.machine.process import Command, Completed
from wheelkit.publish import twine
from wheelkit.publish.credentials import Credentials
from wheelkit.publish.twine import Outcome, UploadResult

A, B = "demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"


def read(*lines: str, code: int = 1) -> UploadResult:
    return twine.parse_output(code, completed(*lines).output)


def test_accepted_files_and_the_current_one() -> None:
    found = read(*accepted(A), *refused(B, 400, "Bad Request", "File already exists"))
    assert (found.outcome, found.accepted, found.current, found.status) == (Outcome.REFUSED, (A,), B, 400)
    assert found.message == "400 File already exists"
    assert read(*accepted(A), *accepted(B), code=0).accepted == (A, B)


def test_a_retry_within_twine_is_one_upload() -> None:
    retry = (
        f"Uploading {A}",
        'WARNING  Received "503: Service Unavailable"',
        "         Package upload appears to have failed. Retry 1 of 5.",
    )
    found = read(*retry, *accepted(A), code=0)
    assert (found.outcome, found.accepted) == (Outcome.ACCEPTED, (A,))


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_temporary_statuses(status: int) -> None:
    found = read(*refused(A, status, "No"))
    assert (found.outcome, found.current) == (Outcome.TEMPORARY, A)


def test_a_broken_connection_is_temporary() -> None:
    found = read(*disconnected(A))
    assert (found.outcome, found.current, found.status) == (Outcome.TEMPORARY, A, 0)
    assert found.message.startswith("requests.exceptions.ConnectionError")


def test_failures_before_the_index_was_asked() -> None:
    found = read("ERROR    InvalidDistribution: Invalid distribution metadata: unrecognized field 'x'")
    assert (found.outcome, found.current) == (Outcome.FAILED, "")
    assert read().message == "it printed nothing"
    assert read("requests.exceptions.SSLError: certificate verify failed").outcome is Outcome.FAILED


def test_colours_and_other_numbers_are_not_a_status() -> None:
    found = read(
        f"\x1b[?25lUploading {A}",
        "\x1b[2mINFO\x1b[0m     Response from http://h.invalid/:",
        "         \x1b[1m200 OK\x1b[0m",
        "  403 lines",
    )
    assert found.accepted == (A,)


def test_the_environment_is_scrubbed_and_the_secret_is_not_an_argument(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "TWINE_REPOSITORY_URL",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        "GITHUB_ACTIONS",
        "PIP_INDEX_URL",
        "SOME_KEY",
    ):
        monkeypatch.setenv(name, "from outside")
    # What requests, keyring and the system need to reach an index, and to find its password.
    needed = [f"{kind}_PROXY" for kind in ("HTTP", "HTTPS", "ALL", "NO")]
    needed += [
        "https_proxy",
        "no_proxy",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    ]
    needed += ["PATH", "HOME", "LANG", "LC_ALL", "PYTHON_KEYRING_BACKEND", "DBUS_SESSION_BUS_ADDRESS"]
    for name in needed:
        monkeypatch.setenv(name, "kept")
    ran: list[Command] = []

    def run(command: Command) -> Completed:
        ran.append(command)
        return completed(*accepted(A), code=0)

    twine.upload(
        run,
        HERE,
        distribution(tmp_path, "demo").files,
        Credentials(source="x", username="__token__", secret="s3cret"),  # noqa: S106 - made up
        7,
    )
    (command,) = ran
    env = command.environment()
    assert [name for name, value in env.items() if value == "from outside"] == []
    assert [name for name in needed if env.get(name) != "kept"] == []
    assert (env["TWINE_USERNAME"], env["TWINE_PASSWORD"]) == ("__token__", "s3cret")
    assert "s3cret" not in " ".join(command.argv)
    assert command.argv[:3] == (sys.executable, "-m", "twine")
    assert "--skip-existing" not in command.argv
    assert command.argv[-2:] == (str(tmp_path / A), str(tmp_path / B))
    assert command.pass_fds == (7,)


def test_signed_files_are_sent_with_their_attestations(tmp_path: Path) -> None:
    from msgspec.structs import replace

    files = distribution(tmp_path, "demo").files
    signed = tuple(
        replace(one, attestations=(tmp_path / f"{one.name}.publish.attestation",)) for one in files
    )
    argvs: list[tuple[str, ...]] = []

    def run(command: Command) -> Completed:
        argvs.append(command.argv)
        return completed(*accepted(A), code=0)

    for case in (signed, (signed[0], files[1])):
        twine.upload(run, HERE, case, Credentials(source="x"))
    assert "--attestations" in argvs[0]
    assert sum(word.endswith(".attestation") for word in argvs[0]) == 2
    assert "--attestations" not in argvs[1]
