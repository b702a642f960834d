"""Applications, codes and tokens: who may ask for what. The store; `oauth_routes` serves it.

Must not keep a token in a log or an error. Tokens do not expire; codes do, after ten minutes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bridge.sandbox.clock import SandboxClock

CODE_LIFE = timedelta(minutes=10)
VAPID_KEY = "".join(("B", "sandbox" * 12, "sa="))
"""Shaped like a key for web push, which nothing here sends."""

OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"

_READ = (
    "accounts blocks bookmarks favourites filters follows lists mutes notifications search statuses"
)
_WRITE = (
    "accounts blocks bookmarks conversations favourites filters follows lists media mutes "
    "notifications reports statuses"
)
SCOPES = (
    "read",
    "profile",
    "write",
    "follow",
    "push",
    *(f"read:{name}" for name in _READ.split()),
    *(f"write:{name}" for name in _WRITE.split()),
)


@dataclass(frozen=True, slots=True)
class Application:
    """A registered client; `scopes` is the most that its tokens may have."""

    id: str
    name: str
    website: str | None
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Token:
    """What a bearer may do. `account_id` is None for a client's own token."""

    id: str
    secret: str = field(repr=False)
    account_id: str | None
    scopes: tuple[str, ...]
    application: str
    website: str | None
    client_id: str
    created_at: datetime
    revoked: bool = False

    def allows(self, *scopes: str) -> bool:
        """Whether one of `scopes` is among its own; `read` includes nothing but itself here.

        As Doorkeeper: an endpoint names the wide scope and the narrow one, and either will do.
        """
        return any(scope in self.scopes for scope in scopes)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code stands for until it is exchanged."""

    client_id: str
    account_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    challenge: str | None
    expires_at: datetime


class Tokens:
    """The applications and tokens of one server."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock
        self._applications: dict[str, Application] = {}
        self._tokens: dict[str, Token] = {}
        self._grants: dict[str, Grant] = {}
        self._made = 0
        self._listeners: list[Callable[[Token], None]] = []

    def on_revocation(self, listener: Callable[[Token], None]) -> None:
        """Call `listener` with every token that is revoked."""
        self._listeners.append(listener)

    def register(
        self,
        name: str,
        website: str | None,
        redirect_uris: tuple[str, ...],
        scopes: tuple[str, ...],
    ) -> Application:
        """A new client."""
        self._made += 1
        application = Application(
            id=str(self._made),
            name=name,
            website=website,
            redirect_uris=redirect_uris,
            scopes=scopes,
            client_id=secrets.token_urlsafe(32),
            client_secret=secrets.token_urlsafe(32),
        )
        self._applications[application.client_id] = application
        return application

    def application(self, client_id: str | None) -> Application | None:
        """The client with this id."""
        return self._applications.get(client_id or "")

    def authenticated(self, client_id: str | None, secret: str | None) -> Application | None:
        """The client with this id and secret."""
        application = self.application(client_id)
        if application is None or secret is None:
            return None
        same = hmac.compare_digest(application.client_secret.encode(), secret.encode())
        return application if same else None

    def issue(
        self, account_id: str | None, scopes: tuple[str, ...], application: Application
    ) -> Token:
        """A new token."""
        self._made += 1
        token = Token(
            id=str(self._made),
            secret=secrets.token_urlsafe(32),
            account_id=account_id,
            scopes=scopes,
            application=application.name,
            website=application.website,
            client_id=application.client_id,
            created_at=self._clock.now(),
        )
        self._tokens[token.secret] = token
        return token

    def find(self, secret: str) -> Token | None:
        """The token with this secret, revoked ones included."""
        return self._tokens.get(secret)

    def revoke(self, secret: str) -> None:
        """End a token at once, streams included."""
        token = self._tokens.get(secret)
        if token is not None and not token.revoked:
            revoked = replace(token, revoked=True)
            self._tokens[secret] = revoked
            for listener in self._listeners:
                listener(revoked)

    def grant(
        self,
        application: Application,
        account_id: str,
        redirect_uri: str,
        scopes: tuple[str, ...],
        challenge: str | None,
    ) -> str:
        """A code that can be exchanged once."""
        now = self._clock.now()
        self._grants = {
            code: grant for code, grant in self._grants.items() if grant.expires_at > now
        }
        code = secrets.token_urlsafe(32)
        self._grants[code] = Grant(
            application.client_id, account_id, redirect_uri, scopes, challenge, now + CODE_LIFE
        )
        return code

    def redeem(
        self, code: str, application: Application, redirect_uri: str, verifier: str | None
    ) -> Token | None:
        """The token that `code` stands for, once; None where anything does not fit."""
        grant = self._grants.pop(code, None)
        if (
            grant is None
            or grant.expires_at <= self._clock.now()
            or grant.client_id != application.client_id
            or grant.redirect_uri != redirect_uri
            or not _proves(verifier, grant.challenge)
        ):
            return None
        return self.issue(grant.account_id, grant.scopes, application)


def _proves(verifier: str | None, challenge: str | None) -> bool:
    if challenge is None:
        return verifier is None
    digest = hashlib.sha256((verifier or "").encode()).digest()
    made = base64.urlsafe_b64encode(digest).rstrip(b"=")
    return hmac.compare_digest(made, challenge.rstrip("=").encode())
