from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from support.generated_workflows import GITLAB, PROJECT, Generator, blueprint
from wheelkit.errors import ConfigError


@pytest.fixture
def make(tmp_path: Path) -> Generator:
    return Generator(tmp_path)


def test_gitlab_has_the_same_stages(make: Generator) -> None:
    document = yaml.safe_load(make(provider="gitlab")[GITLAB])
    assert document["stages"] == ["check", "build", "verify", "smoke", "stage", "smoke-staging", "production"]
    assert document["build:macos-arm64"]["tags"] == ["saas-macos-medium-m1"]
    assert document["production"]["id_tokens"] == {
        "PYPI_ID_TOKEN": {"aud": "pypi"},
        "SIGSTORE_ID_TOKEN": {"aud": "sigstore"},
    }
    assert document["production"]["rules"] == [
        {"if": '$CI_COMMIT_TAG && $CI_COMMIT_TAG !~ /\\.dev/ && $UNTIL == "production"'}
    ]


def test_gitlab_fetches_the_tags_and_goes_by_hand_only_as_far_as_chosen(make: Generator) -> None:
    document = yaml.safe_load(make(provider="gitlab")[GITLAB])
    assert document["variables"]["GIT_DEPTH"] == "0"
    assert document["variables"]["UNTIL"]["value"] == "verify"
    merge, tag, *branch = document["workflow"]["rules"]
    assert "variables" not in merge
    assert tag["variables"] == {"UNTIL": "production"}
    assert [one["if"] for one in branch] == [
        "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH",
        '$CI_PIPELINE_SOURCE == "web"',
    ]


@pytest.mark.parametrize(
    ("template", "released", "others"),
    [
        ("v{version}", ["v1.2.0", "v2.0rc1"], ["nightly", "rev1", "1.2.0"]),
        ("py/core-{version}+x", ["py/core-1.2+x"], ["py/core-1.2x", "py-core-1.2+x", "my/py/core-1+x"]),
    ],
)
def test_on_gitlab_only_the_tags_of_a_release_go_to_production(
    make: Generator, template: str, released: list[str], others: list[str]
) -> None:
    more = f'[tool.wheelkit.distribution.momentum]\ntag = "{template}"\n'
    condition = yaml.safe_load(make(provider="gitlab", more=more)[GITLAB])["workflow"]["rules"][1]["if"]
    found = re.fullmatch(r"\$CI_COMMIT_TAG =~ /(.*)/", condition)
    assert found is not None
    assert not re.search(r"(?<!\\)/", found[1])  # it would end the expression
    assert [tag for tag in (*released, *others) if re.search(found[1], tag)] == released


def test_a_target_that_nobody_promised_needs_no_runner(make: Generator, tmp_path: Path) -> None:
    undeclared = PROJECT.partition("[tool.wheelkit.matrix]")[0]
    document = yaml.safe_load(make(undeclared, provider="gitlab")[GITLAB])
    assert "build:linux-aarch64" in document
    assert "build:macos-x86_64" not in document
    assert blueprint(tmp_path, "gitlab").left_out == ("macosx_10_13_x86_64",)
    assert blueprint(tmp_path, "github").left_out == ()


def test_gitlab_has_no_intel_mac_and_says_so(make: Generator) -> None:
    with pytest.raises(ConfigError, match="1 mistake"):
        make(PROJECT.replace("macosx_11_0_arm64", "macosx_10_13_x86_64"), provider="gitlab")
    made = make(more='[tool.wheelkit.ci]\nsecrets = { pypi = "PYPI_TOKEN" }\n', provider="gitlab")[GITLAB]
    assert yaml.safe_load(made)["production"]["variables"] == {
        "TWINE_USERNAME": "__token__",
        "TWINE_PASSWORD": "$PYPI_TOKEN",
    }
