"""METADATA: valid, in agreement with the tags and the files, and the same in all wheels of one version."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from wheelkit.analysis.python_api import declared_floor
from wheelkit.fast_packaging import admits, normalise, too_new
from wheelkit.matrix import LATEST_PATCH
from wheelkit.text import dotted, shorten_list
from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from packaging.requirements import Requirement

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.verification.release import Dist, Release
    from wheelkit.wheel import Wheel


_BOM = b"\xef\xbb\xbf"
_USE_BACKEND = "build again with a current build backend, and do not edit METADATA"
# Messages of packaging's parser.
_TOO_NEW_FIELD = re.compile(
    r"(?P<field>\S+) introduced in metadata version (?P<new>\S+), not (?P<old>[\d.]+)"
)
_INVALID_FIELD = re.compile(r"'(?P<field>[\w-]+)' has invalid data")
_NO_VERSION = "metadata version"
_PYTHON_TAG = re.compile(r"(?:cp|pp)3(?P<minor>\d+)")
# The oldest minor version that cibuildwheel builds for, and one later than all.
_FIRST_MINOR, _LATEST_MINOR = 9, 99
# What an installer resolves by.
COMPARED_FIELDS = ("Requires-Python", "Requires-Dist", "Provides-Extra")
_RST = "text/x-rst"
# The settings of readme_renderer, which indexes use: the first warning is an error, and no file is read.
_DOCUTILS_SETTINGS = {
    "halt_level": 2,
    "report_level": 5,
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "doctitle_xform": False,
    "syntax_highlight": "short",
    "_disable_config": True,
}


def valid(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report METADATA that packaging's strict parser rejects; indexes use the same parser."""
    if wheel.shallow:
        return
    problem = _encoding_problem(wheel.metadata_text)
    if problem:
        yield finding("WK701", f"METADATA {problem}", fix=_USE_BACKEND)
        return
    newer = too_new(wheel.metadata_text.decode("utf-8"))
    if newer is not None:
        for field, version in newer:
            yield _too_new(field, version, wheel.metadata.get("Metadata-Version"))
        return
    from packaging.metadata import Metadata

    try:
        Metadata.from_email(wheel.metadata_text, validate=True)
    except ExceptionGroup as group:
        for error in group.exceptions:
            yield _invalid(wheel, error)
    except (ValueError, UnicodeError, LookupError) as error:
        yield finding("WK701", f"METADATA cannot be read: {_first_line(error)}")


def _encoding_problem(text: bytes) -> str:
    if text.startswith(_BOM):
        return "begins with a byte order mark, which hides its first field"
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        return f"is not UTF-8 in line {line}"
    return ""


def _invalid(wheel: Wheel, error: Exception) -> Finding:
    message = _first_line(error)
    if match := _TOO_NEW_FIELD.search(message):
        return _too_new(match["field"], match["new"], match["old"])
    match = _INVALID_FIELD.search(message)
    if match and len(wheel.metadata.all(match["field"])) > 1:
        message = f"'{match['field']}' is given {len(wheel.metadata.all(match['field']))} times"
    fix = _USE_BACKEND if _NO_VERSION in message else ""
    return finding("WK701", f"METADATA is not valid: {message}", fix=fix)


def _too_new(field: str, new: str, old: str) -> Finding:
    # Build backends have long written License-File into older metadata, and indexes accept it.
    return finding("WK706", f"METADATA declares version {old} but uses {field}, which needs {new}")


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def python_tags(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report a wheel whose Requires-Python excludes every interpreter of its tags."""
    required = wheel.metadata.get("Requires-Python")
    if wheel.name is None or not required:
        return
    floor = declared_floor(wheel.name)
    if floor is not None:
        minors: Iterable[int] = range(floor[1], _LATEST_MINOR)
        tags = f"Python {dotted(floor)} and later"
    else:
        minors, tags = _tagged_minors(wheel), ".".join(wheel.name.pythons)
    if minors and not any(may_admit(required, minor) for minor in minors):
        what = f"the wheel is for {tags}, but Requires-Python is {required}: no installer accepts it"
        yield finding("WK702", what)


def _tagged_minors(wheel: Wheel) -> list[int]:
    """Return the minor versions of the Python tags; empty if one of them, such as py3, is for more."""
    pythons = wheel.name.pythons if wheel.name else ()
    minors = [int(match["minor"]) for tag in pythons if (match := _PYTHON_TAG.fullmatch(tag))]
    return minors if len(minors) == len(pythons) else []


def may_admit(required: str, minor: int, patch: int = LATEST_PATCH) -> bool:
    """Return whether a ``Requires-Python`` admits a Python 3; True if it is invalid (see ``valid``)."""
    try:
        return admits(required, (3, minor, patch))
    except ValueError:
        return True


def unserved_pythons(release: Release, contract: Contract) -> Iterator[Finding]:
    """Report Python versions that a project's Requires-Python admits, but that are older than every wheel."""
    required = next((wheel.metadata.get("Requires-Python") for wheel in release.wheels), "")
    if not required or contract.promise(release.distribution) is None:
        return
    oldest = min(min(_tagged_minors(wheel), default=0) for wheel in release.wheels)
    older = [f"3.{minor}" for minor in range(_FIRST_MINOR, oldest) if may_admit(required, minor)]
    if older:
        versions = shorten_list(older)
        what = f"Requires-Python {required} admits {versions}, but the oldest wheel is for 3.{oldest}"
        fix = f'raise requires-python to ">=3.{oldest}", or build wheels for {versions}'
        yield finding("WK709", what, fix=fix, where=release.distribution)


def local_version(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report a local version, which public indexes refuse."""
    if "+" in wheel.version:
        yield finding("WK703", f"{wheel.version} is a local version")


def license_files(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report license files that METADATA names, and that the wheel lacks (PEP 639, and earlier places)."""
    names = {member.name for member in wheel.members}
    for file in () if wheel.shallow else wheel.metadata.all("License-File"):
        places = (f"licenses/{file}", f"license_files/{file}", file, file.rpartition("/")[2])
        if names.isdisjoint(f"{wheel.dist_info}/{place}" for place in places):
            yield finding("WK708", f"METADATA names the license file {file}, which is not in the wheel")


def requirements(wheel: Wheel, containing: str = "") -> Iterator[Requirement]:
    """Yield the requirements of METADATA that contain a text; invalid ones are left to ``valid``."""
    lines = [line for line in wheel.metadata.all("Requires-Dist") if containing in line]
    if not lines:
        return
    from packaging.requirements import InvalidRequirement, Requirement

    for line in lines:
        with suppress(InvalidRequirement):
            yield Requirement(line)


def direct_references(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report requirements on a URL, which public indexes refuse."""
    urls = [str(requirement) for requirement in requirements(wheel, containing="@") if requirement.url]
    if urls:
        yield finding("WK720", f"the wheel requires {shorten_list(urls)}")


def family_ranges(dist: Dist, contract: Contract) -> Iterator[Finding]:
    """Report requirements between the project's distributions that no version in the same dist satisfies."""
    versions: dict[str, list[str]] = {}
    for release in dist.releases:
        if contract.promise(release.distribution):
            versions.setdefault(release.distribution, []).append(release.version)
    for wheel in dist.wheels:
        for requirement in requirements(wheel) if wheel.distribution in versions else ():
            name, specifier = requirement.name, requirement.specifier
            present = versions.get(normalise(name), [])
            if present and not any(specifier.contains(version, prereleases=True) for version in present):
                has = f"{name} {shorten_list(present)}"
                what = f"the wheel requires {name}{specifier}, but this dist has {has}"
                yield finding("WK707", what, file=wheel.filename)


def same_metadata(release: Release, _: Contract) -> Iterator[Finding]:
    """Report wheels of one version that differ in what a resolver uses: it reads one of them for all."""
    for field in COMPARED_FIELDS:
        files: dict[tuple[str, ...], list[str]] = {}
        for wheel in release.wheels:
            files.setdefault(tuple(sorted(wheel.metadata.all(field))), []).append(wheel.filename)
        if len(files) > 1:
            odd = min(files, key=lambda values: len(files[values]))
            other = next(values for values in files if values != odd)
            names = shorten_list(files[odd])
            what = f"{field} of {names} differs from that of the other wheels of this version"
            for verb, first, second in (("adds", odd, other), ("lacks", other, odd)):
                values = [value for value in first if value not in second]
                what += f"; it {verb} {shorten_list(values)}" if values else ""
            yield finding("WK704", what, file=files[odd][0])


def sdist_missing(release: Release, contract: Contract) -> Iterator[Finding]:
    """Note a project's release that has wheels but no sdist: users of other systems cannot build it."""
    if contract.promise(release.distribution) and contract.native is None and not release.sdists:
        what = f"{release.distribution} {release.version} has no sdist"
        yield finding("WK705", what, where=release.distribution)


def description(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report a description that is missing, has no markup type, or does not render on an index.

    docutils, which is slow and may be missing, parses only the project's own reStructuredText.
    """
    if wheel.shallow:
        return
    body = wheel.metadata_text.decode("utf-8", errors="replace").replace("\r\n", "\n").partition("\n\n")[2]
    text = body or wheel.metadata.get("Description")
    if text.strip() in {"", "UNKNOWN"}:
        yield finding("WK711", "METADATA has no description")
        return
    if contract.promise(wheel.distribution) is None:
        return
    markup = wheel.metadata.get("Description-Content-Type")
    if not markup:
        yield finding("WK718", "METADATA has no Description-Content-Type")
    if (markup or _RST).partition(";")[0].strip().lower() == _RST:
        problem = _rst_problem(text)
        if problem:
            yield finding("WK710", f"the description does not render: {problem}")


@cache
def _rst_problem(text: str) -> str:
    """Return the first problem that docutils reports, empty for none; cached for a release's other wheels."""
    try:
        from docutils.core import publish_doctree
        from docutils.utils import SystemMessage
    except ImportError:
        return ""
    from io import StringIO

    try:
        publish_doctree(text, settings_overrides={**_DOCUTILS_SETTINGS, "warning_stream": StringIO()})
    except SystemMessage as error:
        # "<string>:12: (WARNING/2) Title underline too short."
        return "line " + str(error).partition("\n")[0].removeprefix("<string>:")
    except Exception as error:  # noqa: BLE001 - transforms raise anything, and indexes then refuse the text
        return f"docutils fails: {str(error) or type(error).__name__}"
    return ""
