"""Uploads over HTTP: both versions, progress, alt text, deletion, and the files themselves.

After media_controller.rb. Must not judge a file; `media` does.
"""

from __future__ import annotations

import asyncio

from aiohttp import web

from bridge.sandbox.mastodon.door import Door
from bridge.sandbox.mastodon.params import Params, read_params
from bridge.sandbox.mastodon.problems import NOT_FOUND, ApiError, invalid
from bridge.sandbox.mastodon.records import MastodonAccount, Medium

WRITE = ("write", "write:media")


class MediaRoutes:
    """The handlers."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        one = "/api/v1/media/{id}"
        profile = self._door.profile
        listed = [web.post("/api/v1/media", self.upload), web.put(one, self.update)]
        if profile.media_v2:
            listed.append(web.post("/api/v2/media", self.upload_deferred))
        if profile.media_progress:
            listed += [web.get(one, self.read), web.delete(one, self.delete)]
        return [
            *listed,
            web.get("/system/media_attachments/files/{id}/original/{name}", self.file),
        ]

    async def upload(self, request: web.Request) -> web.Response:
        """``POST /api/v1/media``: answers when the file is done."""
        medium = await self._take(request, wait=False)
        return web.json_response(self._door.media.as_json(medium, self._door.origin(request)))

    async def upload_deferred(self, request: web.Request) -> web.Response:
        """``POST /api/v2/media``: 202, and no address yet, for what takes time."""
        medium = await self._take(request, wait=True)
        busy = not self._door.media.ready(medium)
        body = self._door.media.as_json(medium, self._door.origin(request), pending=busy)
        return web.json_response(body, status=202 if busy else 200)

    async def read(self, request: web.Request) -> web.Response:
        """``GET /api/v1/media/:id``: 206 while it is worked on; 404 once a post has it."""
        account, _ = self._door.enter(request, *WRITE)
        medium = self._unattached(request, account)
        ready = self._door.media.look(medium)
        if ready and self._door.media.processing.fails and medium.ready_at != medium.uploaded_at:
            raise ApiError(422, "There was a problem processing this file")
        body = self._door.media.as_json(medium, self._door.origin(request), pending=not ready)
        return web.json_response(body, status=200 if ready else 206)

    async def update(self, request: web.Request) -> web.Response:
        """``PUT /api/v1/media/:id``: alt text and focus, before it is attached."""
        params = await read_params(request)
        account, _ = self._door.enter(request, *WRITE)
        medium = self._unattached(request, account)
        medium = self._door.media.describe(medium, params.text("description"), _focus(params))
        return web.json_response(self._door.media.as_json(medium, self._door.origin(request)))

    async def delete(self, request: web.Request) -> web.Response:
        """``DELETE /api/v1/media/:id``; 422 for what a post has."""
        account, _ = self._door.enter(request, *WRITE)
        medium = self._door.media.get(request.match_info["id"])
        if medium is None or medium.account_id != account.id:
            raise ApiError(404, NOT_FOUND)
        if medium.status_id is not None:
            raise ApiError(422, "Media attachment is currently used by a status")
        self._door.media.drop(medium.id)
        return web.json_response({})

    async def file(self, request: web.Request) -> web.Response:
        """The bytes of a file, to anybody."""
        medium = self._door.media.get(request.match_info["id"])
        content = self._door.media.content(request.match_info["id"])
        if medium is None or content is None:
            raise ApiError(404, NOT_FOUND)
        return web.Response(body=content, content_type=medium.mime)

    async def _take(self, request: web.Request, *, wait: bool) -> Medium:
        params = await read_params(request)
        account, _ = self._door.enter(request, *WRITE)
        upload = params.file("file")
        if upload is None:
            raise invalid("File can't be blank")
        data = await asyncio.to_thread(_read, upload)
        focus = _focus(params)
        medium = self._door.media.add(account.id, data, params.text("description"), wait=wait)
        return self._door.media.describe(medium, None, focus)

    def _unattached(self, request: web.Request, account: MastodonAccount) -> Medium:
        medium = self._door.media.get(request.match_info["id"])
        if medium is None or medium.account_id != account.id or medium.status_id is not None:
            raise ApiError(404, NOT_FOUND)
        return medium


def _read(upload: web.FileField) -> bytes:
    upload.file.seek(0)
    return upload.file.read()


def _focus(params: Params) -> tuple[float, float] | None:
    text = params.text("focus")
    if not text:
        return None
    across, _, up = text.partition(",")
    try:
        return max(-1.0, min(1.0, float(across))), max(-1.0, min(1.0, float(up)))
    except ValueError:
        raise invalid("Focus is invalid") from None
