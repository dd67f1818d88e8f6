"""What ``wheelkit verify-matrix`` does once its command line is read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.cli.context import load_config
from wheelkit.cli.quick import Flag
from wheelkit.cli.screen import result, result_json, show
from wheelkit.errors import ProjectError, UsageError, WheelError
from wheelkit.verification.contract import Contract, contract_of
from wheelkit.verification.run import collect, verify

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelkit.config import Config
    from wheelkit.family import Family
    from wheelkit.matrix import Target
    from wheelkit.project import Distribution
    from wheelkit.verification.model import Report
    from wheelkit.verification.report.text import Screen
    from wheelkit.wheel import Wheel


NATIVE = Flag(word="--native", field="native", help="Judge only the coverage of the targets that this machine builds.")
SHALLOW = Flag(word="--shallow", field="shallow", help="Read names, tags and METADATA only.")
AS_JSON = Flag(word="--json", field="as_json", help="The same as --format json.")
FLAGS = (NATIVE, SHALLOW, AS_JSON)


class Wish(Struct, frozen=True, kw_only=True):
    """The command line: each option's value by its name, and its default."""

    paths: tuple[Path, ...]
    config_file: Path | None = None
    native: bool = False
    shallow: bool = False
    reference: Path | None = None
    release: str | None = None
    index: str = "pypi"
    deep: bool = False
    repository: str | None = None
    form: str = "text"
    as_json: bool = False
    fixes: bool = True


def prove(wish: Wish) -> int:
    """Verify what the command line asks for, show the report, and give the exit code."""
    if wish.release is not None:
        from wheelkit.cli.published import Wanted, report_of

        wanted = Wanted(release=wish.release, index=wish.index, deep=wish.deep, repository=wish.repository)
        report = report_of(wanted, wish.paths, _contract((), wish.config_file), load_config(Path.cwd(), wish.config_file))
    elif not wish.paths:
        raise UsageError("there is nothing to verify", hint="give the dist folder, or wheels:  wheelkit verify-matrix dist/")
    else:
        contract = replace(_contract(wish.paths, wish.config_file), reference=_reference(wish.reference))
        report = verify(wish.paths, contract, native=_natives(contract) if wish.native else None, shallow=wish.shallow)
    _show(report, "json" if wish.as_json else wish.form, fixes=wish.fixes)
    return 0 if report.ok else 1


def quickly(paths: tuple[Path, ...], flags: Mapping[str, Any]) -> int:
    """Do it for paths and flags alone."""
    return prove(Wish(paths=paths, **flags))


def _contract(paths: tuple[Path, ...], config_file: Path | None) -> Contract:
    """Take the project's promise; a wheelkit.toml without a project speaks of whatever lies in the dist; else nothing is promised."""
    project_files = ("wheelkit.toml", "pyproject.toml", "setup.py", "setup.cfg")
    if config_file is None and not any((Path.cwd() / name).is_file() for name in project_files):
        return Contract()  # to load what reads a project takes as long as to prove a small wheel
    from wheelkit import family

    loaded = load_config(Path.cwd(), config_file)
    try:
        found = family.discover(loaded)
    except ProjectError:
        if (Path.cwd() / "pyproject.toml").is_file():
            raise
        return Contract() if loaded.source is None else contract_of(loaded, _told_by_wheels(loaded, paths))
    return contract_of(loaded, found)


def _told_by_wheels(loaded: Config, paths: tuple[Path, ...]) -> Family:
    from wheelkit.family import Family

    return Family(root=loaded.root, distributions=_candidates(paths))


def _candidates(paths: tuple[Path, ...]) -> tuple[Distribution, ...]:
    """Describe the distributions that the wheels themselves tell of: what is in a dist that was built from somebody else's sdist."""
    from wheelkit.project import Distribution, Kind

    found: dict[str, Distribution] = {}
    for path, wheel in _wheels(paths, contents=False):
        if wheel.name is not None:
            kind = Kind.PURE if wheel.name.any_platform else Kind.NATIVE
            required = wheel.metadata.get("Requires-Python") or None
            one = Distribution(name=wheel.distribution, version=wheel.version, kind=kind, source=path, requires_python=required)
            found.setdefault(wheel.distribution, one)
    return tuple(found.values())


def _reference(path: Path | None) -> tuple[Wheel, ...]:
    if path is None:
        return ()
    wheels = tuple(wheel for _, wheel in _wheels((path,), contents=True))
    if not wheels:
        raise UsageError(f"{path} holds no wheel to compare with", hint="name the wheels of an earlier release:  --reference OLD/")
    return wheels


def _wheels(paths: tuple[Path, ...], *, contents: bool) -> list[tuple[Path, Wheel]]:
    """Read the wheels of the paths; those that cannot be read are left out, since the verification reports them."""
    from wheelkit.wheel import read_all

    files = [path for path in collect(paths) if path.suffix == ".whl"]
    read = zip(files, read_all(files, contents=contents), strict=True)
    return [(path, wheel) for path, wheel in read if not isinstance(wheel, WheelError)]


def _natives(contract: Contract) -> tuple[Target, ...]:
    from wheelkit.machine import facts

    here = facts.detect({"CIBW_CONTAINER_ENGINE": "none"})
    targets = (target for promise in contract.promises.values() for target in promise.matrix.targets)
    return tuple(target for target in dict.fromkeys(targets) if here.runs(target))


def _show(report: Report, form: str, *, fixes: bool) -> None:
    if form == "json":
        from wheelkit.verification.report.json import to_json

        result_json(to_json(report))
    elif form == "markdown":
        from wheelkit.verification.report.markdown import to_markdown

        result(to_markdown(report, fixes=fixes))
    elif form == "github":
        from wheelkit.verification.report.github import to_github

        for line in to_github(report, fixes=fixes):
            result(line)
    else:
        from wheelkit.verification.report.text import pieces

        for piece in pieces(report, _screen(fixes=fixes)):
            show(piece)


def _screen(*, fixes: bool) -> Screen:
    import os

    from wheelkit.verification.report.text import Screen

    terminal = sys.stdout.isatty()
    width = None
    if terminal:
        import shutil

        width = shutil.get_terminal_size().columns
    colour = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Screen(width=width, colour=colour, encoding=sys.stdout.encoding or "ascii", fixes=fixes)
