"""What every page is made of: the bridge to ask, the bridge to tell, the reader and the words.

Owns sessions, languages and what is said once after something was done. Must not know single pages.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from bridge.config.web import WebSettings
from bridge.engine.commands import Commands
from bridge.engine.control import Control
from bridge.engine.supervise import Daemon
from bridge.memory import LedgerView
from bridge.net.clients import forwarded_client
from bridge.ports import Clock
from bridge.surfaces.web.auth import Client, Patience, Session, Sessions, same
from bridge.surfaces.web.catalogues import LANGUAGES, Catalogue, catalogue, chosen
from bridge.surfaces.web.live import Live
from bridge.surfaces.web.rendering import Renderer

SEEN: Final = web.RequestKey("seen", int)
"""What a request remembers: the version of things before anything was asked of the ledger."""

LANGUAGE_COOKIE: Final = "twinpost_language"
MOST_SAID: Final = 64
_A_YEAR: Final = 366 * 24 * 3600
SECURE_COOKIE: Final = "__Host-twinpost"
PLAIN_COOKIE: Final = "twinpost"


@dataclass(frozen=True, slots=True)
class Bridge:
    """The running bridge as the page sees it. `view` is a reader of its own, never the writer's.

    `prove_writable` raises `LedgerError` where the ledger takes no write.
    """

    control: Control
    commands: Commands
    daemon: Daemon
    view: LedgerView
    clock: Clock
    prove_writable: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Said:
    """What was done, or why not, as a key of the catalogue; `words` come from the bridge itself."""

    key: str
    words: str = ""
    well: bool = True


@dataclass(slots=True)
class Site:
    """The page's state. `alive_at` is when the daemon last showed that it lives (monotonic)."""

    settings: WebSettings
    bridge: Bridge
    live: Live
    sessions: Sessions
    patience: Patience
    alive_at: float
    renderer: Renderer = field(default_factory=Renderer)
    said: OrderedDict[str, Said] = field(default_factory=OrderedDict)

    @property
    def cookie(self) -> str:
        """What the session's cookie is called."""
        return SECURE_COOKIE if self.settings.behind_tls else PLAIN_COOKIE

    def session(self, request: web.Request) -> Session | None:
        """The session of a request; None where somebody has to sign in."""
        return self.sessions.of(request.cookies.get(self.cookie))

    def client(self, request: web.Request) -> Client:
        """Who sent a request, as far as limits are concerned."""
        forwarded = request.headers.getall("X-Forwarded-For", [])
        trusted = self.settings.trusted_proxies
        address = forwarded_client(request.remote or "", forwarded, trusted)
        return Client(address, self.sessions.trace_of(request.cookies.get(self.cookie)))

    def language(self, request: web.Request) -> Catalogue:
        """The language of a request."""
        return chosen(
            request.cookies.get(LANGUAGE_COOKIE), request.headers.get("Accept-Language", "")
        )

    def set_cookie(self, response: web.Response, token: str) -> None:
        """Have the browser send `token` with everything that it asks for here, and nowhere else."""
        response.set_cookie(
            self.cookie,
            token,
            httponly=True,
            samesite="Strict",
            secure=self.settings.behind_tls,
            path="/",
        )

    def set_language(self, response: web.Response, code: str) -> None:
        """Remember a language."""
        if code in LANGUAGES:
            response.set_cookie(
                LANGUAGE_COOKIE,
                code,
                httponly=True,
                samesite="Strict",
                secure=self.settings.behind_tls,
                path="/",
                max_age=_A_YEAR,
            )

    def allowed(self, request: web.Request, token: str) -> bool:
        """Whether `token` shows that one of our own pages asks."""
        session = self.session(request)
        return session is not None and same(token, session.csrf)

    def note(self, said: Said) -> str:
        """Keep what was said for the page that is shown next; returns its name."""
        name = secrets.token_urlsafe(9)
        self.said[name] = said
        while len(self.said) > MOST_SAID:
            self.said.popitem(last=False)
        return name

    def page(
        self,
        request: web.Request,
        template: str,
        facts: Mapping[str, Any] | None = None,
        *,
        status: int = 200,
        turned_away: bool = False,
    ) -> web.Response:
        """A page in the reader's language; whoever is `turned_away` is nobody that we know."""
        session = None if turned_away else self.session(request)
        language = self.language(request)
        common = {
            "csrf": session.csrf if session else "",
            "known": session is not None,
            "asks": self.sessions.asks,
            "here": request.path,
            "seen": request.get(SEEN, self.live.version),
            "back": request.path_qs if request.method == "GET" else "/",
            "said": self.said.pop(request.query.get("said", ""), None) if session else None,
            "others": [catalogue(code) for code in LANGUAGES if code != language.code],
        }
        body = self.renderer.page(template, language, {**common, **(facts or {})})
        return web.Response(
            body=body,
            status=status,
            content_type="text/html",
            charset="utf-8",
            headers={"Content-Language": language.code, "Vary": "Accept-Language, Cookie"},
        )
