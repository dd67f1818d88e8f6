"""Whatever a configuration says is refused, or stands in the workflows as it is and expands to nothing."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from support.rows import rows
from wheelkit import workflows
from wheelkit.config import Config, parse
from wheelkit.errors import ConfigError
from wheelkit.project.family import Family
from wheelkit.project.kinds import Kind
from wheelkit.project.read import Distribution
from wheelkit.workflows import user_blocks

CI, RELEASE, GITLAB = ".github/workflows/ci.yml", ".github/workflows/release-python.yml", ".gitlab-ci.yml"
SIGNS = "abc \"'`$(){}[]:#&*!|>%@\\,;-_=/~?+<^.0é\x85\u2028\u2029\u202e\ufeff\x9b\n\t\r\ufffe\U0001f600"
WORDS = (
    "true",
    "null",
    "yes",
    "~",
    "1e3",
    "${{ secrets.X }}",
    "a ${{x}}",
    "echo  ",
    "  echo",
    "- x",
    "# x",
    "x: y",
)
NASTY = st.sampled_from(WORDS) | st.text(st.sampled_from(SIGNS), min_size=1, max_size=12)


@cache
def plan() -> Any:
    member = Distribution(name="demo", version="1.0", kind=Kind.PURE, source=Path("/demo"))
    return workflows.plan_anywhere(Config(), Family(root=Path("/demo"), distributions=(member,)))


def generated(document: dict[str, Any]) -> dict[str, str]:
    """Return the files of both services for a configuration; raise ConfigError where it is refused."""
    config = parse(document, source=None, root=Path("/demo"))
    texts: dict[str, str] = {}
    for service in workflows.PROVIDERS.values():
        blueprint = workflows.blueprint(config, plan(), service.label)
        texts |= service.files(replace(blueprint, ci=config.ci), {})
    return texts


def expressions(text: str) -> list[str]:
    """Return the lines that a shell runs in which GitHub would replace an expression."""
    steps = [step for job in yaml.safe_load(text)["jobs"].values() for step in job["steps"]]
    return [step["run"] for step in steps if "${{" in step.get("run", "")]


@pytest.mark.parametrize("key", ["lint", "test"])
@given(command=NASTY)
def test_a_command_is_refused_or_run_as_it_is(key: str, command: str) -> None:
    try:
        texts = generated({"ci": {key: [command]}})
    except ConfigError:
        return
    assert command.isprintable()
    job, label = {"lint": ("checks", "Lint"), "test": ("tests", "Test")}[key]
    steps = yaml.safe_load(texts[CI])["jobs"][job]["steps"]
    (step,) = [step for step in steps if step["name"].startswith(f"{label}: ")]
    assert (step["run"].removesuffix("\n"), step["name"]) == (command, f"{label}: {command}")
    assert not expressions(texts[CI])
    job = {"lint": "checks", "test": "tests:linux-x86_64"}[key]
    assert command in yaml.safe_load(texts[GITLAB])[job]["script"]


@given(requirement=NASTY, tag=NASTY)
def test_a_requirement_and_a_tag_are_refused_or_quoted(requirement: str, tag: str) -> None:
    tag = f"{tag}-{{version}}"
    document = {"ci": {"install": [requirement]}, "distribution": {"demo": {"tag": tag}}}
    try:
        texts = generated(document)
    except ConfigError:
        return
    assert not expressions(texts[RELEASE])
    (pattern,) = yaml.safe_load(texts[RELEASE])[True]["push"]["tags"]  # YAML 1.1 takes "on" for a boolean
    assert pattern.replace("\\", "") == tag.replace("{version}", "*")
    for text in texts.values():
        assert not set(text) & set("\x85\u2028\u2029\x9b\ufffe"), text


@pytest.mark.parametrize(
    "command", ["ruff check .", "pytest -k 'a and not b'", 'echo "${HOME}" | cat', "a && b"]
)
def test_the_twins_plain_commands_are_taken(command: str) -> None:
    assert f"Lint: {command}" in str(yaml.safe_load(generated({"ci": {"lint": [command]}})[CI]))


@rows(
    ("key", "value"),
    [
        (("ci", "lint"), ["echo ${{ github.head_ref }}"]),
        (("ci", "test"), ["echo ${{ github.head_ref }}"]),
        (("ci", "install"), ["wheelkit ${{ x }}"]),
        (("runner", "any"), "${{ x }}"),
        (("version", "branches"), ["a${{x}}"]),
        (("runner", "any"), "[self-hosted, linux]"),
        (("runner", "any"), "{group: big}"),
        (("ci", "secrets"), {"pypi": "github_token"}),
        (("ci", "lint"), ["echo\x85rm"]),
        (("ci", "lint"), ["echo\u2028rm"]),
        (("ci", "lint"), ["echo\u202erm"]),
        (("distribution", "demo"), {"smoke": ["echo\u2029rm"]}),
    ],
)
def test_expressions_and_line_ends_are_refused(key: tuple[str, str], value: object) -> None:
    with pytest.raises(ConfigError, match="mistake"):
        generated({key[0]: {key[1]: value}})


def test_lines_of_users_are_kept_whatever_signs_they_contain() -> None:
    lines = ("# a\u2028b\x85c", "  - run: x\x0cy")
    text = user_blocks.join(user_blocks.block_lines("jobs", "x", {"jobs": lines}))
    assert user_blocks.read(text, Path("x.yml")) == {"jobs": lines}
