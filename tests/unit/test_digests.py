"""Hashes: whoever makes them, they are those of hashlib."""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import malformed
from wheelkit.wheel import digests

Begin = Callable[[str], digests.Hash]


@pytest.mark.parametrize("algorithm", [*sorted(digests.HASHES), "md5", "sha1", "", "nonsense"])
@pytest.mark.parametrize("begin", [digests.new, digests.new_for_little])
def test_hashes_are_those_of_hashlib(begin: Begin, algorithm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = algorithm if algorithm in digests.HASHES else "sha256"
    monkeypatch.delitem(sys.modules, "hashlib")
    found = begin(algorithm)
    for piece in (b"first", memoryview(b"second")):
        found.update(piece)
    assert (found.name, found.digest()) == (expected, hashlib.new(expected, b"firstsecond").digest())


def test_where_python_has_none_of_its_own_hashlib_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "_OWN", ("wheelkit.no_such_module", "wheelkit.fast_packaging"))
    digests._own.cache_clear()
    monkeypatch.delitem(sys.modules, "hashlib")
    found = digests.new_for_little("sha256")
    digests._own.cache_clear()
    found.update(b"some")
    assert found.digest() == hashlib.sha256(b"some").digest()


def test_openssl_is_loaded_for_what_is_large_alone(tmp_path: Path) -> None:
    small, large = malformed.valid_wheel(), malformed.valid_wheel()
    large.members["demo/large.bin"] = bytes(range(256)) * (digests.LITTLE // 256)
    code = "import sys; from pathlib import Path; from wheelkit.wheel import read; read(Path(sys.argv[1])); print('hashlib' in sys.modules)"
    for draft, loaded in ((small, "False"), (large, "True")):
        path = draft.write(tmp_path)
        done = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == loaded
