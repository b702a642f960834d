"""What a page can have done: a form, a token that proves it is ours, a command, a sentence.

Translates to `engine.commands` and back. Must not decide whether something fits.
"""

from __future__ import annotations

import logging
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from aiohttp import web

from bridge.core.errors import TwinpostError
from bridge.net.bodies import form
from bridge.surfaces.web.site import Said, Site

log = logging.getLogger(__name__)

DEEDS: Final = frozenset({"pause", "resume", "sync-now", "resolve", "retry", "release", "drop"})
_LONGEST: Final = 4096


class Acting:
    """The handlers of forms."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def do(self, request: web.Request) -> web.Response:
        """Do what a button names, then show the page it stood on, with what came of it."""
        given = {name: value[:_LONGEST] for name, value in (await form(request)).items()}
        if not self._site.allowed(request, given.get("csrf", "")):
            raise web.HTTPForbidden
        deed = given.get("do", "")
        if deed not in DEEDS:
            raise web.HTTPUnprocessableEntity
        said = await self._done(deed, given)
        # Not every command is an event, and the page that asked is not the only one that is open.
        self._site.live.touch()
        return self._back(given.get("back", ""), said)

    async def _done(self, deed: str, given: dict[str, str]) -> Said:
        sent = given.get("sent", "").strip()
        if deed == "resolve" and given.get("stands") == "yes" and not sent:
            return Said("said.address-missing", well=False)
        asked: dict[str, str | None] = {
            "do": deed,
            "bridge": given.get("bridge") or None,
            "direction": given.get("direction") or None,
            # No post means all that wait, and only a release can be of all.
            "post": given.get("post") or (None if deed == "release" else ""),
            "sent": sent if given.get("stands") == "yes" else None,
        }
        try:
            words = await self._site.bridge.commands.obey(asked)
        except TwinpostError as error:
            return Said("said.refused", str(error), well=False)
        except (ValueError, KeyError):
            raise web.HTTPUnprocessableEntity from None
        log.info("asked for on the web page: %s", words)
        key = "not-sent" if deed == "resolve" and asked["sent"] is None else deed
        return Said(f"said.{key}")

    def _back(self, path: str, said: Said) -> web.Response:
        name = self._site.note(said)
        parts = urlsplit(own_path(path))
        query = [pair for pair in parse_qsl(parts.query) if pair[0] != "said"]
        target = f"{parts.path}?{urlencode([*query, ('said', name)])}"
        return web.Response(status=303, headers={"Location": target})

    async def sign_in(self, request: web.Request) -> web.Response:
        """Open a session for whoever knows the password."""
        given = await form(request)
        goal = own_path(given.get("back", ""))
        client = self._site.client(request)
        wait = self._site.patience.wait(client)
        if wait > 0:
            seconds = int(wait) + 1
            facts = {"wrong": False, "wait": seconds, "goal": goal}
            response = self._site.page(request, "login.html", facts, status=429)
            response.headers["Retry-After"] = str(seconds)
            return response
        token = self._site.sessions.open(given.get("password", "")[:_LONGEST])
        if token is None:
            self._site.patience.wrong(client)
            log.warning("somebody gave a wrong password on the web page, from %s", client.address)
            facts = {"wrong": True, "wait": 0, "goal": goal}
            return self._site.page(request, "login.html", facts, status=403)
        self._site.patience.right(client)
        response = web.Response(status=303, headers={"Location": goal})
        self._site.set_cookie(response, token)
        return response

    async def sign_out(self, request: web.Request) -> web.Response:
        """End a session."""
        given = await form(request)
        if not self._site.allowed(request, given.get("csrf", "")):
            raise web.HTTPForbidden
        self._site.sessions.close(request.cookies.get(self._site.cookie))
        response = web.Response(status=303, headers={"Location": "/"})
        response.del_cookie(self._site.cookie, path="/", secure=self._site.settings.behind_tls)
        return response

    async def speak(self, request: web.Request) -> web.Response:
        """Show everything in another language from now on. Harmless, so it takes no session."""
        given = await form(request)
        response = web.Response(status=303, headers={"Location": own_path(given.get("back", ""))})
        self._site.set_language(response, given.get("language", ""))
        return response


def own_path(path: str) -> str:
    """`path` where it is one of this site, else the first page: nobody is sent elsewhere."""
    plain = path.isascii() and path.isprintable() and "\\" not in path
    return path if plain and path.startswith("/") and not path.startswith("//") else "/"
