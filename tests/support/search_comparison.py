"""Compare where wheelkit and the loader of this machine find libraries, in layouts made from a seed."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from support import wheels
from support.loader import build, build_opener, load
from wheelkit.analysis.search import loader_of
from wheelkit.wheel import read

INIT = "PyInit__core"
FOLDERS = ("demo", "demo/sub", "demo.libs")
# From each of these folders, some lead to another one, some nowhere.
PATHS = (
    "$ORIGIN", "$ORIGIN/", "${ORIGIN}/sub", "$ORIGIN/../demo.libs", "$ORIGIN/../../demo.libs",
    "$ORIGIN/../demo", "$ORIGIN/../demo/sub", "$ORIGIN/..", "$ORIGINAL", "/nowhere", "$ORIGIN/nowhere",
)  # fmt: skip
_NOT_FOUND = re.compile(r"(\S+): cannot open shared object file")


@dataclass(kw_only=True)
class Searches:
    """Counts of what was compared, and texts about each disagreement."""

    found: int = 0
    lost: int = 0
    disagreements: list[str] = field(default_factory=list)


def compare(folder: Path, count: int, seed: int) -> Searches:
    """Make `count` layouts of libraries that need each other, and load each library."""
    chance = random.Random(seed)  # noqa: S311 - the same seed makes the same files
    result = Searches()
    opener = build_opener(folder)
    for number in range(count):
        place = folder / f"layout{number}"
        members = _layout(place, chance)
        _compare(opener, place, members, result)
    return result


def _layout(place: Path, chance: random.Random) -> list[str]:
    """Link libraries, each of which needs some of those before it, and return their paths."""
    for name in FOLDERS:
        (place / name).mkdir(parents=True)
    members: list[str] = []
    for number in range(chance.choice((3, 4, 5))):
        member = f"{chance.choice(FOLDERS)}/libq{number}.so"
        needed = [place / other for other in members if chance.randrange(2)]
        chance.shuffle(needed)
        build(place / member, _source(number), _options(needed, f"libq{number}.so", chance))
        members.append(member)
    return members


def _source(number: int) -> str:
    return f"int PyInit__core(void) {{ return {number}; }}"


def _options(needed: Sequence[Path], name: str, chance: random.Random) -> list[str]:
    paths = chance.sample(PATHS, chance.choice((0, 1, 2)))
    tags = chance.choice(("--enable-new-dtags", "--disable-new-dtags"))
    # Now and then a soname differs from the file's name, under which nobody can find it.
    soname = chance.choice((name, name, name, "", name.replace("lib", "libother")))
    return [
        "-shared", "-fPIC", "-nostdlib", "-Wl,--no-as-needed", "-Wl,--allow-shlib-undefined", f"-Wl,{tags}",
        *([f"-Wl,-soname,{soname}"] if soname else []),
        *([f"-Wl,-rpath,{':'.join(paths)}"] if paths else []),
        *(option for path in needed for option in (f"-L{path.parent}", f"-l:{path.name}")),
    ]  # fmt: skip


def _compare(opener: Path, place: Path, members: Sequence[str], result: Searches) -> None:
    contents = {member: (place / member).read_bytes() for member in members}
    loader = loader_of(read(wheels.write_wheel(place, members=contents)))
    for member in members:
        run = loader.load(loader.files[member])
        outcome = load(opener, place / member, INIT)
        missing = _NOT_FOUND.match(outcome.refusal)
        lost = missing[1] if missing else outcome.refusal
        expected = run.lost[0][1] if run.lost else ""
        if lost != expected:
            text = (
                f"{place.name}/{member}: the loader misses {lost or 'nothing'}, not {expected or 'nothing'}"
            )
            result.disagreements.append(text)
        elif lost:
            result.lost += 1
        else:
            result.found += 1
