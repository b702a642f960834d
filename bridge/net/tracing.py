"""Every request of a session, noticed as it ends: for figures, without a word in the clients' code.

Must not see bodies, nor keep anything, and must not know any network.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from types import SimpleNamespace

import aiohttp
from yarl import URL

log = logging.getLogger(__name__)

Seen = Callable[[str, str, int | None, Mapping[str, str]], None]
"""Hears of a request that ended: its method, its path as sent, the status and headers of its answer
(None and nothing where none came). Headers are found by lower-case names."""


def tracing(seen: Seen) -> aiohttp.TraceConfig:
    """What a session is given so that `seen` hears of its requests.

    One that we ended ourselves is not told: it says nothing about the network. Whatever `seen` does
    wrong stays without consequence: a post that stands must not be taken for one that failed.
    """
    config = aiohttp.TraceConfig()

    def tell(method: str, url: URL, status: int | None, headers: Mapping[str, str]) -> None:
        try:
            seen(method, url.raw_path, status, headers)
        except Exception:
            log.exception("a request could not be counted")

    async def answered(
        _: aiohttp.ClientSession, __: SimpleNamespace, told: aiohttp.TraceRequestEndParams
    ) -> None:
        tell(told.method, told.url, told.response.status, told.response.headers)

    async def failed(
        _: aiohttp.ClientSession, __: SimpleNamespace, told: aiohttp.TraceRequestExceptionParams
    ) -> None:
        if not isinstance(told.exception, asyncio.CancelledError):
            tell(told.method, told.url, None, {})

    config.on_request_end.append(answered)
    config.on_request_exception.append(failed)
    return config
