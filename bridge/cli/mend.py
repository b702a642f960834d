"""`resolve`, `retry`, `drop`: the owner decides about a post that waits.

Works on the ledger while no daemon does; what was decided is carried out by the next pass.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from bridge.app import mending
from bridge.cli.exits import Exit
from bridge.config import load, locate
from bridge.core.errors import ConfigError
from bridge.core.record import PostRecord
from bridge.engine.mend import Mend


def resolve(arguments: argparse.Namespace) -> int:
    """Say of a part in doubt whether it was sent."""

    async def act(mend: Mend) -> str:
        if arguments.sent:
            await mend.sent(arguments.sent)
            return "noted as sent"
        await mend.not_sent()
        return "noted as not sent: the next pass sends it"

    return asyncio.run(_mended(arguments, act))


def retry(arguments: argparse.Namespace) -> int:
    """Send a failed or held post after all."""

    async def act(mend: Mend) -> str:
        await mend.retry()
        return "the next pass sends it"

    return asyncio.run(_mended(arguments, act))


def drop(arguments: argparse.Namespace) -> int:
    """Let a post be."""

    async def act(mend: Mend) -> str:
        await mend.drop()
        return "dropped: it will not be sent"

    return asyncio.run(_mended(arguments, act))


async def _mended(arguments: argparse.Namespace, act: Callable[[Mend], Awaitable[str]]) -> int:
    settings = load(locate(arguments.config))
    now = datetime.now(UTC)
    async with mending(settings, now) as ledger:
        record = _mirrored(await ledger.find(arguments.id), arguments.id)
        said = await act(Mend(ledger, record, now))
    print(f"{record.route} {record.source}: {said}")
    return Exit.FINE


def _mirrored(records: tuple[PostRecord, ...], named: str) -> PostRecord:
    """The one record that has parts; a mirror's own record, an echo, has none."""
    found = [record for record in records if record.parts]
    if not found:
        raise ConfigError(f"no post that was to be mirrored is known by {named}")
    if len(found) > 1:
        ids = ", ".join(f"{record.route} {record.source}" for record in found)
        raise ConfigError(f"{named} means more than one post: {ids}; use one of these ids")
    return found[0]
