from pathlib import Path

from msgspec.structs import replace

from support import wheels
from support.rows import rows
from support.wheels import Part, elf, macho, pe
from wheelkit.analysis.floor import linux_needs, most_demanding, needs
from wheelkit.matrix import Target
from wheelkit.verification.checks import libraries, macos, platform_tag
from wheelkit.verification.checks.coverage_rows import wheel_needs
from wheelkit.verification.contract import Contract
from wheelkit.wheel import Binary, Wheel

CHECKS = (
    platform_tag.system,
    platform_tag.architecture,
    platform_tag.pure,
    platform_tag.generic,
    macos.minimum_system,
    macos.signature,
    macos.changed_after_signing,
    macos.duplicates,
    macos.chained_fixups,
    platform_tag.refused,
    libraries.debug_runtime,
)
ARM_WINDOWS = wheels.WINDOWS.replace("amd64", "arm64")
TWICE = (wheels.Rpath(path="@loader_path/../lib", how="rpath"),) * 2
CHAINED = ("chained-fixups",)
UNIVERSAL = "demo-1.0-cp311-cp311-macosx_10_13_universal2.whl"
INTEL = "demo-1.0-cp311-cp311-macosx_10_13_x86_64.whl"


def codes(wheel: Wheel) -> list[str]:
    return [finding.code for check in CHECKS for finding in check(wheel, Contract())]


def fat(intel: str = "10.13", arm: str = "11.0", **facts: object) -> Binary:
    usual = {"kind": "bundle", "exports": ("PyInit__core",), "os": "macos", "signed": True} | facts
    parts = (Part(arch="x86_64", min_os=intel, **usual), Part(arch="arm64", min_os=arm, **usual))
    return wheels.binary("demo/_core.so", *parts, form="macho")


def versions(*names: str) -> tuple[wheels.Version, ...]:
    return tuple(wheels.Version(library="libc.so.6", version=name) for name in names)


PROGRAM = {"kind": "executable", "exports": ()}


@rows(
    ("filename", "made", "expected"),
    [
        (wheels.LINUX, elf(), []),
        (wheels.LINUX, elf(arch="aarch64"), ["WK301"]),
        (wheels.LINUX, elf("demo/tool", arch="aarch64", **PROGRAM), ["WK303"]),
        (wheels.WINDOWS, pe("demo/attach_x86.dll", arch="i686", exports=("attach",)), ["WK303"]),
        (wheels.WINDOWS, pe("demo/attach_x86_64.dll", arch="i686", exports=("attach",)), ["WK301"]),
        (wheels.WINDOWS, pe("demo/attach.dll", arch="i686", exports=("attach",)), ["WK301"]),
        (wheels.WINDOWS, pe("demo/libarm64-asio.dll", arch="arm64", exports=("go",)), ["WK303"]),
        (wheels.WINDOWS, pe("demo/lib32bit.dll", arch="i686", exports=("go",)), ["WK303"]),
        (wheels.WINDOWS, pe("demo/max86.dll", arch="i686", exports=("go",)), ["WK301"]),
        (
            wheels.WINDOWS,
            pe("demo/Runtime.dll", arch="i686", exports=(), needed=wheels.needs("mscoree.dll")),
            [],
        ),
        (
            wheels.WINDOWS,
            pe("demo/Runtime.dll", arch="i686", exports=("go",), needed=wheels.needs("mscoree.dll")),
            ["WK301"],
        ),
        (
            wheels.PURE,
            pe("demo/Runtime.dll", arch="i686", exports=(), needed=wheels.needs("mscoree.dll")),
            [],
        ),
        (ARM_WINDOWS, pe("demo/vcruntime140_1.dll", arch="x86_64", exports=("go",)), ["WK303"]),
        (ARM_WINDOWS, pe("demo/vcruntime140.dll", arch="x86_64", exports=("go",)), ["WK301"]),
        (wheels.WINDOWS, pe("demo/vcruntime140_1.dll", arch="arm64", exports=("go",)), ["WK301"]),
        (wheels.WINDOWS, pe("demo/_x86.pyd", arch="i686"), ["WK301"]),
        (wheels.LINUX, elf("demo/arm64/lib.so", arch="aarch64", exports=("go",)), ["WK303"]),
        (wheels.LINUX, elf("demo/part.o", arch="aarch64", kind="object", exports=()), []),
        (wheels.LINUX.replace("x86_64", "i686"), elf(arch="i686"), []),
        (wheels.LINUX.replace("manylinux_2_17_x86_64", "linux_armv6l"), elf(arch="armv7l"), []),
        (wheels.LINUX.replace("manylinux_2_17_x86_64", "linux_armv7l"), elf(arch="armv7l"), ["WK751"]),
        (wheels.LINUX.replace("manylinux_2_17_x86_64", "linux_armv6l"), elf(arch="aarch64"), ["WK301"]),
        (wheels.LINUX, macho(), ["WK302"]),
        (wheels.LINUX, pe("demo/launcher.exe", arch="i686", **PROGRAM), ["WK303"]),
        (wheels.LINUX.replace("manylinux_2_17", "linux"), elf(), ["WK307"]),
        (wheels.LINUX.replace("manylinux_2_17", "linux"), elf(arch="aarch64"), ["WK301", "WK307"]),
        (wheels.LINUX.replace("manylinux_2_17_x86_64", "plan9"), elf(), ["WK313"]),
        (wheels.MACOS, macho(), []),
        (wheels.MACOS, macho("demo/_core.so", "x86_64"), ["WK301"]),
        (wheels.MACOS, fat(), []),
        (wheels.MACOS, macho(min_os="12.0"), ["WK321"]),
        (wheels.MACOS, macho(min_os="10.9"), []),
        (wheels.MACOS, macho(min_os=None), []),
        (wheels.MACOS, macho(min_os="15.0", os="ios"), []),
        (wheels.MACOS, macho(signed=False), ["WK323"]),
        (wheels.MACOS, macho(signed=False, os="ios"), []),
        (INTEL, macho("demo/_core.so", "x86_64", min_os="10.13", signed=False), []),
        (INTEL, macho("demo/_core.so", "x86_64", min_os="10.14"), ["WK321"]),
        (INTEL.replace("10_13", "11_0"), macho("demo/_core.so", "x86_64", min_os="10.16"), []),
        (UNIVERSAL, fat(), []),
        (UNIVERSAL, fat("10.15"), ["WK321"]),
        (UNIVERSAL, fat(arm="12.0"), ["WK321"]),
        (UNIVERSAL, fat("10.15", "12.0"), ["WK321"]),
        (UNIVERSAL, macho("demo/_core.so", "x86_64", min_os="10.13"), ["WK322"]),
        ("demo-1.0-cp311-cp311-macosx_10_13_x86_64.macosx_11_0_arm64.whl", fat(), []),
        ("demo-1.0-cp311-cp311-macosx_10_13_x86_64.macosx_11_0_arm64.whl", macho(), ["WK322"]),
        ("demo-1.0-cp311-cp311-macosx_10_9_intel.whl", macho("demo/_core.so", "x86_64", min_os="10.9"), []),
        (wheels.WINDOWS, pe(), []),
        (wheels.WINDOWS, pe(arch="arm64"), ["WK301"]),
        (wheels.WINDOWS, pe(arch="arm64ec"), ["WK301"]),
        (wheels.WINDOWS.replace("win_amd64", "win_arm64"), pe(arch="arm64ec"), ["WK301"]),
        (wheels.MACOS, macho("demo/_core.so", "arm64e"), ["WK301"]),
        (wheels.MACOS, macho("demo/_core.so", "arm64", "arm64e"), []),
        (wheels.MACOS, macho(rpaths=TWICE, sdk="15.4"), ["WK353"]),
        (wheels.MACOS, macho(rpaths=TWICE, sdk="15.3.1"), ["WK354"]),
        (wheels.MACOS, macho(rpaths=TWICE), ["WK354"]),
        (wheels.MACOS, macho(rpaths=TWICE[:1], sdk="26.0"), []),
        (wheels.MACOS, macho(needed=wheels.needs("/usr/lib/liba.dylib") * 2, sdk="15.0"), ["WK355"]),
        (wheels.MACOS, macho(needed=wheels.needs("/usr/lib/liba.dylib") * 2, sdk="14.5"), []),
        (INTEL, macho("demo/_core.so", "x86_64", min_os="10.13", flags=CHAINED), ["WK356"]),
        (INTEL, macho("demo/_core.so", "x86_64", min_os="12.0", flags=CHAINED), ["WK321"]),
        (wheels.MACOS, macho(flags=CHAINED), []),
        (wheels.MACOS, replace(macho(), forged=(0,)), ["WK351"]),
        (wheels.MACOS, replace(macho(os="ios"), forged=(0,)), []),
        (INTEL, replace(macho("demo/_core.so", "x86_64", min_os="10.13"), forged=(0,)), ["WK352"]),
        (UNIVERSAL, replace(fat(), forged=(0,)), ["WK351"]),
        (wheels.MACOS, macho(refusal="it has no UUID, or more than one"), ["WK350"]),
        (wheels.MACOS, macho("demo/a.o", kind="object", exports=(), refusal="it has no UUID"), []),
        (wheels.WINDOWS.replace("win_amd64", "win_arm64"), pe(arch="arm64"), []),
        (wheels.WINDOWS.replace("win_amd64", "win32"), pe(arch="i686"), []),
        (wheels.WINDOWS, pe(needed=wheels.needs("VCRUNTIME140D.dll")), ["WK331"]),
        (wheels.WINDOWS, pe(needed=wheels.needs("python311_d.dll")), ["WK331"]),
        (wheels.WINDOWS, pe(needed=wheels.needs("VCRUNTIME140.dll", "python311.dll", "msvcp140_1.dll")), []),
        (wheels.PURE, elf(), ["WK304"]),
        (wheels.PURE, pe("demo/launcher.exe", **PROGRAM), ["WK305"]),
        (wheels.PURE, elf("demo/part.o", kind="object", exports=()), []),
    ],
)
def test_tags_and_binaries(tmp_path: Path, filename: str, made: Binary, expected: list[str]) -> None:
    assert codes(wheels.facts(tmp_path, filename, made)) == expected


def test_tags_without_binaries(tmp_path: Path) -> None:
    assert codes(wheels.facts(tmp_path, wheels.LINUX)) == ["WK306"]
    assert codes(wheels.facts(tmp_path, wheels.PURE)) == []


def test_the_worst_slice_is_named(tmp_path: Path) -> None:
    wheel = wheels.facts(
        tmp_path, wheels.MACOS, macho("demo/a.so", min_os="12.0"), macho("demo/b.so", min_os="13.3")
    )
    (finding,) = macos.minimum_system(wheel, Contract())
    assert (
        finding.what
        == "demo/b.so (arm64) needs macOS 13.3, but macosx_11_0_arm64 promises 11.0; 1 other binary does too"
    )
    assert "MACOSX_DEPLOYMENT_TARGET=11.0" in finding.fix


@rows(
    ("filename", "made", "target", "expected"),
    [
        (
            wheels.LINUX,
            elf(
                versions=(
                    wheels.Version(library="libc.so.6", version="GLIBC_2.4"),
                    wheels.Version(library="libc.so.6", version="GLIBC_2.14"),
                )
            ),
            "manylinux_2_17_x86_64",
            "manylinux_2_17: glibc 2.14",
        ),
        (
            wheels.LINUX,
            elf(versions=(wheels.Version(library="libc.so.6", version="GLIBC_ABI_DT_RELR"),)),
            "manylinux_2_17_x86_64",
            "manylinux_2_36: GLIBC_ABI_DT_RELR",
        ),
        (
            wheels.LINUX.replace("many", "musl").replace("2_17", "1_2"),
            elf(),
            "musllinux_1_2_x86_64",
            "musllinux_1_2",
        ),
        # All that the next older policy lacks is named; the oldest has no older one.
        (wheels.LINUX, elf(versions=versions("GLIBC_2.2.5")), "manylinux_2_17_x86_64", "manylinux_2_5"),
        (
            wheels.LINUX,
            elf(
                versions=versions(
                    "GLIBC_2.17", "GLIBC_2.27", "GLIBCXX_3.4.24", "CXXABI_1.3.11", "CXXABI_1.3.10"
                )
            ),
            "manylinux_2_17_x86_64",
            "manylinux_2_27: glibc 2.27, CXXABI_1.3.11, GLIBCXX_3.4.24",
        ),
        (
            wheels.LINUX,
            elf(versions=versions("GLIBC_2.17", "GLIBCXX_3.4.29")),
            "manylinux_2_17_x86_64",
            "manylinux_2_34: GLIBCXX_3.4.29",
        ),
        (
            wheels.LINUX,
            elf(versions=versions("GLIBC_2.4"), needed=wheels.needs("libc.so.6", "libfoo.so.1", "liba.so")),
            "manylinux_2_17_x86_64",
            "linux: liba.so, libfoo.so.1",
        ),
        (
            wheels.LINUX,
            elf(
                versions=versions("GLIBC_PRIVATE", "GLIBC_2.99"),
                needed=wheels.needs("libc.so.6", "libfoo.so.1"),
            ),
            "manylinux_2_17_x86_64",
            "linux: glibc 2.99, GLIBC_PRIVATE, libfoo.so.1",
        ),
        (
            wheels.LINUX,
            elf(needed=wheels.needs("libz.so.1"), imports=wheels.imports("crc32_combine_op", "deflate")),
            "manylinux_2_17_x86_64",
            "manylinux_2_37: crc32_combine_op of libz.so.1",
        ),
        (wheels.LINUX, elf("demo/a.o", kind="object"), "manylinux_2_17_x86_64", ""),
        (
            wheels.LINUX,
            elf(versions=versions("GLIBC_2.27"), isa=3),
            "manylinux_2_17_x86_64",
            "linux: glibc 2.27, x86-64-v3",
        ),
        (
            wheels.LINUX,
            elf(versions=versions("GLIBC_2.2.5"), isa=1),
            "manylinux_2_17_x86_64",
            "manylinux_2_5",
        ),
        (UNIVERSAL, fat(), "macosx_10_13_universal2", "macOS 10.13"),
        (UNIVERSAL, fat(), "macosx_11_0_arm64", "macOS 11.0"),
        (
            wheels.WINDOWS,
            pe(needed=wheels.needs("python3.dll", "python311.dll")),
            "win_amd64",
            "python311.dll",
        ),
    ],
)
def test_needs(tmp_path: Path, filename: str, made: Binary, target: str, expected: str) -> None:
    assert needed([wheels.facts(tmp_path, filename, made)], target) == expected


def needed(made: list[Wheel], target: str) -> str:
    return str(needs(made, Target.parse(target), {wheel.path: linux_needs(wheel) for wheel in made}))


def test_needs_of_several_linux_wheels(tmp_path: Path) -> None:
    found = [
        linux_needs(wheels.facts(tmp_path, wheels.LINUX, elf(versions=versions(*names))))["manylinux"]
        for names in (("GLIBC_2.25",), ("GLIBC_2.26",), ("GLIBC_2.27",), ("GLIBCXX_3.4.24",), ("GLIBC_2.17",))
    ]
    assert [str(need) for need in found] == [
        "manylinux_2_26: glibc 2.25",
        "manylinux_2_26: glibc 2.26",
        "manylinux_2_27: glibc 2.27",
        "manylinux_2_27: GLIBCXX_3.4.24",
        "manylinux_2_17: glibc 2.17",
    ]
    assert str(most_demanding(found)) == "manylinux_2_27: glibc 2.27, GLIBCXX_3.4.24"
    assert str(most_demanding(found[:2])) == "manylinux_2_26: glibc 2.26"
    lost = linux_needs(wheels.facts(tmp_path, wheels.LINUX, elf(needed=wheels.needs("libfoo.so"))))[
        "manylinux"
    ]
    assert str(most_demanding([*found, lost])) == "linux: libfoo.so"
    assert str(most_demanding([])) == ""


def test_libraries_of_other_distributions_limit_nothing(tmp_path: Path) -> None:
    made = elf(versions=versions("GLIBC_2.17"), needed=wheels.needs("libc.so.6", "libtorch.so"))
    for lines, expected in (
        ((), "linux: libtorch.so"),
        (("Requires-Dist: torch",), "manylinux_2_17: glibc 2.17"),
    ):
        members = {"{info}/METADATA": wheels.metadata("demo", "1.0", *lines)}
        wheel = wheels.facts(tmp_path, wheels.LINUX, made, members=members)
        assert str(wheel_needs(wheel, Contract())["manylinux"]) == expected


def test_a_static_program_fits_both_c_libraries(tmp_path: Path) -> None:
    both = wheels.LINUX.replace("2_17_x86_64", "2_17_x86_64.musllinux_1_1_x86_64")
    static = wheels.facts(tmp_path, both, elf("demo/tool", **PROGRAM))
    assert needed([static], "manylinux_2_17_x86_64") == "manylinux_2_5"
    assert needed([static], "musllinux_1_1_x86_64") == "musllinux_1_1"
    linked = wheels.facts(tmp_path, both, elf("demo/tool", versions=versions("GLIBC_2.27"), **PROGRAM))
    for target in ("manylinux_2_17_x86_64", "musllinux_1_1_x86_64"):
        assert needed([linked], target) == "manylinux_2_27: glibc 2.27"


def test_needs_of_many_windows_wheels(tmp_path: Path) -> None:
    made = [
        wheels.facts(
            tmp_path,
            f"demo-1.0-cp31{minor}-cp31{minor}-win_amd64.whl",
            pe(needed=wheels.needs(f"python31{minor}.dll")),
        )
        for minor in (1, 2)
    ]
    assert needed(made, "win_amd64") == "python3xx.dll"
    assert needed(made[:1], "win_amd64") == "python311.dll"


def test_damage_is_reported(tmp_path: Path) -> None:
    from wheelkit import _core

    own = Path(_core.__file__).read_bytes()
    broken = wheels.facts(tmp_path, wheels.LINUX)
    assert list(platform_tag.damage(broken, Contract())) == []
    from wheelkit.wheel import read

    wheel = read(wheels.write_wheel(tmp_path, members={"demo/broken.so": own[:100], "demo/whole.so": own}))
    (finding,) = platform_tag.damage(wheel, Contract())
    assert (finding.code, finding.member) == ("WK308", "demo/broken.so")


def test_programs_for_all_three_systems_are_there_on_purpose(tmp_path: Path) -> None:
    every = (
        elf("demo/linux/tool", **PROGRAM),
        macho("demo/macos/tool", **PROGRAM),
        pe("demo/windows/tool.exe", **PROGRAM),
    )
    assert codes(wheels.facts(tmp_path, wheels.PURE, *every)) == []
    assert codes(wheels.facts(tmp_path, wheels.PURE, *every[:2])) == ["WK305"]
