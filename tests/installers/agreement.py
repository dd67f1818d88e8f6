"""Decide whether what the installers did with a wheel agrees with what wheelkit says about it."""

import base64
import hashlib
import re
import stat
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from installers.reasons import NOT_FOR_US, kind_of, last_line
from installers.run import PYTHON, Installed, Outcome
from wheelkit.analysis.installed import (
    InstalledFile,
    Installer,
    Origin,
    final_files,
    installed_files,
    posix_environment,
)
from wheelkit.errors import WheelError
from wheelkit.fast_packaging import normalise
from wheelkit.verification.contract import Contract
from wheelkit.verification.model import Finding, Severity
from wheelkit.verification.run import verify
from wheelkit.wheel import Member, Wheel, read
from wheelkit.wheel.entry_points import parse_entry_points

# Errors, by the beginning of their code and text, whose harm no installation on this system meets, and who
# meets it.
ELSEWHERE = {
    "WK102": "the indexes have announced to refuse it; pip and uv do not compare hashes while they install",
    "WK103": "Windows, where backslashes, colons and dots at the end mean something else",
    "WK104": "the indexes, where both copies are the same",
    "WK108": "the indexes, and uninstalling, which leaves the file",
    "WK109": "the indexes",
    "WK113": "the indexes",
    "WK115": "the indexes",
    "WK116": "the indexes, where both members are the same",
    "WK122": "the import, or whoever runs the script",
    "WK128": "every start of Python on other machines",
    "WK129": "every start of Python",
    "WK203": "tools that read WHEEL",
    "WK204": "pip, which compares the versions only of files from an index",
    "WK205": "systems that keep purelib and platlib apart",
    r"WK210 .*\.DATA ": "whoever misses the files: no installer unpacks a folder that ends in .DATA",
    "WK214": "installers on other systems",
    "WK215 .* the script cannot run": "whoever runs the script",
    "WK218": "the import",
    "WK221": "uninstalling and RECORD; which file stays may depend on the order of the file system",
    "WK222": "resolvers and indexes, which read METADATA from the archive",
    "WK225": "the environment",
    "WK3": "the loader",
    "WK4": "the import",
    "WK5": "the loader",
    "WK6": "the indexes",
    "WK7": "the indexes",
    "WK8": "whoever was promised the wheel",
    "WK9": "the indexes",
}
# Errors, likewise, that only those meet who unpack a wheel while it arrives. uv does not do that where a
# stored member has a data descriptor: it cannot know where that ends, and downloads the whole file first.
STREAMING = ("WK141 ", "WK101 .* has bytes behind the end of its packed data")
# The errors, by the beginning of their codes, that foretell each kind of refusal.
FORETOLD: dict[str, tuple[str, ...]] = {
    "file name": ("WK201",),
    "variant of a wheel": ("WK201",),
    "no dist-info": ("WK101",),
    "two dist-infos": ("WK209", "WK104"),
    "dist-info of another name": ("WK204", "WK209"),
    "name differs": ("WK204", "WK201", "WK701"),
    "version differs": ("WK204", "WK201", "WK701"),
    "METADATA missing": ("WK101",),
    "METADATA invalid": ("WK7", "WK204", "WK1", "WK201"),
    "WHEEL missing": ("WK207", "WK1"),
    "WHEEL invalid": ("WK207", "WK1"),
    "entry points": ("WK215",),
    "name of an interpreter": ("WK215", "WK22"),
    "unknown part of .data": ("WK210", "WK103"),
    "path": ("WK1", "WK215"),
    "path too long": ("WK103", "WK215"),
    "file and folder": ("WK118", "WK103", "WK22", "WK215", "WK210"),
    "RECORD": ("WK1",),
    "compression method": ("WK1",),
    "checksum": ("WK1",),
    "encrypted": ("WK1",),
    "archive": ("WK1",),
}
# Errors that say themselves that other files lie there: odd paths, and METADATA that is replaced.
_UNMAPPED = frozenset({"WK103", "WK222"})
# What installers write of their own accord, the last two only for files that are no index's.
_OWN = frozenset({
    "INSTALLER", "REQUESTED", "RECORD", "direct_url.json", "uv_cache.json", "uv_build.json",
})  # fmt: skip
_DESCRIPTOR = 8  # the flag of a data descriptor
_ENVIRONMENT = posix_environment(PYTHON.removeprefix("python"))


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """What wheelkit says about a wheel: its findings, and its facts, if it could be read.

    ``unstreamed`` tells whether uv cannot unpack the wheel while it arrives.
    """

    findings: tuple[Finding, ...]
    wheel: Wheel | None
    unstreamed: bool = False

    @property
    def errors(self) -> tuple[str, ...]:
        """The codes of the errors."""
        return tuple(sorted({item.code for item in self.findings if item.severity is Severity.ERROR}))

    @property
    def unexplained(self) -> tuple[str, ...]:
        """The codes of the errors that an installation here has to show."""
        elsewhere = (*ELSEWHERE, *(STREAMING if self.unstreamed else ()))
        errors = (item for item in self.findings if item.severity is Severity.ERROR)
        return tuple(sorted({item.code for item in errors if not _is_one_of(item, elsewhere)}))

    def foretells(self, kind: str) -> bool:
        """Return whether an error says why a wheel is refused; one that cannot be read is refused for all."""
        codes = FORETOLD.get(kind, ("WK",))
        return self.wheel is None or any(code.startswith(codes) for code in self.errors)


@dataclass(frozen=True)
class Disagreement:
    """One disagreement: its kind, which many wheels can share, and what happened."""

    kind: str
    detail: str


def _is_one_of(item: Finding, patterns: Iterable[str]) -> bool:
    return any(re.match(pattern, f"{item.code} {item.what}") for pattern in patterns)


def _is_unstreamed(path: Path) -> bool:
    """Return whether a stored member has a data descriptor."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False
    return any(item.flag_bits & _DESCRIPTOR and item.compress_type == zipfile.ZIP_STORED for item in members)


def opinion(path: Path) -> Opinion:
    """Ask wheelkit about a wheel."""
    findings = verify([path], Contract(), threads=1).findings
    unstreamed = _is_unstreamed(path)
    try:
        return Opinion(findings=findings, wheel=read(path, threads=1), unstreamed=unstreamed)
    except WheelError:
        return Opinion(findings=findings, wheel=None, unstreamed=unstreamed)


def refusal_kinds(outcomes: Sequence[Outcome], filename: str) -> dict[str, str]:
    """Return the kind of each installer's refusal, by installer."""
    return {item.installer: kind_of(item.output, filename) for item in outcomes if item.refused}


def disagreements(outcomes: Sequence[Outcome], said: Opinion, filename: str) -> Iterator[Disagreement]:
    """Yield how the installers and wheelkit disagree about a wheel."""
    refusals = refusal_kinds(outcomes, filename)
    faults: dict[str, list[Outcome]] = {}
    for item in outcomes:
        if item.outside:
            yield Disagreement(f"{item.installer} writes outside of the environment", str(item.outside))
        kind = refusals.get(item.installer)
        if kind is not None and kind not in NOT_FOR_US:
            faults.setdefault(kind, []).append(item)
    for kind, refusing in faults.items():
        if not said.foretells(kind):
            names = ", ".join(item.installer for item in refusing)
            said_instead = f"only {' '.join(said.errors)}" if said.errors else "no error"
            yield Disagreement(
                f"refused by {names} ({kind}), but {said_instead}", last_line(refusing[0].output)
            )
    if refusals:
        return
    differences = [difference for item in outcomes for difference in _differences(item, said)]
    if is_mapped(outcomes, said):
        yield from differences
        yield from _silent(outcomes, said)
    elif said.unexplained and not differences and len({comparable(item) for item in outcomes}) == 1:
        texts = [item.what for item in said.findings if item.code in said.unexplained]
        yield Disagreement(f"error {' '.join(said.unexplained)}, but all install it alike", "; ".join(texts))


def is_mapped(outcomes: Sequence[Outcome], said: Opinion) -> bool:
    """Return whether all install a wheel, and no error says that other files lie there than the map has."""
    installed = not any(item.refused for item in outcomes)
    return installed and not said.unexplained and _UNMAPPED.isdisjoint(said.errors)


def _silent(outcomes: Sequence[Outcome], said: Opinion) -> Iterator[Disagreement]:
    """Yield what installers install differently, if neither an error nor a warning says so."""
    if all(item.severity is Severity.NOTE for item in said.findings):
        first, *others = (comparable(item) | _executable(item) for item in outcomes)
        different = {path for other in others for path, _ in other ^ first}
        if different:
            yield Disagreement("installed differently, but no warning", ", ".join(sorted(different)))


def _executable(outcome: Outcome) -> frozenset[tuple[str, str]]:
    """Return the commands that a shell can start: the mode of other files changes nothing."""
    commands = {path: file for path, file in outcome.files.items() if path.startswith("bin/")}
    return frozenset(
        (path, "executable")
        for path, file in commands.items()
        if file.executable and file.data.startswith((b"#!", b"\x7fELF"))
    )


def comparable(outcome: Outcome) -> frozenset[tuple[str, str]]:
    """Return the files that an installer wrote, without its own and without scripts' first lines."""
    return frozenset(
        (path, _script_body(file.data) if path.startswith("bin/") else file.digest)
        for path, file in outcome.files.items()
        if not _own(path, outcome)
    )


def _script_body(data: bytes) -> str:
    """Return what a script does: launchers of pip and uv differ in words, their imports do not."""
    lines = data.split(b"\n")
    imports = [line for line in lines if line.startswith(b"from ")]
    return (b"\n".join(imports) if imports else b"\n".join(lines[1:])).decode("utf-8", "replace")


def _own(path: str, outcome: Outcome) -> bool:
    """Return whether the installer writes this file itself: beside its INSTALLER; pip also compiles."""
    folder, _, name = path.rpartition("/")
    compiled = folder.endswith("__pycache__") and name.endswith(".pyc")
    return compiled or (name in _OWN and f"{folder}/INSTALLER" in outcome.files)


def _differences(outcome: Outcome, said: Opinion) -> Iterator[Disagreement]:
    """Yield how the files that lie in the environment differ from the map of wheelkit."""
    if said.wheel is None:
        return
    installer = Installer.PIP if outcome.installer.startswith("pip") else Installer.UV
    files = installed_files(said.wheel, _ENVIRONMENT, installer)
    final = {_place(path): last for path, last in final_files(files).items()}
    found = {_place(path): file for path, file in outcome.files.items()}
    expected = {path for path in final if not _own(path, outcome)}
    actual = {path for path in found if not _own(path, outcome)}
    for path in sorted(actual - expected):
        yield Disagreement(f"{outcome.installer} installs a file that the map lacks", str(path))
    for path in sorted(expected - actual):
        yield Disagreement(f"{outcome.installer} does not install a file of the map", str(path))
    for path in sorted(actual & expected):
        yield from _file_differences(outcome.installer, found[path], final[path], said.wheel)
    yield from _metadata_differences(outcome, said.wheel)


def _place(path: str) -> str:
    """Return a path with the folder of headers normalized, which pip spells as the file name does."""
    folder = f"{_ENVIRONMENT.headers}/"
    name, slash, rest = path.removeprefix(folder).partition("/")
    return f"{folder}{normalise(name)}{slash}{rest}" if path.startswith(folder) else path


def _file_differences(
    installer: str, actual: Installed, files: tuple[InstalledFile, ...], wheel: Wheel
) -> Iterator[Disagreement]:
    """Yield how one installed file differs from the only member that the map has for it."""
    path = files[0].path
    sources = [member for member in wheel.members if member.name == files[0].member]
    if not sources or len(files) > 1:
        return
    origin, member = files[0].origin, sources[-1]
    if not _same_contents(actual, member) and not (
        origin is Origin.SCRIPTS and _rewritten(actual, member, wheel)
    ):
        yield Disagreement(f"{installer} installs other contents than the map", path)
    if actual.executable != _runs(installer, origin, member.mode):
        state = "executable" if actual.executable else "not executable"
        yield Disagreement(f"{installer} installs it {state}", str(path))


def _runs(installer: str, origin: Origin, mode: int) -> bool:
    """Return whether an installed file is executable: for pip only regular ones, for uv all scripts."""
    if installer.startswith("pip"):
        return stat.S_ISREG(mode) and bool(mode & 0o111)
    return origin is Origin.SCRIPTS or bool(mode & 0o111)


def _same_contents(actual: Installed, member: Member) -> bool:
    algorithm, _, value = member.digest.partition("=")
    digest = hashlib.new(algorithm or "sha256", actual.data).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == value


def _rewritten(actual: Installed, member: Member, wheel: Wheel) -> bool:
    """Return whether a script begins with #!python in the wheel, and only its first line is another."""
    with zipfile.ZipFile(wheel.path) as archive:
        original = archive.read(member.name)
    first, _, rest = original.partition(b"\n")
    return (
        first.startswith(b"#!python") and actual.data.startswith(b"#!") and actual.data.endswith(b"\n" + rest)
    )


def _metadata_differences(outcome: Outcome, wheel: Wheel) -> Iterator[Disagreement]:
    seen = outcome.metadata.get(wheel.dist_info)
    if not isinstance(seen, dict):
        yield Disagreement(f"{outcome.installer} leaves metadata that cannot be read", str(seen))
        return
    entries = parse_entry_points(wheel.entry_points)
    ours: dict[str, object] = {
        "Name": wheel.metadata.get("Name"),
        "Version": wheel.metadata.get("Version"),
        "Requires-Dist": wheel.metadata.all("Requires-Dist"),
        "Requires-Python": wheel.metadata.get("Requires-Python") or None,
        "entry points": tuple(
            sorted((entry.group, entry.name, entry.reference) for entry in entries if not entry.problem)
        ),
    }
    for field, value in ours.items():
        if seen[field] != value:
            detail = f"{seen[field]!r}, wheelkit reads {value!r}"
            yield Disagreement(f"{outcome.installer} leaves another {field}", detail)
