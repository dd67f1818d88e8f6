"""Odd METADATA, entry_points.txt and RECORD."""

from collections.abc import Callable

from installers.drafts import OUTSIDE, Draft, choose, oddity, pick
from support import wheels

_HEAD = b"Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n"


@oddity
def metadata_of_another_version(draft: Draft) -> None:
    versions = (
        "1.0",
        "1.1",
        "1.2",
        "2.0",
        "2.1",
        "2.2",
        "2.3",
        "2.4",
        "2.5",
        "2.9",
        "3.0",
        "",
        "2",
        "two",
        "2.1.0",
        " 2.1 ",
        "02.1",
    )
    draft.swap(b"Metadata-Version: 2.4", b"Metadata-Version: " + pick(draft, *versions).encode())


@oddity
def an_odd_name_in_metadata(draft: Draft) -> None:
    names = (
        "",
        "Demo",
        "other",
        "DEMO",
        "de mo",
        "demo_",
        "-demo",
        "d\u00e9mo",
        "demo ",
        "demo\r",
        "demo # x",
        "demo.",
        "demo\x0c",
    )
    draft.swap(b"Name: demo\n", f"Name: {pick(draft, *names)}\n".encode())


@oddity
def an_odd_version_in_metadata(draft: Draft) -> None:
    versions = (
        "",
        "1",
        "1.0.0",
        "2.0",
        "abc",
        "v1.0",
        "1.0 ",
        "1.0+x",
        "1.0-1",
        "1.0\r",
        "01.00",
        "1.0.dev",
        "1.0 # x",
        "=1.0",
        "1,0",
    )
    draft.swap(b"Version: 1.0\n", f"Version: {pick(draft, *versions)}\n".encode())


@oddity
def a_field_in_metadata(draft: Draft) -> None:
    lines = (
        "Requires-Python: >=3.11", "Requires-Python: >=4", "Requires-Python: <3", "Requires-Python: 3",
        "Requires-Python: >=3.x",
        "Requires-Python: ", "Requires-Python: >=3.6, <4", "Requires-Python: >= 3.6",
        "Requires-Python: >=3.6,", "Requires-Python: ~=3",
        "Requires-Python: >=3.*", "Requires-Python: !=3.0.*", "Requires-Python: >3.12",
        "Requires-Python: ===3.11",
        "Requires-Dist: ", "Requires-Dist: -", "Requires-Dist: a b", "Requires-Dist: a>=",
        "Requires-Dist: a (>=1)",
        "Requires-Dist: a (1)", "Requires-Dist: a>=1,<", "Requires-Dist: a;",
        'Requires-Dist: a; python_version < "3"',
        "Requires-Dist: a; python_version < '3", "Requires-Dist: a; foo == 'x'",
        "Requires-Dist: a @ file:///tmp/a",
        "Requires-Dist: a[x,]", "Requires-Dist: a[", "Requires-Dist: a>=1.x", "Requires-Dist: a==1.*",
        "Requires-Dist: a>=1.*",
        "Requires-Dist: a>dev", "Requires-Dist: \u00e9", "Requires-Dist: a\n >=1", "Requires-Dist: a>='1'",
        "Requires-Dist: a~=1",
        "Requires-Dist: demo", "Requires-Dist: a; extra == test", "Requires-Dist: a>=1 ; extra == 'X'",
        "Provides-Extra: ", "Provides-Extra: X y", "Provides-Extra: -", "Provides-Extra: \u00e9",
        "Dynamic: Name", "Dynamic: Nonsense", "Classifier: nonsense", "License-Expression: nonsense",
        "Home-page: ",
        "Name: other", "Name: demo", "Version: 2.0", "Version: 1.0", "Metadata-Version: 2.1",
        "License-File: LICENSE",
        "X-Own: x", "Import-Name: demo", "Project-URL: x", "Description-Content-Type: nonsense; charset=",
        "Supported-Platform: x",
    )  # fmt: skip
    draft.swap(b"Version: 1.0\n", f"Version: 1.0\n{pick(draft, *lines)}\n".encode())


@oddity
def metadata_without_a_field(draft: Draft) -> None:
    field = pick(draft, "Name", "Version", "Metadata-Version", "all")
    if draft.metadata is not None:
        lines = draft.metadata.split(b"\n")
        prefix = b"" if field == "all" else field.encode() + b":"
        draft.metadata = (
            b"" if field == "all" else b"\n".join(line for line in lines if not line.startswith(prefix))
        )


@oddity
def metadata_written_oddly(draft: Draft) -> None:
    text = draft.metadata or _HEAD

    def more(line: bytes) -> bytes:
        return text.replace(b"Version: 1.0\n", b"Version: 1.0\n" + line + b"\nRequires-Dist: late\n")

    draft.metadata = choose(
        draft,
        {
            "CRLF": text.replace(b"\n", b"\r\n"),
            "CR": text.replace(b"\n", b"\r"),
            "one CR": text.replace(b"Name: demo\n", b"Name: demo\r"),
            "CR in a value": more(b"Summary: a\rRequires-Dist: hidden"),
            "CR CR LF": text.replace(b"\n", b"\r\r\n"),
            "LF CR": text.replace(b"\n", b"\n\r"),
            "BOM": b"\xef\xbb\xbf" + text,
            "blank line first": b"\n" + text,
            "blank first": b" \n" + text,
            "CRLF first": b"\r\n" + text,
            "two blank lines first": b"\n\n" + text,
            "blank before the first field": b" " + text,
            "blank before a field": text.replace(b"Version: 1.0", b" Version: 1.0"),
            "blank line after the name": text.replace(b"Name: demo\n", b"Name: demo\n\n"),
            "line of blanks": more(b"    "),
            "folded": more(b"Summary: a\n b\n\tc"),
            "folded name": text.replace(b"Name: demo", b"Name:\n demo"),
            "folded version": text.replace(b"Version: 1.0", b"Version:\n 1.0"),
            "no colon": more(b"nonsense"),
            "colon first": more(b": x"),
            "blank before a colon": text.replace(b"Name: demo", b"Name : demo"),
            "no blank": text.replace(b": ", b":"),
            "tabs": text.replace(b": ", b":\t"),
            "lower case": text.replace(b"Name:", b"name:").replace(b"Version:", b"version:"),
            "From line": b"From me\n" + text,
            "> From line": more(b"From me"),
            "latin-1": more(b"Requires-Dist: l\xe9te"),
            "latin-1 in the body": text + b"\xe9\n",
            "latin-1 in a summary": more(b"Summary: \xe9"),
            "UTF-8 in a summary": more(b"Summary: \xc3\xa9"),
            "UTF-16": text.decode("utf-8", "replace").encode("utf-16"),
            "NUL": more(b"Summary: a\0b"),
            "form feed": more(b"Summary: a\x0cRequires-Dist: hidden"),
            "vertical tab": more(b"Summary: a\x0bRequires-Dist: hidden"),
            "line separator": text.replace(b"Version: 1.0\n",
            "Version: 1.0\nSummary: a\u2028Requires-Dist: x\n".encode()),
            "next line": text.replace(b"Version: 1.0\n",
            "Version: 1.0\nSummary: a\u0085Requires-Dist: x\n".encode()),
            "file separator": more(b"Summary: a\x1cRequires-Dist: hidden"),
            "field in the body": text + b"Requires-Dist: hidden\n",
            "encoded word": text.replace(b"Name: demo", b"Name: =?utf-8?q?demo?="),
            "encoded summary": more(b"Summary: =?utf-8?q?=C3=A9?="),
            "multipart": more(b"Content-Type: multipart/mixed; boundary=x"),
            "base64": more(b"Content-Transfer-Encoding: base64"),
            "no end": text.rstrip(b"\n"),
            "fields only": text.partition(b"\n\n")[0] + b"\n",
            "long line": more(b"Summary: " + b"x" * 100_000 + b""),
            "many fields": more(b"Classifier: x\n" * 5000),
            "control characters": more(b"Summary: \x01\x02\x1b"),
            "name of a field with UTF-8": more(b"N\xc3\xa4me: x"),
            "name of a field with a blank": more(b"My name: x"),
            "underscore": more(b"Requires_Dist: x"),
        },
    )  # fmt: skip


def _script(group: str, line: str) -> bytes:
    return f"[{group}]\n{line}\n".encode()


@oddity
def an_odd_script(draft: Draft) -> None:
    lines = (
        "run = demo", "run = demo:", "run = :main", "run = demo:main()", "run = demo:main [x]",
        "run = demo:main[x]",
        "run = demo:main [x,y]", "run = demo : main", "run=demo:main", "run : demo:main", "run demo:main",
        "run = demo:main ; x",
        "run = demo:main # x", "run = demo:a.b", "run = demo:a.b.c", "run = demo.sub:main",
        "run = .demo:main", "run = demo:main.",
        "run = demo-x:main", "run = 0demo:main", "run = demo:0main", "run = d\u00e9mo:main",
        "run = demo:main:x", "run = demo main",
        "a b = demo:main", "a/b = demo:main", "../up = demo:main", "../../up = demo:main",
        f"/{OUTSIDE} = demo:main",
        "a\\b = demo:main", "a:b = demo:main", ".. = demo:main", ". = demo:main", " = demo:main",
        "= demo:main", "\u00e9 = demo:main",
        "-x = demo:main", "x.py = demo:main", "x.exe = demo:main", "run-script.py = demo:main",
        "python = demo:main",
        "pip = demo:main", "pip3 = demo:main", "easy_install = demo:main", "activate = demo:main",
        "run = demo:main\nrun = demo:other",
        "Run = demo:main\nrun = demo:main", "run = demo:import", "run = demo:main\n more", "run =",
        "run = demo:main\n\n\nx = demo:main",
        "run = demo:main = x", "a=b = demo:main", "run = demo: main", "run = demo:ma in",
        "run = de mo:main", "[x] = demo:main",
        "run = [x]", "run = demo:main [", "run = demo:main []", "run = demo:main ]", "a+b = demo:main",
        "a@b = demo:main", "a%sb = demo:main",
        "run = %s:main", "a'b = demo:main", 'a"b = demo:main', "a$b = demo:main", "a\tb = demo:main",
        "a.b.c = demo:main", "a\x01b = demo:main",
        "x" * 255 + " = demo:main", "x" * 256 + " = demo:main", "demo = demo:main", "../demo = demo:main",
        "run = demo:None", "run = demo:_",
        "run = demo:m\u00e4in", "run = demo.:main", "run = demo..x:main", "a;b = demo:main",
        ";run = demo:main", "#run = demo:main",
    )  # fmt: skip
    group = draft.chance.choice(("console_scripts", "console_scripts", "gui_scripts"))
    draft.oddities[-1] += f" {group}"
    draft.entry_points = _script(group, pick(draft, *lines))


@oddity
def entry_points_written_oddly(draft: Draft) -> None:
    text = _script("console_scripts", "run = demo:main")
    draft.entry_points = choose(
        draft,
        {
            "empty": b"",
            "blank": b"\n \n",
            "no group": b"run = demo:main\n",
            "two brackets": b"[[console_scripts]]\nrun = demo:main\n",
            "bracket open": b"[console_scripts\nrun = demo:main\n",
            "bracket shut": b"console_scripts]\nrun = demo:main\n",
            "blank in the brackets": b"[ console_scripts ]\nrun = demo:main\n",
            "blank before": b"  [console_scripts]\n  run = demo:main\n",
            "empty group": b"[]\nrun = demo:main\n",
            "comment after the group": b"[console_scripts] # x\nrun = demo:main\n",
            "text after the group": b"[console_scripts] x\nrun = demo:main\n",
            "text in two brackets": b"[console_scripts] [x]\nrun = demo:main\n",
            "group twice": text + b"[console_scripts]\nother = demo:main\n",
            "group twice, script twice": text + b"[console_scripts]\nrun = demo:other\n",
            "both groups": text + b"[gui_scripts]\nrun = demo:main\n",
            "both groups, two targets": text + b"[gui_scripts]\nrun = demo:other\n",
            "capitals": text.replace(b"console", b"CONSOLE"),
            "dash": text.replace(b"_", b"-"),
            "DEFAULT": b"[DEFAULT]\nrun = demo:main\n",
            "DEFAULT too": text + b"[DEFAULT]\nrun = demo:main\n",
            "other group": b"[demo.plugins]\nx = demo\ny = demo:main [x]\n",
            "nonsense in another group": text + b"[demo.plugins]\nnonsense\n",
            "odd value in another group": text + b"[demo.plugins]\nx = 1 2 3\n= y\n",
            "group with a colon": text + b"[a:b]\nx = y\n",
            "CRLF": text.replace(b"\n", b"\r\n"),
            "CR": text.replace(b"\n", b"\r"),
            "BOM": b"\xef\xbb\xbf" + text,
            "not UTF-8": text + b"# \xe9\n",
            "UTF-8": text + "# \u00e9\n".encode(),
            "UTF-16": text.decode().encode("utf-16"),
            "NUL": text + b"x\0 = demo:main\n",
            "form feed": text + b"x = demo:main\x0cy = demo:main\n",
            "line separator": text + "x = demo:main\u2028y = demo:main\n".encode(),
            "next line": text + "x = demo:main\u0085y = demo:main\n".encode(),
            "file separator": text + b"x = demo:main\x1cy = demo:main\n",
            "vertical tab": text + b"x = demo:main\x0by = demo:main\n",
            "comment ;": b"; x\n" + text,
            "comment #": b"# x\n" + text,
            "comment ; later": text + b";other = demo:main\n",
            "comment # later": text + b"#other = demo:main\n",
            "indented": text + b"    other = demo:main\n",
            "tabs": text + b"\tother\t=\tdemo:main\n",
            "nonsense": text + b"nonsense\n",
            "no end": text.rstrip(b"\n"),
            "% in a value": text + b"[x]\ny = %(z)s\n",
            "group only": b"[console_scripts]\n",
            "value empty in another group": text + b"[demo.plugins]\nx =\n",
            "name only in another group": text + b"[demo.plugins]\nx\n",
        },
    )


def _without(record: str, file: str) -> str:
    return "\n".join(row for row in record.split("\n") if file not in row)


def _edit(draft: Draft, edits: dict[str, Callable[[str], str]]) -> None:
    draft.record_edits.append(choose(draft, edits))


@oddity
def an_odd_record(draft: Draft) -> None:
    package = wheels.row("demo/__init__.py", draft.files[0].data)
    _edit(
        draft,
        {
            "empty": lambda _: "",
            "no row of the package": lambda text: text.replace(package + "\n", ""),
            "no row of METADATA": lambda text: _without(text, "METADATA"),
            "no row of RECORD": lambda text: _without(text, "/RECORD"),
            "hash of another file": lambda text: text.replace("sha256=", "sha256=AAAA", 1),
            "no hash": lambda text: text.replace(package, "demo/__init__.py,,"),
            "another size": lambda text: text.replace(package, package + "1"),
            "size that is none": lambda text: text.replace(package, package.rpartition(",")[0] + ",x"),
            "negative size": lambda text: text.replace(package, package.rpartition(",")[0] + ",-1"),
            "large size": lambda text: text.replace(package, package.rpartition(",")[0] + "," + "9" * 30),
            "md5": lambda text: text.replace("sha256=", "md5=", 1),
            "unknown hash": lambda text: text.replace("sha256=", "nonsense=", 1),
            "hash with padding": lambda text: text.replace(package, package.replace(",", "=,").replace("=,",
            ",", 1)),
            "two columns": lambda text: text.replace(package, package.rpartition(",")[0]),
            "one column": lambda text: text.replace(package, "demo/__init__.py"),
            "four columns": lambda text: text.replace(package, package + ",x"),
            "blank line": lambda text: text.replace("\n", "\n\n", 1),
            "blank line of blanks": lambda text: text.replace("\n", "\n  \n", 1),
            "CRLF": lambda text: text.replace("\n", "\r\n"),
            "CR": lambda text: text.replace("\n", "\r"),
            "quoted": lambda text: text.replace("demo/__init__.py", '"demo/__init__.py"'),
            "quote open": lambda text: text.replace("demo/__init__.py", '"demo/__init__.py'),
            "quote inside": lambda text: text.replace("demo/__init__.py", 'demo/"__init__".py'),
            "row twice": lambda text: text + package + "\n",
            "row twice, other hash": lambda text: text + package.replace("sha256=", "sha256=A") + "\n",
            "row of no file": lambda text: text + "demo/gone.py,,\n",
            "row of no file, absolute": lambda text: text + f"/{OUTSIDE},,\n",
            "row of no file, upwards": lambda text: text + "../../../gone,,\n",
            "absolute paths": lambda text: text.replace("demo/__init__.py", "/demo/__init__.py"),
            "dot paths": lambda text: text.replace("demo/__init__.py", "./demo/__init__.py"),
            "backslashes": lambda text: text.replace("demo/__init__.py", "demo\\__init__.py"),
            "capitals": lambda text: text.replace("demo/__init__.py", "Demo/__init__.py"),
            "blanks": lambda text: text.replace(",sha256", ", sha256"),
            "semicolons": lambda text: text.replace(",", ";"),
            "empty path": lambda text: text + ",,\n",
            "header": lambda text: "path,hash,size\n" + text,
            "comment": lambda text: "# RECORD\n" + text,
            "BOM": lambda text: "\ufeff" + text,
            "not UTF-8": lambda text: text + "demo/\udce9.py,,\n",
            "NUL": lambda text: text + "demo/\0.py,,\n",
            "no end": lambda text: text.rstrip("\n"),
            "folder": lambda text: text + "demo/,,\n",
            "hash of itself": lambda text: text.replace("RECORD,,", "RECORD,sha256=AAAA,5"),
            "nonsense": lambda _: "nonsense\nmore\n",
            "form feed": lambda text: text.replace("\n", "\x0c\n", 1),
            "line separator": lambda text: text + "demo/a\u2028b.py,,\n",
        },
    )  # fmt: skip


@oddity
def a_file_that_record_lacks(draft: Draft) -> None:
    draft.add(
        pick(draft, "demo/stowaway.py", "{data}/scripts/stowaway", "{info}/stowaway", "{data}/data/stowaway")
    )
    draft.files[-1].recorded = False
