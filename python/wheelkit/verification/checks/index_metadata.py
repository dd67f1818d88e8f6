"""METADATA and PKG-INFO as uploads are judged: by twine, and by the public indexes (warehouse, August 2026).

twine sends the fields of each file, and the index judges those: its rules on values are in warehouse's
forklift/metadata.py. They hold for wheels and sdists alike.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from wheelkit import limits
from wheelkit.analysis.requirements import requirements
from wheelkit.fast_packaging import parse_requirement, too_new
from wheelkit.text import shorten_list
from wheelkit.verification.checks.metadata_lines import unreadable
from wheelkit.verification.findings import finding
from wheelkit.verification.index_values import classifier_problem, email_problem, is_web_address
from wheelkit.wheel import Wheel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Sdist


_USE_BACKEND = "build again with a current build backend, and do not edit METADATA"
# Messages of packaging's parser.
_TOO_NEW_FIELD = r"(?P<field>\S+) introduced in metadata version (?P<new>\S+), not (?P<old>[\d.]+)"
_INVALID_FIELD = r"'(?P<field>[\w-]+)' has invalid data"
_NO_VERSION = "metadata version"
# twine's package.py leaves this field out of uploads whose metadata version does not have it.
_LEFT_OUT = "license-file"
# distutils writes it for fields without a value, and the index drops it.
_UNKNOWN = "UNKNOWN"
_LONGEST_SUMMARY, _LONGEST_LABEL = 512, 32
_URL_FIELDS = ("Home-page", "Download-URL")
_EMAIL_FIELDS = ("Author-email", "Maintainer-email")
_PRIVATE = "Private ::"
_PARSED_FIELDS = (
    "Metadata-Version", "Name", "Version", "Requires-Python", "Requires-Dist", "Provides-Extra",
    "License-Expression", "License-File", "Description-Content-Type", "Dynamic",
)  # fmt: skip
_MOST_PARENTHESES = 100
# What packaging accepts as Metadata-Version, and the index does not.
_TOO_NEW_METADATA = frozenset({"2.6"})


def sent(file: Wheel | Sdist, field: str) -> tuple[str, ...]:
    """Return the values of a field that the index judges: it drops a field without a value, or UNKNOWN."""
    values = file.metadata.all(field)
    return () if values == ("",) or values[-1:] == (_UNKNOWN,) else values


def valid(file: Wheel | Sdist, _: Contract) -> Iterator[Finding]:
    """Report metadata that packaging's strict parser rejects; twine and indexes use the same parser."""
    if isinstance(file, Wheel) and file.shallow:
        return
    problem = unreadable(file.metadata_text)
    if problem:
        yield finding("WK701", f"{_source(file)} {problem}", fix=_USE_BACKEND)
        return
    problem = _absurd_value(file)
    if problem:
        yield finding("WK701", f"{_source(file)} is not valid: {problem}")
        return
    newer = too_new(file.metadata_text.decode("utf-8"))
    if newer is not None:
        yield from _too_new_fields(file, newer)
        return
    from packaging.metadata import Metadata

    try:
        Metadata.from_email(file.metadata_text, validate=True)
    except ExceptionGroup as group:
        matches = [(error, re.search(_TOO_NEW_FIELD, str(error))) for error in group.exceptions]
        fields = [(match["field"], match["new"]) for _, match in matches if match]
        yield from _too_new_fields(file, fields)
        for error in (error for error, match in matches if not match):
            yield _invalid(file, error)
    except (ValueError, UnicodeError, LookupError, RecursionError) as error:
        yield finding("WK701", f"{_source(file)} cannot be read: {_first_line(error)}")


def _source(file: Wheel | Sdist) -> str:
    return "METADATA" if isinstance(file, Wheel) else "PKG-INFO"


def _absurd_value(file: Wheel | Sdist) -> str:
    """Return which field's value would keep packaging's parser busy for minutes; empty if none would."""
    for field in _PARSED_FIELDS:
        for value in file.metadata.all(field):
            if len(value) > limits.VALUE:
                return f"'{field.lower()}' has {len(value)} characters"
            if value.count("(") > _MOST_PARENTHESES:
                return f"'{field.lower()}' has {value.count('(')} parentheses"
    return ""


def _too_new_fields(file: Wheel | Sdist, fields: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    """Report fields newer than the Metadata-Version: twine leaves License-File out, and refuses others."""
    stated = file.metadata.get("Metadata-Version")
    for code, needed in (
        ("WK706", {name.title(): version for name, version in fields if name.lower() == _LEFT_OUT}),
        ("WK730", {name.title(): version for name, version in fields if name.lower() != _LEFT_OUT}),
    ):
        if needed:
            names = shorten_list(sorted(needed))
            verb = "needs" if len(needed) == 1 else "need"
            newest = max(needed.values())
            what = f"{_source(file)} declares version {stated} but uses {names}, which {verb} {newest}"
            yield finding(code, what)


def _invalid(file: Wheel | Sdist, error: Exception) -> Finding:
    message = _first_line(error)
    match = re.search(_INVALID_FIELD, message)
    if match and len(file.metadata.all(match["field"])) > 1:
        message = f"'{match['field']}' is given {len(file.metadata.all(match['field']))} times"
    fix = _USE_BACKEND if _NO_VERSION in message else ""
    return finding("WK701", f"{_source(file)} is not valid: {message}", fix=fix)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def metadata_version(file: Wheel | Sdist, _: Contract) -> Iterator[Finding]:
    """Report a Metadata-Version that is newer than the index knows."""
    version = file.metadata.get("Metadata-Version")
    if version in _TOO_NEW_METADATA:
        yield finding("WK737", f"{_source(file)} declares metadata version {version}")


def local_version(file: Wheel | Sdist, _: Contract) -> Iterator[Finding]:
    """Report a local version."""
    if "+" in file.version:
        yield finding("WK703", f"{file.version} is a local version")


def direct_references(file: Wheel | Sdist, _: Contract) -> Iterator[Finding]:
    """Report requirements on a URL, those of extras included."""
    urls = [str(requirement) for requirement in requirements(file, containing="@") if requirement.url]
    if urls:
        kind = "wheel" if isinstance(file, Wheel) else "sdist"
        yield finding("WK720", f"the {kind} requires {shorten_list(urls)}")


def classifiers(file: Wheel | Sdist, _: Contract) -> Iterator[Finding]:
    """Report classifiers that the index does not know, and those that keep a project off public indexes."""
    stated = sent(file, "Classifier")
    private = [classifier for classifier in stated if classifier.startswith(_PRIVATE)]
    if private:
        yield finding("WK732", f"public indexes refuse files with the classifier {shorten_list(private)}")
    problems = [(one, classifier_problem(one)) for one in stated if one not in private]
    wrong = [f"{classifier} ({problem})" for classifier, problem in problems if problem]
    if wrong:
        verb = "classifier is" if len(wrong) == 1 else "classifiers are"
        yield finding("WK731", f"{len(wrong)} {verb} not on the indexes' list: {shorten_list(wrong)}")


def urls(file: Wheel | Sdist, _: Contract) -> Iterator[Finding]:
    """Report URLs that the index refuses, and URL fields without a value, which it ignores."""
    problems = [*_field_problems(file), *map(_project_url_problem, file.metadata.all("Project-URL"))]
    wrong = [problem for problem in problems if problem]
    if wrong:
        yield finding("WK733", f"not accepted as a URL: {shorten_list(wrong)}")
    empty = [field for field in _URL_FIELDS if file.metadata.all(field) == ("",)]
    if empty:
        yield finding("WK739", f"{_source(file)} has {shorten_list(empty)} without a URL")


def _field_problems(file: Wheel | Sdist) -> Iterator[str]:
    for field in _URL_FIELDS:
        for url in sent(file, field):
            if not is_web_address(url):
                yield f"{field} {url}"


def _project_url_problem(entry: str) -> str:
    label, _comma, url = (part.strip() for part in entry.partition(","))
    if not label:
        return f"Project-URL without a label ({entry})"
    if len(label) > _LONGEST_LABEL:
        return f'Project-URL "{label}", whose label has {len(label)} characters and may have {_LONGEST_LABEL}'
    if not url:
        return f'Project-URL "{label}", which has no URL'
    return "" if is_web_address(url) else f'Project-URL "{label}", {url}'


def summary(file: Wheel | Sdist, _: Contract) -> Iterator[Finding]:
    """Report a summary that is too long."""
    length = len(file.metadata.get("Summary"))
    if length > _LONGEST_SUMMARY:
        yield finding("WK734", f"the summary has {length} characters; {_LONGEST_SUMMARY} are allowed")


def emails(file: Wheel | Sdist, _: Contract) -> Iterator[Finding]:
    """Report e-mail addresses that cannot be right."""
    for field in _EMAIL_FIELDS:
        problem = next(map(email_problem, sent(file, field)), "")
        if problem:
            yield finding("WK735", f"{field}: {problem}")


def license_fields(file: Wheel | Sdist, _: Contract) -> Iterator[Finding]:
    """Report License beside License-Expression (PEP 639 deprecates the older field)."""
    expressions = sent(file, "License-Expression")
    if expressions and sent(file, "License"):
        what = f"{_source(file)} has License as well as License-Expression ({expressions[0]})"
        yield finding("WK736", what)


def rare_fields(file: Wheel | Sdist, _: Contract) -> Iterator[Finding]:
    """Report values of rare fields that packaging's parser accepts and the index refuses."""
    wrong = ["Dynamic: Dynamic"] if "dynamic" in map(str.lower, file.metadata.all("Dynamic")) else []
    for field in ("Provides-Dist", "Obsoletes-Dist"):
        wrong += [f"{field}: {value}" for value in sent(file, field) if not _is_named(value)]
    if wrong:
        yield finding("WK738", f"{_source(file)} has {shorten_list(wrong)}")


def _is_named(value: str) -> bool:
    """Return whether this is a requirement by name, not by URL."""
    with suppress(ValueError):
        return parse_requirement(value).url is None
    return False
