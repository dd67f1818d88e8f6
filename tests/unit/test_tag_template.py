"""The template of release tags, from the tags of real and contrived projects."""

from __future__ import annotations

from support.rows import rows
from wheelkit.init.tag_template import tag_scheme


@rows(
    ("tags", "template", "newest"),
    [
        ([], "v{version}", ""),
        (["v1.0", "v1.10", "v1.9"], "v{version}", "v1.10"),
        (["1.0", "1.1.0", "2024.1.2"], "{version}", "2024.1.2"),
        (["release-6.0.0", "release-6.1.0rc1"], "release-{version}", "release-6.1.0rc1"),
        (["lxml-6.0.0", "lxml-6.1.1"], "lxml-{version}", "lxml-6.1.1"),
        (["core-v1.0", "cli-v2.0"], "core-v{version}", "core-v1.0"),
        (["python-3.2.1", "v1.0.0", "nightly", "v2"], "v{version}", "v1.0.0"),
        (["nightly", "v2", "latest"], "v{version}", ""),
    ],
)
def test_the_template_is_that_of_the_tags(tags: list[str], template: str, newest: str) -> None:
    scheme = tag_scheme(tags, "core" if "core-v1.0" in tags else "lxml")
    assert (scheme.template, scheme.newest, scheme.note) == (template, newest, "")


def test_two_forms_among_the_newest_tags_are_one_message() -> None:
    scheme = tag_scheme(["v1.0", "v1.1", "1.2"], "core")
    assert scheme.template == "{version}"
    assert scheme.note == (
        'the tags have 2 forms, {version} (1.2) and v{version} (v1.1); the newest decides: tag = "{version}"'
    )


def test_a_form_that_was_given_up_long_ago_counts_no_more() -> None:
    scheme = tag_scheme(["v0.9", *(f"1.{minor}" for minor in range(12))], "core")
    assert (scheme.template, scheme.note) == ("{version}", "")
