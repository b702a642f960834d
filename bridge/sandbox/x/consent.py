"""The page on which an owner lets an app in, and the codes it gives: OAuth 2.0 with PKCE, as X.

The page knows no password: whoever can reach a sandbox may agree. A code counts once, for 30
seconds, with the callback address and the verifier it was given for.
Must not know what tokens are: `oauth2` hands them out.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from urllib.parse import urlencode

from aiohttp import web

from bridge.sandbox.clock import SandboxClock
from bridge.sandbox.x.accounts import XAccount

CODE_LIFE = timedelta(seconds=30)
CALLBACK = "http://127.0.0.1:8423/callback"
"""What the settings of a new app say."""

_LISTED = (
    "tweet.read tweet.write tweet.moderate.write users.email users.read follows.read "
    "follows.write offline.access space.read mute.read mute.write like.read like.write list.read "
    "list.write block.read block.write bookmark.read bookmark.write dm.read dm.write media.write"
)
SCOPES = frozenset(_LISTED.split())

_LONGEST_STATE = 500
_MOST_CODES = 1000
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title} / X</title></head>
<body><main>{body}</main></body></html>
"""
_WRONG = (
    "<h1>Something went wrong</h1><p>You weren't able to give access to the App. Go back and try "
    "logging in again.</p>"
)
_CARRIED = (
    "response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge",
    "code_challenge_method",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Consent:
    """What a code stands for."""

    account: XAccount
    redirect: str
    scopes: tuple[str, ...]
    challenge: str
    until: datetime


class ConsentDesk:
    """Asks owners, and remembers what they agreed to."""

    def __init__(self, clock: SandboxClock, accounts: Callable[[], Mapping[str, XAccount]]) -> None:
        self._clock = clock
        self._accounts = accounts
        self._callbacks: dict[str, set[str]] = {}
        self._codes: dict[str, Consent] = {}

    def allow(self, client_id: str, callback: str) -> None:
        """Add a callback address to an app's settings."""
        self._callbacks.setdefault(client_id, {CALLBACK}).add(callback)

    def take(self, code: str) -> Consent | None:
        """What `code` stands for, once, while it counts."""
        consent = self._codes.pop(code, None)
        return consent if consent and self._clock.now() < consent.until else None

    async def ask(self, request: web.Request) -> web.Response:
        """``GET /i/oauth2/authorize``: the page with the buttons."""
        fields = dict(request.query)
        account = self._app(fields)
        if account is None:
            return _page(400, "Error", _WRONG)
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{escape(fields[name])}">'
            for name in _CARRIED
        )
        listed = "".join(f"<li>{escape(scope)}</li>" for scope in fields["scope"].split())
        body = (
            "<h1>twinpost wants to access your X account.</h1>"
            f"<p>Signed in as @{escape(account.handle)}.</p><ul>{listed}</ul>"
            f'<form method="post" action="/i/oauth2/authorize">{hidden}'
            '<button type="submit" name="decision" value="approve">Authorize app</button> '
            '<button type="submit" name="decision" value="deny">Cancel</button></form>'
        )
        return _page(200, "Authorize app", body)

    async def decide(self, request: web.Request) -> web.Response:
        """``POST /i/oauth2/authorize``: a button was pressed; back to the app."""
        fields = {name: str(value) for name, value in (await request.post()).items()}
        account = self._app(fields)
        if account is None:
            return _page(400, "Error", _WRONG)
        answer = {"state": fields["state"]}
        if fields.get("decision") == "approve":
            answer["code"] = self._granted(account, fields)
        else:
            answer["error"] = "access_denied"
        target = fields["redirect_uri"]
        raise web.HTTPFound(f"{target}{'&' if '?' in target else '?'}{urlencode(answer)}")

    def _granted(self, account: XAccount, fields: Mapping[str, str]) -> str:
        code = secrets.token_urlsafe(48)
        while len(self._codes) >= _MOST_CODES:
            del self._codes[next(iter(self._codes))]
        self._codes[code] = Consent(
            account,
            fields["redirect_uri"],
            tuple(fields["scope"].split()),
            fields["code_challenge"],
            self._clock.now() + CODE_LIFE,
        )
        return code

    def _app(self, fields: Mapping[str, str]) -> XAccount | None:
        """Whose app asks, and well; None for anything that X answers by its page of regret."""
        if not all(fields.get(name) for name in _CARRIED):
            return None
        client_id = fields["client_id"]
        owner = next(
            (one for one in self._accounts().values() if one.oauth2.client_id == client_id), None
        )
        well = (
            fields["response_type"] == "code"
            and fields["redirect_uri"] in self._callbacks.get(client_id, {CALLBACK})
            and set(fields["scope"].split()) <= SCOPES
            and len(fields["state"]) <= _LONGEST_STATE
            and fields["code_challenge_method"] == "S256"
        )
        return owner if well else None


def proves(verifier: str, challenge: str) -> bool:
    """Whether `verifier` is what the S256 challenge was made of."""
    digest = hashlib.sha256(verifier.encode()).digest()
    made = base64.urlsafe_b64encode(digest).rstrip(b"=")
    return hmac.compare_digest(made, challenge.encode())


def _page(status: int, title: str, body: str) -> web.Response:
    page = _PAGE.format(title=title, body=body)
    return web.Response(status=status, text=page, content_type="text/html")
