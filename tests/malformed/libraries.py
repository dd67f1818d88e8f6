"""Needed, grafted and excluded libraries, and their search paths (WK5)."""

from binaries import elf
from malformed.specs import DYLIB, MACOS, PYD, SO, WINDOWS, WheelSpec, dylib, malformed, pyd, replaced, so


@malformed("WK511")
def a_grafted_library_moved(draft: WheelSpec) -> None:
    """The module only searches demo/x."""
    _needing_libq(draft, "demo.libs/libq.so.6")


@malformed("WK511")
def a_grafted_library_renamed(draft: WheelSpec) -> None:
    _needing_libq(draft, "demo/x/other.so.6")


@malformed("WK512")
def a_library_beside_the_module_without_a_search_path(draft: WheelSpec) -> None:
    _needing_libq(draft, "demo/libq.so.6")


def _needing_libq(draft: WheelSpec, place: str) -> None:
    """Make the module need a library, which the wheel has at this path."""
    draft.members[SO] = replaced(so(), b"libm.so.6", b"libq.so.6")
    draft.members[place] = (
        elf.tiny(elf.Shape())
        .data.replace(b":/opt/tiny", b":$ORIGIN/x")
        .replace(b"libtiny.so.1", b"libq.so.6\0\0\0")
    )


@malformed("WK501")
def a_library_that_nobody_brings(draft: WheelSpec) -> None:
    draft.members[SO] = replaced(so(), b"libm.so.6", b"libq.so.6")


@malformed("WK501", MACOS)
def a_library_of_the_build_machine(draft: WheelSpec) -> None:
    draft.members[DYLIB] = replaced(dylib(), b"/usr/lib/liba.1.dylib", b"/opt/lib/liba.1.dylib")


@malformed("WK501", MACOS)
def a_library_of_the_build_machine_on_ios(draft: WheelSpec) -> None:
    draft.rename("demo-1.0-cp313-cp313-ios_13_0_arm64_iphoneos.whl")
    data = dylib()
    at = data.index(bytes.fromhex("3200000018000000")) + 8  # the platform in the build version command
    data = data[:at] + b"\2" + data[at + 1 :]
    draft.members[DYLIB] = replaced(data, b"/usr/lib/liba.1.dylib", b"/opt/lib/liba.1.dylib")


@malformed("WK508", WINDOWS)
def a_dll_that_nobody_brings(draft: WheelSpec) -> None:
    draft.members[PYD] = replaced(pyd(), b"WS2_32.dll", b"OWN_32.dll")


@malformed("WK502")
def linked_with_libpython(draft: WheelSpec) -> None:
    draft.members[SO] = replaced(so(), b"libm.so.6\0$ORIGIN", b"libpython3.11.so\0")


@malformed("WK503")
def an_excluded_library_grafted(draft: WheelSpec) -> None:
    draft.members["demo.libs/libc10-1a2b3c4d.so"] = elf.tiny(elf.Shape()).data
    draft.config = '[exclude]\ntorch = ["libc10*"]\n'


@malformed("WK506")
def a_search_path_of_the_build_machine(draft: WheelSpec) -> None:
    draft.members[SO] = elf.tiny(elf.Shape()).data.replace(b"tiny_call", b"PyInit_dx")


@malformed("WK507")
def one_library_twice(draft: WheelSpec) -> None:
    for mark in ("1a2b3c4d", "5e6f7a8b"):
        draft.members[f"demo.libs/libtiny-{mark}.so.1"] = so()


@malformed("WK530")
def a_library_for_a_module_that_is_loaded_on_demand(draft: WheelSpec) -> None:
    draft.members[SO] = replaced(so(), b"libm.so.6", b"libq.so.6")
    draft.members["demo/fast.py"] = b"def load():\n    from demo import dx\n    return dx\n"


@malformed("WK531")
def a_library_of_a_required_sibling(draft: WheelSpec) -> None:
    draft.members[SO] = replaced(so(), b"libm.so.6", b"libq.so.6")
    draft.swap("METADATA", "Requires-Python", "Requires-Dist: libq.so\nRequires-Python")


@malformed("WK532", MACOS)
def a_library_of_a_package_manager(draft: WheelSpec) -> None:
    draft.members[DYLIB] = replaced(dylib(), b"/usr/lib/liba.1.dylib", b"/opt/local/lib/a.dylib"[:21])
    draft.members["demo/help.py"] = b"HELP = 'sudo port install a'\n"


@malformed("WK533")
def a_library_of_a_desktop(draft: WheelSpec) -> None:
    draft.members[SO] = replaced(so(), b"libm.so.6", b"libva.so.")


@malformed("WK534")
def a_framework_grafted(draft: WheelSpec) -> None:
    library = elf.tiny(elf.Shape()).data.replace(b":/opt/tiny", b":$ORIGIN/x")
    draft.members["demo.libs/libc10-1a2b3c4d.so"] = library


@malformed("WK507")
def a_library_beside_its_grafted_copy(draft: WheelSpec) -> None:
    for member in ("demo/libtiny.so.1", "demo.libs/libtiny-1a2b3c4d.so.1"):
        draft.members[member] = so().replace(b"PyInit_dx", b"tiny_call")


@malformed("WK511")
def a_library_for_ctypes_without_a_search_path(draft: WheelSpec) -> None:
    """No module needs the grafted library, so nothing can have loaded it before."""
    _needing_libq(draft, "demo.libs/libq.so.6")
    draft.members["demo/libops.so"] = draft.members.pop(SO).replace(b"PyInit_dx", b"tiny_call")


@malformed("WK513")
def an_empty_element_in_a_search_path(draft: WheelSpec) -> None:
    draft.members[SO] = replaced(so(), b":$ORIGIN/x\0", b":$ORIGIN/:\0")


@malformed("WK514")
def a_search_path_below_tmp(draft: WheelSpec) -> None:
    draft.members[SO] = replaced(so(), b":$ORIGIN/x\0", b":/tmp/builds"[:10] + b"\0")


@malformed("WK520", WINDOWS)
def a_dll_in_a_folder_that_nothing_adds(draft: WheelSpec) -> None:
    draft.members[PYD] = replaced(pyd(), b"WS2_32.dll", b"OWN_32.dll")
    draft.members["demo/bin/own_32.dll"] = _plain_dll()


@malformed("WK521", WINDOWS)
def a_dll_whose_dll_is_elsewhere(draft: WheelSpec) -> None:
    draft.members[PYD] = replaced(pyd(), b"WS2_32.dll", b"ANY_32.dll")
    draft.members["demo/any_32.dll"] = replaced(_plain_dll(), b"WS2_32.dll", b"OWN_32.dll")
    draft.members["demo/bin/own_32.dll"] = _plain_dll()


@malformed("WK522", WINDOWS)
def a_dll_under_another_name(draft: WheelSpec) -> None:
    draft.members[PYD] = replaced(pyd(), b"WS2_32.dll", b"OWN_32.dll")
    draft.members[f"demo/own_32-{'1a2b3c4d' * 4}.dll"] = _plain_dll()


@malformed("WK523", WINDOWS)
def a_runtime_under_its_own_name(draft: WheelSpec) -> None:
    draft.members["demo/msvcp140.dll"] = _plain_dll()


@malformed("WK524", WINDOWS)
def the_runtime_of_the_interpreter(draft: WheelSpec) -> None:
    draft.members["demo/vcruntime140.dll"] = _plain_dll()


@malformed("WK525", WINDOWS)
def a_dll_without_relocations(draft: WheelSpec) -> None:
    draft.members[PYD] = pyd(relocations=False)


def _plain_dll() -> bytes:
    """Return a DLL that is no module."""
    return replaced(pyd(), b"PyInit_tiny", b"tinytinytin")
