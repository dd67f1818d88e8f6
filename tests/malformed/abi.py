"""Modules that do not run on the Python of their tags (WK4)."""

from binaries import elf, macho
from malformed.specs import (
    DYLIB,
    LINUX,
    MACOS,
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


@malformed("WK401")
def outside_the_stable_abi(draft: WheelSpec) -> None:
    draft.members[SO] = replaced(so(), b"PyLong_FromLong", b"_PyLong_Private")


@malformed("WK402")
def newer_than_the_floor(draft: WheelSpec) -> None:
    draft.members[SO] = replaced(so(), b"PyLong_FromLong", b"PyUnicode_Equal")


@malformed("WK402", MACOS)
def newer_than_the_floor_on_macos(draft: WheelSpec) -> None:
    draft.members[DYLIB] = replaced(dylib(), b"PyLong_FromLong", b"PyUnicode_Equal")


@malformed("WK402", WINDOWS)
def newer_than_the_floor_on_windows(draft: WheelSpec) -> None:
    draft.members[PYD] = replaced(pyd(), b"PyLong_FromLong", b"PyUnicode_Equal")


@malformed("WK403", WINDOWS)
def bound_to_one_python(draft: WheelSpec) -> None:
    draft.members[PYD] = replaced(pyd(), b"ADVAPI32.dll", b"python39.dll")


@malformed("WK404")
def a_suffix_for_another_python(draft: WheelSpec) -> None:
    draft.members["demo/dx.cpython-312-x86_64-linux-gnu.so"] = draft.members.pop(SO)


@malformed("WK405")
def no_entry_point(draft: WheelSpec) -> None:
    draft.members["demo/other.abi3.so"] = elf.tiny(elf.Shape()).data.replace(b":/opt/tiny", b":$ORIGIN/x")


@malformed("WK406")
def compiled_for_free_threading(draft: WheelSpec) -> None:
    draft.rename(LINUX.replace("abi3", "cp311"))
    names, others = b"PyLong_FromLong\0__gmon_start__\0", b"_Py_DecRefShared\0_gmon_start__\0"
    draft.members["demo/dx.cpython-311-x86_64-linux-gnu.so"] = replaced(draft.members.pop(SO), names, others)


@malformed("WK408")
def a_module_of_another_python_left_over(draft: WheelSpec) -> None:
    draft.rename(LINUX.replace("abi3", "cp311"))
    module = draft.members.pop(SO)
    draft.members |= {f"demo/dx.cpython-{version}-x86_64-linux-gnu.so": module for version in (311, 312)}


@malformed("WK409")
def a_module_renamed(draft: WheelSpec) -> None:
    draft.members["demo/dy.abi3.so"] = draft.members.pop(SO)


@malformed("WK409", MACOS)
def half_a_universal2_without_symbols(draft: WheelSpec) -> None:
    draft.rename(MACOS.replace("11_0_arm64", "11_0_universal2"))
    other = replaced(dylib(cpu=macho.X86_64), b"_PyInit_dx", b"_PyGone_dx")
    draft.members[DYLIB] = macho.fat([(macho.X86_64, other), (macho.ARM64, dylib())]).data


@malformed("WK410")
def a_module_that_is_loaded_by_its_path(draft: WheelSpec) -> None:
    draft.members["demo/libdemo_ops4.so"] = draft.members.pop(SO)


@malformed("WK404")
def a_suffix_of_a_later_python(draft: WheelSpec) -> None:
    draft.members["demo/dx.abi3t.so"] = draft.members.pop(SO)


@malformed("WK404")
def a_suffix_of_another_processor(draft: WheelSpec) -> None:
    draft.rename(LINUX.replace("cp311", "cp315"))
    draft.members["demo/dx.abi3-aarch64-linux-gnu.so"] = draft.members.pop(SO)


@malformed("WK411")
def the_entry_point_of_a_later_python(draft: WheelSpec) -> None:
    names, others = b"PyInit_dx\0tiny_hidden\0", b"PyModExport_d\0hidden_\0"
    draft.members["demo/d.abi3.so"] = replaced(draft.members.pop(SO), names, others)


@malformed("WK412")
def a_static_definition_under_abi3t(draft: WheelSpec) -> None:
    draft.rename(LINUX.replace("cp311-abi3", "cp315-abi3t"))
    names, others = b"PyLong_FromLong\0__gmon_start__\0", b"PyModule_Create2\0_gmon_start__\0"
    draft.members["demo/dx.abi3t.so"] = replaced(draft.members.pop(SO), names, others)


@malformed("WK413")
def abi3t_before_its_time(draft: WheelSpec) -> None:
    draft.rename(LINUX.replace("cp311-abi3", "cp314-abi3t"))
    draft.members["demo/dx.abi3t.so"] = draft.members.pop(SO)


@malformed("WK414")
def a_module_without_an_abi(draft: WheelSpec) -> None:
    draft.rename(LINUX.replace("cp311-abi3", "cp314-none"))
    draft.members["demo/dx.so"] = draft.members.pop(SO)
