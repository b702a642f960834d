"""The example documents every key, and the schema says what the reader accepts."""

import re
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
import yaml

from bridge.config import load
from bridge.config.declared import Key, Section
from bridge.config.keys import ROOT
from bridge.config.schema import json_schema

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"
VARIABLES = set(re.findall(r"\$\{(\w+)\}", EXAMPLE.read_text(encoding="utf-8"))) - {"NAME"}


def keys(section: Section) -> Iterator[Key | Section]:
    for key in section.keys:
        yield key
        if isinstance(key, Section):
            yield from keys(key)


ALL = {key.name for key in keys(ROOT)} | {
    f"{key.name}_file" for key in keys(ROOT) if isinstance(key, Key) and key.secret
}


def test_the_example_can_be_loaded_as_it_stands() -> None:
    (bridge,) = load(EXAMPLE, dict.fromkeys(VARIABLES, "token")).bridges
    assert bridge.name == "personal"


@pytest.mark.parametrize("name", sorted(ALL))
def test_the_example_shows_every_key(name: str) -> None:
    assert re.search(rf"^[\s#-]*{name}:", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_example_shows_no_key_that_does_not_exist() -> None:
    shown = set(
        re.findall(r"^\s*(?:# |- )?\s*([a-z][a-z0-9_]*):(?= |$)", EXAMPLE.read_text(), re.MULTILINE)
    )
    assert shown <= ALL | {"bridges"}


def test_the_example_shows_every_default() -> None:
    shown = EXAMPLE.read_text(encoding="utf-8")
    for key in keys(ROOT):
        if isinstance(key, Key) and key.default is not None:
            assert f"{key.name}: {key.default}\n" in shown, key.name


def test_the_schema_accepts_the_example_and_is_itself_valid() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(yaml.safe_load(EXAMPLE.read_text(encoding="utf-8")), schema)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"bridges": []},
        {"bridges": [{"name": "a"}]},
        {"bridges": [{"name": "a", "mastodon": {"url": "u"}, "x": {}, "unknown": 1}]},
        {"bridges": [{"name": "a", "mastodon": {"url": "u"}, "x": {"dialect": "tweets"}}]},
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(wrong: object) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, json_schema())


def test_every_key_is_explained() -> None:
    assert all(len(key.doc) > 10 for key in keys(ROOT))
