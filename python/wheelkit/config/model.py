"""What a configuration says, as frozen values; every default stands here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Mapping


class MatrixConfig(Struct, frozen=True, kw_only=True):
    """What is promised, in the user's words; None where the key is left out and the default holds."""

    targets: tuple[str, ...] | None = None
    interpreters: tuple[str, ...] | None = None


class Provider(Struct, frozen=True, kw_only=True):
    """Libraries that another distribution provides: patterns of their file names, for each system.

    ``distributions`` are those on the index that bring the libraries. ``version_bound`` says that their C++ ABI holds for one
    version only, so that wheels need that very version. ``shipped`` says that the patterns are wheelkit's own list, which is
    broad: most projects need only some of them.
    """

    name: str
    linux: tuple[str, ...] = ()
    macos: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()
    distributions: tuple[str, ...] = ()
    version_bound: bool = False
    shipped: bool = False

    @property
    def patterns(self) -> tuple[str, ...]:
        """All patterns, each once."""
        return tuple(dict.fromkeys((*self.linux, *self.macos, *self.windows)))


class DistributionConfig(Struct, frozen=True, kw_only=True):
    """The settings of one distribution.

    ``max_size`` is in bytes, ``ignore`` maps a finding's code to the reason. ``version_files`` say where its version stands beside its
    own metadata, ``range_policy`` how the ranges of its dependents follow it; empty and None: found, and as they are written.
    ``dependencies`` are the only names that its wheels may require at run time; None promises nothing. ``imports`` are the modules that
    have to be importable; None: those that its wheels hold.
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
    ignore: Mapping[str, str] = field(default_factory=dict)


class VersionConfig(Struct, frozen=True, kw_only=True):
    """How versions of the whole family are handled; ``branches`` are those, as globs, on which releases may be tagged."""

    range_policy: str | None = None
    branches: tuple[str, ...] = ("main", "master", "release/*", "release-*")


class IndexConfig(Struct, frozen=True, kw_only=True):
    """An index by its two addresses: where files are uploaded, and where installers look (PEP 503).

    ``lag`` is how long it may take to show a file that it has accepted, as written (``30 s``); None: as long as public ones take.
    """

    upload: str
    simple: str
    lag: str | None = None


class PublishConfig(Struct, frozen=True, kw_only=True):
    """What may be published; ``allow_cross`` lets wheels pass that were built on another system than their own."""

    allow_cross: bool = False


class CiConfig(Struct, frozen=True, kw_only=True):
    """What the generated workflows do beside the matrix; ``secrets`` maps an index to the CI secret that holds its token.

    ``install`` is what pip is given before wheelkit runs; empty stands for the version that writes the workflow. An index without a
    secret is published to by trusted publishing.
    """

    install: tuple[str, ...] = ()
    lint: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    staging: str = "testpypi"
    production: str = "pypi"
    secrets: Mapping[str, str] = field(default_factory=dict)


class Config(Struct, frozen=True, kw_only=True):
    """The whole configuration. ``source`` is the file that holds it (None: defaults), ``root`` the project's folder.

    ``distributions`` are folders or globs below ``root``; ``distribution`` is keyed by normalised names (PEP 503), ``index`` by
    names as written, ``runner`` maps targets or globs of them to labels.
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
        """The file, or the folder where there is none, for messages."""
        return str(self.source or self.root)
