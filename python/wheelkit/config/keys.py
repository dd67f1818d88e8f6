"""Every key of the configuration with its reader; data/wheelkit.schema.json says the same to editors.

A new key is a row here, a field in model.py and an entry in the schema; a test compares the three.
"""

from __future__ import annotations

import re
import shlex
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from wheelkit.command_lines import CommandLineError, split_command
from wheelkit.config.exclude import provider
from wheelkit.config.model import (
    CiConfig,
    ComponentConfig,
    DistributionConfig,
    IndexConfig,
    MatrixConfig,
    MatrixOverride,
    PublishConfig,
    VersionConfig,
)
from wheelkit.config.problems import shown
from wheelkit.config.readers import (
    Choice,
    Named,
    OrFalse,
    Table,
    Tables,
    Text,
    TextList,
    Words,
    boolean,
    size,
)
from wheelkit.fast_packaging import normalise

BUILT_IN_INDEXES = ("pypi", "testpypi")


def _unclosed(command: str) -> str | None:
    try:
        shlex.split(command)
    except ValueError as error:
        return f"not a command line ({str(error).lower()})"
    return None


def _needs_shell(command: str) -> str | None:
    """Return why a command does not mean the same on all systems."""
    try:
        split_command(command)
    except CommandLineError as error:
        return str(error)
    return None


def _unfit_for_ci(command: str) -> str | None:
    """Return the problem with a command in a workflow, which reviewers have to see as it is."""
    if not command.isprintable():
        return "contains a character that is not visible"
    return _unclosed(command)


def _bad_address(address: str) -> str | None:
    try:
        _ = urlsplit(address).port
    except ValueError as error:
        return f"not an address ({str(error).lower()})"
    return None


def _without_secrets(address: str) -> str:
    """Return an address for a message; what precedes the last @ may be a password, and a query a token."""
    address = re.sub(r"^([a-z]+://)?.*@", r"\1***@", address, flags=re.DOTALL)
    return shown(re.sub(r"\?.*", "?***", address, flags=re.DOTALL))


# The grammar of names in PEP 508.
NAME = Text(
    expected="a distribution's name", pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$", clean=normalise
)
FOLDER = Text(
    expected="a folder or a glob, with ** only as a whole path component",
    pattern=(
        r"^(?=.*\S)(?!/|~|[A-Za-z]:)(?!(.*/)?\.\.(/|$))(?!.*(\*\*[^/]|[^/]\*\*))"
        r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\\]+$"
    ),
    advice=(
        (r"^(/|~|[A-Za-z]:)", "give a path relative to the project's folder"),
        (r"(^|/)\.\.(/|$)", "the path must be inside the project"),
        (r"\\", "use forward slashes"),
    ),
    clean=lambda text: str(PurePosixPath(text)),
)
ADDRESS = Text(
    expected="an address such as https://packages.example.org/upload/",
    pattern=(
        r"^https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?"
        r"(/[^\s\x00-\x1f\x7f-\x9f\u2028\u2029?#]*)?$"
    ),
    advice=(
        (r"^[a-z]+://[^/]*@", "credentials do not belong in a file; set them in the environment"),
        (r"^(?!https?://)", "the address must start with https:// or http://"),
    ),
    check=_bad_address,
    show=_without_secrets,
)
INDEX_NAME = Text(
    expected="a name of letters, digits, . _ -",
    pattern=r"^(?!(pypi|testpypi)$)[A-Za-z0-9][A-Za-z0-9._-]*$",
    advice=((r"^(pypi|testpypi)$", "this index is built in; give yours another name"),),
)
# What git allows in the name of a tag: git-check-ref-format(1).
TAG = Text(
    expected="""a tag's name with "{version}" once, such as "v{version}\"""",
    pattern=(
        r"^(?![-/.])(?!.*(\.\.|//|/\.|\.lock(/|$)))"
        r"[^\x00-\x20\x7f-\x9f\u2028\u2029~^:?*\[\\{}]*\{version\}"
        r"([^\x00-\x20\x7f-\x9f\u2028\u2029~^:?*\[\\{}]*[^\x00-\x20\x7f-\x9f\u2028\u2029~^:?*\[\\{}/.])?$"
    ),
)
CODE = Text(expected="a finding's code such as WK501", pattern=r"^WK[0-9]{3}$")
FILE = Text(
    expected="a file inside the distribution's folder",
    pattern=r"^(?=.*\S)(?!/|~|[A-Za-z]:)(?!(.*/)?\.\.(/|$))[^\x00-\x1f\x7f-\x9f\u2028\u2029\\*?\[\]]+$",
    advice=FOLDER.advice,
    clean=FOLDER.clean,
)
BRANCH = Text(
    expected="a branch or a glob of branches",
    pattern=r"^(?![-/.])(?!.*(\.\.|//|/$|\$\{\{))[^\x00-\x20\x7f-\x9f\u2028\u2029~^:\\]+$",
)
RANGE_POLICY = Choice(words=("next-minor", "next-major", "exact"))
REASON = Text(expected="the reason, in words")
COMMAND = Text(expected="a command on one line", check=_needs_shell)
MODULE = Text(
    expected="a module's full name, such as momentum.geometry",
    pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$",
)

SELECTOR = Text(
    expected="cibuildwheel's names of builds, such as cp39-* or *-musllinux_{x86_64,aarch64}",
    pattern=r"^ *[A-Za-z0-9_.*?\[\]!{},-]+( +[A-Za-z0-9_.*?\[\]!{},-]+)* *$",
)
TAGS = TextList(item=Text(), at_least=1)
MATRIX = Table(
    build=MatrixConfig,
    keys={
        "targets": TAGS,
        "interpreters": TAGS,
        "skip": Words(item=SELECTOR),
        "override": Tables(
            entry=Table(
                build=lambda select, interpreters: MatrixOverride(
                    select=" ".join(select), interpreters=interpreters
                ),
                required=("select", "interpreters"),
                keys={"select": Words(item=SELECTOR, at_least=1), "interpreters": TAGS},
            )
        ),
    },
)


def _bad_purl(text: str) -> str | None:
    from packageurl import PackageURL

    try:
        PackageURL.from_string(text)
    except ValueError as error:
        return f"not a package URL ({error})"
    return None


COMPONENT = Table(
    build=ComponentConfig,
    required=("name", "version"),
    keys={
        "name": Text(expected="the name of a library"),
        "version": Text(expected="a version"),
        "license": Text(expected="an SPDX license expression, or a name"),
        "purl": Text(
            expected="a package URL such as pkg:github/madler/zlib@v1.3.1",
            pattern=r"^pkg:[A-Za-z.+-][A-Za-z0-9.+-]*/[!-~]+$",
            check=_bad_purl,
        ),
        "cpe": Text(
            expected="a CPE 2.3 name such as cpe:2.3:a:zlib:zlib:1.3.1:*:*:*:*:*:*:*",
            pattern=r"^cpe:2\.3:[aho](:[!-9;-~]+){10}$",
        ),
        "url": ADDRESS,
        "sha256": Text(expected="a sha256 in hexadecimal", pattern=r"^[0-9a-f]{64}$"),
        "files": TextList(
            item=Text(
                expected="a file in the wheel or a glob, such as demo/_core*",
                pattern=r"^[^/\\\x00-\x1f\x7f-\x9f\u2028\u2029][^\\\x00-\x1f\x7f-\x9f\u2028\u2029]*$",
            ),
            at_least=1,
        ),
    },
)
DISTRIBUTION = Table(
    build=DistributionConfig,
    keys={
        "max-size": size,
        "smoke": TextList(item=COMMAND),
        "imports": TextList(item=MODULE),
        "tag": TAG,
        "version-files": TextList(item=FILE, at_least=1),
        "range-policy": RANGE_POLICY,
        "kind": Choice(words=("native", "pure", "meta")),
        "dependencies": TextList(item=NAME),
        "lib-path": TextList(item=Text(expected="a folder")),
        "components": Tables(entry=COMPONENT),
        "components-complete": boolean,
        "ignore": Named(name=CODE, entry=REASON),
    },
)
SPAN = Text(expected='a time such as "30 s" or "2 min"', pattern=r"^[0-9]{1,4} ?(s|min)$")
INDEX = Table(
    build=IndexConfig,
    required=("upload", "simple"),
    keys={
        "upload": ADDRESS,
        "simple": ADDRESS,
        "lag": SPAN,
        "rules": Choice(words=("none", "public")),
        "attestations": boolean,
    },
)
# Both services allow these letters in the name of a secret or variable; the prefix is GitHub's own.
SECRET = Text(
    expected="the name of a CI secret, such as PYPI_TOKEN",
    pattern=r"^(?![Gg][Ii][Tt][Hh][Uu][Bb]_)[A-Za-z_][A-Za-z0-9_]*$",
    advice=((r"^[Gg][Ii][Tt][Hh][Uu][Bb]_", "GitHub keeps this prefix for its own secrets"),),
)
INDEX_REFERENCE = Text(expected="the name of an index", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
# GitHub replaces expressions before the shell reads a command, and whatever they stand for is run.
_EXPRESSION = (r"\$\{\{", "expressions of GitHub belong in a variable, in env: of a step of your own")
CI_COMMAND = Text(
    expected="a command on one line, without expressions of GitHub",
    pattern=r"^(?=.*\S)(?!.*\$\{\{)[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$",
    advice=(_EXPRESSION,),
    check=_unfit_for_ci,
)
LABEL = Text(
    expected="a label",
    pattern=r"^(?! *[\[{])(?=.*\S)(?!.*\$\{\{)[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$",
    advice=(
        (r"^ *[\[{](?!\{)", "give one label, which the machine alone has; lists are not possible"),
        _EXPRESSION,
    ),
)
REQUIREMENT = Text(
    expected="a requirement or folder for pip",
    advice=((r"^-", "give a requirement or a folder; options belong in pip's configuration"), _EXPRESSION),
    pattern=r"^(?!-)(?=.*\S)(?!.*\$\{\{)[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$",
)
CI = Table(
    build=CiConfig,
    keys={
        "install": TextList(item=REQUIREMENT, at_least=1),
        "lint": TextList(item=CI_COMMAND),
        "test": TextList(item=CI_COMMAND),
        "staging": OrFalse(item=INDEX_REFERENCE),
        "production": INDEX_REFERENCE,
        "secrets": Named(name=INDEX_REFERENCE, entry=SECRET),
        "github-release": boolean,
    },
)
VERSION = Table(
    build=VersionConfig, keys={"range-policy": RANGE_POLICY, "branches": TextList(item=BRANCH, at_least=1)}
)
PUBLISH = Table(build=PublishConfig, keys={"allow-cross": boolean, "attestations": boolean})
ROOT = Table(
    build=dict,
    keys={
        "distributions": TextList(item=FOLDER, at_least=1),
        "matrix": MATRIX,
        "exclude": Named(name=NAME, entry=provider, build=lambda entries: tuple(entries.values())),
        "distribution": Named(name=NAME, entry=DISTRIBUTION),
        "version": VERSION,
        "index": Named(name=INDEX_NAME, entry=INDEX),
        "runner": Named(name=Text(expected="a target"), entry=LABEL),
        "publish": PUBLISH,
        "ci": CI,
    },
)
