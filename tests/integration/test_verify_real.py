"""Verification of real wheels, compared with auditwheel (floors) and abi3audit (stable ABI).

The wheels are pinned in corpus.toml. Each difference is listed below by name, with who is right and why.
"""

import email
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from abi3audit._audit import audit
from abi3audit._extract import WheelExtractor, WheelSpec
from abi3info.models import PyVersion
from auditwheel.wheel_abi import analyze_wheel_abi
from auditwheel.wheeltools import get_wheel_architecture, get_wheel_libc
from packaging.metadata import parse_email

from support import corpus
from wheelkit.analysis.floor import linux_needs
from wheelkit.analysis.linux import linux_floor
from wheelkit.analysis.macos import min_os
from wheelkit.analysis.python_api import abi_violations, declared_floor
from wheelkit.verification.checks.mobile import mobile_platform
from wheelkit.verification.contract import Contract
from wheelkit.verification.model import Report, Severity
from wheelkit.verification.report.json import to_json
from wheelkit.verification.run import verify
from wheelkit.wheel import Wheel, read
from wheelkit.wheel.dist_info import parse_headers

pytestmark = pytest.mark.network


def pinned(part: str = "") -> list[Any]:
    """Return the pinned wheels with this part in their names; large ones are marked slow."""
    large = [pytest.param(name, marks=pytest.mark.slow) for name in corpus.names("large") if part in name]
    return [name for name in corpus.names() if part in name] + large


SCHEMA = json.loads(files("wheelkit").joinpath("data/report.schema.json").read_text(encoding="utf-8"))
LINUX, MACOS, ABI3 = pinned("linux_"), pinned("macosx_"), pinned("-abi3-")
# What auditwheel cannot judge on a machine with glibc. The wheel's binaries need libc.so, which musl's loader
# takes for itself (load_library in ldso/dynlink.c). auditwheel looks for a file of that name, finds the
# linker script of glibc's development files and ends with ELFError. Without such files it says musllinux_1_1,
# as the wheel's tag does.
AUDITWHEEL_STOPS = {
    "pydantic_core-2.50.4-cp311-cp311-musllinux_1_1_x86_64.whl": "musllinux_1_1_x86_64",
    "lzokay-2.1.0-cp314-cp314t-musllinux_1_2_i686.whl": "musllinux_1_1_i686",
}

# True errors that verify reports on published wheels.
TRUE_ERRORS = {
    # The x86_64 slice of the extension states macOS 10.13 in LC_BUILD_VERSION, while the wheel's tag promises
    # 10.9.
    "cryptography-48.0.1-cp311-abi3-macosx_10_9_universal2.whl": {"WK321"}
}


# Warnings that verify reports on wheels that are built in an uncommon way.
TRUE_WARNINGS: dict[str, set[str]] = {
    "datrie-0.8.2-cp36-cp36m-win_amd64.whl": set(),  # the ABI tag has a flag that the file names lack
    # Modules of another interpreter, beside the same ones of the wheel's own.
    "dbus_fast-5.2.0-cp315-cp315t-manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64.whl": {
        "WK408"
    },
    "kiwisolver-1.5.1-pp311-pypy311_pp73-win_amd64.whl": set(),  # links PyPy's DLL
    # C libraries named .abi3.so
    "pycryptodome-4.4.0-cp39-abi3-manylinux2014_x86_64.manylinux_2_17_x86_64.whl": set(),
    "pythonnet-3.2.1-cp311.cp312.cp313.cp314.cp315-none-any.whl": set(),  # a .NET assembly, for any system
    "lzokay-2.1.0-cp314-cp314t-musllinux_1_2_i686.whl": set(),  # needs libc.so, which is musl itself
    # Python 3.10 calls musl linux-gnu in file names.
    "multidict-7.1.0-cp310-cp310-musllinux_1_2_x86_64.whl": set(),
    # Symbol versions named GLIBC, but of libgcc_s.
    "rapidfuzz-3.14.6-cp314-cp314t-musllinux_1_2_s390x.whl": set(),
    "rtoml-0.9.0-cp311-none-win_amd64.whl": set(),  # no ABI tag, and linked with python311.dll
    # Libraries of other processors, each named for its own, of other systems, and Root-Is-Purelib.
    "sounddevice-0.5.6-py3-none-win_amd64.whl": {"WK303"},
}


def facts(filename: str) -> Wheel:
    return read(corpus.wheel(filename))


@pytest.mark.parametrize("filename", LINUX)
def test_the_floor_is_auditwheels(filename: str) -> None:
    path = corpus.wheel(filename)
    if filename in AUDITWHEEL_STOPS:
        policy = linux_floor(read(path))
        assert policy is not None
        assert policy.target.tag == AUDITWHEEL_STOPS[filename]
        return
    audited = analyze_wheel_abi(
        get_wheel_libc(filename),
        get_wheel_architecture(filename),
        path,
        frozenset(),
        disable_isa_ext_check=True,
        allow_graft=False,
    )
    policy = linux_floor(read(path))
    assert policy is not None
    aliases = (audited.overall_policy.name, *audited.overall_policy.aliases)
    if policy.target.libc == "musllinux":
        # auditwheel knows only whether a wheel fits the musl of the machine that it runs on, and takes the
        # newest where there is none.
        assert audited.overall_policy.name.startswith("musllinux_")
    else:
        assert policy.target.tag in aliases
    # The table names it without the architecture.
    shown = linux_needs(read(path))[policy.target.libc].floor
    if policy.target.libc == "manylinux":
        assert f"{shown}_{policy.target.arch}" in aliases
    else:
        assert shown.startswith("musllinux_")


@pytest.mark.parametrize("filename", ABI3)
def test_the_abi_verdict_is_abi3audits(filename: str) -> None:
    wheel = facts(filename)
    assert wheel.name is not None
    floor = declared_floor(wheel.name)
    assert floor is not None
    results = [audit(item, PyVersion(3, 2)) for item in WheelExtractor(WheelSpec(str(wheel.path)))]
    assert results
    theirs = {symbol.name for result in results for symbol in result.non_abi3_symbols}
    theirs |= {item.symbol.name for result in results for item in result.future_abi3_objects}
    assert {offence.symbol for offence in abi_violations(wheel, floor)} == theirs
    added = {violation.added for violation in abi_violations(wheel, (0, 0))}
    newest = max((result.computed.major, result.computed.minor) for result in results)
    assert None in added or max({floor, *(version for version in added if version)}) == newest


@pytest.mark.parametrize("filename", MACOS)
def test_the_oldest_macos_is_macholibs(filename: str, tmp_path: Path) -> None:
    from zipfile import ZipFile

    from macholib.mach_o import build_version_command, version_min_command
    from macholib.MachO import MachO

    wheel = facts(filename)
    assert wheel.binaries
    for binary in wheel.binaries:
        file = tmp_path / "binary"
        with ZipFile(wheel.path) as archive:
            file.write_bytes(archive.read(binary.member))
        theirs = []
        for header in MachO(str(file)).headers:
            versions = [
                command.minos if isinstance(command, build_version_command) else command.version
                for _, command, _ in header.commands
                if isinstance(command, (build_version_command, version_min_command))
            ]
            theirs.append((versions[0] >> 16, versions[0] >> 8 & 0xFF))
        assert [min_os(part) for part in binary.slices] == theirs


@pytest.mark.parametrize("filename", pinned())
def test_no_false_alarm(filename: str) -> None:
    report = verify([corpus.wheel(filename)], Contract())
    errors = {finding.code for finding in report.findings if finding.severity is Severity.ERROR}
    assert errors == TRUE_ERRORS.get(filename, set())
    jsonschema.validate(json.loads(json.dumps(to_json(report))), SCHEMA)
    assert report.rows
    # Wheels that only have programs, such as ninja's, and mobile wheels have no needs to report.
    assert all(row.needs or mobile_platform(row.target) for row in report.rows) or not any(
        binary.extension for binary in facts(filename).binaries
    )


@pytest.mark.parametrize("filename", TRUE_WARNINGS)
def test_no_false_warning(filename: str) -> None:
    report = verify([corpus.wheel(filename)], Contract())
    assert {
        finding.code for finding in report.findings if finding.severity is Severity.WARNING
    } == TRUE_WARNINGS[filename]


@pytest.mark.parametrize("filename", corpus.names())
def test_metadata_is_read_as_by_pip_and_packaging(filename: str) -> None:
    text = facts(filename).metadata_text.decode()
    message, (raw, _) = email.message_from_string(text), parse_email(text)
    headers = parse_headers(text.encode())
    assert headers.fields == {
        name.lower(): tuple(str(value).strip() for value in message.get_all(name, ()))
        for name in set(message.keys())
    }
    assert headers.get("Requires-Python") == raw.get("requires_python", "")
    assert headers.all("Requires-Dist") == tuple(raw.get("requires_dist", ()))
    assert headers.all("Provides-Extra") == tuple(raw.get("provides_extra", ()))


def test_fields_behind_lines_of_white_space_are_read() -> None:
    headers = parse_headers(facts("numpy-2.2.6-cp313-cp313-macosx_14_0_arm64.whl").metadata_text)
    assert "\n         \n" in headers.get("License")
    assert headers.get("Requires-Python") == ">=3.10"


def test_the_corpus_has_all_kinds() -> None:
    small = corpus.names()
    assert len(small) >= 60
    for part in (
        "manylinux",
        "musllinux",
        "macosx",
        "universal2",
        "win_amd64",
        "win32",
        "win_arm64",
        "-abi3-",
        "-none-any",
        "cp314t",
    ):
        assert any(part in name for name in small), part


def severe(report: Report) -> set[tuple[str, Severity]]:
    return {(one.code, one.severity) for one in report.findings if one.severity is not Severity.NOTE}


def test_a_file_renamed_to_an_older_system_is_caught(tmp_path: Path) -> None:
    source = corpus.wheel("numpy-2.4.6-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl")
    lie = tmp_path / "numpy-2.4.6-cp311-cp311-manylinux_2_17_x86_64.whl"
    lie.symlink_to(source)
    report = verify([lie], Contract())
    assert severe(report) == {("WK203", Severity.WARNING), ("WK311", Severity.ERROR)}


def test_a_file_renamed_to_an_older_interpreter_is_caught(tmp_path: Path) -> None:
    source = corpus.wheel("cryptography-50.0.2-cp311-abi3-win_amd64.whl")
    lie = tmp_path / "cryptography-50.0.2-cp38-abi3-win_amd64.whl"
    lie.symlink_to(source)
    report = verify([lie], Contract())
    assert severe(report) == {("WK203", Severity.WARNING), ("WK402", Severity.ERROR)}
