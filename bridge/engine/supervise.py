"""The daemon's life: start every lane, keep the lease, hear hints, stop in time.

Owns the tasks and nothing else: what a lane does is its own business. Must not read signals or
configuration; `stop` is all it is told.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from bridge.core.errors import LedgerError, LedgerFull
from bridge.core.identity import Identity
from bridge.core.model import BridgeName, Network, PostId, Route
from bridge.engine.caretaking import Caretaker
from bridge.engine.identity import guarded
from bridge.engine.lane import Lane
from bridge.engine.recognition import recognition
from bridge.engine.route import Bench, RoutePlan
from bridge.engine.schedule import Schedule
from bridge.engine.timekeeping import Jumps
from bridge.ports import NetworkPort

log = logging.getLogger(__name__)

LEASE_RENEWAL = 8.0
"""Seconds between two proofs of life; a lease outlives three of them."""

LAST_TURN = 6.0
"""Seconds that a turn under way is given to finish when the daemon stops.

What is cut off then has to be proven by the next process, and closing takes its time too.
"""

GATHERED_FOR = timedelta(seconds=2)
"""How long hints of changed posts are gathered before a lane looks at them."""

LISTEN_AGAIN = 60.0
"""Seconds before a listener that broke off is started anew."""


class Daemon:
    """All routes at work."""

    def __init__(self, plans: Sequence[RoutePlan], bench: Bench) -> None:
        self._bench = bench
        self._caretaker = Caretaker(bench)
        self.broke_off = False
        """Whether a lane broke off in the last single pass."""
        self._schedule: Schedule | None = None

        async def remember(bridge: BridgeName, network: Network, found: Identity) -> None:
            await bench.ledger.note_identity(bridge, network, found, bench.clock.now())

        plans, self._accounts = guarded(plans, bench.ledger, remember)
        self.lanes = tuple(
            Lane(
                plan,
                bench,
                recognition(plan, bench, plans),
                self._accounts[plan.route.bridge],
            )
            for plan in plans
        )
        by_route = {lane.plan.route: lane for lane in self.lanes}
        for route, lane in by_route.items():
            lane.opposite = by_route.get(Route(route.bridge, route.direction.reverse))

    async def run(self, stop: asyncio.Event, alive: Callable[[], None] = lambda: None) -> None:
        """Work until `stop` is set, then finish what is under way.

        `alive` is called once polls are scheduled, and with every renewal of the lease: each call
        proves that the loop turns and that the ledger answers.

        Raises `LedgerError` when the ledger is lost; everything else is dealt with and logged. A
        full disk is not a loss: the lanes wait for room.
        """
        for lane in self.lanes:
            await lane.begin()
        schedule = self._schedule = Schedule()
        tasks = [
            asyncio.create_task(self._keep_lease(alive), name="lease"),
            asyncio.create_task(self._caretaker.run(), name="chores"),
        ]
        work = [
            asyncio.create_task(
                lane.run(partial(self._come_back, schedule, lane)), name=str(lane.plan.route)
            )
            for lane in self.lanes
        ]
        tasks += [
            asyncio.create_task(self._listen(port, lanes), name=f"listen {port.network.value}")
            for port, lanes in self._readers()
        ]
        tasks.append(asyncio.create_task(self._watch_clock(schedule), name="clock"))
        self._plan_polls(schedule)
        schedule.start()
        ending = asyncio.create_task(stop.wait(), name="stop")
        try:
            await self._until_ended(ending, [*tasks, *work])
        finally:
            self._schedule = None
            schedule.stop()
            for lane in self.lanes:
                lane.stop()
            if work:
                await asyncio.wait(work, timeout=LAST_TURN)
            for task in (*tasks, *work, ending):
                task.cancel()
            await asyncio.gather(*tasks, *work, ending, return_exceptions=True)

    async def check_accounts(self, bridge: BridgeName) -> None:
        """Raise `WrongAccount` where the credentials of `bridge` are another account's."""
        if (accounts := self._accounts.get(bridge)) is not None:
            await accounts.check()

    def next_read(self, route: Route) -> datetime | None:
        """When `route` is read next by its plan (aware UTC); None while nothing is planned."""
        return None if self._schedule is None else self._schedule.next(str(route))

    def _plan_polls(self, schedule: Schedule) -> None:
        for lane in self.lanes:
            schedule.every(str(lane.plan.route), lane.plan.every, partial(lane.wake, read=True))
            # Polls may be rare; what an earlier process left is due now.
            lane.wake(read=False)

    async def _watch_clock(self, schedule: Schedule) -> None:
        """Plan anew when the wall clock was set: by the old plan, all would wait for as long."""
        jumps = Jumps(self._bench.clock)
        while True:
            await self._bench.clock.sleep(LEASE_RENEWAL)
            jump = jumps.since_last()
            if jump is None:
                continue
            log.warning("the clock was set by %+.0f seconds; planning anew", jump.total_seconds())
            for lane in self.lanes:
                with suppress(LedgerFull):
                    await lane.clock_was_set()
            self._plan_polls(schedule)

    async def once(self, *, recheck: bool = False, deleted: bool = False) -> None:
        """One pass over every lane: read both sides, deliver all that is due.

        With `recheck`, the newest posts of each source are compared with their mirrors too, also
        where that costs; with `deleted`, the owner vouches that whatever is gone was deleted.
        Raises `LedgerError`; other faults of ours are logged and leave `broke_off` true.
        """
        self.broke_off = False
        keeping = asyncio.create_task(self._keep_lease(), name="lease")
        try:
            for lane in self.lanes:
                await lane.begin()
            for lane in self.lanes:
                await self._pass(lane, recheck=recheck, deleted=deleted)
            await self._caretaker.round()
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def _pass(self, lane: Lane, *, recheck: bool, deleted: bool) -> None:
        try:
            await lane.turn(read=True)
            if recheck:
                await lane.recheck(deleted=deleted)
        except LedgerError:
            raise
        except Exception:
            log.exception("%s: the pass broke off", lane.plan.route)
            self.broke_off = True

    @staticmethod
    async def _until_ended(ending: asyncio.Task[bool], others: list[asyncio.Task[None]]) -> None:
        """Wait for `ending`; a task that ends in an error before that ends everything."""
        waiting: set[asyncio.Task[None] | asyncio.Task[bool]] = {ending, *others}
        while not ending.done():
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()

    async def _keep_lease(self, alive: Callable[[], None] = lambda: None) -> None:
        while True:
            # A full disk is an answer, too: the lanes say so, and wait for room.
            with suppress(LedgerFull):
                await self._bench.ledger.renew(self._bench.clock.now())
            alive()
            await self._bench.clock.sleep(LEASE_RENEWAL)

    def _readers(self) -> list[tuple[NetworkPort, list[Lane]]]:
        """Every source once, with all lanes that read it."""
        readers: dict[int, tuple[NetworkPort, list[Lane]]] = {}
        for lane in self.lanes:
            readers.setdefault(id(lane.plan.source), (lane.plan.source, []))[1].append(lane)
        return list(readers.values())

    async def _listen(self, port: NetworkPort, lanes: Sequence[Lane]) -> None:
        while True:
            try:
                await port.listen(partial(_wake_all, lanes), partial(self._hint, lanes))
            except Exception:
                log.exception("listening to %s broke off; polls go on", port.network.value)
                await self._bench.clock.sleep(LISTEN_AGAIN)
            else:
                return

    def _hint(self, lanes: Sequence[Lane], post: PostId) -> None:
        """Have lanes look at a post that may have changed: soon, since hints come in crowds."""
        when = self._bench.clock.now() + GATHERED_FOR
        for lane in lanes:
            if lane.hint(post) and self._schedule is not None:
                wake = partial(lane.wake, read=False)
                self._schedule.at(f"{lane.plan.route} hints", when, wake)

    @staticmethod
    def _come_back(schedule: Schedule, lane: Lane, when: datetime) -> None:
        schedule.at(f"{lane.plan.route} due", when, partial(lane.wake, read=False))


def _wake_all(lanes: Sequence[Lane]) -> None:
    for lane in lanes:
        lane.wake(read=True)
