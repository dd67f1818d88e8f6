"""``wheelkit verify-matrix``: verify built or published files against what they claim and what was promised."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct
from msgspec.structs import replace

from wheelkit.cli.options import config_option, load_config
from wheelkit.cli.output import result, result_json, show
from wheelkit.errors import ProjectError, UsageError, WheelError
from wheelkit.verification.contract import Contract, contract_of
from wheelkit.verification.run import collect, verify

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheelkit.config import Config
    from wheelkit.matrix import Target
    from wheelkit.project.family import Family
    from wheelkit.project.read import Distribution
    from wheelkit.verification.model import Report
    from wheelkit.verification.report.text import Screen
    from wheelkit.wheel import Wheel


class VerifyOptions(Struct, frozen=True, kw_only=True):
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


def run_verify(wish: VerifyOptions) -> int:
    """Verify what the command line asks for, show the report, and give the exit code."""
    if wish.release is not None:
        wanted = PublishedRelease(
            release=wish.release, index=wish.index, deep=wish.deep, repository=wish.repository
        )
        report = published_report(
            wanted, wish.paths, _contract((), wish.config_file), load_config(Path.cwd(), wish.config_file)
        )
    elif not wish.paths:
        raise UsageError(
            "there is nothing to verify",
            hint="give the dist folder, or wheels:  wheelkit verify-matrix dist/",
        )
    else:
        contract = replace(_contract(wish.paths, wish.config_file), reference=_reference(wish.reference))
        report = verify(
            wish.paths, contract, native=_natives(contract) if wish.native else None, shallow=wish.shallow
        )
    _show(report, "json" if wish.as_json else wish.form, fixes=wish.fixes)
    return 0 if report.ok else 1


def _contract(paths: tuple[Path, ...], config_file: Path | None) -> Contract:
    """Take the project's promise; a wheelkit.toml without a project speaks of whatever lies in the dist; else nothing is promised."""
    project_files = ("wheelkit.toml", "pyproject.toml", "setup.py", "setup.cfg")
    if config_file is None and not any((Path.cwd() / name).is_file() for name in project_files):
        return Contract()  # to load what reads a project takes as long as to prove a small wheel
    from wheelkit.project import family

    loaded = load_config(Path.cwd(), config_file)
    try:
        found = family.discover(loaded)
    except ProjectError:
        if (Path.cwd() / "pyproject.toml").is_file():
            raise
        return Contract() if loaded.source is None else contract_of(loaded, _told_by_wheels(loaded, paths))
    return contract_of(loaded, found)


def _told_by_wheels(loaded: Config, paths: tuple[Path, ...]) -> Family:
    from wheelkit.project.family import Family

    return Family(root=loaded.root, distributions=_candidates(paths))


def _candidates(paths: tuple[Path, ...]) -> tuple[Distribution, ...]:
    """Describe the distributions that the wheels themselves tell of: what is in a dist that was built from somebody else's sdist."""
    from wheelkit.project.read import Distribution, Kind

    found: dict[str, Distribution] = {}
    for path, wheel in _wheels(paths, contents=False):
        if wheel.name is not None:
            kind = Kind.PURE if wheel.name.any_platform else Kind.NATIVE
            required = wheel.metadata.get("Requires-Python") or None
            one = Distribution(
                name=wheel.distribution,
                version=wheel.version,
                kind=kind,
                source=path,
                requires_python=required,
            )
            found.setdefault(wheel.distribution, one)
    return tuple(found.values())


def _reference(path: Path | None) -> tuple[Wheel, ...]:
    if path is None:
        return ()
    wheels = tuple(wheel for _, wheel in _wheels((path,), contents=True))
    if not wheels:
        raise UsageError(
            f"{path} holds no wheel to compare with",
            hint="name the wheels of an earlier release:  --reference OLD/",
        )
    return wheels


def _wheels(paths: tuple[Path, ...], *, contents: bool) -> list[tuple[Path, Wheel]]:
    """Read the wheels of the paths; those that cannot be read are left out, since the verification reports them."""
    from wheelkit.wheel import read_all

    files = [path for path in collect(paths) if path.suffix == ".whl"]
    read = zip(files, read_all(files, contents=contents), strict=True)
    return [(path, wheel) for path, wheel in read if not isinstance(wheel, WheelError)]


def _natives(contract: Contract) -> tuple[Target, ...]:
    from wheelkit.machine import facts

    here = facts.detect(containers=False)
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


class PublishedRelease(Struct, frozen=True, kw_only=True):
    """What the command line asks of a published release: ``NAME==VERSION``, the index, how deep, and who may have signed it."""

    release: str
    index: str
    deep: bool
    repository: str | None = None


def published_report(
    wanted: PublishedRelease, paths: Sequence[Path], contract: Contract, config: Config
) -> Report:
    """Prove a release as an index shows it; the manifests of the folders among ``paths`` tell what was built."""
    from wheelkit.publish.client import Client
    from wheelkit.publish.index import resolve
    from wheelkit.publish.provenance import PublisherRepository
    from wheelkit.publish.verify_published import (
        PublishedRequest,
        built_files,
        parse_release,
        verify_published,
    )

    identity = parse_release(wanted.release)
    built = {
        name: digest
        for path in paths
        if path.is_dir()
        for name, digest in built_files(path, identity).items()
    }
    repository = PublisherRepository.parse(wanted.repository) if wanted.repository else None
    request = PublishedRequest(
        identity=identity, index=resolve(wanted.index, config), built=built, repository=repository
    )
    if not wanted.deep:
        return verify_published(request, Client(), contract)
    with tempfile.TemporaryDirectory(prefix="wheelkit-") as name:
        return verify_published(request, Client(), contract, Path(name))


_FORMATS = ("text", "json", "markdown", "github")


@click.command("verify-matrix")
@click.argument("paths", metavar="[DIST]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--native", is_flag=True, help="Judge only the coverage of the targets that this machine builds."
)
@click.option("--shallow", is_flag=True, help="Read names, tags and METADATA only.")
@click.option(
    "--reference",
    type=click.Path(path_type=Path),
    help="Compare sizes with earlier wheels: a folder, or one wheel.",
)
@click.option(
    "--from-index",
    "release",
    metavar="NAME==VERSION",
    help="Prove what is published; a DIST beside it lends its manifests.",
)
@click.option(
    "--index",
    default="pypi",
    show_default=True,
    metavar="INDEX",
    help="For --from-index: a name, or an upload address.",
)
@click.option(
    "--deep",
    is_flag=True,
    help="For --from-index: fetch the files and read them, where else their names and hashes judge.",
)
@click.option(
    "--repository", metavar="URL", help="For --deep: attestations have to be by this repository's workflows."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    default="text",
    show_default=True,
    help="How the report is written.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--fix-hint/--no-fix-hint",
    "fixes",
    default=True,
    show_default=True,
    help="Say below each finding what to do about it.",
)
@config_option
def command(paths: tuple[Path, ...], **wishes: Any) -> int:  # noqa: ANN401 - one for each field of Wish
    """Prove that each wheel is what its name and metadata claim, and that none that was promised is missing.

    DIST is a folder of wheels and sdists, or single files. Outside a project each wheel's own claims are proven.
    """
    return run_verify(VerifyOptions(paths=paths, **wishes))
