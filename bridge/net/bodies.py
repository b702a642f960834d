"""Reading what a request brings: bounded before it is decoded, UTF-8 only, one value per field.

The only place that reads a body of a request to this machine. Everything that our own pages would
not send raises the HTTP answer that says so: 413 too much, 415 another type, encoding or
compression, 422 malformed.
"""

from __future__ import annotations

import json
import re
from typing import Final, cast
from urllib.parse import unquote_to_bytes

from aiohttp import web

from bridge.net.serving import client_has_to_act

MOST_BYTES: Final = 16 * 1024
"""Bytes of a body where the handler does not ask for more."""

MOST_FIELDS: Final = 32
_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json"
_UTF8: Final = frozenset({"utf-8", "utf8"})
_UNCLEAN: Final = re.compile("[\0\ud800-\udfff]")
_BAD_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")


async def form(request: web.Request, most: int = MOST_BYTES) -> dict[str, str]:
    """The fields of a form in `most` bytes at most."""
    _require_type(request, _FORM)
    body = await _read(request, most)
    if body.count(b"&") >= MOST_FIELDS or _BAD_ESCAPE.search(body):
        raise web.HTTPUnprocessableEntity
    fields: dict[str, str] = {}
    for pair in body.split(b"&") if body else ():
        raw_name, _, raw_value = pair.replace(b"+", b" ").partition(b"=")
        name, value = _text(unquote_to_bytes(raw_name)), _text(unquote_to_bytes(raw_value))
        if name in fields:
            raise web.HTTPUnprocessableEntity
        fields[name] = value
    return fields


async def json_object(request: web.Request, most: int = MOST_BYTES) -> dict[str, object]:
    """The object of a JSON body of `most` bytes at most; its keys and texts are clean."""
    _require_type(request, _JSON)
    text = _text(await _read(request, most))
    try:
        found = cast("object", json.loads(text))
    except (ValueError, RecursionError):
        raise web.HTTPUnprocessableEntity from None
    if not isinstance(found, dict):
        raise web.HTTPUnprocessableEntity
    for each in (*found, *found.values()):
        if isinstance(each, str):
            _require_clean(each)
    return found


def is_json(request: web.Request) -> bool:
    """Whether a body says that it is JSON."""
    return _media_type(request)[0] == _JSON


def _require_type(request: web.Request, wanted: str) -> None:
    name, charset = _media_type(request)
    compressed = request.headers.get("Content-Encoding", "identity").strip().lower() != "identity"
    if name != wanted or charset not in _UTF8 or compressed:
        raise web.HTTPUnsupportedMediaType


def _media_type(request: web.Request) -> tuple[str, str]:
    """The type of the body and its charset, both in lower case."""
    name, *parameters = request.headers.get("Content-Type", "").lower().split(";")
    pairs = (each.partition("=") for each in parameters)
    given = [value.strip().strip('"') for key, _, value in pairs if key.strip() == "charset"]
    # Of two that differ, one is not ours.
    return name.strip(), given[0] if len(set(given)) == 1 else ("utf-8" if not given else "")


async def _read(request: web.Request, most: int) -> bytes:
    if (request.content_length or 0) > most:
        raise web.HTTPRequestEntityTooLarge(most, request.content_length or 0)
    body = bytearray()
    with client_has_to_act(request):
        try:
            async for piece in request.content.iter_any():
                body += piece
                if len(body) > most:
                    raise web.HTTPRequestEntityTooLarge(most, len(body))
        except web.RequestPayloadError:
            raise web.HTTPUnprocessableEntity from None
        except ConnectionError:
            # Nobody is there to read it, and it is no fault of the handler.
            raise web.HTTPRequestTimeout from None
    return bytes(body)


def _text(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise web.HTTPUnprocessableEntity from None
    _require_clean(text)
    return text


def _require_clean(text: str) -> None:
    """Refuse what no keyboard writes and no database takes: NUL, half a surrogate pair."""
    if _UNCLEAN.search(text):
        raise web.HTTPUnprocessableEntity
