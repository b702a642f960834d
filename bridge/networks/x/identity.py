"""Whose account it is, whether it is protected, and whether it pays for Premium.

A post on X does not tell who can see it, and X's limits follow what the account pays for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from bridge.core.errors import NetworkError, Transient
from bridge.core.model import Account
from bridge.networks.fields import UNKNOWN_ID, mapping_at, text_at
from bridge.networks.x.client import XClient
from bridge.networks.x.normalise import account_from
from bridge.ports import Clock

AUDIENCE_TRUSTED_FOR = 15.0
"""Seconds for which it is believed that an account is not protected.

Asking is free, but may be done 75 times in a quarter of an hour. Well below the usual time between
two polls, so that what was written after the account was closed is known for what it is.
"""


PREMIUM_TRUSTED_FOR = 86_400.0
"""Seconds for which it is believed that an account pays for Premium, or does not."""

_LEFT_IN_PEACE = 300.0
"""Seconds after which X is asked again that did not answer."""

_JUST_NOW = 10.0
_PAID_BY_OTHERS = frozenset({"business", "government"})
"""Verified organizations have long posts without a subscription of their own."""


class Identity:
    """The account that the credentials belong to. `web` is where its posts are seen."""

    def __init__(self, client: XClient, clock: Clock, web: str) -> None:
        self._client = client
        self._clock = clock
        self._web = web
        self._account: Account | None = None
        self._asking = asyncio.Lock()
        self._asked_at = 0.0
        self._tried_at: float | None = None
        self._premium: bool | None = None

    async def account(self) -> Account:
        """The account; `protected` as it stood when last asked."""
        async with self._asking:
            return self._account or await self._ask()

    async def audience(self) -> Account:
        """The account, with fresh word on whether it is protected."""
        async with self._asking:
            fresh = self._clock.monotonic() - self._asked_at < AUDIENCE_TRUSTED_FOR
            return self._account if self._account and fresh else await self._ask()

    async def premium(self, *, afresh: bool = False) -> bool | None:
        """Whether the account has Premium, by X's own word; None where X does not say.

        Asked once a day, and where `afresh` says that it may have changed. Never raises.
        """
        async with self._asking:
            now = self._clock.monotonic()
            since = _LEFT_IN_PEACE if self._account is None else PREMIUM_TRUSTED_FOR
            wait = _JUST_NOW if afresh else since
            if self._tried_at is None or now - self._tried_at >= wait:
                with suppress(NetworkError):
                    await self._ask()
        return self._premium

    async def _ask(self) -> Account:
        self._tried_at = self._clock.monotonic()
        answer = await self._client.me()
        account = account_from(answer)
        if account.id == UNKNOWN_ID or not account.handle:
            raise Transient("HTTP 200: X did not say whose credentials these are")
        level = self._client.access_level.lower()
        may_write = "write" in level if level else None
        url = f"{self._web}/{account.handle}"
        self._account = replace(account, url=url, may_write=may_write)
        self._premium = _premium(mapping_at(answer, "data") or answer)
        self._asked_at = self._clock.monotonic()
        return self._account


def _premium(user: Mapping[str, object]) -> bool | None:
    kind = text_at(user, "subscription_type").strip().lower()
    if kind in {"", "none"}:
        organization = text_at(user, "verified_type").strip().lower() in _PAID_BY_OTHERS
        return None if organization or not kind else False
    return True
