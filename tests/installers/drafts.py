"""Generated wheels: each number stands for a valid wheel with up to three oddities, drawn by the number."""

import random
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from installers.zips import Archive, Entry
from support import wheels

T = TypeVar("T")
# The absolute path that odd names lead to: outside of every environment, and used by no system.
OUTSIDE = "tmp/wheelkit-outside"
# How many oddities a wheel has: most have one, so that the reason of a refusal is plain.
_COUNTS = (0, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 3)


@dataclass(kw_only=True)
class File:
    """One member before it is packed: its path, contents and Unix mode."""

    path: str
    data: bytes
    mode: int = 0o100644
    recorded: bool = True


@dataclass(kw_only=True)
class Draft:
    """A wheel that oddities change: the parts of its names, its texts, members, and edits of each step."""

    chance: random.Random
    name: str = "demo"
    version: str = "1.0"
    build: str = ""
    tags: str = "py3-none-any"
    suffix: str = ".whl"
    info: str = "demo-1.0.dist-info"
    data: str = "demo-1.0.data"
    files: list[File] = field(default_factory=list)
    metadata: bytes | None = b""
    wheel: bytes | None = b""
    entry_points: bytes | None = None
    texts: dict[str, bytes] = field(default_factory=dict)
    record_edits: list[Callable[[str], str]] = field(default_factory=list)
    record_bytes: bytes | None = None
    with_record: bool = True
    entry_edits: list[Callable[[list[Entry]], object]] = field(default_factory=list)
    archive_edits: list[Callable[[Archive], object]] = field(default_factory=list)
    byte_edits: list[Callable[[bytes], bytes]] = field(default_factory=list)
    oddities: list[str] = field(default_factory=list)

    @property
    def filename(self) -> str:
        """The wheel's file name."""
        build = (self.build,) if self.build else ()
        return "-".join((self.name, self.version, *build, self.tags)) + self.suffix

    def add(self, path: str, data: bytes | str = b"x = 1\n", mode: int = 0o100644) -> None:
        """Add a member; ``{data}`` and ``{info}`` in its path are the two folders of the wheel."""
        contents = data.encode() if isinstance(data, str) else data
        whole = path.replace("{data}", self.data).replace("{info}", self.info)
        self.files.append(File(path=whole, data=contents, mode=mode))

    def swap(self, old: bytes, new: bytes) -> None:
        """Change METADATA, where it was not removed."""
        if self.metadata is not None:
            self.metadata = self.metadata.replace(old, new)

    def describe(self) -> str:
        """Return the oddities in words."""
        return " + ".join(self.oddities) or "valid"

    def members(self) -> list[File]:
        """Return all members but RECORD."""
        texts = {
            "METADATA": self.metadata,
            "WHEEL": self.wheel,
            "entry_points.txt": self.entry_points,
            **self.texts,
        }
        infos = [
            File(path=f"{self.info}/{name}", data=text) for name, text in texts.items() if text is not None
        ]
        return [*self.files, *infos]

    def contents(self) -> bytes:
        """Return the wheel's bytes."""
        members = self.members()
        if self.with_record:
            members.append(File(path=f"{self.info}/RECORD", data=self._record(members)))
        entries = [_entry(member) for member in members]
        for edit_entries in self.entry_edits:
            edit_entries(entries)
        archive = Archive(entries=entries)
        for edit_archive in self.archive_edits:
            edit_archive(archive)
        data = archive.write()
        for edit_bytes in self.byte_edits:
            data = edit_bytes(data)
        return data

    def _record(self, members: list[File]) -> bytes:
        if self.record_bytes is not None:
            return self.record_bytes
        rows = [wheels.row(_quoted(file.path), file.data) for file in members if _in_record(file)]
        text = "\n".join([*rows, f"{self.info}/RECORD,,"]) + "\n"
        for edit in self.record_edits:
            text = edit(text)
        return text.encode("utf-8", errors="surrogateescape")

    def write(self, folder: Path) -> Path:
        """Write the wheel as a file."""
        path = folder / self.filename
        path.write_bytes(self.contents())
        return path


def _in_record(file: File) -> bool:
    return file.recorded and not file.path.endswith("/")


def _quoted(path: str) -> str:
    special = not {",", '"', "\n", "\r"}.isdisjoint(path)
    return '"' + path.replace('"', '""') + '"' if special else path


def _entry(file: File) -> Entry:
    raw = file.path.encode("utf-8", errors="surrogateescape")
    flags = 0 if raw.isascii() else 0x800
    folder = 0x10 if file.path.endswith("/") else 0
    return Entry(name=raw, data=file.data, flags=flags, attributes=file.mode << 16 | folder)


def valid(chance: random.Random) -> Draft:
    """Return a valid wheel of random shape."""
    draft = Draft(chance=chance)
    draft.metadata = wheels.metadata("demo", "1.0", *_lines(chance)).encode()
    draft.wheel = wheels.wheel_file(draft.filename).encode()
    draft.add("demo/__init__.py", "def main():\n    return 0\n")
    for _ in range(chance.randrange(3)):
        stem = "".join(chance.choices(string.ascii_lowercase, k=4))
        suffix = chance.choice((".py", ".txt", ".json", ""))
        draft.add(f"demo/{chance.choice(('', 'sub/'))}{stem}{suffix}", f"x = {chance.randrange(999)}\n")
    if chance.random() < 0.4:
        draft.entry_points = b"[console_scripts]\ndemo-run = demo:main\n"
    if chance.random() < 0.25:
        draft.add("{data}/scripts/demo-tool", "#!python\nprint(1)\n", chance.choice((0o100755, 0o100644)))
    if chance.random() < 0.15:
        draft.add("{data}/data/share/demo/page.txt", "page\n")
    if chance.random() < 0.1:
        draft.add("{data}/headers/demo.h", "int demo;\n")
    return draft


def _lines(chance: random.Random) -> list[str]:
    lines = (
        "Summary: A demo",
        "Requires-Python: >=3.8",
        "Requires-Dist: other>=1",
        'Requires-Dist: more[x]; extra == "test"',
        "Provides-Extra: test",
        "Classifier: Typing :: Typed",
    )
    return [line for line in lines if chance.random() < 0.4]


Oddity = Callable[[Draft], object]
ODDITIES: dict[str, Oddity] = {}


def oddity(change: Oddity) -> Oddity:
    """Add a function that changes a wheel to ODDITIES, named after the function."""
    name = getattr(change, "__name__", "").replace("_", " ")
    assert name not in ODDITIES
    ODDITIES[name] = change
    return change


def choose(draft: Draft, variants: dict[str, T]) -> T:
    """Draw one of the variants, and add its name to the oddity's."""
    name = draft.chance.choice(list(variants))
    draft.oddities[-1] += f" ({name})"
    return variants[name]


def pick(draft: Draft, *values: str) -> str:
    """Draw one of the texts, and add it to the oddity's name."""
    return choose(draft, {_shown(value): value for value in values})


def _shown(value: str) -> str:
    text = repr(value)[1:-1]
    return text if len(text) < 80 else f"{text[:20]}... of {len(value)}"


def generate(number: int, seed: int = 0, *, keep: frozenset[int] | None = None) -> Draft:
    """Return the wheel with this number; ``keep`` leaves out the oddities at other places."""
    chance = random.Random(f"{seed}-{number}")  # noqa: S311 - the same wheels each time
    names = chance.sample(sorted(ODDITIES), chance.choice(_COUNTS))
    seeds = [chance.random() for _ in names]
    draft = valid(random.Random(chance.random()))  # noqa: S311
    for place, (name, own) in enumerate(zip(names, seeds, strict=True)):
        if keep is None or place in keep:
            draft.chance = random.Random(own)  # noqa: S311
            draft.oddities.append(name)
            ODDITIES[name](draft)
    return draft
