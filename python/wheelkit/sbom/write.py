"""Write an SBOM: CycloneDX 1.6 in JSON, the same bytes for the same content, without paths of the machine."""

from __future__ import annotations

import json
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from wheelkit import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cyclonedx.model import ExternalReference
    from cyclonedx.model.component import Component as BomComponent
    from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression

    from wheelkit.sbom.model import Component
    from wheelkit.wheel import Wheel


_SERIALS = uuid.UUID("b2f4a4be-7d0f-5c4e-9c3a-6d3f1b7a9e21")
_ORIGIN = "wheelkit:origin"


def render(
    wheel: Wheel, components: Sequence[Component], *, complete: bool = False, epoch: int | None = None
) -> bytes:
    """Return the SBOM of a wheel; ``epoch`` is its time in seconds, without which it has none.

    ``complete`` says that the wheel contains nothing else.
    """
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.component import Component as BomComponent
    from cyclonedx.model.component import ComponentType
    from cyclonedx.model.tool import ToolRepository
    from cyclonedx.output.json import JsonV1Dot6
    from packageurl import PackageURL

    name, version = wheel.metadata.get("Name"), wheel.metadata.get("Version")
    purl = PackageURL("pypi", None, wheel.distribution, version, {"file_name": wheel.filename})
    root = BomComponent(type=ComponentType.LIBRARY, name=name, version=version, purl=purl, bom_ref=str(purl))
    tool = BomComponent(type=ComponentType.APPLICATION, name="wheelkit", version=__version__)
    metadata = BomMetaData(component=root, tools=ToolRepository(components=[tool]))
    bom = Bom(metadata=metadata, components=map(_component, components))
    bom.register_dependency(root, bom.components)
    document: dict[str, Any] = json.loads(JsonV1Dot6(bom).output_as_string())
    return _finished(document, str(purl), complete=complete, epoch=epoch)


def _finished(document: dict[str, Any], root: str, *, complete: bool, epoch: int | None) -> bytes:
    """Add what the library lacks, and replace what differs from one run to the next."""
    document["metadata"].pop("timestamp", None)
    if epoch is not None:
        document["metadata"]["timestamp"] = datetime.fromtimestamp(epoch, UTC).isoformat()
    for component in document["metadata"]["tools"]["components"]:
        component.pop("bom-ref", None)
    aggregate = "complete" if complete else "incomplete"
    document["compositions"] = [{"aggregate": aggregate, "assemblies": [root]}]
    document.pop("serialNumber", None)
    content = json.dumps(document, sort_keys=True)
    document["serialNumber"] = f"urn:uuid:{uuid.uuid5(_SERIALS, content)}"
    return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _component(component: Component) -> BomComponent:
    from cyclonedx.model import HashAlgorithm, HashType, Property
    from cyclonedx.model.component import Component as BomComponent
    from cyclonedx.model.component import ComponentType
    from cyclonedx.model.component_evidence import ComponentEvidence, Occurrence
    from packageurl import PackageURL

    purl = _purl(component)
    reference = "#".join((purl, *component.files[:1])) if component.digest else purl
    return BomComponent(
        type=ComponentType.LIBRARY,
        name=component.name,
        version=component.version or None,
        bom_ref=reference,
        purl=PackageURL.from_string(purl),
        cpe=component.cpe or None,
        licenses=_licenses(component.license),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=component.digest)] if component.digest else [],
        external_references=_references(component),
        evidence=ComponentEvidence(occurrences=[Occurrence(location=file) for file in component.files])
        if component.files
        else None,
        properties=[Property(name=_ORIGIN, value=component.origin)] if component.origin else [],
    )


def _purl(component: Component) -> str:
    """Return the package URL; of type generic for what no package manager knows, or what is not one."""
    from packageurl import PackageURL

    with suppress(ValueError):
        return str(PackageURL.from_string(component.purl))
    qualifiers = {"download_url": component.url, "vcs_url": component.vcs}
    if component.url and component.sha256:
        qualifiers["checksum"] = f"sha256:{component.sha256}"
    given = {key: value for key, value in qualifiers.items() if value}
    return str(PackageURL("generic", None, component.name, component.version or None, given))


def _licenses(text: str) -> list[LicenseExpression | DisjunctiveLicense]:
    """Return a license as an SPDX expression if it is one, else by its name."""
    from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    if not text:
        return []
    try:
        return [LicenseExpression(value=canonicalize_license_expression(text))]
    except InvalidLicenseExpression:
        return [DisjunctiveLicense(name=text)]


def _references(component: Component) -> list[ExternalReference]:
    from cyclonedx.model import (
        ExternalReference,
        ExternalReferenceType,
        HashAlgorithm,
        HashType,
        XsUri,
    )

    references = []
    if component.url:
        digest = [HashType(alg=HashAlgorithm.SHA_256, content=component.sha256)] if component.sha256 else []
        references.append(
            ExternalReference(
                type=ExternalReferenceType.DISTRIBUTION, url=XsUri(component.url), hashes=digest
            )
        )
    if component.vcs:
        references.append(ExternalReference(type=ExternalReferenceType.VCS, url=XsUri(component.vcs)))
    return references
