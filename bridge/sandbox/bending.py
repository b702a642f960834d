"""Answers as their reader never expects them: cut, slow, repeated, or with other values inside.

Knows HTTP and JSON only. Must not decide which answers are bent; see `faults`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

from aiohttp import web


def copied(answer: web.Response) -> web.Response:
    """The same answer once more, as long as it has not been sent."""
    headers = answer.headers.copy()
    headers.popall("Content-Length", None)
    body = answer.body if isinstance(answer.body, bytes) else b""
    return web.Response(status=answer.status, headers=headers, body=body)


async def bent(
    answer: web.Response,
    request: web.Request,
    *,
    how: str,
    seconds: float = 0.0,
    edits: Mapping[str, object] | None = None,
) -> web.StreamResponse:
    """`answer` as its reader never expects it."""
    body = answer.body if isinstance(answer.body, bytes) else b""
    headers = answer.headers.copy()
    headers.popall("Content-Length", None)
    if how == "empty":
        return web.Response(status=answer.status, headers=headers, body=b"")
    if how == "again":
        return copied(answer)
    if how == "edited":
        return web.Response(status=answer.status, headers=headers, body=_edited(body, edits))
    half = body[: len(body) // 2]
    if how == "truncated":
        return web.Response(status=answer.status, headers=headers, body=half)
    stream = web.StreamResponse(status=answer.status, headers=headers)
    stream.content_length = len(body)
    await stream.prepare(request)
    if how == "cut":
        await stream.write(half)
        if request.transport is not None:
            request.transport.close()
        return stream
    for index in range(len(body)):
        await stream.write(body[index : index + 1])
        await asyncio.sleep(seconds / len(body))
    await stream.write_eof()
    return stream


def _edited(body: bytes, edits: Mapping[str, object] | None) -> bytes:
    """A JSON body with other values at some paths; a body that is no JSON stays as it is."""
    try:
        value = json.loads(body)
    except ValueError:
        return body
    for path, new in (edits or {}).items():
        *steps, last = path.removeprefix("-").split(".")
        holder = value
        for step in steps:
            holder = _inside(holder, step)
        if isinstance(holder, dict) and path.startswith("-"):
            holder.pop(last, None)
        elif isinstance(holder, dict):
            holder[last] = new
        elif isinstance(holder, list) and _inside(holder, last) is not None:
            holder[int(last)] = new
    return json.dumps(value).encode()


def _inside(holder: object, step: str) -> object:
    """What a step of a path leads to, None for nothing."""
    if isinstance(holder, dict):
        return holder.get(step)
    if isinstance(holder, list) and step.isdigit() and int(step) < len(holder):
        return holder[int(step)]
    return None
