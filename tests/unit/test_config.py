"""The configuration's values: what is read, and the words for every mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.configs import ROOT, mistake, mistakes, read
from support.rows import rows
from wheelkit.config import (
    Config,
    DistributionConfig,
    IndexConfig,
    MatrixConfig,
    Problems,
    PublishConfig,
    dotted,
    parse,
)
from wheelkit.config.problems import shown
from wheelkit.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence


EVERYTHING = """
distributions = [".", "python/*", "./adapters/"]
[matrix]
targets = ["manylinux_2_28_x86_64", "win_amd64"]
interpreters = ["cp311", "cp314t"]
[exclude]
torch = true
mylib = ["libmine*", "mine.dll"]
[distribution."My.Pkg"]
max-size = "100 MB"
smoke = ["python -c 'import my'"]
tag = "my/v{version}"
kind = "pure"
lib-path = ["build/lib"]
ignore = { WK601 = "the weights belong there" }
[index.staging]
upload = "http://127.0.0.1:8102/acme/staging/"
simple = "http://127.0.0.1:8102/acme/staging/+simple/"
[runner]
win_amd64 = "windows-2025"
[publish]
allow-cross = true
"""


def test_nothing_said_gives_the_defaults() -> None:
    assert read("") == Config(root=ROOT)
    assert read("").distributions == (".",)
    assert read("").matrix == MatrixConfig(targets=None, interpreters=None)


def test_every_key_is_read() -> None:
    config = read(EVERYTHING)
    assert config.distributions == (".", "python/*", "adapters")
    assert config.matrix == MatrixConfig(
        targets=("manylinux_2_28_x86_64", "win_amd64"), interpreters=("cp311", "cp314t")
    )
    assert [provider.name for provider in config.exclude] == ["torch", "mylib"]
    assert config.distribution == {
        "my-pkg": DistributionConfig(
            max_size=100_000_000,
            smoke=("python -c 'import my'",),
            tag="my/v{version}",
            kind="pure",
            lib_path=("build/lib",),
            ignore={"WK601": "the weights belong there"},
        )
    }
    staging = "http://127.0.0.1:8102/acme/staging/"
    assert config.index == {"staging": IndexConfig(upload=staging, simple=f"{staging}+simple/")}
    assert config.runner == {"win_amd64": "windows-2025"}
    assert config.publish == PublishConfig(allow_cross=True)


@rows(
    ("written", "size"),
    [
        ("1", 1),
        ("100_000_000", 100_000_000),
        ("1e8", 100_000_000),
        ('"1 B"', 1),
        ('"7B"', 7),
        ('"100 MB"', 100_000_000),
        ('"100MB"', 100_000_000),
        ('"2 kB"', 2000),
        ('"2 KB"', 2000),
        ('"1.5 GB"', 1_500_000_000),
        ('"0.001 kB"', 1),
        ('"2 KiB"', 2048),
        ('"96 MiB"', 96 * 1024 * 1024),
        ('"1.5 GiB"', 3 * 2**29),
    ],
)
def test_sizes_are_bytes(written: str, size: int) -> None:
    assert read(f"distribution.a.max-size = {written}").distribution["a"].max_size == size


@rows(
    "written",
    [
        *("0", "-1", "1.5", "nan", "inf", "true", "[]", "1979-05-27", "0x" + "f" * 9000),
        *(
            '""',
            '"100"',
            '"MB"',
            '"0 MB"',
            '"0.0 MB"',
            '"-1 MB"',
            '"1.5 B"',
            '"1 mb"',
            '"1  MB"',
            '"1 MB\\n"',
            '"1 TB"',
        ),
        *('"\u0661 MB"', '"1e3 MB"', f'"{"9" * 5000} MB"'),
    ],
)
def test_what_is_no_size_is_refused(written: str) -> None:
    assert 'distribution.a.max-size: expected a size such as "100 MB"' in mistake(
        f"distribution.a.max-size = {written}"
    )


def test_all_mistakes_come_at_once_and_in_file_order() -> None:
    found = mistakes(
        """
        publish = { allow-cross = "yes" }
        matirx = {}
        distributions = ["ok", "../out"]
        [matrix]
        interpreters = 3
        targets = ["a", 3]
        """,
        prefix="tool.wheelkit",
    )
    assert found == (
        'tool.wheelkit.publish.allow-cross: expected true or false, got "yes"',
        'tool.wheelkit.matirx: unknown key; did you mean "matrix"?',
        'tool.wheelkit.distributions[1]: "../out": the path must be inside the project',
        "tool.wheelkit.matrix.interpreters: expected a list of strings, got 3",
        "tool.wheelkit.matrix.targets[1]: expected a string, got 3",
    )


@rows(
    ("text", "message"),
    [
        (
            "zzz = 1",
            (
                "zzz: unknown key; known: distributions, matrix, exclude, distribution, version, index, "
                "runner, publish, ci"
            ),
        ),
        ("matrix = 3", "matrix: expected a table, got 3"),
        ("[[matrix]]", "matrix: expected a table, got a list"),
        ('matrix.targets = "x"', 'matrix.targets: expected a list of strings, got "x"'),
        ("matrix.targets = [[]]", "matrix.targets[0]: expected a string, got a list"),
        ("matrix.targets = [{}]", "matrix.targets[0]: expected a string, got a table"),
        ("matrix.targets = [1979-05-27]", "matrix.targets[0]: expected a string, got a date or time"),
        ("matrix.targets = [1.5]", "matrix.targets[0]: expected a string, got 1.5"),
        ("matrix.targets = [' ']", 'matrix.targets[0]: expected one line of text, got " "'),
        (
            "matrix.targets = []",
            "matrix.targets: an empty list; remove the key for the default, or give at least one item",
        ),
        ("matrix.targets = ['a', 'b', 'a']", 'matrix.targets[2]: "a" is already in the list, at [0]'),
        (
            "distributions = ['/a']",
            'distributions[0]: "/a": give a path relative to the project\'s folder',
        ),
        (
            "distributions = ['C:/a']",
            'distributions[0]: "C:/a": give a path relative to the project\'s folder',
        ),
        (
            "distributions = ['a/../..']",
            'distributions[0]: "a/../..": the path must be inside the project',
        ),
        ("distributions = ['a\\b']", 'distributions[0]: "a\\\\b": use forward slashes'),
        (
            "distributions = ['a**']",
            (
                "distributions[0]: expected a folder or a glob, with ** only as a whole path component, "
                'got "a**"'
            ),
        ),
        ("exclude = ['x']", "exclude: expected a table, got a list"),
        (
            "exclude.torch = false",
            "exclude.torch: expected true (the shipped list) or a list of file name patterns, got false",
        ),
        (
            "exclude.torch = 1",
            "exclude.torch: expected true (the shipped list) or a list of file name patterns, got 1",
        ),
        (
            "exclude.torhc = true",
            'exclude.torhc: wheelkit has no list of its libraries; did you mean "torch"?',
        ),
        (
            "exclude.x = ['lib/libx.so']",
            'exclude.x[0]: "lib/libx.so": patterns match the file name of a library, not its path',
        ),
        (
            "exclude.x = ['lib\\x.dll']",
            'exclude.x[0]: "lib\\\\x.dll": patterns match the file name of a library, not its path',
        ),
        ("distribution.'-a' = {}", 'distribution.-a: expected a distribution\'s name, got "-a"'),
        (
            "distribution.a.b.kind = 'pure'",
            (
                "distribution.a.b: unknown key; known: max-size, smoke, imports, tag, version-files, "
                "range-policy, kind, dependencies, lib-path, components, components-complete, ignore"
            ),
        ),
        ("distribution.a.max_size = 1", 'distribution.a.max_size: unknown key; did you mean "max-size"?'),
        (
            "distribution.a.kind = 'natve'",
            'distribution.a.kind: "natve" is not known; did you mean "native"?',
        ),
        ("distribution.a.kind = 1", 'distribution.a.kind: expected one of "native", "pure", "meta", got 1'),
        (
            "distribution.a.smoke = ['a \"b']",
            'distribution.a.smoke[0]: "a \\"b": not a command line (no closing quotation)',
        ),
        (
            "distribution.a.smoke = ['a', 'python -m a | b']",
            (
                'distribution.a.smoke[1]: "python -m a | b": | is for a shell, and commands run without one; '
                "put it into single quotes, or start a shell:  sh -c '...'"
            ),
        ),
        (
            "distribution.a.smoke = ['cd a']",
            (
                'distribution.a.smoke[0]: "cd a": cd is for a shell, and commands run without one; '
                "start a shell:  sh -c '...'"
            ),
        ),
        (
            "distribution.a.ignore.WK1 = 'x'",
            'distribution.a.ignore.WK1: expected a finding\'s code such as WK501, got "WK1"',
        ),
        (
            "distribution.a.ignore.WK501 = ''",
            'distribution.a.ignore.WK501: expected the reason, in words, got ""',
        ),
        ("index.a.upload = 'https://h/'", "index.a: simple is missing"),
        ("index.a = {}", "index.a: upload and simple are missing"),
        (
            "index.pypi = { upload = 'https://h/', simple = 'https://h/' }",
            'index.pypi: "pypi": this index is built in; give yours another name',
        ),
        ("runner.win_amd64 = ['a']", "runner.win_amd64: expected a string, got a list"),
        ("publish.allow-cross = 1", "publish.allow-cross: expected true or false, got 1"),
        (
            "ci.secrets.pypi = 'A B'",
            'ci.secrets.pypi: expected the name of a CI secret, such as PYPI_TOKEN, got "A B"',
        ),
        (
            "ci.install = ['--index-url=x']",
            (
                'ci.install[0]: "--index-url=x": give a requirement or a folder; '
                "options belong in pip's configuration"
            ),
        ),
        ("ci.lint = ['a \"b']", 'ci.lint[0]: "a \\"b": not a command line (no closing quotation)'),
    ],
)
def test_each_mistake_says_where_and_what(text: str, message: str) -> None:
    assert mistake(text) == message


@pytest.mark.parametrize(
    "address",
    [
        "ftp://h/",
        "h/simple",
        "https://",
        "https://h:99999/",
        "https://h h/",
        "https://h/?a=b",
        "https://[::1::]:8/",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    assert mistake(f'index.a = {{ upload = "https://h/", simple = "{address}" }}').startswith(
        "index.a.simple: "
    )
    assert mistakes(f'index.a = {{ upload = "{address}" }}')[0].startswith("index.a: simple is missing")


@pytest.mark.parametrize(
    "address",
    ["https://h", "http://127.0.0.1:81/a/+simple/", "https://[::1]:8/", "https://a-b.example.org/x@y/"],
)
def test_what_is_an_address_is_read(address: str) -> None:
    assert read(f'index.a = {{ upload = "{address}", simple = "{address}" }}').index["a"].upload == address


@pytest.mark.parametrize(
    "address",
    [
        "https://me:hunter2@h/",
        "htps://me:hunter2@h/",
        "me:hunter2@h",
        "https://h/?token=hunter2",
        "me:hunter2@",
    ],
)
def test_a_password_in_an_address_is_refused_and_not_shown(address: str) -> None:
    assert "hunter2" not in mistake(f'index.a = {{ upload = "{address}", simple = "https://h/" }}')


@pytest.mark.parametrize("tag", ["v{version}", "{version}", "my-pkg/v{version}", "a@{version}-final"])
def test_what_git_takes_as_a_tag_is_read(tag: str) -> None:
    config = read(f'distribution.a.tag = "{tag}"')
    assert config.distribution["a"].tag == tag


@rows(
    "tag",
    ["", "v", "v{version}{version}", "v{name}", "v {version}", "-{version}", "a..{version}", "{version}/"],
)
def test_what_is_no_tag_template_is_refused(tag: str) -> None:
    assert "distribution.a.tag: expected a tag's name" in mistake(f'distribution.a.tag = "{tag}"')


def test_two_spellings_of_one_name_are_a_mistake() -> None:
    assert read('distribution."My__Pkg".kind = "pure"').distribution["my-pkg"].kind == "pure"
    text = 'distribution."My.Pkg".kind = "pure"\ndistribution.my-pkg.kind = "pure"'
    assert mistake(text) == 'distribution.my-pkg: the same name as distribution."My.Pkg"; keep one of them'


def test_validators_add_to_the_same_error() -> None:
    def validator(config: Config, problems: Problems) -> None:
        for index, target in enumerate(config.matrix.targets or ()):
            problems.add(f"matrix.targets[{index}]", f"{target!r} is no target")

    document = {"matrix": {"targets": ["a", 3, "b"]}, "zzz": 1}
    with pytest.raises(ConfigError) as caught:
        parse(document, source=None, root=ROOT, validators=[validator])
    assert [problem.split(";")[0] for problem in caught.value.problems] == [
        "matrix.targets[0]: 'a' is no target",
        "matrix.targets[1]: expected a string, got 3",
        "matrix.targets[2]: 'b' is no target",
        "zzz: unknown key",
    ]
    with pytest.raises(ConfigError, match="1 mistake"):
        parse({"matrix": {"targets": ["a"]}}, source=None, root=ROOT, validators=[validator])
    assert parse({}, source=None, root=ROOT, validators=[validator]) == Config(root=ROOT)


def test_keys_and_values_are_shown_without_terminal_codes() -> None:
    assert dotted("distribution", "my.pkg", "smoke", 0) == 'distribution."my.pkg".smoke[0]'
    assert dotted("a b", 'c"d') == '"a b"."c\\"d"'
    assert "\x1b" not in mistake('"\\u001b[31m" = 1')
    assert len(shown("x" * 1000)) < 80


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)


_DOCUMENTS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("distributions", "matrix", "exclude", "index"), _VALUES)
)


@given(_VALUES | _DOCUMENTS)
def test_any_value_gives_a_configuration_or_a_configuration_error(document: Any) -> None:
    problems: Sequence[str] | None = None
    try:
        config = parse(document, source=None, root=ROOT)
    except ConfigError as error:
        problems = error.problems
    assert problems or isinstance(config, Config)
