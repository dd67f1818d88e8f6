"""Computes the next version, by the version specifiers specification (PEP 440)."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_version
from packaging.version import InvalidVersion, Version

from wheelkit.errors import UsageError
from wheelkit.text import dotted

if TYPE_CHECKING:
    from collections.abc import Sequence

_PARTS = 3
_CARGO_LETTERS = {"a": "alpha", "b": "beta", "rc": "rc"}


class BumpPart(StrEnum):
    """The part of a version that a bump increases."""

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"
    PRE = "pre"
    FINAL = "final"


def parse(text: str) -> Version:
    """Parse a version; raises UsageError for an invalid one."""
    try:
        return Version(text)
    except InvalidVersion as error:
        hint = "write it like 1.4.0, 1.4.0rc1 or 1.4.0.dev20261120143000"
        raise UsageError(f'"{text}" is not a valid version (PEP 440)', hint=hint) from error


def is_version(text: str) -> bool:
    """Return whether a text is a valid version."""
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def same_version(first: str, second: str) -> bool:
    """Return whether two texts spell the same version; an invalid one equals only itself."""
    return canonicalize_version(first) == canonicalize_version(second)


def for_cargo(text: str) -> str:
    """Return a version in Cargo's form (Semantic Versioning), which maturin converts back to the same one.

    ``1.3rc1`` becomes ``1.3.0-rc.1``. Raises UsageError for what Cargo cannot express: an epoch, more than
    three parts, a post-release and a local part.
    """
    version = parse(text)
    release = _padded_release(version)
    if version.epoch or len(release) > _PARTS or version.post is not None or version.local:
        hint = "Cargo takes three numbers and a pre-release, such as 1.3.0rc1"
        raise UsageError(f"{version} cannot be written in Cargo.toml", hint=hint)
    suffixes = [f"{_CARGO_LETTERS[version.pre[0]]}.{version.pre[1]}"] if version.pre else []
    suffixes += [f"dev.{version.dev}"] if version.dev is not None else []
    return "-".join(filter(None, [dotted(release), ".".join(suffixes)]))


def bumped(text: str, part: BumpPart) -> str:
    """Return the next version.

    A pre-release (``1.3.0rc1``, ``1.2.4.dev5``) is followed by the release that it prepares, if that is what
    the bump asks for. Raises UsageError for ``final`` if the version is final already.
    """
    current = parse(text)
    if part is BumpPart.PRE:
        return _next_pre_release(current)
    release = _padded_release(current)
    if part is BumpPart.FINAL:
        final = _same_length(current, release)
        if str(current) == final:
            raise UsageError(f"{current} is already final", hint="wheelkit version bump patch")
        return final
    index = list(BumpPart).index(part)
    if not current.is_prerelease or any(release[index + 1 :]):
        release = (*release[:index], release[index] + 1, *(0,) * (len(release) - index - 1))
    return _same_length(current, release)


def dev_version(text: str, stamp: str) -> str:
    """Return the development version of the next release: ``1.2.4.dev<stamp>`` after ``1.2.3+local``."""
    current = parse(text)
    if current.is_devrelease:
        base = current.public.partition(".dev")[0]
    elif current.pre is not None:
        base = _next_pre_release(current)
    else:
        base = bumped(current.public, BumpPart.PATCH)
    return f"{base}.dev{stamp}"


def next_upper(version: Version, policy: str) -> tuple[int, ...]:
    """Return the first release that a range by this policy excludes: ``(3, 0, 0)`` or ``(2, 5, 0)``."""
    major, minor, *_ = _padded_release(version)
    return (major + 1, 0, 0) if policy == "next-major" else (major, minor + 1, 0)


def format_release(version: Version, release: Sequence[int], parts: int) -> str:
    """Write a release in a version's epoch, with this number of parts, or more if those are not zero."""
    while len(release) > max(parts, 1) and release[-1] == 0:
        release = release[:-1]
    return (f"{version.epoch}!" if version.epoch else "") + dotted(release)


def _next_pre_release(current: Version) -> str:
    base = _same_length(current, _padded_release(current))
    if current.pre is not None:
        letter, number = current.pre
        return f"{base}{letter}{number if current.is_devrelease else number + 1}"
    return (base if current.is_devrelease else bumped(current.public, BumpPart.PATCH)) + "rc1"


def _padded_release(version: Version) -> tuple[int, ...]:
    return (*version.release, *(0,) * (_PARTS - len(version.release)))


def _same_length(version: Version, release: tuple[int, ...]) -> str:
    """Write a release with as many parts as the version has."""
    return format_release(version, release, len(version.release))
