"""Every request of a session, noticed as it ends: for figures, without a word in the clients' code.

Must not see bodies, nor keep anything, and must not know any network.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from types import SimpleNamespace

import aiohttp

Seen = Callable[[str, str, int | None, Mapping[str, str]], None]
"""Hears of a request that ended: its method, its path as sent, the status and headers of its answer
(None and nothing where none came). Headers are found by lower-case names."""


def tracing(seen: Seen) -> aiohttp.TraceConfig:
    """What a session is given so that `seen` hears of its requests.

    One that we ended ourselves is not told: it says nothing about the network.
    """
    config = aiohttp.TraceConfig()

    async def answered(
        _: aiohttp.ClientSession, __: SimpleNamespace, told: aiohttp.TraceRequestEndParams
    ) -> None:
        seen(told.method, told.url.raw_path, told.response.status, told.response.headers)

    async def failed(
        _: aiohttp.ClientSession, __: SimpleNamespace, told: aiohttp.TraceRequestExceptionParams
    ) -> None:
        if not isinstance(told.exception, asyncio.CancelledError):
            seen(told.method, told.url.raw_path, None, {})

    config.on_request_end.append(answered)
    config.on_request_exception.append(failed)
    return config
