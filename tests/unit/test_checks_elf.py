from pathlib import Path

import pytest

from support import wheels
from support.wheels import elf
from wheelkit.verification.checks import elf as elf_checks
from wheelkit.verification.checks import mobile
from wheelkit.verification.contract import Contract
from wheelkit.wheel import Binary, Wheel

ARM = wheels.LINUX.replace("x86_64", "aarch64")
POWER = wheels.LINUX.replace("x86_64", "ppc64le")
MUSL = wheels.LINUX.replace("manylinux_2_17", "musllinux_1_2")
NEW = wheels.LINUX.replace("2_17", "2_35")
ANDROID = "demo-1.0-cp313-cp313-android_24_arm64_v8a.whl"
LIBRARY = "demo/libq.so.1"


def codes(wheel: Wheel) -> list[str]:
    checks = (elf_checks.refused, elf_checks.page_size, elf_checks.contradictory, mobile.page_size)
    return [finding.code for check in checks for finding in check(wheel, Contract())]


def pages(size: int, alignment: int | None = None, arch: str = "x86_64", **facts: object) -> Binary:
    return elf(page_size=size, alignment=size if alignment is None else alignment, arch=arch, **facts)


@pytest.mark.parametrize(
    ("filename", "made", "expected"),
    [
        (wheels.LINUX, elf(), []),
        (wheels.LINUX, elf(faults=("noopen",)), ["WK340"]),
        (MUSL, elf(faults=("noopen", "ident", "program", "versions", "order")), []),
        (MUSL, elf(faults=("no-dynamic",)), ["WK340"]),
        (wheels.LINUX, elf(faults=("program",), kind="executable"), ["WK340"]),
        (wheels.LINUX, elf(LIBRARY, faults=("program",), exports=()), ["WK340"]),
        (wheels.LINUX, elf(LIBRARY, kind="object", faults=("program",), exports=()), ["WK340"]),
        (wheels.LINUX, elf("demo/tool", kind="executable", faults=("program",), exports=()), []),
        (wheels.LINUX, elf("demo/part.o", kind="object", faults=("program",), exports=()), []),
        (wheels.LINUX, elf("demo/.debug/libq.so.1", faults=("no-dynamic",), exports=()), []),
        (wheels.LINUX, elf(faults=("hash",)), ["WK340"]),
        (wheels.LINUX, elf(LIBRARY, faults=("hash",), exports=()), []),
        (wheels.LINUX, pages(1 << 11), ["WK340"]),
        (wheels.LINUX, pages(1 << 12), []),
        (wheels.LINUX, pages(1 << 12, 8), ["WK340"]),
        (NEW, pages(1 << 12, 8), []),
        (wheels.LINUX, elf(faults=("alignment",)), ["WK340"]),
        (NEW, elf(faults=("alignment",)), []),
        (POWER, pages(1 << 12, arch="ppc64le"), ["WK340"]),
        (POWER, pages(1 << 16, arch="ppc64le"), []),
        (ARM, pages(1 << 16, arch="aarch64"), []),
        (ARM, pages(1 << 14, arch="aarch64"), ["WK341"]),
        (ARM, pages(1 << 16, 1 << 12, arch="aarch64"), ["WK341"]),
        (ARM, elf(page_size=0, alignment=0, arch="aarch64"), []),
        (ANDROID, pages(1 << 12, arch="aarch64"), ["WK342"]),
        (ANDROID, pages(1 << 14, arch="aarch64"), []),
        (ANDROID.replace("arm64_v8a", "armeabi_v7a"), pages(1 << 12, arch="armv7l", bits=32), []),
        (wheels.LINUX, elf(faults=("counts", "sections")), ["WK344"]),
        (wheels.LINUX, elf(faults=("offset",), kind="object"), []),
    ],
)
def test_what_loaders_accept(tmp_path: Path, filename: str, made: Binary, expected: list[str]) -> None:
    assert codes(wheels.facts(tmp_path, filename, made)) == expected


def test_one_reason_is_one_finding(tmp_path: Path) -> None:
    made = [elf(f"demo/lib{name}.so", faults=("noopen",), exports=()) for name in "abc"]
    (finding,) = elf_checks.refused(wheels.facts(tmp_path, wheels.LINUX, *made), Contract())
    assert (
        finding.what
        == "demo/liba.so (and 2 others) cannot be loaded: it is marked as not to be opened by dlopen"
    )
