"""METADATA and WHEEL that readers read differently."""

from zoo.raw_zip import RawZip
from zoo.variants import INFO, archive, enter, texts

GOOD = texts()[f"{INFO}/METADATA"]
HEAD = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"


def rows(kind: str, file: str, table: dict[str, bytes | None]) -> None:
    """Enter a variant for each text of a file in .dist-info; None leaves it out."""
    for name, text in table.items():

        def make(text: bytes | None = text) -> RawZip:
            members = texts() | ({} if text is None else {f"{INFO}/{file}": text})
            if text is None:
                del members[f"{INFO}/{file}"]
            return archive(members)

        enter(f"{kind}_{name}", make)


rows("metadata", "METADATA", {
    "crlf": GOOD.replace(b"\n", b"\r\n"),
    "cr_only": GOOD.replace(b"\n", b"\r"),
    "lone_cr_in_a_value": HEAD + b"Summary: a\rb\nRequires-Python: >=3.8\n",
    "lone_cr_hides_requires_python": HEAD + b"Summary: a\rRequires-Python: >=9\n",
    "lone_cr_hides_a_requirement": HEAD + b"Summary: a\rRequires-Dist: nowhere\n",
    "lone_cr_at_the_end_of_a_line": HEAD + b"Summary: a\r\r\nRequires-Python: >=3.8\n",
    "cr_line": HEAD + b"\r\nRequires-Python: >=9\n",
    "cr_cr_line": HEAD + b"\r\rRequires-Python: >=9\n",
    "blank_first_line": b"\n" + GOOD, "crlf_first_line": b"\r\n" + GOOD,
    "line_of_one_blank": HEAD + b" \nRequires-Python: >=9\n",
    "line_of_one_tab": HEAD + b"\t\nRequires-Python: >=9\n",
    "line_of_one_blank_first": b" \n" + GOOD, "line_of_a_form_feed": HEAD + b"\x0c\nRequires-Python: >=9\n",
    "bom": b"\xef\xbb\xbf" + GOOD, "utf16": GOOD.decode().encode("utf-16"),
    "nul": HEAD + b"Summary: a\0b\n", "nul_in_a_name": b"Metadata-Version: 2.1\nName: de\0mo\nVersion: 1.0\n",
    "latin1": HEAD + b"Author: Andr\xe9\n", "latin1_in_the_body": HEAD + b"\nAndr\xe9\n",
    "latin1_before_fields": b"Metadata-Version: 2.1\nAuthor: Andr\xe9\nName: demo\nVersion: 1.0\n",
    "empty": b"", "missing": None, "only_a_body": b"\njust text\n",
    "no_name": b"Metadata-Version: 2.1\nVersion: 1.0\n", "no_version": b"Metadata-Version: 2.1\nName: demo\n",
    "no_metadata_version": b"Name: demo\nVersion: 1.0\n",
    "name_twice": b"Metadata-Version: 2.1\nName: demo\nName: other\nVersion: 1.0\n",
    "name_twice_wrong_first": b"Metadata-Version: 2.1\nName: other\nName: demo\nVersion: 1.0\n",
    "name_twice_same": b"Metadata-Version: 2.1\nName: demo\nName: demo\nVersion: 1.0\n",
    "version_twice": HEAD + b"Version: 2.0\n",
    "version_twice_wrong_first": b"Metadata-Version: 2.1\nName: demo\nVersion: 2.0\nVersion: 1.0\n",
    "requires_python_twice": HEAD + b"Requires-Python: >=3.8\nRequires-Python: >=9\n",
    "requires_python_twice_refusing_first": HEAD + b"Requires-Python: >=9\nRequires-Python: >=3.8\n",
    "metadata_version_twice": b"Metadata-Version: 2.1\n" + HEAD,
    "lower_case": HEAD.lower(), "upper_case": b"METADATA-VERSION: 2.1\nNAME: demo\nVERSION: 1.0\n",
    "lower_case_requires_python": HEAD + b"requires-python: >=9\n",
    "blank_before_the_colon": b"Metadata-Version: 2.1\nName : demo\nVersion: 1.0\n",
    "blank_before_the_colon_requires_python": HEAD + b"Requires-Python : >=9\n",
    "underscore": HEAD + b"Requires_Python: >=9\n",
    "no_blank_after_the_colon": b"Metadata-Version:2.1\nName:demo\nVersion:1.0\n",
    "tab_after_the_colon": b"Metadata-Version:\t2.1\nName:\tdemo\nVersion:\t1.0\n",
    "blanks_at_the_end": b"Metadata-Version: 2.1  \nName: demo  \nVersion: 1.0  \n",
    "folded_name": b"Metadata-Version: 2.1\nName:\n demo\nVersion: 1.0\n",
    "folded_version": b"Metadata-Version: 2.1\nName: demo\nVersion:\n 1.0\n",
    "folded_name_in_two": b"Metadata-Version: 2.1\nName: de\n mo\nVersion: 1.0\n",
    "folded_requires_python": HEAD + b"Requires-Python: >=3.8,\n  <9\n",
    "folded_requires_dist": HEAD + b"Requires-Dist: six\n  >=1\n",
    "folded_license_with_blank_lines": HEAD + b"License: text\n     \n     more\nRequires-Python: >=9\n",
    "indented_first_line": b" Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",
    "line_without_colon": b"Metadata-Version: 2.1\nnothing here\nName: demo\nVersion: 1.0\n",
    "line_without_colon_at_the_end": HEAD + b"nothing here\nRequires-Python: >=9\n",
    "from_line": b"From me\n" + GOOD, "from_line_in_the_middle": HEAD + b"From me\nRequires-Python: >=9\n",
    "empty_field_name": HEAD + b": x\nRequires-Python: >=9\n",
    "encoded_word_name": b"Metadata-Version: 2.1\nName: =?utf-8?q?demo?=\nVersion: 1.0\n",
    "encoded_word_requires_python": HEAD + b"Requires-Python: =?utf-8?q?>=3D9?=\n",
    "encoded_word_summary": HEAD + b"Summary: =?utf-8?q?demo?=\n",
    "name_other_spelling": HEAD.replace(b"demo", b"Demo"), "name_other": HEAD.replace(b"demo", b"other"),
    "name_with_a_blank": HEAD.replace(b"demo", b"de mo"),
    "name_with_a_dash_at_the_end": HEAD.replace(b"demo", b"demo-"),
    "name_not_ascii": HEAD.replace(b"demo", "dem\u00f6".encode()),
    "version_other": HEAD.replace(b"1.0", b"2.0"), "version_longer": HEAD.replace(b"1.0", b"1.0.0"),
    "version_v": HEAD.replace(b"1.0", b"v1.0"), "version_local": HEAD.replace(b"1.0", b"1.0+local"),
    "version_invalid": HEAD.replace(b"1.0", b"one"), "version_with_a_blank": HEAD.replace(b"1.0", b"1 .0"),
    "metadata_version_3": HEAD.replace(b"2.1", b"3.0"), "metadata_version_2_9": HEAD.replace(b"2.1", b"2.9"),
    "metadata_version_text": HEAD.replace(b"2.1", b"two"), "metadata_version_2": HEAD.replace(b"2.1", b"2"),
    "metadata_version_2_1_0": HEAD.replace(b"2.1", b"2.1.0"),
    "metadata_version_1_0": HEAD.replace(b"2.1", b"1.0"),
    "metadata_version_2_0": HEAD.replace(b"2.1", b"2.0"),
    "requires_python_invalid": HEAD + b"Requires-Python: three\n",
    "requires_python_empty": HEAD + b"Requires-Python:\n",
    "requires_python_9": HEAD + b"Requires-Python: >=9\n",
    "requires_python_trailing_comma": HEAD + b"Requires-Python: >=3.8,\n",
    "requires_python_star": HEAD + b"Requires-Python: >=3.8.*\n",
    "requires_python_blank_inside": HEAD + b"Requires-Python: > = 3.8\n",
    "requires_python_no_comma": HEAD + b"Requires-Python: >=3.8 <9\n",
    "requires_python_quoted": HEAD + b"Requires-Python: '>=3.8'\n",
    "requires_python_number": HEAD + b"Requires-Python: 3\n",
    "requires_dist_invalid": HEAD + b"Requires-Dist: six ==== 1\n",
    "requires_dist_empty": HEAD + b"Requires-Dist:\n",
    "requires_dist_old_parentheses": HEAD + b"Requires-Dist: six (>=1)\n",
    "requires_dist_star": HEAD + b"Requires-Dist: six (>=1.*)\n",
    "requires_dist_dev_dash": HEAD + b"Requires-Dist: six >=1.0-dev\n",
    "requires_dist_url": HEAD + b"Requires-Dist: six @ https://example.org/six.whl\n",
    "requires_dist_marker_invalid": HEAD + b"Requires-Dist: six; python_version >\n",
    "requires_dist_unknown_variable": HEAD + b"Requires-Dist: six; colour == 'red'\n",
    "requires_dist_missing_comma": HEAD + b"Requires-Dist: six >=1 <2\n",
    "provides_extra_invalid": HEAD + b"Provides-Extra: a b\n",
    "provides_extra_empty": HEAD + b"Provides-Extra:\n",
    "provides_extra_twice": HEAD + b"Provides-Extra: a\nProvides-Extra: a\n",
    "dynamic_name": HEAD.replace(b"2.1", b"2.2") + b"Dynamic: Name\n",
    "dynamic_unknown": HEAD.replace(b"2.1", b"2.2") + b"Dynamic: Colour\n",
    "keywords_twice": HEAD + b"Keywords: a\nKeywords: b\n", "unknown_field": HEAD + b"Colour: red\n",
    "multipart": HEAD + b"Content-Type: multipart/mixed; boundary=x\n\n--x\n\nName: other\n--x--\n",
    "base64": HEAD + b"Content-Transfer-Encoding: base64\n\nAAAA\n",
    "mime_version": b"MIME-Version: 1.0\n" + GOOD,
    "no_newline_at_the_end": HEAD.rstrip(), "license_expression_old": HEAD + b"License-Expression: MIT\n",
    "license_expression_invalid": HEAD.replace(b"2.1", b"2.4") + b"License-Expression: MIT and so on\n",
    "classifier_private": HEAD + b"Classifier: Private :: x\n",
    "huge_field": HEAD + b"Summary: " + b"x" * 70_000 + b"\n",
})  # fmt: skip

WHEEL = texts()[f"{INFO}/WHEEL"]


def _version(version: bytes) -> bytes:
    return WHEEL.replace(b"Wheel-Version: 1.0", b"Wheel-Version: " + version)


def _flag(flag: bytes) -> bytes:
    return WHEEL.replace(b"Root-Is-Purelib: true", b"Root-Is-Purelib: " + flag)


rows("wheel", "WHEEL", {
    "missing": None, "empty": b"", "blank_first_line": b"\n" + WHEEL, "bom": b"\xef\xbb\xbf" + WHEEL,
    "crlf": WHEEL.replace(b"\n", b"\r\n"), "cr_only": WHEEL.replace(b"\n", b"\r"),
    "not_utf8": WHEEL.replace(b"Generator: demo", b"Generator: \xff"),
    "utf16": WHEEL.decode().encode("utf-16"),
    "nul": WHEEL.replace(b"Generator: demo", b"Generator: \0"),
    **{f"version_{name}": _version(version) for name, version in {
        "2_0": b"2.0", "1_9": b"1.9", "0_1": b"0.1", "0_9": b"0.9", "1": b"1", "2": b"2", "1_0_0": b"1.0.0",
        "1_x": b"1.x", "x": b"x",
        "superscript": "1.\u00b2".encode(), "arabic": "\u0661.0".encode(), "empty": b"", "1_dot": b"1.",
        "dot_1": b".1", "plus": b"+1.0",
        "minus": b"-1.0", "zeros": b"01.0", "underscore": b"1_0.0", "blank": b"1 .0", "blank_after": b"1. 0",
        "text_behind": b"1.0 (demo)",
        "large": b"1.99999999999999999999", "long": b"1." + b"9" * 5000, "1_00": b"1.00", "comma": b"1,0",
    }.items()},
    "version_absent": WHEEL.replace(b"Wheel-Version: 1.0\n", b""),
    "version_twice": b"Wheel-Version: 1.0\n" + WHEEL, "version_twice_2_last": WHEEL + b"Wheel-Version: 2.0\n",
    "version_twice_2_first": b"Wheel-Version: 2.0\n" + WHEEL,
    "version_lower_case": WHEEL.replace(b"Wheel-Version", b"wheel-version"),
    "version_folded": WHEEL.replace(b"Wheel-Version: 1.0", b"Wheel-Version:\n 1.0"),
    "version_no_blank": WHEEL.replace(b"Wheel-Version: 1.0", b"Wheel-Version:1.0"),
    "version_blank_before_the_colon": WHEEL.replace(b"Wheel-Version: 1.0", b"Wheel-Version : 1.0"),
    **{f"purelib_{name}": _flag(flag) for name, flag in {
        "false": b"false", "upper": b"TRUE", "title": b"True", "blanks": b"  true  ", "yes": b"yes",
        "1": b"1", "empty": b"", "quoted": b'"true"',
        "text_behind": b"true (demo)",
    }.items()},
    "purelib_absent": WHEEL.replace(b"Root-Is-Purelib: true\n", b""),
    "purelib_lower_case": WHEEL.replace(b"Root-Is-Purelib", b"root-is-purelib"),
    "purelib_twice": WHEEL + b"Root-Is-Purelib: false\n",
    "tag_absent": WHEEL.replace(b"Tag: py3-none-any\n", b""),
    "tag_other": WHEEL.replace(b"py3-none-any", b"cp27-cp27m-win32"),
    "tag_more": WHEEL + b"Tag: py2-none-any\n", "tag_twice": WHEEL + b"Tag: py3-none-any\n",
    "tag_no_tag": WHEEL.replace(b"py3-none-any", b"nonsense"),
    "tag_upper": WHEEL.replace(b"py3-none-any", b"PY3-none-any"),
    "tag_two_parts": WHEEL.replace(b"py3-none-any", b"py3-none"),
    "tag_four_parts": WHEEL.replace(b"py3-none-any", b"1-py3-none-any"),
    "tag_compressed": WHEEL.replace(b"py3-none-any", b"py2.py3-none-any"),
    "build": WHEEL + b"Build: 1\n", "build_empty": WHEEL + b"Build:\n",
})  # fmt: skip
