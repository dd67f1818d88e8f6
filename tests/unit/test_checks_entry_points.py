from pathlib import Path

from support import wheels
from support.rows import rows
from wheelkit.verification.checks import entry_points
from wheelkit.verification.contract import Contract
from wheelkit.wheel import read

MEMBERS = {
    "demo/cli.py": "",
    "demo/sub/__init__.py": "",
    "demo/_fast.cpython-311-x86_64-linux-gnu.so": "",
    "single.py": "",
}


def codes(folder: Path, text: str | bytes, *lines: str, members: dict[str, str] = MEMBERS) -> list[str]:
    texts = {"{info}/METADATA": wheels.metadata("demo", "1.0", *lines), "{info}/entry_points.txt": text}
    wheel = read(wheels.write_wheel(folder, members={**members, **texts}))
    return [
        finding.code
        for check in (entry_points.readable, entry_points.scripts)
        for finding in check(wheel, Contract())
    ]


def script(reference: str, name: str = "demo") -> str:
    return f"[console_scripts]\n{name} = {reference}\n"


@rows(
    ("text", "expected"),
    [
        ("", []),
        ("# a comment\n; another\n\n[console_scripts]\ndemo=demo.cli:main\n", []),
        (script("demo.cli:App.run [extra]"), []),
        (script("demo.sub:main"), []),
        (script("demo._fast:main"), []),
        (script("single:main"), []),
        (script("demo:main", "demo-3.11"), []),
        (script("demo.cli:main [extra,other]"), []),
        (script("demo.cli:main [extra, other-one]"), ["WK215"]),
        (script("demo.cli:main []"), ["WK215"]),
        (script("demo.cli : main"), ["WK215"]),
        (script("demo.cli:main()"), ["WK215"]),
        (script("demo.class:main"), ["WK215"]),
        (script("demo.cli:main", "my demo"), ["WK215"]),
        (script("demo.cli:main", "d" * 255), []),
        (script("demo.cli:main", "d" * 256), ["WK215"]),
        (script("demo.cli:main", "[demo]"), ["WK215"]),
        (script("demo.cli:main", ";demo"), ["WK215"]),
        (script("demo.cli:main") + "; a comment\n", ["WK215"]),
        (script("demo.cli:main") + "# a comment\n", []),
        (script("demo.cli:main") + "  two = demo.cli:main\n", ["WK215"]),
        ("  [console_scripts]\n  one = demo.cli:main\n  two = demo.cli:main\n", []),
        (script("demo.cli:main").replace("[console_scripts]", "[[console_scripts]]"), ["WK215"]),
        (script("demo.cli:main").replace("[console_scripts]", "[ console_scripts ]"), []),
        (script("demo.cli:main") + "[console_scripts]\n", ["WK215"]),
        ("[DEFAULT]\nx = y\n" + script("demo.cli:main"), ["WK215"]),
        ("[DEFAULT]\nx = y\n[demo.plugins]\nz = y\n", []),
        (script("demo.cli:main\x0cx = demo.cli:main"), ["WK215"]),
        (script("demo.cli:main\x0c"), []),
        ("\ufeff" + script("demo.cli:main"), ["WK215"]),
        ("[demo.plugins]\nanything = demo.gone\n", []),
        ("[demo.plugins]\nanything = not a reference at all\n", []),
        ("[gui_scripts]\ndemo = demo.gone:main\n", ["WK216"]),
        (script("demo.gone:main"), ["WK216"]),
        (script("other:main"), ["WK216"]),
        (script("demo.cli"), ["WK215"]),
        (script("demo.cli main"), ["WK215"]),
        (script("demo.cli:"), ["WK215"]),
        (script("demo.cli:main", "../demo"), ["WK215"]),
        (script("demo.cli:main", ".."), ["WK215"]),
        (script("demo.cli:main", "bin\\demo"), ["WK215"]),
        (script("demo.cli:main", ""), ["WK215"]),
        (script("demo.cli:main") + "demo = demo.sub:main\n", ["WK215"]),
        (script("demo.cli:main") + "[gui_scripts]\ndemo = demo.sub:main\n", []),
        (script("demo.cli:main") + "Demo = demo.sub:main\n", []),
        ("demo = demo.cli:main\n", ["WK215"]),
        ("[console_scripts]\ndemo\n", ["WK215"]),
        (script("demo.cli:main").encode("utf-16"), ["WK215"]),
    ],
)
def test_scripts(tmp_path: Path, text: str | bytes, expected: list[str]) -> None:
    assert codes(tmp_path, text) == expected


def test_a_required_distribution_may_bring_the_module(tmp_path: Path) -> None:
    assert codes(tmp_path, script("other:main"), "Requires-Dist: other") == []
    assert codes(tmp_path, script("demo.gone:main"), "Requires-Dist: other") == ["WK216"]


def test_modules_below_data_are_installed_like_others(tmp_path: Path) -> None:
    assert codes(tmp_path, script("tool.run:main"), members={"demo-1.0.data/purelib/tool/run.py": ""}) == []
    assert codes(tmp_path, script("tool.run:main"), members={"demo-1.0.data/data/tool/run.py": ""}) == [
        "WK216"
    ]


def test_the_message_names_line_and_trouble(tmp_path: Path) -> None:
    texts = {"{info}/entry_points.txt": "[console_scripts]\n\ndemo = demo.cli\nmore = demo.cli\n"}
    wheel = read(wheels.write_wheel(tmp_path, members=texts))
    (finding,) = entry_points.readable(wheel, Contract())
    assert finding.what == (
        'entry_points.txt, line 3: "demo = demo.cli" is not name = module:function, '
        "and pip and uv refuse it; 1 more line is invalid"
    )
