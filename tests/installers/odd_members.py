"""Odd members: their paths, modes, schemes, and several of them on one path."""

from installers.drafts import OUTSIDE, Draft, File, choose, oddity, pick
from installers.zips import Entry

_LINK, _PIPE, _DEVICE, _FOLDER = 0o120777, 0o010644, 0o020644, 0o040755


@oddity
def an_odd_path(draft: Draft) -> None:
    paths = (
        "demo/a b.txt", "demo/\u00e9.txt", "demo/e\u0301.txt", "demo/\u4f60\u597d.py", "demo/a\tb.py",
        "demo/a\nb.py",
        "demo/a\x1bb.py", "demo/a\x7fb.py", "demo/a\\b.py", "demo\\sub\\c.py", "./demo/x.py", "demo/./x.py",
        "demo//x.py", "demo/x.", "demo/x ", "demo/sub./x.py", "demo/ x.py", "demo/sub /x.py", "demo/CON.py",
        "demo/aux", "demo/nul.txt", "demo/a:b.txt", "C:/demo/x.py", "C:demo.py", "demo/a*.py", "demo/a?.py",
        "demo/a<b>.py", 'demo/a"b.py', "demo/a|b.py", "demo/-x.py", "-demo.py", "demo/~x", "demo/a,b.py",
        "demo/#x",
        "demo/%41.py", "demo/a;b.py", "demo/$HOME", "demo/.hidden", ".hidden/x", "demo/...", "demo/x\u2028y",
        "demo/\u200bx.py", "demo/\ufeffx", "\ufeffdemo.py", "demo/\U0001f600.py", "demo/x\x85", "demo/'x'",
        "demo/[x]",
        "demo/{x}", "demo/x=y", "demo/@x", "demo/x&y", "demo/`x`", "demo/!x", "demo/\u202ex.py",
        "demo/x\xa0y",
    )  # fmt: skip
    draft.add(pick(draft, *paths))


@oddity
def a_path_that_leads_out(draft: Draft) -> None:
    paths = (
        "../up.py", "../../up.py", "../../../up.py", "../../../../up.py", "demo/../up.py", "demo/../../up.py",
        f"/{OUTSIDE}/x", f"//{OUTSIDE}/x", f"///{OUTSIDE}/x", "..", "demo/..", "../", "demo/../", ".", "./",
        "/", "\\up.py",
        "..\\up.py", "demo/..\\..\\up.py", "demo/sub/../x.py", "demo/sub/../../demo/x.py",
        f"\\\\server\\{OUTSIDE}",
        "../site-packages/up.py", "demo/../demo/__init__.py",
    )  # fmt: skip
    draft.add(pick(draft, *paths))


@oddity
def a_long_path(draft: Draft) -> None:
    draft.add(
        choose(
            draft,
            {
                "name of 255": "demo/" + "n" * 255,
                "name of 256": "demo/" + "n" * 256,
                "name of 255 bytes in 85 letters": "demo/" + "\u4f60" * 85,
                "name of 258 bytes in 86 letters": "demo/" + "\u4f60" * 86,
                "module of 250": "demo/" + "n" * 247 + ".py",
                "path of 400 folders": "demo/" + "a/" * 400 + "x",
                "path of 5000": "demo/" + ("a" * 199 + "/") * 25 + "x",
                "folder of 300": "demo/" + "n" * 300 + "/x",
                "script of 256": f"{draft.data}/scripts/" + "n" * 256,
            },
        )
    )


@oddity
def an_odd_name_in_bytes(draft: Draft) -> None:
    """A name that is not what its flag says: UTF-8 without the flag, other bytes with it, a NUL."""
    raw, flags = choose(
        draft,
        {
            "UTF-8 without its flag": ("demo/\u00e9.py".encode(), 0),
            "cp437": ("demo/\u00e9.py".encode("cp437"), 0),
            "latin-1 with the UTF-8 flag": (b"demo/\xe9.py", 0x800),
            "cut UTF-8": (b"demo/\xe4\xbd.py", 0x800),
            "surrogate": (b"demo/\xed\xa0\x80.py", 0x800),
            "overlong slash": (b"demo\xc0\xafx.py", 0x800),
            "ASCII with the UTF-8 flag": (b"demo/x.py", 0x800),
            "NUL": (b"demo/x\0y.py", 0),
            "NUL first": (b"\0demo.py", 0),
            "empty": (b"", 0),
            "box of cp437": (b"demo/\xb0\xb1.py", 0),
        },
    )
    path = raw.decode("utf-8" if flags or b"\xc3" in raw else "cp437", errors="surrogateescape")
    draft.files.append(File(path=path, data=b"x = 1\n"))

    def rewrite(entries: list[Entry]) -> None:
        own = path.encode("utf-8", errors="surrogateescape")
        for entry in entries:
            if entry.name == own:
                entry.name, entry.flags = raw, flags

    draft.entry_edits.append(rewrite)


@oddity
def a_folder_entry(draft: Draft) -> None:
    path, data, mode = choose(
        draft,
        {
            "plain": ("demo/", b"", _FOLDER),
            "new": ("demo/empty/", b"", _FOLDER),
            "no mode": ("demo/empty/", b"", 0),
            "with contents": ("demo/empty/", b"data in a folder", _FOLDER),
            "mode of a file": ("demo/empty/", b"", 0o100644),
            "not writable": ("demo/empty/", b"", 0o040555),
            "dist-info": (f"{draft.info}/", b"", _FOLDER),
            "data": (f"{draft.data}/", b"", _FOLDER),
            "data scripts": (f"{draft.data}/scripts/", b"", _FOLDER),
            "data unknown": (f"{draft.data}/unknown/", b"", _FOLDER),
            "leads out": ("../outside/", b"", _FOLDER),
            "absolute": (f"/{OUTSIDE}/", b"", _FOLDER),
            "backslash": ("demo\\empty\\", b"", _FOLDER),
            "second dist-info": ("demo-0.9.dist-info/", b"", _FOLDER),
            "egg-info": ("demo.egg-info/", b"", _FOLDER),
            "a file's name": ("demo/__init__.py/", b"", _FOLDER),
            "control character": ("demo/a\x01b/", b"", _FOLDER),
            "double slash": ("demo//", b"", _FOLDER),
        },
    )
    draft.add(path, data, mode)
    if draft.chance.random() < 0.5:
        draft.files.insert(0, draft.files.pop())


@oddity
def an_odd_mode(draft: Draft) -> None:
    mode = choose(
        draft,
        {
            "executable": 0o100755,
            "executable for its owner": 0o100744,
            "executable for others": 0o100645,
            "all bits": 0o107777,
            "setuid": 0o104755,
            "no read": 0o100222,
            "none": 0,
            "no type": 0o755,
            "no type, plain": 0o644,
            "no permission": 0o100000,
            "folder": _FOLDER,
            "pipe": _PIPE,
            "device": _DEVICE,
            "socket": 0o140644,
        },
    )
    place = draft.chance.choice(
        ("demo/odd.py", "demo/odd", "{data}/scripts/odd", "{data}/data/odd", "odd.py")
    )
    draft.add(place, draft.chance.choice(("#!python\n", "#!/bin/sh\n", "x = 1\n")), mode)


@oddity
def a_link(draft: Draft) -> None:
    target = pick(draft, "__init__.py", "gone", "../../..", "/etc/passwd", "..", "", "a\nb")
    draft.add(draft.chance.choice(("demo/link.py", "{data}/scripts/link", "link", "demo/sub")), target, _LINK)
    if draft.chance.random() < 0.3:
        draft.add("demo/sub/x.py")


@oddity
def attributes_of_another_system(draft: Draft) -> None:
    attributes, maker = choose(
        draft,
        {
            "DOS": (0x20, 20),
            "DOS read-only": (0x21, 20),
            "DOS folder": (0x10, 20),
            "DOS with a Unix mode": (0o100755 << 16, 20),
            "NTFS": (0x20, 10 << 8 | 20),
            "macOS": (0o100755 << 16, 19 << 8 | 20),
            "Unix without attributes": (0, 3 << 8 | 20),
            "folder flag on a file": (0o100644 << 16 | 0x10, 3 << 8 | 20),
        },
    )
    draft.add("{data}/scripts/odd", "#!python\n")
    draft.add("demo/odd.py")

    def rewrite(entries: list[Entry]) -> None:
        for entry in entries:
            if b"odd" in entry.name:
                entry.attributes, entry.maker = attributes, maker

    draft.entry_edits.append(rewrite)


@oddity
def a_scheme(draft: Draft) -> None:
    paths = (
        "purelib/extra.py", "platlib/extra.py", "purelib/demo/extra.py", "scripts/sub/tool",
        "scripts/tool.py",
        "headers/sub/demo.h", "data/share/x", "data/lib/x", "data/pyvenv.cfg2", "unknown/x", "x", "lib/x",
        "Scripts/x",
        "PURELIB/x.py", "include/x.h", "purelib", "scripts", "data/../x", "data/../../x", "scripts/../x",
        "purelib/../x.py",
        "purelib//x.py", "data//x", "/purelib/x.py", "data/./x", "./purelib/x.py", "scripts/tool.exe",
        "stdlib/x.py",
        "platstdlib/x.py", "headers/demo.h", "data/bin/tool", "scripts/.hidden", "scripts/a b",
        "purelib/x/../y.py",
    )  # fmt: skip
    draft.add(f"{{data}}/{pick(draft, *paths)}")


@oddity
def a_data_folder_of_another_name(draft: Draft) -> None:
    folders = (
        "other-1.0.data", "Demo-1.0.data", "demo.data", "demo-1.data", "demo-2.0.data", ".data", "x.data",
        "demo-1.0.DATA",
        "demo-1.0.data2", "demo/demo-1.0.data",
    )  # fmt: skip
    folder = pick(draft, *folders)
    path = pick(draft, "purelib/extra.py", "scripts/tool", "data/x", "x", "unknown/x")
    draft.add(f"{folder}/{path}", "#!python\n")


@oddity
def a_file_named_like_data(draft: Draft) -> None:
    draft.add(
        pick(draft, "demo.data", "x.data", "demo-1.0.data", "x.dist-info", "demo/x.data", "demo/x.dist-info")
    )


@oddity
def an_entry_of_the_environment(draft: Draft) -> None:
    paths = (
        "data/pyvenv.cfg", "data/bin/python", "scripts/python", "scripts/python3", "scripts/activate",
        "data/bin/activate",
        "data/lib64/x", "data/lib/python3.11/site-packages/x.py", "scripts/pip", "data/lib64", "data/bin",
        "data/lib/x",
    )  # fmt: skip
    draft.add(f"{{data}}/{pick(draft, *paths)}", "#!python\n")


@oddity
def two_members_on_one_path(draft: Draft) -> None:
    info = draft.info
    second = pick(
        draft,
        "purelib/demo/__init__.py",
        "platlib/demo/__init__.py",
        "data/lib/python3.11/site-packages/demo/__init__.py",
        f"purelib/{info}/METADATA",
        f"platlib/{info}/METADATA",
        f"purelib/{info}/entry_points.txt",
        f"purelib/{info}/RECORD",
        f"purelib/{info}/INSTALLER",
        "scripts/demo-run",
        "data/bin/demo-run",
        "both/both",
        "purelib/demo",
    )
    if second == "both/both":
        draft.add("{data}/purelib/both.py", "one = 1\n")
        draft.add("{data}/platlib/both.py", "two = 2\n")
        return
    if second.endswith("demo-run"):
        draft.entry_points = b"[console_scripts]\ndemo-run = demo:main\n"
    texts = {"METADATA": b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Dist: hidden\n"}
    draft.add(f"{{data}}/{second}", texts.get(second.rpartition("/")[2], b"#!python\nother = 1\n"))
    if draft.chance.random() < 0.5:
        draft.files.insert(0, draft.files.pop())


@oddity
def a_member_twice(draft: Draft) -> None:
    path = pick(
        draft,
        "demo/__init__.py",
        "demo/twice.py",
        "{data}/scripts/twice",
        "METADATA",
        "WHEEL",
        "RECORD",
        "entry_points.txt",
    )
    same = draft.chance.random() < 0.4
    if "/" in path:
        draft.add(path, "#!python\nfirst\n")
        draft.add(path, "#!python\nfirst\n" if same else "#!python\nsecond, longer\n")
        return
    texts = {
        "METADATA": b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Dist: hidden\n",
        "WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": b"demo/__init__.py,,\n",
        "entry_points.txt": b"[console_scripts]\nother = demo:main\n",
    }
    draft.entry_points = draft.entry_points or b"[console_scripts]\nthis = demo:main\n"
    draft.add(f"{{info}}/{path}", texts[path])


@oddity
def a_file_and_a_folder(draft: Draft) -> None:
    first, second = choose(
        draft,
        {
            "file first": ("demo/both", "demo/both/x"),
            "folder first": ("demo/both/x", "demo/both"),
            "the package": ("demo", "demo/x"),
            "the scripts": ("{data}/scripts/both", "{data}/scripts/both/x"),
            "the schemes": ("demo/both", "{data}/purelib/demo/both/x"),
            "by case": ("demo/Both", "demo/both/x"),
        },
    )
    draft.add(first)
    draft.add(second)


@oddity
def names_that_differ_in_case(draft: Draft) -> None:
    first, second = pick(
        draft, "demo/A.py|demo/a.py", "demo/\u00e9|demo/e\u0301", "Demo/x.py|demo/x.py", "demo/\u00df|demo/ss"
    ).split("|")
    draft.add(first, "1\n")
    draft.add(second, "2\n")


@oddity
def a_script(draft: Draft) -> None:
    text = choose(
        draft,
        {
            "#!python": b"#!python\nprint(1)\n",
            "#!pythonw": b"#!pythonw\nprint(1)\n",
            "#!python3": b"#!python3\nprint(1)\n",
            "#!python -E": b"#!python -E\nprint(1)\n",
            "#! python": b"#! python\nprint(1)\n",
            "#!python CRLF": b"#!python\r\nprint(1)\r\n",
            "#!python without an end": b"#!python",
            "#!/usr/bin/python": b"#!/usr/bin/python\nprint(1)\n",
            "#!/usr/bin/env python": b"#!/usr/bin/env python\nprint(1)\n",
            "#!/home/builder/bin/python3": b"#!/home/builder/bin/python3\nprint(1)\n",
            "#!/bin/sh": b"#!/bin/sh\necho\n",
            "empty": b"",
            "binary": b"\x7fELF\x02\x01\x01" + bytes(40),
            "BOM": b"\xef\xbb\xbf#!python\nprint(1)\n",
            "#": b"#",
            "#!": b"#!",
            "#!pyth": b"#!pyth",
            "line before": b"\n#!python\n",
            "no shebang": b"print(1)\n",
            "#!PYTHON": b"#!PYTHON\n",
        },
    )
    draft.add("{data}/scripts/odd-tool", text, draft.chance.choice((0o100755, 0o100644)))


@oddity
def bytecode(draft: Draft) -> None:
    paths = (
        "demo/__pycache__/__init__.cpython-311.pyc",
        "demo/__pycache__/x.cpython-39.pyc",
        "demo/x.pyc",
        "demo/__pycache__",
    )
    draft.add(pick(draft, *paths), b"\xcb\r\r\n")


@oddity
def a_module_that_does_not_compile(draft: Draft) -> None:
    draft.add(
        "demo/broken.py",
        choose(draft, {"syntax": b"def (:\n", "NUL": b"x\0\n", "bytes": b"\xff\xfe", "deep": b"(" * 300}),
    )
