"""Damage wheels at random (bytes, header fields, lines of text files), seeded by a number."""

import random
import tempfile
import warnings
import zipfile
from collections.abc import Iterable
from pathlib import Path

import malformed
from wheelkit.verification.contract import Contract
from wheelkit.verification.run import verify

SEEDS = (malformed.LINUX, malformed.MACOS, malformed.WINDOWS, malformed.PURE)
TEXTS = ("METADATA", "WHEEL", "RECORD")
# Bytes that mean something in one of the text files or headers.
TOKENS = (
    b"",
    b"\x00",
    b"\n",
    b"\r\n",
    b"\n\n",
    b":",
    b",",
    b",,",
    b'"',
    b"..",
    b"../",
    b"/",
    b"\\",
    b" ",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xa8",
    b"sha256=",
    b"md5=",
    b"999999999999999999999",
    b"-1",
    b"1e999",
    b"Metadata-Version: 9.9",
    b"Name: ",
    b"Version: 1!1.0+x",
    b"Tag: cp311-abi3",
    b"Tag: a-b-c-d",
    b"Requires-Dist: x ; python_version < '",
    b"Requires-Python: >",
    b"Description-Content-Type: text/x-rst; charset=",
    b"Root-Is-Purelib: maybe",
    b"Build: x",
    b"Content-Type: multipart/mixed; boundary=x",
    b"Content-Transfer-Encoding: base64",
    b"=?utf-8?q?=ff?=",
)
SIGNATURES = (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06")
NUMBERS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def damaged(number: int, folder: Path) -> Path:
    """Write the damaged wheel with this number."""
    chance = random.Random(number)  # noqa: S311 - chosen by number, not secret
    draft = malformed.valid_wheel(chance.choice(SEEDS))
    if chance.random() < 0.5:
        _damage_texts(chance, draft)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # duplicate names
        path = draft.write(folder)
    if chance.random() < 0.7:
        path.write_bytes(_damage_bytes(chance, bytearray(path.read_bytes())))
    return path


def _damage_texts(chance: random.Random, draft: malformed.WheelSpec) -> None:
    name = chance.choice(TEXTS)
    if name == "RECORD":
        draft.edit_record = lambda text: _damage_text(chance, text.encode()).decode("utf-8", errors="replace")
    elif chance.random() < 0.1:
        del draft.members[f"{malformed.INFO}/{name}"]
    else:
        draft.members[f"{malformed.INFO}/{name}"] = _damage_text(
            chance, draft.members[f"{malformed.INFO}/{name}"]
        )
    if chance.random() < 0.2:
        draft.edit_entry = lambda entry: setattr(
            entry, "compress_type", chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
        )


def _damage_text(chance: random.Random, text: bytes) -> bytes:
    for _ in range(chance.randint(1, 4)):
        place = chance.randint(0, len(text))
        end = min(len(text), place + chance.choice((0, 0, 1, 5, 40)))
        text = text[:place] + chance.choice(TOKENS) + text[end:]
    return text


def _damage_bytes(chance: random.Random, data: bytearray) -> bytes:
    for _ in range(chance.randint(1, 5)):
        kind = chance.random()
        if not data:
            break
        if kind < 0.4:
            _damage_header(chance, data)
        elif kind < 0.7:
            data[chance.randrange(len(data))] = chance.randrange(256)
        elif kind < 0.8:
            del data[chance.randrange(len(data)) :]
        elif kind < 0.9:
            place = chance.randrange(len(data))
            data[place:place] = data[place : place + chance.randint(1, 200)]
        else:
            place = chance.randrange(len(data))
            del data[place : place + chance.randint(1, 100)]
    return bytes(data)


def _damage_header(chance: random.Random, data: bytearray) -> None:
    """Set a field of a header to a boundary value."""
    signature = chance.choice(SIGNATURES)
    places = []
    place = data.find(signature)
    while place >= 0:
        places.append(place)
        place = data.find(signature, place + 1)
    if places:
        start = chance.choice(places) + chance.randint(4, 44)
        width = chance.choice((1, 2, 4))
        data[start : start + width] = (chance.choice(NUMBERS) & ((1 << 8 * width) - 1)).to_bytes(
            width, "little"
        )


def survives(number: int, folder: Path) -> bool:
    """Verify the damaged wheel with this number; returns whether there are findings."""
    path = damaged(number, folder)
    try:
        report = verify([path], Contract(), threads=1)
    finally:
        path.unlink()
    return bool(report.findings)


def crashes(numbers: Iterable[int]) -> list[tuple[int, BaseException]]:
    """Verify the damaged wheels with these numbers; returns those that raise, with the exception."""
    crashed: list[tuple[int, BaseException]] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            try:
                survives(number, Path(folder))
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                crashed.append((number, error))
    return crashed
