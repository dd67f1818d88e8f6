"""The schema for editors says the same as the readers, key by key and verdict by verdict."""

from __future__ import annotations

import json
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from wheelkit.config import Config, parse
from wheelkit.config.exclude import LIBRARIES, provider, shipped_providers
from wheelkit.config.keys import (
    BUILT_IN_INDEXES,
    DISTRIBUTION,
    INDEX,
    INDEX_NAME,
    MATRIX,
    PUBLISH,
    ROOT,
    VERSION,
)
from wheelkit.config.readers import (
    LARGEST_SIZE,
    SIZE_PATTERN,
    Choice,
    Named,
    OrFalse,
    Table,
    Tables,
    Text,
    TextList,
    Words,
    boolean,
    size,
)
from wheelkit.errors import ConfigError
from wheelkit.fast_packaging import normalise

if TYPE_CHECKING:
    from collections.abc import Iterator


SCHEMA: dict[str, Any] = json.loads(
    files("wheelkit").joinpath("data/wheelkit.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = Draft202012Validator(SCHEMA)


def accepts(document: object) -> bool:
    """Give the reader's verdict."""
    try:
        parse(document, source=None, root=Path())
    except ConfigError:
        return False
    return True


def agree(schema: dict[str, Any], reader: object) -> None:
    """Hold one part of the schema against its reader, and all below it."""
    if not isinstance(reader, Text) or "description" in schema:
        assert schema.get("description", "").endswith("."), schema
    match reader:
        case Table():
            assert (schema["type"], schema["additionalProperties"]) == ("object", False)
            assert list(schema["properties"]) == list(reader.keys)
            assert tuple(schema.get("required", ())) == reader.required
            for name, child in reader.keys.items():
                agree(schema["properties"][name], child)
        case Named():
            assert (schema["type"], schema["propertyNames"]) == ("object", {"pattern": reader.name.pattern})
            agree(schema["additionalProperties"], reader.entry)
        case Text():
            assert (schema["type"], schema["pattern"]) == ("string", reader.pattern)
        case TextList():
            assert (schema["type"], schema["uniqueItems"], schema.get("minItems", 0)) == (
                "array",
                True,
                reader.at_least,
            )
            agree(schema["items"], reader.item)
        case Words():
            text, several = schema["anyOf"]
            agree(text, reader.item)
            agree(
                {**several, "description": schema["description"]},
                TextList(item=reader.item, at_least=reader.at_least),
            )
        case Tables():
            assert schema["type"] == "array"
            agree(schema["items"], reader.entry)
        case Choice():
            assert tuple(schema["enum"]) == reader.words
        case _:
            agree_special(schema, reader)


def agree_special(schema: dict[str, Any], reader: object) -> None:
    """Hold the other readers, three of which are functions, against their schema."""
    if isinstance(reader, OrFalse):
        text, none = schema["anyOf"]
        agree(text, reader.item)
        assert none == {"const": False}
    elif reader is boolean:
        assert schema["type"] == "boolean"
    elif reader is size:
        text, number = schema["anyOf"]
        assert text == {"type": "string", "pattern": SIZE_PATTERN}
        assert number == {"type": "integer", "minimum": 1, "maximum": LARGEST_SIZE}
    else:
        assert reader is provider
        assert schema["$ref"] == "#/$defs/libraries"
        agree(SCHEMA["$defs"]["libraries"], LIBRARIES)


def texts_below(reader: object) -> Iterator[Text]:
    """Find every string reader that a reader uses."""
    match reader:
        case Table():
            for child in reader.keys.values():
                yield from texts_below(child)
        case Named():
            yield reader.name
            yield from texts_below(reader.entry)
        case TextList() | Words() | OrFalse():
            yield reader.item
        case Tables():
            yield from texts_below(reader.entry)
        case Text():
            yield reader
        case _ if reader is provider:
            yield LIBRARIES.item


def test_the_schema_is_one() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(SCHEMA)


def test_schema_and_readers_agree_key_by_key() -> None:
    agree(SCHEMA, ROOT)


def test_the_schema_names_every_shipped_provider() -> None:
    named = SCHEMA["properties"]["exclude"]["properties"]
    assert list(named) == list(shipped_providers())
    for entry in named.values():
        assert entry["anyOf"] == [{"const": True}, {"$ref": "#/$defs/libraries"}]


def test_examples_and_defaults_are_valid() -> None:
    def walk(schema: object) -> list[tuple[dict[str, Any], object]]:
        if isinstance(schema, list):
            return [found for item in schema for found in walk(item)]
        if not isinstance(schema, dict):
            return []
        here = [(schema, value) for value in schema.get("examples", [])]
        here += [(schema, schema["default"])] if "default" in schema else []
        return here + [found for item in schema.values() for found in walk(item)]

    found = walk(SCHEMA)
    assert len(found) > 10
    for schema, value in found:
        Draft202012Validator({"$defs": SCHEMA["$defs"], **schema}).validate(value)


@pytest.mark.parametrize("table", [MATRIX, DISTRIBUTION, INDEX, PUBLISH, VERSION])
def test_every_key_fills_a_field_and_every_field_has_a_key(table: Table) -> None:
    build: Any = table.build
    fields = build.__struct_fields__
    assert sorted(key.replace("-", "_") for key in table.keys) == sorted(fields)


def test_the_root_fills_the_configuration() -> None:
    fields = set(Config.__struct_fields__) - {"root", "source"}
    assert set(ROOT.keys) == fields


def test_built_in_indexes_are_those_that_are_refused() -> None:
    for name in BUILT_IN_INDEXES:
        assert INDEX_NAME.problem(name) is not None
        assert INDEX_NAME.problem(f"{name}-of-ours") is None


def test_advice_is_only_given_where_the_pattern_refuses() -> None:
    texts = list(texts_below(ROOT))
    assert sum(bool(text.advice) for text in texts) >= 5
    samples = [
        "/a",
        "~a",
        "C:a",
        "..",
        "a/..",
        "a\\b",
        "lib/x",
        "pypi",
        "testpypi",
        "ftp://h",
        "h",
        "",
        "http://u@h/",
    ]
    for text in texts:
        silent = Text(expected=text.expected, pattern=text.pattern)
        bare = Text(expected=text.expected, pattern=text.pattern, advice=text.advice)
        for sample in samples:
            assert (bare.problem(sample) is None) == (silent.problem(sample) is None), (text.expected, sample)


@pytest.mark.parametrize(
    "text",
    [
        "exclude.x = ['lib*']",
        'distribution.a.smoke = ["a \'b"]',
        "distribution.a.smoke = ['a | b']",
        "index.a = { upload = 'https://h:99999/', simple = 'https://h/' }",
        "distribution = { 'a.b' = {}, a-b = {} }",
    ],
)
def test_what_only_the_reader_can_tell(text: str) -> None:
    document = tomllib.loads(text)
    assert VALIDATOR.is_valid(document)
    assert not accepts(document)


# Samples that each reader or its neighbours would take or refuse; what only the reader can tell is left out.
_SAMPLES = (
    *(
        "",
        " ",
        "a",
        "cp311",
        ".",
        "python/*",
        "**/a",
        "zz**",
        "/a",
        "../a",
        "a/..b",
        "a\\b",
        "~",
        "C:x",
        "a\x1bb",
        "native",
        "metal",
    ),
    *("30 s", "2min", "s"),
    *(
        "100 MB",
        "1.5 GiB",
        "0 B",
        "5 XB",
        "v{version}",
        "{version}{version}",
        "v",
        "a.lock/{version}",
        "{version}.lock",
    ),
    *(
        "https://h/",
        "http://h:81/a",
        "http://u:p@h/",
        "https://",
        "ftp://h",
        "libx*",
        "lib x",
        "-x",
        "libx.so.[0-9]",
        "WK501",
    ),
    *(
        "torch",
        "cuda",
        "my_lib",
        "-a",
        "a-",
        "a b",
        "WK5",
        "pypi",
        "testpypi",
        "staging",
        "win_amd64",
        "cp39-* {pp,gp}*-musllinux_*",
        "true",
        "pkg:generic/zlib@1.3.1",
        "pkg:generic",
        "cpe:2.3:a:zlib:zlib:1.3.1:*:*:*:*:*:*:*",
        "cpe:2.3:a:zlib",
        "0123456789abcdef" * 4,
    ),
)
_TEXTS = st.sampled_from(_SAMPLES)
_SCALARS = (
    _TEXTS | st.booleans() | st.integers(-2, 3) | st.sampled_from([10**15, 10**16, 0.5, 1e8, 1.0]) | st.none()
)
_ANYTHING = _SCALARS | st.lists(_TEXTS, max_size=3) | st.dictionaries(_TEXTS, _SCALARS, max_size=2)


def mostly(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Make a wrong value once in a while, seldom enough for whole documents to be right."""
    return st.integers(0, 19).flatmap(lambda number: _ANYTHING if number == 0 else good)


def near(reader: object) -> st.SearchStrategy[Any]:  # noqa: PLR0911 (one for each reader)
    """Make values that the reader mostly takes."""
    match reader:
        case Table():
            known = {name: near(child) for name, child in reader.keys.items()}
            required = {name: known.pop(name) for name in reader.required}
            return mostly(st.fixed_dictionaries(required, optional=known))
        case Named():
            return mostly(st.dictionaries(near(reader.name).filter(is_text), near(reader.entry), max_size=2))
        case TextList():
            return mostly(st.lists(near(reader.item), min_size=reader.at_least, max_size=3, unique_by=repr))
        case Text():
            return mostly(st.sampled_from([text for text in _SAMPLES if reader.problem(text) is None]))
        case Words():
            several = TextList(item=reader.item, at_least=reader.at_least)
            return mostly(near(reader.item) | near(several))
        case Tables():
            return mostly(st.lists(near(reader.entry), max_size=2))
        case OrFalse():
            return near(reader.item) | st.just(value=False)
        case Choice():
            return mostly(st.sampled_from(reader.words))
        case _:
            special: dict[object, st.SearchStrategy[Any]] = {
                boolean: st.booleans(),
                size: st.sampled_from(["100 MB", "1.5 GiB", 5, 1e8]),
                provider: near(LIBRARIES),
            }
            return mostly(special[reader])


def is_text(value: object) -> bool:
    """Tell what can be a key."""
    return isinstance(value, str)


def normalised_alike(document: object) -> bool:
    """Tell whether a document spells one name in two ways, which only the reader can tell."""
    tables = (
        [document[key] for key in ("exclude", "distribution") if key in document]
        if isinstance(document, dict)
        else []
    )
    return any(
        len({normalise(name) for name in table}) < len(table) for table in tables if isinstance(table, dict)
    )


@given(near(ROOT))
def test_schema_and_readers_give_the_same_verdict(document: object) -> None:
    assume(not normalised_alike(document))
    assert VALIDATOR.is_valid(document) == accepts(document)


@pytest.mark.parametrize("key", ROOT.keys)
@given(data=st.data())
def test_schema_and_readers_give_the_same_verdict_on_each_key(key: str, data: st.DataObject) -> None:
    document = {key: data.draw(near(ROOT.keys[key]))}
    assume(not normalised_alike(document))
    assert VALIDATOR.is_valid(document) == accepts(document)
