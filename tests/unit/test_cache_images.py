from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from wheelkit.builders.cache.images import Images, image_names
from wheelkit.matrix import Target
from wheelkit.plan import Builder, NativeStep
from wheelkit.plan.cibuildwheel import environment
from wheelkit.plan.options import CibuildwheelOptions
from wheelkit.project.kinds import Kind
from wheelkit.project.read import Distribution


def job(table: dict[str, Any], target: str = "manylinux_2_28_x86_64", **environ: str) -> NativeStep:
    """Plan a step of cibuildwheel."""
    item = Distribution(name="demo", version="1", kind=Kind.NATIVE, source=Path("demo"), cibuildwheel=table)
    wanted = Target.parse(target)
    step = NativeStep(
        distribution=item,
        target=wanted,
        builder=Builder.CIBUILDWHEEL,
        interpreters=(),
        identifiers=(f"cp311-{wanted.build_suffix}", f"cp313-{wanted.build_suffix}"),
        repair="",
        patterns=(),
        tests=(),
    )
    return replace(step, env=environment(step, CibuildwheelOptions(item, wanted.system, environ), None))


@pytest.mark.parametrize(
    "target", ["manylinux_2_28_x86_64", "manylinux_2_17_aarch64", "musllinux_1_2_x86_64"]
)
def test_images_of_pypa_are_pinned_by_the_installed_cibuildwheel(target: str) -> None:
    (name,) = image_names(job({}, target), {})
    assert name.startswith("quay.io/pypa/")
    assert len(name.partition("@sha256:")[2]) == 64
    images = Images([job({}, target)], "no-such-engine", {})
    assert images.digests(job({}, target)) == {name: name.partition("@")[2]}


def test_the_users_own_images_are_found_in_every_layer() -> None:
    key = "manylinux-x86_64-image"
    assert image_names(job({key: "mine:1"}), {}) == ("mine:1",)
    assert image_names(job({"linux": {key: "mine:2"}, key: "mine:1"}), {}) == ("mine:2",)
    environ = {"CIBW_MANYLINUX_X86_64_IMAGE": "mine:3"}
    assert image_names(job({key: "mine:1"}, **environ), environ) == ("mine:3",)
    override = {"select": "cp313*", key: "mine:4"}
    assert image_names(job({key: "mine:1", "overrides": [override]}), {}) == ("mine:1", "mine:4")
    assert image_names(job({key: "mine:1", "overrides": [{**override, "select": "cp314*"}]}), {}) == (
        "mine:1",
    )
    assert image_names(job({}, "macosx_11_0_arm64"), {}) == ()


@pytest.mark.skipif(sys.platform == "win32", reason="replaces an engine by a shell script")
def test_a_tag_counts_by_the_digest_that_the_engine_reports(tmp_path: Path) -> None:
    engine = tmp_path / "engine"
    engine.write_text(f'#!/bin/sh\n[ -e "{tmp_path}/pulled" ] && [ "$5" = mine:1 ] && echo sha256:abc\n')
    engine.chmod(0o755)
    step = job({"manylinux-x86_64-image": "mine:1"})
    images = Images([step], str(engine), {})
    assert images.digests(step) == {"mine:1": ""}
    (tmp_path / "pulled").touch()  # as the build does
    assert images.digests(step) == {"mine:1": "sha256:abc"}
