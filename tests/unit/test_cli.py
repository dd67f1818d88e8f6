from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import malformed
from support.command import loaded
from support.rows import rows
from support.wheels import ABI3, PURE, wheel_file, write_wheel
from wheelkit import __version__
from wheelkit.__main__ import main
from wheelkit.cli import COMMANDS
from wheelkit.machine import facts
from wheelkit.matrix import System
from wheelkit.verification.findings import finding_kinds

Capture = pytest.CaptureFixture[str]
HEAVY = ("rich", "packaging", "cibuildwheel", "tomlkit", "email", "importlib.metadata", "asyncio", "click")
PROJECT = """[build-system]
build-backend = "mesonpy"
[project]
name = "momentum"
version = "1.2.0"
requires-python = ">=3.11"
[tool.meson-python]
limited-api = true
[tool.wheelkit.matrix]
targets = ["manylinux_2_28_x86_64", "win_amd64"]
interpreters = ["cp311", "cp312"]
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CIBW_CONTAINER_ENGINE", "none")
    return tmp_path


def test_the_version_is_one_line_and_loads_nothing_heavy(capsys: Capture) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"wheelkit {__version__}\n"
    assert not loaded("--version").intersection(set(HEAVY) - {"click"})


def test_help_loads_no_command() -> None:
    modules = loaded("--help")
    assert not modules.intersection(set(HEAVY) - {"click", "importlib.metadata", "email"})
    assert not {
        name
        for name in modules
        if name.startswith(
            ("wheelkit.plan", "wheelkit.builders", "wheelkit.verification.checks", "wheelkit._core")
        )
    }


def test_a_wheel_without_problems_loads_only_what_its_checks_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    modules = loaded("verify-matrix", str(malformed.valid_wheel().write(tmp_path)))
    parsers = {"ast", "email", "packaging", "rfc3986", "tarfile", "tomllib", "zipfile"} - loaded("--version")
    assert "wheelkit.verification.checks" in modules
    assert not modules.intersection(parsers)
    assert not {
        name
        for name in modules
        if name.startswith(
            (
                "wheelkit.analysis.siblings", "wheelkit.config.", "wheelkit.project.", "wheelkit.wheel.sdist",
                "wheelkit.wheel.tar_format",
            )
        )
    }  # fmt: skip


@rows("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: Capture) -> None:
    assert main([command, "--help"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"Usage: wheelkit {command} [OPTIONS]")
    assert all(line.strip() for line in out.split("Options:")[1].split("Commands:")[0].strip().splitlines())


def test_the_overview_names_every_command_on_the_way_of_its_use(capsys: Capture) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.split("Commands:")[1].splitlines() if line[:3].strip()] == list(
        COMMANDS
    )


def test_no_command_shows_the_overview_and_is_wrong_usage(capsys: Capture) -> None:
    assert main([]) == 2
    assert capsys.readouterr().err.startswith("Usage: wheelkit [OPTIONS] COMMAND")


@rows(
    ("words", "expected", "hint"),
    [
        (["plann"], 'there is no command "plann"; did you mean "plan"?', "wheelkit --help"),
        (["frobnicate"], 'there is no command "frobnicate"', "wheelkit --help"),
        (["--frob"], "No such option '--frob'.", "wheelkit --help"),
        (["plan", "--bulider", "host"], "--builder", "wheelkit plan --help"),
        (
            ["plan", "--builder", "foo"],
            "'foo' is not one of 'auto', 'cibuildwheel', 'host'",
            "wheelkit plan --help",
        ),
        (["plan", "--config", "nope.toml"], "'nope.toml' does not exist", "wheelkit plan --help"),
        (["plan", "nowhere"], "nowhere does not exist", "give a project folder or an sdist"),
        (["inspect"], "Missing argument 'WHEEL...'", "wheelkit inspect --help"),
        (["inspect", "nope.whl"], "nope.whl is not a file", "wheelkit inspect dist/*.whl"),
        (["verify-matrix", "nowhere"], "nowhere does not exist", "verify-matrix dist/"),
        (
            ["verify-matrix", "--strict", "--fail-on", "note", "dist"],
            "--strict and --fail-on note contradict each other",
            "--strict is --fail-on warning",
        ),
        (
            ["verify-matrix", "--strict", "--fail-on", "error", "dist"],
            "--strict and --fail-on error",
            "one of them",
        ),
        (["verify-matrix", "--fail-on", "fatal"], "'fatal' is not one of", "wheelkit verify-matrix --help"),
        (["explain", "WK8"], 'there is no finding "WK8"', "codes that start with it: WK801"),
        (["explain", "E501"], 'there is no finding "E501"', "list all codes"),
        (["repair", "--target", "manylinux_2_28_x86_65", "x.whl"], "x86_65", "manylinux_2_28_x86_64"),
    ],
)
@pytest.mark.usefixtures("project")
def test_wrong_usage_is_reported_with_a_hint(
    words: list[str], expected: str, hint: str, capsys: Capture
) -> None:
    assert main(words) == 2
    captured = capsys.readouterr()
    first, rest = captured.err.split("\n", 1)
    assert first.startswith("wheelkit: ")
    assert expected in first
    assert hint in rest
    assert captured.out == ""


@pytest.mark.parametrize(
    ("words", "least"),
    [
        ([], "error"),
        (["--fail-on", "error"], "error"),
        (["--fail-on", "warning"], "warning"),
        (["--strict"], "warning"),
        (["--strict", "--fail-on", "warning"], "warning"),
        (["--fail-on", "note"], "note"),
    ],
)
def test_the_severity_that_fails(
    words: list[str], least: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Three wheels, whose worst findings are a note, a warning and an error."""
    monkeypatch.chdir(tmp_path)
    noted = write_wheel(tmp_path, PURE, members={"{info}/WHEEL": wheel_file(PURE, Root_Is_Purelib="false")})
    (tmp_path / "w").mkdir()
    warned = write_wheel(tmp_path / "w", "demo-1.0-py3-none-any.whl", members={"share/x": ""})
    (tmp_path / "e").mkdir()
    failed = write_wheel(tmp_path / "e", PURE, record_text="")
    order = ["error", "warning", "note"]
    for path, worst in ((failed, "error"), (warned, "warning"), (noted, "note")):
        code = main(["verify-matrix", "--json", *words, str(path)])
        document = json.loads(capsys.readouterr().out)
        assert min((item["severity"] for item in document["findings"]), key=order.index) == worst
        fails = order.index(worst) <= order.index(least)
        assert (code, document["ok"], document["fail_on"]) == (int(fails), not fails, least)


@pytest.mark.usefixtures("project")
def test_the_plan_says_what_is_built_where(capsys: Capture) -> None:
    assert main(["plan"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("momentum 1.2.0 · dist/")
    assert [line.split() for line in out.splitlines() if line.startswith("  win_amd64")] == [
        ["win_amd64", "cp311", "cp312", "abi3", "-", "windows-2022"]
    ]
    assert "1 of 2 native targets can be built here" in out or sys.platform != "linux"


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("room", "words"),
    [
        ("120", ["win_amd64", "cp311", "cp312", "abi3", "-", "windows-2022"]),
        ("60", ["win_amd64", "cp311", "cp312", "-", "windows-2022"]),
        ("40", ["win_amd64", "-", "windows-2022"]),
    ],
)
def test_a_narrow_terminal_loses_the_details_of_the_plan(
    room: str, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("COLUMNS", room)
    linux = facts.Machine(system=System.LINUX, arch="x86_64", libc="manylinux", libc_version=(2, 36))
    monkeypatch.setattr("wheelkit.cli.plan.facts.detect", lambda **_: linux)
    assert main(["plan"]) == 0
    out = capsys.readouterr().out
    assert [line.split() for line in out.splitlines() if line.startswith("  win_amd64")] == [words]


def test_the_plan_as_json_is_the_same_plan(project: Path, capsys: Capture) -> None:
    assert main(["plan", "--json", "--out", "ready"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["out"]) == (1, str(project / "ready"))
    assert [row["target"] for row in document["targets"]] == ["manylinux_2_28_x86_64", "win_amd64"]
    assert document["distributions"][0]["interpreters"] == ["cp311", "cp312"]
    assert main(["build", "--native", "--dry-run", "--json", "--out", "ready"]) == 0
    assert json.loads(capsys.readouterr().out) == document
    assert not (project / "ready").exists()


def test_a_named_project_brings_its_own_configuration(project: Path, capsys: Capture) -> None:
    other = project / "other"
    other.mkdir()
    (other / "pyproject.toml").write_text('[project]\nname = "other"\nversion = "3"\n')
    assert main(["plan", "other"]) == 0
    assert capsys.readouterr().out.startswith("other 3 · dist/")


def pure(folder: Path, name: str, *dependencies: str, requires: tuple[str, ...] = ()) -> None:
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        f"[build-system]\nrequires = {json.dumps(requires)}\nbuild-backend = 'hatchling.build'\n"
        f"[project]\nname = '{name}'\nversion = '1.2.0'\ndependencies = {json.dumps(dependencies)}\n"
    )


@pytest.fixture
def members(project: Path) -> None:
    (project / "pyproject.toml").write_text(
        PROJECT + "[tool.wheelkit]\ndistributions = ['.', 'tools', 'cli', 'all']\n"
    )
    pure(project / "tools", "momentum-tools")
    pure(project / "cli", "momentum-cli", "momentum", requires=("momentum-tools",))
    pure(project / "all", "momentum-all", "momentum-cli")


@pytest.mark.usefixtures("members")
def test_the_identifiers_are_those_of_the_native_members(capsys: Capture) -> None:
    builds = {
        "linux": ["cp311-manylinux_x86_64", "cp312-manylinux_x86_64"],
        "windows": ["cp311-win_amd64", "cp312-win_amd64"],
    }
    for arguments, wanted in (
        (["--identifiers"], [*builds["linux"], *builds["windows"]]),
        (["momentum", "--identifiers"], [*builds["linux"], *builds["windows"]]),
        (["--identifiers", "windows"], builds["windows"]),
        (["--identifiers", "macos"], []),
        (["momentum-cli", "--identifiers"], []),
    ):
        assert main(["plan", *arguments]) == 0
        shown = capsys.readouterr()
        assert (shown.out.splitlines(), shown.err) == (wanted, "")
    assert main(["plan", "--identifiers", "linux", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "schema": 1,
        "identifiers": {"linux": builds["linux"]},
    }
    assert main(["plan", "--identifiers", "beos"]) == 2
    assert "'beos' is not one of 'all', 'linux', 'macos'" in capsys.readouterr().err


NATIVE = ["manylinux_2_28_x86_64", "win_amd64"]


@pytest.mark.parametrize(
    ("names", "shown", "targets", "expected"),
    [
        ([], "momentum momentum-tools momentum-cli momentum-all", NATIVE, ["family of 4"]),
        (
            ["momentum"],
            "momentum",
            NATIVE,
            [
                "1 of a family of 4",
                "left out (wheelkit plan shows all): momentum-tools, momentum-cli, momentum-all",
            ],
        ),
        (
            ["momentum-cli"],
            "momentum momentum-tools momentum-cli",
            [],
            [
                "3 of a family of 4",
                "built as build requirements, not delivered: momentum-tools",
                "needed at run time, not built: momentum",
                "left out (wheelkit plan shows all): momentum-all",
                "next: wheelkit build momentum-cli",
            ],
        ),
        (
            ["all", "momentum"],
            "momentum momentum-tools momentum-cli momentum-all",
            NATIVE,
            ["needed at run time, not built: momentum-tools, momentum-cli"],
        ),
    ],
)
@pytest.mark.usefixtures("members")
def test_named_members_are_shown_with_what_they_need(
    names: list[str], shown: str, targets: list[str], expected: list[str], capsys: Capture
) -> None:
    assert main(["plan", *names]) == 0
    out = capsys.readouterr().out
    assert all(words in out for words in expected)
    assert ("left out" in out) == any("left out" in words for words in expected)
    assert main(["build", "--dry-run", *names]) == 0
    assert capsys.readouterr().out == out
    assert main(["plan", *names, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {one["name"] for one in document["distributions"]} == set(shown.split())
    assert {one["name"] for one in document["distributions"]}.isdisjoint(document["left_out"])
    assert [one["target"] for one in document["targets"]] == targets


@pytest.mark.usefixtures("members")
def test_an_unknown_member_is_reported_with_the_known_names(capsys: Capture) -> None:
    for name, near in (("momentum-clj", '; did you mean "momentum-cli"?'), ("zzz", "")):
        assert main(["plan", name]) == 2
        first, second = capsys.readouterr().err.splitlines()
        assert (
            first == f"wheelkit: {name} does not exist, and no distribution of the family has that name{near}"
        )
        assert all(one in second for one in ("momentum, ", "momentum-tools", "momentum-cli", "momentum-all"))


def test_every_mistake_of_a_configuration_is_shown_at_once(project: Path, capsys: Capture) -> None:
    text = (
        PROJECT.replace('"win_amd64"', '"win_amd46"').replace('"cp312"', "312")
        + 'tagrets = ["x"]\n[tool.wheelkit.distribution.momentum]\nsmoke = 5\n'
    )
    (project / "pyproject.toml").write_text(text)
    assert main(["plan"]) == 2
    err = capsys.readouterr().err
    assert "4 mistakes in the configuration" in err
    for part in (
        "matrix.targets[1]",
        "win_amd64",
        "matrix.interpreters[1]",
        "tagrets",
        "distribution.momentum.smoke",
    ):
        assert part in err


def test_each_finding_is_explained(capsys: Capture) -> None:
    for code, entry in finding_kinds().items():
        assert main(["explain", code.lower()]) == 0
        out = capsys.readouterr().out
        assert out.startswith(f"{code}  {entry.title}")
        assert "to fix it:" in out
    assert main(["explain"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(finding_kinds())
    assert main(["explain", "--json", "WK101"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["code"] == "WK101"


def test_inspect_shows_a_wheels_facts(tmp_path: Path, capsys: Capture) -> None:
    wheel = write_wheel(tmp_path, ABI3)
    assert main(["inspect", str(wheel)]) == 0
    assert capsys.readouterr().out.startswith(ABI3)
    assert main(["inspect", "--json", str(wheel)]) == 0
    (facts,) = json.loads(capsys.readouterr().out)["wheels"]
    assert (facts["file"], facts["tags"]) == (ABI3, ["cp311-abi3-manylinux_2_17_x86_64"])
    wheel.write_bytes(b"no zip")
    assert main(["inspect", str(wheel)]) == 1
    assert ABI3 in capsys.readouterr().err


def test_the_plan_of_a_dense_family_names_few_siblings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    names = [f"a{number}" for number in range(9)]
    for number, name in enumerate(names):
        needs = names[:number] if number < 8 else [*names[:5], names[7]]
        listed = ", ".join(f'"{need}"' for need in needs)
        text = f'[project]\nname = "{name}"\nversion = "1"\ndependencies = [{listed}]\n'
        (tmp_path / name).mkdir()
        (tmp_path / name / "pyproject.toml").write_text(text)
    (tmp_path / "wheelkit.toml").write_text('distributions = ["a*"]\n')
    monkeypatch.chdir(tmp_path)
    assert main(["plan"]) == 0
    lines = capsys.readouterr().out.splitlines()
    shown = {line.split()[1]: " ".join(line.split()[4:]) for line in lines if line[2:3].isdigit()}
    assert shown["a4"] == "a0, a1, a2, a3"
    assert shown["a7"] == "all of the above"
    assert shown["a8"] == "a0, a1, a2, a3 and 2 more"


@rows("words", [[], ["plan"], ["version"], ["version", "bump"]])
def test_help_is_a_command_too(words: list[str], capsys: Capture) -> None:
    assert main([*words, "--help"]) == 0
    asked = capsys.readouterr().out
    assert main(["help", *words]) == 0
    assert capsys.readouterr().out == asked


@rows(
    ("words", "said"),
    [
        (["plam"], 'there is no command "plam"; did you mean "plan"?'),
        (["plan", "x"], '"wheelkit plan" has no command "x"'),
        (["version", "x"], '"wheelkit version" has no command "x"'),
    ],
)
def test_help_about_what_does_not_exist(words: list[str], said: str, capsys: Capture) -> None:
    assert main(["help", *words]) == 2
    assert said in capsys.readouterr().err


def test_the_version_has_a_short_option(capsys: Capture) -> None:
    assert main(["-V"]) == 0
    assert capsys.readouterr().out == f"wheelkit {__version__}\n"
