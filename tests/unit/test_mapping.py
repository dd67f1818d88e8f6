"""What is mapped for a library to read does not stay in memory, and what was written around it does."""

import mmap
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from wheelkit.wheel import mapping

pytestmark = pytest.mark.skipif(
    not mapping.possible(), reason="this system does not take pages back while they are mapped"
)

PAGE = mmap.PAGESIZE
PAGES = 64
KEPT = 100


def resident(path: Path) -> int:
    """Count the kilobytes of a file's mappings that are this process's memory, as Linux tells it."""
    found, own = 0, False
    for line in Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines():
        first, *rest = line.split()
        if "-" in first and not first.endswith(":"):
            own = rest[-1:] == [str(path)]
        elif first == "Rss:" and own:
            found += int(rest[0])
    return found


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="only Linux tells what is in memory")
@pytest.mark.parametrize("start", [0, 1, PAGE - 1, PAGE + 5])
def test_pages_are_given_back_and_what_was_written_stays(
    start: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget, forgotten = threading.Event(), threading.Semaphore(0)

    class Event(threading.Event):
        """Lets pages be given back when the test says so, and tells when they were."""

        def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - the test is the clock
            forgotten.release()
            forget.wait()
            return self.is_set()

    monkeypatch.setattr(mapping, "threading", SimpleNamespace(Event=Event, Thread=threading.Thread))
    path = tmp_path / "some.whl"
    data = bytes(number % 251 for number in range(PAGES * PAGE))
    path.write_bytes(data)
    size = len(data) - start
    with path.open("rb", buffering=0) as file, mapping.mapped(file, start, size, kept=KEPT) as view:
        assert forgotten.acquire(timeout=20)
        view[:KEPT], view[-KEPT:] = b"a" * KEPT, b"z" * KEPT
        assert view[KEPT:-KEPT] == data[start + KEPT : len(data) - KEPT]
        assert resident(path) >= (PAGES - 3) * PAGE // 1024
        forget.set()
        assert forgotten.acquire(timeout=20)
        assert resident(path) < PAGES * PAGE // 1024 // 2
        assert view == b"a" * KEPT + data[start + KEPT : len(data) - KEPT] + b"z" * KEPT
    assert path.read_bytes() == data


def test_a_file_that_is_too_short_is_no_mapping(tmp_path: Path) -> None:
    path = tmp_path / "some.whl"
    path.write_bytes(bytes(PAGE))
    with (
        path.open("rb", buffering=0) as file,
        pytest.raises((OSError, ValueError)),
        mapping.mapped(file, 5, PAGE, kept=KEPT),
    ):
        pass
