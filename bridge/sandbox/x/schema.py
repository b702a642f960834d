"""The JSON bodies that X takes, and a small validator that words its complaints as X does.

Shapes: request schemas of the OpenAPI document 2.167. Must not know what a body means.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from bridge.sandbox.x.problems import Json

Schema = Mapping[str, object]

_ID: Final = r"^[0-9]{1,19}$"


def _string(**rules: object) -> Schema:
    return {"type": "string", **rules}


def _object(properties: Mapping[str, Schema], *required: str, closed: bool = True) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "closed": closed,
    }


def _array(items: Schema, low: int = 0, high: int = 1_000_000) -> Schema:
    return {"type": "array", "items": items, "low": low, "high": high}


_IDENTIFIER = _string(pattern=_ID)
_BOOLEAN: Schema = {"type": "boolean"}
_AUDIENCES = ("following", "mentionedUsers", "subscribers", "verified")
_ANYTHING: Schema = {"type": "object", "properties": {}, "required": (), "closed": False}

CREATE_POST = _object(
    {
        "card_uri": _string(),
        "community_id": _IDENTIFIER,
        "direct_message_deep_link": _string(),
        "edit_options": _object({"previous_post_id": _IDENTIFIER}, "previous_post_id"),
        "for_super_followers_only": _BOOLEAN,
        "geo": _object({"place_id": _string()}, "place_id"),
        "made_with_ai": _BOOLEAN,
        "media": _object(
            {
                "call_to_actions": _ANYTHING,
                "description": _string(),
                "embeddable": _BOOLEAN,
                "media_ids": _array(_IDENTIFIER, 1, 4),
                "preview_media_id": _IDENTIFIER,
                "tagged_user_ids": _array(_IDENTIFIER, 0, 10),
                "title": _string(),
            },
            "media_ids",
        ),
        "nullcast": _BOOLEAN,
        "paid_partnership": _BOOLEAN,
        "poll": _object(
            {
                "duration_minutes": {"type": "integer", "minimum": 5, "maximum": 10_080},
                "options": _array(_string(shortest=1, longest=25), 2, 4),
                "reply_settings": _string(enum=_AUDIENCES),
            },
            "options",
            "duration_minutes",
        ),
        "quote_tweet_id": _IDENTIFIER,
        "reply": _object(
            {
                "auto_populate_reply_metadata": _BOOLEAN,
                "exclude_reply_user_ids": _array(_string()),
                "in_reply_to_tweet_id": _IDENTIFIER,
            },
            "in_reply_to_tweet_id",
        ),
        "reply_settings": _string(enum=_AUDIENCES),
        "share_with_followers": _BOOLEAN,
        "text": _string(),
    },
    "text",
)
"""`text` is required although the document gives it a default: the live service refuses a body
without it."""

_MEDIA_TYPES = (
    "video/mp4",
    "video/webm",
    "video/mp2t",
    "video/quicktime",
    "text/srt",
    "text/vtt",
    "image/jpeg",
    "image/gif",
    "image/bmp",
    "image/png",
    "image/webp",
    "image/pjpeg",
    "image/tiff",
    "model/gltf-binary",
    "model/vnd.usdz+zip",
)
INITIALIZE = _object(
    {
        "additional_owners": _array(_IDENTIFIER),
        "media_category": _string(
            enum=(
                "amplify_video",
                "tweet_gif",
                "tweet_image",
                "tweet_video",
                "dm_gif",
                "dm_image",
                "dm_video",
                "subtitles",
            )
        ),
        "media_type": _string(enum=_MEDIA_TYPES),
        "shared": _BOOLEAN,
        "total_bytes": {"type": "integer", "minimum": 0, "maximum": 17_179_869_184},
    },
    "media_type",
    "total_bytes",
)
APPEND = _object(
    {"media": _string(), "segment_index": {"type": "integer", "minimum": 0, "maximum": 999}},
    "media",
    "segment_index",
)
ONE_SHOT = _object(
    {
        "additional_owners": _string(),
        "media": _string(),
        "media_category": _string(
            enum=(
                "tweet_image",
                "tweet_video",
                "tweet_gif",
                "dm_image",
                "dm_video",
                "dm_gif",
                "subtitles",
            )
        ),
        # Dropped from the later document, and still sent by clients of the earlier one.
        "media_type": _string(enum=_MEDIA_TYPES),
        "shared": _string(),
    },
    "media",
    "media_category",
)
REPOST = _object({"tweet_id": _IDENTIFIER}, "tweet_id")
METADATA = _object(
    {
        "id": _IDENTIFIER,
        "metadata": _object(
            {
                "alt_text": _object({"text": _string(longest=1000)}, "text", closed=False),
                "sensitive_media_warning": _object(
                    {
                        "adult_content": _BOOLEAN,
                        "graphic_violence": _BOOLEAN,
                        "other": _BOOLEAN,
                    },
                    closed=False,
                ),
            },
            closed=False,
        ),
    },
    "id",
    closed=False,
)

_NAMES = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
    type(None): "null",
}


def parsed(raw: bytes, schema: Schema) -> Json:
    """The JSON object `raw` states. Raises `ValueError` with X's complaint about it."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise ValueError("Invalid JSON in the request body.") from None
    check(value, schema)
    if not isinstance(value, dict):
        raise ValueError("$: object expected")  # noqa: TRY004 - callers catch one kind
    return value


def check(value: object, schema: Schema, path: str = "$") -> None:
    """Raise `ValueError` unless `value` has the shape of `schema`."""
    found, expected = _NAMES.get(type(value), "unknown"), schema["type"]
    if found != expected:
        raise ValueError(f"{path}: {found} found, {expected} expected")
    if isinstance(value, str):
        _check_string(value, schema, path)
    elif isinstance(value, dict):
        _check_object(value, schema, path)
    elif isinstance(value, list):
        _check_array(value, schema, path)
    elif isinstance(value, int) and not isinstance(value, bool):
        low, high = schema.get("minimum"), schema.get("maximum")
        if isinstance(low, int) and value < low:
            raise ValueError(f"{path}: must have a minimum value of {low}")
        if isinstance(high, int) and value > high:
            raise ValueError(f"{path}: must have a maximum value of {high}")


def _check_string(value: str, schema: Schema, path: str) -> None:
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError(f"{path}: is no valid Unicode text")
    pattern, enum = schema.get("pattern"), schema.get("enum")
    if isinstance(pattern, str) and not re.fullmatch(pattern, value):
        raise ValueError(f"{path}: does not match the regex pattern {pattern}")
    if isinstance(enum, tuple) and value not in enum:
        raise ValueError(f"{path}: does not have a value in the enumeration {list(enum)}")
    shortest, longest = schema.get("shortest"), schema.get("longest")
    if isinstance(shortest, int) and len(value) < shortest:
        raise ValueError(f"{path}: must be at least {shortest} characters long")
    if isinstance(longest, int) and len(value) > longest:
        raise ValueError(f"{path}: may only be {longest} characters long")


def _check_object(value: dict[str, object], schema: Schema, path: str) -> None:
    properties, required = schema["properties"], schema["required"]
    if not isinstance(properties, Mapping) or not isinstance(required, tuple):
        raise TypeError("a schema of an object has properties and required ones")
    for name in required:
        if name not in value:
            raise ValueError(f"{path}.{name}: is missing but it is required")
    for name, item in value.items():
        if name in properties:
            check(item, properties[name], f"{path}.{name}")
        elif schema["closed"]:
            raise ValueError(
                f"{path}.{name}: is not defined in the schema and the schema does not allow "
                "additional properties"
            )


def _check_array(value: list[object], schema: Schema, path: str) -> None:
    items, low, high = schema["items"], schema["low"], schema["high"]
    if not isinstance(items, Mapping) or not isinstance(low, int) or not isinstance(high, int):
        raise TypeError("a schema of an array has items and bounds")
    if len(value) < low:
        raise ValueError(f"{path}: there must be a minimum of {low} items in the array")
    if len(value) > high:
        raise ValueError(f"{path}: there must be a maximum of {high} items in the array")
    for index, item in enumerate(value):
        check(item, items, f"{path}[{index}]")
