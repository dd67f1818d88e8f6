"""Releases as a comparison sees them, from the names of their files."""

from __future__ import annotations

from collections.abc import Iterable

from wheelkit.verification.comparison.compare import compare
from wheelkit.verification.comparison.facts import Contents, Declared, ReleaseFacts, WheelFacts, release_facts
from wheelkit.verification.comparison.model import Comparison
from wheelkit.wheel.names import parse_file_name


def wheel(  # noqa: PLR0913 - one per property of a wheel
    tags: str,
    *,
    version: str = "1.0",
    size: int = 1_000_000,
    python: str = "",
    declared: Declared | None = None,
    contents: Contents | None = None,
) -> WheelFacts:
    """Return what is compared of a wheel with these tags, such as ``cp311-cp311-win_amd64``."""
    filename = f"demo-{version}-{tags}.whl"
    return WheelFacts(
        name=parse_file_name(filename),
        filename=filename,
        size=size,
        requires_python=python,
        declared=declared,
        contents=contents,
    )


def release(
    *wheels: str | WheelFacts, version: str = "1.0", sdist: bool = True, python: str = ""
) -> ReleaseFacts:
    """Return a release of wheels, which may be given by their tags."""
    facts = [
        wheel(item, version=version, python=python) if isinstance(item, str) else item for item in wheels
    ]
    return release_facts("demo", version, facts, sdists=(python,) if sdist else (), origin="pypi")


def compared(
    before: Iterable[str | WheelFacts], after: Iterable[str | WheelFacts], *, sdist: bool = True
) -> Comparison:
    """Compare two releases, 1.0 and 2.0."""
    return compare(release(*before), release(*after, version="2.0", sdist=sdist))
