from __future__ import annotations

from support.publishing import HERE, completed, refused
from support.rows import rows
from wheelkit.publish import twine
from wheelkit.publish.twine import UploadResult
from wheelkit.publish.upload_errors import refusal_error

A = "demo-1.0-py3-none-any.whl"


def read(*lines: str, code: int = 1) -> UploadResult:
    return twine.parse_output(code, completed(*lines).output)


@rows(
    ("status", "title", "what", "todo"),
    [
        (400, "File already exists ('x.whl', with blake2_256 hash '…').", "with other bytes", "bump patch"),
        (400, "This filename has already been used, use a different version.", "was deleted", "bump patch"),
        (
            400,
            "This filename was previously used by a file that has since been deleted.",
            "was deleted",
            "bump patch",
        ),
        (400, "'A :: B' is not a valid classifier. See core-metadata.", "classifier", "trove_classifiers"),
        (400, "The classifier 'A :: B' has been deprecated.", "classifier", "trove_classifiers"),
        (
            400,
            "License-File LICENSE does not exist in distribution file x.whl at x/LICENSE",
            "license file",
            "license-files",
        ),
        (400, "Filename 'A-b-1.tar.gz' is invalid, should be 'a_b-1.tar.gz'.", "normalized", "build again"),
        (400, "Version in filename should be '1' not '2'.", "agree with the metadata", "build again"),
        (
            400,
            "Invalid distribution file. WHEEL not found at x/WHEEL",
            "cannot read",
            "verify-matrix",
        ),
        (
            400,
            "'x' is not a valid url. See core-metadata.",
            "metadata",
            "pyproject.toml",
        ),
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
        (
            400,
            "The use of local versions in <Version('1+a')> is not allowed.",
            "local part",
            "version bump patch --commit",
        ),
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
        (
            400,
            "Invalid value for requires_dist. Error: Can't have direct dependency: 'a @ https://h.invalid/a.whl'",
            "requirements with a URL",
            "by name",
        ),
        (400, "The moon is in the wrong phase.", "phase", "same command"),
    ],
)
def test_refusals_are_explained(status: int, title: str, what: str, todo: str) -> None:
    error = refusal_error(HERE, read(*refused(A, status, "Bad Request", title)))
    assert error.message == f"here refused {A}"
    assert what in error.detail
    assert title in error.detail
    assert todo in error.hint


def test_missing_credentials() -> None:
    error = refusal_error(HERE, read("ERROR    NonInteractive: Credential not found for API token."))
    assert "no credentials were found" in error.detail
