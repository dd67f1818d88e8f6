from pathlib import Path

import malformed
from support import wheels
from wheelkit.wheel import read
from wheelkit.wheel.diff import diff_wheels
from wheelkit.wheel.size_breakdown import size_breakdown


def test_what_changed(tmp_path: Path) -> None:
    first = read(
        wheels.write_wheel(
            tmp_path,
            "demo-1.0-py3-none-any.whl",
            members={"demo/a.py": "1", "demo/b.py": "1", "demo/c.py": "1"},
        )
    )
    members = {
        "demo/a.py": "1",
        "demo/b.py": "222",
        "demo/d.py": "1",
        "{info}/METADATA": wheels.metadata("demo", "2.0", "Requires-Dist: six"),
    }
    second = read(wheels.write_wheel(tmp_path, "demo-2.0-py2.py3-none-any.whl", members=members))
    found = diff_wheels(first, second)
    assert (found.tags.added, found.tags.removed) == (("py2-none-any",), ())
    assert (found.members.added, found.members.removed) == (("demo/d.py",), ("demo/c.py",))
    assert found.requirements.added == ("six",)
    assert ("demo/b.py", 1, 3) in [(one.member, one.before, one.after) for one in found.changed]
    # The dist-info folders are one folder in spite of their versions.
    assert {one.member for one in found.changed} == {
        "demo/b.py",
        *(f"demo-2.0.dist-info/{name}" for name in ("METADATA", "RECORD", "WHEEL")),
    }
    assert found.unchanged == 2


def test_nothing_changed(tmp_path: Path) -> None:
    wheel = read(malformed.valid_wheel().write(tmp_path))
    found = diff_wheels(wheel, wheel)
    assert not any(
        (found.tags, found.needed, found.symbol_versions, found.requirements, found.members, found.changed)
    )
    assert found.unchanged == len(wheel.members)


def test_grafted_libraries_keep_their_names(tmp_path: Path) -> None:
    draft = malformed.valid_wheel()
    draft.members["demo.libs/libtiny-1a2b3c4d.so.1"] = malformed.so()
    first = read(draft.write(tmp_path))
    draft.members["demo.libs/libtiny-5e6f7a8b.so.1"] = (
        draft.members.pop("demo.libs/libtiny-1a2b3c4d.so.1") + b"more"
    )
    found = diff_wheels(first, read(draft.write(tmp_path)))
    assert not found.members
    assert "demo.libs/libtiny-5e6f7a8b.so.1" in {one.member for one in found.changed}


def test_the_weight_is_all_of_it(tmp_path: Path) -> None:
    for filename in (malformed.LINUX, malformed.MACOS, malformed.WINDOWS, malformed.PURE):
        wheel = read(malformed.valid_wheel(filename).write(tmp_path))
        spent = size_breakdown(wheel)
        assert spent.total == sum(member.size for member in wheel.members)
        assert spent.python == 12
        assert bool(spent.code) == bool(wheel.binaries)
