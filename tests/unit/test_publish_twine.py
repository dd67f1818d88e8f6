from __future__ import annotations

import sys
from pathlib import Path

import pytest

from support.publishing import HERE, cut, distribution, refused, said, taken
from wheelkit.machine.process import Command, Completed
from wheelkit.publish import twine
from wheelkit.publish.credentials import Credentials
from wheelkit.publish.twine import Outcome, UploadResult
from wheelkit.publish.upload_errors import refusal_error

A, B = "demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"


def read(*lines: str, code: int = 1) -> UploadResult:
    return twine.parse_output(code, said(*lines).output)


def test_what_was_taken_and_what_was_under_way() -> None:
    found = read(*taken(A), *refused(B, 400, "Bad Request", "File already exists"))
    assert (found.outcome, found.accepted, found.current, found.status) == (Outcome.REFUSED, (A,), B, 400)
    assert found.message == "400 File already exists"
    assert read(*taken(A), *taken(B), code=0).accepted == (A, B)


def test_a_retry_within_twine_is_one_upload() -> None:
    retry = (
        f"Uploading {A}",
        'WARNING  Received "503: Service Unavailable"',
        "         Package upload appears to have failed. Retry 1 of 5.",
    )
    found = read(*retry, *taken(A), code=0)
    assert (found.outcome, found.accepted) == (Outcome.ACCEPTED, (A,))


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass(status: int) -> None:
    found = read(*refused(A, status, "No"))
    assert (found.outcome, found.current) == (Outcome.TEMPORARY, A)


def test_a_broken_connection_may_pass() -> None:
    found = read(*cut(A))
    assert (found.outcome, found.current, found.status) == (Outcome.TEMPORARY, A, 0)
    assert found.message.startswith("requests.exceptions.ConnectionError")


def test_what_says_nothing_of_the_index() -> None:
    found = read("ERROR    InvalidDistribution: Invalid distribution metadata: unrecognized field 'x'")
    assert (found.outcome, found.current) == (Outcome.FAILED, "")
    assert read().message == "it printed nothing"
    assert read("requests.exceptions.SSLError: certificate verify failed").outcome is Outcome.FAILED


def test_colours_and_the_number_of_a_traceback_line_are_no_status() -> None:
    found = read(
        f"\x1b[?25lUploading {A}",
        "\x1b[2mINFO\x1b[0m     Response from http://h.invalid/:",
        "         \x1b[1m200 OK\x1b[0m",
        "  403 lines",
    )
    assert found.accepted == (A,)


def test_the_environment_is_scrubbed_and_the_secret_is_no_argument(
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
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid")
    ran: list[Command] = []

    def run(command: Command) -> Completed:
        ran.append(command)
        return said(*taken(A), code=0)

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
    assert env["HTTPS_PROXY"] == "http://proxy.invalid"
    assert (env["TWINE_USERNAME"], env["TWINE_PASSWORD"]) == ("__token__", "s3cret")
    assert "s3cret" not in " ".join(command.argv)
    assert command.argv[:3] == (sys.executable, "-m", "twine")
    assert "--skip-existing" not in command.argv
    assert command.argv[-2:] == (str(tmp_path / A), str(tmp_path / B))
    assert command.pass_fds == (7,)


def test_signed_files_take_their_attestations_along(tmp_path: Path) -> None:
    from msgspec.structs import replace

    files = distribution(tmp_path, "demo").files
    signed = tuple(
        replace(one, attestations=(tmp_path / f"{one.name}.publish.attestation",)) for one in files
    )
    argvs: list[tuple[str, ...]] = []

    def run(command: Command) -> Completed:
        argvs.append(command.argv)
        return said(*taken(A), code=0)

    for case in (signed, (signed[0], files[1])):
        twine.upload(run, HERE, case, Credentials(source="x"))
    assert "--attestations" in argvs[0]
    assert sum(word.endswith(".attestation") for word in argvs[0]) == 2
    assert "--attestations" not in argvs[1]


@pytest.mark.parametrize(
    ("status", "title", "what", "todo"),
    [
        (400, "File already exists ('x.whl', with blake2_256 hash '…').", "with other bytes", "bump patch"),
        (400, "This filename has already been used, use a different version.", "was deleted", "bump patch"),
        (400, "Uploading new files to releases older than 14 days is not allowed.", "too old", "bump patch"),
        (
            403,
            "Invalid or non-existent authentication information.",
            "does not accept the credentials",
            "TWINE_PASSWORD",
        ),
        (403, "Invalid API Token: Token is expired", "does not accept the credentials", "TWINE_PASSWORD"),
        (
            403,
            "Invalid API Token: project-scoped token is not valid for project: 'x'",
            "not valid for this project",
            "scope",
        ),
        (403, "The user 'u' isn't allowed to upload to project 'x'.", "not valid for this project", "scope"),
        (
            400,
            "The name 'x' is too similar to an existing project.",
            "does not allow this project's name",
            "another name",
        ),
        (
            400,
            "File too large. Limit for project 'x' is 100 MB.",
            "exceeds the index's size limit",
            "higher limit",
        ),
        (
            400,
            "Project size too large. Limit for project 'x' total size is 10 GB.",
            "as a whole",
            "delete old releases",
        ),
        (400, "The use of local versions in <Version('1+a')> is not allowed.", "local part", "version set"),
        (
            400,
            "Binary wheel 'x' has an unsupported platform tag 'linux_x86_64'.",
            "platform tag",
            "wheelkit repair",
        ),
        (400, "Only one sdist may be uploaded per release.", "another sdist", "bump patch"),
        (
            400,
            "The digest supplied does not match a digest calculated from the uploaded file.",
            "damaged or changed",
            "again",
        ),
        (
            400,
            "The description failed to render in the default format of reStructuredText.",
            "metadata",
            "pyproject.toml",
        ),
        (400, "'Bad :: x' is not a valid classifier.", "Bad :: x", "same command"),
    ],
)
def test_refusals_are_told_with_what_to_do(status: int, title: str, what: str, todo: str) -> None:
    error = refusal_error(HERE, read(*refused(A, status, "Bad Request", title)))
    assert error.message == f"here refused {A}"
    assert what in error.detail
    assert title in error.detail
    assert todo in error.hint


def test_missing_credentials_are_a_refusal_before_anything_was_sent() -> None:
    error = refusal_error(HERE, read("ERROR    NonInteractive: Credential not found for API token."))
    assert "no credentials were found" in error.detail
