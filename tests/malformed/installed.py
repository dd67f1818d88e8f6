"""What is installed is not what was checked, cannot be run, or belongs to others (WK12, WK22)."""

import zipfile

from malformed.specs import LINUX, MACOS, PURE, WINDOWS, WheelSpec, malformed, replaced, so
from support import wheels

DATA = "demo-1.0.data"
SCRIPT = f"{DATA}/scripts/run"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 12345\n" % 0


def _executable(entry: zipfile.ZipInfo) -> None:
    entry.external_attr = 0o100755 << 16


@malformed("WK120", PURE)
def what_the_desktop_left_behind(draft: WheelSpec) -> None:
    draft.members["demo/.DS_Store"] = b"x"


@malformed("WK121", PURE)
def the_history_of_the_checkout(draft: WheelSpec) -> None:
    draft.members["demo/.git/config"] = b"x"


@malformed("WK122")
def a_module_that_was_not_fetched(draft: WheelSpec) -> None:
    draft.members["demo/dy.abi3.so"] = POINTER


@malformed("WK122", PURE)
def a_link_to_a_module_as_text(draft: WheelSpec) -> None:
    draft.members["demo/other.py"] = b"../shared/other.py"


@malformed("WK123", PURE)
def data_that_was_not_fetched(draft: WheelSpec) -> None:
    draft.members["demo/model.bin"] = POINTER


@malformed("WK124", PURE)
def a_script_for_the_build_machine(draft: WheelSpec) -> None:
    draft.members[SCRIPT] = b"#!/home/me/venv/bin/python3.11\npass\n"
    draft.edit_entry = _executable


@malformed("WK125", PURE)
def a_script_without_its_mode(draft: WheelSpec) -> None:
    draft.members[SCRIPT] = b"#!python\npass\n"


@malformed("WK126")
def a_program_without_its_mode(draft: WheelSpec) -> None:
    draft.members["demo/bin/tool"] = replaced(so(), b"\3\0\x3e\0", b"\2\0\x3e\0")  # ET_EXEC


@malformed("WK127", PURE)
def code_at_each_start(draft: WheelSpec) -> None:
    draft.members["demo.pth"] = b"import demo\n"


@malformed("WK128", PURE)
def an_editable_wheel(draft: WheelSpec) -> None:
    draft.members["__editable__.demo-1.0.pth"] = b"/home/me/demo/src\n"


@malformed("WK129", PURE)
def weights_at_the_top(draft: WheelSpec) -> None:
    draft.members["weights.pth"] = b"\x80\x02\xff\xfe"


@malformed("WK130", PURE)
def a_module_for_one_python(draft: WheelSpec) -> None:
    draft.members[f"{DATA}/data/lib/python3.11/site-packages/other.py"] = b""


@malformed("WK221", PURE)
def a_module_in_two_parts(draft: WheelSpec) -> None:
    draft.members[f"{DATA}/purelib/demo/__init__.py"] = b"answer = 43\n"


@malformed("WK105", MACOS)
def a_module_in_two_parts_and_cases(draft: WheelSpec) -> None:
    draft.members[f"{DATA}/platlib/Demo/__init__.py"] = b"answer = 43\n"


@malformed("WK118")
def a_folder_over_a_file_of_data(draft: WheelSpec) -> None:
    draft.members[f"{DATA}/platlib/demo/__init__.py/x.py"] = b""


@malformed("WK222", PURE)
def metadata_that_is_replaced(draft: WheelSpec) -> None:
    draft.members[f"{DATA}/purelib/demo-1.0.dist-info/METADATA"] = wheels.metadata("evil", "9.0").encode()


@malformed("WK223", PURE)
def an_installed_distribution_packed(draft: WheelSpec) -> None:
    draft.members["demo-1.0.dist-info/direct_url.json"] = b'{"url": "file:///home/me/demo", "dir_info": {}}'


@malformed("WK224", PURE)
def a_script_and_an_entry_point(draft: WheelSpec) -> None:
    draft.members["demo-1.0.dist-info/entry_points.txt"] = b"[console_scripts]\nrun = demo:answer\n"
    draft.members[SCRIPT] = b"#!python\npass\n"
    draft.edit_entry = _executable


@malformed("WK225", WINDOWS)
def another_interpreter(draft: WheelSpec) -> None:
    draft.members[f"{DATA}/data/Scripts/python.exe"] = b"x"


@malformed("WK225", LINUX)
def another_configuration_of_the_environment(draft: WheelSpec) -> None:
    draft.members[f"{DATA}/data/pyvenv.cfg"] = b"home = /tmp\n"


@malformed("WK226", PURE)
def a_part_of_pip(draft: WheelSpec) -> None:
    draft.members["pip/__init__.py"] = b""


@malformed("WK228", PURE)
def a_module_beside_a_package(draft: WheelSpec) -> None:
    draft.members |= {"demo/shape.py": b"", "demo/shape/__init__.py": b""}


@malformed("WK229", PURE)
def a_module_in_two_equal_parts(draft: WheelSpec) -> None:
    draft.members[f"{DATA}/purelib/demo/__init__.py"] = draft.members["demo/__init__.py"]


@malformed("WK210", PURE)
def a_folder_of_scripts(draft: WheelSpec) -> None:
    draft.members[f"{DATA}/scripts/tools/run"] = b"x"


@malformed("WK210", PURE)
def a_file_named_like_a_data_folder(draft: WheelSpec) -> None:
    draft.members["demo.data"] = b"x"


@malformed("WK209", PURE)
def a_file_named_like_a_dist_info_folder(draft: WheelSpec) -> None:
    draft.members["other-1.0.dist-info"] = b"x"
