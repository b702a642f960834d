"""A whole bridge on a real ledger between two fake networks, driven turn by turn."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.core.budget import NO_BUDGET, Budget
from bridge.core.delivery import PostState
from bridge.core.events import Event
from bridge.core.model import BridgeName, Direction, Network, PostId, Route, Visibility
from bridge.core.policy import Policy
from bridge.core.record import PostRecord
from bridge.core.rules import Boosts, Rules, Threads
from bridge.core.switches import Marker
from bridge.core.timing import FromNow, Interval, Start
from bridge.engine.route import Bench, RoutePlan
from bridge.engine.supervise import Daemon
from bridge.engine.turnstiles import Turnstiles
from bridge.ledger.sqlite import open_ledger
from bridge.ports import Ledger
from tests.fakes import FakeNetwork, FakeStore, PatientClock
from tests.fixtures.locks import Watched

NAME = BridgeName("personal")
OUT = Route(NAME, Direction.MASTODON_TO_X)
HOME = Route(NAME, Direction.X_TO_MASTODON)


@dataclass
class Rig:
    """The bridge under test and everything around it."""

    folder: Path
    clock: PatientClock
    mastodon: FakeNetwork
    x: FakeNetwork
    ledger: Ledger
    events: list[Event] = field(default_factory=list)
    unlocked: list[str] = field(default_factory=list)
    """What was changed in the ledger by somebody who did not hold the turn of the bridge."""
    audiences: frozenset[Visibility] = frozenset({Visibility.PUBLIC})
    delay: timedelta = timedelta(0)
    start: Start = field(default_factory=FromNow)
    boosts: Boosts = "skip"
    threads: Threads = "skip"
    only_with: tuple[Marker, ...] = ()
    max_age: timedelta | None = None
    policy: Policy = field(default_factory=Policy)
    budget: Budget = NO_BUDGET
    recheck_every: timedelta | None = None
    store: FakeStore | None = None
    stamp: str = ""

    @property
    def files(self) -> FakeStore:
        """Where media are fetched to."""
        if self.store is None:
            self.store = FakeStore(self.folder / "media")
        return self.store

    def daemon(self) -> Daemon:
        """A daemon as it is after a start."""

        def plan(route: Route, source: FakeNetwork, target: FakeNetwork) -> RoutePlan:
            return RoutePlan(
                route,
                source,
                target,
                Rules(
                    self.audiences if route is OUT else frozenset({Visibility.PUBLIC}),
                    boosts=self.boosts,
                    threads=self.threads,
                    only_with=self.only_with,
                ),
                self.policy,
                Interval(timedelta(minutes=1)),
                self.delay,
                self.start,
                self.recheck_every if source is self.x else None,
                budget=self.budget,
                max_age=self.max_age,
                stamp=self.stamp,
            )

        plans = [plan(OUT, self.mastodon, self.x), plan(HOME, self.x, self.mastodon)]
        turnstiles = Turnstiles()
        ledger: Any = Watched(self.ledger, turnstiles, self.unlocked)
        bench = Bench(
            ledger,
            self.clock,
            lambda: 0.0,
            (self.events.append,),
            turnstiles=turnstiles,
            media=self.files,
        )
        return Daemon(plans, bench)

    async def started(self) -> Daemon:
        """A daemon whose first pass has set both cursors."""
        daemon = self.daemon()
        await daemon.once()
        return daemon

    async def pass_time(self, daemon: Daemon, seconds: float, step: float = 15) -> None:
        """Let time go by, with a pass at every step."""
        for _ in range(int(seconds // step)):
            self.clock.pass_time(step)
            await daemon.once()

    async def record(self, id_or_url: PostId | str) -> PostRecord:
        """The one record of a post."""
        (found,) = await self.ledger.find(id_or_url)
        return found

    async def state(self, id_or_url: PostId | str) -> PostState:
        """Where a post stands."""
        return (await self.record(id_or_url)).state

    async def restart(self) -> None:
        """Close the ledger and open it again, as a new process would."""
        await self.ledger.close()
        self.ledger = await self.opened(self.folder, self.clock)

    @staticmethod
    async def opened(folder: Path, clock: PatientClock) -> Ledger:
        """The ledger in `folder`."""
        return await open_ledger(
            folder / "ledger.sqlite3", owner="test", now=clock.now(), create=True
        )


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    clock = PatientClock()
    made = Rig(
        folder=tmp_path,
        clock=clock,
        mastodon=FakeNetwork(Network.MASTODON, clock, max_length=500),
        x=FakeNetwork(Network.X, clock),
        ledger=await Rig.opened(tmp_path, clock),
    )
    yield made
    await made.ledger.close()
    assert made.unlocked == []
