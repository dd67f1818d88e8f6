"""Odd file names, tags, dist-info folders and WHEEL files."""

from installers.drafts import Draft, choose, oddity, pick
from support import wheels


def _rename(draft: Draft, name: str, version: str) -> None:
    """Give the wheel another name and version in all places."""
    draft.name, draft.version = name, version
    old = draft.info, draft.data
    draft.info, draft.data = f"{name}-{version}.dist-info", f"{name}-{version}.data"
    for file in draft.files:
        file.path = file.path.replace(f"{old[1]}/", f"{draft.data}/").replace(f"{old[0]}/", f"{draft.info}/")
    if draft.metadata is not None:
        draft.swap(b"Name: demo\n", f"Name: {name}\n".encode())
        draft.swap(b"Version: 1.0\n", f"Version: {version}\n".encode())


@oddity
def another_name(draft: Draft) -> None:
    names = ("Demo", "DEMO", "de_mo", "de.mo", "de__mo", "_demo", "demo_", "d", "0demo", "d\u00e9mo", "de mo")
    _rename(draft, pick(draft, *names), draft.version)


@oddity
def another_name_in_the_file_name(draft: Draft) -> None:
    draft.name = pick(draft, "Demo", "other", "demo_x", "de.mo", "demo_", "dem", "d\u00e9mo")


@oddity
def another_version(draft: Draft) -> None:
    versions = (
        "1", "1.0.0", "01.0", "v1.0", "1.0a1", "1.0.alpha.1", "1.0_1", "1.0.post1", "1.0.dev0", "1!1.0",
        "1.0+local", "1.0+local.1", "1.0+Local_1", "2024.01.01", "1.0rc", "1.0c1", "abc", "1.0.x", "1..0",
        "1.0 ",
    )  # fmt: skip
    _rename(draft, draft.name, pick(draft, *versions))


@oddity
def another_version_in_the_file_name(draft: Draft) -> None:
    draft.version = pick(draft, "1", "1.0.0", "2.0", "1.0_0", "1.0+x", "v1.0", "abc", "1.0.post0")


@oddity
def a_build_tag(draft: Draft) -> None:
    draft.build = pick(draft, "1", "1a", "01", "1_x", "a1", "_", "99999999999999999999")
    if draft.wheel is not None and draft.chance.random() < 0.7:
        draft.wheel += f"Build: {draft.build}\n".encode()


@oddity
def other_tags(draft: Draft) -> None:
    tags = (
        "py2.py3-none-any", "py311-none-any", "cp311-none-any", "PY3-none-any", "py3-NONE-any",
        "py3-none-Any",
        "cp311-cp311-linux_x86_64", "cp38-abi3-manylinux_2_17_x86_64",
        "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", "py3-none-manylinux1_x86_64",
        "py3.-none-any", "py3-none-any.any", "py3--any", "py3-none-an y",
    )  # fmt: skip
    draft.tags = pick(draft, *tags)
    if draft.chance.random() < 0.8:
        draft.wheel = wheels.wheel_file(f"demo-1.0-{draft.tags}.whl").encode()


@oddity
def too_many_parts(draft: Draft) -> None:
    draft.tags = pick(draft, "py3-none-any-x", "none-any", "py3-none-any-x-y", "any")


@oddity
def another_dist_info(draft: Draft) -> None:
    folders = (
        "Demo-1.0", "demo-1", "demo-1.0.0", "demo-2.0", "other-1.0", "demo", "demo_x-1.0", "demo-1.0-1",
        "DEMO-1.0",
        "de-mo-1.0", "demo-01.0", "demo-v1.0", "-", "demo-", "demo-1.0 ",
    )  # fmt: skip
    draft.info = f"{pick(draft, *folders)}.dist-info"


@oddity
def a_dist_info_in_capitals(draft: Draft) -> None:
    draft.info = pick(
        draft, "demo-1.0.DIST-INFO", "demo-1.0.Dist-Info", "demo-1.0.dist_info", "demo-1.0.egg-info"
    )


@oddity
def a_second_dist_info(draft: Draft) -> None:
    folder = pick(
        draft,
        "demo-0.9.dist-info",
        "other-1.0.dist-info",
        "Demo-1.0.dist-info",
        ".dist-info",
        "demo/x-1.dist-info",
    )
    name = pick(draft, "METADATA", "NOTES", "entry_points.txt", "RECORD")
    texts = {
        "METADATA": wheels.metadata("demo", "0.9"),
        "entry_points.txt": "[console_scripts]\nold = demo:main\n",
    }
    draft.add(f"{folder}/{name}", texts.get(name, ""))


@oddity
def a_file_in_dist_info(draft: Draft) -> None:
    names = (
        "licenses/LICENSE", "INSTALLER", "REQUESTED", "direct_url.json", "RECORD.jws", "RECORD.p7s",
        "sub/METADATA",
        "sboms/demo.json", "top_level.txt", "metadata.json", "METADATA~", "WHEEL/x", "uv_cache.json",
    )  # fmt: skip
    draft.add(f"{{info}}/{pick(draft, *names)}", "text\n")


@oddity
def no_text(draft: Draft) -> None:
    missing = pick(draft, "METADATA", "WHEEL", "RECORD", "all", "case")
    if missing in {"METADATA", "all"}:
        draft.metadata = None
    if missing in {"WHEEL", "all"}:
        draft.wheel = None
    if missing in {"RECORD", "all"}:
        draft.with_record = False
    if missing == "case":
        draft.texts["Metadata"], draft.metadata = draft.metadata or b"", None


@oddity
def another_wheel_version(draft: Draft) -> None:
    versions = (
        "1.0",
        "1.1",
        "1.9",
        "2.0",
        "0.1",
        "1",
        "1.0.0",
        "01.0",
        "1.x",
        "",
        "one",
        " 1.0 ",
        "1.0\r",
        "-1.0",
        "1_0.0",
    )
    draft.wheel = wheels.wheel_file(draft.filename).encode().replace(
        b"Wheel-Version: 1.0", b"Wheel-Version: " + pick(draft, *versions).encode()
    )  # fmt: skip


@oddity
def another_purelib(draft: Draft) -> None:
    values = ("False", "TRUE", "yes", "", "1", "true ", "perhaps", "tru\u00e9")
    draft.wheel = wheels.wheel_file(draft.filename).encode().replace(
        b"Root-Is-Purelib: true", b"Root-Is-Purelib: " + pick(draft, *values).encode()
    )  # fmt: skip


@oddity
def another_wheel_file(draft: Draft) -> None:
    usual = wheels.wheel_file(draft.filename).encode()
    draft.wheel = choose(
        draft,
        {
            "empty": b"",
            "CRLF": usual.replace(b"\n", b"\r\n"),
            "CR": usual.replace(b"\n", b"\r"),
            "BOM": b"\xef\xbb\xbf" + usual,
            "blank line first": b"\n" + usual,
            "space before a field": b" " + usual,
            "no tag": usual.replace(b"Tag: ", b"X-Tag: "),
            "another tag": usual.replace(b"Tag: py3", b"Tag: py2"),
            "lower case": usual.lower(),
            "no colon": usual.replace(b"Generator: demo", b"Generator demo"),
            "not UTF-8": usual.replace(b"demo", b"d\xe9mo"),
            "UTF-16": usual.decode().encode("utf-16"),
            "NUL": usual.replace(b"demo", b"d\0mo"),
            "two versions": b"Wheel-Version: 2.0\n" + usual,
            "folded": usual.replace(b"Generator: demo", b"Generator: demo\n of some tool"),
            "no purelib": usual.replace(b"Root-Is-Purelib: true\n", b""),
            "no version": usual.replace(b"Wheel-Version: 1.0\n", b""),
            "no newline": usual.rstrip(b"\n"),
        },
    )
