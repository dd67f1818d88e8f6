"""METADATA, and the configured promises of a distribution (WK7)."""

from malformed.specs import LINUX, PURE, SO, WheelSpec, malformed


@malformed("WK701")
def a_field_that_is_not_valid(draft: WheelSpec) -> None:
    draft.swap("METADATA", "Requires-Python: >=3.11", "Requires-Python: three")


@malformed("WK701")
def a_requirement_that_is_none(draft: WheelSpec) -> None:
    draft.swap("METADATA", "Requires-Python", "Requires-Dist: six ==== 1\nRequires-Python")


@malformed("WK702")
def requires_python_excludes_it(draft: WheelSpec) -> None:
    draft.rename(LINUX.replace("abi3", "cp311"))
    draft.swap("METADATA", ">=3.11", ">=3.12")
    draft.members["demo/dx.cpython-311-x86_64-linux-gnu.so"] = draft.members.pop(SO)


@malformed("WK702")
def requires_python_excludes_all_of_the_stable_abi(draft: WheelSpec) -> None:
    draft.swap("METADATA", ">=3.11", ">=3.8,<3.11")


@malformed("WK720")
def a_requirement_by_url(draft: WheelSpec) -> None:
    draft.swap(
        "METADATA", "Requires-Python", "Requires-Dist: six @ https://example.org/six.whl\nRequires-Python"
    )


@malformed("WK703")
def a_local_version(draft: WheelSpec) -> None:
    draft.filename = LINUX.replace("1.0", "1.0+local")


@malformed("WK708")
def a_licence_that_is_not_there(draft: WheelSpec) -> None:
    draft.swap("METADATA", "Requires-Python", "License-File: LICENSE\nRequires-Python")


@malformed("WK710")
def a_description_that_does_not_render(draft: WheelSpec) -> None:
    draft.swap("METADATA", "A demo.", "Demo\n====\n\n.. nonsense::\n\n   x\n")
    draft.config = '[matrix]\ntargets = ["manylinux_2_31_x86_64"]\n'


@malformed("WK718")
def a_description_in_no_markup(draft: WheelSpec) -> None:
    draft.swap("METADATA", "Description-Content-Type: text/x-rst\n", "")
    draft.config = '[matrix]\ntargets = ["manylinux_2_31_x86_64"]\n'


@malformed("WK715", PURE)
def more_dependencies_than_promised(draft: WheelSpec) -> None:
    draft.swap("METADATA", "Requires-Python", "Requires-Dist: numpy>=2\nRequires-Dist: six\nRequires-Python")
    draft.config = '[distribution.demo]\ndependencies = ["NumPy"]\n'


@malformed("WK716", PURE)
def a_meta_with_code(draft: WheelSpec) -> None:
    draft.config = '[distribution.demo]\nkind = "meta"\n'
