"""Binaries that contradict the platform tag (WK3)."""

from binaries import elf, macho, pe
from malformed.specs import (
    DYLIB,
    LINUX,
    MACOS,
    PURE,
    PYD,
    SO,
    WINDOWS,
    WheelSpec,
    dylib,
    malformed,
    pyd,
    replaced,
    so,
)


@malformed("WK301")
def an_arm_binary_tagged_x86_64(draft: WheelSpec) -> None:
    draft.members[SO] = so(machine=183)


@malformed("WK302")
def a_windows_binary_tagged_linux(draft: WheelSpec) -> None:
    draft.members["demo/tiny.pyd"] = pyd()


@malformed("WK303")
def a_windows_program_tagged_linux(draft: WheelSpec) -> None:
    draft.members["demo/tool.exe"] = pyd(dll=False, imports=False).replace(b"PyInit_tiny", b"tinytinytin")


@malformed("WK304", PURE)
def a_binary_tagged_any(draft: WheelSpec) -> None:
    draft.members[SO] = so()


@malformed("WK305", PURE)
def a_library_tagged_any(draft: WheelSpec) -> None:
    draft.members["demo/libtiny.so"] = elf.tiny(elf.Shape()).data


@malformed("WK306")
def a_platform_without_a_binary(draft: WheelSpec) -> None:
    del draft.members[SO]


@malformed("WK307")
def tagged_plain_linux(draft: WheelSpec) -> None:
    draft.rename(LINUX.replace("manylinux_2_31", "linux"))


@malformed("WK308")
def a_binary_cut_off(draft: WheelSpec) -> None:
    draft.members[SO] = so()[:900]


@malformed("WK340")
def a_binary_of_noise(draft: WheelSpec) -> None:
    draft.members[SO] = so()[:64] + bytes(range(256)) * 8


@malformed("WK308")
def an_empty_module(draft: WheelSpec) -> None:
    draft.members[SO] = b""


@malformed("WK122")
def a_pointer_to_a_module(draft: WheelSpec) -> None:
    draft.members[SO] = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n"


@malformed("WK302", MACOS)
def a_mac_binary_tagged_ios(draft: WheelSpec) -> None:
    draft.rename("demo-1.0-cp313-cp313-ios_13_0_arm64_iphoneos.whl")


@malformed("WK301")
def a_binary_for_another_android(draft: WheelSpec) -> None:
    draft.rename("demo-1.0-cp313-cp313-android_24_arm64_v8a.whl")


@malformed("WK311")
def too_new_a_glibc(draft: WheelSpec) -> None:
    draft.rename(LINUX.replace("2_31", "2_28"))


@malformed("WK313")
def a_misspelt_platform(draft: WheelSpec) -> None:
    draft.rename(LINUX.replace("manylinux", "manylinus"))


@malformed("WK314")
def glibc_tagged_musl(draft: WheelSpec) -> None:
    draft.rename(LINUX.replace("manylinux_2_31", "musllinux_1_2"))


@malformed("WK316")
def an_executable_stack(draft: WheelSpec) -> None:
    draft.members[SO] = so(stack=7)


@malformed("WK321", MACOS)
def too_new_a_macos(draft: WheelSpec) -> None:
    draft.rename(MACOS.replace("11_0_arm64", "10_9_x86_64"))
    draft.members[DYLIB] = dylib(cpu=macho.X86_64, build_version=False)


@malformed("WK322", MACOS)
def half_a_universal2(draft: WheelSpec) -> None:
    draft.rename(MACOS.replace("11_0_arm64", "10_13_universal2"))


@malformed("WK323", MACOS)
def unsigned_on_arm64(draft: WheelSpec) -> None:
    draft.members[DYLIB] = dylib(signed=False)


@malformed("WK301", WINDOWS)
def a_32_bit_dll_tagged_amd64(draft: WheelSpec) -> None:
    draft.members[PYD] = pyd(machine=pe.I386, wide=False)


@malformed("WK331", WINDOWS)
def a_debug_runtime(draft: WheelSpec) -> None:
    draft.members[PYD] = replaced(pyd(), b"WS2_32.dll", b"mfc14d.dll")


@malformed("WK340")
def a_module_marked_as_a_program(draft: WheelSpec) -> None:
    """DF_1_NOW of DT_FLAGS_1 becomes DF_1_PIE."""
    flags = bytes.fromhex("fbffff6f 00000000")
    draft.members[SO] = replaced(so(), flags + bytes.fromhex("01000000"), flags + bytes.fromhex("00000008"))


@malformed("WK341")
def an_arm_binary_for_small_pages(draft: WheelSpec) -> None:
    draft.rename(LINUX.replace("x86_64", "aarch64"))
    draft.members[SO] = so(machine=183, align=0x1000)


@malformed("WK342")
def an_android_binary_for_small_pages(draft: WheelSpec) -> None:
    draft.rename("demo-1.0-cp313-cp313-android_24_arm64_v8a.whl")
    draft.members[SO] = so(machine=183, align=0x1000)


@malformed("WK344")
def a_wrong_number_of_versions(draft: WheelSpec) -> None:
    """DT_VERNEEDNUM becomes 0."""
    number = bytes.fromhex("ffffff6f 00000000")
    draft.members[SO] = replaced(so(), number + bytes.fromhex("02000000"), number + bytes(4))


@malformed("WK343")
def a_module_for_new_processors(draft: WheelSpec) -> None:
    draft.members[SO] = so(isa=4)


@malformed("WK345")
def much_static_thread_storage(draft: WheelSpec) -> None:
    draft.members[SO] = so(tls=4096)


@malformed("WK346")
def versions_of_a_library_that_is_not_loaded(draft: WheelSpec) -> None:
    """The version record of libm names libtiny, which nothing loads."""
    draft.members[SO] = so(unloaded=True)


@malformed("WK347")
def a_version_that_the_grafted_library_lacks(draft: WheelSpec) -> None:
    draft.members[SO] = replaced(so(), b"libm.so.6", b"libq.so.6")
    library = elf.tiny(elf.Shape(defines="Q_1")).data.replace(b":/opt/tiny", b":$ORIGIN/x")
    draft.members["demo/x/libq.so.6"] = library.replace(b"libtiny.so.1", b"libq.so.6\0\0\0")


@malformed("WK348")
def code_that_is_writable(draft: WheelSpec) -> None:
    draft.members[SO] = so(load_flags=7)


@malformed("WK349")
def a_module_for_processors_since_2009(draft: WheelSpec) -> None:
    draft.members[SO] = so(isa=2)


@malformed("WK350", MACOS)
def a_library_for_mac_without_a_name(draft: WheelSpec) -> None:
    """Its LC_ID_DYLIB becomes an LC_FVMFILE, which nothing reads."""
    draft.members[DYLIB] = replaced(dylib(), bytes.fromhex("0d00000030"), bytes.fromhex("0900000030"))


@malformed("WK350", WINDOWS)
def a_dll_with_a_gap_between_its_sections(draft: WheelSpec) -> None:
    data = pyd()
    draft.members[PYD] = replaced(data, b".data\0\0\0\0\x10\0\0\0\x20", b".data\0\0\0\0\x10\0\0\0\x30")


@malformed("WK351", MACOS)
def changed_after_it_was_signed(draft: WheelSpec) -> None:
    draft.members[DYLIB] = dylib().replace(b"texttext", b"textTEXT")


@malformed("WK352", MACOS)
def changed_after_it_was_signed_on_intel(draft: WheelSpec) -> None:
    draft.rename(MACOS.replace("arm64", "x86_64"))
    draft.members[DYLIB] = dylib(cpu=macho.X86_64).replace(b"texttext", b"textTEXT")


@malformed("WK353", MACOS)
def one_search_path_twice(draft: WheelSpec) -> None:
    draft.members[DYLIB] = dylib(rpaths=("@loader_path/../lib",) * 2, sdk=(15, 4))


@malformed("WK354", MACOS)
def one_search_path_twice_by_an_older_linker(draft: WheelSpec) -> None:
    draft.members[DYLIB] = dylib(rpaths=("@loader_path/../lib",) * 2, sdk=(15, 3))


@malformed("WK355", MACOS)
def one_library_needed_twice(draft: WheelSpec) -> None:
    data = dylib(sdk=(15, 0))
    draft.members[DYLIB] = replaced(data, b"/usr/lib/liba.1.dylib\0", b"/usr/lib/lib.dylib\0\0\0\0")


@malformed("WK357", MACOS)
def a_library_beside_the_interpreter(draft: WheelSpec) -> None:
    draft.members[DYLIB] = replaced(dylib(), b"/usr/lib/liba.1.dylib", b"@executable_path/q.so")
    draft.members["demo/q.so"] = dylib()


@malformed("WK356", MACOS)
def chained_fixups_for_an_old_mac(draft: WheelSpec) -> None:
    draft.rename(MACOS.replace("11_0_arm64", "10_13_x86_64"))
    draft.members[DYLIB] = dylib(cpu=macho.X86_64, build_version=False, chained=True)
