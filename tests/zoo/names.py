"""Names and tags, the dist-info folder, and what an install puts where (WK2)."""

import wheels
from zoo.drafts import INFO, LINUX, PURE, SO, Draft, animal


@animal("WK201")
def no_wheel_name(draft: Draft) -> None:
    draft.filename = "demo.whl"


@animal("WK202")
def name_not_normalised(draft: Draft) -> None:
    draft.filename = LINUX.replace("demo", "Demo")


@animal("WK203")
def renamed_to_an_older_system(draft: Draft) -> None:
    draft.filename = LINUX.replace("2_31", "2_17")


@animal("WK203")
def renamed_to_an_older_python(draft: Draft) -> None:
    draft.filename = LINUX.replace("cp311", "cp38")


@animal("WK203")
def a_compressed_tag_set_half_listed(draft: Draft) -> None:
    draft.filename = LINUX.replace("manylinux_2_31", "manylinux_2_31_x86_64.manylinux_2_35")


@animal("WK204")
def metadata_of_another_project(draft: Draft) -> None:
    draft.swap("METADATA", "Name: demo", "Name: other")


@animal("WK204")
def metadata_of_another_version(draft: Draft) -> None:
    draft.swap("METADATA", "Version: 1.0\n", "Version: 2.0\n")


@animal("WK205")
def purelib_with_a_platform(draft: Draft) -> None:
    draft.swap("WHEEL", "Purelib: false", "Purelib: true")


@animal("WK205")
def purelib_that_is_neither(draft: Draft) -> None:
    draft.swap("WHEEL", "Purelib: false", "Purelib: perhaps")


@animal("WK205")
def a_module_installed_as_pure_python(draft: Draft) -> None:
    draft.members[f"demo-1.0.data/purelib/{SO}"] = draft.members.pop(SO)


@animal("WK203")
def tags_that_stand_for_millions(draft: Draft) -> None:
    sets = (".".join(f"{kind}{number}" for number in range(300)) for kind in ("cp", "abi", "linux_"))
    draft.swap("WHEEL", "Tag: ", f"Tag: {'-'.join(sets)}\nTag: ")


@animal("WK214")
def an_interpreter_and_the_abi_of_another(draft: Draft) -> None:
    draft.rename(LINUX.replace("abi3", "cp312"))


@animal("WK214")
def the_stable_abi_of_no_interpreter(draft: Draft) -> None:
    draft.rename(LINUX.replace("cp311", "py3"))


@animal("WK215", PURE)
def entry_points_that_are_no_table(draft: Draft) -> None:
    draft.members[f"{INFO}/entry_points.txt"] = b"demo = demo:main\n"


@animal("WK215", PURE)
def a_script_that_calls_nothing(draft: Draft) -> None:
    draft.members[f"{INFO}/entry_points.txt"] = b"[console_scripts]\ndemo = demo\n"


@animal("WK215", PURE)
def a_script_that_climbs(draft: Draft) -> None:
    draft.members[f"{INFO}/entry_points.txt"] = b"[console_scripts]\n../../demo = demo:main\n"


@animal("WK216", PURE)
def a_script_of_a_module_that_is_not_there(draft: Draft) -> None:
    draft.members[f"{INFO}/entry_points.txt"] = b"[console_scripts]\ndemo = demo.cli:main\n"


@animal("WK206")
def a_build_tag_that_wheel_lacks(draft: Draft) -> None:
    draft.rename(LINUX.replace("1.0-", "1.0-3-"))


@animal("WK207")
def no_wheel_file(draft: Draft) -> None:
    del draft.members[f"{INFO}/WHEEL"]


@animal("WK207")
def a_wheel_of_the_future(draft: Draft) -> None:
    draft.swap("WHEEL", "Wheel-Version: 1.0", "Wheel-Version: 2.0")


@animal("WK101")
def no_metadata(draft: Draft) -> None:
    del draft.members[f"{INFO}/METADATA"]


@animal("WK209")
def two_dist_infos(draft: Draft) -> None:
    draft.members["demo-0.9.dist-info/METADATA"] = wheels.metadata("demo", "0.9").encode()


@animal("WK209")
def a_second_dist_info_in_capitals(draft: Draft) -> None:
    draft.members["DEMO-1.0.DIST-INFO/NOTES"] = b"x"


@animal("WK210")
def a_data_folder_of_another_name(draft: Draft) -> None:
    draft.members["other-1.0.data/scripts/demo"] = b"#!python\n"


@animal("WK210")
def an_unknown_scheme(draft: Draft) -> None:
    draft.members["demo-1.0.data/etc/demo.conf"] = b"x"


@animal("WK217")
def tests_beside_the_package(draft: Draft) -> None:
    draft.members["tests/test_demo.py"] = b"import demo\n"


@animal("WK217", PURE)
def an_init_file_at_the_top(draft: Draft) -> None:
    draft.members["__init__.py"] = b""


@animal("WK217", PURE)
def a_module_of_the_standard_library(draft: Draft) -> None:
    draft.members["statistics.py"] = b"mean = 42\n"


@animal("WK220", PURE)
def a_package_named_like_the_distribution(draft: Draft) -> None:
    draft.members["de-mo/__init__.py"] = b""


@animal("WK218", PURE)
def metadata_and_nothing_else(draft: Draft) -> None:
    for name in [name for name in draft.members if not name.startswith(INFO)]:
        del draft.members[name]


@animal("WK219", PURE)
def bytecode_beside_its_source(draft: Draft) -> None:
    draft.members["demo/__pycache__/__init__.cpython-312.pyc"] = b"\xcb\r\r\n"
