"""METADATA, and what a distribution of the family promises (WK7)."""

from zoo.drafts import LINUX, PURE, SO, Draft, animal


@animal("WK701")
def a_field_that_is_not_valid(draft: Draft) -> None:
    draft.swap("METADATA", "Requires-Python: >=3.11", "Requires-Python: three")


@animal("WK701")
def a_requirement_that_is_none(draft: Draft) -> None:
    draft.swap("METADATA", "Requires-Python", "Requires-Dist: six ==== 1\nRequires-Python")


@animal("WK702")
def requires_python_excludes_it(draft: Draft) -> None:
    draft.rename(LINUX.replace("abi3", "cp311"))
    draft.swap("METADATA", ">=3.11", ">=3.12")
    draft.members["demo/dx.cpython-311-x86_64-linux-gnu.so"] = draft.members.pop(SO)


@animal("WK702")
def requires_python_excludes_all_of_the_stable_abi(draft: Draft) -> None:
    draft.swap("METADATA", ">=3.11", ">=3.8,<3.11")


@animal("WK720")
def a_requirement_by_url(draft: Draft) -> None:
    draft.swap("METADATA", "Requires-Python", "Requires-Dist: six @ https://example.org/six.whl\nRequires-Python")


@animal("WK703")
def a_local_version(draft: Draft) -> None:
    draft.filename = LINUX.replace("1.0", "1.0+local")


@animal("WK708")
def a_licence_that_is_not_there(draft: Draft) -> None:
    draft.swap("METADATA", "Requires-Python", "License-File: LICENSE\nRequires-Python")


@animal("WK710")
def a_description_that_does_not_render(draft: Draft) -> None:
    draft.swap("METADATA", "A demo.", "Demo\n====\n\n.. nonsense::\n\n   x\n")
    draft.config = '[matrix]\ntargets = ["manylinux_2_31_x86_64"]\n'


@animal("WK718")
def a_description_in_no_markup(draft: Draft) -> None:
    draft.swap("METADATA", "Description-Content-Type: text/x-rst\n", "")
    draft.config = '[matrix]\ntargets = ["manylinux_2_31_x86_64"]\n'


@animal("WK715", PURE)
def more_dependencies_than_promised(draft: Draft) -> None:
    draft.swap("METADATA", "Requires-Python", "Requires-Dist: numpy>=2\nRequires-Dist: six\nRequires-Python")
    draft.config = '[distribution.demo]\ndependencies = ["NumPy"]\n'


@animal("WK716", PURE)
def a_meta_with_code(draft: Draft) -> None:
    draft.config = '[distribution.demo]\nkind = "meta"\n'
