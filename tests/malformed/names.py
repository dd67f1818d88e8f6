"""Names and tags, the dist-info folder, and where files are installed (WK2)."""

from malformed.specs import INFO, LINUX, MACOS, PURE, SO, WheelSpec, malformed
from support import wheels


@malformed("WK201")
def no_wheel_name(draft: WheelSpec) -> None:
    draft.filename = "demo.whl"


@malformed("WK202")
def name_not_normalised(draft: WheelSpec) -> None:
    draft.filename = LINUX.replace("demo", "Demo")


@malformed("WK203")
def renamed_to_an_older_system(draft: WheelSpec) -> None:
    draft.filename = LINUX.replace("2_31", "2_17")


@malformed("WK203")
def renamed_to_an_older_python(draft: WheelSpec) -> None:
    draft.filename = LINUX.replace("cp311", "cp38")


@malformed("WK203")
def a_compressed_tag_set_half_listed(draft: WheelSpec) -> None:
    draft.filename = LINUX.replace("manylinux_2_31", "manylinux_2_31_x86_64.manylinux_2_35")


@malformed("WK204")
def metadata_of_another_project(draft: WheelSpec) -> None:
    draft.swap("METADATA", "Name: demo", "Name: other")


@malformed("WK204")
def metadata_of_another_version(draft: WheelSpec) -> None:
    draft.swap("METADATA", "Version: 1.0\n", "Version: 2.0\n")


@malformed("WK205")
def purelib_with_a_platform(draft: WheelSpec) -> None:
    draft.swap("WHEEL", "Purelib: false", "Purelib: true")


@malformed("WK721")
def purelib_that_is_neither(draft: WheelSpec) -> None:
    draft.swap("WHEEL", "Purelib: false", "Purelib: perhaps")


@malformed("WK205")
def a_module_installed_as_pure_python(draft: WheelSpec) -> None:
    draft.members[f"demo-1.0.data/purelib/{SO}"] = draft.members.pop(SO)


@malformed("WK203")
def tags_that_stand_for_millions(draft: WheelSpec) -> None:
    sets = (".".join(f"{kind}{number}" for number in range(300)) for kind in ("cp", "abi", "linux_"))
    draft.swap("WHEEL", "Tag: ", f"Tag: {'-'.join(sets)}\nTag: ")


@malformed("WK214")
def an_interpreter_and_the_abi_of_another(draft: WheelSpec) -> None:
    draft.rename(LINUX.replace("abi3", "cp312"))


@malformed("WK214")
def the_stable_abi_of_no_interpreter(draft: WheelSpec) -> None:
    draft.rename(LINUX.replace("cp311", "py3"))


@malformed("WK230", MACOS)
def a_minor_version_that_macos_11_dropped(draft: WheelSpec) -> None:
    draft.rename(MACOS.replace("11_0", "13_6"))


@malformed("WK230")
def a_processor_spelled_as_on_windows(draft: WheelSpec) -> None:
    draft.rename(LINUX.replace("x86_64", "amd64"))


@malformed("WK231")
def one_tag_of_two_without_a_system(draft: WheelSpec) -> None:
    draft.rename(LINUX.replace(".whl", ".manylinux_2_4_x86_64.whl"))


@malformed("WK214")
def the_stable_abi_on_any_platform(draft: WheelSpec) -> None:
    draft.rename(LINUX.replace("manylinux_2_31_x86_64", "any"))


@malformed("WK215", PURE)
def entry_points_that_are_no_table(draft: WheelSpec) -> None:
    draft.members[f"{INFO}/entry_points.txt"] = b"demo = demo:main\n"


@malformed("WK215", PURE)
def a_script_that_calls_nothing(draft: WheelSpec) -> None:
    draft.members[f"{INFO}/entry_points.txt"] = b"[console_scripts]\ndemo = demo\n"


@malformed("WK215", PURE)
def a_script_that_climbs(draft: WheelSpec) -> None:
    draft.members[f"{INFO}/entry_points.txt"] = b"[console_scripts]\n../../demo = demo:main\n"


@malformed("WK216", PURE)
def a_script_of_a_module_that_is_not_there(draft: WheelSpec) -> None:
    draft.members[f"{INFO}/entry_points.txt"] = b"[console_scripts]\ndemo = demo.cli:main\n"


@malformed("WK206")
def a_build_tag_that_wheel_lacks(draft: WheelSpec) -> None:
    draft.rename(LINUX.replace("1.0-", "1.0-3-"))


@malformed("WK207")
def no_wheel_file(draft: WheelSpec) -> None:
    del draft.members[f"{INFO}/WHEEL"]


@malformed("WK207")
def a_format_version_without_a_dot(draft: WheelSpec) -> None:
    draft.swap("WHEEL", "Wheel-Version: 1.0", "Wheel-Version: 1")


@malformed("WK215", PURE)
def a_script_with_a_space(draft: WheelSpec) -> None:
    draft.members[f"{INFO}/entry_points.txt"] = b"[console_scripts]\nmy demo = demo:answer\n"


@malformed("WK215", PURE)
def a_section_in_two_brackets(draft: WheelSpec) -> None:
    draft.members[f"{INFO}/entry_points.txt"] = b"[[console_scripts]]\ndemo = demo:answer\n"


@malformed("WK207")
def a_wheel_of_the_future(draft: WheelSpec) -> None:
    draft.swap("WHEEL", "Wheel-Version: 1.0", "Wheel-Version: 2.0")


@malformed("WK101")
def no_metadata(draft: WheelSpec) -> None:
    del draft.members[f"{INFO}/METADATA"]


@malformed("WK209")
def two_dist_infos(draft: WheelSpec) -> None:
    draft.members["demo-0.9.dist-info/METADATA"] = wheels.metadata("demo", "0.9").encode()


@malformed("WK209")
def a_second_dist_info_in_capitals(draft: WheelSpec) -> None:
    draft.members["DEMO-1.0.DIST-INFO/NOTES"] = b"x"


@malformed("WK210")
def a_data_folder_of_another_name(draft: WheelSpec) -> None:
    draft.members["other-1.0.data/scripts/demo"] = b"#!python\n"


@malformed("WK210")
def an_unknown_scheme(draft: WheelSpec) -> None:
    draft.members["demo-1.0.data/etc/demo.conf"] = b"x"


@malformed("WK217")
def tests_beside_the_package(draft: WheelSpec) -> None:
    draft.members["tests/test_demo.py"] = b"import demo\n"


@malformed("WK217", PURE)
def an_init_file_at_the_top(draft: WheelSpec) -> None:
    draft.members["__init__.py"] = b""


@malformed("WK217", PURE)
def a_module_of_the_standard_library(draft: WheelSpec) -> None:
    draft.members["statistics.py"] = b"mean = 42\n"


@malformed("WK220", PURE)
def a_package_named_like_the_distribution(draft: WheelSpec) -> None:
    draft.members["de-mo/__init__.py"] = b""


@malformed("WK218", PURE)
def metadata_and_nothing_else(draft: WheelSpec) -> None:
    for name in [name for name in draft.members if not name.startswith(INFO)]:
        del draft.members[name]


@malformed("WK219", PURE)
def bytecode_beside_its_source(draft: WheelSpec) -> None:
    draft.members["demo/__pycache__/__init__.cpython-312.pyc"] = b"\xcb\r\r\n"
