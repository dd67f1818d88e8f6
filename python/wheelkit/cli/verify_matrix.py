"""``wheelkit verify-matrix``: verify built or published files against their claims and the support matrix."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct
from msgspec.structs import replace

from wheelkit.cli.option_rules import checked
from wheelkit.cli.options import (
    PATH,
    config_option,
    current_folder,
    current_root,
    load_config,
    open_project,
    tag_option,
)
from wheelkit.cli.output import result_json, show, write
from wheelkit.errors import ProjectError, UsageError, WheelError
from wheelkit.verification.contract import Contract, contract_of
from wheelkit.verification.files import collect_files
from wheelkit.verification.model import Severity
from wheelkit.verification.report.text import Screen, render_chunks
from wheelkit.verification.run import unreadable_wheel, verify
from wheelkit.wheel import read_all

if TYPE_CHECKING:
    from wheelkit.config import Config
    from wheelkit.matrix import Target
    from wheelkit.project.family import Family
    from wheelkit.project.read import Distribution
    from wheelkit.publish.verify_published import PublishedRequest
    from wheelkit.verification.comparison.facts import Earlier
    from wheelkit.verification.contents import ContentsCollector
    from wheelkit.verification.model import Report
    from wheelkit.wheel import Wheel


_FORMATS = ("text", "json", "markdown", "github", "html")


class VerifyOptions(Struct, frozen=True, kw_only=True):
    """The values of the command line."""

    paths: tuple[Path, ...]
    tag: str | None
    config_file: Path | None
    native: bool
    shallow: bool
    against: str | None
    release: str | None
    index: str
    deep: bool
    repository: str | None
    form: str
    as_json: bool
    fixes: bool
    fail_on: str | None
    strict: bool


@click.command("verify-matrix")
@click.argument("paths", metavar="[DIST]...", nargs=-1, type=PATH)
@tag_option
@click.option("--native", is_flag=True, help="Check coverage only for the targets that this machine builds.")
@click.option("--shallow", is_flag=True, help="Read file names, tags and METADATA only.")
@click.option(
    "--against",
    metavar="RELEASE",
    help="Compare with an earlier release: NAME==VERSION, a folder of its wheels, or latest.",
)
@click.option(
    "--from-index",
    "release",
    metavar="NAME[==VERSION]",
    help="Verify a published release, by default the latest; manifests in DIST say what was built.",
)
@click.option(
    "--index",
    default="pypi",
    show_default=True,
    metavar="INDEX",
    help="With --from-index and --against: the index, as a name or an upload URL.",
)
@click.option(
    "--deep",
    is_flag=True,
    help="With --from-index and --against: download and inspect the files (default: names and hashes only).",
)
@click.option(
    "--repository",
    metavar="URL",
    help="With --deep: require attestations from this repository's workflows.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    default="text",
    show_default=True,
    help="The format of the report.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--fail-on",
    type=click.Choice([str(severity) for severity in Severity]),
    help="The least severity that makes the exit code 1.  [default: error]",
)
@click.option("--strict", is_flag=True, help="The same as --fail-on warning.")
@click.option(
    "--fix-hint/--no-fix-hint",
    "fixes",
    default=True,
    show_default=True,
    help="Print how to fix each finding.",
)
@config_option
@checked
def command(**values: Any) -> int:  # noqa: ANN401 - one for each field of VerifyOptions
    """Verify that each wheel is what its name and metadata claim, and that no promised wheel is missing.

    DIST is a folder of wheels and sdists, or single files. Outside a project, only the claims of the wheels
    themselves are verified.
    """
    options = VerifyOptions(**values)
    collector = _collector(options)
    if options.release is None:
        report = _verify_files(options, collector)
    else:
        report = _verify_release(options, options.release)
    _show(report, options, collector)
    return 0 if report.ok else 1


def _collector(options: VerifyOptions) -> ContentsCollector | None:
    """Return what collects the contents of wheels, for the format that shows them."""
    if options.form != "html":
        return None
    from wheelkit.verification.contents import ContentsCollector

    return ContentsCollector()


def _verify_files(options: VerifyOptions, collector: ContentsCollector | None) -> Report:
    fail_on = _fail_on(options)
    if not options.paths:
        raise UsageError(
            "nothing to verify", hint="give the dist folder or wheels: wheelkit verify-matrix dist/"
        )
    contract = _contract(options.paths, options.config_file)
    if options.tag is not None:
        project = open_project((), options.config_file, options.tag)
        contract = contract_of(project.config, project.family.part(project.chosen))
    if options.against is not None:
        contract = replace(contract, earlier=_earlier(options, options.against))
    native = _native_targets(contract) if options.native else None
    return verify(
        options.paths,
        contract,
        native=native,
        shallow=options.shallow,
        fail_on=fail_on,
        observe=collector.add if collector else None,
    )


def _fail_on(options: VerifyOptions) -> Severity:
    """Return the least severity that fails; raise UsageError where two options name different ones."""
    if options.strict and options.fail_on not in (None, Severity.WARNING):
        raise UsageError(
            f"--strict and --fail-on {options.fail_on} contradict each other",
            hint="give one of them; --strict is --fail-on warning",
        )
    return Severity.WARNING if options.strict else Severity(options.fail_on or Severity.ERROR)


def _verify_release(options: VerifyOptions, release: str) -> Report:
    """Verify a release as the index serves it, against the manifests below ``options.paths``."""
    from wheelkit.publish.client import Client
    from wheelkit.publish.verify_published import verify_published

    contract = _contract((), options.config_file)
    request = _published_request(options, release)
    if not options.deep:
        return verify_published(request, Client(), contract)
    from wheelkit.machine.scratch import temporary_folder

    with temporary_folder("wheelkit-") as folder:
        return verify_published(request, Client(), contract, folder)


def _published_request(options: VerifyOptions, release: str) -> PublishedRequest:
    from wheelkit.publish.earlier import parse_against
    from wheelkit.publish.index import resolve
    from wheelkit.publish.listed_versions import parse_release
    from wheelkit.publish.provenance import PublisherRepository
    from wheelkit.publish.verify_published import PublishedRequest

    return PublishedRequest(
        wanted=parse_release(release),
        index=resolve(options.index, load_config(current_folder(), options.config_file)),
        folders=tuple(path for path in options.paths if path.is_dir()),
        fail_on=_fail_on(options),
        repository=PublisherRepository.parse(options.repository) if options.repository else None,
        against=parse_against(options.against) if options.against is not None else None,
    )


def _contract(paths: tuple[Path, ...], config_file: Path | None) -> Contract:
    """Return what the project promises.

    A wheelkit.toml without a project applies to whatever the wheels of ``paths`` contain; without either,
    nothing is promised.
    """
    root = current_root()
    if config_file is None and root is None:
        return Contract()
    # Without a project, reading one would be a sixth of the time of verifying a small wheel.
    from wheelkit.project.family import discover

    config = load_config(root or Path.cwd(), config_file)
    try:
        return contract_of(config, discover(config))
    except ProjectError:
        if root and (root / "pyproject.toml").is_file():
            raise
        return Contract() if config.source is None else contract_of(config, _family_of_wheels(config, paths))


def _family_of_wheels(config: Config, paths: tuple[Path, ...]) -> Family:
    """Derive the family from its wheels, for a dist that was built from another project's sdist."""
    from wheelkit.project.family import Family
    from wheelkit.project.kinds import Kind
    from wheelkit.project.read import Distribution

    members: dict[str, Distribution] = {}
    for path, outcome in _read_wheels(paths):
        wheel = unreadable_wheel(path) if isinstance(outcome, WheelError) else outcome
        if wheel.name is not None and wheel.distribution not in members:
            members[wheel.distribution] = Distribution(
                name=wheel.distribution,
                version=wheel.version,
                kind=Kind.PURE if wheel.name.any_platform else Kind.NATIVE,
                source=path,
                requires_python=wheel.metadata.get("Requires-Python") or None,
            )
    return Family(root=config.root, distributions=tuple(members.values()))


def _earlier(options: VerifyOptions, against: str) -> Earlier:
    """Return the releases to compare the files with; only those on an index need an index."""
    from wheelkit.verification.comparison.gather import earlier_in_folder, releases_by_name

    later = releases_by_name(path.name for path in collect_files(options.paths))
    from wheelkit.publish.earlier import parse_against

    wanted = parse_against(against)
    if wanted.path is not None:
        return earlier_in_folder(wanted.path, later, shallow=options.shallow)
    from wheelkit.publish.client import Client
    from wheelkit.publish.earlier import EarlierSource, find_earlier
    from wheelkit.publish.index import resolve

    index = resolve(options.index, load_config(current_folder(), options.config_file))
    return find_earlier(wanted, later, EarlierSource(index=index, client=Client(), deep=options.deep))


def _read_wheels(paths: tuple[Path, ...]) -> list[tuple[Path, Wheel | WheelError]]:
    """Read names and METADATA of all wheels; the verification reports those that cannot be read."""
    files = [path for path in collect_files(paths) if path.suffix == ".whl"]
    return list(zip(files, read_all(files, contents=False), strict=True))


def _native_targets(contract: Contract) -> tuple[Target, ...]:
    from wheelkit.machine import facts

    machine = facts.detect(containers=False)
    targets = (target for promise in contract.promises.values() for target in promise.matrix.targets)
    native = tuple(target for target in dict.fromkeys(targets) if machine.builds(target))
    # Only a container builds for another C library; asking for its engine takes a while.
    foreign = {target for target in native if target.libc and target.libc != machine.libc}
    if foreign and facts.detect().engine is None:
        return tuple(target for target in native if target not in foreign)
    return native


def _show(report: Report, options: VerifyOptions, collector: ContentsCollector | None) -> None:
    form, fixes = "json" if options.as_json else options.form, options.fixes
    if form == "html":
        from wheelkit.verification.report.html import to_html

        show(to_html(report, collector.contents if collector else ()))
    elif form == "json":
        from wheelkit.verification.report.json import to_json

        result_json(to_json(report))
    elif form == "markdown":
        from wheelkit.verification.report.markdown import to_markdown

        show(f"{to_markdown(report, fixes=fixes)}\n")
    elif form == "github":
        from wheelkit.verification.report.github import to_github

        for line in to_github(report, fixes=fixes):
            write(f"{line}\n")
    else:
        for piece in render_chunks(report, _screen(fixes=fixes)):
            write(piece)


def _screen(*, fixes: bool) -> Screen:
    terminal = sys.stdout.isatty()
    width = None
    if terminal:
        import shutil

        width = shutil.get_terminal_size().columns
    return Screen(
        width=width,
        colour=terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb",
        encoding=sys.stdout.encoding or "ascii",
        fixes=fixes,
    )
