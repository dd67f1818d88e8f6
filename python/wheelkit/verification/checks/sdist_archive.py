"""The tar archive of an sdist: what pip or uv refuses to unpack, and what was packed by mistake."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from wheelkit.analysis.unpacking import link_problems, name_problems, special_files
from wheelkit.text import plural, shorten_list
from wheelkit.verification.findings import finding
from wheelkit.wheel.model import UNKNOWN_TYPE, EntryKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Sdist


# Extension modules with the tag of their interpreter, bytecode, and the folders of setuptools' builds.
_COMPILED = (
    r"(?x)\.(?:cpython-3\d+\w*-[\w-]+|abi3t?|pypy3\d+-[\w-]+)\.so$ | \.cp3\d+t?-win[\w]+\.pyd$"
    r" | /__pycache__/[^/]+\.pyc$ | ^[^/]+/build/(?:temp|lib|bdist)\.[^/]+/"
)


def unpacking(sdist: Sdist, _: Contract) -> Iterator[Finding]:
    """Report what pip or uv refuses to unpack: each kind once."""
    for code, problems in (
        ("WK714", link_problems(sdist.entries, sdist.folder)),
        ("WK148", special_files(sdist.entries)),
        ("WK150", name_problems(sdist.entries)),
    ):
        found = list(problems)
        if found:
            others = plural(len(found) - 1, "more is alike", "more are alike")
            what = f"{found[0].name} {found[0].reason}" + (f"; {others}" if len(found) > 1 else "")
            yield finding(code, what, member=found[0].name)


def form(sdist: Sdist, _: Contract) -> Iterator[Finding]:
    """Report a tar file that uv refuses, and what is wrong behind it."""
    special = any(entry.kind is EntryKind.SPECIAL for entry in sdist.entries)
    if sdist.sparse or (special and sdist.form.problem.startswith(UNKNOWN_TYPE)):
        return  # see ``index_files.sdist_layout`` and ``unpacking``
    if sdist.form.problem:
        yield finding("WK147", f"the sdist {sdist.form.problem}: uv refuses it")
    elif sdist.form.trailer:
        yield finding("WK149", f"the sdist {sdist.form.trailer}")


def twice(sdist: Sdist, _: Contract) -> Iterator[Finding]:
    """Report files that are in the sdist more than once: the last one is unpacked."""
    counts = Counter(entry.name for entry in sdist.entries if entry.kind is not EntryKind.FOLDER)
    repeated = [name for name, count in counts.items() if count > 1]
    if repeated:
        yield finding("WK151", f"in the sdist more than once: {shorten_list(repeated)}", member=repeated[0])


def compiled(sdist: Sdist, _: Contract) -> Iterator[Finding]:
    """Report extension modules, object files and bytecode that a build left in the checkout."""
    left = sorted(name for name in sdist.names if re.search(_COMPILED, name))
    if left:
        yield finding("WK152", f"compiled files in the sdist: {shorten_list(left)}", member=left[0])
