"""RECORD that contradicts the archive (WK1)."""

from malformed.specs import INFO, WheelSpec, malformed
from support import wheels


@malformed("WK102")
def changed_after_it_was_made(draft: WheelSpec) -> None:
    before = draft.members["demo/__init__.py"]
    draft.edit_record = lambda text: text.replace(
        wheels.row("demo/__init__.py", before + b"#"), wheels.row("demo/__init__.py", before)
    )
    draft.members["demo/__init__.py"] = before + b"#"


@malformed("WK102")
def another_size_in_record(draft: WheelSpec) -> None:
    draft.edit_record = lambda text: text.replace(",12\n", ",13\n")


@malformed("WK107")
def no_record(draft: WheelSpec) -> None:
    draft.left_out.add(f"{INFO}/RECORD")


@malformed("WK107")
def record_that_is_no_table(draft: WheelSpec) -> None:
    draft.edit_record = lambda _: "these are not\nthe rows,you are,looking,for\n"


@malformed("WK108")
def a_file_that_record_lacks(draft: WheelSpec) -> None:
    draft.unrecorded.append(("demo/stowaway.py", b"import os"))


@malformed("WK108")
def a_row_without_hash(draft: WheelSpec) -> None:
    draft.edit_record = lambda text: text.replace(
        wheels.row("demo/__init__.py", b"answer = 42\n"), "demo/__init__.py,,"
    )


@malformed("WK102")
def record_hashes_itself(draft: WheelSpec) -> None:
    draft.edit_record = lambda text: text.replace("RECORD,,", "RECORD,sha256=AAAA,5")


@malformed("WK109")
def a_row_without_file(draft: WheelSpec) -> None:
    draft.edit_record = lambda text: text + wheels.row("demo/gone.py", b"x") + "\n"


@malformed("WK110")
def md5_in_record(draft: WheelSpec) -> None:
    draft.edit_record = lambda text: text.replace(
        wheels.row("demo/__init__.py", b"answer = 42\n"),
        wheels.row("demo/__init__.py", b"answer = 42\n", "md5"),
    )


@malformed("WK107")
def an_empty_line_in_record(draft: WheelSpec) -> None:
    draft.edit_record = lambda text: f"{text}\n"


@malformed("WK145")
def another_spelling_of_a_file_in_data(draft: WheelSpec) -> None:
    draft.members["demo-1.0.data/purelib/demo/more.py"] = b"x = 1\n"
    draft.edit_record = lambda text: text.replace("demo-1.0.data/", "./demo-1.0.data/")


@malformed("WK146")
def backslashes_in_record(draft: WheelSpec) -> None:
    draft.edit_record = lambda text: text.replace("demo/__init__.py", "demo\\__init__.py")
