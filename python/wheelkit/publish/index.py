"""Indexes by name or address: where files are uploaded, and where installers look."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.config.keys import ADDRESS, BUILT_IN_INDEXES
from wheelkit.config.problems import Problems
from wheelkit.errors import MissingToolError, UsageError
from wheelkit.publish.pypirc import read_pypirc

if TYPE_CHECKING:
    from wheelkit.config import Config


_DEFAULT_LAG = 15.0


class Index(Struct, frozen=True, kw_only=True):
    """An index: its upload address, and the root of its simple API (PEP 503, 691).

    ``public`` is set for the public indexes, ``strict`` for others with their rules, ``staging``
    where releases are only tried. ``attestations`` says that files get them there. ``lag`` is the number of
    seconds that it may take to show an accepted file.
    """

    name: str
    upload: str
    simple: str
    public: bool = False
    strict: bool = False
    staging: bool = False
    attestations: bool = False
    lag: float = _DEFAULT_LAG

    @property
    def public_rules(self) -> bool:
        """Whether the index refuses what the public indexes refuse (data/index_rules.toml)."""
        return self.public or self.strict

    @property
    def host(self) -> str:
        """The host, with its port, that files are uploaded to."""
        return urlsplit(self.upload).netloc

    def page(self, project: str) -> str:
        """Return the address of a project's list of files; ``project`` is the normalised name."""
        return f"{self.simple.rstrip('/')}/{project}/"

    def __str__(self) -> str:
        """Return the name, which is the host of an index without one."""
        return self.name


def resolve(to: str, config: Config, *, simple: str | None = None) -> Index:
    """Return the index for a name or an upload address; ``simple`` overrides its simple API's address.

    Raises UsageError for an unknown name or an address without a simple API, MissingToolError where twine,
    which knows the addresses of the public indexes, is not installed.
    """
    if to in config.index:
        known = config.index[to]
        return Index(
            name=to,
            upload=known.upload,
            simple=simple or known.simple,
            strict=known.rules == "public",
            staging=to == config.ci.staging,
            attestations=known.attestations and config.publish.attestations,
            lag=_seconds(known.lag),
        )
    if to in BUILT_IN_INDEXES or "/" in to or ":" in to:
        index = _public(to, simple) if to in BUILT_IN_INDEXES else _from_address(to, simple)
        return replace(index, attestations=index.public and config.publish.attestations)
    pypirc = read_pypirc(os.environ)
    section = pypirc.sections.get(to) or pypirc.unlisted.get(to)
    if section is not None and section.repository:
        return replace(_from_address(section.repository, simple), name=to, staging=to == config.ci.staging)
    raise UsageError(
        f'no index is named "{to}"{Problems.did_you_mean(to, (*BUILT_IN_INDEXES, *config.index))}',
        hint=f"define it in the configuration:  {config.table('index', to)} upload = … simple = …\n"
        "or give its upload address:     --to https://…",
    )


def _from_address(address: str, simple: str | None) -> Index:
    problem = ADDRESS.problem(address)
    if problem is not None:
        raise UsageError(
            f"--to: {problem}", hint="give a name, or an address such as https://packages.example.org/upload/"
        )
    for name, upload in public_uploads().items():
        if address.rstrip("/") == upload.rstrip("/"):
            return _public(name, simple)
    simple = simple or _simple_from_upload(address)
    if simple is None:
        raise UsageError(
            f"the address of the simple API cannot be derived from {address}", hint="add it:  --simple URL"
        )
    return Index(name=urlsplit(address).netloc, upload=address, simple=simple)


def _simple_from_upload(upload: str) -> str | None:
    """Return the simple API of a server like Warehouse: ``/simple/`` beside ``/legacy/``; else None."""
    path = urlsplit(upload).path.rstrip("/")
    return urljoin(upload, f"{path}/../simple/") if path.endswith("/legacy") else None


def _public(name: str, simple: str | None) -> Index:
    upload = public_uploads()[name]
    simple = simple or urljoin(upload.replace("//upload.", "//"), "/simple/")
    return Index(name=name, upload=upload, simple=simple, public=True, staging=name == "testpypi")


def _seconds(text: str | None) -> float:
    if text is None:
        return _DEFAULT_LAG
    number = float(text.rstrip("mins "))
    return number * 60 if text.endswith("min") else number


@cache
def public_uploads() -> dict[str, str]:
    """Return the upload addresses of the public indexes, by name, as twine knows them."""
    try:
        from twine.utils import DEFAULT_REPOSITORY, TEST_REPOSITORY
    except ImportError as error:
        raise MissingToolError(
            "twine is not installed or too old; uploads need it", hint="pip install 'twine>=7'"
        ) from error
    return {"pypi": DEFAULT_REPOSITORY, "testpypi": TEST_REPOSITORY}
