from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from wheelkit import config
from wheelkit.errors import ConfigError, ProjectError
from wheelkit.project.family import Family, discover, named_members
from wheelkit.project.kinds import Kind


def put(root: Path, place: str, name: str, *needs: str, build: tuple[str, ...] = ()) -> Path:
    folder = root / place
    folder.mkdir(parents=True, exist_ok=True)
    text = (
        f'[build-system]\nrequires = {list(build)}\nbuild-backend = "hatchling.build"\n'
        f'[project]\nname = "{name}"\nversion = "1"\n'
    )
    (folder / "pyproject.toml").write_text(f"{text}dependencies = {list(needs)}\n")
    return folder


def discovered(root: Path, document: dict[str, Any] | None = None, *sources: Path) -> Family:
    return discover(config.parse(document or {}, source=None, root=root), sources)


def names(family: Family) -> list[str]:
    return [member.name for member in family.distributions]


def test_without_configuration_the_folder_is_the_family(tmp_path: Path) -> None:
    put(tmp_path, ".", "alone")
    put(tmp_path, "python/other", "other")
    assert names(discovered(tmp_path)) == ["alone"]


def test_globs_find_folders_with_a_project_and_only_those(tmp_path: Path) -> None:
    for place in ("python/b", "python/a", "adapters/s3"):
        put(tmp_path, place, place.split("/")[1])
    (tmp_path / "python/notes").mkdir()
    (tmp_path / "python/readme.txt").write_text("")
    (tmp_path / "python/old").mkdir()
    (tmp_path / "python/old/setup.py").write_text("setup(name='old')")
    assert sorted(names(discovered(tmp_path, {"distributions": ["python/*", "adapters/*"]}))) == [
        "a",
        "b",
        "old",
        "s3",
    ]


def test_each_distribution_comes_after_those_that_it_needs(tmp_path: Path) -> None:
    put(tmp_path, "a", "All.Of_It", "core >= 1", 'cli[extra]~=1.0; python_version > "3"')
    put(tmp_path, "b", "cli", "Core", "requests")
    put(tmp_path, "c", "core")
    put(tmp_path, "d", "plugin", build=("CLI",))
    family = discovered(tmp_path, {"distributions": ["*"]})
    order = names(family)
    assert order[0] == "core"
    assert order.index("cli") < order.index("All.Of_It")
    assert order.index("cli") < order.index("plugin")
    assert family.siblings(family.distributions[order.index("All.Of_It")]) == ("core", "cli")


def test_a_cycle_is_reported_with_its_requirements(tmp_path: Path) -> None:
    put(tmp_path, "a", "a", "b")
    put(tmp_path, "b", "b", "c")
    put(tmp_path, "c", "c", "a")
    with pytest.raises(ConfigError) as caught:
        discovered(tmp_path, {"distributions": ["*"]})
    (problem,) = caught.value.problems
    first_line, *edges = problem.splitlines()
    cycle = first_line.split(": ")[1].split(" -> ")
    needs = {"a": "b", "b": "c", "c": "a"}
    assert all(needs[name] == sibling for name, sibling in pairwise(cycle))
    assert cycle[0] == cycle[-1]
    assert [edge.strip() for edge in edges] == [
        f'{name} needs "{sibling}" to run   ({name})' for name, sibling in pairwise(cycle)
    ]
    assert "make it an extra" in caught.value.hint
    put(tmp_path, "c", "c")
    assert names(discovered(tmp_path, {"distributions": ["*"]})) == ["c", "b", "a"]


def test_a_project_that_needs_itself_for_an_extra_is_no_cycle(tmp_path: Path) -> None:
    put(tmp_path, ".", "a", "A[all]")
    assert names(discovered(tmp_path)) == ["a"]


def test_two_distributions_with_one_name_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "x", "same-name")
    put(tmp_path, "y", "Same.Name")
    with pytest.raises(ConfigError) as caught:
        discovered(tmp_path, {"distributions": ["*"]})
    (problem,) = caught.value.problems
    assert problem == 'x and y are both named "Same.Name"'


def test_a_folder_counts_once_however_often_it_is_named(tmp_path: Path) -> None:
    folder = put(tmp_path, "python/a", "a")
    assert names(discovered(tmp_path, {"distributions": ["python/*", "python/a", "**/a"]})) == ["a"]
    assert names(discovered(tmp_path, None, folder, folder / "../a")) == ["a"]


def test_a_pattern_without_a_project_is_a_mistake(tmp_path: Path) -> None:
    put(tmp_path, "python/a", "a")
    (tmp_path / "empty").mkdir()
    for pattern in ("pyton/*", "empty", "empty/*"):
        with pytest.raises(ConfigError) as caught:
            discovered(tmp_path, {"distributions": ["python/*", pattern]})
        assert caught.value.problems == (
            f'distributions: "{pattern}" matches no folder with a pyproject.toml',
        )
        assert str(tmp_path) in caught.value.hint


def test_the_default_folder_without_a_project_has_its_own_message(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"has no pyproject\.toml") as caught:
        discovered(tmp_path)
    assert f"wheelkit init {tmp_path}" in caught.value.hint


def test_named_sources_replace_the_configured_ones(tmp_path: Path) -> None:
    put(tmp_path, "a", "a")
    other = put(tmp_path, "b", "b")
    assert names(discovered(tmp_path, {"distributions": ["a"]}, other)) == ["b"]
    with pytest.raises(ProjectError, match="nowhere does not exist"):
        discovered(tmp_path, None, tmp_path / "nowhere")


def test_members_are_named_by_name_or_folder_and_the_family_stays_whole(tmp_path: Path) -> None:
    put(tmp_path, "packages/core", "My.Core")
    put(tmp_path, "packages/cli", "my-cli", "my-core")
    elsewhere = put(tmp_path, "elsewhere", "other")
    family = discovered(tmp_path, {"distributions": ["packages/*"]})
    assert named_members(family, [Path("my_CORE")]) == ("my-core",)
    assert named_members(family, [tmp_path / "packages/cli", Path("my-core")]) == ("my-cli", "my-core")
    assert named_members(family, [tmp_path / "packages/cli", elsewhere]) is None
    assert named_members(family, [tmp_path]) is None
    with pytest.raises(ProjectError, match=r'my-cor does not exist, .*did you mean "my-core"') as caught:
        named_members(family, [Path("my-cor")])
    assert "give a project folder or an sdist (.tar.gz), or a distribution's name" in caught.value.hint


def test_the_configured_kind_wins_under_any_spelling_of_the_name(tmp_path: Path) -> None:
    put(tmp_path, ".", "My_Pkg")
    document = {"distribution": {"my.pkg": {"kind": "native"}}}
    assert discovered(tmp_path, document).native[0].kind is Kind.NATIVE
    assert discovered(tmp_path, {"distribution": {"my.pkg": {"max-size": "1 MB"}}}).native == ()


def test_requirements_of_an_extra_come_first_unless_they_need_its_owner(tmp_path: Path) -> None:
    for place, name, needs, extra in (
        ("a", "meta", "zcore", "adapter"),
        ("b", "adapter", "zcore", "x"),
        ("c", "zcore", "y", "adapter"),
    ):
        folder = put(tmp_path, place, name, needs)
        text = (folder / "pyproject.toml").read_text()
        (folder / "pyproject.toml").write_text(
            f'{text}[project.optional-dependencies]\nall = ["{extra}>=1"]\n'
        )
    assert names(discovered(tmp_path, {"distributions": ["*"]})) == ["zcore", "adapter", "meta"]


def test_settings_of_an_unknown_distribution_are_named_with_the_nearest_one(tmp_path: Path) -> None:
    put(tmp_path, ".", "momentum")
    with pytest.raises(ConfigError) as caught:
        discovered(tmp_path, {"distribution": {"momentun": {"tag": "v{version}"}}})
    assert caught.value.problems == (
        'distribution.momentun: the family has no such distribution; did you mean "momentum"?',
    )
    other = put(tmp_path, "b", "b")
    assert names(discovered(tmp_path, {"distribution": {"momentum": {}}}, other)) == ["b"]
