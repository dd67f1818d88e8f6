"""The next version, by the version specifiers specification (PEP 440)."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from wheelkit.errors import UsageError

if TYPE_CHECKING:
    from packaging.version import Version


_PARTS = 3
_PATCH = 2


class BumpPart(StrEnum):
    """What a bump raises."""

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"
    PRE = "pre"
    FINAL = "final"


def parse(text: str, what: str = "version") -> Version:
    """Read a version; raise UsageError with ``what`` where it is none."""
    from packaging.version import InvalidVersion, Version

    try:
        return Version(text)
    except InvalidVersion as error:
        raise UsageError(
            f'"{text}" is no {what} by PEP 440',
            hint="write it like 1.4.0, 1.4.0rc1 or 1.4.0.dev20261120143000",
        ) from error


def same_version(one: str, other: str) -> bool:
    """Tell whether two texts are one version, however written; what is none is only the same as itself."""
    from packaging.version import InvalidVersion, Version

    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other


def for_cargo(text: str) -> str:
    """Write a version as Cargo wants it (Semantic Versioning), so that maturin makes the same version of it again.

    ``1.3rc1`` -> ``1.3.0-rc.1``. Raises UsageError for what it cannot say: an epoch, more than three parts, a
    post-release, a local part.
    """
    version = parse(text)
    release = _release(version)
    if version.epoch or len(release) > _PARTS or version.post is not None or version.local:
        hint = "Cargo takes three numbers and a preliminary part, such as 1.3.0rc1"
        raise UsageError(f"{version} cannot be written in Cargo.toml", hint=hint)
    words = {"a": "alpha", "b": "beta", "rc": "rc"}
    before = [f"{words[version.pre[0]]}.{version.pre[1]}"] if version.pre else []
    before += [f"dev.{version.dev}"] if version.dev is not None else []
    return ".".join(map(str, release)) + (f"-{'.'.join(before)}" if before else "")


def bumped(text: str, part: BumpPart) -> str:
    """Compute the version that follows.

    A preliminary version (``1.3.0rc1``, ``1.2.4.dev5``) is finished by the bump that it was preparing,
    instead of being passed over. Raises UsageError for ``final`` of a version that is final.
    """
    current = parse(text)
    if part is BumpPart.PRE:
        return _pre(current)
    if part is BumpPart.FINAL:
        if str(current) == _joined(current, _release(current)):
            raise UsageError(f"{current} is final already", hint="wheelkit version bump patch")
        return _joined(current, _release(current))
    release = _release(current)
    index = list(BumpPart).index(part)
    preparing = current.is_prerelease and not any(release[index + 1 :])
    raised = (
        release if preparing else (*release[:index], release[index] + 1, *(0 for _ in release[index + 1 :]))
    )
    return _joined(current, raised)


def dev_version(text: str, stamp: str) -> str:
    """Compute the development version of what comes next: ``1.2.3`` -> ``1.2.4.dev<stamp>``; a local version is dropped."""
    current = parse(text)
    if current.is_devrelease:
        base = _joined(current, _release(current)) + _pre_suffix(current)
    elif current.pre is not None:
        base = _pre(current)
    else:
        base = bumped(current.public, BumpPart.PATCH)
    return f"{base}.dev{stamp}"


def next_upper(version: Version, policy: str) -> tuple[int, ...]:
    """Give the first release that a range by this policy leaves out: ``2.4.1`` -> ``(3, 0, 0)`` or ``(2, 5, 0)``."""
    major, minor, *_ = _release(version)
    return (major + 1, 0, 0) if policy == "next-major" else (major, minor + 1, 0)


def _pre(current: Version) -> str:
    if current.pre is not None:
        letter, number = current.pre
        return (
            _joined(current, _release(current)) + f"{letter}{number if current.is_devrelease else number + 1}"
        )
    final = (
        _joined(current, _release(current))
        if current.is_devrelease
        else bumped(current.public, BumpPart.PATCH)
    )
    return f"{final}rc1"


def _pre_suffix(current: Version) -> str:
    return f"{current.pre[0]}{current.pre[1]}" if current.pre else ""


def _release(version: Version) -> tuple[int, ...]:
    return (*version.release, *(0,) * (_PARTS - len(version.release)))


def _joined(version: Version, release: tuple[int, ...]) -> str:
    """Write a release with as many parts as the version was written with, or as it needs."""
    shortest = len(version.release)
    while len(release) > shortest and release[-1] == 0:
        release = release[:-1]
    epoch = f"{version.epoch}!" if version.epoch else ""
    return epoch + ".".join(map(str, release))
