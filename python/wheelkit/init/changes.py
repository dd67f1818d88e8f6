"""What init would do to a folder, as values: shown first, written afterwards."""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class Change(Struct, frozen=True, kw_only=True):
    """A file as it will be, and the bytes that it holds now (None: it is new); ``notes`` say what of it was guessed."""

    path: Path
    text: str
    before: bytes | None = None
    notes: tuple[str, ...] = ()


def diff(change: Change, root: Path) -> str:
    """Show a change of a file that is there as a unified diff."""
    name = change.path.relative_to(root).as_posix()
    old = (change.before or b"").decode("utf-8").splitlines()
    return "\n".join(unified_diff(old, change.text.splitlines(), f"{name} (now)", f"{name} (then)", lineterm=""))


def write(changes: Iterable[Change]) -> None:
    """Write the files; one that was changed since it was read, or that appeared, is left alone and told by an OutputError."""
    for change in changes:
        try:
            change.path.parent.mkdir(parents=True, exist_ok=True)
            if change.before is None:
                with change.path.open("x", encoding="utf-8", newline="") as stream:
                    stream.write(change.text)
            elif change.path.read_bytes() == change.before:
                change.path.write_text(change.text, encoding="utf-8", newline="")
            else:
                raise OutputError(f"{change.path} was changed in the meantime, and was left alone", hint="run wheelkit init again")
        except OSError as error:
            raise OutputError.of(error, change.path) from error
