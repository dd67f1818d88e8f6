"""Every key of the configuration, as one table from key to reader; data/wheelkit.schema.json says the same to editors.

A new key is a row here, a field in model.py and an entry in the schema; a test holds the three together.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from wheelkit.config.exclude import provider
from wheelkit.config.model import (
    CiConfig,
    DistributionConfig,
    IndexConfig,
    MatrixConfig,
    PublishConfig,
    VersionConfig,
)
from wheelkit.config.problems import shown
from wheelkit.config.readers import Choice, Key, Named, Table, Text, TextList, boolean, size
from wheelkit.fast_packaging import normalise

BUILT_IN_INDEXES = ("pypi", "testpypi")


def _unclosed(command: str) -> str | None:
    from shlex import split

    try:
        split(command)
    except ValueError as error:
        return f"not a command line ({str(error).lower()})"
    return None


def _bad_address(address: str) -> str | None:
    from urllib.parse import urlsplit

    try:
        _ = urlsplit(address).port
    except ValueError as error:
        return f"not an address ({str(error).lower()})"
    return None


def _without_secrets(address: str) -> str:
    # Everything up to the last @ can be a password, and a query a token, however the rest is misspelled.
    return shown(
        re.sub(
            r"\?.*", "?***", re.sub(r"^([a-z]+://)?.*@", r"\1***@", address, flags=re.DOTALL), flags=re.DOTALL
        )
    )


# The grammar of names in PEP 508.
NAME = Text(
    expected="a distribution's name", pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$", clean=normalise
)
FOLDER = Text(
    expected="a folder or glob, with ** only as a whole part of it",
    pattern=r"^(?=.*\S)(?!/|~|[A-Za-z]:)(?!(.*/)?\.\.(/|$))(?!.*(\*\*[^/]|[^/]\*\*))[^\x00-\x1f\x7f\\]+$",
    advice=(
        (r"^(/|~|[A-Za-z]:)", "folders are written relative to the project's own"),
        (r"(^|/)\.\.(/|$)", "the folder has to lie inside the project"),
        (r"\\", "folders are written with forward slashes"),
    ),
    clean=lambda text: str(PurePosixPath(text)),
)
ADDRESS = Text(
    expected="an address such as https://packages.example.org/upload/",
    pattern=r"^https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[^\s\x00-\x1f\x7f?#]*)?$",
    advice=(
        (r"^[a-z]+://[^/]*@", "credentials do not belong in a file; give them in the environment"),
        (r"^(?!https?://)", "the address has to begin with https:// or http://"),
    ),
    trouble=_bad_address,
    show=_without_secrets,
)
INDEX_NAME = Text(
    expected="a name of letters, digits, . _ -",
    pattern=r"^(?!(pypi|testpypi)$)[A-Za-z0-9][A-Za-z0-9._-]*$",
    advice=((r"^(pypi|testpypi)$", "this index is built in; give yours another name"),),
)
# What git allows in a tag's name: git-check-ref-format(1).
TAG = Text(
    expected="""a tag's name that holds "{version}" once, such as "v{version}\"""",
    pattern=(
        r"^(?![-/.])(?!.*(\.\.|//|/\.|\.lock(/|$)))"
        r"[^\x00-\x20\x7f~^:?*\[\\{}]*\{version\}([^\x00-\x20\x7f~^:?*\[\\{}]*[^\x00-\x20\x7f~^:?*\[\\{}/.])?$"
    ),
)
CODE = Text(expected="a finding's code such as WK501", pattern=r"^WK[0-9]{3}$")
FILE = Text(
    expected="a file inside the distribution's folder",
    pattern=r"^(?=.*\S)(?!/|~|[A-Za-z]:)(?!(.*/)?\.\.(/|$))[^\x00-\x1f\x7f\\*?\[\]]+$",
    advice=FOLDER.advice,
    clean=FOLDER.clean,
)
# A branch's name, or a glob of them.
BRANCH = Text(
    expected="a branch or a glob of branches", pattern=r"^(?![-/.])(?!.*(\.\.|//|/$))[^\x00-\x20\x7f~^:\\]+$"
)
RANGE_POLICY = Choice(words=("next-minor", "next-major", "exact"))
REASON = Text(expected="the reason, in words")
COMMAND = Text(expected="a command on one line", trouble=_unclosed)
MODULE = Text(
    expected="a module's full name, such as momentum.geometry",
    pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$",
)

MATRIX = Table(
    build=MatrixConfig,
    keys={
        "targets": Key(field="targets", read=TextList(item=Text(), at_least=1)),
        "interpreters": Key(field="interpreters", read=TextList(item=Text(), at_least=1)),
    },
)
DISTRIBUTION = Table(
    build=DistributionConfig,
    keys={
        "max-size": Key(field="max_size", read=size),
        "smoke": Key(field="smoke", read=TextList(item=COMMAND)),
        "imports": Key(field="imports", read=TextList(item=MODULE)),
        "tag": Key(field="tag", read=TAG),
        "version-files": Key(field="version_files", read=TextList(item=FILE, at_least=1)),
        "range-policy": Key(field="range_policy", read=RANGE_POLICY),
        "kind": Key(field="kind", read=Choice(words=("native", "pure", "meta"))),
        "dependencies": Key(field="dependencies", read=TextList(item=NAME)),
        "lib-path": Key(field="lib_path", read=TextList(item=Text(expected="a folder"))),
        "ignore": Key(field="ignore", read=Named(name=CODE, entry=REASON)),
    },
)
SPAN = Text(expected='a time such as "30 s" or "2 min"', pattern=r"^[0-9]{1,4} ?(s|min)$")
INDEX = Table(
    build=IndexConfig,
    keys={
        "upload": Key(field="upload", read=ADDRESS, required=True),
        "simple": Key(field="simple", read=ADDRESS, required=True),
        "lag": Key(field="lag", read=SPAN),
    },
)
# Both services allow these letters in the name of a secret or variable.
SECRET = Text(expected="the name of a CI secret, such as PYPI_TOKEN", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
INDEX_REFERENCE = Text(expected="the name of an index", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
REQUIREMENT = Text(
    expected="what pip is to install",
    advice=((r"^-", "give a requirement or a folder; options belong in pip's own settings"),),
    pattern=r"^(?!-)(?=.*\S)[^\x00-\x1f\x7f]+$",
)
CI = Table(
    build=CiConfig,
    keys={
        "install": Key(field="install", read=TextList(item=REQUIREMENT, at_least=1)),
        "lint": Key(field="lint", read=TextList(item=COMMAND)),
        "test": Key(field="test", read=TextList(item=COMMAND)),
        "staging": Key(field="staging", read=INDEX_REFERENCE),
        "production": Key(field="production", read=INDEX_REFERENCE),
        "secrets": Key(field="secrets", read=Named(name=INDEX_REFERENCE, entry=SECRET)),
    },
)
VERSION = Table(
    build=VersionConfig,
    keys={
        "range-policy": Key(field="range_policy", read=RANGE_POLICY),
        "branches": Key(field="branches", read=TextList(item=BRANCH, at_least=1)),
    },
)
PUBLISH = Table(build=PublishConfig, keys={"allow-cross": Key(field="allow_cross", read=boolean)})
ROOT = Table(
    build=dict,
    keys={
        "distributions": Key(field="distributions", read=TextList(item=FOLDER, at_least=1)),
        "matrix": Key(field="matrix", read=MATRIX),
        "exclude": Key(
            field="exclude",
            read=Named(name=NAME, entry=provider, build=lambda entries: tuple(entries.values())),
        ),
        "distribution": Key(field="distribution", read=Named(name=NAME, entry=DISTRIBUTION)),
        "version": Key(field="version", read=VERSION),
        "index": Key(field="index", read=Named(name=INDEX_NAME, entry=INDEX)),
        "runner": Key(
            field="runner", read=Named(name=Text(expected="a target"), entry=Text(expected="a label"))
        ),
        "publish": Key(field="publish", read=PUBLISH),
        "ci": Key(field="ci", read=CI),
    },
)
