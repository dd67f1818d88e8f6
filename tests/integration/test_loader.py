"""What wheelkit says about ELF files agrees with glibc's loader, which loads them or refuses them."""

import platform
import shutil
from pathlib import Path

import pytest

from support import loader_comparison, search_comparison
from support.elf_mutations import MUTATIONS
from support.loader import build, build_opener, glibc_version, load
from wheelkit import _core

pytestmark = pytest.mark.skipif(
    glibc_version() is None or platform.machine() != "x86_64" or not shutil.which("cc"),
    reason="needs glibc on x86-64 and a C compiler",
)


def test_changed_libraries_are_judged_as_the_loader_does(tmp_path: Path) -> None:
    found = loader_comparison.compare(tmp_path, 600, seed=15)
    assert found.disagreements == []
    assert found.loaded > 200
    assert found.refused.total() > 200
    assert set(found.mutations) == set(MUTATIONS)
    assert found.by_chance < 0.1 * found.loaded
    assert found.unresolved < 0.02 * found.refused.total()


def test_libraries_are_found_as_the_loader_finds_them(tmp_path: Path) -> None:
    result = search_comparison.compare(tmp_path, 40, seed=15)
    assert result.disagreements == []
    assert result.found > 30
    assert result.lost > 30


def test_an_empty_element_is_the_current_folder(tmp_path: Path) -> None:
    """The same library is lost with a path that is empty as a whole."""
    opener = build_opener(tmp_path)
    planted = build(tmp_path / "libplanted.so", "int planted(void) { return 1; }", ["-shared", "-fPIC"])
    (tmp_path / "demo").mkdir()
    for rpath, expected in ((":", ""), ("$ORIGIN:", ""), ("", "cannot open shared object file")):
        options = ["-shared", "-fPIC", "-Wl,--no-as-needed", f"-L{tmp_path}", f"-l:{planted.name}"]
        options += [f"-Wl,--enable-new-dtags,-rpath,{rpath}"]
        user = build(tmp_path / "demo" / "user.so", "int call(void) { return 2; }", options)
        assert expected in load(opener, user, "call").refusal
        assert bool(expected) == bool(load(opener, user, "call").refusal)


@pytest.mark.parametrize(
    ("size", "refusal"), [(512, ""), (4096, "cannot allocate memory in static TLS block")]
)
def test_static_thread_local_storage_is_limited(tmp_path: Path, size: int, refusal: str) -> None:
    source = (
        f'__thread __attribute__((tls_model("initial-exec"))) char x[{size}]; char *f(void) {{ return x; }}'
    )
    library = build(tmp_path / "tls.so", source, ["-shared", "-fPIC"])
    scan = _core.scan(library.read_bytes())
    assert scan is not None
    assert (scan.slices[0].tls_bytes, "static-tls" in scan.slices[0].flags) == (size, True)
    outcome = load(build_opener(tmp_path), library, "f")
    assert refusal in outcome.refusal
    assert bool(refusal) == bool(outcome.refusal)
