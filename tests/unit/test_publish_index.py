from __future__ import annotations

import pytest

from wheelkit.config import Config, IndexConfig
from wheelkit.config.model import CiConfig
from wheelkit.errors import UsageError
from wheelkit.publish.index import public_uploads, resolve


def test_the_public_indexes_are_those_that_twine_knows() -> None:
    from twine.utils import DEFAULT_REPOSITORY, TEST_REPOSITORY

    assert public_uploads() == {"pypi": DEFAULT_REPOSITORY, "testpypi": TEST_REPOSITORY}


def test_the_simple_api_of_public_indexes_is_derived() -> None:
    for name, staging in (("pypi", False), ("testpypi", True)):
        index = resolve(name, Config())
        assert (index.public, index.staging) == (True, staging)
        assert index.simple.endswith("/simple/")
        assert "upload." not in index.simple
        assert resolve(index.upload, Config()) == index
        assert resolve(index.upload.rstrip("/"), Config()).name == name


@pytest.mark.parametrize(("rules", "strict"), [("public", True), ("none", False), ("", False)])
def test_an_index_with_the_rules_of_the_public_ones(rules: str, strict: bool) -> None:  # noqa: FBT001
    known = IndexConfig(upload="http://h/u/", simple="http://h/s", rules=rules)
    index = resolve("acme", Config(index={"acme": known}))
    assert (index.strict, index.public, index.staging) == (strict, False, False)


def test_an_index_of_the_configuration() -> None:
    ours = IndexConfig(upload="http://h/u/", simple="http://h/s", lag="2 min")
    config = Config(index={"acme": ours}, ci=CiConfig(staging="acme"))
    index = resolve("acme", config)
    assert (index.upload, index.page("a-b"), index.lag, index.staging, index.public) == (
        "http://h/u/",
        "http://h/s/a-b/",
        120.0,
        True,
        False,
    )
    assert (
        resolve(
            "acme", Config(index={"acme": IndexConfig(upload="http://h/", simple="http://h/", lag="7s")})
        ).lag
        == 7.0
    )
    assert not resolve("acme", Config(index={"acme": ours})).staging


def test_the_simple_api_of_an_address_is_derived_or_given() -> None:
    assert resolve("http://127.0.0.1:8000/legacy/", Config()).simple == "http://127.0.0.1:8000/simple/"
    assert resolve("http://127.0.0.1:8000/a/legacy", Config()).simple == "http://127.0.0.1:8000/a/simple/"
    assert resolve("http://127.0.0.1:8000/x/", Config(), simple="http://s/").simple == "http://s/"


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("testpipy", 'did you mean "testpypi"'),
        ("http://127.0.0.1/x/", "the address of the simple API cannot be derived"),
        ("http://user:secret@127.0.0.1/legacy/", "credentials do not belong"),
        ("ftp://h/legacy/", "must start with https"),
    ],
)
def test_unknown_indexes(to: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(to, Config())
    assert words in caught.value.message
    assert "secret" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    ("to", "name"),
    [
        ("http://h.invalid:8080/legacy/", "h.invalid:8080"),
        ("https://h.invalid/a/legacy/", "h.invalid"),
        ("h.invalid/legacy/", None),
        ("h.invalid:8080", None),
        ("pypi", "pypi"),
    ],
)
def test_what_is_an_address_and_what_a_name(to: str, name: str | None) -> None:
    """A slash or a colon is in no name, so such a text is an address, even a wrong one."""
    if name is None:
        with pytest.raises(UsageError, match=r"^--to: "):
            resolve(to, Config())
    else:
        assert resolve(to, Config()).name == name
