"""The configuration as frozen values, with all defaults."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Mapping

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


class MatrixOverride(Struct, frozen=True, kw_only=True):
    """Other interpreters for the cells that ``select`` matches."""

    select: str
    interpreters: tuple[str, ...]


class MatrixConfig(Struct, frozen=True, kw_only=True):
    """The support matrix as written; None stands for the default.

    ``skip`` and ``select`` hold cibuildwheel's selectors of builds, patterns that are separated by spaces.
    """

    targets: tuple[str, ...] | None = None
    interpreters: tuple[str, ...] | None = None
    skip: tuple[str, ...] = ()
    override: tuple[MatrixOverride, ...] = ()


class Provider(Struct, frozen=True, kw_only=True, rename="kebab"):
    """Libraries that another distribution provides, as patterns of file names for each system.

    ``distributions`` are the ones on the index that contain the libraries, ``brought_by`` those that require
    one of them. ``version_bound`` means that their C++ ABI changes with every version, so wheels need exactly
    one. ``shipped`` means that the patterns are
    wheelkit's list, which is broader than what one project needs.
    """

    name: str
    linux: tuple[str, ...] = ()
    macos: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()
    distributions: tuple[str, ...] = ()
    brought_by: tuple[str, ...] = ()
    version_bound: bool = False
    shipped: bool = False

    @property
    def patterns(self) -> tuple[str, ...]:
        """All patterns, without duplicates."""
        return tuple(dict.fromkeys((*self.linux, *self.macos, *self.windows)))


class ComponentConfig(Struct, frozen=True, kw_only=True):
    """Third-party code that is compiled or linked into a distribution's binaries, for its SBOM.

    ``license`` is an SPDX expression or a name, ``purl`` and ``cpe`` are identifiers as scanners look them
    up, ``url`` is where the source was downloaded from and ``sha256`` its digest. ``files`` are patterns of
    the members that contain it; empty means that its binaries are found by what is known of the library.
    """

    name: str
    version: str
    license: str = ""
    purl: str = ""
    cpe: str = ""
    url: str = ""
    sha256: str = ""
    files: tuple[str, ...] = ()


class DistributionConfig(Struct, frozen=True, kw_only=True):
    """The settings of one distribution.

    ``max_size`` is in bytes, ``ignore`` maps the codes of findings to reasons. ``version_files`` are files
    that state the version besides the metadata (empty: they are detected). ``range_policy`` says how the
    ranges of dependents follow it (None: as they are written). ``dependencies`` are the only ones that its
    wheels may require at run time (None: any). ``imports`` are the modules that must be importable (None:
    those in its wheels). ``components`` are third-party code in its binaries, ``components_complete`` says
    that with what wheelkit finds by itself there is no other.
    """

    max_size: int | None = None
    smoke: tuple[str, ...] = ()
    imports: tuple[str, ...] | None = None
    tag: str | None = None
    version_files: tuple[str, ...] = ()
    range_policy: str | None = None
    kind: str | None = None
    dependencies: tuple[str, ...] | None = None
    lib_path: tuple[str, ...] = ()
    components: tuple[ComponentConfig, ...] = ()
    components_complete: bool = False
    ignore: Mapping[str, str] = field(default_factory=dict)


class VersionConfig(Struct, frozen=True, kw_only=True):
    """The versions of the family; ``branches`` are globs of the branches on which releases may be tagged."""

    range_policy: str | None = None
    branches: tuple[str, ...] = ("main", "master", "release/*", "release-*")


class IndexConfig(Struct, frozen=True, kw_only=True):
    """The URLs of an index: for uploads, and the simple index (PEP 503) that installers read.

    ``lag`` is how long an uploaded file may take to become visible, as written (``30 s``); None stands for
    public indexes'. ``rules`` names the indexes whose rules for files apply there, too. ``attestations`` says
    that the index takes attestations (PEP 740), as the public ones do.
    """

    upload: str
    simple: str
    lag: str | None = None
    rules: str = "none"
    attestations: bool = False


class PublishConfig(Struct, frozen=True, kw_only=True):
    """What may be published, and with what.

    ``allow_cross`` allows wheels that were cross-built on another system. ``attestations`` are made where the
    index takes them and the CI service identifies the job.
    """

    allow_cross: bool = False
    attestations: bool = True


class CiConfig(Struct, frozen=True, kw_only=True):
    """What the generated workflows run besides the matrix.

    ``install`` are the requirements that pip installs wheelkit from; empty stands for the version that writes
    the workflow. ``lint`` runs on Linux, ``test`` on every machine. ``staging`` is false if releases go
    straight to production. ``secrets`` maps an index to the CI secret with its token; an index without one
    uses trusted publishing. ``github_release`` adds a release on GitHub to each release in production.
    """

    install: tuple[str, ...] = ()
    lint: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    staging: str | Literal[False] = "testpypi"
    production: str = "pypi"
    secrets: Mapping[str, str] = field(default_factory=dict)
    github_release: bool = False

    @property
    def indexes(self) -> tuple[str, ...]:
        """The indexes of a release, in order."""
        return (self.staging, self.production) if self.staging else (self.production,)


class Config(Struct, frozen=True, kw_only=True):
    """The whole configuration.

    ``source`` is its file (None: defaults), ``root`` the project's folder. ``distributions`` are folders or
    globs below ``root``. The keys of ``distribution`` are normalised names (PEP 503), those of ``index``
    names as written; ``runner`` maps targets or globs of targets to labels.
    """

    root: Path = field(default_factory=Path)
    source: Path | None = None
    distributions: tuple[str, ...] = (".",)
    matrix: MatrixConfig = field(default_factory=MatrixConfig)
    exclude: tuple[Provider, ...] = ()
    distribution: Mapping[str, DistributionConfig] = field(default_factory=dict)
    version: VersionConfig = field(default_factory=VersionConfig)
    index: Mapping[str, IndexConfig] = field(default_factory=dict)
    runner: Mapping[str, str] = field(default_factory=dict)
    publish: PublishConfig = field(default_factory=PublishConfig)
    ci: CiConfig = field(default_factory=CiConfig)

    @property
    def label(self) -> str:
        """The file for messages, or the folder if there is none."""
        return str(self.source or self.root)

    @staticmethod
    def table(*keys: str) -> str:
        """Return the header of a table in a message, as in pyproject.toml.

        Where a file of its own configures the project, the command line writes it as there.
        """
        words = (key if _BARE_KEY.fullmatch(key) else json.dumps(key) for key in keys)
        return f"[{'.'.join(['tool', 'wheelkit', *words])}]"
