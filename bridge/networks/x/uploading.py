"""Handing files to X: pictures at once, GIFs and videos in segments straight from the disk.

Nobody sees an upload before a post carries it, so that what is unclear about one is `Transient`.
But it may have been billed: nothing that is billed is sent twice here, and what came to nothing is
told with the next upload. Source: OpenAPI 2.167 and 2.166, ``/2/media``. Must not decode files.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path

from bridge.core.errors import (
    Barred,
    InDoubt,
    NetworkError,
    NoUploads,
    Refused,
    Throttled,
    Transient,
    Unauthorised,
    Unpaid,
)
from bridge.core.model import MediaId, MediaKind, Microdollars
from bridge.core.prices import FREE, PriceTable
from bridge.core.redaction import Redactor
from bridge.networks.fields import id_at, mapping_at, number_at, text_at
from bridge.networks.outside import from_outside
from bridge.networks.x.client import XClient, problem_in_success
from bridge.networks.x.errors import describe, problem_of
from bridge.networks.x.limits import LARGEST_SEGMENT, MOST_SEGMENTS, media_limits
from bridge.networks.x.multipart import multipart
from bridge.networks.x.unfinished import Taken, Unfinished
from bridge.ports import Clock, LocalMedia, Uploaded

log = logging.getLogger(__name__)

SEGMENT = 4 << 20
"""Bytes of a segment, where that is enough segments for the file."""

PATIENCE = timedelta(minutes=15)
"""How long X may take to process one file; a video of 20 minutes takes a few."""

_LIFE = timedelta(days=1)
_WORTHWHILE = timedelta(hours=1)
"""How long a file that X has already must last for it to be gone on with."""

_SHORTEST_PAUSE, _USUAL_PAUSE, _LONGEST_PAUSE = 1, 5, 30
_LOST_ANSWERS = 3
"""How many status requests may fail in a row; they are free, another upload is not."""

_IMAGE, _GIF, _VIDEO = "tweet_image", "tweet_gif", "tweet_video"
_ABOUT_THE_FILE = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
"""Statuses that are about one file, where X says so in its own words."""

_MAY_PASS = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY})
_NO_RIGHT = (
    "X does not let this login upload files: give the app Read and write in X's developer console, "
    "then twinpost login x, whose token has media.write"
)
_LONGEST_REASON = 200
_REMEMBERED = 200
"""Descriptions that are remembered, for edits within the hour."""


class Uploader:
    """The uploads of one account."""

    def __init__(self, client: XClient, clock: Clock, prices: PriceTable, *, premium: bool) -> None:
        self._client = client
        self._clock = clock
        self._prices = prices
        self._limits = media_limits(premium=premium)
        self._charged = 0
        self._charged_for_words = 0
        self._told: OrderedDict[str, str] = OrderedDict()
        self._unfinished = Unfinished()

    async def upload(self, medium: LocalMedia) -> Uploaded:
        """One file, processed and described. See `bridge.ports.Sink`."""
        category = self._category(medium)
        try:
            taken = await self._taken(medium, category)
            note = await self._finished(taken, medium, category)
        except InDoubt as doubt:
            raise Transient(f"uploading a file: {doubt.detail}", status=doubt.status) from None
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise Transient(f"the fetched file cannot be read: {reason}") from None
        except NetworkError as error:
            raise _judged(error) from None
        described = Microdollars(self._charged_for_words)
        cost = self._take_cost()
        return Uploaded(MediaId(taken.media_id), cost, taken.until, note, described)

    async def _taken(self, medium: LocalMedia, category: str) -> Taken:
        """The file as X has it: from a try that broke off later on, or sent now."""
        begun = self._clock.now()
        size = await asyncio.to_thread(_size, medium.path)
        self._check_size(category, size)
        if self._unfinished:
            digest = await asyncio.to_thread(_digest, medium.path)
            known = self._unfinished.take(category, digest, begun + _WORTHWHILE)
            if known is not None:
                return known
        if category == _IMAGE:
            answer = await self._at_once(medium, size)
        else:
            answer = await self._in_segments(medium, category, size)
        media_id = id_at(answer, "id")
        if media_id is None:
            raise Transient("X took a file but named no id for it")
        return Taken(media_id, answer, _expiry(answer, begun))

    async def _finished(self, taken: Taken, medium: LocalMedia, category: str) -> str:
        """Have it processed and described; returns what X would not take, as a sentence.

        Where that breaks off, the file is remembered: to send it again would be billed again.
        """
        processing = mapping_at(taken.answer, "processing_info")
        if taken.again and processing:
            processing = {"state": "pending", "check_after_secs": _SHORTEST_PAUSE}
        try:
            await self._processed(taken.media_id, medium.kind, processing)
            return await self._described(taken.media_id, medium)
        except Refused:
            raise
        except NetworkError:
            digest = await asyncio.to_thread(_digest, medium.path)
            self._unfinished.keep(category, digest, taken)
            raise

    async def describe_anew(self, media_id: MediaId, alt: str) -> Microdollars:
        """Give a file that was uploaded before another description; returns what that cost.

        Nothing is sent where it is known to have this one. X knows no way to take one back.
        """
        if not alt or self._told.get(media_id) == alt:
            return FREE
        try:
            await self._tell(media_id, {"alt_text": {"text": alt}})
        except Refused as refused:
            log.warning("X did not take another description of a file: %s", refused.detail)
            return FREE
        except InDoubt as doubt:
            raise Transient(f"describing a file: {doubt.detail}", status=doubt.status) from None
        self._remember(media_id, alt)
        return self._take_cost()

    def _take_cost(self) -> Microdollars:
        cost, self._charged, self._charged_for_words = Microdollars(self._charged), 0, 0
        return cost

    def _remember(self, media_id: str, alt: str) -> None:
        self._told[media_id] = alt
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)

    def _category(self, medium: LocalMedia) -> str:
        """By content; an animation that is an MP4 is a video to X, which makes its own of GIFs."""
        if medium.mime in self._limits.video.types:
            return _VIDEO
        if medium.mime == "image/gif" and medium.kind is not MediaKind.IMAGE:
            return _GIF
        if medium.mime in self._limits.image.types:
            return _IMAGE
        raise Refused(f"X takes no files of the type {medium.mime}")

    def _check_size(self, category: str, size: int) -> None:
        limits = {
            _IMAGE: self._limits.image,
            _GIF: self._limits.animation,
            _VIDEO: self._limits.video,
        }
        largest = limits[category].max_bytes
        if size == 0:
            raise Refused("the file to be sent to X is empty")
        if largest is not None and size > largest:
            raise Refused(f"the file has {size} bytes, and X takes {largest} at most")

    async def _at_once(self, medium: LocalMedia, size: int) -> Mapping[str, object]:
        form = multipart({"media_category": _IMAGE}, medium.path, medium.mime, 0, size)
        try:
            answer = await self._client.send_form("/2/media/upload", form)
        except InDoubt:
            self._charged += self._prices.media
            raise
        _check(answer, self._client.redactor())
        self._charged += self._prices.media
        return mapping_at(answer, "data")

    async def _in_segments(
        self, medium: LocalMedia, category: str, size: int
    ) -> Mapping[str, object]:
        body = {"media_type": medium.mime, "total_bytes": size, "media_category": category}
        begun = await self._client.write("POST", "/2/media/upload/initialize", body)
        _check(begun, self._client.redactor())
        media_id = id_at(mapping_at(begun, "data"), "id")
        if media_id is None:
            raise Transient("X began an upload but named no id for it")
        segment = max(SEGMENT, -(-size // MOST_SEGMENTS))
        if segment > LARGEST_SEGMENT:
            raise Refused(f"the file has {size} bytes, more than can be sent in segments")
        for index, start in enumerate(range(0, size, segment)):
            length = min(segment, size - start)
            fields = {"segment_index": str(index)}
            form = multipart(fields, medium.path, medium.mime, start, length)
            try:
                await self._client.send_form(f"/2/media/upload/{media_id}/append", form)
            except InDoubt as doubt:
                if not _succeeded(doubt):
                    raise
        finished = mapping_at(await self._finalized(media_id), "data")
        return finished if id_at(finished, "id") else {**finished, "id": media_id}

    async def _finalized(self, media_id: str) -> Mapping[str, object]:
        try:
            answer = await self._client.write("POST", f"/2/media/upload/{media_id}/finalize")
        except InDoubt as doubt:
            # Billed if it was done: a look for free may save doing it all again.
            self._charged += self._prices.media
            try:
                answer = await self._status(media_id)
            except NetworkError:
                raise doubt from None
            if not mapping_at(mapping_at(answer, "data"), "processing_info"):
                raise
            return answer
        _check(answer, self._client.redactor())
        self._charged += self._prices.media
        return answer

    async def _processed(
        self, media_id: str, kind: MediaKind, processing: Mapping[str, object]
    ) -> None:
        """Wait until X has processed the file; at once where it says nothing of processing."""
        end = self._clock.monotonic() + PATIENCE.total_seconds()
        lost = 0
        while processing and text_at(processing, "state") != "succeeded":
            if text_at(processing, "state") == "failed":
                why = _reason(processing, self._client.redactor())
                raise Refused(f"X could not process the {kind.value}{why}")
            pause = _pause(processing)
            if self._clock.monotonic() + pause > end:
                minutes = PATIENCE // timedelta(minutes=1)
                raise Transient(f"X has not processed the {kind.value} within {minutes} minutes")
            await self._clock.sleep(pause)
            try:
                answer = mapping_at(await self._status(media_id), "data")
            except (Transient, Throttled):
                lost += 1
                if lost > _LOST_ANSWERS:
                    raise
                continue
            if answer:
                lost, processing = 0, mapping_at(answer, "processing_info")
            elif (lost := lost + 1) > _LOST_ANSWERS:
                raise Transient(f"X does not say how the {kind.value} is processed")

    async def _status(self, media_id: str) -> Mapping[str, object]:
        query = {"command": "STATUS", "media_id": media_id}
        return await self._client.read("/2/media/upload", query)

    async def _described(self, media_id: str, medium: LocalMedia) -> str:
        """Attach alt text and warning; returns what X would not take, as a sentence.

        A file without its description is better than none; X saying no to it again would be too.
        """
        alt = {"alt_text": {"text": medium.alt}} if medium.alt else {}
        # The network across only knows that there is something to be warned of.
        warning = {"sensitive_media_warning": {"other": True}} if medium.sensitive else {}
        if not alt and not warning:
            return ""
        try:
            await self._tell(media_id, {**alt, **warning})
        except Refused as refused:
            lost = "description" if alt else "warning"
            if alt and warning:
                lost = await self._described_alone(media_id, alt)
            note = f"X did not take the {lost} of the {medium.kind.value}"
            log.warning("%s: %s", note, refused.detail)
            return note
        self._remember(media_id, medium.alt)
        return ""

    async def _described_alone(self, media_id: str, alt: Mapping[str, object]) -> str:
        """The description without the warning; returns what was lost."""
        try:
            await self._tell(media_id, alt)
        except Refused:
            return "description and the warning"
        return "warning"

    async def _tell(self, media_id: str, metadata: Mapping[str, object]) -> None:
        body = {"id": media_id, "metadata": metadata}
        try:
            answer = await self._client.write("POST", "/2/media/metadata", body)
        except InDoubt as doubt:
            self._charge_words()
            if not _succeeded(doubt):
                raise
            return
        if answer.get("errors"):
            redact = self._client.redactor()
            raise Refused(describe(HTTPStatus.OK, problem_of(answer), redact))
        self._charge_words()

    def _charge_words(self) -> None:
        self._charged += self._prices.alt_text
        self._charged_for_words += self._prices.alt_text


def _check(answer: Mapping[str, object], redact: Redactor) -> None:
    """Raise what a success without data really says, if it says anything."""
    problem = problem_in_success(answer, redact)
    if problem is not None:
        raise problem


def _judged(error: NetworkError) -> NetworkError:
    """What a refusal is about: the file, the account, or the way to X as a whole.

    A 403 is never about a file. Everything else is only where X itself says so.
    """
    status = error.status
    if status is None or isinstance(error, Throttled | Unpaid | Barred) or status in _MAY_PASS:
        return error
    if status == HTTPStatus.FORBIDDEN:
        return Unauthorised(f"{error.detail} ({_NO_RIGHT})", status=status)
    about_it = isinstance(error, Refused) and status in _ABOUT_THE_FILE
    if about_it or isinstance(error, Unauthorised) or not _is_client_error(status):
        return error
    return NoUploads(f"{error.detail} (not about the file)", status=status)


def _is_client_error(status: int) -> bool:
    return HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR


def _size(path: Path) -> int:
    return path.stat().st_size


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _succeeded(doubt: InDoubt) -> bool:
    """Whether the doubt is only that a success said nothing, where there is nothing to be said."""
    status = doubt.status
    return status is not None and HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def _pause(processing: Mapping[str, object]) -> int:
    told = number_at(processing, "check_after_secs")
    return _USUAL_PAUSE if told is None else max(_SHORTEST_PAUSE, min(told, _LONGEST_PAUSE))


def _reason(processing: Mapping[str, object], redact: Redactor) -> str:
    error = mapping_at(processing, "error")
    said = text_at(error, "message") or text_at(error, "name")
    words = from_outside(said, _LONGEST_REASON, redact)
    return f": {words}" if words else ""


def _expiry(answer: Mapping[str, object], begun: datetime) -> datetime:
    """When X drops the file, by its word or by its documentation, whichever is sooner."""
    told = number_at(answer, "expires_after_secs") or 0
    return begun + (min(timedelta(seconds=min(told, 86_400)), _LIFE) if told else _LIFE)
