"""The SBOMs in a wheel's .dist-info/sboms (PEP 770), and what they name.

CycloneDX in JSON, as auditwheel, maturin and wheelkit write it, is validated by its schema. The SPDX form in
JSON is read for its packages only; other forms are left alone.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from wheelkit.fast_packaging import normalise
from wheelkit.inputs import json_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.wheel import Wheel


OWN_FILE = "wheelkit.cdx.json"
"""The SBOM that wheelkit writes: with it, a wheel names all that wheelkit could find."""
# Where cyclonedx-python-lib keeps the schemas; its own validator takes seconds for what maturin writes.
_SCHEMAS = "schema/_res"
_SCHEMA_FILES = ("bom-{}-strict.SNAPSHOT.schema.json", "bom-{}.SNAPSHOT.schema.json")
_REFERRED = ("spdx.SNAPSHOT", "jsf-0.82.SNAPSHOT", "cryptography-defs.SNAPSHOT")
_REFERENCE = "http://cyclonedx.org/schema/{}.schema.json"
_SPEC_VERSION = re.compile(r"1\.\d{1,2}")
_DEEPEST = 20
_LONGEST = 300


class SbomComponent(Struct, frozen=True, kw_only=True):
    """What one SBOM says of one component; ``digests`` are sha256, ``files`` the members that contain it."""

    name: str
    version: str = ""
    purl: str = ""
    cpe: str = ""
    digests: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


class Sbom(Struct, frozen=True, kw_only=True):
    """One file in sboms/: why it cannot be used, or the components that it names."""

    member: str
    problem: str = ""
    components: tuple[SbomComponent, ...] = ()

    @property
    def own(self) -> bool:
        """Whether wheelkit wrote it."""
        return self.member.endswith(f"/{OWN_FILE}")


def read_sboms(wheel: Wheel) -> tuple[Sbom, ...]:
    """Read the SBOMs of a wheel in JSON."""
    return tuple(
        read_sbom(member, contents) for member, contents in wheel.sboms.items() if member.endswith(".json")
    )


@lru_cache(maxsize=16)  # several checks of one wheel ask for it
def read_sbom(member: str, contents: bytes) -> Sbom:
    """Read one SBOM in JSON."""
    try:
        document = json_value(contents)
    except ValueError as error:
        return Sbom(member=member, problem=f"it is not JSON: {error}")
    if not isinstance(document, dict):
        return Sbom(member=member, problem="it is JSON, but not an object")
    if document.get("bomFormat") == "CycloneDX":
        problem = schema_problem(document)
        found = () if problem else tuple(_cyclonedx(document.get("components"), 0))
        return Sbom(member=member, problem=problem, components=found)
    if "spdxVersion" in document or "@context" in document:
        return Sbom(member=member, components=tuple(_spdx(document.get("packages"))))
    return Sbom(member=member, problem="it is JSON, but neither CycloneDX nor SPDX")


def count_components(wheel: Wheel) -> int:
    """Return how many components the SBOMs of a wheel name besides the wheel itself, each counted once."""
    components = (component for sbom in read_sboms(wheel) for component in sbom.components)
    return len({(one.name, one.version) for one in components if normalise(one.name) != wheel.distribution})


def schema_problem(document: dict[str, Any]) -> str:
    """Return the first contradiction of a CycloneDX document to its schema; empty if there is none.

    A version that is newer than the schemas here is not judged.
    """
    version = document.get("specVersion")
    if not isinstance(version, str) or not _SPEC_VERSION.fullmatch(version):
        return "it does not say which version of CycloneDX it is (specVersion)"
    validator = _validator(version)
    if validator is None:
        return ""
    error = next(validator.iter_errors(document), None)
    if error is None:
        return ""
    place = ".".join(map(str, error.instance_path))
    return f"it is not CycloneDX {version}: {f'{place}: ' if place else ''}{error.message[:_LONGEST]}"


@cache
def _validator(version: str) -> Any:  # noqa: ANN401 - jsonschema_rs has a type for each draft
    import jsonschema_rs

    folder = files("cyclonedx").joinpath(_SCHEMAS)
    for name in _SCHEMA_FILES:
        path = folder.joinpath(name.format(version))
        if path.is_file():
            schema = json_value(path.read_bytes())
            referred = [
                (_REFERENCE.format(name), json_value(folder.joinpath(f"{name}.schema.json").read_bytes()))
                for name in _REFERRED
            ]
            registry = jsonschema_rs.Registry(referred)
            return jsonschema_rs.Draft7Validator(schema, registry=registry, validate_formats=True)
    return None


def _cyclonedx(components: object, depth: int) -> Iterator[SbomComponent]:
    """Yield components and those inside of them; a document without a schema here may have any shape."""
    for component in _tables(components):
        evidence = component.get("evidence")
        occurrences = _tables(evidence.get("occurrences")) if isinstance(evidence, dict) else ()
        yield SbomComponent(
            name=_text(component, "name"),
            version=_text(component, "version"),
            purl=_text(component, "purl"),
            cpe=_text(component, "cpe"),
            digests=tuple(
                _text(one, "content").lower()
                for one in _tables(component.get("hashes"))
                if one.get("alg") == "SHA-256"
            ),
            files=tuple(filter(None, (_text(one, "location") for one in occurrences))),
        )
        if depth < _DEEPEST:
            yield from _cyclonedx(component.get("components"), depth + 1)


def _spdx(packages: object) -> Iterator[SbomComponent]:
    for package in _tables(packages):
        purls = (
            _text(one, "referenceLocator")
            for one in _tables(package.get("externalRefs"))
            if one.get("referenceType") == "purl"
        )
        name, version = _text(package, "name"), _text(package, "versionInfo")
        yield SbomComponent(name=name, version=version, purl=next(purls, ""))


def _tables(value: object) -> Iterator[dict[str, Any]]:
    yield from (one for one in value if isinstance(one, dict)) if isinstance(value, list) else ()


def _text(table: dict[str, Any], key: str) -> str:
    value = table.get(key)
    return value if isinstance(value, str) else ""


def hex_digest(digest: str) -> str:
    """Return a member's sha256 in hexadecimal; empty where RECORD uses another algorithm."""
    algorithm, _, value = digest.partition("=")
    return urlsafe_b64decode(f"{value}=").hex() if algorithm == "sha256" and value else ""
