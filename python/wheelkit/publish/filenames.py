"""Which distribution and version a file's name speaks of, however it is spelled."""

from __future__ import annotations

from msgspec import Struct


class Identity(Struct, frozen=True, kw_only=True):
    """A normalised name (PEP 503) and a canonical version (PEP 440), trailing zeros kept."""

    distribution: str
    version: str


def parse(filename: str) -> Identity | None:
    """Read the file name of a wheel or an sdist; None for every other, and for names that no installer understands."""
    from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

    try:
        if filename.endswith(".whl"):
            name, version, *_ = parse_wheel_filename(filename)
        else:
            name, version = parse_sdist_filename(filename)
    except (InvalidSdistFilename, InvalidWheelFilename):
        return None
    return Identity(distribution=str(name), version=str(version))


def same_version(filename: str, identity: Identity) -> bool:
    """Tell whether a file belongs to a release; versions are compared as PEP 440 does (1.0 and 1.0.0 are one)."""
    from packaging.version import Version

    found = parse(filename)
    return found is not None and found.distribution == identity.distribution and Version(found.version) == Version(identity.version)
