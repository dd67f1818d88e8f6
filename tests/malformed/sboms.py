"""SBOMs in .dist-info/sboms (WK154 to WK158)."""

import json

from malformed.specs import INFO, SO, WheelSpec, malformed

OWN = f"{INFO}/sboms/wheelkit.cdx.json"


def sbom(*components: dict[str, object], **fields: object) -> bytes:
    """Return a valid CycloneDX document apart from what the arguments change."""
    return json.dumps(
        {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components} | fields
    ).encode()


def library(name: str, version: str, *files: str) -> dict[str, object]:
    evidence = {"evidence": {"occurrences": [{"location": file} for file in files]}} if files else {}
    return {"type": "library", "name": name, "version": version, **evidence}


@malformed("WK154")
def an_sbom_that_is_not_json(draft: WheelSpec) -> None:
    draft.members[f"{INFO}/sboms/auditwheel.cdx.json"] = b"{not json"


@malformed("WK154")
def an_sbom_against_its_schema(draft: WheelSpec) -> None:
    draft.members[OWN] = sbom({"type": "libary", "name": "zlib"})


@malformed("WK155")
def an_sbom_with_another_version(draft: WheelSpec) -> None:
    draft.members[SO] += b"\0 inflate 1.3.1 Copyright 1995-2024 Mark Adler \0"
    draft.members[OWN] = sbom(library("zlib", "1.2.13"))


@malformed("WK155")
def an_sbom_with_a_file_that_is_not_there(draft: WheelSpec) -> None:
    draft.members[OWN] = sbom(library("zlib", "1.3.1", "demo/gone.so"))


@malformed("WK156")
def an_sbom_with_the_folder_of_the_build(draft: WheelSpec) -> None:
    component = library("demo", "1.0") | {"bom-ref": "path+file:///home/me/demo#1.0"}
    draft.members[f"{INFO}/sboms/demo.cyclonedx.json"] = sbom(component)


@malformed("WK157")
def a_library_that_wheelkits_sbom_does_not_name(draft: WheelSpec) -> None:
    draft.members[SO] += b"\0 inflate 1.3.1 Copyright 1995-2024 Mark Adler \0"
    draft.members[OWN] = sbom()


@malformed("WK158")
def a_grafted_library_in_no_sbom(draft: WheelSpec) -> None:
    draft.members["demo.libs/libdx-1a2b3c4d.so"] = draft.members[SO]
