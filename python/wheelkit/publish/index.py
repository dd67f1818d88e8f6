"""An index by its name or address: where files go, where installers look, and which rules hold there."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from msgspec import Struct

from wheelkit.config.keys import ADDRESS, BUILT_IN_INDEXES
from wheelkit.config.problems import Problems
from wheelkit.errors import MissingToolError, UsageError

if TYPE_CHECKING:
    from wheelkit.config import Config


_CONSTANTS = {"pypi": "DEFAULT_REPOSITORY", "testpypi": "TEST_REPOSITORY"}
_DEFAULT_LAG = 15.0
_MINUTE = 60.0


class Index(Struct, frozen=True, kw_only=True):
    """Where files are uploaded, and where installers look (PEP 503, 691).

    ``public`` tells that the rules of the public indexes hold there, ``staging`` that releases are only tried on it. ``lag`` is how many
    seconds it may take to show a file that it has accepted.
    """

    name: str
    upload: str
    simple: str
    public: bool = False
    staging: bool = False
    lag: float = _DEFAULT_LAG

    @property
    def host(self) -> str:
        """The host, with its port, that files are uploaded to."""
        return urlsplit(self.upload).netloc

    def page(self, project: str) -> str:
        """Give the address of a project's list of files; ``project`` is the normalised name."""
        return f"{self.simple.rstrip('/')}/{project}/"

    def __str__(self) -> str:
        """Give the name, or the address where it has none."""
        return self.name


def resolve(to: str, config: Config, *, simple: str | None = None) -> Index:
    """Find the index that a name or an upload address means; ``simple`` is its other address, where that does not follow.

    Raises UsageError for what is neither, MissingToolError where twine, which knows the public indexes, is not installed.
    """
    if to in config.index:
        known = config.index[to]
        staging = to == config.ci.staging
        return Index(
            name=to,
            upload=known.upload,
            simple=simple or known.simple,
            staging=staging,
            lag=_seconds(known.lag),
        )
    if to in BUILT_IN_INDEXES:
        upload = public_uploads()[to]
        return Index(
            name=to,
            upload=upload,
            simple=simple or _public_simple(upload),
            public=True,
            staging=to == "testpypi",
        )
    if "/" in to or ":" in to:
        return _addressed(to, simple)
    names = (*BUILT_IN_INDEXES, *config.index)
    raise UsageError(
        f'no index is named "{to}"{Problems.did_you_mean(to, names)}',
        hint=f"name it in the configuration:  [tool.wheelkit.index.{to}] upload = … simple = …\nor give its address:           --to https://…",
    )


def _addressed(address: str, simple: str | None) -> Index:
    problem = ADDRESS.problem(address)
    if problem is not None:
        raise UsageError(
            f"--to: {problem}", hint="give a name, or an address such as https://packages.example.org/upload/"
        )
    for name, upload in public_uploads().items():
        if address.rstrip("/") == upload.rstrip("/"):
            return Index(
                name=name,
                upload=upload,
                simple=simple or _public_simple(upload),
                public=True,
                staging=name == "testpypi",
            )
    derived = simple or _simple_beside(address)
    if derived is None:
        raise UsageError(
            f"where installers look does not follow from {address}",
            hint="give that address as well:  --simple URL",
        )
    return Index(name=urlsplit(address).netloc, upload=address, simple=derived)


def _simple_beside(upload: str) -> str | None:
    """Give the simple API of servers that are laid out as Warehouse is: ``/legacy/`` takes files, ``/simple/`` shows them."""
    parts = urlsplit(upload)
    if not parts.path.rstrip("/").endswith("/legacy"):
        return None
    path = parts.path.rstrip("/").removesuffix("legacy") + "simple/"
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def _public_simple(upload: str) -> str:
    parts = urlsplit(upload)
    return urlunsplit((parts.scheme, parts.netloc.removeprefix("upload."), "/simple/", "", ""))


def _seconds(text: str | None) -> float:
    if text is None:
        return _DEFAULT_LAG
    number = float(text.rstrip("mins "))
    return number * _MINUTE if text.endswith("min") else number


@cache
def public_uploads() -> dict[str, str]:
    """Read the upload addresses of the public indexes out of twine's own constants, without the time that importing twine takes."""
    from importlib.util import find_spec

    spec = find_spec("twine")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders:
        raise MissingToolError(
            "twine, which uploads to the public indexes, is not installed", hint="pip install twine"
        )
    tree = ast.parse((Path(folders[0]) / "utils.py").read_text(encoding="utf-8"))
    found = {
        name: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for name in map(ast.unparse, node.targets)
    }
    try:
        return {index: str(ast.literal_eval(found[constant])) for index, constant in _CONSTANTS.items()}
    except (KeyError, ValueError) as error:
        raise MissingToolError(
            "this version of twine does not say where the public indexes are", hint="pip install 'twine>=7'"
        ) from error
