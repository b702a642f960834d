"""In front of every page: only names that are ours, only requests that our own pages made.

Fails closed. A name that was pointed at this machine by somebody else, and whatever another site
has a browser send, is turned away before anything is looked at; forwarding headers are not read.
Must not know what a page shows.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from bridge.config.web import WebSettings

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ShowsErrors = Callable[[web.Request, int, str], web.Response]
"""Makes a page of a request, a status, and a key of what to say."""

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not none: then browsers say of no form where it comes from, not even of our own.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
PROBES: Final = frozenset({"/healthz", "/readyz"})
"""Asked by machines, by whatever name they know; they tell nothing that is of use to others."""

SAFE: Final = frozenset({"GET", "HEAD"})
_OWN: Final = frozenset({"same-origin", "none"})
_MALFORMED: Final = web.HTTPUnprocessableEntity.status_code


class Guard:
    """The first middleware: `through`."""

    def __init__(self, settings: WebSettings, shows: ShowsErrors) -> None:
        self._settings = settings
        self._shows = shows
        listens = settings.listen
        own = () if listens.is_everywhere else (listens.host,)
        self._hosts = frozenset({"localhost", *own, *settings.hosts})

    @web.middleware
    async def through(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let `request` through to `handler`, or answer it here; every answer has the headers."""
        response = await self._answer(request, handler)
        if not response.prepared:
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
            if self._settings.behind_tls:
                response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        return response

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path not in PROBES:
            refusal = self._refusal(request)
            if refusal is not None:
                return self._shows(request, 403, refusal)
        try:
            return await handler(request)
        except web.HTTPRequestEntityTooLarge:
            return self._shows(request, 413, "too-large")
        except web.HTTPException as error:
            if error.status < web.HTTPBadRequest.status_code:
                raise
            known = {403, 404, 405, 422, 429}
            number = _MALFORMED if error.status in {400, 415} else error.status
            key = f"status-{number}" if number in known else "other"
            return self._shows(request, error.status, key)
        except ConnectionError:
            raise
        except Exception:
            # The log has the whole; a page tells what a reader can do.
            log.exception("the page %s broke off", request.path)
            return self._shows(request, 500, "broke")

    def _refusal(self, request: web.Request) -> str | None:
        """The key of why a request is turned away, None where it may pass."""
        if not self._is_ours(request.host):
            return "host"
        site = request.headers.get("Sec-Fetch-Site", "none")
        if request.method in SAFE:
            # A link from elsewhere may lead here; nothing from elsewhere may load from here.
            walks = request.headers.get("Sec-Fetch-Mode") == "navigate"
            framed = request.headers.get("Sec-Fetch-Dest") not in {None, "document"}
            return "foreign" if site not in _OWN and (framed or not walks) else None
        scheme = "https" if self._settings.behind_tls else "http"
        if request.headers.get("Origin") != f"{scheme}://{request.host}":
            return "foreign"
        return "foreign" if site not in _OWN else None

    def _is_ours(self, host: str) -> bool:
        try:
            name = (urlsplit(f"//{host}").hostname or "").lower()
        except ValueError:
            return False
        try:
            address = ip_address(name)
        except ValueError:
            return name in self._hosts
        # Nobody can have pointed an address somewhere else.
        return str(address) in self._hosts or address.is_loopback
