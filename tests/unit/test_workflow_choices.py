"""What a configuration can choose in the workflows: staging, own steps, labels, notes, attestations."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.rows import rows
from wheelkit import config, workflows
from wheelkit.__main__ import main
from wheelkit.errors import ConfigError
from wheelkit.project import family
from wheelkit.workflows.github import ref_glob

CI, RELEASE, GITLAB = ".github/workflows/ci.yml", ".github/workflows/release-python.yml", ".gitlab-ci.yml"
PROJECT = """[build-system]
build-backend = "mesonpy"
[project]
name = "momentum"
version = "1.2.0"
requires-python = ">=3.11"
[tool.wheelkit.matrix]
targets = ["manylinux_2_28_x86_64", "macosx_11_0_arm64", "win_amd64", "ios_13_0_arm64_iphoneos"]
interpreters = ["cp313"]
"""
ON_TAGS = "github.ref_type == 'tag' && !contains(github.ref_name, '.dev')"
OURS = """
[tool.wheelkit.index.ours]
upload = "https://packages.example.org/upload/"
simple = "https://packages.example.org/simple/"
"""

Make = Callable[..., dict[str, str]]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    def generate(more: str = "", provider: str = "github") -> dict[str, str]:
        (tmp_path / "pyproject.toml").write_text(PROJECT + more)
        loaded = config.load(tmp_path)
        plan = workflows.plan_anywhere(loaded, family.discover(loaded))
        blueprint = workflows.blueprint(loaded, plan, workflows.PROVIDERS[provider].label)
        made = workflows.generate(blueprint, provider, tmp_path)
        workflows.write(made)
        return {file.path.relative_to(tmp_path).as_posix(): file.text for file in made}

    monkeypatch.chdir(tmp_path)
    return generate


def jobs(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text)["jobs"]
    return found


def commands(job: Mapping[str, Any]) -> list[str]:
    return [step["run"].strip() for step in job["steps"] if "run" in step]


def test_without_staging_a_release_goes_straight_to_production(make: Make) -> None:
    text = make("[tool.wheelkit.ci]\nstaging = false\n")[RELEASE]
    made = jobs(text)
    assert [*made] == ["native", "sdists", "verify", "smoke", "production"]
    assert made["production"]["needs"] == ["verify", "smoke"]
    assert made["production"]["if"] == f"{ON_TAGS} && inputs.until != 'verify'"
    until = yaml.safe_load(text)[True]["workflow_dispatch"]["inputs"]["until"]  # YAML 1.1 reads `on` as true
    assert until["options"] == ["verify", "production"]
    document = yaml.safe_load(make("[tool.wheelkit.ci]\nstaging = false\n", "gitlab")[GITLAB])
    assert document["stages"] == ["check", "build", "verify", "smoke", "production"]
    assert document["variables"]["UNTIL"]["options"] == ["verify", "production"]
    assert {job["stage"] for job in document.values() if "stage" in job} == set(document["stages"])


def test_staging_is_the_name_of_an_index_or_false(make: Make) -> None:
    with pytest.raises(ConfigError) as error:
        make("[tool.wheelkit.ci]\nstaging = true\n")
    assert error.value.problems == ("tool.wheelkit.ci.staging: expected a string, got true",)


def test_own_steps_have_a_place_before_and_after_each_upload(make: Make, tmp_path: Path) -> None:
    text = make()[RELEASE]
    for name in ("before the build", "before the sdists", "before stage", "after stage", "before production",
                 "after production"):  # fmt: skip
        mark = f"      # >>> yours: {name}, steps between these lines are kept\n"
        assert mark in text
        text = text.replace(mark, f"{mark}      - run: echo {name}\n")
    (tmp_path / RELEASE).write_text(text)
    made = jobs(make()[RELEASE])
    for key in ("stage", "production"):
        order = commands(made[key])
        upload = next(position for position, line in enumerate(order) if " publish dist" in line)
        assert order[upload - 1 : upload + 2 : 2] == [f"echo before {key}", f"echo after {key}"]
    assert "echo before the sdists" in commands(made["sdists"])


def test_own_steps_of_a_stage_that_is_gone_are_not_dropped(make: Make, tmp_path: Path) -> None:
    text = make()[RELEASE]
    mark = "      # >>> yours: after stage, steps between these lines are kept\n"
    (tmp_path / RELEASE).write_text(text.replace(mark, f"{mark}      - run: echo\n"))
    assert main(["ci"]) == 0
    (tmp_path / "pyproject.toml").write_text(f"{PROJECT}[tool.wheelkit.ci]\nstaging = false\n")
    assert main(["ci"]) == 2


def test_a_release_on_github_follows_production(make: Make) -> None:
    made = jobs(make("[tool.wheelkit.ci]\ngithub-release = true\n")[RELEASE])
    release = made["github-release"]
    assert (release["needs"], release["permissions"]) == (["production"], {"contents": "write"})
    assert "environment" not in release
    notes, create = commands(release)[-2:]
    assert notes == 'python -m wheelkit version notes > "$RUNNER_TEMP/notes.md"'
    assert "gh release create" in create
    # What production would be followed by is looked for before anything is uploaded.
    (early,) = [step for step in made["verify"]["steps"] if "version notes" in step.get("run", "")]
    assert early["if"] == ON_TAGS
    assert all(
        job["permissions"]["contents"] == "read" for key, job in made.items() if key != "github-release"
    )
    assert "github-release" not in jobs(make()[RELEASE])


def test_the_tag_is_held_against_the_version_before_anything_is_uploaded(make: Make) -> None:
    assert "python -m wheelkit version check" in commands(jobs(make()[RELEASE])["verify"])


def test_attestations_are_made_where_the_index_takes_them(make: Make) -> None:
    by_name = '[tool.wheelkit.ci]\nsecrets = { pypi = "PYPI_TOKEN" }\n'
    off = "[tool.wheelkit.publish]\nattestations = false\n"
    ours = '[tool.wheelkit.ci]\nproduction = "ours"\n' + OURS
    for more, expected in (
        ("", {"stage", "production"}),
        (by_name, {"stage"}),
        (off, set()),
        (ours, {"stage"}),
        (ours + "attestations = true\n", {"stage", "production"}),
    ):
        made = jobs(make(more)[RELEASE])
        extra = {
            key
            for key, job in made.items()
            if any("wheelkit[attestations]" in line for line in commands(job))
        }
        assert extra == expected, more
        assert all(made[key]["permissions"]["id-token"] == "write" for key in expected)


def test_submodules_are_checked_out_where_there_are_any(make: Make, tmp_path: Path) -> None:
    def options(text: str) -> set[str | None]:
        steps = [step for job in jobs(text).values() for step in job["steps"]]
        return {step["with"].get("submodules") for step in steps if "checkout" in step.get("uses", "")}

    assert options(make()[RELEASE]) == {None}
    assert "GIT_SUBMODULE_STRATEGY" not in make(provider="gitlab")[GITLAB]
    (tmp_path / ".gitmodules").write_text("")
    made = make()
    assert options(made[RELEASE]) == options(made[CI]) == {"recursive"}
    document = yaml.safe_load(make(provider="gitlab")[GITLAB])
    assert document["variables"]["GIT_SUBMODULE_STRATEGY"] == "recursive"


def test_pushes_to_the_branches_of_releases_are_checked(make: Make) -> None:
    def pushed(more: str = "") -> list[str]:
        branches: list[str] = yaml.safe_load(make(more)[CI])[True]["push"]["branches"]
        return branches

    assert pushed() == ["main", "master"]
    only = '[tool.wheelkit.version]\nbranches = ["release/*"]\n'
    assert "push" not in yaml.safe_load(make(only)[CI])[True]
    assert pushed('[tool.wheelkit.version]\nbranches = ["dev,x", "on", "v[0-9].?"]\n') == [
        "dev,x",
        "on",
        "v*.*",
    ]


@rows(
    ("pattern", "expected"),
    [
        ("main", "main"),
        ("release/*", "release/*"),
        ("v[0-9]?", "v*"),
        ("a+b", r"a\+b"),
        ("!a]", r"\!a]"),
        ("[a", "*a"),
    ],
)
def test_globs_of_branches(pattern: str, expected: str) -> None:
    assert ref_glob(pattern) == expected


@rows(
    ("runner", "problem"),
    [
        (
            'win_amd64 = "ubuntu-24.04"',
            (
                "runner.win_amd64: ubuntu-24.04 is a machine with linux x86_64, and win_amd64 is built on"
                " windows amd64"
            ),
        ),
        (
            '"macosx_*" = "macos-15-intel"',
            (
                'runner."macosx_*": macos-15-intel is a machine with macos x86_64, and macosx_11_0_arm64 is'
                " built on macos arm64"
            ),
        ),
        (
            'win_adm64 = "windows-2025"',
            'runner.win_adm64: no target of the matrix matches; did you mean "win_amd64"?',
        ),
        ('win_amd64 = "windows-2025"', ""),
        ('win_amd64 = "our-big-machine"', ""),
        ('"ios_*" = "macos-26"\n"macosx_*" = "macos-26"', ""),
    ],
)
def test_a_label_is_held_against_what_it_builds(runner: str, problem: str, make: Make) -> None:
    try:
        make(f"[tool.wheelkit.runner]\n{runner}\n")
    except ConfigError as error:
        assert error.problems == (problem,)  # noqa: PT017 - others have none
    else:
        assert not problem


def test_a_label_that_is_not_hosted_is_told(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    make('[tool.wheelkit.runner]\nwin_amd64 = "windows-2052"\nmanylinux_2_28_x86_64 = "our-machine"\n')
    assert main(["ci"]) == 0
    told = capsys.readouterr().err
    assert 'the runner windows-2052 is not one of GitHub\'s; did you mean "windows-2025"?' in told
    assert "the runner our-machine is not one of GitHub's\n" in told
    make('[tool.wheelkit.runner]\nwin_amd64 = "windows-2025"\n')
    assert main(["ci"]) == 0
    assert "is not one of GitHub's" not in capsys.readouterr().err


def test_machines_of_ones_own_are_no_finding_of_zizmor(make: Make) -> None:
    ignored = "# zizmor: ignore[self-hosted-runner] chosen in the configuration"
    made = make('[tool.wheelkit.runner]\nwin_amd64 = "self-hosted"\n')
    assert made[RELEASE].count(f"runs-on: ${{{{ matrix.runner }}}} {ignored}\n") == 3
    assert ignored not in "".join(make().values())


def test_the_end_of_a_label_that_was_written_by_hand_is_told(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    make('[tool.wheelkit.runner]\nwin_amd64 = "windows-2019"\n')
    assert main(["ci"]) == 0
    assert "the runner windows-2019 ended on 30 June 2025 (win_amd64)" in capsys.readouterr().err
    assert main(["ci", "--json"]) == 0
    (runner,) = json.loads(capsys.readouterr().out)["runners"]
    assert (runner["label"], runner["gone"]) == ("windows-2019", True)
