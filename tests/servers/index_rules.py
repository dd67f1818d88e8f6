"""What the public indexes refuse, as warehouse of August 2026 does: form, metadata, file name and contents.

Written from warehouse's forklift/legacy.py, forklift/metadata.py, utils/wheel.py and utils/zipfiles.py, with
the libraries that it uses. It knows nothing of wheelkit, so that a misunderstanding there shows.
"""

from __future__ import annotations

import configparser
import csv
import email.utils
import io
import os.path
import re
import struct
import tarfile
import zipfile
from collections.abc import Iterator

import email_validator
import readme_renderer.rst
from packaging.metadata import Metadata
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import (
    InvalidWheelFilename,
    canonicalize_name,
    parse_wheel_filename,
)
from rfc3986 import exceptions, uri_reference
from rfc3986.validators import Validator
from trove_classifiers import classifiers, deprecated_classifiers

from servers.forms import Form

_METADATA_VERSIONS = ("1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5")
_MIB = 1 << 20
# Form fields that hold one value; the others are lists.
_SINGLE = (
    "metadata_version", "name", "version", "summary", "description", "home_page", "author", "author_email",
    "license", "download_url", "maintainer", "maintainer_email", "requires_python",
    "description_content_type", "license_expression",
)  # fmt: skip
_LISTS = {
    "platform": "platforms", "supported_platform": "supported_platforms", "license_file": "license_files",
    **{name: name for name in (
        "classifiers", "requires", "provides", "obsoletes", "requires_dist", "provides_dist",
        "obsoletes_dist", "requires_external", "provides_extra", "dynamic",
    )},
}  # fmt: skip
_STATIC_PLATFORMS = {
    "any", "win32", "win_arm64", "win_amd64", "win_ia64", "manylinux1_x86_64", "manylinux1_i686",
    "manylinux2010_x86_64", "manylinux2010_i686", "manylinux2014_x86_64", "manylinux2014_i686",
    "manylinux2014_aarch64", "manylinux2014_armv7l", "manylinux2014_ppc64", "manylinux2014_ppc64le",
    "manylinux2014_s390x", "linux_armv6l", "linux_armv7l",
}  # fmt: skip
_LINUX = {"x86_64", "i686", "aarch64", "armv7l", "ppc64le", "s390x", "riscv64"}
_MACOS = {
    "ppc", "ppc64", "i386", "x86_64", "arm64", "intel", "fat", "fat3", "fat64", "universal", "universal2",
}  # fmt: skip
_MACOS_MAJORS = {"11", "12", "13", "14", "15", "26"}
_ANDROID = {"armeabi_v7a", "arm64_v8a", "x86", "x86_64"}


class NotAcceptedError(Exception):
    """A refusal, with the text of the index's answer."""


def judge(form: Form) -> None:
    """Raise NotAcceptedError if the index refuses the upload for what is in it."""
    metadata = _metadata(form)
    for problem in _value_problems(metadata):
        raise NotAcceptedError(f"{problem} See the core metadata specification for more information.")
    _require_rendering(metadata)
    if form.get("filetype") == "sdist":
        _judge_sdist(form, metadata)
    else:
        _judge_wheel(form, metadata)


def _metadata(form: Form) -> Metadata:
    """Parse the form; a field that was sent empty counts as absent, and so does UNKNOWN."""
    sent = {
        name: values
        for name, values in form.values.items()
        if values != [""] and values[-1].strip() != "UNKNOWN"
    }
    raw: dict[str, object] = {name: sent[name][0] for name in _SINGLE if name in sent}
    raw |= {key: sent[name] for name, key in _LISTS.items() if name in sent}
    if "keywords" in sent:
        raw["keywords"] = [word.strip() for word in sent["keywords"][0].split(",")]
    pairs = [entry.partition(",") for entry in sent.get("project_urls", [])]
    if pairs:
        raw["project_urls"] = {label.strip(): url.strip() for label, _, url in pairs}
    try:
        return Metadata.from_raw(raw)  # type: ignore[arg-type]  # as the form has it
    except ExceptionGroup as group:
        raise NotAcceptedError(str(group.exceptions[0])) from group


def _value_problems(metadata: Metadata) -> Iterator[str]:
    if metadata.metadata_version not in _METADATA_VERSIONS:
        yield f"'{metadata.metadata_version}' is not a valid metadata version."
    if metadata.version.local:
        yield f"The use of local versions in '{metadata.version}' is not allowed."
    if len(metadata.summary or "") > 512:
        yield "'summary' field must be 512 characters or less."
    yield from _address_problems(metadata)
    for classifier in metadata.classifiers or []:
        if classifier in deprecated_classifiers:
            yield f"The classifier '{classifier}' has been deprecated."
        elif classifier not in classifiers:
            yield f"'{classifier}' is not a valid classifier."
    yield from _url_problems(metadata)
    yield from _dependency_problems(metadata)
    if "dynamic" in (metadata.dynamic or []):
        yield "Dynamic field 'dynamic' is not a valid dynamic field."
    if metadata.license and metadata.license_expression:
        yield "License is deprecated when License-Expression is present."


def _address_problems(metadata: Metadata) -> Iterator[str]:
    for field in (metadata.author_email, metadata.maintainer_email):
        # Python's parser of today returns nothing for more than one address; that of 3.11 the first.
        addresses = email.utils.getaddresses([field or ""])
        if len(addresses) == 1 and addresses[0][1]:
            try:
                email_validator.validate_email(addresses[0][1], check_deliverability=False)
            except email_validator.EmailNotValidError as error:
                yield f"'{addresses[0][1]}' is not a valid email address: {error}"


def _is_url(text: str) -> bool:
    validator = Validator().allow_schemes("http", "https").require_presence_of("scheme")
    validator.check_validity_of("scheme", "host", "port", "path", "query")
    try:
        validator.validate(uri_reference(text).normalize())
    except exceptions.ValidationError:
        return False
    return True


def _url_problems(metadata: Metadata) -> Iterator[str]:
    for url in (metadata.home_page, metadata.download_url):
        if url is not None and not _is_url(url):
            yield f"'{url}' is not a valid url."
    for label, url in (metadata.project_urls or {}).items():
        if not label:
            yield "Must have a label."
        elif len(label) > 32:
            yield f"'{label}' must be 32 characters or less."
        elif not url:
            yield "Must have a URL."
        elif not _is_url(url):
            yield f"'{url}' is not a valid url."


def _dependency_problems(metadata: Metadata) -> Iterator[str]:
    for text in [*(metadata.provides_dist or []), *(metadata.obsoletes_dist or [])]:
        try:
            if Requirement(text).url is not None:
                yield f"Can't have direct dependency: '{text}'."
        except InvalidRequirement as error:
            yield f"'{text}' is invalid: {error}."
    for requirement in metadata.requires_dist or []:
        if requirement.url is not None:
            yield f"Can't have direct dependency: {requirement}."


def _require_rendering(metadata: Metadata) -> None:
    kind = (metadata.description_content_type or "text/x-rst").partition(";")[0].strip().lower()
    text = metadata.description
    if text and kind == "text/x-rst" and readme_renderer.rst.render(text, io.StringIO()) is None:
        raise NotAcceptedError(f"The description failed to render for '{kind}'.")


def _judge_sdist(form: Form, metadata: Metadata) -> None:
    try:
        with tarfile.open(fileobj=io.BytesIO(form.content), mode="r:gz") as archive:
            members = archive.getmembers()
    except (tarfile.TarError, EOFError, OSError) as error:
        raise NotAcceptedError("Invalid distribution file. File is not a tarfile") from error
    names = [member.name for member in members]
    if any(member.issparse() for member in members):
        raise NotAcceptedError("Invalid distribution file. Sparse members are not allowed.")
    top = os.path.commonpath(names)
    if top in {"", ".", "/"}:
        raise NotAcceptedError(
            "Invalid distribution file. Incorrect number of top-level directories in sdist"
        )
    if f"{top}/PKG-INFO" not in names:
        raise NotAcceptedError(f"Invalid distribution file. PKG-INFO not found at {top}/PKG-INFO")
    expected = f"{canonicalize_name(metadata.name).replace('-', '_')}-{metadata.version}.tar.gz"
    if form.filename != expected:
        raise NotAcceptedError(f"Filename '{form.filename}' is invalid, should be '{expected}'.")
    _require_licenses(form, metadata, set(names), top)


def _require_licenses(form: Form, metadata: Metadata, names: set[str], folder: str) -> None:
    for file in metadata.license_files or []:
        if f"{folder}/{file}" not in names:
            raise NotAcceptedError(
                f"License-File {file} does not exist in distribution file {form.filename} at {folder}/{file}"
            )


def _judge_wheel(form: Form, metadata: Metadata) -> None:
    name, version, *_ = form.filename.split("-", 2)
    info = f"{name}-{version}.dist-info"
    try:
        with zipfile.ZipFile(io.BytesIO(form.content)) as archive:
            contents = {
                member: archive.read(member) for member in archive.namelist() if member.startswith(info)
            }
            _require_archive(archive, form.content, f"{info}/WHEEL")
            names = set(archive.namelist())
    except zipfile.BadZipFile as error:
        raise NotAcceptedError("Invalid distribution file. File is not a zipfile") from error
    _require_wheel_name(form.filename, metadata)
    _require_licenses(form, metadata, names, f"{info}/licenses")
    try:
        list(csv.reader(contents[f"{info}/RECORD"].decode().splitlines()))
    except (KeyError, UnicodeDecodeError, csv.Error) as error:
        raise NotAcceptedError(
            f"Wheel '{form.filename}' does not contain the required RECORD file: {info}/RECORD"
        ) from error
    _require_entry_points(form.filename, contents.get(f"{info}/entry_points.txt", b""))
    if f"{info}/METADATA" not in contents:
        raise NotAcceptedError(
            f"Wheel '{form.filename}' does not contain the required METADATA file: {info}/METADATA"
        )


def _require_archive(archive: zipfile.ZipFile, data: bytes, wheel_file: str) -> None:
    unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > 64 * _MIB and unpacked / len(data) > 50:
        raise NotAcceptedError("Invalid distribution file. File exceeds compression ratio of 50")
    if any(
        member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
        for member in archive.infolist()
    ):
        raise NotAcceptedError("Invalid distribution file. File does not use a supported compression type")
    if wheel_file not in archive.namelist():
        raise NotAcceptedError(f"Invalid distribution file. WHEEL not found at {wheel_file}")
    problem = _framing_problem(archive, data)
    if problem:
        raise NotAcceptedError(f"Invalid distribution file. ZIP archive not accepted: {problem}.")


def _framing_problem(archive: zipfile.ZipFile, data: bytes) -> str:
    """Walk the archive as a reader does that streams, and compare with the central directory."""
    listed = {member.orig_filename: member for member in archive.infolist()}
    seen: set[str] = set()
    place, problem = 0, ""
    while not problem and data[place : place + 4] == b"PK\x03\x04":
        flags, packed, size, name_length, extra = struct.unpack_from("<6xH10xLLHH", data, place)
        name = data[place + 30 : place + 30 + name_length].decode("utf-8", "replace")
        known = listed.get(name)
        sizes = known and (known.compress_size, known.file_size)
        rows = (
            (flags & 8, "ZIP contains a data descriptor"),
            (known is None, "Filename not in central directory"),
            (sizes != (packed, size), "Mis-matched data size"),
            (name in seen, "Duplicate filename in local headers"),
        )
        problem = next((text for applies, text in rows if applies), "")
        seen.add(name)
        place += 30 + name_length + extra + packed
    end = data.rfind(b"PK\x05\x06")
    rows = (
        (problem, problem),
        (place != archive.start_dir, "Unknown record signature"),
        (len(archive.infolist()) != len(listed), "Duplicate filename in central directory"),
        (seen != set(listed), "Missing filename in local headers"),
        (end + 22 + len(archive.comment) != len(data), "Trailing data"),
        (any(member.comment for member in listed.values()), "Comment in central directory"),
    )
    return next((text for applies, text in rows if applies), "")


def _require_wheel_name(filename: str, metadata: Metadata) -> None:
    try:
        name, version, _, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename as error:
        raise NotAcceptedError(str(error)) from error
    for tag in tags:
        if not _is_accepted(tag.platform):
            raise NotAcceptedError(
                f"Binary wheel '{filename}' has an unsupported platform tag '{tag.platform}'."
            )
    normalized = canonicalize_name(metadata.name)
    if name != normalized:
        raise NotAcceptedError(f"Start filename for '{metadata.name}' with '{normalized.replace('-', '_')}'.")
    if filename.partition("-")[0] != normalized.replace("-", "_"):
        raise NotAcceptedError(
            f"Filename '{filename}' should contain the normalized project name"
            f" '{normalized.replace('-', '_')}', not '{filename.partition('-')[0]}'."
        )
    if version != metadata.version:
        raise NotAcceptedError(f"Version in filename should be '{metadata.version}' not '{version}'.")


def _is_accepted(platform: str) -> bool:
    if platform in _STATIC_PLATFORMS:
        return True
    if match := re.match(r"macosx_(\d+)_(\d+)_(.*)", platform):
        major, minor, arch = match.groups()
        return arch in _MACOS and (major == "10" or (major in _MACOS_MAJORS and minor == "0"))
    if match := re.match(r"(many|musl)linux_\d+_\d+_(.*)", platform):
        return match[2] in _LINUX or match.groups() == ("many", "ppc64")
    if match := re.match(r"ios_\d+_\d+_(.*)_iphone(?:os|simulator)", platform):
        return match[1] in {"arm64", "x86_64"}
    if match := re.match(r"android_\d+_(.*)", platform):
        return match[1] in _ANDROID
    return re.match(r"pyemscripten_\d+_\d+_wasm32", platform) is not None


def _require_entry_points(filename: str, text: bytes) -> None:
    class CaseSensitive(configparser.ConfigParser):
        optionxform = staticmethod(str)  # type: ignore[assignment]

    parser = CaseSensitive(delimiters=("=",))
    try:
        parser.read_string(text.decode())
    except (configparser.Error, UnicodeDecodeError) as error:
        raise NotAcceptedError(f"Wheel '{filename}' has invalid entry points") from error
    scripts = [
        name for group in ("console_scripts", "gui_scripts") if group in parser for name in parser[group]
    ]
    if not all(re.fullmatch(r"[\w.-]+", name) for name in scripts):
        raise NotAcceptedError(f"Wheel '{filename}' has invalid entry points")
