"""METADATA, and the configured promises of a distribution (WK7)."""

from malformed.specs import INFO, LINUX, PURE, SO, WheelSpec, malformed
from support import wheels


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


@malformed("WK702", PURE)
def requires_python_is_an_empty_range(draft: WheelSpec) -> None:
    draft.swap("METADATA", ">=3.11", ">=3.12,<3.11")


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


def _add(draft: WheelSpec, *lines: str) -> None:
    draft.swap("METADATA", "Requires-Python", "\n".join((*lines, "Requires-Python")))


@malformed("WK706")
def a_license_file_in_older_metadata(draft: WheelSpec) -> None:
    _add(draft, "License-File: LICENSE")
    draft.swap("METADATA", "Version: 2.4", "Version: 2.2")
    draft.members[f"{INFO}/LICENSE"] = b"MIT"


@malformed("WK730")
def a_license_expression_in_older_metadata(draft: WheelSpec) -> None:
    _add(draft, "License-Expression: MIT")
    draft.swap("METADATA", "Version: 2.4", "Version: 2.3")


@malformed("WK731")
def a_classifier_with_a_typo(draft: WheelSpec) -> None:
    _add(draft, "Classifier: Development status :: 4 - Beta")


@malformed("WK732")
def a_private_project(draft: WheelSpec) -> None:
    _add(draft, "Classifier: Private :: Do Not Upload")


@malformed("WK733")
def a_url_without_a_scheme(draft: WheelSpec) -> None:
    _add(draft, "Project-URL: Docs, docs.example.org")


@malformed("WK734")
def a_summary_that_is_a_readme(draft: WheelSpec) -> None:
    _add(draft, f"Summary: {'word ' * 120}end")


@malformed("WK735")
def an_address_without_a_domain(draft: WheelSpec) -> None:
    _add(draft, "Author-email: Me <me@localhost>")


@malformed("WK736")
def a_license_in_both_fields(draft: WheelSpec) -> None:
    _add(draft, "License-Expression: MIT", "License: MIT")


@malformed("WK737")
def metadata_of_the_day_after_tomorrow(draft: WheelSpec) -> None:
    draft.swap("METADATA", "Version: 2.4", "Version: 2.6")


@malformed("WK738")
def dynamic_dynamic(draft: WheelSpec) -> None:
    _add(draft, "Dynamic: Dynamic")


@malformed("WK739")
def a_home_page_without_address(draft: WheelSpec) -> None:
    _add(draft, "Home-page: ")


@malformed("WK740")
def a_licence_beside_metadata(draft: WheelSpec) -> None:
    _add(draft, "License-File: LICENSE")
    draft.members[f"{INFO}/LICENSE"] = b"MIT"


@malformed("WK741")
def a_licence_that_older_metadata_names(draft: WheelSpec) -> None:
    _add(draft, "License-File: LICENSE")
    draft.swap("METADATA", "Version: 2.4", "Version: 2.1")


@malformed("WK742")
def a_folder_in_capitals(draft: WheelSpec) -> None:
    for name in [name for name in draft.members if name.startswith(INFO)]:
        draft.members[name.replace("demo", "Demo")] = draft.members.pop(name)
    draft.info = INFO.replace("demo", "Demo")


@malformed("WK743")
def a_version_that_is_not_normalised(draft: WheelSpec) -> None:
    draft.filename = LINUX.replace("1.0", "1.00")


@malformed("WK744", PURE)
def a_platform_of_no_index(draft: WheelSpec) -> None:
    draft.rename(PURE.replace("any", "freebsd_14_0_release_amd64"))


@malformed("WK745", PURE)
def a_wheel_of_zeros(draft: WheelSpec) -> None:
    draft.members["demo/table.bin"] = wheels.compressible(65 << 20)


@malformed("WK746", PURE)
def an_archive_from_a_pipe(draft: WheelSpec) -> None:
    draft.to_pipe = True


@malformed("WK747", PURE)
def a_script_with_a_plus(draft: WheelSpec) -> None:
    draft.members[f"{INFO}/entry_points.txt"] = b"[console_scripts]\ndemo+ = demo:answer\n"


@malformed("WK722")
def a_carriage_return_in_a_summary(draft: WheelSpec) -> None:
    draft.swap("METADATA", "Requires-Python", "Summary: one\rRequires-Dist: six\nRequires-Python")


@malformed("WK722")
def a_line_that_is_no_field(draft: WheelSpec) -> None:
    draft.swap("METADATA", "Requires-Python", "and more of it\nRequires-Python")


@malformed("WK701")
def a_blank_first_line(draft: WheelSpec) -> None:
    draft.swap("METADATA", "Metadata-Version", "\nMetadata-Version")


@malformed("WK752", PURE)
def a_sample_of_metadata(draft: WheelSpec) -> None:
    draft.members["demo/METADATA"] = b"Metadata-Version: 2.1\nName: sample\nVersion: 1\n"


@malformed("WK751")
def a_tag_of_32_bit_arm(draft: WheelSpec) -> None:
    draft.rename(LINUX.replace("manylinux_2_31_x86_64", "linux_armv7l"))
