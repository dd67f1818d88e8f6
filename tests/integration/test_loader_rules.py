"""What linkers make and users load is neither refused nor taken for changed after it was signed."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from support import corpus
from wheelkit import _core
from wheelkit.analysis.claims import runs
from wheelkit.wheel.code_signature import signature_holds
from wheelkit.wheel.inflate import is_binary

NATIVE = [name for name in corpus.names() if "macosx" in name or "win" in name.rpartition("-")[2]]


def slices(data: bytes) -> list[_core.Slice]:
    scan = _core.scan(data) if is_binary(data) else None
    return [slice_ for slice_ in scan.slices if runs(slice_)] if scan else []


@pytest.mark.parametrize("filename", NATIVE)
def test_pinned_wheels(filename: str) -> None:
    count = 0
    with zipfile.ZipFile(corpus.wheel(filename)) as archive:
        for member in archive.namelist():
            data = archive.read(member)
            for slice_ in slices(data):
                count += 1
                assert slice_.refusal is None, member
                assert signature_holds(data, slice_), member
    assert count


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a library for arm64 that zig links, signs ad hoc and marks with the newest SDK that it knows."""
    pytest.importorskip("ziglang")
    folder = tmp_path_factory.mktemp("linked")
    source, output = folder / "answer.c", folder / "libanswer.dylib"
    source.write_text("int answer(void) { return 42; }\n")
    command = [sys.executable, "-m", "ziglang", "cc", "-target", "aarch64-macos.11.0", "-dynamiclib"]
    subprocess.run([*command, str(source), "-o", str(output)], check=True, cwd=folder)
    return Path(output).read_bytes()


def test_what_zig_links(linked: bytes) -> None:
    (slice_,) = slices(linked)
    assert (slice_.refusal, slice_.signed) == (None, True)
    assert slice_.digests
    assert signature_holds(linked, slice_)


def test_a_change_of_any_page_is_noticed(linked: bytes) -> None:
    (slice_,) = slices(linked)
    (pages, *_) = slice_.digests
    for page in range(0, pages.size, pages.chunk):
        at = min(page + pages.chunk, pages.size) - 1
        changed = linked[:at] + bytes([linked[at] ^ 1]) + linked[at + 1 :]
        assert not signature_holds(changed, slice_)
