"""The wheel's names and tags: file name, dist-info folder, METADATA and WHEEL have to say the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.analysis.claims import runs
from wheelkit.fast_packaging import normalise, release
from wheelkit.text import shorten_list
from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import FileName, Wheel


_WHEEL_VERSION = (1, 0)


def file_name(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report a file name that is no wheel's, or not spelled in the normalised way."""
    if wheel.name is None:
        yield finding("WK201", what=f"the file name is no wheel's: {wheel.name_problem}", file=wheel.filename)
        return
    wanted = normal_name(wheel.name)
    if wanted != wheel.filename:
        yield finding(
            "WK202", what="the file name is not normalised", fix=f"it should be {wanted}", file=wheel.filename
        )


def normal_name(name: FileName) -> str:
    """Spell a wheel's file name as the binary distribution format wants it."""
    version = name.version
    if not release(version):
        from packaging.version import Version

        version = str(Version(version.replace("_", "-")))
    build = (name.build,) if name.build else ()
    sets = (".".join(tags).lower() for tags in (name.pythons, name.abis, name.platforms))
    return "-".join((name.key.replace("-", "_"), version, *build, *sets)) + ".whl"


def tags(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report tags of the file name that WHEEL does not list, and the reverse, compressed sets expanded."""
    if wheel.name is None or not wheel.fields.fields:
        return
    inside = frozenset(tag.lower() for line in wheel.fields.all("Tag") for tag in _expanded(line))
    outside = frozenset(str(tag).lower() for tag in wheel.tags)
    # The order of the lines has no meaning, but the first few are what a person looks for.
    more, fewer = sorted(outside - inside), sorted(inside - outside)
    sets = zip(
        ("python", "abi", "platform"),
        (wheel.name.pythons, wheel.name.abis, wheel.name.platforms),
        strict=True,
    )
    options = " ".join(f"--{kind}-tag {'.'.join(values)}" for kind, values in sets)
    fix = f"give it its old name; or, where the new one is right:  python -m wheel tags {options} {wheel.filename}"
    if more and fewer:
        yield finding(
            "WK203",
            what=f"the file name says {shorten_list(more)}, and WHEEL lists {shorten_list(fewer)}",
            fix=fix,
            file=wheel.filename,
        )
    elif more:
        yield finding(
            "WK203",
            what=f"the file name says {shorten_list(more)}, which WHEEL does not list",
            fix=fix,
            file=wheel.filename,
        )
    elif fewer:
        yield finding(
            "WK203",
            what=f"WHEEL lists {shorten_list(fewer)}, which the file name does not say",
            fix=fix,
            file=wheel.filename,
        )


def contradiction(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report Python and ABI tags that no interpreter accepts together, such as cp311-cp312 and py3-abi3."""
    name = wheel.name
    if name is None or any(_together(python, abi) for python in name.pythons for abi in name.abis):
        return
    what = f"no interpreter accepts {'.'.join(name.pythons)}-{'.'.join(name.abis)}"
    yield finding("WK214", what=what, file=wheel.filename)


# CPython's and PyPy's tags (platform compatibility tags specification); abi3t is PEP 803's.
_CPYTHON = re.compile(r"cp\d+")
_CPYTHON_ABI = re.compile(r"(?P<python>cp\d+)(?:[dmu]+|t?d?)")
_PYPY_ABI = re.compile(r"pypy(?P<version>\d+)_pp\d+")


def _together(python: str, abi: str) -> bool:
    """Tell whether an interpreter can accept both tags; of those that are not known here it is believed."""
    if abi in {"abi3", "abi3t"}:
        return _CPYTHON.fullmatch(python) is not None
    if python == abi and abi.removeprefix("cp").isdecimal():
        return True
    if match := _CPYTHON_ABI.fullmatch(abi):
        return python == match["python"]
    if match := _PYPY_ABI.fullmatch(abi):
        return python == f"pp{match['version']}"
    return True


# No file name has room for a set that stands for more.
_TAG_PARTS = 3  # python, ABI, platform
_MANY_TAGS = 100_000


def _expanded(line: str) -> Iterator[str]:
    parts = line.split("-")
    if len(parts) != _TAG_PARTS:
        yield line
        return
    pythons, abis, platforms = (part.split(".") for part in parts)
    if len(pythons) * len(abis) * len(platforms) > _MANY_TAGS:
        yield line
        return
    yield from (f"{py}-{abi}-{plat}" for py in pythons for abi in abis for plat in platforms)


def identity(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report a name or a version on which file name, dist-info folder and METADATA do not agree."""
    if wheel.name is None:
        return
    folder_name, _dash, folder_version = wheel.dist_info.removesuffix(".dist-info").rpartition("-")
    told = (
        ("METADATA", wheel.metadata.get("Name"), wheel.metadata.get("Version")),
        (wheel.dist_info, folder_name, folder_version),
    )
    for source, name, version in told:
        if name and normalise(name) != wheel.distribution:
            what = f"{source} says the name {name}, the file name {wheel.name.distribution}"
            yield finding("WK204", what=what, file=wheel.filename)
        if version and not same_version(version, wheel.version):
            what = f"{source} says the version {version}, the file name {wheel.version}"
            yield finding("WK204", what=what, file=wheel.filename)


def same_version(one: str, other: str) -> bool:
    """Tell whether two spellings mean one version (PEP 440); what is no version is compared as text."""
    if one == other:
        return True
    from packaging.version import InvalidVersion, Version

    try:
        return Version(one.replace("_", "-")) == Version(other.replace("_", "-"))
    except InvalidVersion:
        return False


def wheel_file(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report a WHEEL file that is missing, of an unknown format version, or that names another build tag."""
    if not wheel.fields.fields:
        yield finding("WK207", what=f"{wheel.dist_info}/WHEEL is missing or empty", file=wheel.filename)
        return
    version = wheel.fields.get("Wheel-Version")
    major = version.partition(".")[0]
    if not major.isdigit() or int(major) != _WHEEL_VERSION[0]:
        yield finding(
            "WK207",
            what=f'WHEEL is of the format version "{version}"; installers know 1.0',
            file=wheel.filename,
        )
    build = wheel.fields.get("Build")
    if wheel.name is not None and build != wheel.name.build:
        what = f'the file name has the build tag "{wheel.name.build}", WHEEL has "{build}"'
        yield finding("WK206", what=what, file=wheel.filename)


def purelib(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report a purelib flag that speaks against the platform tag."""
    if wheel.name is None or not wheel.fields.fields:
        return
    flag = wheel.fields.get("Root-Is-Purelib").lower()
    yield from _native_in_purelib(wheel)
    if flag not in {"true", "false"}:
        yield finding(
            "WK205", what=f'Root-Is-Purelib is "{flag}", neither true nor false', file=wheel.filename
        )
    elif flag == "true" and not wheel.name.any_platform:
        what = f"Root-Is-Purelib is true, yet the wheel is tagged {'.'.join(wheel.name.platforms)}"
        # Python finds extension modules by its search path; what is loaded by its path or run is found wherever it lies.
        modules = wheel.name.abis != ("none",) or any(binary.extension for binary in wheel.binaries)
        yield finding("WK205" if modules else "WK211", what=what, file=wheel.filename)
    elif flag == "false" and wheel.name.any_platform and not wheel.binaries and not wheel.shallow:
        # An ABI tag other than none is a reason to go to platlib even without a platform.
        what = "Root-Is-Purelib is false, yet the wheel is for any platform and holds no native code"
        yield finding("WK208", what=what, file=wheel.filename)


def _native_in_purelib(wheel: Wheel) -> Iterator[Finding]:
    """Report binaries below .data/purelib, which is for code of every platform whatever the flag says."""
    native = [
        binary
        for binary in wheel.binaries
        if "/purelib/" in binary.member
        and _PURELIB.match(binary.member)
        and any(runs(part) for part in binary.slices)
    ]
    if native:
        code = "WK205" if any(binary.extension for binary in native) else "WK211"
        members = shorten_list([binary.member for binary in native])
        what = f"{members} {'is' if len(native) == 1 else 'are'} native, and installed as pure Python"
        yield finding(code, what=what, file=wheel.filename, member=native[0].member)


_PURELIB = re.compile(r"[^/]+\.data/purelib/")
