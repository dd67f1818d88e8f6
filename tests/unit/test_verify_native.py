"""``--native`` counts what this machine builds: for another C library only in a container."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from support.rows import rows
from wheelkit.cli import verify_matrix
from wheelkit.machine import facts
from wheelkit.machine.facts import Engine, Machine
from wheelkit.matrix import System, Target

ENGINE = Engine(name="podman", version="5", setting="podman")
GLIBC, MUSL, ARM = "manylinux_2_28_x86_64", "musllinux_1_2_x86_64", "manylinux_2_28_aarch64"


@rows(
    ("targets", "engine", "native", "queries"),
    [
        ([GLIBC, MUSL, ARM], ENGINE, [GLIBC, MUSL], [False, True]),
        ([GLIBC, MUSL, ARM], None, [GLIBC], [False, True]),
        ([GLIBC, ARM], None, [GLIBC], [False]),
        (["win_amd64"], None, [], [False]),
    ],
)
def test_another_c_library_needs_a_container(
    targets: list[str],
    engine: Engine | None,
    native: list[str],
    queries: list[bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bool] = []

    def detect(*, containers: bool = True) -> Machine:
        asked.append(containers)
        found = engine if containers else None
        return Machine(system=System.LINUX, arch="x86_64", libc="manylinux", engine=found)

    monkeypatch.setattr(facts, "detect", detect)
    promise = SimpleNamespace(matrix=SimpleNamespace(targets=tuple(map(Target.parse, targets))))
    contract: Any = SimpleNamespace(promises={"x": promise})
    assert [target.tag for target in verify_matrix._native_targets(contract)] == native
    assert asked == queries
