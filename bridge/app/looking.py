"""The ledger of some settings, to be asked: beside a running daemon, or without one.

What `history`, `why` and `status` need and nothing more, so that they answer at once. Must not
write, and must not import what speaks to a network.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from bridge.config import Settings
from bridge.core.model import Direction, Network, Route
from bridge.core.plausible import horizon
from bridge.core.record import Cursor
from bridge.engine.control import Control
from bridge.ledger.sqlite import open_reader
from bridge.networks.x import ids
from bridge.ports import LedgerView


def ledger_path(settings: Settings) -> Path:
    """Where the ledger of these settings stands."""
    return settings.state / "ledger.sqlite3"


def routes(settings: Settings) -> Iterator[Route]:
    """Every route that is switched on."""
    for bridge in settings.bridges:
        if bridge.mastodon_to_x.enabled:
            yield Route(bridge.name, Direction.MASTODON_TO_X)
        if bridge.x_to_mastodon.enabled:
            yield Route(bridge.name, Direction.X_TO_MASTODON)


def control_over(view: LedgerView, settings: Settings) -> Control:
    """The questions about these settings' bridges, answered from `view`."""
    budgets = {bridge.name: bridge.x.money.budget for bridge in settings.bridges}
    return Control(view, list(routes(settings)), budgets, is_sound)


def is_sound(route: Route, cursor: Cursor, now: datetime) -> bool:
    """Whether nothing in `cursor` lies in the future, as its network's ids and dates tell it."""
    if route.direction.source is Network.X:
        return ids.is_sound(cursor, horizon(now))
    return cursor.at is None or cursor.at <= horizon(now)


@asynccontextmanager
async def reading(settings: Settings) -> AsyncIterator[LedgerView]:
    """A reader of its own: nothing that is asked of it delays a post. Raises `LedgerError`."""
    view = await open_reader(ledger_path(settings))
    try:
        yield view
    finally:
        await view.close()


@asynccontextmanager
async def looking(settings: Settings) -> AsyncIterator[Control]:
    """The questions alone. Raises `LedgerError`."""
    async with reading(settings) as view:
        yield control_over(view, settings)
