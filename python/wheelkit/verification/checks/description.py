"""The description: the project's page on an index."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Sdist, Wheel


_RST, _CONTENT_TYPE = "text/x-rst", "Description-Content-Type"
# The settings of readme_renderer, which indexes use: the first warning is an error, and no file is read.
_DOCUTILS_SETTINGS = {
    "halt_level": 2,
    "report_level": 5,
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "doctitle_xform": False,
    "syntax_highlight": "short",
    "_disable_config": True,
}


def description(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report a description that is missing, has no markup type, or does not render on an index.

    docutils, which is slow and may be missing, parses only the project's own reStructuredText.
    """
    if wheel.shallow:
        return
    text = _description(wheel)
    if not text:
        yield finding("WK711", "METADATA has no description")
        return
    if contract.promise(wheel.distribution) is not None and not wheel.metadata.get(_CONTENT_TYPE):
        yield finding("WK718", f"METADATA has no {_CONTENT_TYPE}")
    yield from rendering(wheel, contract)


def rendering(file: Wheel | Sdist, contract: Contract) -> Iterator[Finding]:
    """Report a description that does not render, for which the index refuses the file."""
    text = _description(file) if contract.promise(file.distribution) is not None else ""
    markup = file.metadata.get(_CONTENT_TYPE) or _RST
    if text and markup.partition(";")[0].strip().lower() == _RST:
        problem = _rst_problem(text)
        if problem:
            yield finding("WK710", f"the description does not render: {problem}")


def _description(file: Wheel | Sdist) -> str:
    """Return the description, from the body or its field; empty where there is none."""
    body = file.metadata_text.decode("utf-8", errors="replace").replace("\r\n", "\n").partition("\n\n")[2]
    text = body or file.metadata.get("Description")
    return "" if text.strip() in {"", "UNKNOWN"} else text


@cache
def _rst_problem(text: str) -> str:
    """Return the first problem that docutils reports, empty for none; cached for a release's other wheels."""
    try:
        from docutils.core import publish_doctree
        from docutils.utils import SystemMessage
    except ImportError:
        return ""
    from io import StringIO

    try:
        publish_doctree(text, settings_overrides={**_DOCUTILS_SETTINGS, "warning_stream": StringIO()})
    except SystemMessage as error:
        # "<string>:12: (WARNING/2) Title underline too short."
        return "line " + str(error).partition("\n")[0].removeprefix("<string>:")
    except Exception as error:  # noqa: BLE001 - transforms raise anything, and indexes then refuse the text
        return f"docutils fails: {str(error) or type(error).__name__}"
    return ""
