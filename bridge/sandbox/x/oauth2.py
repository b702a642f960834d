"""OAuth 2.0 user tokens: two hours of access, refresh tokens that work once.

Using a refresh token a second time kills every token that descends from the same login. Must not
know what a token gives access to.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import unquote

from aiohttp import web

from bridge.sandbox.clock import SandboxClock
from bridge.sandbox.x.accounts import XAccount
from bridge.sandbox.x.consent import ConsentDesk, proves

ACCESS_LIFETIME = timedelta(seconds=7200)
REFRESH_LIFETIME = timedelta(days=180)

NEEDED: Mapping[str, frozenset[str]] = {
    "GET /2/users/me": frozenset({"tweet.read", "users.read"}),
    "POST /2/tweets": frozenset({"tweet.read", "tweet.write", "users.read"}),
    "DELETE /2/tweets/:id": frozenset({"tweet.read", "tweet.write", "users.read"}),
}
"""Scopes by endpoint, as X's OpenAPI document has them; see `needed`."""

_DEAD = "Value passed for the token was invalid."
_MAX_SPENT = 10_000


@dataclass(slots=True)
class _Family:
    """All tokens of one login."""

    account: XAccount
    access: str
    access_until: datetime
    refresh: str
    refresh_until: datetime
    scopes: tuple[str, ...]
    spent: list[str] = field(default_factory=list)


def needed(endpoint: str) -> frozenset[str]:
    """The scopes that a user's token must have for `endpoint`, such as ``GET /2/tweets/:id``."""
    if "/2/media/" in endpoint:
        return frozenset({"media.write"})
    return NEEDED.get(endpoint, frozenset({"tweet.read", "users.read"}))


class TokenDesk:
    """Issues, refreshes and recognises Bearer tokens."""

    def __init__(self, clock: SandboxClock, consents: ConsentDesk) -> None:
        self._clock = clock
        self._consents = consents
        self._by_access: dict[str, _Family] = {}
        self._by_refresh: dict[str, _Family] = {}

    def add(self, account: XAccount) -> None:
        """Accept `account`'s first tokens; their lifetimes begin now."""
        now = self._clock.now()
        keys = account.oauth2
        family = _Family(
            account,
            keys.access_token,
            now + ACCESS_LIFETIME,
            keys.refresh_token,
            now + REFRESH_LIFETIME,
            tuple(account.scopes.split()),
        )
        self._by_access[family.access] = family
        self._by_refresh[family.refresh] = family

    def scopes(self, request: web.Request) -> tuple[str, ...]:
        """What the Bearer token of `request`, which is a living one, may do."""
        token = request.headers.get("Authorization", "").partition(" ")[2]
        return self._by_access[token.strip()].scopes

    def reset(self) -> None:
        """Forget every token."""
        self._by_access.clear()
        self._by_refresh.clear()

    def account_id(self, request: web.Request) -> str | None:
        """Whose living Bearer token `request` carries, if it does."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        family = self._by_access.get(token.strip()) if scheme.lower() == "bearer" else None
        if family is None or self._clock.now() >= family.access_until:
            return None
        return family.account.id

    async def token(self, request: web.Request) -> web.Response:
        """``POST /2/oauth2/token`` for a code, or for a refresh token.

        A confidential client proves itself by HTTP Basic, a public one names its `client_id`.
        """
        if request.content_type != "application/x-www-form-urlencoded":
            return _refused(400, "invalid_request", "The body must be form-encoded.")
        form = {name: str(value) for name, value in (await request.post()).items()}
        basic = _basic(request.headers.get("Authorization", ""))
        if basic:
            form["client_id"] = basic[0]
        grant = form.get("grant_type")
        by_code = ("code", "redirect_uri", "code_verifier")
        needed = by_code if grant == "authorization_code" else ("refresh_token",)
        for name in ("grant_type", *needed, "client_id"):
            if not form.get(name):
                return _refused(400, "invalid_request", f"Missing required parameter [{name}].")
        if grant == "authorization_code":
            return self._redeemed(form, basic)
        if grant == "refresh_token":
            return self._renewed(form, basic)
        return _refused(400, "unsupported_grant_type", "That grant is not served here.")

    def _renewed(self, form: Mapping[str, str], basic: tuple[str, str] | None) -> web.Response:
        family = self._by_refresh.get(form["refresh_token"])
        if family is None or family.account.oauth2.client_id != form["client_id"]:
            return _refused(400, "invalid_request", _DEAD)
        if not _known_client(family.account, basic):
            return _refused(401, "unauthorized_client", "Missing valid authorization header")
        return self._refreshed(family, form["refresh_token"])

    def _redeemed(self, form: Mapping[str, str], basic: tuple[str, str] | None) -> web.Response:
        """The first tokens of a new login, for a code. A code that did not fit is spent, too."""
        consent = self._consents.take(form["code"])
        if consent is None or consent.account.oauth2.client_id != form["client_id"]:
            words = "Value passed for the authorization code was invalid."
            return _refused(400, "invalid_request", words)
        if not _known_client(consent.account, basic):
            return _refused(401, "unauthorized_client", "Missing valid authorization header")
        if consent.redirect != form["redirect_uri"]:
            words = "Value passed for the redirect uri did not match the uri of the authorization"
            return _refused(400, "invalid_request", f"{words} code.")
        if not proves(form["code_verifier"], consent.challenge):
            words = "Value passed for the code verifier did not match the code challenge."
            return _refused(400, "invalid_request", words)
        now = self._clock.now()
        family = _Family(
            consent.account,
            secrets.token_urlsafe(48),
            now + ACCESS_LIFETIME,
            secrets.token_urlsafe(48),
            now + REFRESH_LIFETIME,
            consent.scopes,
        )
        self._by_access[family.access] = family
        if "offline.access" in consent.scopes:
            self._by_refresh[family.refresh] = family
        return _issued(family)

    def _refreshed(self, family: _Family, token: str) -> web.Response:
        now = self._clock.now()
        if token != family.refresh:
            self._kill(family)
            return _refused(400, "invalid_request", _DEAD)
        if now >= family.refresh_until:
            return _refused(400, "invalid_request", _DEAD)
        del self._by_access[family.access]
        family.spent.append(family.refresh)
        if len(family.spent) > _MAX_SPENT:
            del self._by_refresh[family.spent.pop(0)]
        family.access = secrets.token_urlsafe(48)
        family.refresh = secrets.token_urlsafe(48)
        family.access_until = now + ACCESS_LIFETIME
        family.refresh_until = now + REFRESH_LIFETIME
        self._by_access[family.access] = family
        self._by_refresh[family.refresh] = family
        return _issued(family)

    def _kill(self, family: _Family) -> None:
        self._by_access.pop(family.access, None)
        for token in (family.refresh, *family.spent):
            self._by_refresh.pop(token, None)


def _known_client(account: XAccount, basic: tuple[str, str] | None) -> bool:
    """Whether a confidential client proved itself; a public one has nothing to prove."""
    secret = account.oauth2.client_secret
    return not secret or (basic is not None and hmac.compare_digest(basic[1], secret))


def _issued(family: _Family) -> web.Response:
    body: dict[str, object] = {
        "token_type": "bearer",
        "expires_in": int(ACCESS_LIFETIME.total_seconds()),
        "access_token": family.access,
        "scope": " ".join(family.scopes),
    }
    if "offline.access" in family.scopes:
        body["refresh_token"] = family.refresh
    return web.json_response(body)


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(value, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
    name, _, secret = decoded.partition(":")
    return unquote(name), unquote(secret)


def _refused(status: int, error: str, description: str) -> web.Response:
    body = {"error": error, "error_description": description}
    return web.json_response(body, status=status)
