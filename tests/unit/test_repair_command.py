"""``wheelkit repair``: the target that is chosen for a wheel, and what is printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import wheels
from support.rows import rows
from wheelkit.cli import repair as command
from wheelkit.command_line import main
from wheelkit.config import Config
from wheelkit.config.exclude import shipped_providers
from wheelkit.config.model import MatrixConfig
from wheelkit.errors import UsageError, WheelError
from wheelkit.matrix import System
from wheelkit.repair.run import Repaired

Capture = pytest.CaptureFixture[str]
PROMISED = (
    "manylinux_2_28_x86_64",
    "musllinux_1_2_x86_64",
    "manylinux_2_31_aarch64",
    "macosx_11_0_arm64",
    "win_amd64",
)
# The platform tags of a wheel, and the target with these promises and without any.
TARGETS = [
    ("linux_x86_64", "manylinux_2_28_x86_64", "manylinux_2_28_x86_64"),
    ("linux_aarch64", "manylinux_2_31_aarch64", "manylinux_2_28_aarch64"),
    ("linux_s390x", "manylinux_2_28_s390x", "manylinux_2_28_s390x"),
    ("manylinux_2_17_x86_64", "manylinux_2_28_x86_64", "manylinux_2_17_x86_64"),
    ("manylinux_2_17_x86_64.manylinux2014_x86_64", "manylinux_2_28_x86_64", "manylinux_2_17_x86_64"),
    ("musllinux_1_1_x86_64", "musllinux_1_2_x86_64", "musllinux_1_1_x86_64"),
    ("musllinux_1_2_aarch64", "musllinux_1_2_aarch64", "musllinux_1_2_aarch64"),
    ("macosx_12_0_arm64", "macosx_11_0_arm64", "macosx_12_0_arm64"),
    ("macosx_10_13_x86_64", "macosx_10_13_x86_64", "macosx_10_13_x86_64"),
    ("win_amd64", "win_amd64", "win_amd64"),
    ("win32", "win32", "win32"),
]


@rows(("platform", "promised", "alone"), TARGETS)
def test_the_target_of_a_wheel(platform: str, promised: str, alone: str) -> None:
    path = Path(f"demo-1.0-cp311-cp311-{platform}.whl")
    assert command._target_of(path, Config(matrix=MatrixConfig(targets=PROMISED))).tag == promised
    assert command._target_of(path, Config()).tag == alone


@rows(("platform", "target", "fits"), [
    ("linux_x86_64", "manylinux_2_28_x86_64", True),
    ("manylinux_2_17_x86_64.manylinux2014_x86_64", "musllinux_1_2_x86_64", True),
    ("manylinux_2_17_x86_64", "manylinux_2_28_aarch64", False),
    ("manylinux_2_17_x86_64", "win_amd64", False),
    ("win_amd64", "win_amd64", True),
    ("win32", "win_amd64", False),
    ("win32", "win32", True),
    ("macosx_12_0_arm64", "macosx_11_0_arm64", True),
    ("macosx_12_0_arm64", "macosx_11_0_x86_64", False),
    ("macosx_12_0_universal2", "macosx_11_0_arm64", True),
    ("macosx_12_0_arm64", "win_arm64", False),
    ("win_arm64", "macosx_11_0_arm64", False),
    ("any", "win_amd64", True),
])  # fmt: skip
def test_a_target_of_another_system_is_refused_before_any_work(
    platform: str, target: str, *, fits: bool, capsys: Capture
) -> None:
    name = f"demo-1.0-cp311-cp311-{platform}.whl"
    assert main(["repair", "--target", target, name]) != 0
    said = capsys.readouterr().err
    assert ("a repair cannot change that" in said) is not fits


def test_a_wheel_without_a_target() -> None:
    with pytest.raises(UsageError, match=r"its platform tag any does not name a target") as usage:
        command._target_of(Path("demo-1.0-py3-none-any.whl"), Config())
    assert usage.value.hint == "give it with --target"
    with pytest.raises(WheelError, match="not a valid wheel file name") as wheel:
        command._target_of(Path("demo.whl"), Config())
    assert wheel.value.hint == "expected name-version[-build]-python-abi-platform.whl"


@rows(("tag", "message"), [
    ("manylinux_x86", "manylinux_x86"),
    ("android_21_x86_64", "wheelkit repairs wheels for Linux, macOS and Windows"),
    ("ios_13_0_arm64_iphoneos", "wheelkit repairs wheels for"),
])  # fmt: skip
def test_a_target_that_cannot_be_repaired(tag: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        command._parse_target(tag)
    assert caught.value.hint.startswith(
        ("common targets: manylinux_2_28_x86_64", "cibuildwheel repairs the wheels of")
    )


def test_no_pattern_may_name_the_system(capsys: Capture) -> None:
    assert main(["repair", "--exclude", "libc.*", "demo-1.0-cp311-cp311-linux_x86_64.whl"]) == 2
    assert (
        'the exclude pattern "libc.*" would exclude libc.so.6, which belongs to the system'
        in capsys.readouterr().err
    )


def test_patterns_that_match_nothing_are_reported_where_somebody_wrote_them() -> None:
    torch = shipped_providers()["torch"]
    linux = tuple(torch.linux)
    config = Config(exclude=(torch,))
    assert command._reported((*linux[1:], "mine"), ("mine",), config, System.LINUX) == ("mine",)
    assert command._reported(linux[1:], (linux[1],), config, System.LINUX) == (linux[1],)
    every = command._reported(
        tuple(command.plan.exclude_patterns([torch], System.LINUX)), (), config, System.LINUX
    )
    assert set(linux) <= set(every)
    assert command._reported(("other",), (), Config(), System.LINUX) == ("other",)


def test_what_was_done_is_printed(tmp_path: Path, capsys: Capture) -> None:
    path = wheels.write_wheel(tmp_path, wheels.PURE)
    done = Repaired(
        path=path, grafted=("libq.so.1", "libz.so.1"), excluded=("libtorch.so",), unmatched=("libx*",),
        unchanged=True, unsigned=("demo/a.dylib",),
    )  # fmt: skip
    command._show(done)
    out, err = capsys.readouterr()
    assert out.startswith(f"{path}   ")
    assert [line.strip() for line in err.splitlines()] == [
        "grafted: libq.so.1, libz.so.1",
        "excluded: libtorch.so",
        f'WK504  the exclude pattern "libx*" matches no library that {path.name} needs',
        f"{path.name}: nothing to repair, the bytes are unchanged",
        "demo/a.dylib: the repair replaced its signature by an ad hoc one; sign it again if it needs yours",
    ]
    command._show(Repaired(path=path, grafted=(), excluded=(), unmatched=()))
    assert capsys.readouterr().err == ""
    assert command._to_json(done)["file"] == str(path)
