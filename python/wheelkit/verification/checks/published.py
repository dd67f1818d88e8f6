"""What an index shows of a release against what was built: the same files, the same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wheelkit.verification.model import Finding


class Shown(Struct, frozen=True, kw_only=True):
    """The files of one release by name, with their sha256 (empty where it is not known): on an index, and in the manifests.

    ``built`` is empty where no manifest is at hand; nothing is compared then. ``yanked`` are those that the index marks so (PEP 592).
    """

    index: str
    distribution: str
    there: Mapping[str, str]
    built: Mapping[str, str]
    yanked: tuple[str, ...] = ()


def as_built(shown: Shown) -> Iterator[Finding]:
    """Report files that are other than were built, missing, or nobody's."""
    if shown.built:
        for name, digest in shown.there.items():
            built = shown.built.get(name)
            if built is None:
                yield finding("WK903", what=f"{shown.index} has it, and no manifest here does", file=name)
            elif digest and digest != built:
                yield finding(
                    "WK901",
                    what=f"sha256 {digest[:12]}… on {shown.index}, {built[:12]}… in the manifest",
                    file=name,
                )
        for name in shown.built:
            if name not in shown.there:
                yield finding(
                    "WK902",
                    what=f"{name} is in the manifest and not on {shown.index}",
                    where=shown.distribution,
                )


def yanked(shown: Shown) -> Iterator[Finding]:
    """Report a release that was withdrawn."""
    for name in shown.yanked[:1]:
        yield finding("WK904", what=f"{shown.index} marks it as yanked", file=name)
