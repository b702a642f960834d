"""OAuth 2.0 user tokens that are renewed in time, by one request at a time, and never lost.

X's refresh tokens work once: the server replaces one as soon as it has processed a renewal, even
if the answer is lost. So a new pair is on disk before it is used, only one process renews at a
time, and nothing but a server out of order or out of reach leads to a second try: where such an
answer was lost after all, the second try finds the login dead, as it then was anyhow. The refresh
token before it is kept for people only: to offer a used one again makes X revoke the whole login.
Must not know what tokens are used for.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import quote

import aiohttp

from bridge.core.errors import (
    ConfigError,
    InDoubt,
    NetworkError,
    Throttled,
    Transient,
    Unauthorised,
    Unpaid,
)
from bridge.core.redaction import Redactor
from bridge.net.session import BodyTooLarge, read_capped
from bridge.networks.fields import moment_at, number_at, text_at
from bridge.networks.x.errors import describe, failure, read_problem
from bridge.networks.x.settings import OAuth2Credentials
from bridge.ports import Clock, TokenStore

log = logging.getLogger(__name__)

EARLY = timedelta(seconds=60)
"""How long before its end an access token is no longer used."""

SIGN_IN_AGAIN = "log in to X again with: twinpost login x"

_ANSWER_LIMIT = 64 * 1024
_LONGEST_LIFE = timedelta(days=400)
_REST_AFTER_REFUSAL = 600.0
"""Seconds for which a refused refresh token is not offered again: incidents pass, storms hurt."""
_CLOSING_PATIENCE = 5.0


@dataclass(frozen=True, slots=True, repr=False)
class Tokens:
    """One pair, the refresh token before it, and a fingerprint of the one that was configured."""

    access: str
    refresh: str
    previous: str
    origin: str
    expires_at: datetime | None


class UserTokens:
    """The access token of one account, kept fresh.

    Tokens in the store win over the configured ones as long as they descend from them; a newly
    pasted refresh token wins over what is stored.
    """

    def __init__(
        self,
        credentials: OAuth2Credentials,
        *,
        api: str,
        session: aiohttp.ClientSession,
        clock: Clock,
        store: TokenStore,
        name: str,
    ) -> None:
        self._credentials = credentials
        self._address = f"{api}/2/oauth2/token"
        self._session = session
        self._clock = clock
        self._store = store
        self._name = name
        self._tokens: Tokens | None = None
        self._unsaved = False
        self._renewal: asyncio.Task[None] | None = None
        self._refused_at: float | None = None
        self._refusal = ""

    async def access(self) -> str:
        """An access token that is good for a minute at least, as far as is known.

        Raises `Unauthorised` where only a new login helps, `Transient` or `Throttled` where the
        renewal could not be had now, or the store cannot be trusted or written.
        """
        tokens = self._present()
        ends = tokens.expires_at
        due = ends is not None and ends - EARLY <= self._clock.now()
        if due and tokens.refresh:
            await self._renew()
        elif self._unsaved:
            with _as_passing():
                self._save()
        return self._present().access

    async def replacing(self, rejected: str) -> str:
        """Another token than `rejected`, which the server has just refused; raises as `access`."""
        tokens = self._present()
        if tokens.access == rejected:
            if not tokens.refresh:
                raise Unauthorised(
                    "X no longer accepts the access token and there is no refresh token (that "
                    f"takes the scope offline.access): {SIGN_IN_AGAIN}",
                    status=HTTPStatus.UNAUTHORIZED,
                )
            await self._renew()
        return self._present().access

    def secrets(self) -> tuple[str, ...]:
        """Every token and key in use, for redaction."""
        given, tokens = self._credentials, self._tokens
        known = [given.access_token, given.refresh_token, given.client_secret]
        if tokens is not None:
            known += [tokens.access, tokens.refresh, tokens.previous]
        return tuple(each for each in known if each)

    async def close(self) -> None:
        """Let a renewal under way come to its end, so that the new tokens are not lost."""
        renewal = self._renewal
        if renewal is not None:
            await asyncio.wait({renewal}, timeout=_CLOSING_PATIENCE)
            renewal.cancel()
            await asyncio.gather(renewal, return_exceptions=True)

    def _present(self) -> Tokens:
        if self._tokens is None:
            given = self._credentials
            origin = hashlib.sha256((given.refresh_token or "").encode()).hexdigest()
            with _as_passing():
                saved = self._saved(origin) if given.refresh_token else None
            configured = given.refresh_token or ""
            self._tokens = saved or Tokens(given.access_token, configured, "", origin, None)
        return self._tokens

    def _saved(self, origin: str) -> Tokens | None:
        """The stored pair, where it descends from the login that `origin` stands for."""
        saved = self._store.load(self._name) or {}
        if saved.get("origin") != origin or not saved.get("access") or not saved.get("refresh"):
            return None
        return Tokens(
            access=saved["access"],
            refresh=saved["refresh"],
            previous=saved.get("previous", ""),
            origin=origin,
            expires_at=moment_at(saved, "expires_at"),
        )

    async def _renew(self) -> None:
        """Renew once, however many ask; a caller that is cancelled does not stop it."""
        if self._renewal is None:
            self._renewal = asyncio.create_task(self._renewed())
            self._renewal.add_done_callback(self._renewal_ended)
        await asyncio.shield(self._renewal)

    def _renewal_ended(self, task: asyncio.Task[None]) -> None:
        self._renewal = None
        if not task.cancelled() and task.exception() is not None:
            # Whoever asked for it is told; this is for a caller who has gone.
            log.debug("renewing the access token failed: %s", task.exception())

    async def _renewed(self) -> None:
        with _as_passing():
            await self._renewed_alone()

    async def _renewed_alone(self) -> None:
        # Other processes use the same login: a check or a preview beside the daemon.
        async with self._store.alone(self._name):
            if self._renewed_elsewhere():
                return
            self._check_rest()
            refresh = self._present().refresh
            try:
                answer = await self._exchange(refresh)
            except Unpaid:
                # The refresh token is as good as it was.
                raise
            except Unauthorised as error:
                self._refused_at, self._refusal = self._clock.monotonic(), error.detail
                raise
            self._adopt(answer, refresh)

    def _renewed_elsewhere(self) -> bool:
        """Take over what another process has saved since this one last looked, if anything."""
        present = self._present()
        if self._unsaved:
            return False
        saved = self._saved(present.origin)
        if saved is None or saved.refresh == present.refresh:
            return False
        self._tokens, self._refused_at = saved, None
        return True

    def _check_rest(self) -> None:
        if self._refused_at is None:
            return
        if self._clock.monotonic() - self._refused_at < _REST_AFTER_REFUSAL:
            raise Unauthorised(self._refusal)
        self._refused_at = None

    def _adopt(self, answer: Mapping[str, object], used: str) -> None:
        life = timedelta(seconds=min(number_at(answer, "expires_in") or 0, 2**31))
        self._tokens = Tokens(
            access=text_at(answer, "access_token"),
            refresh=text_at(answer, "refresh_token") or used,
            previous=used,
            origin=self._present().origin,
            expires_at=self._clock.now() + min(life, _LONGEST_LIFE) if life else None,
        )
        self._unsaved = True
        self._save()

    def _save(self) -> None:
        """Put the present pair on disk; until that has worked, nobody gets it."""
        tokens = self._present()
        values = {
            "access": tokens.access,
            "refresh": tokens.refresh,
            "previous": tokens.previous,
            "origin": tokens.origin,
        }
        if tokens.expires_at is not None:
            values["expires_at"] = tokens.expires_at.isoformat()
        self._store.save(self._name, values)
        self._unsaved = False

    async def _exchange(self, refresh: str) -> Mapping[str, object]:
        """One renewal request. Raises `NetworkError`s, but never `InDoubt`."""
        given = self._credentials
        form = {"grant_type": "refresh_token", "refresh_token": refresh}
        headers = {"Accept": "application/json"}
        if given.client_secret:
            # RFC 6749, 2.3.1: both halves are form-encoded before they are joined.
            pair = f"{quote(given.client_id, safe='')}:{quote(given.client_secret, safe='')}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        else:
            form["client_id"] = given.client_id
        redact = Redactor((*self.secrets(), *form.values(), *headers.values()))
        try:
            async with self._session.post(
                self._address, data=form, headers=headers, allow_redirects=False
            ) as response:
                status, told = response.status, response.headers
                body = await read_capped(response, _ANSWER_LIMIT)
        except (aiohttp.ClientError, OSError, TimeoutError, BodyTooLarge) as error:
            detail = f"renewing the access token: {type(error).__name__}"
            raise Transient(detail, unreachable=True) from None
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            now = self._clock.now()
            raise _refused(failure(status, told, body, now=now, writing=False, redact=redact))
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, Mapping) or not text_at(answer, "access_token"):
            detail = describe(status, read_problem(body), redact)
            raise Transient(f"renewing the access token: {detail} without a token", status=status)
        return answer


@contextmanager
def _as_passing() -> Iterator[None]:
    """A full disk, or a store that others can read, is mended while the bridge runs."""
    try:
        yield
    except (ConfigError, OSError) as error:
        words = getattr(error, "strerror", None) or str(error)
        raise Transient(f"the tokens of X could not be kept safely: {words}") from None


def _refused(error: NetworkError) -> NetworkError:
    """What a failed renewal means: what neither passes nor is about money needs a new login."""
    detail = f"renewing the access token: {error.detail}"
    if isinstance(error, Throttled):
        return Throttled(detail, status=error.status, until=error.until)
    if isinstance(error, Transient | InDoubt):
        unreachable = isinstance(error, Transient) and error.unreachable
        return Transient(detail, status=error.status, unreachable=unreachable)
    if isinstance(error, Unpaid):
        return Unpaid(detail, status=error.status, until=error.until)
    return Unauthorised(f"{detail}: the login is dead, {SIGN_IN_AGAIN}", status=error.status)
