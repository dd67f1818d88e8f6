"""The description that an index shows as the project's page: whether it is there, and whether it renders."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from wheelkit.checks.catalogue import found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.checks.contract import Contract
    from wheelkit.report.model import Finding
    from wheelkit.wheel import Wheel

_RST = "text/x-rst"


def renders(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report a description that the index's renderer refuses, one of unknown markup, and one that is missing.

    Markdown and plain text always render. reStructuredText is parsed by docutils, as on the index, where it is installed (``twine``
    brings it); where it is not, nothing is said. That takes longer than all other checks of a small wheel together, so it is done
    for the project's own distributions only: nobody else can mend it.
    """
    if wheel.shallow:
        return
    text = _body(wheel.metadata_text) or wheel.metadata.get("Description")
    if not text.strip() or text.strip() == "UNKNOWN":
        yield found("WK711", what="METADATA has no description", file=wheel.filename)
        return
    said = wheel.metadata.get("Description-Content-Type")
    kind = (said or _RST).partition(";")[0].strip().lower()
    own = contract.promise(wheel.distribution) is not None
    if own and not said:
        yield found("WK718", what="METADATA does not say which markup its description is in", file=wheel.filename)
    trouble = _rst_trouble(text) if own and kind == _RST else ""
    if trouble:
        yield found("WK710", what=f"the description does not render: {trouble}", file=wheel.filename)


def _body(metadata: bytes) -> str:
    """Give what follows the first empty line."""
    text = metadata.decode("utf-8", errors="replace").replace("\r\n", "\n")
    return text.partition("\n\n")[2]


# As readme_renderer, which indexes use, asks docutils: the first warning ends it, and nothing is read from the disk.
_SETTINGS = {
    "halt_level": 2,
    "report_level": 5,
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "doctitle_xform": False,
    "syntax_highlight": "short",
    "_disable_config": True,
}


@cache
def _rst_trouble(text: str) -> str:
    """Parse once for all wheels of a release; gives the first complaint, empty where there is none."""
    if _no_markup(text):
        return ""
    try:
        from docutils.core import publish_doctree
        from docutils.utils import SystemMessage
    except ImportError:
        return ""
    from io import StringIO

    try:
        publish_doctree(text, settings_overrides={**_SETTINGS, "warning_stream": StringIO()})
    except SystemMessage as error:
        # "<string>:12: (WARNING/2) Title underline too short."
        first = str(error).partition("\n")[0].removeprefix("<string>:")
        return f"line {first}"
    except Exception as error:  # noqa: BLE001 - docutils' transforms raise whatever they stumble over, and indexes refuse the text then, too
        return f"docutils stops at it: {str(error) or type(error).__name__}"
    return ""


def _no_markup(text: str) -> bool:
    """Tell whether the text is one paragraph of letters, so that docutils (100 ms to load) need not be asked."""
    return "\n\n" not in text.strip() and text.replace("\n", " ").replace(",", "").replace(".", "").replace(" ", "").isalnum()
