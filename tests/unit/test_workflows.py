from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import date
from importlib.resources import files as resources
from pathlib import Path

import pytest
import yaml

from actions.expressions import evaluate, truth
from support.generated_workflows import CI, GITLAB, PROJECT, RELEASE, Generator, blueprint, jobs
from wheelkit import workflows
from wheelkit.__main__ import main
from wheelkit.cli import COMMANDS
from wheelkit.errors import ConfigError, UsageError
from wheelkit.matrix import Target
from wheelkit.plan import TargetRow
from wheelkit.runners import Runner

ROOT = Path(__file__).parents[2]
PURE = (
    '[build-system]\nbuild-backend = "hatchling.build"\n'
    '[project]\nname = "scheduler"\nversion = "2.0"\nrequires-python = ">=3.14"\n'
)
# Generated text may speak of these before they exist; what is here and exists is still checked.
COMMANDS_TO_COME: set[str] = set()
OPTIONS_TO_COME = {("smoke", "--from")}


@pytest.fixture
def make(tmp_path: Path) -> Generator:
    return Generator(tmp_path)


def scripts(text: str) -> Iterator[str]:
    """Yield every line that a shell runs, of either provider."""
    document = yaml.safe_load(text)
    for job in document.get("jobs", document).values():
        if isinstance(job, dict):
            yield from (line for step in job.get("steps", ()) for line in step.get("run", "").splitlines())
            yield from (line for key in ("before_script", "script") for line in job.get(key, ()))


def test_the_release_goes_from_native_builds_to_production_in_order(make: Generator) -> None:
    made = jobs(make()[RELEASE])
    assert {key: job.get("needs", []) for key, job in made.items()} == {
        "native": [],
        "sdists": [],
        "verify": ["native", "sdists"],
        "smoke": ["verify"],
        "stage": ["verify", "smoke"],
        "smoke-staging": ["stage"],
        "production": ["verify", "smoke", "smoke-staging"],
    }
    assert [made["stage"]["environment"], made["production"]["environment"]] == ["testpypi", "pypi"]


def test_a_runner_builds_all_the_targets_of_its_kind_of_machine(make: Generator) -> None:
    include = jobs(make()[RELEASE])["native"]["strategy"]["matrix"]["include"]
    assert include == [
        {"name": "linux-x86_64", "runner": "ubuntu-24.04"},
        {"name": "macos-arm64", "runner": "macos-15"},
        {"name": "windows-amd64", "runner": "windows-2022"},
    ]


def test_each_machine_installs_the_interpreters_of_its_own_targets(make: Generator) -> None:
    alike = jobs(make()[RELEASE])["smoke"]
    assert all("pythons" not in row for row in alike["strategy"]["matrix"]["include"])
    more = 'skip = "cp311-macosx* *-musllinux*"\n[[tool.wheelkit.matrix.override]]\n'
    more += 'select = "cp313-win*"\ninterpreters = ["gp312_250", "pp311"]\n'
    smoke = jobs(make(more=more)[RELEASE])["smoke"]
    pythons = {row["name"]: row["pythons"].split() for row in smoke["strategy"]["matrix"]["include"]}
    assert pythons == {
        "linux-x86_64": ["3.11", "3.14t", "3.13"],
        "macos-arm64": ["3.14t", "3.13"],
        "windows-amd64": ["3.11", "3.14t", "graalpy-25.0", "pypy3.11", "3.13"],
    }
    (setup,) = [step for step in smoke["steps"] if "setup-python" in step.get("uses", "")]
    assert setup["with"]["python-version"] == "${{ matrix.pythons }}"


def test_what_is_cross_built_goes_to_the_machine_that_builds_it(make: Generator) -> None:
    crossed = ["android_24_arm64_v8a", "pyemscripten_2026_0_wasm32", "ios_13_0_arm64_iphoneos"]
    targets = json.dumps([*crossed, "manylinux_2_28_armv7l"])[1:-1]
    text = PROJECT.replace('"musllinux_1_2_x86_64"', targets).replace("cp313", "cp314")
    made = jobs(make(text)[RELEASE])["native"]["strategy"]["matrix"]["include"]
    assert [(row["name"], row["runner"]) for row in made] == [
        ("linux-x86_64", "ubuntu-24.04"),
        ("macos-arm64", "macos-15"),
        ("linux-aarch64", "ubuntu-24.04-arm"),
        ("windows-amd64", "windows-2022"),
    ]


def test_smoke_tests_run_where_wheels_can_be_installed(make: Generator) -> None:
    """No machine of iOS is there, so the one that builds for it has nothing to install."""
    text = PROJECT.replace("macosx_11_0_arm64", "ios_13_0_arm64_iphoneos")
    made = make(text)
    machines = {
        (file, name): [row["name"] for row in job["strategy"]["matrix"]["include"]]
        for file in (CI, RELEASE)
        for name, job in jobs(made[file]).items()
        if "strategy" in job
    }
    everywhere = ["linux-x86_64", "macos-arm64", "windows-amd64"]
    assert machines[CI, "build"] == machines[RELEASE, "native"] == everywhere
    assert machines[RELEASE, "smoke"] == machines[RELEASE, "smoke-staging"] == everywhere[::2]
    build = jobs(made[CI])["build"]
    (smoke,) = [step for step in build["steps"] if step.get("name") == "Smoke test"]
    assert smoke["if"] == "${{ matrix.smoke == 'true' }}"
    rows = build["strategy"]["matrix"]["include"]
    assert {row["name"]: row["smoke"] for row in rows} == dict(
        zip(everywhere, ["true", "false", "true"], strict=True)
    )
    plain = make(PROJECT)
    assert "matrix.smoke" not in plain[CI] + plain[RELEASE]
    gitlab = yaml.safe_load(make(text, provider="gitlab")[GITLAB])
    assert [name for name in gitlab if name.startswith("smoke:")] == [
        "smoke:linux-x86_64",
        "smoke:windows-amd64",
    ]


def test_a_family_adds_its_pure_part_and_a_pure_project_has_no_native_one(
    make: Generator, tmp_path: Path
) -> None:
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli/pyproject.toml").write_text(PURE)
    both = jobs(
        make(
            PROJECT.replace(
                "[tool.wheelkit.matrix]",
                '[tool.wheelkit]\ndistributions = [".", "cli"]\n[tool.wheelkit.matrix]',
            )
        )[RELEASE]
    )
    assert both["verify"]["needs"] == ["native", "sdists"]
    assert [step["run"] for step in both["sdists"]["steps"] if "build" in step.get("run", "")] == [
        "python -m wheelkit build --sdist --pure"
    ]
    alone = jobs(make(PURE)[RELEASE])
    assert "native" not in alone
    assert alone["verify"]["needs"] == ["sdists"]
    assert [row["runner"] for row in alone["smoke"]["strategy"]["matrix"]["include"]] == ["ubuntu-24.04"]


def test_only_the_jobs_that_publish_may_ask_for_an_identity(make: Generator) -> None:
    for text in make().values():
        assert yaml.safe_load(text)["permissions"] == {}
        for key, job in jobs(text).items():
            wanted = (
                {"contents": "read", "id-token": "write"}
                if key in {"stage", "production"}
                else {"contents": "read"}
            )
            assert job["permissions"] == wanted, key


def test_a_configured_secret_takes_the_place_of_trusted_publishing(make: Generator) -> None:
    made = jobs(make(more='[tool.wheelkit.ci]\nsecrets = { pypi = "PYPI_TOKEN" }\n')[RELEASE])
    (upload,) = [step for step in made["production"]["steps"] if "publish" in step.get("run", "")]
    assert upload["env"] == {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": "${{ secrets.PYPI_TOKEN }}"}
    assert made["production"]["permissions"] == {"contents": "read"}
    assert made["stage"]["permissions"]["id-token"] == "write"


def test_every_action_is_pinned_by_a_commit_of_the_table(make: Generator) -> None:
    table = tomllib.loads(resources("wheelkit").joinpath("data/actions.toml").read_text())
    pins = {f"{row['action']}@{row['commit']} # {row['version']}" for row in table.values()}
    action = (ROOT / ".github/actions/wheelkit/action.yml").read_text()
    used = {
        line.split("uses:")[1].strip()
        for text in (*make().values(), action)
        for line in text.splitlines()
        if "uses:" in line
    }
    assert used == pins
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one) for one in used)
    assert all(row["source"] for row in table.values())


def test_no_script_holds_an_expression_and_every_job_ends_in_time(make: Generator) -> None:
    for text in make().values():
        assert not [line for line in scripts(text) if "${{" in line]
        assert all(0 < job["timeout-minutes"] <= 120 for job in jobs(text).values())


def test_nothing_that_publishes_is_cancelled(make: Generator) -> None:
    made = make()
    assert yaml.safe_load(made[RELEASE])["concurrency"]["cancel-in-progress"] is False
    assert "publish" not in made[CI]


def test_artifacts_of_one_run_never_share_a_name(make: Generator) -> None:
    for text in make().values():
        names = []
        for job in jobs(text).values():
            uploads = [
                step["with"]["name"] for step in job["steps"] if "upload-artifact" in step.get("uses", "")
            ]
            rows = job.get("strategy", {}).get("matrix", {}).get("include", [{"name": ""}])
            names += [name.replace("${{ matrix.name }}", row["name"]) for name in uploads for row in rows]
            assert any(name.startswith("failed-") for name in uploads) or text != make()[RELEASE]
        assert len(set(names)) == len(names)
        # What a failed job left is never merged into a release.
        assert not [name for name in names if name.startswith("dist-") and "failed" in name]


def test_by_hand_it_stops_before_production_by_default(make: Generator) -> None:
    text = make()[RELEASE]
    until = yaml.safe_load(text)[True]["workflow_dispatch"]["inputs"]["until"]  # YAML 1.1 reads `on` as true
    assert (until["default"], until["options"]) == ("verify", ["verify", "staging", "production"])
    condition = jobs(text)["production"]["if"]
    for ref, wanted, reached in (
        ("v1.2.0", None, True),
        ("v1.2.0", "staging", False),
        ("v1.2.0", "verify", False),
        ("v1.2.0.dev20261120143000", None, False),
    ):
        contexts = {"github": {"ref_type": "tag", "ref_name": ref}, "inputs": {"until": wanted}}
        assert truth(evaluate(condition, contexts, {})) is reached, ref


def test_a_release_listens_to_the_tags_of_every_distribution(make: Generator) -> None:
    made = make(more='[tool.wheelkit.distribution.momentum]\ntag = "momentum+v{version}"\n')
    assert yaml.safe_load(made[RELEASE])[True]["push"]["tags"] == ["momentum\\+v*"]
    assert yaml.safe_load(make()[RELEASE])[True]["push"]["tags"] == ["v*"]


def test_smoke_gets_every_promised_interpreter_and_runs_on_the_last(make: Generator) -> None:
    made = jobs(
        make(PROJECT.replace(' "musllinux_1_2_x86_64",', "").replace('"cp314t"', '"cp314t", "pp311"'))[
            RELEASE
        ]
    )
    versions = [
        step["with"]["python-version"]
        for step in made["smoke"]["steps"]
        if "setup-python" in step.get("uses", "")
    ]
    assert versions[0].split() == ["3.11", "3.14t", "pypy3.11", "3.13"]
    assert [
        step["with"]["python-version"]
        for step in made["native"]["steps"]
        if "setup-python" in step.get("uses", "")
    ] == ["3.13"]


OWN_INDEX = """
[tool.wheelkit.ci]
production = "live"
[tool.wheelkit.index.live]
upload = "https://packages.example.org/live/"
simple = "https://packages.example.org/live/+simple/"
"""


@pytest.mark.parametrize(("more", "index"), [("", ""), (OWN_INDEX, " --index live")])
@pytest.mark.parametrize("provider", workflows.PROVIDERS)
def test_a_release_is_compared_with_the_last_one_in_production(
    make: Generator, provider: str, more: str, index: str
) -> None:
    made = make(provider=provider, more=more)
    lines = [line for text in made.values() for line in scripts(text) if "verify-matrix" in line]
    compared = [line for line in lines if "--against" in line]
    assert compared
    assert all(f"verify-matrix dist --against latest{index}" in line for line in compared)
    # The wheels of a single runner are no release.
    assert all("--native" in line for line in lines if line not in compared)


def test_the_summary_shows_the_comparison(make: Generator) -> None:
    commands = [step["run"].strip() for step in jobs(make()[RELEASE])["verify"]["steps"] if "run" in step]
    assert commands[-2:] == [
        "python -m wheelkit verify-matrix dist --against latest --format github",
        'python -m wheelkit verify-matrix dist --against latest --format markdown >> "$GITHUB_STEP_SUMMARY"',
    ]


def test_lint_and_tests_are_the_configured_commands(make: Generator) -> None:
    made = jobs(make(more='[tool.wheelkit.ci]\nlint = ["ruff check ."]\ntest = ["pytest -k \'a: b\'"]\n')[CI])
    assert [step["run"] for step in made["checks"]["steps"] if step["name"].startswith("Lint")] == [
        "ruff check ."
    ]
    assert [step["run"].strip() for step in made["tests"]["steps"] if step["name"].startswith("Test")] == [
        "pytest -k 'a: b'"
    ]
    assert "tests" not in jobs(make()[CI])


@pytest.mark.parametrize("provider", workflows.PROVIDERS)
def test_generated_commands_exist_or_are_known_to_come(make: Generator, provider: str) -> None:
    from importlib import import_module

    lines = [
        line for text in make(provider=provider).values() for line in scripts(text) if "wheelkit " in line
    ]
    calls = [line.split("-m wheelkit ")[1].split() for line in lines if "-m wheelkit " in line]
    assert {words[0] for words in calls} >= {"build", "verify-matrix", "ci", "version", "smoke", "publish"}
    for command, *words in calls:
        assert command in COMMANDS or command in COMMANDS_TO_COME
        if command in COMMANDS:
            known = {
                flag
                for one in import_module(f"wheelkit.cli.{command.replace('-', '_')}").command.params
                for flag in one.opts
            }
            unknown = {word for word in words if word.startswith("--")} - known
            if command != "version":
                assert not {(command, flag) for flag in unknown} - OPTIONS_TO_COME


def test_hand_written_steps_survive_word_for_word(make: Generator, tmp_path: Path) -> None:
    own = "      - name:   Mine  # as I like it\n        run: make lint\n\n"
    text = make()[CI]
    mark = "      # >>> yours: checks, steps between these lines are kept\n"
    (tmp_path / CI).write_text(text.replace(mark, mark + own))
    again = make(more='[tool.wheelkit.ci]\nlint = ["ruff check ."]\n')[CI]
    assert mark + own + "      # <<< yours\n" in again
    assert "ruff check ." in again
    assert jobs(again)["checks"]["steps"][-1]["run"] == "make lint"


def test_the_same_configuration_writes_the_same_bytes(make: Generator, tmp_path: Path) -> None:
    first = make()
    assert make() == first
    made = workflows.generate(blueprint(tmp_path), "github", tmp_path)
    assert workflows.compare(made, tmp_path) == ()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (("      # <<< yours\n", ""), '"checks" has no end'),
        (
            ("      # >>> yours: checks, steps between these lines are kept\n", ""),
            "an end without a beginning",
        ),
        (("yours: before the build,", "yours: checks,"), '"checks" occurs twice'),
    ],
)
def test_broken_markers_are_reported_with_their_line(
    make: Generator, tmp_path: Path, damage: tuple[str, str], message: str
) -> None:
    (tmp_path / CI).write_text(make()[CI].replace(*damage, 1))
    with pytest.raises(UsageError) as error:
        make()
    assert message in error.value.message
    assert re.search(r"ci\.yml, line \d+:", error.value.message)


def test_hand_written_lines_without_a_place_are_never_dropped(make: Generator, tmp_path: Path) -> None:
    text = make()[RELEASE]
    gone = text.replace("yours: before the build,", "yours: after the build,")
    (tmp_path / RELEASE).write_text(gone)
    make()  # an empty place may go
    mark = "      # >>> yours: after the build, steps between these lines are kept\n"
    (tmp_path / RELEASE).write_text(gone.replace(mark, mark + "      - run: strip\n"))
    with pytest.raises(UsageError, match="which this workflow no longer has"):
        make()


def test_the_projects_own_release_workflow_is_never_overwritten(make: Generator, tmp_path: Path) -> None:
    (tmp_path / RELEASE).parent.mkdir(parents=True)
    (tmp_path / RELEASE).write_text("name: mine\n")
    with pytest.raises(UsageError, match="was not written by wheelkit ci"):
        make()
    assert (tmp_path / RELEASE).read_text() == "name: mine\n"


def test_the_release_workflow_is_written_beside_a_ci_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(PURE)
    (tmp_path / CI).parent.mkdir(parents=True)
    (tmp_path / CI).write_text("name: mine\n")
    assert main(["ci"]) == 0
    captured = capsys.readouterr()
    assert f"{CI}   yours, left unchanged" in captured.out
    assert f"{CI} is your own and was left unchanged" in captured.err
    assert (tmp_path / CI).read_text() == "name: mine\n"
    assert (tmp_path / RELEASE).read_text().startswith("# Written by `wheelkit ci`")
    assert main(["ci", "--check"]) == 0
    (tmp_path / RELEASE).write_text((tmp_path / RELEASE).read_text() + "\n")
    assert main(["ci", "--check"]) == 1


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            '[tool.wheelkit.runner]\n"musllinux_*" = "big"\n',
            (
                "runner.musllinux_1_2_x86_64: big and ubuntu-24.04 would both build all targets of one kind "
                "of machine"
            ),
        ),
        (
            '[tool.wheelkit.ci]\nstaging = "stagng"\n',
            'ci.staging: there is no index "stagng"; known: pypi, testpypi',
        ),
        ('[tool.wheelkit.ci]\nsecrets = { mine = "TOKEN" }\n', 'ci.secrets.mine: there is no index "mine"'),
        ('[tool.wheelkit.ci]\nstaging = "pypi"\n', 'ci.staging: "pypi" is also the production index'),
    ],
)
def test_what_no_workflow_can_do_is_a_mistake_in_the_configuration(
    make: Generator, more: str, message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        make(more=more)
    assert message in error.value.problems[0]


def test_a_pure_project_whose_python_nobody_understands_is_a_mistake(make: Generator) -> None:
    with pytest.raises(ConfigError) as error:
        make(PURE.replace(">=3.14", "banana"))
    assert error.value.problems == ("project.requires-python: Invalid specifier: 'banana'",)
    assert make(PURE)


def test_a_target_without_a_hosted_runner_needs_a_label(make: Generator) -> None:
    text = PROJECT.replace('"win_amd64"', '"manylinux_2_28_ppc64le"')
    with pytest.raises(ConfigError) as error:
        make(text)
    assert error.value.problems == (
        (
            "runner: no hosted runner builds manylinux_2_28_ppc64le; "
            'set your own: runner.manylinux_2_28_ppc64le = "label"'
        ),
    )
    made = jobs(make(text, more='[tool.wheelkit.runner]\n"*_ppc64le" = "our-power"\n')[RELEASE])
    assert {"name": "linux-ppc64le", "runner": "our-power"} in made["native"]["strategy"]["matrix"]["include"]


def row(label: str, ends: date | None) -> TargetRow:
    return TargetRow(
        target=Target.parse("macosx_11_0_arm64"), builder=None, why="", runner=Runner(label=label, ends=ends)
    )


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2027, 5, 1), None),
        (date(2027, 6, 2), None),  # 91 days ahead
        (date(2027, 6, 3), "the runner macos-15 ends on 01 September 2027 (macosx_11_0_arm64)"),
        (date(2027, 9, 1), "the runner macos-15 ends on 01 September 2027 (macosx_11_0_arm64)"),
        (date(2027, 9, 2), "the runner macos-15 ended on 01 September 2027 (macosx_11_0_arm64)"),
    ],
)
def test_the_end_of_a_runner_is_reported_ninety_days_ahead(today: date, expected: str | None) -> None:
    found = workflows.retiring_runners([row("macos-15", date(2027, 9, 1)), row("ubuntu-24.04", None)], today)
    assert [str(one) for one in found] == ([expected] if expected else [])


def test_the_command_writes_checks_and_prints_the_matrix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    monkeypatch.chdir(tmp_path)
    assert main(["ci", "--check"]) == 1
    assert f"{CI}: " in capsys.readouterr().out
    assert not (tmp_path / CI).exists()
    assert main(["ci"]) == 0
    assert capsys.readouterr().out == f"{CI}   written\n{RELEASE}   written\n"
    assert main(["ci", "--check"]) == 0
    capsys.readouterr()
    assert main(["ci", "--matrix"]) == 0
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert json.loads(line)["include"][0] == {
        "name": "linux-x86_64",
        "runner": "ubuntu-24.04",
        "targets": "manylinux_2_28_x86_64 musllinux_1_2_x86_64",
    }


def test_drift_is_shown_as_a_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    monkeypatch.chdir(tmp_path)
    assert main(["ci"]) == 0
    (tmp_path / "pyproject.toml").write_text(PROJECT.replace(', "win_amd64"', ""))
    capsys.readouterr()
    assert main(["ci", "--check", "--json"]) == 1
    drift = json.loads(capsys.readouterr().out)["drift"]
    assert [(one["path"], one["added"], one["removed"]) for one in drift] == [(CI, 0, 2), (RELEASE, 0, 6)]
    assert "-            runner: windows-2022" in drift[0]["diff"]


def test_the_workflows_of_wheelkit_follow_from_its_configuration() -> None:
    made = workflows.generate(blueprint(ROOT), "github", ROOT)
    assert [str(one) for one in workflows.compare(made, ROOT)] == []
