"""A whole post as versioned JSON, and back: for one that cannot be composed to the end yet.

Follows the fields of the model, so that a new field needs nothing here. Whatever cannot be read
back raises `LedgerDamaged`. Must not decide how long such a text is kept.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from types import NoneType
from typing import Any, NewType, get_args, get_origin, get_type_hints

from bridge.core.model import Post
from bridge.ledger.codec import BODY_VERSION, decoding, from_micros, to_micros


def to_whole(post: Post) -> str:
    """All of a post, as ASCII JSON."""
    return json.dumps({"version": BODY_VERSION, "post": _plain(post)}, separators=(",", ":"))


def from_whole(column: str) -> Post:
    """The post that `to_whole` wrote."""
    with decoding():
        found = json.loads(column)
        if found["version"] != BODY_VERSION:
            raise ValueError("unknown version")
        post = _made(Post, found["post"])
        assert isinstance(post, Post)  # noqa: S101 - tells the type checker
        return post


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return to_micros(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value


def _made(kind: Any, value: Any) -> object:
    if value is None:
        return None
    if get_origin(kind) is tuple:
        return tuple(_made(get_args(kind)[0], each) for each in value)
    kind = next((each for each in get_args(kind) if each is not NoneType), kind)
    if isinstance(kind, NewType):
        return value
    if hasattr(kind, "__dataclass_fields__"):
        return kind(**{name: _made(of, value[name]) for name, of in _fields(kind)})
    if kind is datetime:
        return from_micros(value)
    return kind(value) if issubclass(kind, Enum) else value


@cache
def _fields(kind: type) -> tuple[tuple[str, Any], ...]:
    hints = get_type_hints(kind)
    return tuple((field.name, hints[field.name]) for field in fields(kind))
