"""GitHub's expressions: values, what stays unknown, and agreement with the runner of generated workflows."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from actions import expressions as runner
from support.rows import rows
from wheelkit.project.ci.expressions import (
    UNKNOWN,
    OpenContext,
    evaluate,
    fill,
    fill_script,
    holds,
    matches_any,
    written,
)

CONTEXTS: dict[str, Any] = {
    "github": OpenContext(event_name="push", ref="refs/tags/v1.0", ref_type="tag"),
    "matrix": {"os": "ubuntu-latest", "arch": ["x86_64", "i686"], "n": 3, "on": True, "py": 3.1},
    "inputs": {"python": "", "qemu": False},
}


@rows(
    ("text", "value"),
    [
        ("'it''s'", "it's"),
        ("1 == '1'", True),
        ("'Push' == 'push'", True),
        ("github.event_name == 'push' && 'a' || 'b'", "a"),
        ("github.event_name != 'push' && 'a' || 'b'", "b"),
        ("startsWith(github.ref, 'refs/tags/')", True),
        ("contains(github.ref, 'TAGS')", True),
        ("contains(matrix.arch, 'i686')", True),
        ("endsWith(matrix.os, 'latest')", True),
        ("matrix.arch[1]", "i686"),
        ("matrix['os']", "ubuntu-latest"),
        ("matrix.arch[7]", None),
        ("matrix.missing", None),
        ("matrix.missing == ''", True),
        ("matrix.n > 2 && matrix.n <= 3", True),
        ("!matrix.on", False),
        ("!(matrix.on && false)", True),
        ("inputs.python && format('{0}-*', inputs.python) || null", None),
        ("format('{{{0}}}-{1}', 'a', matrix.n)", "{a}-3"),
        ("join(matrix.arch, ' ')", "x86_64 i686"),
        ("join(matrix.arch)", "x86_64,i686"),
        ("fromJSON('[1, {\"a\": true}]')[1].a", True),
        ("toJSON(matrix.n)", "3"),
        ("0x10", 16),
        ("-1.5e1", -15.0),
        ("success() && !failure() && always() && !cancelled()", True),
        ("case(matrix.n == 3, 'three', 'other')", "three"),
        ("true || secrets.TOKEN", True),
        ("false && secrets.TOKEN", False),
    ],
)
def test_what_the_repository_decides_has_a_value(text: str, value: Any) -> None:
    found = evaluate(text, CONTEXTS)
    assert found == value
    assert type(found) is type(value)


@rows(
    "text",
    [
        "secrets.TOKEN", "github.actor", "needs.build.outputs.matrix", "hashFiles('*')",
        "fromJSON(needs.a.b)",
        "github.actor == 'me'", "!github.actor", "github.actor && 'a' || 'b'", "format('{0}', vars.X)",
        "'open", "a b", "", "1 +", "matrix.", "(1", "fromJSON('{')", "format('{9}')", "((((" * 2000,
        "x" * 30000,
    ],
)  # fmt: skip
def test_what_only_a_run_tells_or_what_cannot_be_read_is_unknown(text: str) -> None:
    assert evaluate(text, CONTEXTS) is UNKNOWN


@rows(
    ("condition", "runs"),
    [
        (None, True),
        (True, True),
        (False, False),
        ("false", False),
        ("${{ false }}", False),
        ("github.event_name == 'pull_request'", False),
        ("github.repository == 'owner/name'", True),
        ("github.repository == 'owner/name' && github.event_name == 'pull_request'", False),
        ("${{ matrix.os }} == 'ubuntu'", True),
        ("failure()", False),
    ],
)
def test_a_step_runs_unless_its_condition_surely_fails(condition: object, runs: object) -> None:
    assert holds(condition, CONTEXTS) is runs


@rows(
    ("value", "filled"),
    [
        ("cp${{ matrix.n }}-*", "cp3-*"),
        ("${{ matrix.n }}", 3),
        ("${{ matrix.on }} ${{ matrix.py }} ${{ matrix.missing }}.", "true 3.1 ."),
        ("a ${{ secrets.X }}", UNKNOWN),
        ({"a": ["${{ matrix.os }}", 1]}, {"a": ["ubuntu-latest", 1]}),
        ("${{ '}}' }}", "}}"),
        ("${ matrix.os }", "${ matrix.os }"),
    ],
)
def test_expressions_in_texts_are_filled_in(value: Any, filled: Any) -> None:
    assert fill(value, CONTEXTS) == filled


def test_what_is_unknown_in_a_script_becomes_a_variable() -> None:
    text = "cibuildwheel --only ${{ needs.x.outputs.y }} --platform ${{ matrix.os }}"
    assert fill_script(text, CONTEXTS) == "cibuildwheel --only $UNKNOWN --platform ubuntu-latest"


@rows(
    ("name", "patterns", "matches"),
    [
        ("v1.0.0", ["v*"], True),
        ("1.0.0", ["v*"], False),
        ("v1.0.0rc1", ["v*", "!v*rc*"], False),
        ("release/1", ["release/**"], True),
        ("v1.0", ["v[0-9]+.[0-9]+"], True),
    ],
)
def test_filters_of_tags_match_as_on_github(name: str, patterns: list[str], matches: object) -> None:
    assert matches_any(name, patterns) is matches


VALUES = st.sampled_from(["'a'", "'A'", "''", "true()", "false()", "c.text", "c.empty", "c.yes"])
EXPRESSIONS = st.recursive(
    VALUES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["&&", "||", "==", "!="]), inner).map(" ".join),
        inner.map(lambda text: f"!({text})"),
        inner.map(lambda text: f"({text})"),
    ),
    max_leaves=12,
)


@given(EXPRESSIONS)
def test_it_agrees_with_the_runner_of_generated_workflows(text: str) -> None:
    context = {"c": {"text": "a", "empty": "", "yes": True}}
    functions = {"true": lambda: True, "false": lambda: False}
    theirs = runner.evaluate(text, context, functions)
    ours = evaluate(text.replace("true()", "true").replace("false()", "false"), context)
    assert written(ours) == written(theirs)
