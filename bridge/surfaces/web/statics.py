"""Style sheets, the script and the icon: the same for all, kept by browsers until they change.

Read once, from the package alone. Must not know pages.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import Final

from aiohttp import web

TYPES: Final = {
    "tokens.css": "text/css",
    "post.css": "text/css",
    "web.css": "text/css",
    "web.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


@cache
def content(name: str) -> str:
    """What a file of `TYPES` holds."""
    return (files("bridge.surfaces.web") / "static" / name).read_text(encoding="utf-8")


@cache
def address(name: str) -> str:
    """Where a file is served: another address whenever it has changed."""
    return f"/static/{name}?v={hashlib.sha256(content(name).encode()).hexdigest()[:12]}"


async def serve(request: web.Request) -> web.Response:
    """The handler."""
    name = request.match_info["name"]
    if name not in TYPES:
        raise web.HTTPNotFound
    return web.Response(
        text=content(name),
        content_type=TYPES[name],
        charset="utf-8",
        headers={"Cache-Control": "public, max-age=31536000, immutable"},
    )
