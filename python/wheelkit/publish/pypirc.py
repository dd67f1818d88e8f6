"""~/.pypirc as twine reads it (the packaging specification, and ``twine.utils.get_config``)."""

from __future__ import annotations

import configparser
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from wheelkit.inputs import read_text

if TYPE_CHECKING:
    from collections.abc import Mapping


_PUBLIC = ("pypi", "testpypi")


class PypircSection(Struct, frozen=True, kw_only=True):
    """What the file states for an index; ``repository`` is empty for a public index at its usual address."""

    name: str
    repository: str = ""
    username: str = ""
    password: str = ""

    def __repr__(self) -> str:
        """Leave the password out."""
        return f"PypircSection(name={self.name!r}, repository={self.repository!r})"


class Pypirc(Struct, frozen=True, kw_only=True):
    """The sections of the file by name, and what is wrong with it: then there are no sections.

    ``unlisted`` are the sections of indexes that ``index-servers`` does not name, which twine ignores.
    """

    path: Path
    sections: Mapping[str, PypircSection]
    unlisted: Mapping[str, PypircSection] = field(default_factory=dict)
    problem: str = ""


def read_pypirc(environ: Mapping[str, str]) -> Pypirc:
    """Read the file of the user's home folder; no sections where there is none.

    The obsolete ``[server-login]`` fills what the section of a listed index does not state, and that of the
    public index even if it is not listed.
    """
    path = Path(environ.get("HOME") or environ.get("USERPROFILE") or Path.home()) / ".pypirc"
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(read_text(path))
        listed = parser.get("distutils", "index-servers", fallback=" ".join(_PUBLIC)).split()
        known = {*listed, "distutils", "server-login"}
        unlisted = {}
        for name in set(parser.sections()) - known:
            unlisted[name] = _section(parser, name, defaults="")
            parser.remove_section(name)
        sections = {name: _section(parser, name) for name in dict.fromkeys((_PUBLIC[0], *listed))}
    except FileNotFoundError:
        return Pypirc(path=path, sections={})
    except (OSError, UnicodeDecodeError):
        return Pypirc(path=path, sections={}, problem=f"{path} cannot be read")
    except configparser.Error:
        # The parser's own message would show the line, which may hold a token.
        return Pypirc(path=path, sections={}, problem=f"{path} is not a valid configuration file")
    return Pypirc(path=path, sections=sections, unlisted=unlisted)


def _section(
    parser: configparser.RawConfigParser, name: str, defaults: str = "server-login"
) -> PypircSection:
    stated = {
        key: parser.get(name, key, fallback=parser.get(defaults, key, fallback=""))
        for key in ("username", "password")
    }
    repository = parser.get(name, "repository", fallback="")
    return PypircSection(name=name, repository=repository, **stated)
