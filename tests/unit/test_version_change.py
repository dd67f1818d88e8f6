from __future__ import annotations

import difflib
import os
import stat
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.sample_families import CLI, CORE, opened, put
from wheelkit.errors import CheckFailedError, OutputError, ProjectError, UsageError
from wheelkit.versions import change
from wheelkit.versions.change import VersionChange
from wheelkit.versions.check import check

ODD = """# A comment first.\r
[build-system]\r
requires = ['hatchling', "core ~= 2.3"]   # built with it\r
build-backend = "hatchling.build"\r
\r
[project]\r
name="cli" # odd spacing\r
version   =   '1.0.0'   # not "1.0.0"\r
description = "1.0.0 of core>=2.3.0,<3.0.0"\r
dependencies = [\r
    # first: core>=2.3.0,<3.0.0\r
\t'core[fast, "x"]>=2.3.0 , <3.0.0 ; python_version > "3"', # the core\r
    "core[a] >=2.3, <3 ; extra == 'core>=2.3, <3'",\r
  "click>=8"\r
  ,\r
]\r
[project.urls]\r
home = "https://example.org/2.3.0"\r
[project.optional-dependencies] # more\r
all = [ \"""core>=2.3.0,<3.0.0\""", "core==2.3.0"]\r
[tool.other]\r
version = "1.0.0"\r
x.y = { z = 0x1F, d = 1979-05-27 }\r
[dependency-groups]\r
dev = ["core", {include-group = "test"}]\r
test = []\r
""".replace('core[fast, "x"]', "core[fast, x]")


def changed_lines(files: dict[Path, tuple[str, str]]) -> list[str]:
    """Return the changed lines of a diff without context, with their line ends."""
    lines = []
    for before, after in files.values():
        diff = difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), n=0)
        lines += [line for line in diff if not line.startswith(("---", "+++", "@@"))]
    return lines


def planned(root: Path, **versions: str) -> VersionChange:
    return change.plan_change(*opened(root), versions)


def test_only_versions_and_ranges_change_in_an_unusual_file(tmp_path: Path) -> None:
    put(tmp_path, {"core/pyproject.toml": CORE, "cli/pyproject.toml": ODD})
    plan = planned(tmp_path, core="2.4.0", cli="1.1.0")
    assert plan.files[tmp_path / "cli/pyproject.toml"][0] == ODD
    assert changed_lines({tmp_path: plan.files[tmp_path / "cli/pyproject.toml"]}) == [
        "-requires = ['hatchling', \"core ~= 2.3\"]   # built with it\r\n",
        "+requires = ['hatchling', \"core ~= 2.4\"]   # built with it\r\n",
        "-version   =   '1.0.0'   # not \"1.0.0\"\r\n",
        "+version   =   '1.1.0'   # not \"1.0.0\"\r\n",
        "-\t'core[fast, x]>=2.3.0 , <3.0.0 ; python_version > \"3\"', # the core\r\n",
        "-    \"core[a] >=2.3, <3 ; extra == 'core>=2.3, <3'\",\r\n",
        "+\t'core[fast, x]>=2.4.0 , <3.0.0 ; python_version > \"3\"', # the core\r\n",
        "+    \"core[a] >=2.4, <3 ; extra == 'core>=2.3, <3'\",\r\n",
        '-all = [ """core>=2.3.0,<3.0.0""", "core==2.3.0"]\r\n',
        '+all = [ """core>=2.4.0,<3.0.0""", "core==2.4.0"]\r\n',
    ]


@pytest.mark.parametrize(
    ("name", "text", "after"),
    [
        (
            "core/meson.build",
            "project('core', 'c',\r\n  # version: '2.3.0'\r\n  version: '2.3.0', # x\r\n)\r\n",
            ("version: '2.3.0', #", "version: '2.4.0', #"),
        ),
        ("core/VERSION", "2.3.0\n", ("2.3.0", "2.4.0")),
        ("core/VERSION", "\ufeff 2.3.0", ("2.3.0", "2.4.0")),
        (
            "core/core/__init__.py",
            "x = '2.3.0'\n__version__ = '2.3.0'  # é\n",
            ("__version__ = '2.3.0'", "__version__ = '2.4.0'"),
        ),
    ],
)
def test_other_files_change_only_in_the_version(
    tmp_path: Path, name: str, text: str, after: tuple[str, str]
) -> None:
    core = CORE.replace("hatchling.build", "mesonpy") if "meson" in name else CORE
    put(tmp_path, {"core/pyproject.toml": core, name: text})
    if text.startswith("\ufeff"):
        assert (
            len(opened(tmp_path)[1].members["core"].locations) == 1
        )  # a byte order mark is not part of a version
        return
    plan = planned(tmp_path, core="2.4.0")
    assert plan.files[tmp_path / name] == (text, text.replace(*after))
    assert set(plan.files) == {tmp_path / "core/pyproject.toml", tmp_path / name}


@pytest.mark.parametrize(
    "text",
    [
        'project = { name = "core", version = "2.3.0" }\n',
        'project.name = "core"\nproject.version = "2.3.0"\n',
        '[project]\nname = "core"\n"version" = "2.3.0"\n[tool.x]\na = 1\n[project.scripts]\nc = "c:d"\n',
        '[project]\nname = "core"\nversion = """\\\n  2.3.0"""\n',
        "\n\n[ project ] # x\n\tname = 'core'\n\tversion = '2.3.0'",
    ],
)
def test_every_way_to_write_a_version_is_edited(tmp_path: Path, text: str) -> None:
    put(tmp_path, {"core/pyproject.toml": text})
    plan = planned(tmp_path, core="2.4.0")
    (after,) = (pair[1] for pair in plan.files.values())
    assert tomllib.loads(after)["project"]["version"] == "2.4.0"
    assert len(changed_lines(dict(plan.files))) <= 3


def test_a_version_behind_escapes_is_refused_and_one_beside_them_is_not(tmp_path: Path) -> None:
    put(tmp_path, {"core/pyproject.toml": '[project]\nname = "core"\nversion = "2.3.\\u0030"\n'})
    with pytest.raises(ProjectError, match="is written with escapes; nothing was changed"):
        planned(tmp_path, core="2.4.0")
    requirement = r'"core>=2.3.0,<3.0.0; python_version > \"3\""'
    put(
        tmp_path,
        {"core/pyproject.toml": CORE, "cli/pyproject.toml": CLI.replace('"core>=2.3.0,<3.0.0"', requirement)},
    )
    after = planned(tmp_path, core="2.4.0").files[tmp_path / "cli/pyproject.toml"][1]
    assert requirement.replace("2.3.0", "2.4.0") in after


_SPACE = st.sampled_from(["", " ", "\t", "  "])
_QUOTE = st.sampled_from(["'", '"', "'''", '"""'])
_END = st.sampled_from(["\n", "\r\n"])
_COMMENT = st.sampled_from(["", "# x", '# "core>=1"', "#"])


@given(st.data())
def test_generated_layouts_stay(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    def pick(strategy: st.SearchStrategy[str]) -> str:
        return data.draw(strategy)

    end, quote = pick(_END), pick(_QUOTE)
    lines = [
        "[project]",
        f"name{pick(_SPACE)}={pick(_SPACE)}'cli'",
        f"version{pick(_SPACE)}={pick(_SPACE)}{quote}1.0.0{quote}{pick(_SPACE)}{pick(_COMMENT)}",
    ]
    lines += [f"dependencies{pick(_SPACE)}={pick(_SPACE)}["]
    for _ in range(data.draw(st.integers(1, 3))):
        quote = pick(_QUOTE)
        extra, gap = pick(st.sampled_from(["", "[a]", "[a, b]", " [a]"])), pick(_SPACE)
        lines.append(
            f"{pick(_SPACE)}{quote}core{extra}{gap}>=2.3.0,{gap}<3.0.0{quote}{pick(_SPACE)},{pick(_SPACE)}{pick(_COMMENT)}"
        )
    text = end.join([*lines, "]", ""])
    root = put(tmp_path_factory.mktemp("x"), {"core/pyproject.toml": CORE, "cli/pyproject.toml": text})
    plan = planned(root, core="2.4.0", cli="1.0.1")
    assert plan.files[root / "cli/pyproject.toml"][1] == text.replace(">=2.3.0", ">=2.4.0").replace(
        "1.0.0", "1.0.1"
    )


def test_after_every_bump_all_versions_agree(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "core/pyproject.toml": CORE,
            "cli/pyproject.toml": ODD,
            "core/core/__init__.py": '__version__ = "2.3.0"\n',
        },
    )
    put(tmp_path, {"core/core/__init__.py": '__version__ = "2.2.0"\n'})
    assert [problem.distribution for problem in check(*opened(tmp_path)) if problem.where != "tag"] == [
        "core"
    ]
    for version in ("2.4.0", "3.0.0rc1", "3.0.0", "3.0.1.dev5"):
        change.write(planned(tmp_path, core=version))
        found = [problem for problem in check(*opened(tmp_path)) if problem.where != "tag"]
        assert found == []


def test_all_files_are_written_with_their_modes_and_nothing_is_left_over(tmp_path: Path) -> None:
    put(tmp_path, {"core/pyproject.toml": CORE, "cli/pyproject.toml": CLI})
    (tmp_path / "cli/pyproject.toml").chmod(0o640)
    change.write(planned(tmp_path, core="2.4.0"))
    assert "2.4.0" in (tmp_path / "core/pyproject.toml").read_text()
    assert ">=2.4.0,<3.0.0" in (tmp_path / "cli/pyproject.toml").read_text()
    assert stat.S_IMODE((tmp_path / "cli/pyproject.toml").stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [
        "pyproject.toml",
        "pyproject.toml",
    ]


def test_a_link_is_written_through(tmp_path: Path) -> None:
    put(tmp_path, {"core/pyproject.toml": CORE, "VERSION": "2.3.0\n"})
    (tmp_path / "core/VERSION").symlink_to("../VERSION")
    change.write(planned(tmp_path, core="2.4.0"))
    assert (tmp_path / "core/VERSION").is_symlink()
    assert (tmp_path / "VERSION").read_text() == "2.4.0\n"


def test_a_failure_in_the_middle_puts_everything_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, {"core/pyproject.toml": CORE, "cli/pyproject.toml": CLI})
    plan = planned(tmp_path, core="2.4.0")
    assert len(plan.files) == 2
    last, real = list(plan.files)[-1], Path.replace

    def full(self: Path, target: Path) -> Path:
        if target == last:
            raise OSError(28, "No space left on device", str(target))
        return real(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="No space left"):
        change.write(plan)
    assert (tmp_path / "core/pyproject.toml").read_text() == CORE
    assert (tmp_path / "cli/pyproject.toml").read_text() == CLI
    assert len([*tmp_path.rglob("*")]) == 4


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    put(tmp_path, {"core/pyproject.toml": CORE, "cli/pyproject.toml": CLI})
    (tmp_path / "cli").chmod(0o500)
    with pytest.raises(OutputError):
        change.write(planned(tmp_path, core="2.4.0"))
    assert (tmp_path / "core/pyproject.toml").read_text() == CORE


def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    put(tmp_path, {"core/pyproject.toml": CORE, "cli/pyproject.toml": CLI})
    plan = planned(tmp_path, core="2.4.0")
    put(tmp_path, {"cli/pyproject.toml": CLI + "# mine\n"})
    with pytest.raises(CheckFailedError, match="changed while it was being edited"):
        change.write(plan)
    assert (tmp_path / "core/pyproject.toml").read_text() == CORE
    assert (tmp_path / "cli/pyproject.toml").read_text() == CLI + "# mine\n"


def test_a_dependent_that_cannot_follow_stops_the_bump(tmp_path: Path) -> None:
    old = '[tool.poetry]\nname = "old"\nversion = "1"\n[tool.poetry.dependencies]\ncore = "^1 || ^2"\n'
    put(tmp_path, {"core/pyproject.toml": CORE, "old/pyproject.toml": old})
    assert planned(tmp_path, core="2.9.0").files
    with pytest.raises(CheckFailedError, match="a dependent does not allow the new version") as caught:
        planned(tmp_path, core="3.0.0")
    assert (
        caught.value.detail
        == "old needs core ^1 || ^2, not 3.0.0   (old/pyproject.toml, tool.poetry.dependencies.core)"
    )


CFG = (
    "[options]\npackages =\n  core\ninstall_requires =\n  core >=2,<3 # mine\n"
    "[options.extras_require]\nx =\n  core[a]>=2\n"
).replace("\n", "\r\n")
OLD_SETUP = (
    "# \u00e4: core>=2\nfrom setuptools import setup\n"
    "needs = ['core>=2.3,<3 ; python_version > \"3\"']; \u00fc = 1\n"
    'setup(name="old", version="1", install_requires=needs, '
    'extras_require={"x": needs, "y": ["core~=2.3"]})\n'
)


@pytest.mark.parametrize(
    ("name", "text", "new"),
    [
        (
            "setup.cfg",
            CFG,
            CFG.replace("core >=2,<3", "core >=3,<4").replace("core[a]>=2", "core[a]>=3"),
        ),
        (
            "setup.py",
            OLD_SETUP,
            OLD_SETUP.replace("core>=2.3,<3", "core>=3.0,<4").replace('"core~=2.3"', '"core~=3.0"'),
        ),
        ("needs.txt", "# core>=2\n\n  core>=2.3\n", "# core>=2\n\n  core>=3.0\n"),
    ],
)
def test_ranges_in_setup_and_requirements_files_follow(
    tmp_path: Path, name: str, text: str, new: str
) -> None:
    old = '[project]\nname = "old"\nversion = "1"\ndynamic = ["dependencies", "optional-dependencies"]\n'
    old += '[tool.setuptools.dynamic]\ndependencies = { file = "needs.txt" }\n'
    put(tmp_path, {"core/pyproject.toml": CORE, "old/pyproject.toml": old, f"old/{name}": text})
    change.write(planned(tmp_path, core="3.0.0"))
    assert (tmp_path / "old" / name).read_bytes().decode() == new
    excluded = [problem for problem in check(*opened(tmp_path)) if problem.what.startswith("it needs")]
    assert excluded == []


POETRY = """[tool.poetry]
name = "old"
version = "1"
[tool.poetry.dependencies]
python = "^2.3"
core = "^2.3"  # as "^2.3"
[tool.poetry.group.a.dependencies]
core = { version = "~2.3", extras = ["x"] }
[tool.poetry.group.b.dependencies]
Core = [
    { version = "2.3.*", python = "<3.12" }, { version = "2.3.0", python = ">=3.12" }, { path = "../core" }
]
"""


def test_ranges_in_poetry_s_tables_follow_in_its_syntax(tmp_path: Path) -> None:
    put(tmp_path, {"core/pyproject.toml": CORE, "old/pyproject.toml": POETRY})
    change.write(planned(tmp_path, core="2.4.0"))
    expected = (
        POETRY.replace('core = "^2.3"', 'core = "^2.4"')
        .replace("~2.3", "~2.4")
        .replace('"2.3.*"', '"2.4.*"')
        .replace("2.3.0", "2.4.0")
    )
    assert (tmp_path / "old/pyproject.toml").read_text() == expected
    assert (
        check(*opened(tmp_path, {"distributions": ["*"], "distribution": {"old": {"tag": "o{version}"}}}))
        == ()
    )


def test_cargo_gets_versions_in_its_own_form(tmp_path: Path) -> None:
    project = CORE.replace("hatchling.build", "maturin").replace('version = "2.3.0"', 'dynamic = ["version"]')
    lock = (
        '[[package]]\r\nname = "core-rs"\r\nversion = "%s"\r\n\r\n[[package]]\r\nname = "b"\r\n'
        'version = "2.3.0"\r\n'
    )
    crate = '[package]\nname = "core-rs"\nversion = "%s" # mine\n'
    put(
        tmp_path,
        {
            "core/pyproject.toml": project,
            "core/Cargo.toml": crate % "2.3.0",
            "core/Cargo.lock": lock % "2.3.0",
        },
    )
    change.write(planned(tmp_path, core="2.4rc1.dev5"))
    assert (tmp_path / "core/Cargo.toml").read_text() == crate % "2.4.0-rc.1.dev.5"
    assert (tmp_path / "core/Cargo.lock").read_bytes().decode() == lock % "2.4.0-rc.1.dev.5"
    assert check(*opened(tmp_path)) == ()
    with pytest.raises(UsageError, match="cannot be written in Cargo"):
        planned(tmp_path, core="2.4.0.post1")


def test_a_cargo_file_that_the_configuration_names_gets_its_form_too(tmp_path: Path) -> None:
    put(
        tmp_path,
        {"core/pyproject.toml": CORE, "core/rust/Cargo.toml": '[workspace.package]\nversion = "2.3.0"\n'},
    )
    document = {"distributions": ["*"], "distribution": {"core": {"version-files": ["rust/Cargo.toml"]}}}
    change.write(change.plan_change(*opened(tmp_path, document), {"core": "2.4a1"}))
    assert (
        tmp_path / "core/rust/Cargo.toml"
    ).read_text() == '[workspace.package]\nversion = "2.4.0-alpha.1"\n'
    assert 'version = "2.4a1"' in (tmp_path / "core/pyproject.toml").read_text()


def test_an_exclusion_that_hits_the_new_version_stops_the_bump(tmp_path: Path) -> None:
    put(
        tmp_path, {"core/pyproject.toml": CORE, "cli/pyproject.toml": CLI.replace("<3.0.0", "<3.0.0,!=2.4.0")}
    )
    with pytest.raises(CheckFailedError, match="does not allow") as caught:
        planned(tmp_path, core="2.4.0")
    assert (
        caught.value.detail
        == "cli needs core >=2.3.0,<3.0.0,!=2.4.0, not 2.4.0   (cli/pyproject.toml, project.dependencies[0])"
    )
    assert planned(tmp_path, core="2.4.1").files


def test_a_version_from_tags_is_never_edited(tmp_path: Path) -> None:
    text = CORE.replace('version = "2.3.0"', 'dynamic = ["version"]\n[tool.hatch.version]\nsource = "vcs"')
    put(tmp_path, {"core/pyproject.toml": text})
    with pytest.raises(UsageError, match="comes from git tags") as caught:
        planned(tmp_path, core="2.4.0")
    assert caught.value.hint == "wheelkit version tag core --as 0.1.0"


def test_without_a_known_file_version_files_is_suggested(tmp_path: Path) -> None:
    put(tmp_path, {"core/pyproject.toml": CORE.replace('version = "2.3.0"', 'dynamic = ["version"]')})
    with pytest.raises(UsageError, match="no file that states the version of core") as caught:
        planned(tmp_path, core="2.4.0")
    assert "version-files" in caught.value.hint


def test_two_members_that_share_a_file_need_the_same_version(tmp_path: Path) -> None:
    put(
        tmp_path,
        {"core/pyproject.toml": CORE, "cli/pyproject.toml": CLI.replace("1.0.0", "2.3.0"), "V": "2.3.0"},
    )
    for name in ("core", "cli"):
        (tmp_path / name / "VERSION").symlink_to("../V")
    assert planned(tmp_path, core="2.4.0", cli="2.4.0").files[tmp_path / "V"] == ("2.3.0", "2.4.0")
    with pytest.raises(ProjectError, match="holds the version of two distributions"):
        planned(tmp_path, core="2.4.0", cli="2.5.0")


def test_a_configured_policy_shapes_the_ranges(tmp_path: Path) -> None:
    put(tmp_path, {"core/pyproject.toml": CORE, "cli/pyproject.toml": CLI})
    for document, expected in (
        ({"version": {"range-policy": "next-minor"}}, ">=2.4.0,<2.5.0"),
        (
            {"distribution": {"core": {"range-policy": "exact"}}, "version": {"range-policy": "next-minor"}},
            "==2.4.0",
        ),
    ):
        (move,) = change.plan_change(
            *opened(tmp_path, {"distributions": ["*"], **document}), {"core": "2.4.0"}
        ).moves
        assert move.new == expected


def test_an_invalid_range_is_reported_and_left(tmp_path: Path) -> None:
    put(tmp_path, {"core/pyproject.toml": CORE, "cli/pyproject.toml": CLI.replace(">=2.3.0", ">=x")})
    with pytest.raises(
        ProjectError,
        match=r'cli/pyproject\.toml, project\.dependencies\[0\]: ">=x,<3\.0\.0" is not a valid version range',
    ):
        planned(tmp_path, core="2.4.0")
    assert planned(tmp_path, cli="1.1.0").files


def test_files_in_another_encoding_keep_every_byte(tmp_path: Path) -> None:
    setup = (
        "# -*- coding: latin-1 -*-\nfrom setuptools import setup\n"
        'setup(name="core", author="J\u00fcrgen", version="2.3.0")\n'
    )
    put(tmp_path, {"core/core/x.py": ""})
    for name, text in (("setup.py", setup), ("core/__init__.py", setup + '__version__ = "2.3.0"\n')):
        (tmp_path / "core" / name).write_bytes(text.encode("latin-1"))
    change.write(planned(tmp_path, core="2.4.0"))
    assert (tmp_path / "core/setup.py").read_bytes() == setup.replace("2.3.0", "2.4.0").encode("latin-1")
    assert (tmp_path / "core/core/__init__.py").read_bytes() == (setup + '__version__ = "2.4.0"\n').encode(
        "latin-1"
    )
