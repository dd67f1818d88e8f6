"""Compare how METADATA is read with pip, packaging and uv: python ci/compare-metadata.py [COUNT] [SEED].

The texts follow from the seed, so the same seed repeats a difference. pip reads METADATA with ``email``. What
uv reads is taken from ``uv pip check``, for texts without a line at which ``email`` stops: there the two
differ.
"""

import email
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from packaging.metadata import parse_email

from wheelkit.wheel.dist_info import parse_headers

STEP = 1000
NOISE = (
    "", "", " ", "        ", "\t", "  more", "\tmore: of it", "no field", "From me", ": x", "Name : x",
    "X-Own: 1", "X-Own:", "Author: é ü", "License: Copyright", "Summary: a\x0cb", "Summary: a\u2028b",
    "Keywords: =?utf-8?q?a?=",
    "Author: x ",
    "Description: a\\nb", "Platform:\tany",
)  # fmt: skip
OTHERS = ("Provides-Extra: test", "Provides-Extra: docs", "Classifier: Typing :: Typed")
FREE = ("License: text", "Author: somebody", "Summary: words", "Keywords: a,b")
FOLDS = ("        ", "\t", "    \t ", "        All rights reserved.", "  Name: not a field", "\tx")
ENDS = ("\n", "\n", "\n", "\n", "\r\n")


def make(chance: random.Random, number: int) -> str:
    """Make one text: fields in any order, free fields with folded lines, an odd line in every third text."""
    lines = [
        f"Requires-Python: >=99.{chance.randrange(9)}",
        *(f"Requires-Dist: q{number}x{index}>{index}" for index in range(chance.randrange(3))),
        *chance.sample(
            ("Provides-Extra: test", "Provides-Extra: docs", "Classifier: Typing :: Typed"),
            chance.randrange(4),
        ),
    ]
    free = chance.sample(FREE, chance.randrange(3))
    lines += ["\0".join([field, *chance.choices(FOLDS, k=chance.randrange(4))]) for field in free]
    chance.shuffle(lines)
    lines = ["Metadata-Version: 2.1", f"Name: p{number}", "Version: 1.0", *lines]
    if chance.randrange(3) == 0:
        place = chance.randrange(3, len(lines) + 1)
        lines[place:place] = ["Platform: any", chance.choice(NOISE)]
    end = chance.choice(ENDS)
    return end.join("\0".join([*lines, "", "body: of the text", ""]).split("\0"))


def wheelkit_reads(text: str) -> tuple[object, ...]:
    """Return the fields that installers use, as wheelkit reads them."""
    headers = parse_headers(text.encode())
    single = tuple(headers.get(name) for name in ("Name", "Version", "Requires-Python"))
    return (*single, headers.all("Requires-Dist"), headers.all("Provides-Extra"))


def pip_reads(text: str) -> tuple[object, ...]:
    """Return the fields that installers use, as pip reads them."""
    message = email.message_from_string(text)
    single = tuple(message.get(name, "").strip() for name in ("Name", "Version", "Requires-Python"))
    lists = (tuple(map(str.strip, message.get_all(name, ()))) for name in ("Requires-Dist", "Provides-Extra"))
    return (*single, *lists)


def packaging_reads(text: str) -> tuple[object, ...]:
    """Return the fields that installers use, as packaging reads them."""
    raw, _ = parse_email(text.encode())
    single = (raw.get("name", ""), raw.get("version", ""), raw.get("requires_python", ""))
    return (
        *map(str.strip, single),
        tuple(raw.get("requires_dist", ())),
        tuple(raw.get("provides_extra", ())),
    )


def uv_differs(texts: dict[int, str]) -> Iterator[int]:
    """Yield the numbers of texts in which uv reads another Requires-Python or other requirements."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["uv", "venv", "--quiet", "--python", sys.executable, folder], check=True)
        (site,) = Path(folder).glob("lib/python*/site-packages")
        for number, text in texts.items():
            info = site / f"p{number}-1.0.dist-info"
            info.mkdir()
            (info / "METADATA").write_bytes(text.encode())
            (info / "WHEEL").write_text("Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            (info / "RECORD").touch()
        command = ["uv", "pip", "check", "--python", folder]
        output = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    pythons = dict(re.findall(r"The package `p(\d+)` requires Python (\S+), but", output))
    needs: dict[str, set[str]] = {}
    for number, need in re.findall(r"The package `p(\d+)` requires `([^`]+)`", output):
        needs.setdefault(number, set()).add(need)
    for number, text in texts.items():
        headers = parse_headers(text.encode())
        ours = (headers.get("Requires-Python"), set(headers.all("Requires-Dist")))
        if ours != (pythons.get(str(number), ""), needs.get(str(number), set())):
            yield number


def main(count: int = 100_000, seed: int = 0) -> int:
    """Print each text that is read differently, and the totals; returns 1 if there was one."""
    chance = random.Random(seed)  # noqa: S311 - the same texts each time
    different = asked = 0
    for first in range(0, count, STEP):
        texts = {number: make(chance, number) for number in range(first, min(first + STEP, count))}
        bad = [
            number
            for number, text in texts.items()
            if not wheelkit_reads(text) == pip_reads(text) == packaging_reads(text)
        ]
        whole = {
            number: text for number, text in texts.items() if not email.message_from_string(text).defects
        }
        asked += len(whole)
        for number in (*bad, *uv_differs(whole)):
            different += 1
            print(f"{number}: {texts[number]!r}", flush=True)
    print(f"{count} texts by seed {seed}, uv asked about {asked}: {different} are read differently")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
