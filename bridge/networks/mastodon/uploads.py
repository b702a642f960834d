"""Uploading files, straight from disk, and waiting until the server has worked them over.

Over aiohttp, because Mastodon.py reads a whole file into memory, twice. Nobody sees a file that no
post carries, so whatever is unclear may be tried again. Must not open files for any other end, nor
tell the server what they were called here.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import quote

import aiohttp

from bridge.core.errors import (
    Barred,
    InDoubt,
    NetworkError,
    NoUploads,
    Refused,
    Transient,
    Unauthorised,
)
from bridge.core.model import MediaId
from bridge.net.session import BodyTooLarge, read_capped
from bridge.networks.fields import id_at, text_at, web_address
from bridge.networks.mastodon.errors import decoded, failure
from bridge.networks.mastodon.instance import Instance
from bridge.networks.mastodon.settings import MastodonSettings
from bridge.networks.mastodon.wire import Exchange
from bridge.ports import Clock, LocalMedia, Uploaded

LONGEST_PROCESSING = 600.0
"""Seconds that a server may work on a file; then the upload counts as failed, to be tried later."""

KEPT_FOR = timedelta(hours=20)
"""Servers throw away what no post has taken after about a day."""

NO_DESCRIPTION = "No description was given."
"""Alt text for servers that take no file without one: true, and better than losing the picture."""

_WAITS = (0.5, 1.0, 2.0, 3.0, 5.0)
_LONGEST_WAIT = 10.0
_LOOKS_WITHOUT_ADDRESS = 3
"""How often a file that is said to be done, but has no address, is asked for once more."""

_LARGEST_ANSWER = 1024 * 1024
_SLOWEST = 64 * 1024
"""Bytes a second: an upload that is slower than this never ends for practical purposes."""

_GRACE = 120.0
_CONNECT_TIMEOUT = 10.0
_NO_SUCH_PATH = frozenset((404, 405))
_ABOUT_THE_FILE = frozenset((400, 413, 415, 422))
"""Statuses that are about one file, where the API says so in its own words."""

_MAY_PASS = frozenset((408, 425))
_NO_RIGHT = (
    "the server does not let this login upload files: sign in again with: twinpost login mastodon"
)
_EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/avif": "avif",
    "image/heic": "heic",
    "image/heif": "heif",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "video/ogg": "ogv",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "audio/flac": "flac",
    "audio/aac": "aac",
    "audio/mp4": "m4a",
}


class Uploads:
    """Hands over files for one account; `session` stays the caller's."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        settings: MastodonSettings,
        clock: Clock,
        instance: Callable[[], Awaitable[Instance]],
    ) -> None:
        self._session = session
        self._base = settings.base
        self._token = settings.access_token
        self._clock = clock
        self._instance = instance
        self._version = 2

    async def upload(self, medium: LocalMedia) -> Uploaded:
        """Hand over one file. See `bridge.ports.Sink`."""
        least = (await self._instance()).least_alt
        alt = medium.alt or (NO_DESCRIPTION if least else "")
        exchange = await self._send(medium, alt)
        if exchange.status in _NO_SUCH_PATH and self._version > 1:
            # Version 2 is as old as Mastodon 3.1.3; some servers never took it up.
            self._version = 1
            exchange = await self._send(medium, alt)
        said = self._read(exchange)
        made = id_at(said, "id")
        if made is None:
            raise Transient(
                "the server does not name the file that it took", status=exchange.status
            )
        deferred, ready = exchange.status == HTTPStatus.ACCEPTED, web_address(said.get("url"))
        if deferred or not ready:
            await self._processed(made, promised=deferred and not ready)
        lost = bool(medium.alt) and not text_at(said, "description")
        return Uploaded(
            MediaId(made),
            expires_at=self._clock.now() + KEPT_FOR,
            note="the server left out the alt text" if lost else "",
        )

    async def _send(self, medium: LocalMedia, alt: str) -> Exchange:
        extension = _EXTENSIONS.get(medium.mime, "bin")
        form = aiohttp.FormData()
        if alt:
            # First: a server that reads in order knows it when it meets the file.
            form.add_field("description", alt)
        try:
            file = await asyncio.to_thread(medium.path.open, "rb")
        except OSError as error:
            raise Transient(f"the file cannot be read here ({type(error).__name__})") from error
        try:
            form.add_field(
                "file",
                file,
                filename=f"{secrets.token_hex(8)}.{extension}",
                content_type=medium.mime,
            )
            return await self._exchange(
                "POST",
                f"/api/v{self._version}/media",
                seconds=_GRACE + medium.size / _SLOWEST,
                form=form,
                alt=alt,
            )
        finally:
            await asyncio.to_thread(file.close)

    async def _processed(self, made: str, *, promised: bool) -> None:
        """Wait until a file may be attached. `promised` says that it must be asked about."""
        path = f"/api/v1/media/{quote(made, safe='')}"
        begun, looks, done = self._clock.monotonic(), 0, 0
        while self._clock.monotonic() - begun < LONGEST_PROCESSING:
            await self._clock.sleep(_WAITS[looks] if looks < len(_WAITS) else _LONGEST_WAIT)
            looks += 1
            exchange = await self._exchange("GET", path, seconds=_GRACE)
            if exchange.status is None or exchange.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                continue
            if exchange.status == HTTPStatus.PARTIAL_CONTENT:
                continue
            if not promised and exchange.status in _NO_SUCH_PATH:
                # It said that it was done, or gave an address, and has no way to be asked again.
                return
            if exchange.status in _NO_SUCH_PATH:
                raise Transient("the server lost the file while it worked on it")
            done += 1
            if web_address(self._read(exchange).get("url")) or done >= _LOOKS_WITHOUT_ADDRESS:
                return
        raise Transient(f"the server was not done with the file after {LONGEST_PROCESSING:.0f} s")

    async def _exchange(
        self,
        method: str,
        path: str,
        *,
        seconds: float,
        form: aiohttp.FormData | None = None,
        alt: str = "",
    ) -> Exchange:
        """One request and what came of it; never raises for what the network does."""
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        held = (headers["Authorization"], alt)
        exchange = Exchange(method=method, begun=True, sent=True, held=held)
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=_CONNECT_TIMEOUT)
        try:
            async with self._session.request(
                method,
                self._base + path,
                headers=headers,
                data=form,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                exchange.status = response.status
                exchange.headers = {name.lower(): value for name, value in response.headers.items()}
                exchange.body = await read_capped(response, _LARGEST_ANSWER)
        except aiohttp.ClientConnectorError as error:
            exchange.sent, exchange.fault = False, type(error.os_error).__name__
        except (aiohttp.ClientError, TimeoutError, OSError, BodyTooLarge) as error:
            exchange.fault = type(error).__name__
        return exchange

    def _read(self, exchange: Exchange) -> Mapping[str, object]:
        """The answer's object. Raises what the port allows: a doubt is no more than a failure."""
        error = failure(exchange, now=self._clock.now(), creating=True)
        said = decoded(exchange)
        if error is None and not isinstance(said, dict):
            error = InDoubt(f"HTTP {exchange.status}, but the answer is unreadable")
        if error is None:
            return said if isinstance(said, dict) else {}
        detail = error.detail
        if isinstance(error, InDoubt):
            about_all = _is_about_the_server(exchange, said)
            error = Transient(detail, status=error.status, unreachable=about_all)
        raise _judged(error, detail)


def _judged(error: NetworkError, detail: str) -> NetworkError:
    """What a refusal is about: the file, the account, or what stands in front of the server.

    A 403 is never about a file, in whatever language it is put. Everything else is only where the
    API itself says so.
    """
    status = error.status
    if isinstance(error, Barred):
        return error
    if status == HTTPStatus.FORBIDDEN:
        return Unauthorised(f"{detail} ({_NO_RIGHT})", status=status)
    about_it = isinstance(error, Refused) and status in _ABOUT_THE_FILE
    final = isinstance(error, Refused | Transient) and status not in _MAY_PASS
    if final and not about_it and status is not None and 400 <= status < 500:  # noqa: PLR2004 - HTTP's range
        return NoUploads(f"{detail} (not about the file)", status=status)
    error.detail, error.args = detail, (detail,)
    return error


def _is_about_the_server(exchange: Exchange, said: object) -> bool:
    """Whether a failure says nothing about the file: 500 in the API's own words is about it."""
    own_words = exchange.status == HTTPStatus.INTERNAL_SERVER_ERROR and isinstance(said, dict)
    return not own_words
