"""The generated files of a provider: written, or compared with what stands in the repository."""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.errors import OutputError, UsageError
from wheelkit.workflows import github, gitlab, user_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from wheelkit.matrix import Target
    from wheelkit.workflows.jobs import Blueprint
    from wheelkit.workflows.model import Kept


class Provider(Struct, frozen=True, kw_only=True):
    """A CI service: what writes its files, and which of its runners builds a target.

    ``optional`` files may be somebody else's: what is released does not come from them.
    """

    files: Callable[[Blueprint, Mapping[str, Kept]], dict[str, str]]
    label: Callable[[Target, Mapping[str, str]], str | None]
    optional: frozenset[str] = frozenset()


PROVIDERS: Mapping[str, Provider] = {
    "github": Provider(files=github.files, label=github.label, optional=frozenset({github.CI_FILE})),
    "gitlab": Provider(files=gitlab.files, label=gitlab.label),
}
_OURS = "# Written by `wheelkit ci`"


class GeneratedFile(Struct, frozen=True, kw_only=True):
    """A file as it should be, and as it is (None: not there); ``foreign``: somebody else's, which stays as it is."""

    path: Path
    text: str
    found: str | None
    foreign: bool = False

    @property
    def fresh(self) -> bool:
        """Whether nothing is to be written."""
        return self.foreign or self.text == self.found


class Drift(Struct, frozen=True, kw_only=True):
    """A file that does not follow from the configuration, and the difference (from what it is to what it should be)."""

    path: Path
    diff: str
    added: int
    removed: int

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.path}: {self.added} lines to add, {self.removed} to remove"


def generate(plan: Blueprint, provider: str, root: Path) -> tuple[GeneratedFile, ...]:
    """Compute the provider's files for a repository, with the hand-written lines of those that are there.

    Raises UsageError for a file of somebody else's making that no release goes without, for broken marks, and for hand-written lines
    whose place is gone.
    """
    service = PROVIDERS[provider]
    found = {name: _read(root / name) for name in service.files(plan, {})}
    foreign = {name for name in service.optional if not (found[name] or _OURS).startswith(_OURS)}
    kept = {
        name: _kept(root / name, text)
        for name, text in found.items()
        if text is not None and name not in foreign
    }
    texts = service.files(plan, kept)
    for name, lines in kept.items():
        _require_places(root / name, lines, user_blocks.read_user_blocks(texts[name], root / name))
    return tuple(
        GeneratedFile(path=root / name, text=text, found=found[name], foreign=name in foreign)
        for name, text in texts.items()
    )


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(
            f"{path} cannot be read: {reason}", hint="mend it or move it away, then run: wheelkit ci"
        ) from error


def _kept(path: Path, text: str) -> dict[str, tuple[str, ...]]:
    if not text.startswith(_OURS):
        raise UsageError(
            f"{path} was not written by wheelkit ci, and it is never overwritten",
            hint="move it away, run wheelkit ci, and put your own steps between the lines marked as yours",
        )
    return user_blocks.read_user_blocks(text, path)


def _require_places(path: Path, lines: Kept, known: Kept) -> None:
    homeless = [
        name for name, kept in lines.items() if name not in known and any(line.strip() for line in kept)
    ]
    if homeless:
        raise UsageError(
            f'{path} holds hand-written lines in "{homeless[0]}", a place that this workflow does not have any more',
            hint=f"move them to one of these, or remove them: {', '.join(known)}",
        )


def compare(files: Iterable[GeneratedFile], root: Path) -> tuple[Drift, ...]:
    """List the files that are not as they should be."""
    return tuple(_drift(one, root) for one in files if not one.fresh)


def _drift(one: GeneratedFile, root: Path) -> Drift:
    name = one.path.relative_to(root)
    lines = list(
        unified_diff(
            (one.found or "").splitlines(),
            one.text.splitlines(),
            f"{name} (as it is)",
            f"{name} (as it should be)",
            lineterm="",
        )
    )
    changes = lines[2:]
    added, removed = (sum(line.startswith(sign) for line in changes) for sign in "+-")
    return Drift(path=name, diff="\n".join(lines), added=added, removed=removed)


def write(files: Iterable[GeneratedFile]) -> None:
    """Write the files that are not as they should be."""
    for one in files:
        if not one.fresh:
            try:
                one.path.parent.mkdir(parents=True, exist_ok=True)
                one.path.write_text(one.text, encoding="utf-8", newline="\n")
            except OSError as error:
                raise OutputError.of(error, one.path) from error
