import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from support import wheels
from support.rows import rows
from wheelkit.errors import WheelError
from wheelkit.matrix import System
from wheelkit.wheel import Wheel, archive, inflate, open_wheel, read, read_all
from wheelkit.wheel.dist_info import parse_headers, parse_record
from wheelkit.wheel.library_names import base_name, grafted, matches, plain_name
from wheelkit.wheel.model import python_dll
from wheelkit.wheel.names import parse_file_name


def test_reads_all_facts(tmp_path: Path) -> None:
    path = wheels.write_wheel(
        tmp_path,
        members={
            "demo/data.bin": b"x" * 5000,
            "{info}/METADATA": wheels.metadata("demo", "1.0", "Requires-Dist: six"),
        },
    )
    wheel = read(path)
    assert wheel.name is not None
    assert (wheel.distribution, wheel.version, wheel.name.platforms) == (
        "demo",
        "1.0",
        ("manylinux_2_17_x86_64",),
    )
    assert wheel.dist_info == "demo-1.0.dist-info"
    assert wheel.metadata.all("requires-dist") == ("six",)
    assert wheel.fields.get("Root-Is-Purelib") == "false"
    assert wheel.size == path.stat().st_size
    data = next(member for member in wheel.members if member.name == "demo/data.bin")
    assert (data.size, data.problem) == (5000, "")
    assert wheel.record is not None
    recorded = {row.path: row.digest for row in wheel.record}
    assert all(
        recorded[member.name] == member.digest
        for member in wheel.members
        if not member.name.endswith("/RECORD")
    )


@pytest.mark.parametrize("file", ["METADATA", "WHEEL", "entry_points.txt", "RECORD"])
def test_of_two_members_with_one_name_the_last_counts(tmp_path: Path, file: str) -> None:
    name = f"demo-1.0.dist-info/{file}"
    texts = {
        "METADATA": "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Dist: last\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: last\n",
        "entry_points.txt": "[console_scripts]\nlast = demo:main\n",
        "RECORD": "last,,\n",
    }
    path = wheels.write_wheel(
        tmp_path, members={"{info}/entry_points.txt": "[console_scripts]\nx = demo:x\n"}
    )
    with zipfile.ZipFile(path, "a") as file_, pytest.warns(UserWarning, match="Duplicate"):
        file_.writestr(name, texts[file])
    wheel = read(path)
    with zipfile.ZipFile(path) as installed:  # pip asks zipfile for it
        assert installed.read(name) == texts[file].encode()
    seen = (
        wheel.metadata.all("Requires-Dist"),
        wheel.fields.get("Generator"),
        wheel.entry_points,
        wheel.record,
    )
    assert "last" in repr(seen)


def test_shallow_reads_no_contents(tmp_path: Path) -> None:
    wheel = read(wheels.write_wheel(tmp_path), contents=False)
    assert wheel.shallow
    assert (wheel.members, wheel.binaries, wheel.record) == ((), (), None)
    assert wheel.metadata.get("Name") == "demo"


def test_threads_give_the_same_facts(tmp_path: Path) -> None:
    members = {f"demo/{number}.bin": bytes([number % 251]) * (number * 40_000) for number in range(0, 60, 6)}
    paths = [
        wheels.write_wheel(tmp_path, f"demo-{minor}.0-py3-none-any.whl", members=members)
        for minor in range(3)
    ]
    alone = read_all(paths, threads=1)
    assert [read_all(paths, threads=threads) == alone for threads in (1, 2, 7)] == [True] * 3


def test_one_bad_file_does_not_spoil_the_others(tmp_path: Path) -> None:
    good = wheels.write_wheel(tmp_path)
    bad = tmp_path / wheels.PURE
    bad.write_bytes(b"no zip at all")
    first, second = read_all([bad, good])
    assert isinstance(first, WheelError)
    assert not isinstance(second, WheelError)


def test_stored_members_are_read(tmp_path: Path) -> None:
    wheel = read(wheels.write_wheel(tmp_path, compression=zipfile.ZIP_STORED))
    assert not any(member.problem for member in wheel.members)


def facts_of(wheel: Wheel) -> tuple[object, ...]:
    """Compare scans by their facts, since they have no equality."""
    return wheel.members, [(binary.member, binary.scan and binary.scan.slices) for binary in wheel.binaries]


def test_large_members_go_through_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from wheelkit import _core

    own = Path(_core.__file__).read_bytes()
    path = wheels.write_wheel(
        tmp_path, members={"demo/data.bin": bytes(range(256)) * 5000, "demo/_core.abi3.so": own}
    )
    plain = read(path)
    monkeypatch.setattr(inflate, "LARGE", 1000)
    monkeypatch.setattr(inflate, "_PIECE", 999)
    monkeypatch.setattr(archive, "_CHUNK", 77)
    monkeypatch.setattr(open_wheel, "_BATCH", 1000)
    monkeypatch.setattr(inflate, "ONE_PIECE", 1000)
    piecewise = read(path)
    assert facts_of(piecewise) == facts_of(plain)


def test_a_full_disk_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    path = wheels.write_wheel(
        tmp_path, members={"demo/data.so": b"\x7fELF" + b"abc" * 5000, "demo/data.bin": b"abc" * 5000}
    )
    monkeypatch.setattr(inflate, "LARGE", 10_000)
    monkeypatch.setattr(inflate, "ONE_PIECE", 1000)
    monkeypatch.setattr(inflate, "_PIECE", 1000)
    monkeypatch.setattr("tempfile.TemporaryFile", full)
    problems = [member.problem for member in read(path).members if member.problem]
    assert problems == ["could not be unpacked into memory or a temporary file: No space left on device"]


def test_a_real_binary_is_scanned(tmp_path: Path) -> None:
    from wheelkit import _core

    own = Path(_core.__file__).read_bytes()
    wheel = read(
        wheels.write_wheel(
            tmp_path, wheels.ABI3, members={"demo/_core.abi3.so": own, "demo/broken.so": own[:100]}
        )
    )
    whole, broken = sorted(wheel.binaries, key=lambda one: one.damage is not None)
    assert (whole.member, whole.extension) == ("demo/_core.abi3.so", True)
    assert broken.member == "demo/broken.so"
    assert broken.scan is None


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        (b"", "is empty"),
        (b"PK\x05\x06" + bytes(18), "no .dist-info"),
        (b"hello", "cannot be opened: "),
        (b"PK\x03\x04" + bytes(200), "cannot be opened: "),
    ],
)
def test_what_is_no_wheel(tmp_path: Path, contents: bytes, words: str) -> None:
    path = tmp_path / wheels.LINUX
    path.write_bytes(contents)
    with pytest.raises(WheelError, match=words) as caught:
        read(path)
    assert caught.value.hint


def test_a_folder_is_no_wheel(tmp_path: Path) -> None:
    with pytest.raises(WheelError, match="cannot be read"):
        read(tmp_path)


def test_missing_metadata(tmp_path: Path) -> None:
    with pytest.raises(WheelError, match=r"has no demo-1\.0\.dist-info/METADATA"):
        read(wheels.write_wheel(tmp_path, leave_out=["{info}/METADATA"]))


def _patched(path: Path, offset_of: bytes, shift: int, value: bytes) -> None:
    data = bytearray(path.read_bytes())
    start = data.index(offset_of) + shift
    data[start : start + len(value)] = value
    path.write_bytes(bytes(data))


@rows(
    ("signature", "shift", "value", "words"),
    [
        (b"PK\x01\x02", 16, b"\0\0\0\1", "fails its CRC"),
        (b"PK\x01\x02", 24, struct.pack("<I", 3), "holds more than the 3 bytes"),
        (b"PK\x01\x02", 24, struct.pack("<I", 5001), "holds 5000 bytes where the archive declares 5001"),
        (b"PK\x01\x02", 24, struct.pack("<I", 2**24), "more than .* packed bytes can hold"),
        (b"PK\x01\x02", 20, struct.pack("<I", 5), "ends too early|damaged|holds"),
        (b"PK\x01\x02", 20, struct.pack("<I", 2**30), "reaches beyond the end"),
        (b"PK\x01\x02", 10, struct.pack("<H", 12), "zip method 12"),
        (b"PK\x01\x02", 8, struct.pack("<H", 1), "is encrypted"),
        (b"PK\x03\x04", 0, b"PK\x03\x05", "no local header"),
        (b"PK\x03\x04", 30, b"x", "another name in its local header"),
    ],
)
def test_damaged_members_are_reported(
    tmp_path: Path, signature: bytes, shift: int, value: bytes, words: str
) -> None:
    import re

    # The first member of the archive is the one with the fault: its headers come first.
    path = tmp_path / wheels.LINUX
    good = wheels.write_wheel(tmp_path)
    rest = {info.filename: zipfile.ZipFile(good).read(info) for info in zipfile.ZipFile(good).infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in ({"demo/first.bin": b"abcde" * 1000} | rest).items():
            archive.writestr(name, data)
    assert read(path).members[0].problem == ""
    _patched(path, signature, shift, value)
    assert re.search(words, read(path).members[0].problem)


def _bytes_of_a_wheel(folder: Path) -> bytes:
    return wheels.write_wheel(folder, members={"demo/a.py": "print(1)\n" * 50}).read_bytes()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=6),
    cut=st.integers(0, 400),
)
@example(changes=[(0, 0)], cut=0)
def test_damage_gives_facts_or_a_wheel_error(
    tmp_path: Path, changes: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray(_bytes_of_a_wheel(tmp_path))
    for place, value in changes:
        data[place % len(data)] = value
    path = tmp_path / wheels.LINUX
    path.write_bytes(bytes(data[: len(data) - cut]))
    (outcome,) = read_all([path])
    assert outcome.hint if isinstance(outcome, WheelError) else outcome.dist_info


def test_every_single_byte_of_the_directory(tmp_path: Path) -> None:
    data = _bytes_of_a_wheel(tmp_path)
    start = data.index(b"PK\x01\x02")
    path = tmp_path / wheels.LINUX
    refused = 0
    for place in range(start, len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        try:
            read(path)
        except WheelError:
            refused += 1
    assert 0 < refused < len(data) - start


def test_odd_member_names(tmp_path: Path) -> None:
    names = ["demo/with space.txt", "demo/größe.txt", "demo/../up.txt", "demo/\u2028.txt"]
    wheel = read(wheels.write_wheel(tmp_path, members=dict.fromkeys(names, "x")))
    assert {member.name for member in wheel.members} >= set(names)
    assert not any(member.problem for member in wheel.members)


@rows(
    ("name", "reason"),
    [
        ("demo.zip", "expected name-version"),
        ("demo-1.0.whl", "expected name-version"),
        ("demo-1.0-1-cp311-cp311-any-x.whl", "expected name-version"),
        ("demo-abc-py3-none-any.whl", '"abc" is not a valid version'),
        ("demo-1.0_1-py3-none-any.whl", '"1.0_1" is not a valid version'),
        ("demo-1.0 -py3-none-any.whl", '"1.0 " is not a valid version'),
        ("_demo-1.0-py3-none-any.whl", '"_demo" is not a valid distribution name'),
        ("demo_-1.0-py3-none-any.whl", '"demo_" is not a valid distribution name'),
        ("de__mo-1.0-py3-none-any.whl", '"de__mo" is not a valid distribution name'),
        (f"demo-1.0-{2**64}-py3-none-any.whl", "too large for uv"),
        ("demo-1.0-x1-py3-none-any.whl", 'build tag "x1"'),
        ("de mo-1.0-py3-none-any.whl", '"de mo" is not a valid distribution name'),
        ("demo-1.0-py3-none-.whl", '"" is not a valid tag'),
        ("demo-1.0-py3.-none-any.whl", '"py3." is not a valid tag'),
    ],
)
def test_file_names_that_are_none(name: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_file_name(name)


def test_file_names_agree_with_packaging() -> None:
    from packaging.utils import parse_wheel_filename

    for name in (
        "a_b-1.0-py2.py3-none-any.whl",
        "demo-1.0.post1-2abc-cp36-abi3-manylinux1_x86_64.manylinux_2_5_x86_64.whl",
    ):
        own = parse_file_name(name)
        theirs = parse_wheel_filename(name)
        assert (own.key, set(map(str, own.tags))) == (theirs[0], set(map(str, theirs[3])))


def test_headers_are_read_as_by_pip() -> None:
    headers = parse_headers(b"Name: demo\r\nSummary: a\x0cb\nX: 1\n  more\n \nname: two\n\nbody: x\n")
    assert headers.all("Name") == ("demo", "two")
    assert headers.get("summary") == "a\x0cb"
    assert headers.get("X") == "1\n  more"
    assert headers.get("body", "none") == "none"
    assert parse_headers(b"Name: demo\nno field\nVersion: 1\n").fields == {"name": ("demo",)}


def test_record_rows() -> None:
    rows = parse_record(b'a.py,sha256=abc=,3\n"with, comma",,\n')
    assert [(row.path, row.digest, row.size) for row in rows] == [
        ("a.py", "sha256=abc", 3),
        ("with, comma", "", None),
    ]


def test_record_rows_are_those_of_the_csv_module() -> None:
    plain = "a.py,sha256=abc,3\nb c.py,,\r\nd\x0be\u2028f.py,sha256=x,0"
    quoted = plain.replace("b c.py", '"b c.py"')
    rows = [(row.path, row.digest, row.size) for row in parse_record(plain.encode())]
    assert rows == [("a.py", "sha256=abc", 3), ("b c.py", "", None), ("d\x0be\u2028f.py", "sha256=x", 0)]
    assert parse_record(quoted.encode()) == parse_record(plain.encode())
    for text in (b"a,b,1\rc,d,2\n", b"a,b,1\nc,d,2\n"):
        assert [row.path for row in parse_record(text)] == ["a", "c"]
    for text in (b"a,,\nb,,,\n", b'"a",,\nb,,,\n'):
        with pytest.raises(ValueError, match="line 2 is not path,hash,size"):
            parse_record(text)
    with pytest.raises(ValueError, match="line 2 is empty, and pip refuses it"):
        parse_record(b"a,,\n\nb,,\n")
    with pytest.raises(ValueError, match="field larger than field limit"):
        parse_record(b"a,,\n" + b"b" * 150_000 + b",,\n")


@pytest.mark.parametrize(
    "text", [b"a.py,sha256=abc\n", b"a.py,sha256=abc,x\n", b"a,b,1,2\n", b"\xff,a,1\n", b"a,b," + b"9" * 5000]
)
def test_record_that_is_none(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"line 1|not UTF-8"):
        parse_record(text)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("demo.libs/libz-1a2b3c4d.so.1", "libz.so.1"),
        ("libtorch_cpu-1a2b3c4d.so.2", "libtorch_cpu.so.2"),
        ("libgfortran-040039e1-0352e75f.so.5.0.0", "libgfortran-040039e1.so.5.0.0"),
        (r"demo.libs\msvcp140-a4c2229bdc2a2a630acdc095b4d86008.dll", "msvcp140.dll"),
        ("libz.so.1", "libz.so.1"),
        ("libm-2.17.so", "libm-2.17.so"),
    ],
)
def test_plain_names(name: str, plain: str) -> None:
    assert plain_name(name) == plain
    assert grafted(name) == (plain != base_name(name))


def test_patterns() -> None:
    assert matches("demo.libs/libtorch-1a2b3c4d.so.2", ["libtorch.so"], System.LINUX)
    assert not matches("libtorchvision.so", ["libtorch.so"], System.LINUX)
    assert matches("Torch_CPU.dll", ["torch_*"], System.WINDOWS)
    assert not matches("Torch_CPU.dll", ["torch_*"], System.LINUX)


@pytest.mark.parametrize(
    ("library", "read_as"),
    [
        ("python3.dll", (None, False)),
        ("PYTHON311.dll", (11, False)),
        ("python314t.dll", (14, True)),
        ("python3t.dll", (None, True)),
        ("pythonic.dll", None),
    ],
)
def test_python_dlls(library: str, read_as: object) -> None:
    assert python_dll(library) == read_as
