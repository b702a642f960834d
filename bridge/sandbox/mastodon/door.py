"""What every handler needs at its door: the server's parts, and who is asking with what rights.

Decides whether a request may come in; must not know what it asks for.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from bridge.sandbox.clock import SandboxClock
from bridge.sandbox.mastodon.limits import Caller, RateLimits
from bridge.sandbox.mastodon.media import MediaStore
from bridge.sandbox.mastodon.oauth import Token, Tokens
from bridge.sandbox.mastodon.posting import Posting
from bridge.sandbox.mastodon.problems import (
    LOGIN_DISABLED,
    MOVED_AWAY,
    NO_USER,
    OUTSIDE_SCOPES,
    TOKEN_INVALID,
    TOKEN_REVOKED,
    ApiError,
)
from bridge.sandbox.mastodon.profiles import Profile
from bridge.sandbox.mastodon.records import MastodonAccount
from bridge.sandbox.mastodon.serialise import Serialiser
from bridge.sandbox.mastodon.state import State


@dataclass(frozen=True, slots=True)
class Door:
    """One server's parts, and the checks that come before any of them is used."""

    profile: Profile
    clock: SandboxClock
    state: State
    media: MediaStore
    tokens: Tokens
    posting: Posting
    show: Serialiser
    limits: RateLimits

    def origin(self, request: web.Request) -> str:
        """The address that the server was asked under, without a slash at its end."""
        return f"{request.scheme}://{request.host}"

    def caller(self, request: web.Request) -> Caller:
        """Whom a request counts for."""
        token = self._token(request)
        if token is None or token.revoked:
            return Caller(None, None, request.remote or "")
        return Caller(token.id, token.account_id, request.remote or "")

    def enter(self, request: web.Request, *scopes: str) -> tuple[MastodonAccount, Token]:
        """The account that asks, by a token with one of `scopes` (none given: any token).

        Raises `ApiError`: 401 without a valid token, 403 outside its scopes, 422 for a token that
        belongs to no user.
        """
        token = self.bearer(request)
        if scopes and not token.allows(*scopes):
            raise self._outside()
        account = self.state.account(token.account_id) if token.account_id else None
        if account is None:
            raise ApiError(422, NO_USER)
        self._require_able(account, scopes)
        return account, token

    def _require_able(self, account: MastodonAccount, scopes: tuple[str, ...]) -> None:
        """Raises `ApiError` for an account that the server lets do nothing, or only read.

        Mastodon shows a moved account to anybody but to itself; elsewhere it may still read.
        """
        how, _ = self.state.condition(account.id)
        writes = any(scope.startswith("write") for scope in scopes)
        if how in {"", "limited"} or not (writes or self.profile.dialect == "mastodon"):
            return
        if self.profile.dialect == "gotosocial" and how == "moved":
            raise ApiError(403, MOVED_AWAY)
        if self.profile.dialect in {"mastodon", "gotosocial"}:
            raise ApiError(403, LOGIN_DISABLED)
        raise ApiError(422, f"Validation failed: {how}")

    def look(self, request: web.Request, *scopes: str) -> str | None:
        """The id of the account that asks, or None for anybody; a token given must be good."""
        if self._secret(request) is None:
            return None
        token = self.bearer(request)
        if not token.allows(*scopes):
            raise self._outside()
        return token.account_id

    def bearer(self, request: web.Request) -> Token:
        """The valid token of a request. Raises `ApiError` 401."""
        token = self._token(request)
        if token is not None and not token.revoked:
            return token
        message = TOKEN_INVALID if token is None else TOKEN_REVOKED
        challenge = (
            f'Bearer realm="Doorkeeper", error="invalid_token", error_description="{message}"'
        )
        if self.profile.dialect == "gotosocial":
            message = "Unauthorized: token not supplied or invalid"
        raise ApiError(401, message, headers={"WWW-Authenticate": challenge})

    def _outside(self) -> ApiError:
        if self.profile.dialect == "gotosocial":
            return ApiError(403, "Forbidden: token has insufficient scope permission")
        return ApiError(403, OUTSIDE_SCOPES)

    def _token(self, request: web.Request) -> Token | None:
        secret = self._secret(request)
        return None if secret is None else self.tokens.find(secret)

    def _secret(self, request: web.Request) -> str | None:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and secret:
            return secret.strip()
        return request.query.get("access_token")
