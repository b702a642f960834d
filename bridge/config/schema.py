"""The JSON Schema of the configuration, for editors: made from the declaration, never by hand."""

from __future__ import annotations

from bridge.config.declared import Key, Section
from bridge.config.keys import ROOT

JsonObject = dict[str, object]


def json_schema() -> JsonObject:
    """A draft 2020-12 schema; every value may also be a ``${NAME}`` reference."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "twinpost configuration",
        **_section(ROOT),
    }


def _section(section: Section) -> JsonObject:
    properties: JsonObject = {}
    for key in section.keys:
        properties[key.name] = _many(key) if isinstance(key, Section) else _key(key)
        if isinstance(key, Key) and key.secret:
            properties[f"{key.name}_file"] = {
                "type": "string",
                "description": f"A file that holds {key.name}.",
            }
    required = [key.name for key in section.keys if key.required and not _has_file_form(key)]
    schema: JsonObject = {
        "type": "object",
        "description": section.doc,
        "properties": properties,
        "additionalProperties": False,
    }
    return schema | ({"required": required} if required else {})


def _has_file_form(key: Key | Section) -> bool:
    return isinstance(key, Key) and key.secret


def _many(section: Section) -> JsonObject:
    one = _section(section)
    if not section.many:
        return one
    return {"type": "array", "minItems": 1, "description": section.doc, "items": one}


def _key(key: Key) -> JsonObject:
    reference: JsonObject = {"type": "string", "pattern": r"\$\{"}
    value: JsonObject = {"type": key.shape}
    if key.choices and key.shape == "string":
        value = {"enum": list(key.choices)}
    elif key.shape == "string":
        value = {"type": ["string", "number", "boolean"]}
    one: JsonObject = {"anyOf": [value, reference]}
    if key.many:
        one = {
            "anyOf": [{"type": "array", "minItems": int(not key.may_be_empty), "items": one}, one]
        }
    if key.mapping:
        one = {"type": "object", "additionalProperties": {"type": "string"}}
    default = {} if key.default is None else {"default": key.default}
    return {"description": key.doc, **one, **default}
