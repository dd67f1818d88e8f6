from __future__ import annotations

import platform
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from binaries import elf, macho
from support.wheels import write_wheel
from wheelkit import wheel as wheels
from wheelkit.__main__ import main
from wheelkit.errors import CheckFailedError
from wheelkit.matrix import Target
from wheelkit.repair import verify
from wheelkit.repair.commands import RepairRecipe, for_this_machine, tool_command
from wheelkit.repair.search import ExternalLibraries, find_external_libraries

LINUX, MACOS, WINDOWS = (
    Target.parse(tag) for tag in ("manylinux_2_28_x86_64", "macosx_11_0_arm64", "win_amd64")
)
RAW = "demo-1.0-cp311-abi3-linux_x86_64.whl"
# It needs libc.so.6 and libm.so.6.
ELF = bytes(elf.tiny(elf.Shape()).data)


def line(tag: str) -> tuple[str, ...]:
    target = Target.parse(tag)
    return for_this_machine(tool_command(RepairRecipe(target=target), (), Path("w.whl"), Path("out")), target)


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="what is foreign depends on the machine"
)
@pytest.mark.parametrize(
    ("tag", "start"),
    [
        ("manylinux_2_28_x86_64", ("auditwheel", "repair")),
        (
            "manylinux_2_28_aarch64",
            ("wheelkit.repair.foreign", "auditwheel", "aarch64", "manylinux", "repair"),
        ),
        ("musllinux_1_2_x86_64", ("wheelkit.repair.foreign", "auditwheel", "x86_64", "musllinux", "repair")),
        ("macosx_11_0_arm64", ("wheelkit.repair.foreign", "delocate", "--require-archs", "arm64")),
        ("win_amd64", ("delvewheel", "repair")),
    ],
)
def test_a_tool_that_only_knows_its_own_machine_is_given_the_other(tag: str, start: tuple[str, ...]) -> None:
    assert line(tag)[2 : 2 + len(start)] == start
    assert line(tag)[:2] == (sys.executable, "-m")
    assert line(tag)[-1] == "w.whl"


def test_foreign_tags_are_offered_to_auditwheel() -> None:
    for arch, libc, tag in (
        ("aarch64", "manylinux", "manylinux_2_28_aarch64"),
        ("x86_64", "musllinux", "musllinux_1_2_x86_64"),
    ):
        command = [
            sys.executable,
            "-m",
            "wheelkit.repair.foreign",
            "auditwheel",
            arch,
            libc,
            "repair",
            "--help",
        ]
        assert f"- {tag}" in subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_needs_are_followed_over_the_search_paths_and_excluded_ones_are_not(tmp_path: Path) -> None:
    raw = write_wheel(tmp_path, RAW, members={"demo/_core.abi3.so": ELF})
    (tmp_path / "lib").mkdir()
    wheel = wheels.read(raw)
    recipe = RepairRecipe(target=LINUX, patterns=("libm.so",), lib_paths=(tmp_path / "lib",))
    libraries = find_external_libraries(wheel, recipe, {})
    assert libraries.needed_by == {"libc.so.6": ["demo/_core.abi3.so"], "libm.so.6": ["demo/_core.abi3.so"]}
    assert libraries.excluded(recipe) == ("libm.so.6",)
    # Both belong to the system, so neither is looked for.
    assert libraries.searched == {}


def test_a_missing_library_is_reported_with_user_and_folders() -> None:
    libraries = ExternalLibraries(
        needed_by={"libgear.so.1": ["demo/a.so", "demo/b.so"]},
        searched={Path("/one"): None, Path("/two"): None},
    )
    assert (
        libraries.describe("libgear.so.1")
        == "libgear.so.1 (needed by demo/a.so, demo/b.so): searched in /one, /two"
    )
    libraries.wrong_machine["libgear.so.1"] = "/one/libgear.so.1 is for elf aarch64"
    assert (
        libraries.describe("libgear.so.1")
        == "libgear.so.1 (needed by demo/a.so, demo/b.so): /one/libgear.so.1 is for elf aarch64"
    )
    assert (
        ExternalLibraries(needed_by={"gear.DLL": ["x.pyd"]}).describe("GEAR.dll")
        == "GEAR.dll (needed by x.pyd): searched in no folder"
    )


def outcome_of(
    tmp_path: Path,
    before: dict[str, bytes],
    after: dict[str, bytes],
    *,
    name: str = RAW,
    patterns: tuple[str, ...] = (),
) -> None:
    (tmp_path / "after").mkdir()
    one = wheels.read(write_wheel(tmp_path, RAW, members=dict(before)))
    two = wheels.read(write_wheel(tmp_path / "after", name, members=dict(after)))
    verify.require_repaired(one, two, RepairRecipe(target=LINUX, patterns=patterns), ExternalLibraries())


def test_an_excluded_library_that_was_copied_in_is_an_error(tmp_path: Path) -> None:
    module = {"demo/_core.abi3.so": ELF}
    with pytest.raises(CheckFailedError, match=r"auditwheel grafted libgear-1a2b3c4d\.so\.2 into"):
        outcome_of(
            tmp_path, module, {**module, "demo.libs/libgear-1a2b3c4d.so.2": ELF}, patterns=("libgear.so",)
        )


def test_one_that_the_wheel_held_before_is_its_own_affair(tmp_path: Path) -> None:
    module = {"demo/_core.abi3.so": ELF, "demo/libgear.so.2": ELF}
    outcome_of(tmp_path, module, module, patterns=("libgear.so",))


def test_a_wheel_that_the_target_does_not_take_is_an_error(tmp_path: Path) -> None:
    module = {"demo/_core.abi3.so": ELF}
    with pytest.raises(CheckFailedError, match="does not install on manylinux_2_28_x86_64") as caught:
        outcome_of(tmp_path, module, module, name="demo-1.0-cp311-abi3-manylinux_2_34_x86_64.whl")
    assert "--target" in caught.value.hint


def test_the_same_files_in_another_packing_are_the_same_wheel(tmp_path: Path) -> None:
    first = write_wheel(tmp_path, RAW, members={"demo/_core.abi3.so": ELF})
    for name in ("same", "other"):
        (tmp_path / name).mkdir()
    with zipfile.ZipFile(first) as archive:
        members = {name: archive.read(name) for name in reversed(archive.namelist())}
    info = "demo-1.0.dist-info/WHEEL"
    members[info] = b"\n".join(reversed(members[info].splitlines()))
    for name, changed in (("same", {}), ("other", {"demo/_core.abi3.so": ELF + b"\0"})):
        with zipfile.ZipFile(tmp_path / name / RAW, "w", zipfile.ZIP_STORED) as archive:
            for member, data in {**members, **changed}.items():
                archive.writestr(member, data)
    assert verify.has_same_contents(first, tmp_path / "same" / RAW)
    assert not verify.has_same_contents(first, tmp_path / "other" / RAW)


@pytest.mark.parametrize(
    ("tail", "signed"),
    [
        (b"", False),
        (bytes.fromhex("fade0b01 00000008"), False),  # ad hoc: the wrapper is empty
        (bytes.fromhex("fade0b01 00000010") + b"certific", True),
        (bytes.fromhex("fade0b01 00000008 fade0b01 0000000c") + b"cert", True),
        (
            bytes.fromhex("fade0b01 7fffffff") + b"cert",
            False,
        ),  # longer than the file: code that looks like it
        (bytes.fromhex("fade0b01"), False),
    ],
)
def test_an_identity_signature_is_distinguished_from_an_ad_hoc_one(tail: bytes, *, signed: bool) -> None:
    assert verify.has_identity_signature(b"\xcf\xfa\xed\xfe" + tail) is signed


def test_a_changed_member_that_somebody_had_signed_is_named(tmp_path: Path) -> None:
    name = "demo-1.0-cp311-abi3-macosx_11_0_arm64.whl"
    data = bytes(macho.tiny(macho.Shape()).data)
    blob = bytes.fromhex("fade0b01 00000010") + b"certific"
    old, new = tmp_path / "old", tmp_path / "new"
    for folder, members in (
        (old, {"demo/a.so": data + blob, "demo/b.so": data + blob}),
        (new, {"demo/a.so": data, "demo/b.so": data + blob}),
    ):
        folder.mkdir()
        write_wheel(folder, name, members=members)
    before, after = wheels.read(old / name), wheels.read(new / name)
    signed = all(part.signed for _, part in before.slices())
    assert verify.replaced_signatures(before, after) == (("demo/a.so",) if signed else ())
    assert verify.replaced_signatures(before, before) == ()


@pytest.mark.parametrize(
    ("pattern", "library"), [("libc*", "libc.so.6"), ("*", "libc.so.6"), ("KERNEL32.dll", "kernel32.dll")]
)
def test_a_pattern_for_a_part_of_the_system_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    pattern: str,
    library: str,
) -> None:
    raw = write_wheel(tmp_path, RAW, members={"demo/_core.abi3.so": ELF})
    monkeypatch.chdir(tmp_path)
    assert main(["repair", "--exclude", pattern, str(raw)]) == 2
    assert f"would exclude {library}" in capsys.readouterr().err
    assert not (tmp_path / "dist").exists()
