"""RECORD against what the archive holds (WK1)."""

import wheels
from zoo.drafts import INFO, Draft, animal


@animal("WK102")
def changed_after_it_was_made(draft: Draft) -> None:
    before = draft.members["demo/__init__.py"]
    draft.edit_record = lambda text: text.replace(wheels.row("demo/__init__.py", before + b"#"), wheels.row("demo/__init__.py", before))
    draft.members["demo/__init__.py"] = before + b"#"


@animal("WK102")
def another_size_in_record(draft: Draft) -> None:
    draft.edit_record = lambda text: text.replace(",12\n", ",13\n")


@animal("WK107")
def no_record(draft: Draft) -> None:
    draft.left_out.add(f"{INFO}/RECORD")


@animal("WK107")
def record_that_is_no_table(draft: Draft) -> None:
    draft.edit_record = lambda _: "these are not\nthe rows,you are,looking,for\n"


@animal("WK108")
def a_file_that_record_lacks(draft: Draft) -> None:
    draft.unrecorded.append(("demo/stowaway.py", b"import os"))


@animal("WK108")
def a_row_without_hash(draft: Draft) -> None:
    draft.edit_record = lambda text: text.replace(wheels.row("demo/__init__.py", b"answer = 42\n"), "demo/__init__.py,,")


@animal("WK102")
def record_hashes_itself(draft: Draft) -> None:
    draft.edit_record = lambda text: text.replace("RECORD,,", "RECORD,sha256=AAAA,5")


@animal("WK109")
def a_row_without_file(draft: Draft) -> None:
    draft.edit_record = lambda text: text + wheels.row("demo/gone.py", b"x") + "\n"


@animal("WK110")
def md5_in_record(draft: Draft) -> None:
    draft.edit_record = lambda text: text.replace(
        wheels.row("demo/__init__.py", b"answer = 42\n"), wheels.row("demo/__init__.py", b"answer = 42\n", "md5")
    )
