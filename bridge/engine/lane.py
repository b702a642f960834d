"""The life of one route: wait until something is to be done, do it, say when to come back.

One task a route; reading, proving and sending take turns in it. Must not know what drives it: a
scheduler, a stream or a single pass all only wake it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from bridge.core.delivery import LONGEST_WAIT
from bridge.core.errors import (
    Barred,
    LedgerError,
    LedgerFull,
    NetworkError,
    Unauthorised,
    Unpaid,
    WrongAccount,
)
from bridge.core.events import RoutePaused, RouteResumed
from bridge.core.model import Network, PostId
from bridge.core.waits import Wait
from bridge.engine.catchup import CatchUp
from bridge.engine.changes import Changes
from bridge.engine.deliver import Deliver
from bridge.engine.edits import Edits
from bridge.engine.gate import Closed, Gate
from bridge.engine.homecoming import Homecoming
from bridge.engine.identity import Accounts
from bridge.engine.intake import Intake
from bridge.engine.leave import Leave
from bridge.engine.media import Luggage
from bridge.engine.missing import Missing
from bridge.engine.pace import Pace
from bridge.engine.recheck import Recheck
from bridge.engine.recognition import Recognition
from bridge.engine.recompose import Recompose
from bridge.engine.reconcile import Reconcile
from bridge.engine.route import Bench, RoutePlan
from bridge.engine.spending import Money
from bridge.engine.watch import Watch

log = logging.getLogger(__name__)

AFTER_A_FAULT = timedelta(minutes=1)
"""When to take the next turn after one that broke off, unless a poll comes before."""

AT_LEAST = timedelta(milliseconds=200)
"""Between two turns that nobody else asked for: whatever goes wrong, a lane never spins."""

ComeBack = Callable[[datetime], None]
"""Asks to be woken at a time (aware UTC); a later call replaces an earlier one."""


class Lane:
    """One route at work."""

    def __init__(
        self, plan: RoutePlan, bench: Bench, parts: Recognition, accounts: Accounts
    ) -> None:
        self.plan = plan
        self._bench = bench
        self._accounts = accounts
        source, target = plan.source.network.value, plan.target.network.value
        self._reading = Gate(plan.route, f"reading {source}", bench)
        self._asking = Gate(plan.route, f"asking {source} how a post stands", bench)
        self._comparing = Gate(plan.route, f"reading {source} again", bench)
        self._vouching = Gate(plan.route, f"deleting mirrors of what is gone from {source}", bench)
        self._sending = Gate(plan.route, f"sending to {target}", bench)
        self._changing = Gate(plan.route, f"editing and deleting on {target}", bench)
        self._proving = Gate(plan.route, f"looking at {target}", bench)
        self._uploading = Gate(plan.route, f"uploading to {target}", bench, of_media=True)
        edits, luggage = Edits(plan, bench), Luggage(plan, bench, self._uploading)
        missing, recompose = Missing(plan, bench, edits), Recompose(plan, bench)
        self._homecoming = Homecoming(plan, bench)
        intake = Intake(plan, bench, parts, edits)
        self._watch = Watch(plan, bench, intake, self._homecoming)
        self._recheck = Recheck(
            plan,
            bench,
            edits,
            looking=self._comparing,
            asking=self._vouching,
            listed=self._watch.take_missed,
        )
        self._reconcile = Reconcile(plan, bench, self._proving, self._sending)
        self._again = Gate(plan.route, f"reading {source} for what is wanted after all", bench)
        self._catch_up = CatchUp(plan, bench, parts, self._again)
        self._money = Money(plan, bench)
        self._changes = Changes(
            plan,
            bench,
            self._sending,
            luggage,
            missing,
            refusals=self._changing,
            recompose=recompose,
            money=self._money,
        )
        self._deliver = Deliver(
            plan,
            bench,
            self._sending,
            self._reconcile,
            leave=Leave(plan, bench, self._asking, edits),
            luggage=luggage,
            missing=missing,
            recompose=recompose,
            money=self._money,
            edits=edits,
        )
        self._gates = (
            self._reading,
            self._asking,
            self._comparing,
            self._vouching,
            self._sending,
            self._changing,
            self._proving,
            self._uploading,
            self._again,
        )
        self._wake = asyncio.Event()
        self._read_wanted = False
        self._full = False
        self._pace: Pace | None = None
        self._one_reader = asyncio.Lock()
        self._looked_at: datetime | None = None
        self._kept: tuple[Wait, ...] | None = None
        """What the ledger has of what this lane waits for; None before it was looked at."""
        self.paused = False
        """Whether its owner has told it to neither read nor send."""
        self.opposite: Lane | None = None
        """The other direction of the same bridge, where it is switched on."""

    def wake(self, *, read: bool) -> None:
        """Have the lane look what is to be done; `read` says that the source may have news."""
        self._read_wanted |= read
        self._wake.set()

    def stop(self) -> None:
        """Begin nothing new; the part under way is finished, then `run` returns."""
        self._deliver.stopping = self._changes.stopping = True
        self._wake.set()

    @property
    def closed(self) -> tuple[Closed, ...]:
        """Every gate of this lane that is closed, with its reason."""
        closed = [gate.closed for gate in self._gates if gate.closed is not None]
        return (*closed, *self._money.closed)

    @property
    def waiting(self) -> tuple[tuple[Network, Closed], ...]:
        """Which networks this lane waits for now, why and until when."""
        return tuple(
            (network, gate.closed) for network, gate in self._sides() if gate.closed is not None
        )

    def _sides(self) -> Iterator[tuple[Network, Gate]]:
        """Every gate that holds up the lane, with the network that it is one of."""
        here, there = self.plan.source.network, self.plan.target.network
        for gate in (self._reading, self._asking, self._comparing, self._vouching):
            yield here, gate
        for gate in (self._sending, self._changing, self._proving, self._uploading):
            yield there, gate

    @property
    def full(self) -> bool:
        """Whether nothing can be done because the disk is full."""
        return self._full

    @property
    def unauthorised(self) -> bool:
        """Whether a network refuses the credentials, which only the owner can mend."""
        errors = [closed.error for closed in self.closed]
        return any(
            isinstance(each, Unauthorised) and not isinstance(each, Unpaid | Barred)
            for each in errors
        )

    @property
    def barred(self) -> bool:
        """Whether a network has shut the account itself out."""
        return any(isinstance(closed.error, Barred) for closed in self.closed)

    @property
    def unpaid(self) -> bool:
        """Whether a network wants money, a higher cap or another plan of the owner."""
        return any(isinstance(closed.error, Unpaid) for closed in self.closed)

    async def begin(self) -> None:
        """Before anything is sent: take over what an earlier process left unclear.

        What was put off for longer than anything is put off for was so by a clock that was wrong.
        """
        too_late = self._bench.clock.now() + LONGEST_WAIT
        await self._bench.ledger.hurry(self.plan.route, self._bench.clock.now(), beyond=too_late)
        await self._take_up_waits()
        await self._homecoming.put_aside()
        await self._reconcile.adopt()
        self.paused = await self._bench.ledger.paused_since(self.plan.route) is not None

    async def _take_up_waits(self) -> None:
        """Go on with what an earlier process waited for, unless somebody has signed in since.

        A change of the configuration ends every wait, too.
        """
        if self._kept is not None:
            return
        self._kept = await self._bench.ledger.waits(self.plan.route)
        waits = {wait.gate: wait for wait in self._kept if wait.stamp == self.plan.stamp}
        for _, gate in self._sides():
            if (wait := waits.get(gate.side)) is not None:
                gate.restore(wait)
        if any(wait.stamp != self.plan.stamp for wait in self._kept):
            # Single parts may have been put off for as long as such a wait was to last.
            await self._bench.ledger.hurry(self.plan.route, self._bench.clock.now())
        await self._keep_waits()

    async def _keep_waits(self) -> None:
        """Have the ledger know what this lane waits for."""
        found = (gate.wait(network, self.plan.stamp) for network, gate in self._sides())
        waits = tuple(wait for wait in found if wait is not None)
        if waits != self._kept:
            await self._bench.ledger.keep_waits(self.plan.route, waits)
            self._kept = waits

    async def run(self, come_back: ComeBack) -> None:
        """Work until stopped. Only a ledger that cannot be written ends it with an error."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._deliver.stopping:
                return
            read = self._read_wanted
            try:
                again = await self.turn(read=False)
                self._with_room()
            except LedgerFull as error:
                self._read_wanted |= read
                again = self._without_room(error)
            except LedgerError:
                raise
            except Exception:
                # A fault of ours in one lane must not take the others down, nor spin.
                log.exception("%s: a turn broke off; it is tried again later", self.plan.route)
                self._read_wanted |= read
                again = self._bench.clock.now() + AFTER_A_FAULT
            if again is not None:
                come_back(max(again, self._bench.clock.now() + AT_LEAST))

    def _without_room(self, error: LedgerFull) -> datetime:
        """Say once that nothing is done for want of room; returns when to try again."""
        now = self._bench.clock.now()
        again = now + AFTER_A_FAULT
        if not self._full:
            self._full = True
            self._bench.emit(RoutePaused(now, self.plan.route, again, str(error)))
        return again

    def _with_room(self) -> None:
        if self._full:
            self._full = False
            self._bench.emit(RouteResumed(self._bench.clock.now(), self.plan.route))

    async def clock_was_set(self) -> None:
        """The wall clock was set: what was put off by the old one is tried now."""
        now = self._bench.clock.now()
        await self._bench.ledger.hurry(self.plan.route, now)
        self.wake(read=True)

    async def mended(self) -> None:
        """Its owner has seen to what only an owner can mend: try what waits for that at once."""
        if [gate for gate in self._gates if gate.mended()]:
            await self._bench.ledger.hurry(self.plan.route, self._bench.clock.now())

    def hint(self, post: PostId) -> bool:
        """Note that a post of the source may have changed; whether it is the first such hint."""
        return self._recheck.hint(post)

    async def turn(self, *, read: bool) -> datetime | None:
        """One turn: prove, read if asked to now or before, send what is due.

        Returns when the next turn is due apart from polls; None if only a poll can bring work.
        """
        if self.paused:
            return None
        if (refused_until := await self._refused()) is not None:
            return refused_until
        read, self._read_wanted = read or self._read_wanted, False
        read = read or await self._recheck.is_hinted()
        await self._reconcile.look()
        self._catch_up.opposite = None if self.opposite is None else self.opposite.plan
        wanted = await self._catch_up.make_due()
        read_again = None
        if read and not self._deliver.stopping:
            # First, so that nothing is sent as it was before an edit that is listed by now.
            read_again = await self._read_source()
        await self._send_due()
        look_again = await self._reconcile.look()
        if look_again is None:
            self._proving.idle()
        await self._money.warn()
        again = (await self._due_again(), look_again, read_again, wanted)
        await self._keep_waits()
        return min((at for at in again if at is not None), default=None)

    async def _due_again(self) -> datetime | None:
        """When something is to be sent, edited or deleted next; None for never, as things stand."""
        ledger, route = self._bench.ledger, self.plan.route
        due = await ledger.due_at(route)
        if due is None:
            for gate in (self._sending, self._changing, self._asking, self._uploading):
                gate.idle()
            return None
        if not self._changing.is_open():
            to_send = await ledger.due_at(route, changes=False)
            opens = self._changing.reopens_at()
            due = min(at for at in (to_send, opens) if at is not None)
        return max(due, self._deliver.opens_at() or due)

    async def glance(self) -> None:
        """Read the source now, if it may be read, because the other direction is about to send.

        What that brings is judged at once, and sent in a turn of this lane's own.
        """
        if self.paused or await self._refused() is not None:
            return
        try:
            await self._read_source()
        except LedgerError:
            raise
        except Exception:
            # A fault of this lane must not keep the other one from sending.
            log.exception("%s: a glance broke off", self.plan.route)
        self.wake(read=False)

    async def recheck(self, *, deleted: bool = False) -> None:
        """Compare the newest posts of the source with their mirrors now, whatever it costs.

        With `deleted`, its owner vouches that what is gone was deleted, however much it is.
        """
        if self.paused or await self._refused() is not None:
            return
        async with self._one_reader:
            if await self._money.reads_again_at() is None:
                await self._recheck.look(asked=True, deleted=deleted)
        await self._send_due()
        await self._keep_waits()

    @property
    def shut(self) -> frozenset[Network]:
        """The networks that this lane waits for, and so does nothing with."""
        sides = (
            (self.plan.source.network, self._reading),
            (self.plan.target.network, self._sending),
        )
        return frozenset(network for network, gate in sides if not gate.is_open())

    async def _refused(self) -> datetime | None:
        """When to look again, where the credentials are not those of this bridge's accounts."""
        try:
            shut = self.shut if self.opposite is None else self.shut | self.opposite.shut
            await self._accounts.check(but=shut)
        except WrongAccount as error:
            wrong_source = error.network == self.plan.source.network.value
            gate = self._reading if wrong_source else self._sending
            if gate.is_open():
                gate.failed(error)
            return gate.reopens_at()
        return None

    async def _send_due(self) -> None:
        """Send what is due, but look first whether its author has put it there by hand.

        Both sides are then known up to the moment at which the first of it may leave. What stands
        there is edited and deleted first.
        """
        await self._changes.make_due()
        first = None if self.opposite is None else await self._deliver.first_due()
        if self.opposite is not None and first is not None:
            now = self._bench.clock.now()
            if self._looked_at is None or self._looked_at < first.not_before:
                self._looked_at = now
                await self.opposite.glance()
        await self._deliver.send_due()

    async def _read_source(self) -> datetime | None:
        """Read what is new; returns when to try again where it may not be read right now."""
        async with self._one_reader:
            again = self._reading.reopens_at()
            if self._reading.is_open():
                again = await self._money.reads_again_at()
            if self._reading.is_open() and again is None:
                try:
                    again = await self._read_at_its_pace()
                except NetworkError as error:
                    again = self._reading.failed(error)
        self._read_wanted |= again is not None
        return again

    async def _read_at_its_pace(self) -> datetime | None:
        if self._pace is None:
            self._pace = Pace((await self.plan.source.capabilities()).reads_per_quarter)
        again = self._pace.take(self._bench.clock.now())
        if again is None:
            if await self._watch.read():
                self._looked_at = None
            if await self._recheck.wanted() and self._pace.take(self._bench.clock.now()) is None:
                await self._recheck.look()
            self._reading.worked()
        return again
