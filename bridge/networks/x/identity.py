"""Whose account it is, and whether it is protected: a post on X does not tell who can see it."""

from __future__ import annotations

from dataclasses import replace

from bridge.core.errors import Transient
from bridge.core.model import Account
from bridge.networks.fields import UNKNOWN_ID
from bridge.networks.x.client import XClient
from bridge.networks.x.normalise import account_from
from bridge.ports import Clock

AUDIENCE_TRUSTED_FOR = 15.0
"""Seconds for which it is believed that an account is not protected.

Asking is free, but may be done 75 times in a quarter of an hour. Well below the usual time between
two polls, so that what was written after the account was closed is known for what it is.
"""


class Identity:
    """The account that the credentials belong to. `web` is where its posts are seen."""

    def __init__(self, client: XClient, clock: Clock, web: str) -> None:
        self._client = client
        self._clock = clock
        self._web = web
        self._account: Account | None = None
        self._asked_at = 0.0

    async def account(self) -> Account:
        """The account; `protected` as it stood when last asked."""
        return self._account or await self._ask()

    async def audience(self) -> Account:
        """The account, with fresh word on whether it is protected."""
        fresh = self._clock.monotonic() - self._asked_at < AUDIENCE_TRUSTED_FOR
        return self._account if self._account and fresh else await self._ask()

    async def _ask(self) -> Account:
        account = account_from(await self._client.me())
        if account.id == UNKNOWN_ID or not account.handle:
            raise Transient("HTTP 200: X did not say whose credentials these are")
        level = self._client.access_level.lower()
        may_write = "write" in level if level else None
        url = f"{self._web}/{account.handle}"
        self._account = replace(account, url=url, may_write=may_write)
        self._asked_at = self._clock.monotonic()
        return self._account
