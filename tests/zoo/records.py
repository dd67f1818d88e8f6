"""Variants of RECORD."""

from collections.abc import Callable

from zoo.raw_zip import RawZip
from zoo.variants import INFO, archive, enter, texts


def records(name: str, change: object, extra: dict[str, bytes] | None = None) -> None:
    """Enter a variant of RECORD: a change of its text, or bytes in place of it, and perhaps more members."""

    def make() -> RawZip:
        members = texts() | (extra or {})
        if not callable(change):
            raw = archive(members)
            if change is None:
                raw.entries = [entry for entry in raw.entries if not entry.name.endswith(b"/RECORD")]
            else:
                raw.entries[-1].data = change
            return raw
        raw = archive(members)
        entry = raw.entries[-1]
        entry.data = change(entry.data)
        return raw

    enter(f"record_{name}", make)


def _row(data: bytes, path: bytes) -> bytes:
    return next(line for line in data.splitlines() if line.startswith(path + b","))


def without(word: bytes) -> Callable[[bytes], bytes]:
    """Return a change that leaves out the lines with a word."""
    return lambda data: b"".join(line for line in data.splitlines(keepends=True) if word not in line)


TABLE = b"demo/table.txt"
RECORD = f"{INFO}/RECORD".encode()
for name, change in {
    "missing": None, "empty": b"", "one_blank_line": b"\n",
    "nonsense": b"these are not\nthe rows,you are,looking,for\n",
    "not_utf8": lambda data: data + b"demo/\xff.py,,\n", "utf16": lambda data: data.decode().encode("utf-16"),
    "bom": lambda data: b"\xef\xbb\xbf" + data, "nul": lambda data: data + b"demo/\0.py,,\n",
    "crlf": lambda data: data.replace(b"\n", b"\r\n"), "cr_only": lambda data: data.replace(b"\n", b"\r"),
    "cr_cr_lf": lambda data: data.replace(b"\n", b"\r\r\n"),
    "lone_cr_in_a_path": lambda data: data + b"demo/a\rb.py,,\n",
    "lone_cr_in_quotes": lambda data: data + b'"demo/a\rb.py",,\n',
    "line_feed_in_quotes": lambda data: data + b'"demo/a\nb.py",,\n',
    "blank_line": lambda data: data.replace(b"\n", b"\n\n", 1),
    "line_of_a_blank": lambda data: data.replace(b"\n", b"\n \n", 1),
    "comment": lambda data: b"# a comment\n" + data,
    "no_newline_at_the_end": lambda data: data.rstrip(b"\n"),
    "line_missing": lambda data: data.replace(_row(data, TABLE) + b"\n", b""),
    "line_twice": lambda data: data + _row(data, TABLE) + b"\n",
    "line_twice_other_hash": lambda data: data + b"demo/table.txt,sha256=AAAA,5\n",
    "line_of_nothing": lambda data: data + b"demo/gone.txt,sha256=AAAA,5\n",
    "own_line_missing": lambda data: data.replace(RECORD + b",,\n", b""),
    "own_line_with_hash": lambda data: data.replace(RECORD + b",,", RECORD + b",sha256=AAAA,5"),
    "hash_wrong": lambda data: data.replace(_row(data, TABLE), b"demo/table.txt,sha256=AAAA,700"),
    "hash_empty": lambda data: data.replace(_row(data, TABLE), b"demo/table.txt,,700"),
    "hash_md5": lambda data: data.replace(_row(data, TABLE), b"demo/table.txt,md5=AAAA,700"),
    "hash_unknown": lambda data: data.replace(_row(data, TABLE), b"demo/table.txt,best=AAAA,700"),
    "hash_without_name": lambda data: data.replace(_row(data, TABLE), b"demo/table.txt,AAAA,700"),
    "hash_padded": lambda data: data.replace(_row(data, TABLE), _row(data, TABLE).replace(b",700", b"=,700")),
    "size_wrong": lambda data: data.replace(b",700", b",701"),
    "size_empty": lambda data: data.replace(b",700", b","),
    "size_text": lambda data: data.replace(b",700", b",many"),
    "size_negative": lambda data: data.replace(b",700", b",-700"),
    "size_float": lambda data: data.replace(b",700", b",700.0"),
    "size_plus": lambda data: data.replace(b",700", b",+700"),
    "size_blank": lambda data: data.replace(b",700", b", 700"),
    "size_huge": lambda data: data.replace(b",700", b",99999999999999999999999"),
    "size_arabic": lambda data: data.replace(b",700", ",\u0667\u0660\u0660".encode()),
    "size_zeros": lambda data: data.replace(b",700", b",000700"),
    "size_underscore": lambda data: data.replace(b",700", b",7_00"),
    "size_hex": lambda data: data.replace(b",700", b",0x2bc"),
    "size_max": lambda data: data.replace(b",700", b",18446744073709551615"),
    "size_over_max": lambda data: data.replace(b",700", b",18446744073709551616"),
    "two_fields": lambda data: data.replace(b",700", b""),
    "one_field": lambda data: data.replace(_row(data, TABLE), TABLE),
    "four_fields": lambda data: data.replace(b",700", b",700,"),
    "all_four_fields": lambda data: data.replace(b"\n", b",\n"),
    "all_two_fields": lambda data: b"\n".join(line.rpartition(b",")[0] for line in data.splitlines()) + b"\n",
    "semicolons": lambda data: data.replace(b",", b";"), "tabs": lambda data: data.replace(b",", b"\t"),
    "quoted_all": lambda data: b'"' + data.replace(b",", b'","').replace(b"\n", b'"\n"').removesuffix(b'"'),
    "quoted_path": lambda data: data.replace(TABLE, b'"demo/table.txt"'),
    "quote_open": lambda data: data + b'"demo/gone.txt,,\n',
    "quote_inside": lambda data: data.replace(TABLE, b'demo/"table.txt'),
    "quote_then_text": lambda data: data.replace(TABLE, b'"demo/"table.txt'),
    "quote_first_line_open": lambda data: b'"' + data,
    "blanks_around": lambda data: data.replace(TABLE, b" demo/table.txt "),
    "backslashes": lambda data: data.replace(b"demo/table", b"demo\\table"),
    "dot": lambda data: data.replace(TABLE, b"./demo/table.txt"),
    "dots": lambda data: data.replace(TABLE, b"demo/../demo/table.txt"),
    "absolute": lambda data: data.replace(TABLE, b"/demo/table.txt"),
    "absolute_more": lambda data: data + b"/etc/demo-zoo,,\n",
    "climbing_more": lambda data: data + b"../../../../up,,\n",
    "folder_listed": lambda data: data + b"demo/,,\n", "empty_path": lambda data: data + b",,\n",
    "double_slash": lambda data: data.replace(TABLE, b"demo//table.txt"),
    "other_case": lambda data: data.replace(TABLE, b"demo/Table.txt"),
    "empty_path_hash": lambda data: data + b",sha256=AAAA,5\n",
    "unsorted": lambda data: b"".join(sorted(data.splitlines(keepends=True), reverse=True)),
    "installed_files": lambda data: data + b"demo-1.0.dist-info/INSTALLER,,\n",
    "pyc_listed": lambda data: data + b"demo/__pycache__/__init__.cpython-311.pyc,,\n",
}.items():  # fmt: skip
    records(name, change)

records(
    "jws",
    without(b"jws"),
    extra={f"{INFO}/RECORD.jws": b"{}"},
)
records("jws_listed", lambda data: data, extra={f"{INFO}/RECORD.jws": b"{}"})
records(
    "p7s",
    without(b"p7s"),
    extra={f"{INFO}/RECORD.p7s": b"{}"},
)
records("data_line_missing", without(b".data"),
        extra={"demo-1.0.data/purelib/more.py": b"x = 1\n"})  # fmt: skip
records(
    "data_dot",
    lambda data: data.replace(b"demo-1.0.data/", b"./demo-1.0.data/"),
    extra={"demo-1.0.data/purelib/more.py": b"x = 1\n"},
)
records(
    "data_absolute",
    lambda data: data.replace(b"demo-1.0.data/", b"/demo-1.0.data/"),
    extra={"demo-1.0.data/purelib/more.py": b"x = 1\n"},
)
records(
    "data_backslashes",
    lambda data: data.replace(b"data/purelib/", b"data\\purelib\\"),
    extra={"demo-1.0.data/purelib/more.py": b"x = 1\n"},
)
records("data", lambda data: data, extra={"demo-1.0.data/purelib/more.py": b"x = 1\n"})
records("script_line_missing", without(b".data"),
        extra={"demo-1.0.data/scripts/more": b"#!python\nx = 1\n"})  # fmt: skip
records("blank_line_at_the_end", lambda data: data + b"\n")
records("crlf_blank_line_at_the_end", lambda data: data.replace(b"\n", b"\r\n") + b"\r\n")
