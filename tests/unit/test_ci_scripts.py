"""Scripts of CI steps are read for runs of cibuildwheel and for the variables that they set."""

from __future__ import annotations

from typing import Any

from support.rows import rows
from wheelkit.project.ci.expressions import UNKNOWN
from wheelkit.project.ci.scripts import publishes, read_script


@rows(
    ("text", "options", "package"),
    [
        ("cibuildwheel", {}, ""),
        ("python -m cibuildwheel --output-dir dist", {"--output-dir": "dist"}, ""),
        ("python3.11 -m cibuildwheel . --platform=linux", {"--platform": "linux"}, "."),
        ("pipx run cibuildwheel==2.16.5 --platform linux", {"--platform": "linux"}, ""),
        ("uvx cibuildwheel@latest --archs x86_64 pkg", {"--archs": "x86_64"}, "pkg"),
        ("uvx --from 'cibuildwheel==4.1.1' cibuildwheel --only x", {"--only": "x"}, ""),
        ("uv tool run cibuildwheel[uv]", {}, ""),
        ("pip install cibuildwheel && cibuildwheel \\\n --enable a \\\n --enable b", {"--enable": "a b"}, ""),
        ("cibuildwheel --print-build-identifiers | jq -R .", {"--print-build-identifiers": "1"}, ""),
        ("P=linux\ncibuildwheel --platform $P", {"--platform": "linux"}, ""),
        ("cibuildwheel --platform ${OTHER}", {"--platform": "$"}, ""),
        ("cibuildwheel --only $(pick)", {"--only": "$"}, ""),
        ("$env:P = 'windows'\ncibuildwheel `\n  --platform $env:P", {"--platform": "windows"}, ""),
        ("if true; then\n  cibuildwheel sub # comment\nfi", {}, "sub"),
        ("cibuildwheel > log.txt", {}, ""),
    ],
)  # fmt: skip
def test_a_run_of_cibuildwheel_is_found_with_its_options(
    text: str, options: dict[str, str], package: str
) -> None:
    (call,) = read_script(text, {}).calls
    assert (dict(call.options), call.package) == (options, package)


@rows(
    "text",
    [
        "pip install cibuildwheel", "uv pip install 'cibuildwheel>=3'", "echo cibuildwheel",
        "cd cibuildwheel",
        "# cibuildwheel", "pipx install cibuildwheel", "", "then", "'open quote", "cat cibuildwheel.toml",
    ],
)  # fmt: skip
def test_other_commands_are_no_runs(text: str) -> None:
    assert read_script(text, {}).calls == ()


@rows(
    ("text", "exported"),
    [
        ('echo "CIBW_SKIP=pp*" >> $GITHUB_ENV', {"CIBW_SKIP": "pp*"}),
        ('echo "CIBW_SKIP=pp*" >> "$GITHUB_ENV"', {"CIBW_SKIP": "pp*"}),
        ("echo CIBW_BUILD=${SEEN}-* >> ${GITHUB_ENV}", {"CIBW_BUILD": "cp311-*"}),
        ("echo CIBW_BUILD=$(cat x) >> $GITHUB_ENV", {"CIBW_BUILD": UNKNOWN}),
        ("if test; then\necho CIBW_BUILD=cp39-* >> $GITHUB_ENV\nfi", {"CIBW_BUILD": UNKNOWN}),
        ('echo "${MANY}" >> "${GITHUB_ENV}"', {"A": "1", "CIBW_SKIP": "x\ny", "B": "2=3"}),
        ("cat file >> $GITHUB_ENV", {}),
        ("echo text", {}),
    ],
)
def test_variables_for_later_steps_are_read(text: str, exported: dict[str, Any]) -> None:
    seen = {"SEEN": "cp311", "MANY": "A=1\n\nCIBW_SKIP<<EOF\nx\ny\nEOF\nB=2=3"}
    assert dict(read_script(text, seen).exported) == exported


def test_variables_before_a_run_count_for_it() -> None:
    script = "export CIBW_SKIP='pp*'\nCIBW_BUILD=cp311-* CIBW_X=$UNSET cibuildwheel\npython -m cibuildwheel"
    first, second = read_script(script, {"CIBW_ENABLE": "pypy"}).calls
    assert dict(first.variables) == {
        "CIBW_ENABLE": "pypy", "CIBW_SKIP": "pp*", "CIBW_BUILD": "cp311-*", "CIBW_X": UNKNOWN,
    }  # fmt: skip
    assert dict(second.variables) == {"CIBW_ENABLE": "pypy", "CIBW_SKIP": "pp*"}


@rows(
    ("text", "uploads"),
    [
        ("twine upload dist/*", True),
        ("uv publish", True),
        ("python -m wheelkit publish dist --to pypi", True),
        ("twine check dist/*", False),
        ("npm publish", False),
    ],
)
def test_uploads_to_an_index_are_recognised(text: str, uploads: object) -> None:
    assert publishes(text) is uploads
