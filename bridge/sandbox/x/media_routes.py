"""The media endpoints, and the files that posts link to.

Shapes: OpenAPI 2.167, or 2.166 where the sandbox speaks the old dialect only. Must not keep
anything: `uploads` does.
"""

from __future__ import annotations

import base64
import binascii
import math

from aiohttp import web

from bridge.sandbox.x.accounts import XAccount
from bridge.sandbox.x.dialect import Dialect
from bridge.sandbox.x.problems import Json, Refusal, plain
from bridge.sandbox.x.queries import checked_id
from bridge.sandbox.x.schema import APPEND, INITIALIZE, METADATA, ONE_SHOT, Schema, check, parsed
from bridge.sandbox.x.service import Answer
from bridge.sandbox.x.state import XState
from bridge.sandbox.x.uploads import CATEGORIES, LIFETIME, MAX_SEGMENT, TYPES, Medium, Upload

_LIFETIME_SECONDS = int(LIFETIME.total_seconds())
_PREVIEW = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)
"""One black pixel, in PNG: nobody decodes videos here."""
_PROCESSING_ERROR: Json = {
    "code": 1,
    "name": "InvalidMedia",
    "message": "Unsupported video format",
}


class MediaRoutes:
    """The endpoints."""

    def __init__(self, state: XState) -> None:
        self._state = state

    async def initialize(self, request: web.Request, account: XAccount) -> Answer:
        """``POST /2/media/upload/initialize``."""
        body = await self._json(request, INITIALIZE)
        kind = self._kind(str(body.get("media_category", "tweet_image")))
        mime_type, total = str(body["media_type"]), body["total_bytes"]
        if mime_type not in TYPES[kind]:
            raise self._refused(f"media_type {mime_type} does not fit the media_category")
        if not isinstance(total, int) or total == 0:
            raise self._refused("total_bytes must be more than 0")
        now = self._state.clock.now()
        upload = self._state.uploads.begin(account.id, kind, mime_type, total, now)
        data: Json = {
            "id": upload.id,
            "media_key": f"{'3' if kind == 'photo' else '13' if kind == 'video' else '16'}"
            f"_{upload.id}",
            "expires_after_secs": _LIFETIME_SECONDS,
        }
        return self._answer(data)

    async def append(self, request: web.Request, account: XAccount) -> Answer:
        """``POST /2/media/upload/:id/append``: multipart, or JSON with base64."""
        upload = self._upload(request, account)
        fields, content = await self._fields(request, APPEND)
        index = fields["segment_index"]
        if not isinstance(index, int):
            raise TypeError("the form was not checked")
        if len(content) > MAX_SEGMENT:
            raise Refusal(413, plain(413, "A segment may have 5 MB at most."))
        self._state.uploads.append(upload, index, content)
        return self._answer({"expires_at": int((upload.started_at + LIFETIME).timestamp())})

    async def finalize(self, request: web.Request, account: XAccount) -> Answer:
        """``POST /2/media/upload/:id/finalize``: one charge a medium."""
        upload = self._upload(request, account)
        now = self._state.clock.now()
        try:
            medium = self._state.uploads.complete(upload, now)
        except ValueError as error:
            raise self._refused(str(error)) from None
        self._state.meter.uploaded(account.id, medium.id, now)
        return self._answer(self._described(medium))

    async def one_shot(self, request: web.Request, account: XAccount) -> Answer:
        """``POST /2/media/upload``: a whole file at once."""
        fields, content = await self._fields(request, ONE_SHOT)
        kind = self._kind(str(fields["media_category"]))
        now = self._state.clock.now()
        if not content:
            raise self._refused("media is empty")
        try:
            medium = self._state.uploads.add(account.id, kind, content, now)
        except ValueError as error:
            raise self._refused(str(error)) from None
        self._state.meter.uploaded(account.id, medium.id, now)
        return self._answer(self._described(medium))

    async def status(self, request: web.Request, account: XAccount) -> Answer:
        """``GET /2/media/upload?command=STATUS&media_id=``."""
        query = request.query
        for name in query:
            if name not in {"command", "media_id"} and not name.startswith("oauth_"):
                message = f"The query parameter [{name}] is not one of [command,media_id]"
                raise self._state.problems.invalid(message, name, query[name])
        if query.get("command", "STATUS") != "STATUS":
            message = f"The `command` query parameter value [{query['command']}] is not [STATUS]"
            raise self._state.problems.invalid(message, "command", query["command"])
        media_id = checked_id(query.get("media_id", ""), "media_id", self._state.problems)
        return self._answer(self._described(self._medium(media_id, account)))

    async def metadata(self, request: web.Request, account: XAccount) -> Answer:
        """``POST /2/media/metadata``: alternative text and warning."""
        body = await self._json(request, METADATA)
        medium = self._medium(str(body["id"]), account)
        stated = body.get("metadata")
        metadata = stated if isinstance(stated, dict) else {}
        alt_text, warning = metadata.get("alt_text"), metadata.get("sensitive_media_warning")
        self._state.uploads.describe(
            medium,
            alt_text=str(alt_text["text"]) if isinstance(alt_text, dict) else None,
            sensitive=any(warning.values()) if isinstance(warning, dict) else None,
        )
        self._state.meter.described(account.id, medium.id, self._state.clock.now())
        return self._answer({"id": medium.id, "associated_metadata": metadata}, meta=False)

    async def file(self, request: web.Request) -> web.Response:
        """``GET /media/:key``: the file itself, without any authorisation.

        Below it, for videos: ``small`` (the same file), ``preview`` (a picture), ``playlist``.
        """
        found = self._state.uploads.file(request.match_info["key"])
        if found is None:
            raise web.HTTPNotFound
        rendition = request.match_info.get("rendition", "")
        if rendition == "preview":
            return web.Response(body=_PREVIEW, content_type="image/png")
        if rendition == "playlist":
            playlist = f"#EXTM3U\n#EXTINF:1,\n{request.path.removesuffix('/playlist')}\n"
            return web.Response(text=playlist, content_type="application/x-mpegURL")
        return web.Response(body=found[1], content_type=found[0])

    def _answer(self, data: Json, *, meta: bool = True) -> Answer:
        # The earlier document demands a `meta` that it says nothing about.
        more: Json = {"meta": {}} if meta and self._old else {}
        return Answer(200, {"data": data, **more})

    @property
    def _old(self) -> bool:
        return self._state.dialect is Dialect.TWEET

    def _described(self, medium: Medium) -> Json:
        data: Json = {
            "id": medium.id,
            "media_key": medium.key,
            "size": medium.size,
            "expires_after_secs": _LIFETIME_SECONDS,
        }
        if not medium.asynchronous:
            data["image"] = {
                "image_type": medium.mime_type,
                "w": medium.width,
                "h": medium.height,
            }
            return data
        data["video"] = {"video_type": medium.mime_type}
        now = self._state.clock.now()
        state = medium.state(now)
        processing: Json = {"state": state}
        if state in {"pending", "in_progress"}:
            left = (medium.ready_at - now).total_seconds()
            processing |= {
                "check_after_secs": max(1, math.ceil(left)),
                "progress_percent": 0 if state == "pending" else 50,
            }
        elif state == "succeeded":
            processing["progress_percent"] = 100
        if self._old:
            processing["type"] = "video"
            if state == "failed":
                # The later document knows no reasons.
                processing["error"] = _PROCESSING_ERROR
        data["processing_info"] = processing
        return data

    def _kind(self, category: str) -> str:
        if category not in CATEGORIES:
            raise self._refused(f"media_category {category} cannot be posted")
        return CATEGORIES[category]

    def _upload(self, request: web.Request, account: XAccount) -> Upload:
        media_id = checked_id(request.match_info["id"], "id", self._state.problems)
        upload = self._state.uploads.find_upload(media_id, account.id, self._state.clock.now())
        if upload is None:
            raise self._missing(media_id)
        return upload

    def _medium(self, media_id: str, account: XAccount) -> Medium:
        medium = self._state.uploads.find(media_id, account.id, self._state.clock.now())
        if medium is None:
            raise self._missing(media_id)
        return medium

    def _missing(self, media_id: str) -> Refusal:
        found = self._state.problems.not_found("media", "id", media_id)
        return Refusal(404, {**found, "status": 404})

    def _refused(self, message: str) -> Refusal:
        return self._state.problems.invalid(message)

    async def _json(self, request: web.Request, schema: Schema) -> Json:
        if request.content_type != "application/json":
            raise self._refused("The Content-Type must be application/json.")
        try:
            return parsed(await request.read(), schema)
        except ValueError as error:
            raise self._refused(str(error)) from None

    async def _fields(self, request: web.Request, schema: Schema) -> tuple[Json, bytes]:
        """The fields beside the file, and the file."""
        if request.content_type == "application/json":
            fields = await self._json(request, schema)
            try:
                return fields, base64.b64decode(str(fields["media"]), validate=True)
            except binascii.Error:
                raise self._refused("$.media: is not base64") from None
        if request.content_type != "multipart/form-data":
            raise self._refused("The Content-Type must be multipart/form-data.")
        fields, content = {}, b""
        for name, value in (await request.post()).items():
            if name == "media":
                content = _bytes(value)
                fields[name] = ""
            else:
                text = _bytes(value).decode("utf-8", errors="replace")
                is_index = name == "segment_index" and text.isascii() and text.isdigit()
                fields[name] = int(text[:9]) if is_index else text
        try:
            check(fields, schema)
        except ValueError as error:
            raise self._refused(str(error)) from None
        return fields, content


def _bytes(value: str | bytes | bytearray | web.FileField) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    return value.file.read()
