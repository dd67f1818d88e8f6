"""METADATA: valid, in agreement with the tags, and the same in all files of one version."""

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
    from collections.abc import Iterator

    from packaging.requirements import Requirement

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.verification.release import Dist, Release
    from wheelkit.wheel import Wheel


_VERSIONED = re.compile(r"(?:cp|pp)3(?P<minor>\d+)")
# What packaging's parser says.
_TOO_NEW_FIELD = re.compile(
    r"(?P<field>\S+) introduced in metadata version (?P<new>[\d.]+), not (?P<old>[\d.]+)"
)
_NO_DATA = re.compile(r"'(?P<field>[\w-]+)' has invalid data")
_NO_VERSION = "metadata version"
# No series of Python is as late.
_LATEST_MINOR = 99
# The oldest CPython that cibuildwheel still builds for.
_FIRST_MINOR = 9


def valid(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report METADATA that packaging's strict parser refuses; indexes use the same parser."""
    if wheel.shallow:
        return
    trouble = _no_text(wheel.metadata_text)
    if trouble:
        yield finding("WK701", what=f"METADATA {trouble}", fix=_BACKEND, file=wheel.filename)
        return
    newer = too_new(wheel.metadata_text.decode("utf-8"))
    if newer is not None:
        yield from (
            _too_new(wheel, field, version, wheel.metadata.get("Metadata-Version"))
            for field, version in newer
        )
        return
    from packaging.metadata import Metadata

    try:
        Metadata.from_email(wheel.metadata_text, validate=True)
    except ExceptionGroup as group:
        for error in group.exceptions:
            yield _invalid(wheel, error)
    except (ValueError, UnicodeError, LookupError) as error:
        yield finding("WK701", what=f"METADATA cannot be read: {_words(error)}", file=wheel.filename)


def _invalid(wheel: Wheel, error: Exception) -> Finding:
    words = _words(error)
    if match := _TOO_NEW_FIELD.search(words):
        return _too_new(wheel, match["field"], match["new"], match["old"])
    field = match["field"] if (match := _NO_DATA.search(words)) else ""
    times = len(wheel.metadata.all(field))
    if times > 1:
        words = f"'{field}' stands there {times} times"
    return finding(
        "WK701",
        what=f"METADATA is not valid: {words}",
        fix=_BACKEND if _NO_VERSION in words else "",
        file=wheel.filename,
    )


def _too_new(wheel: Wheel, field: str, new: str, old: str) -> Finding:
    # Build backends have long written License-File into older metadata, and indexes take it.
    return finding(
        "WK706",
        what=f"METADATA has {field}, of Metadata-Version {new}, and states {old}",
        file=wheel.filename,
    )


_BACKEND = "build again with a current build backend, and edit METADATA by no other means"
_BOM = b"\xef\xbb\xbf"


def _no_text(text: bytes) -> str:
    """Say what keeps METADATA from being read as the text that it has to be; empty where nothing does."""
    if text.startswith(_BOM):
        return "begins with a byte order mark, which hides its first field"
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        return f"is not UTF-8 in line {line}"
    return ""


def _words(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def python_tags(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report a wheel whose own requires-python keeps every interpreter of its tags from installing it."""
    required = wheel.metadata.get("Requires-Python")
    if wheel.name is None or not required:
        return
    if floor := declared_floor(wheel.name):
        if not any(_admits(required, minor) for minor in range(floor[1], _LATEST_MINOR)):
            what = f"it is for Python {dotted(floor)} and later, but requires-python is {required}: no installer ever takes it"
            yield finding("WK702", what=what, file=wheel.filename)
        return
    minors = [int(match["minor"]) for tag in wheel.name.pythons if (match := _VERSIONED.fullmatch(tag))]
    if (
        minors
        and len(minors) == len(wheel.name.pythons)
        and not any(_admits(required, minor) for minor in minors)
    ):
        what = f"it is tagged {'.'.join(wheel.name.pythons)}, but requires-python is {required}: no installer ever takes it"
        yield finding("WK702", what=what, file=wheel.filename)


def _admits(required: str, minor: int) -> bool:
    try:
        return admits(required, (3, minor, LATEST_PATCH))
    except ValueError:
        return True  # the strict parser says so already


def local_version(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report a local version, which public indexes refuse."""
    if "+" in wheel.version:
        yield finding("WK703", what=f"the version {wheel.version} has a local part", file=wheel.filename)


def licence_files(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report licence files that METADATA names and the wheel does not hold, in ``licenses`` (PEP 639) or where backends put them before.

    That was beside METADATA; in ``license_files`` with maturin before 1.9.
    """
    if wheel.shallow:
        return
    names = {member.name for member in wheel.members}
    for file in wheel.metadata.all("License-File"):
        places = (f"licenses/{file}", f"license_files/{file}", file, file.rpartition("/")[2])
        if not names.intersection(f"{wheel.dist_info}/{place}" for place in places):
            yield finding(
                "WK708",
                what=f"METADATA names the licence file {file}, which the wheel does not hold",
                file=wheel.filename,
            )


def family_ranges(dist: Dist, contract: Contract) -> Iterator[Finding]:
    """Report wheels of the project whose requirements admit none of the versions of another one of it that lie in the same dist."""
    versions: dict[str, list[str]] = {}
    for release in dist.releases:
        if contract.promise(release.distribution):
            versions.setdefault(release.distribution, []).append(release.version)
    for wheel in (one for one in dist.wheels if one.distribution in versions):
        for requirement in requirements(wheel):
            there = versions.get(normalise(requirement.name), [])
            if there and not any(
                requirement.specifier.contains(version, prereleases=True) for version in there
            ):
                what = f"it requires {requirement.name}{requirement.specifier}; here is {requirement.name} {shorten_list(there)}"
                yield finding("WK707", what=what, file=wheel.filename)


def requirements(wheel: Wheel, containing: str = "") -> Iterator[Requirement]:
    """Give what METADATA requires in lines that contain a text, as far as it can be read."""
    lines = [line for line in wheel.metadata.all("Requires-Dist") if containing in line]
    if not lines:
        return
    from packaging.requirements import InvalidRequirement, Requirement

    for line in lines:
        with suppress(InvalidRequirement):  # the strict parser says so already
            yield Requirement(line)


def direct_references(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report requirements that name a URL instead of a version: public indexes refuse such uploads."""
    urls = [str(one) for one in requirements(wheel, containing="@") if one.url]
    if urls:
        yield finding("WK720", what=f"it requires {shorten_list(urls)}", file=wheel.filename)


def same_metadata(release: Release, _: Contract) -> Iterator[Finding]:
    """Report wheels of one version that differ in what an installer resolves by; it looks at one and believes all."""
    for field in ("Requires-Python", "Requires-Dist", "Provides-Extra"):
        told: dict[tuple[str, ...], list[str]] = {}
        for wheel in release.wheels:
            told.setdefault(tuple(sorted(wheel.metadata.all(field))), []).append(wheel.filename)
        if len(told) > 1:
            odd = min(told.values(), key=len)
            what = f"{field} of {shorten_list(odd)} differs from that of the other wheels of {release.distribution} {release.version}"
            values = next(value for value, files in told.items() if files is odd)
            other = next(value for value, files in told.items() if files is not odd)
            more, fewer = (
                [one for one in values if one not in other],
                [one for one in other if one not in values],
            )
            what += f"; it has {shorten_list(more)}" if more else ""
            what += f"; it lacks {shorten_list(fewer)}" if fewer else ""
            yield finding("WK704", what=what, file=odd[0])


def unserved_pythons(release: Release, contract: Contract) -> Iterator[Finding]:
    """Report versions of Python that the project's requires-python admits and that are older than every wheel's tags."""
    required = next((wheel.metadata.get("Requires-Python") for wheel in release.wheels), "")
    if not required or contract.promise(release.distribution) is None:
        return
    lowest = min((_lowest_minor(wheel) for wheel in release.wheels), default=0)
    older = [f"3.{minor}" for minor in range(_FIRST_MINOR, lowest) if _admits(required, minor)]
    if older:
        what = f"requires-python {required} admits {shorten_list(older)}, while the oldest wheel here is for 3.{lowest}"
        fix = f'raise requires-python to ">=3.{lowest}", or build wheels for {shorten_list(older)}'
        yield finding("WK709", what=what, fix=fix, where=release.distribution)


def _lowest_minor(wheel: Wheel) -> int:
    pythons = wheel.name.pythons if wheel.name else ()
    minors = [int(match["minor"]) for tag in pythons if (match := _VERSIONED.fullmatch(tag))]
    # A tag such as py3 is for every version.
    return min(minors) if pythons and len(minors) == len(pythons) else 0


def sdist_missing(release: Release, contract: Contract) -> Iterator[Finding]:
    """Note a project's release that has wheels but no sdist: users of other systems have nothing to build from."""
    if contract.promise(release.distribution) and contract.native is None and not release.sdists:
        yield finding(
            "WK705", what=f"{release.distribution} {release.version} has no sdist", where=release.distribution
        )


_RST = "text/x-rst"


def renders(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report a description that the index's renderer refuses, one of unknown markup, and one that is missing.

    Markdown and plain text always render. reStructuredText is parsed by docutils, as on the index, where it is installed (``twine``
    brings it); where it is not, nothing is said. That takes longer than all other checks of a small wheel together, so it is done
    for the project's own distributions only: nobody else can mend it.
    """
    if wheel.shallow:
        return
    text = _body(wheel.metadata_text) or wheel.metadata.get("Description")
    if not text.strip() or text.strip() == "UNKNOWN":
        yield finding("WK711", what="METADATA has no description", file=wheel.filename)
        return
    said = wheel.metadata.get("Description-Content-Type")
    kind = (said or _RST).partition(";")[0].strip().lower()
    own = contract.promise(wheel.distribution) is not None
    if own and not said:
        yield finding(
            "WK718", what="METADATA does not say which markup its description is in", file=wheel.filename
        )
    trouble = _rst_trouble(text) if own and kind == _RST else ""
    if trouble:
        yield finding("WK710", what=f"the description does not render: {trouble}", file=wheel.filename)


def _body(metadata: bytes) -> str:
    """Give what follows the first empty line."""
    text = metadata.decode("utf-8", errors="replace").replace("\r\n", "\n")
    return text.partition("\n\n")[2]


# As readme_renderer, which indexes use, asks docutils: the first warning ends it, and nothing is read from the disk.
_SETTINGS = {
    "halt_level": 2,
    "report_level": 5,
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "doctitle_xform": False,
    "syntax_highlight": "short",
    "_disable_config": True,
}


@cache
def _rst_trouble(text: str) -> str:
    """Parse once for all wheels of a release; gives the first complaint, empty where there is none."""
    if _no_markup(text):
        return ""
    try:
        from docutils.core import publish_doctree
        from docutils.utils import SystemMessage
    except ImportError:
        return ""
    from io import StringIO

    try:
        publish_doctree(text, settings_overrides={**_SETTINGS, "warning_stream": StringIO()})
    except SystemMessage as error:
        # "<string>:12: (WARNING/2) Title underline too short."
        first = str(error).partition("\n")[0].removeprefix("<string>:")
        return f"line {first}"
    except Exception as error:  # noqa: BLE001 - docutils' transforms raise whatever they stumble over, and indexes refuse the text then, too
        return f"docutils stops at it: {str(error) or type(error).__name__}"
    return ""


def _no_markup(text: str) -> bool:
    """Tell whether the text is one paragraph of letters, so that docutils (100 ms to load) need not be asked."""
    return (
        "\n\n" not in text.strip()
        and text.replace("\n", " ").replace(",", "").replace(".", "").replace(" ", "").isalnum()
    )
