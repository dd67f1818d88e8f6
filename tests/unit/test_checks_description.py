"""Descriptions against docutils and readme_renderer, which indexes use."""

from pathlib import Path

import pytest

from support import wheels
from wheelkit.matrix import Matrix
from wheelkit.project.kinds import Kind
from wheelkit.verification.checks import description
from wheelkit.verification.contract import Contract, Promise
from wheelkit.wheel import read

META = "{info}/METADATA"
MATRIX = Matrix(targets=(), interpreters=(), declared=False)
OWN = Contract(promises={"demo": Promise(distribution="demo", kind=Kind.NATIVE, matrix=MATRIX)})


def description_codes(folder: Path, text: str, kind: str = "text/x-rst") -> list[str]:
    text = wheels.metadata(markup=kind).replace("A demo.", text)
    wheel = read(wheels.write_wheel(folder, members={META: text}))
    return [finding.code for finding in description.description(wheel, OWN)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Demo\n====\n\nIt is a `demo <https://example.org>`_.", []),
        ("A longer demo\n=====\n\nToo short.", ["WK710"]),
        ("See `broken <", ["WK710"]),
        (".. nonsense::\n\n   x", ["WK710"]),
        ("A |substitution| that is not there.", ["WK710"]),
        (".. include:: /etc/passwd", ["WK710"]),
        (".. code:: python\n\n   print(1)", []),
        ("A demo.", []),
        ("", ["WK711"]),
        ("UNKNOWN", ["WK711"]),
    ],
)
def test_restructured_text(tmp_path: Path, text: str, expected: list[str]) -> None:
    pytest.importorskip("docutils")
    assert description_codes(tmp_path, text) == expected
    no_type = [] if expected == ["WK711"] else ["WK718"]
    assert (
        description_codes(tmp_path, text, kind="") == no_type + expected
    )  # text without a type counts as reStructuredText


@pytest.mark.parametrize("kind", ["text/markdown", "text/markdown; charset=UTF-8; variant=GFM", "text/plain"])
def test_other_types_always_render(tmp_path: Path, kind: str) -> None:
    assert description_codes(tmp_path, "Demo\n==\n\n`broken <", kind) == []


def test_the_first_problem_is_shown(tmp_path: Path) -> None:
    pytest.importorskip("docutils")
    text = wheels.metadata().replace("A demo.", "A longer demo\n=====\n\nx")
    wheel = read(wheels.write_wheel(tmp_path, members={META: text}))
    (finding,) = description.description(wheel, OWN)
    assert list(description.description(wheel, Contract())) == []  # not the project's own
    assert "line 2: (WARNING/2) Title underline too short" in finding.what


@pytest.mark.parametrize(
    "text",
    [
        "A longer demo\n=====\n\nx",
        "Demo\n==\n\nx",
        "`broken <",
        ".. nonsense::\n\n   x",
        "Demo\n====\n\n* a\n* b",
        "|x| `a`_",
        ".. code:: nolexer\n\n   x",
        "*a",
    ],
)
def test_readme_renderer_agrees(tmp_path: Path, text: str) -> None:
    renderer = pytest.importorskip("readme_renderer.rst")
    assert (renderer.render(text) is None) == (description_codes(tmp_path, text) == ["WK710"])
