"""Holds requests against X's published documents: every parameter, every field, every right.

Small on purpose: it knows as much of OpenAPI and JSON Schema as those documents use.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.blackbox.whole_x import Asked


@dataclass(frozen=True)
class Document:
    """One version of the document."""

    whole: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> "Document":
        """From its file."""
        return cls(json.loads(path.read_text(encoding="utf-8")))

    def faults(self, asked: Asked) -> Iterator[str]:
        """What the document does not allow about a request."""
        operation = self._operation(asked)
        if operation is None:
            yield f"{asked.method} {asked.path}: no such operation"
            return
        allowed = {
            each["name"]: each
            for each in map(self._resolved, operation.get("parameters", ()))
            if each["in"] == "query"
        }
        for name, value in asked.query.items():
            if name not in allowed:
                yield f"{asked.path}: {name} is no parameter"
                continue
            schema = self._resolved(allowed[name]["schema"])
            for each in self._parts(schema, value):
                yield from (f"{asked.path}: {name}: {fault}" for fault in each)
        yield from (f"{asked.path}: {fault}" for fault in self._body(operation, asked))

    def scopes(self, asked: Asked) -> frozenset[str]:
        """The OAuth 2.0 scopes that a request needs."""
        operation = self._operation(asked) or {}
        needed = (each.get("OAuth2UserToken", ()) for each in operation.get("security", ()))
        return frozenset(scope for scopes in needed for scope in scopes)

    def takes_oauth1(self, asked: Asked) -> bool:
        """Whether a request may be made with OAuth 1.0a."""
        return any("UserToken" in each for each in (self._operation(asked) or {})["security"])

    def _operation(self, asked: Asked) -> Mapping[str, Any] | None:
        for path, item in self.whole["paths"].items():
            pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))
            if re.fullmatch(pattern, asked.path) and asked.method.lower() in item:
                found: Mapping[str, Any] = item[asked.method.lower()]
                if "{" not in path or asked.path not in self.whole["paths"]:
                    return found
        return None

    def _parts(self, schema: Mapping[str, Any], value: str) -> Iterator[Iterator[str]]:
        if schema.get("type") == "array":
            yield from (self._wrong(each, schema["items"]) for each in value.split(","))
        elif schema.get("type") == "integer":
            yield self._wrong(int(value), schema)
        else:
            yield self._wrong(value, schema)

    def _body(self, operation: Mapping[str, Any], asked: Asked) -> Iterator[str]:
        if "requestBody" not in operation:
            if asked.body:
                yield "takes no body"
            return
        content = self._resolved(operation["requestBody"])["content"]
        is_form = isinstance(asked.body.get("segment_index"), str) or asked.path.endswith("/upload")
        given = dict(asked.body)
        if is_form:
            given["media"] = "bytes"
            if "segment_index" in given:
                given["segment_index"] = int(given["segment_index"])
        kind = "multipart/form-data" if is_form else "application/json"
        yield from self._wrong(given, content[kind]["schema"])

    def _wrong(self, value: object, schema: Mapping[str, Any]) -> Iterator[str]:
        schema = self._resolved(schema)
        ways = schema.get("anyOf") or schema.get("oneOf")
        if ways is not None:
            if all(list(self._wrong(value, way)) for way in ways):
                yield f"{value!r} fits none of {len(ways)} ways"
            return
        kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
        kind = schema.get("type")
        if kind in kinds and not isinstance(value, kinds[kind]):
            yield f"{value!r} is no {kind}"
        elif isinstance(value, dict):
            yield from self._wrong_object(value, schema)
        elif isinstance(value, list):
            count = len(value)
            if not schema.get("minItems", 0) <= count <= schema.get("maxItems", count):
                yield f"{count} items"
            for each in value:
                yield from self._wrong(each, schema.get("items", {}))
        else:
            yield from _wrong_plain(value, schema)

    def _wrong_object(self, value: dict[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
        known = schema.get("properties", {})
        if schema.get("additionalProperties") is False:
            yield from (f"{name} is no field" for name in value.keys() - known.keys())
        yield from (f"{name} is missing" for name in set(schema.get("required", ())) - value.keys())
        for name in value.keys() & known.keys():
            yield from (f"{name}: {fault}" for fault in self._wrong(value[name], known[name]))

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            place: Any = self.whole
            for step in schema["$ref"].split("/")[1:]:
                place = place[step]
            schema = place
        return schema


def _wrong_plain(value: object, schema: Mapping[str, Any]) -> Iterator[str]:
    if "enum" in schema and value not in schema["enum"]:
        yield f"{value!r} is not among {schema['enum']}"
    if isinstance(value, int):
        if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            yield f"{value} is out of bounds"
    elif isinstance(value, str):
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield f"{value!r} is not of the form {schema['pattern']}"
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            yield f"{value!r} has the wrong length"
