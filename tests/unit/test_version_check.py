from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.command import git_commit
from support.sample_families import CLI, CORE, opened, put
from wheelkit.__main__ import main
from wheelkit.machine.git import Repository
from wheelkit.versions.check import check

Capture = pytest.CaptureFixture[str]
TEMPLATES: dict[str, Any] = {"distributions": ["*"], "distribution": {"cli": {"tag": "cli-v{version}"}}}


def family(root: Path, cli: str = CLI, core: str = CORE, **more: str) -> Path:
    return put(root, {"core/pyproject.toml": core, "cli/pyproject.toml": cli, **more})


def problems(root: Path, document: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    return [(problem.distribution, problem.what) for problem in check(*opened(root, document or TEMPLATES))]


def test_a_family_in_order_has_no_problem(tmp_path: Path) -> None:
    assert problems(family(tmp_path)) == []


def test_two_places_that_disagree_are_both_named(tmp_path: Path) -> None:
    put(family(tmp_path), {"core/VERSION": "2.3.0\n", "core/core/__init__.py": '__version__ = "2.2.9"\n'})
    ((owner, what),) = problems(tmp_path)
    assert owner == "core"
    assert what == (
        "its versions disagree: 2.3.0 in core/pyproject.toml, [project] version and 2.3.0 in "
        "core/VERSION, the whole file; "
        "2.2.9 in core/core/__init__.py, __version__"
    )
    put(tmp_path, {"core/core/__init__.py": '__version__ = "2.3.0"\n'})
    assert problems(tmp_path) == []


def test_spellings_of_one_version_agree(tmp_path: Path) -> None:
    put(
        family(tmp_path, core=CORE.replace("2.3.0", "2.3.0rc1"), cli=CLI.replace("2.3.0", "2.3.0rc1")),
        {"core/VERSION": "v2.3.0-rc1"},
    )
    assert problems(tmp_path) == []


@pytest.mark.parametrize(
    ("requirement", "expected"),
    [
        ("core>=2.4,<3", "it needs core >=2.4,<3, but core is 2.3.0"),
        ("core>=1,<2.3.0", "it needs core >=1,<2.3.0, but core is 2.3.0"),
        ("core>=2.3.0", '"core>=2.3.0" has no upper bound: a later core that breaks it would be installed'),
        ("core", '"core" has no upper bound: a later core that breaks it would be installed'),
        (
            "core @ file:///x.whl",
            '"core @ file:///x.whl" is a direct reference: indexes reject it, and it states no version',
        ),
    ],
)
def test_a_range_that_excludes_the_sibling_is_reported_with_its_location(
    tmp_path: Path, requirement: str, expected: str
) -> None:
    family(tmp_path, cli=CLI.replace("core>=2.3.0,<3.0.0", requirement))
    (problem,) = check(*opened(tmp_path, TEMPLATES))
    assert (problem.distribution, problem.what, problem.where) == (
        "cli",
        expected,
        "cli/pyproject.toml, project.dependencies[0]",
    )
    assert (
        "core>=2.3.0,<3.0.0" in problem.fix
        or problem.fix.startswith("wheelkit version set 2.3.0 core")
        or ">=2.3.0,<3.0" in problem.fix
    )


def test_ranges_for_building_and_testing_may_be_open(tmp_path: Path) -> None:
    cli = CLI.replace('["hatchling"]', '["hatchling", "core>=2"]') + '[dependency-groups]\ntest = ["core"]\n'
    assert problems(family(tmp_path, cli=cli)) == []
    assert len(problems(family(tmp_path, cli=cli.replace('core>=2"]', 'core>=3"]')))) == 1


def test_ranges_of_extras_are_checked_too(tmp_path: Path) -> None:
    family(tmp_path, cli=CLI + '[project.optional-dependencies]\nall = ["core[x]>=3,<4"]\n')
    assert [what for _, what in problems(tmp_path)] == ["it needs core >=3,<4, but core is 2.3.0"]


@pytest.mark.parametrize(
    ("one", "other", "versions", "sample"),
    [
        ("v{version}", "{version}", ("2.3.0", "1.0.0"), "v2.3.0"),
        ("v{version}", "v1.{version}", ("2.3.0", "1.0.0"), "v1.1.0.0"),
        ("v{version}", "cli-v{version}", ("2.3.0", "1.0.0"), ""),
        ("core-{version}", "core-cli-{version}", ("2.3.0", "1.0.0"), ""),
        ("v{version}", "v{version}", ("2.3.0", "2.3.0"), ""),
    ],
)
def test_a_tag_that_could_mean_two_distributions_is_reported(
    tmp_path: Path, one: str, other: str, versions: tuple[str, str], sample: str
) -> None:
    family(tmp_path, cli=CLI.replace('"1.0.0"', f'"{versions[1]}"'))
    document = {"distributions": ["*"], "distribution": {"core": {"tag": one}, "cli": {"tag": other}}}
    found = [what for _, what in problems(tmp_path, document)]
    assert ([what.split('"')[1] for what in found] if found else [""]) == [sample]


def test_an_invalid_version_is_reported(tmp_path: Path) -> None:
    found = problems(
        family(tmp_path, core=CORE.replace("2.3.0", "two"), cli=CLI.replace('"core>=2.3.0,<3.0.0"', ""))
    )
    assert ("core", '"two" is not a valid version (PEP 440)') in found


def test_a_missing_version_tag_is_reported(tmp_path: Path) -> None:
    core = CORE.replace('version = "2.3.0"', 'dynamic = ["version"]\n[tool.hatch.version]\nsource = "vcs"')
    assert problems(family(tmp_path, core=core)) == [
        ("core", "its version comes from git tags, but this commit and those before it have no version tag")
    ]
    git_commit(tmp_path)
    Repository(folder=tmp_path).run("tag", "v2.9.0")
    assert problems(tmp_path) == []
    Repository(folder=tmp_path).run("tag", "v3.0.0")
    assert problems(tmp_path) == [("cli", "it needs core >=2.3.0,<3.0.0, but core is 3.0.0")]


# The commands.


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    family(tmp_path)
    put(
        tmp_path,
        {"wheelkit.toml": 'distributions = ["core", "cli"]\n[distribution.cli]\ntag = "cli-v{version}"\n'},
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_show_is_a_table_and_check_is_an_exit_code(project: Path, capsys: Capture) -> None:
    assert main(["version", "show"]) == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()[1:]] == [
        ["core", "pure", "2.3.0", "core/pyproject.toml", "-"],
        ["cli", "meta", "1.0.0", "cli/pyproject.toml", "core", ">=2.3.0,<3.0.0"],
    ]
    assert main(["version", "check"]) == 0
    assert capsys.readouterr().out == "2 versions and 1 range between siblings agree\n"
    family(project, core=CORE.replace("2.3.0", "3.0.0"))
    assert main(["version", "check"]) == 1
    assert "cli: it needs core >=2.3.0,<3.0.0, but core is 3.0.0" in capsys.readouterr().out
    assert main(["version", "check", "--json"]) == 1
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert problem["where"] == "cli/pyproject.toml, project.dependencies[0]"


def test_bump_set_and_dev_change_the_family(project: Path, capsys: Capture) -> None:
    assert main(["version", "bump", "minor", "CORE", "--dry-run"]) == 0
    assert "nothing was written" in capsys.readouterr().err
    assert (project / "core/pyproject.toml").read_text() == CORE
    assert main(["version", "bump", "minor", "core"]) == 0
    captured = capsys.readouterr()
    assert [line.split() for line in captured.out.splitlines()][:2] == [
        ["core", "2.3.0", "->", "2.4.0"],
        ["cli", "needs", "core", ">=2.3.0,<3.0.0", "->", ">=2.4.0,<3.0.0"],
    ]
    assert "wheelkit version bump patch cli" in captured.err
    assert main(["version", "dev", "--stamp", "20261120143000"]) == 0
    assert main(["version", "show", "--json"]) == 0
    text = capsys.readouterr().out
    document = json.loads(text[text.index("{") :])
    assert [entry["version"] for entry in document["distributions"]] == [
        "2.4.1.dev20261120143000",
        "1.0.1.dev20261120143000",
    ]
    assert document["problems"] == []
    assert main(["version", "set", "3.0.0", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["versions"]["cli"] == {"from": "1.0.1.dev20261120143000", "to": "3.0.0"}
    assert main(["version", "check"]) == 0


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["bump", "minor", "cor"], 'the family has no distribution "cor"; did you mean "core"?'),
        (["bump", "mnior"], "is not one of 'major', 'minor', 'patch', 'pre', 'final'"),
        (["bump", "final"], "2.3.0 is already final"),
        (["set", "one"], '"one" is not a valid version (PEP 440)'),
        (["dev", "--stamp", "now"], '"now" is not a UTC time'),
        (["dev", "--stamp", "20261320143000"], '"20261320143000" is not a UTC time'),
        (["dev", "--stamp", "2026112014300"], '"2026112014300" is not a UTC time'),
        (["dev", "--stamp", "5"], '"5" is not a UTC time'),
    ],
)
def test_wrong_usage_changes_nothing(project: Path, words: list[str], expected: str, capsys: Capture) -> None:
    assert main(["version", *words]) == 2
    assert expected in capsys.readouterr().err
    assert (project / "core/pyproject.toml").read_text() == CORE


def test_a_bump_does_not_guess_which_of_two_versions_it_follows(project: Path, capsys: Capture) -> None:
    files = put(project, {"core/VERSION": "2.9.0\n"})
    for words in (["bump", "minor"], ["dev"]):
        assert main(["version", *words]) == 1
        output = capsys.readouterr().err
        assert (
            "the files of core state different versions, so the next one is unclear; nothing was changed"
            in output
        )
        assert "2.3.0 in core/pyproject.toml, [project] version" in output
        assert "2.9.0 in core/VERSION, the whole file" in output
        assert "wheelkit version set 2.3.0 core" in output
    assert (files / "core/VERSION").read_text() == "2.9.0\n"
    assert main(["version", "bump", "minor", "cli"]) == 0
    assert main(["version", "set", "2.9.0", "core"]) == 0
    assert main(["version", "bump", "minor", "core"]) == 0
    assert (files / "core/VERSION").read_text() == "2.10.0\n"


def test_a_version_from_tags_stays_while_the_rest_is_bumped(project: Path, capsys: Capture) -> None:
    family(
        project,
        core=CORE.replace('version = "2.3.0"', 'dynamic = ["version"]\n[tool.hatch.version]\nsource = "vcs"'),
    )
    assert main(["version", "bump", "minor"]) == 0
    captured = capsys.readouterr()
    assert "core: unchanged, the version comes from git tags" in captured.err
    assert captured.out.split()[:4] == ["cli", "1.0.0", "->", "1.1.0"]
    assert main(["version", "bump", "minor", "core"]) == 2


def test_an_open_range_gets_an_upper_bound_and_keeps_its_lower_bound(tmp_path: Path) -> None:
    (problem,) = check(
        *opened(
            family(tmp_path, cli=CLI.replace(">=2.3.0,<3.0.0", ">=2.1 ; python_version > '3'")), TEMPLATES
        )
    )
    assert problem.fix.splitlines() == [
        """write "core>=2.1,<3.0 ; python_version > '3'\"""",
        'or accept it:  [tool.wheelkit.distribution.cli.ignore] WK717 = "the reason"',
    ]


@pytest.mark.parametrize(
    ("needs", "what"),
    [
        ('core = "^1.9"', "it needs core ^1.9, but core is 2.3.0"),
        ('core = "*"', '"core = *" has no upper bound: a later core that breaks it would be installed'),
        (
            'core = { path = "../core" }',
            '"core = path ../core" is a direct reference: indexes reject it, and it states no version',
        ),
    ],
)
def test_problems_in_poetry_s_tables_are_reported(tmp_path: Path, needs: str, what: str) -> None:
    text = f'[tool.poetry]\nname = "cli"\nversion = "1.0.0"\n[tool.poetry.dependencies]\n{needs}\n'
    assert problems(family(tmp_path, cli=text)) == [("cli", what)]
    assert problems(family(tmp_path, cli=text.replace(needs, 'core = "^2.1"'))) == []
    assert problems(
        family(tmp_path, cli=text.replace("tool.poetry.dependencies", "tool.poetry.group.dev.dependencies"))
    ) == ([("cli", what)] if "^" in needs else [])


@pytest.mark.parametrize(
    ("cli", "what", "fix"),
    [
        (
            CLI.replace(">=2.3.0", ">=x"),
            "it needs core >=x,<3.0.0, but core is 2.3.0",
            "wheelkit version set 2.3.0 core   (the ranges follow)",
        ),
        (
            CLI.replace("1.0.0", "banana"),
            '"banana" is not a valid version (PEP 440)',
            "wheelkit version set 1.2.3 cli",
        ),
    ],
)
def test_an_invalid_version_or_range_is_reported_with_its_location(
    tmp_path: Path, cli: str, what: str, fix: str
) -> None:
    (problem,) = check(*opened(family(tmp_path, cli=cli), TEMPLATES))
    assert (problem.distribution, problem.what) == ("cli", what)
    assert "p/cli" not in problem.where
    assert problem.where.startswith("cli/pyproject.toml, ")
    assert problem.fix.endswith(fix) or problem.fix == 'write "core>=2.3.0,<3.0.0"'
    assert problems(family(tmp_path)) == []


def test_a_core_without_a_version_does_not_hide_the_other_problems(tmp_path: Path) -> None:
    found = problems(family(tmp_path, core=CORE.replace("2.3.0", "banana"), cli=CLI.replace(",<3.0.0", "")))
    assert [what for _, what in found] == [
        '"banana" is not a valid version (PEP 440)',
        '"core>=2.3.0" has no upper bound: a later core that breaks it would be installed',
    ]


def test_build_leftovers_are_no_change_whatever_the_folder_is_called(tmp_path: Path) -> None:
    root = family(tmp_path / "sub", **{"gr\u00f6\u00dfer als x/pyproject.toml": CORE.replace("core", "x")})
    git_commit(tmp_path)
    repository = Repository(folder=root)
    sources = [root / "core", root / "gr\u00f6\u00dfer als x", tmp_path]
    put(root, {"dist/a.whl": "", "gr\u00f6\u00dfer als x/dist/b.whl": "", "core/dist/c.whl": ""})
    assert repository.changes(sources) == ()
    put(root, {"gr\u00f6\u00dfer als x/mine \u00e4.py": "", "cli/dist/d.whl": ""})
    assert sorted(repository.changes(sources)) == [
        "sub/cli/dist/d.whl",
        "sub/gr\u00f6\u00dfer als x/mine \u00e4.py",
    ]
