"""Edits and deletions on every kind of Mastodon server, over HTTP, with and without a stream."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from bridge.core.timing import Interval
from bridge.engine import recheck, supervise
from bridge.engine.route import Bench
from bridge.engine.supervise import Daemon
from bridge.networks.mastodon.adapter import MastodonAdapter
from bridge.networks.mastodon.settings import MastodonSettings
from bridge.sandbox.clock import SandboxClock
from bridge.sandbox.mastodon import MastodonAccount, MastodonSandbox
from bridge.sandbox.mastodon.profiles import ProfileName
from bridge.sandbox.server import serve
from tests.engine.conftest import Rig
from tests.networks.mastodon_servers import until_true

PROFILES: tuple[ProfileName, ...] = ("mastodon", "gotosocial", "minimal", "pleroma", "old")


@dataclass
class Scene:
    """A bridge from a served Mastodon to an X in memory."""

    rig: Rig
    server: MastodonSandbox
    account: MastodonAccount
    stranger: MastodonAccount
    adapter: MastodonAdapter
    daemon: Daemon

    def write(self, text: str, *, in_reply_to: str | None = None) -> str:
        """A toot, a second after whatever was before."""
        self.rig.clock.pass_time(1)
        return self.server.write(self.account, text, in_reply_to=in_reply_to).id

    def chat(self, replies: int) -> None:
        """Answer somebody so many times."""
        other = self.server.write(self.stranger, "Good morning @ada").id
        for number in range(replies):
            self.write(f"@bob {number}", in_reply_to=other)

    async def turn(self, times: int = 1, *, step: float = 60) -> None:
        """Let the daemon pass."""
        for _ in range(times):
            self.rig.clock.pass_time(step)
            await self.daemon.once()

    @property
    def mirrors(self) -> list[str]:
        """What stands on X."""
        return [post.text.plain for post in self.rig.x.posts]


@asynccontextmanager
async def scene(rig: Rig, profile: ProfileName, *, websocket: bool = True) -> AsyncIterator[Scene]:
    """A bridge that has set its cursor."""
    clock = SandboxClock(base=rig.clock.now)
    server = MastodonSandbox(profile, clock=clock, rate_limited=False, websocket=websocket)
    account, stranger = server.add_account("ada", "Ada"), server.add_account("bob", "Bob")
    async with serve(server.app) as url, aiohttp.ClientSession() as session:
        settings = MastodonSettings(url, account.access_token)
        adapter = MastodonAdapter(settings, session=session, clock=rig.clock, jitter=lambda: 0.0)
        plan = replace(
            rig.daemon().lanes[0].plan,
            source=adapter,
            target=rig.x,
            every=Interval(timedelta(days=1)),
        )
        bench = Bench(rig.ledger, rig.clock, lambda: 0.0, (rig.events.append,), media=rig.files)
        daemon = Daemon([plan], bench)
        try:
            await daemon.once()
            yield Scene(rig, server, account, stranger, adapter, daemon)
        finally:
            await adapter.close()


@pytest.mark.parametrize("profile", PROFILES)
async def test_replies_do_not_use_up_what_is_compared(rig: Rig, profile: ProfileName) -> None:
    async with scene(rig, profile) as made:
        made.write("Zero")
        gone, edited = made.write("Soon gone"), made.write("Soon edited")
        thread = made.write("A thread", in_reply_to=edited)
        await made.turn()
        assert len(made.mirrors) == 4
        made.chat(41)
        await made.turn()
        made.server.remove(gone)
        if made.server.profile.editing:
            made.server.write(made.account, "Edited in time", edit_of=edited)
        await made.turn(2)
        after = "Edited in time" if made.server.profile.editing else "Soon edited"
        assert sorted(made.mirrors) == sorted(["Zero", after, "A thread"])
        made.server.remove(thread)
        await made.turn(2)
        assert sorted(made.mirrors) == sorted(["Zero", after])


@pytest.mark.parametrize("profile", PROFILES)
async def test_the_oldest_and_the_only_post_are_no_exception(
    rig: Rig, profile: ProfileName
) -> None:
    async with scene(rig, profile) as made:
        first, second = made.write("First"), made.write("Second")
        await made.turn()
        made.server.remove(first)
        await made.turn(2)
        assert made.mirrors == ["Second"]
        made.server.remove(second)
        await made.turn(2)
        assert made.mirrors == []


@pytest.mark.parametrize("profile", PROFILES)
async def test_what_no_listing_reaches_is_looked_up_in_turn(
    rig: Rig, profile: ProfileName, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recheck, "FREE_WINDOW", 2)
    monkeypatch.setattr(recheck, "DEEP_WINDOW", 3)
    monkeypatch.setattr(recheck, "_LEAST_WINDOW", 2)
    async with scene(rig, profile) as made:
        toots = [made.write(f"Number {number}") for number in range(8)]
        await made.turn()
        made.server.remove(toots[1])
        await made.turn(3)
        assert made.mirrors == [f"Number {number}" for number in range(8) if number != 1]


@pytest.mark.parametrize("profile", PROFILES)
async def test_automatic_deletion_is_followed_until_it_is_a_mass(
    rig: Rig, profile: ProfileName
) -> None:
    """Five in a run, like Mastodon's own, and each run is heard of."""
    async with scene(rig, profile) as made:
        for number in range(30):
            made.write(f"Number {number}")
        await made.turn()
        old = made.rig.clock.now()
        while made.server.expire(made.account, old):
            await made.turn()
        assert len(made.mirrors) == 10
        (asked,) = [
            one for one in made.daemon.lanes[0].closed if "no longer there" in str(one.error)
        ]
        assert "20 mirrors were deleted in the last 24 hours" in str(asked.error)
        await made.daemon.once(recheck=True, deleted=True)
        assert made.mirrors == []


@pytest.mark.parametrize("websocket", [True, False], ids=["WebSocket", "server-sent events"])
async def test_a_daemon_looks_up_what_a_stream_names(
    rig: Rig, websocket: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No poll is due, and the post stands where no listing reaches."""
    monkeypatch.setattr(recheck, "FREE_WINDOW", 2)
    monkeypatch.setattr(recheck, "BATCH_EVERY", 1e9)
    monkeypatch.setattr(supervise, "GATHERED_FOR", timedelta(milliseconds=50))
    rig.clock.at = datetime.now(UTC)
    async with scene(rig, "mastodon", websocket=websocket) as made:
        gone, edited = made.write("Soon gone"), made.write("Soon edited")
        for number in range(4):
            made.write(f"Number {number}")
        await made.turn(2)
        stop = asyncio.Event()
        running = asyncio.create_task(made.daemon.run(stop))
        await until_true(lambda: made.server.streaming.open_streams == 1, 10)
        for number in range(30):
            made.server.remove(made.server.write(made.stranger, f"Regretted {number}").id)
        made.server.remove(gone)
        await until_true(lambda: "Soon gone" not in made.mirrors, 10)
        made.server.write(made.account, "Edited in time", edit_of=edited)
        await until_true(lambda: "Edited in time" in made.mirrors, 10)
        assert "Soon edited" not in made.mirrors
        assert len(made.mirrors) == 5
        stop.set()
        await running
