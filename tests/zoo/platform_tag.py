"""Binaries against the platform tag (WK3)."""

from binaries import elf, macho, pe
from zoo.drafts import DYLIB, LINUX, MACOS, PURE, PYD, SO, WINDOWS, Draft, animal, dylib, pyd, so, swapped


@animal("WK301")
def an_arm_binary_tagged_x86_64(draft: Draft) -> None:
    draft.members[SO] = so(machine=183)


@animal("WK302")
def a_windows_binary_tagged_linux(draft: Draft) -> None:
    draft.members["demo/tiny.pyd"] = pyd()


@animal("WK303")
def a_windows_program_tagged_linux(draft: Draft) -> None:
    draft.members["demo/tool.exe"] = pyd(dll=False, imports=False).replace(b"PyInit_tiny", b"tinytinytin")


@animal("WK304", PURE)
def a_binary_tagged_any(draft: Draft) -> None:
    draft.members[SO] = so()


@animal("WK305", PURE)
def a_library_tagged_any(draft: Draft) -> None:
    draft.members["demo/libtiny.so"] = elf.tiny(elf.Shape()).data


@animal("WK306")
def a_platform_without_a_binary(draft: Draft) -> None:
    del draft.members[SO]


@animal("WK307")
def tagged_plain_linux(draft: Draft) -> None:
    draft.rename(LINUX.replace("manylinux_2_31", "linux"))


@animal("WK308")
def a_binary_cut_off(draft: Draft) -> None:
    draft.members[SO] = so()[:900]


@animal("WK308")
def a_binary_of_noise(draft: Draft) -> None:
    draft.members[SO] = so()[:64] + bytes(range(256)) * 8


@animal("WK308")
def an_empty_module(draft: Draft) -> None:
    draft.members[SO] = b""


@animal("WK308")
def a_pointer_to_a_module(draft: Draft) -> None:
    draft.members[SO] = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n"


@animal("WK302", MACOS)
def a_mac_binary_tagged_ios(draft: Draft) -> None:
    draft.rename("demo-1.0-cp313-cp313-ios_13_0_arm64_iphoneos.whl")


@animal("WK301")
def a_binary_for_another_android(draft: Draft) -> None:
    draft.rename("demo-1.0-cp313-cp313-android_24_arm64_v8a.whl")


@animal("WK311")
def too_new_a_glibc(draft: Draft) -> None:
    draft.rename(LINUX.replace("2_31", "2_28"))


@animal("WK313")
def a_misspelt_platform(draft: Draft) -> None:
    draft.rename(LINUX.replace("manylinux", "manylinus"))


@animal("WK314")
def glibc_tagged_musl(draft: Draft) -> None:
    draft.rename(LINUX.replace("manylinux_2_31", "musllinux_1_2"))


@animal("WK316")
def an_executable_stack(draft: Draft) -> None:
    draft.members[SO] = so(stack=7)


@animal("WK321", MACOS)
def too_new_a_macos(draft: Draft) -> None:
    draft.rename(MACOS.replace("11_0_arm64", "10_9_x86_64"))
    draft.members[DYLIB] = dylib(cpu=macho.X86_64, build_version=False)


@animal("WK322", MACOS)
def half_a_universal2(draft: Draft) -> None:
    draft.rename(MACOS.replace("11_0_arm64", "10_13_universal2"))


@animal("WK323", MACOS)
def unsigned_on_arm64(draft: Draft) -> None:
    draft.members[DYLIB] = dylib(signed=False)


@animal("WK301", WINDOWS)
def a_32_bit_dll_tagged_amd64(draft: Draft) -> None:
    draft.members[PYD] = pyd(machine=pe.I386, wide=False)


@animal("WK331", WINDOWS)
def a_debug_runtime(draft: Draft) -> None:
    draft.members[PYD] = swapped(pyd(), b"WS2_32.dll", b"mfc14d.dll")
