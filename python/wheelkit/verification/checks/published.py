"""The files of a release on an index against those that were built: the same names and bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wheelkit.verification.model import Finding


class PublishedFiles(Struct, frozen=True, kw_only=True):
    """The sha256 of a release's files on an index and in the manifests, and the yanked files (PEP 592)."""

    index: str
    distribution: str
    published: Mapping[str, str]
    built: Mapping[str, str]
    yanked: tuple[str, ...] = ()


def as_built(files: PublishedFiles) -> Iterator[Finding]:
    """Report published files that were not built or have other bytes, and built files that are missing."""
    if not files.built:
        return
    for name, digest in files.published.items():
        built = files.built.get(name)
        if built is None:
            yield finding("WK903", f"it is on {files.index}, but in no manifest", file=name)
        elif digest and digest != built:
            what = f"its sha256 is {digest[:12]}… on {files.index}, but {built[:12]}… in the manifest"
            yield finding("WK901", what, file=name)
    for name in files.built:
        if name not in files.published:
            what = f"{name} is in the manifest, but not on {files.index}"
            yield finding("WK902", what, where=files.distribution)


def yanked(files: PublishedFiles) -> Iterator[Finding]:
    """Report a release with yanked files."""
    for name in files.yanked[:1]:
        yield finding("WK904", f"{files.index} marks it as yanked", file=name)
