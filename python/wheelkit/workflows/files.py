"""The generated files of a CI service: written, or compared with those in the repository."""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.errors import OutputError, UsageError
from wheelkit.inputs import read_text
from wheelkit.workflows import github, gitlab, user_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from wheelkit.matrix import Target
    from wheelkit.workflows.jobs import Blueprint
    from wheelkit.workflows.user_blocks import UserLines


class Provider(Struct, frozen=True, kw_only=True):
    """A CI service: the functions that write its files and return the label of a target's runner.

    The project may have its own ``optional`` files instead: no release depends on them.
    """

    files: Callable[[Blueprint, Mapping[str, UserLines]], dict[str, str]]
    label: Callable[[Target, Mapping[str, str]], str | None]
    optional: frozenset[str] = frozenset()


PROVIDERS: Mapping[str, Provider] = {
    "github": Provider(files=github.files, label=github.label, optional=frozenset({github.CI_FILE})),
    "gitlab": Provider(files=gitlab.files, label=gitlab.label),
}
_MARK = "# Written by `wheelkit ci`"


class GeneratedFile(Struct, frozen=True, kw_only=True):
    """A file with its generated text and its present one (None: it does not exist).

    A ``foreign`` file is the project's own and stays unchanged.
    """

    path: Path
    text: str
    found: str | None
    foreign: bool = False

    @property
    def fresh(self) -> bool:
        """Whether the file is up to date."""
        return self.foreign or self.text == self.found


class Drift(Struct, frozen=True, kw_only=True):
    """A file that is out of date, with the diff to its generated text."""

    path: str
    added: int
    removed: int
    diff: str

    def __str__(self) -> str:
        """Return the path and the extent of the difference."""
        return f"{self.path}: {self.added} lines to add, {self.removed} to remove"


def generate(plan: Blueprint, provider: str, root: Path) -> tuple[GeneratedFile, ...]:
    """Compute a provider's files for a repository, with the user's lines of the existing ones.

    Raises UsageError for a file that wheelkit did not write and a release needs, for broken markers, and for
    user's lines whose block no longer exists.
    """
    service = PROVIDERS[provider]
    found = {name: _read(root / name) for name in service.files(plan, {})}
    foreign = {name for name in service.optional if not (found[name] or _MARK).startswith(_MARK)}
    user_lines = {
        name: _read_user_lines(root / name, text)
        for name, text in found.items()
        if text is not None and name not in foreign
    }
    texts = service.files(plan, user_lines)
    for name, lines in user_lines.items():
        _require_blocks(root / name, lines, user_blocks.read(texts[name], root / name))
    return tuple(
        GeneratedFile(path=root / name, text=text, found=found[name], foreign=name in foreign)
        for name, text in texts.items()
    )


def _read(path: Path) -> str | None:
    try:
        return read_text(path)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise UsageError(
            f"{path} cannot be read: {reason}", hint="fix it or move it away, then run: wheelkit ci"
        ) from error


def _read_user_lines(path: Path, text: str) -> UserLines:
    if not text.startswith(_MARK):
        raise UsageError(
            f"{path} was not written by wheelkit ci, and is never overwritten",
            hint="move it away, run wheelkit ci, and put your own steps between the markers",
        )
    return user_blocks.read(text, path)


def _require_blocks(path: Path, user_lines: UserLines, blocks: UserLines) -> None:
    for name, lines in user_lines.items():
        if name not in blocks and any(line.strip() for line in lines):
            raise UsageError(
                f'{path} has your own lines in the block "{name}", which this workflow no longer has',
                hint=f"move them to one of these blocks, or remove them: {', '.join(blocks)}",
            )


def compare(files: Iterable[GeneratedFile], root: Path) -> tuple[Drift, ...]:
    """Return the files that are out of date."""
    return tuple(_drift(file, root) for file in files if not file.fresh)


def _drift(file: GeneratedFile, root: Path) -> Drift:
    name = file.path.relative_to(root).as_posix()
    texts = (file.found or "").splitlines(), file.text.splitlines()
    lines = list(unified_diff(*texts, f"{name} (now)", f"{name} (generated)", lineterm=""))
    added, removed = (sum(line.startswith(sign) for line in lines[2:]) for sign in "+-")
    return Drift(path=name, diff="\n".join(lines), added=added, removed=removed)


def write(files: Iterable[GeneratedFile]) -> None:
    """Write the files that are out of date."""
    for file in files:
        if not file.fresh:
            try:
                file.path.parent.mkdir(parents=True, exist_ok=True)
                file.path.write_text(file.text, encoding="utf-8", newline="\n")
            except OSError as error:
                raise OutputError.of(error, file.path) from error
