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


def renders(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report a description that the index's renderer refuses, and one that is missing.

    Markdown and plain text always render. reStructuredText is proven with readme_renderer, which indexes use, where it is installed
    (``twine`` brings it); where it is not, nothing is said.
    """
    if wheel.shallow:
        return
    text = _body(wheel.metadata_text) or wheel.metadata.get("Description")
    if not text.strip() or text.strip() == "UNKNOWN":
        yield found("WK711", what="METADATA has no description", file=wheel.filename)
        return
    kind = wheel.metadata.get("Description-Content-Type", _RST).partition(";")[0].strip().lower()
    trouble = _rst_trouble(text) if kind == _RST else ""
    if trouble:
        yield found("WK710", what=f"the description does not render: {trouble}", file=wheel.filename)


def _body(metadata: bytes) -> str:
    """Give what follows the first empty line."""
    text = metadata.decode("utf-8", errors="replace").replace("\r\n", "\n")
    return text.partition("\n\n")[2]


@cache
def _rst_trouble(text: str) -> str:
    """Render once for all wheels of a release; gives the first complaint, empty where there is none."""
    if _no_markup(text):
        return ""
    try:
        from readme_renderer import rst
    except ImportError:
        return ""
    from io import StringIO

    complaints = StringIO()
    if rst.render(text, stream=complaints) is not None:
        return ""
    # docutils writes "<string>:12: (WARNING/2) Title underline too short."
    lines = [line.removeprefix("<string>:") for line in complaints.getvalue().splitlines() if line.startswith("<string>:")]
    return f"line {lines[0]}" if lines else "the renderer gives nothing back"


def _no_markup(text: str) -> bool:
    """Tell whether the text is one paragraph of letters, so that the renderer (100 ms to load) need not be asked."""
    return "\n\n" not in text.strip() and text.replace("\n", " ").replace(",", "").replace(".", "").replace(" ", "").isalnum()
