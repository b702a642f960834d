"""What open pages are told of, and what they need not hear."""

import asyncio
import re
from datetime import UTC, datetime

import aiohttp
import pytest

from bridge.core.events import SourceRead
from bridge.core.listing import Listing, Wanted
from bridge.core.model import Route
from bridge.core.prices import FREE
from bridge.engine.control import Control
from bridge.surfaces.web.live import Live
from tests.fixtures.world import World
from tests.surfaces.web.stage import BACK, OUT, served


def polled(route: Route, posts: int = 0) -> SourceRead:
    return SourceRead(datetime.now(UTC), route, posts, FREE)


def tells(live: Live, event: SourceRead) -> bool:
    before = live.version
    live.hear(event)
    return live.version != before


def test_a_first_reading_is_told_though_it_brought_nothing() -> None:
    live = Live()
    assert tells(live, polled(OUT)), "until then the page says that nothing was ever read"
    assert tells(live, polled(BACK))


def test_later_readings_are_told_by_what_they_bring() -> None:
    live = Live()
    live.hear(polled(OUT))
    assert not tells(live, polled(OUT))
    assert tells(live, polled(OUT, posts=2))
    assert not tells(live, polled(OUT))


async def test_what_happens_while_a_page_is_put_together_is_told_to_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = Control.listing
    async with served(world) as site, aiohttp.ClientSession() as client:

        async def late(control: Control, wanted: Wanted) -> Listing:
            found = await listing(control, wanted)
            site.page.hear(polled(OUT, posts=1))
            return found

        monkeypatch.setattr(Control, "listing", late)
        async with client.get(site.url) as answer:
            stream = re.search(r'data-events="([^"]+)"', await answer.text())
        assert stream
        async with asyncio.timeout(10), client.get(site.url + stream[1]) as events:
            told = b""
            while b"data: changed" not in told:
                told += await events.content.readany()
