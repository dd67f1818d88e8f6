from __future__ import annotations

import random
import re
from functools import cache
from importlib.metadata import distributions

import pytest
from packaging.metadata import Metadata

from support.depth import IN_CI
from support.rows import rows
from wheelkit.fast_packaging import _LICENSES, _MARKUPS, too_new
from wheelkit.verification.checks.index_metadata import _TOO_NEW_FIELD

PLAIN = """\
Metadata-Version: 2.4
Name: demo.it
Version: 1.2.0
Summary: Shows what METADATA is, für alle
Keywords: a,b
Home-page: https://example.org
Author: Ä. Ö.
Author-email: "A" <a@example.org>
License-Expression: (MIT OR Apache-2.0) AND BSD-3-Clause
License-File: LICENSE
License-File: licenses/of-others.txt
Classifier: Programming Language :: Python :: 3
Classifier: Programming Language :: C
Platform: any
Project-URL: Home, https://example.org
Project-URL: Source, https://example.org/source
Dynamic: Summary
Requires-Python: >=3.9, !=3.10.*
Description-Content-Type: text/markdown; charset=UTF-8
Provides-Extra: test
Requires-Dist: numpy>=1.2,<2
Requires-Dist: pytest[x]; (python_version < "3.13" and os_name == "nt") and extra == "test"
Requires-Dist: pytest~=8.1; sys_platform == "win32" and extra == "test"

# Demo

: a text: of any kind
"""
LINES = (
    "", "Home-page", "Author:x", "Author:  x", "Name: other", "name: demo", "Version: 1.0rc1",
    "Metadata-Version: 1.0", "Metadata-Version: 2.1", "Summary:", "Summary: a", " more", "\tmore",
    "X-Own: 1", "Author:", "Author: x", "Description: here", "Dynamic: Name", "Dynamic: Nonsense",
    "Import-Name: demo", "Requires: x", "Home-page", "License-File: ../LICENSE", "License-File: /LICENSE",
    "License-File: a\\b", "License-File: a//b", "License-File: *.txt", "License-File: C:x",
    "License-Expression: MIT", "License-Expression: mine", "License-Expression: MIT MIT",
    "License-Expression: (MIT", "License-Expression: operand", "Provides-Extra: a b", "Requires-Python: 3",
    "Requires-Python: >=3.8", "Project-URL: Home, x", "Project-URL: Docs, x",
    "Content-Type: multipart/mixed", "From me", "Description-Content-Type: text/html",
    "Description-Content-Type: text/plain; charset=latin1", "Content-Transfer-Encoding: base64",
    "Requires-Dist: demo @ https://example.org", "Requires-Dist: a b", "Requires-Dist: x; extra == 'a'",
    "Dynamic: description", "Provides-Extra: é",
)  # fmt: skip
SIGNS = (*" :;,.-_<>=!~*()[]\"'\\/@\t\r\n\0é\x0b\x0c\x1c\x85\u2028\ufeff", "\n\n", "\r\n", "0", "a", "A", "")


def packaging_says(metadata: str) -> frozenset[tuple[str, str]] | None:
    """The fields that are too new for packaging; None where it complains of anything else."""
    try:
        Metadata.from_email(metadata.encode(), validate=True)
    except ExceptionGroup as group:
        found = [re.search(_TOO_NEW_FIELD, str(error)) for error in group.exceptions]
        return frozenset((match["field"], match["new"]) for match in found if match) if all(found) else None
    except (ValueError, LookupError):
        return None
    return frozenset()


def agrees(metadata: str) -> bool:
    ours = too_new(metadata)
    return ours is None or (frozenset(ours) == packaging_says(metadata) and len(set(ours)) == len(ours))


@cache
def real() -> tuple[str, ...]:
    return tuple(sorted({found.read_text("METADATA") or "" for found in distributions()} - {""}))


def test_plain_metadata_is_known_to_be_valid() -> None:
    for metadata in (PLAIN, PLAIN.replace("\n", "\r\n")):
        assert too_new(metadata) == ()
        assert packaging_says(metadata) == frozenset()


def test_fields_of_a_newer_version_are_reported() -> None:
    metadata = PLAIN.replace("Metadata-Version: 2.4", "Metadata-Version: 2.1")
    assert too_new(metadata) == (("license-expression", "2.4"), ("license-file", "2.4"), ("dynamic", "2.2"))
    assert packaging_says(metadata) == frozenset(too_new(metadata) or ())


def test_most_of_the_metadata_that_is_installed_here_is_plain_and_packaging_says_the_same_of_it() -> None:
    plain = [text for text in real() if too_new(text) is not None]
    assert all(map(agrees, plain))
    assert len(plain) > len(real()) / 3


@rows("line", LINES)
def test_each_line_is_known_or_left_to_packaging(line: str) -> None:
    first, rest = PLAIN.split("\n", 1)
    for metadata in (
        f"{first}\n{line}\n{rest}",
        PLAIN.replace("Platform", f"{line}\nPlatform"),
        f"{line}\n{PLAIN}",
    ):
        assert agrees(metadata)


@rows(
    "words",
    [f"Description-Content-Type: {one}" for one in sorted(_MARKUPS)]
    + [f"License-Expression: {one}" for one in sorted(_LICENSES)],
)
def test_markups_and_licences_are_those_of_packaging(words: str) -> None:
    metadata = f"Metadata-Version: 2.4\nName: demo\nVersion: 1\n{words}\n"
    assert too_new(metadata) == ()
    assert packaging_says(metadata) == frozenset()


@pytest.mark.parametrize("seed", range(4))
def test_no_slip_makes_plain_metadata_of_what_packaging_refuses(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same slips each time
    rounds = 1_500 if IN_CI else 300
    texts = [PLAIN, PLAIN, *(text.partition("\n\n")[0] + "\n\nbody\n" for text in real())]
    accepted = 0
    for _ in range(rounds):
        lines = chance.choice(texts).split("\n")
        for _ in range(chance.randint(1, 2)):
            place = chance.randrange(len(lines))
            if chance.random() < 0.5:
                lines[place : place + chance.randint(0, 1)] = [chance.choice(LINES)]
            else:
                letters = list(lines[place])
                spot = chance.randint(0, len(letters))
                letters[spot : spot + chance.randint(0, 2)] = chance.choice(SIGNS)
                lines[place] = "".join(letters)
        metadata = "\n".join(lines)
        accepted += too_new(metadata) is not None
        assert agrees(metadata), metadata
    assert accepted > rounds / 15
