"""The wheel's names and tags: file name, .dist-info folder, METADATA and WHEEL have to agree."""

from __future__ import annotations

import re
from itertools import product
from math import prod
from typing import TYPE_CHECKING

from wheelkit.analysis.claims import python_and_abi, runs
from wheelkit.analysis.platform_tags import impossible
from wheelkit.analysis.reach import accepted_together
from wheelkit.fast_packaging import normalise, release
from wheelkit.text import shorten_list
from wheelkit.verification.findings import finding
from wheelkit.wheel.names import parse_version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import FileName, Wheel


# ABI tags that installers combine with their own platforms only (packaging, cpython_tags).
_NOT_ANYWHERE = frozenset({"abi3", "abi3t"})
_TAG_PARTS = 3  # python, ABI, platform
# No file name has room for a compressed set that stands for more.
_MANY_TAGS = 100_000
_VERSION_FIELD = "Wheel-Version"
_PURELIB_FIELD = rb"(?m)^Root-Is-Purelib:"
_PURELIB = re.compile(r"[^/]+\.data/purelib/")


def file_name(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report a file name that is not valid or not normalized."""
    if wheel.name is None:
        yield finding("WK201", f"not a valid wheel file name: {wheel.name_problem}")
        return
    normalized = normalized_name(wheel.name)
    if normalized != wheel.filename:
        # Indexes refuse another spelling of the distribution, and accept one of the version or of a tag.
        named = wheel.name.distribution == wheel.name.key.replace("-", "_")
        code = "WK743" if named else "WK202"
        yield finding(code, "the file name is not normalized", fix=f"it should be {normalized}")


def normalized_name(name: FileName) -> str:
    """Return a wheel's file name as the binary distribution format spells it."""
    version = name.version if release(name.version) else parse_version(name.version)
    build = (name.build,) if name.build else ()
    sets = (".".join(tags).lower() for tags in (name.pythons, name.abis, name.platforms))
    return "-".join((name.key.replace("-", "_"), str(version), *build, *sets)) + ".whl"


def tags(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report tags that only the file name or only WHEEL has, compressed sets expanded."""
    name = wheel.name
    if name is None or not wheel.fields.fields:
        return
    in_wheel = {tag.lower() for line in wheel.fields.all("Tag") for tag in _expand(line)}
    in_name = {str(tag).lower() for tag in wheel.tags}
    rows = (("only the file name has", in_name - in_wheel), ("only WHEEL has", in_wheel - in_name))
    parts = [f"{place} {shorten_list(sorted(tags))}" for place, tags in rows if tags]
    if parts:
        sets = (("python", name.pythons), ("abi", name.abis), ("platform", name.platforms))
        options = " ".join(f"--{kind}-tag {'.'.join(values)}" for kind, values in sets)
        command = f"python -m wheel tags {options} {wheel.filename}"
        fix = f"restore its old name; or, if the new one is right:  {command}"
        yield finding("WK203", "; ".join(parts), fix=fix)


def _expand(line: str) -> Iterator[str]:
    parts = [part.split(".") for part in line.split("-")]
    if len(parts) == _TAG_PARTS and prod(map(len, parts)) <= _MANY_TAGS:
        yield from map("-".join, product(*parts))
    else:
        yield line


def contradiction(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report tags that no interpreter accepts together, such as cp311-cp312, py3-abi3 and cp311-abi3-any."""
    name = wheel.name
    if name is None:
        return
    pairs = [(python.lower(), abi.lower()) for python in name.pythons for abi in name.abis]
    if not any(accepted_together(python, abi) for python, abi in pairs):
        yield finding("WK214", f"no interpreter accepts the tags {python_and_abi(name)}")
    elif name.any_platform and all(abi in _NOT_ANYWHERE or abi.startswith("cp") for _, abi in pairs):
        what = (
            f"no interpreter accepts the tags {python_and_abi(name)} with the platform any, only the ABI none"
        )
        yield finding("WK214", what)


def platforms(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report platform tags that no installer makes, such as macosx_13_6_x86_64 and manylinux_2_28_amd64."""
    named = {tag.lower() for tag in wheel.name.platforms} if wheel.name else set()
    wrong = {tag: problem for tag in sorted(named) if (problem := impossible(tag)) is not None}
    code = "WK230" if len(wrong) == len(named) else "WK231"
    for tag, problem in wrong.items():
        what = f"no installer makes the platform tag {tag}: {problem.why}"
        fix = f"tag the wheel {problem.instead}" if problem.instead else ""
        yield finding(code, what, fix=fix)


def identity(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report a name or a version on which the file name, the .dist-info folder and METADATA disagree."""
    if wheel.name is None:
        return
    stem = wheel.dist_info.removesuffix(".dist-info")
    folder_name, _dash, folder_version = stem.rpartition("-") if "-" in stem else (stem, "", "")
    for source, name, version in (
        ("METADATA", wheel.metadata.get("Name", wheel.distribution), wheel.metadata.get("Version")),
        (wheel.dist_info, folder_name, folder_version),
    ):
        if normalise(name) != wheel.distribution:
            what = f"the name is {name} in {source}, but {wheel.name.distribution} in the file name"
            yield finding("WK204", what)
        if version and not same_version(version, wheel.version):
            what = f"the version is {version} in {source}, but {wheel.version} in the file name"
            yield finding("WK204", what)


def same_version(first: str, second: str) -> bool:
    """Return whether two strings mean one version (PEP 440); invalid versions are compared as text."""
    return first == second or parse_version(first) == parse_version(second) is not None


def wheel_file(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report a WHEEL file that installers cannot read, or of another format version or build tag."""
    problem = _wheel_file_problem(wheel.wheel_text)
    if problem:
        yield finding("WK207", f"{wheel.dist_info}/WHEEL {problem}")
        return
    version = wheel.fields.get("Wheel-Version")
    refusing = _refusing(version)
    if refusing:
        what = f'WHEEL declares format version "{version}", and {refusing} it; installers support 1.0'
        yield finding("WK207", what)
    build = wheel.fields.get("Build")
    if wheel.name is not None and build != wheel.name.build:
        what = f'the build tag is "{wheel.name.build}" in the file name, but "{build}" in WHEEL'
        yield finding("WK206", what)


def _wheel_file_problem(text: bytes) -> str:
    if not text:
        return "is missing or empty"
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"is not UTF-8 at byte {error.start}, and pip and uv refuse it"
    if decoded[0] in "\r\n\ufeff":
        kind = "a byte order mark" if decoded[0] == "\ufeff" else "an empty line"
        return f"begins with {kind}: pip and uv find no Wheel-Version and refuse it"
    # Names of fields are case-insensitive, but not for uv.
    if _VERSION_FIELD not in decoded and _VERSION_FIELD.lower() in decoded.lower():
        return f"spells {_VERSION_FIELD} in another case, and uv refuses it"
    return ""


def _refusing(version: str) -> str:
    """Return who refuses a format version: pip wants numbers, uv a dot behind the 1, and both also take 0.1.

    Read in pip's utils/wheel.py, wheel_version, and in uv-install-wheel, WheelFile::parse.
    """
    try:
        major, *_ = map(int, version.split("."))
        pip = major <= 1
    except ValueError:  # also for thousands of digits
        pip = False
    uv = version.startswith("1.") or version == "0.1"
    return "" if pip and uv else "uv refuses" if pip else "pip refuses" if uv else "pip and uv refuse"


def purelib(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report a Root-Is-Purelib that contradicts the platform tag, and binaries in a purelib folder."""
    if wheel.name is None or not wheel.fields.fields:
        return
    yield from _native_in_purelib(wheel)
    stated = wheel.fields.get("Root-Is-Purelib")
    flag = stated.lower()
    if stated not in {"true", "false"} or (
        flag == "true" and not re.search(_PURELIB_FIELD, wheel.wheel_text.replace(b"\r", b"\n"))
    ):
        read = "pip takes for true, and uv for false" if flag == "true" else "pip and uv take for false"
        yield finding("WK721", f'Root-Is-Purelib is "{stated}", which {read}')
    if flag == "true" and not wheel.name.any_platform:
        # Python looks for extension modules on its path; what is run, or loaded by its path, can be anywhere.
        modules = wheel.name.abis != ("none",) or any(binary.extension for binary in wheel.binaries)
        what = f"Root-Is-Purelib is true, but the platform tag is {'.'.join(wheel.name.platforms)}"
        yield finding("WK205" if modules else "WK211", what)
    elif flag == "false" and wheel.name.any_platform and not wheel.binaries and not wheel.shallow:
        what = "Root-Is-Purelib is false, but the platform tag is any and there is no native code"
        yield finding("WK208", what)


def _native_in_purelib(wheel: Wheel) -> Iterator[Finding]:
    native = [
        binary
        for binary in wheel.binaries
        if _PURELIB.match(binary.member) and any(runs(slice_) for slice_ in binary.slices)
    ]
    if native:
        code = "WK205" if any(binary.extension for binary in native) else "WK211"
        what = f"native code in a purelib folder: {shorten_list(binary.member for binary in native)}"
        yield finding(code, what, member=native[0].member)
