"""Whether there is money for what one route is about to do, known before it is done.

What cannot be paid waits in its order until the next UTC month, or until its owner lets it go;
nothing is lost. Reading X and deleting there go on up to twice the budget: they are cheap, and keep
mirrors true. Must not send anything, and knows prices only as figures.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.core.budget import (
    Usage,
    day_name,
    month_of,
    never_affordable,
    next_month,
    over_budget,
)
from bridge.core.delivery import PartEvent
from bridge.core.errors import Throttled
from bridge.core.events import BudgetNear, RoutePaused, RouteResumed
from bridge.core.model import Microdollars
from bridge.core.prices import in_dollars
from bridge.core.record import DuePart, PartRecord
from bridge.engine import proof
from bridge.engine.gate import Closed
from bridge.engine.route import Bench, RoutePlan

TWICE_SPENT = (
    "twice this month's budget of {budget} is spent: reading X, and deleting there, stop until "
    "{day}; to go on before, raise x.budget.usd_per_month"
)

SENDING, DELETING, READING = "sending", "deleting", "reading"


class Money:
    """The purse of one route. Every route of a bridge draws on the same budget."""

    def __init__(self, plan: RoutePlan, bench: Bench) -> None:
        self._plan = plan
        self._bench = bench
        self._shut: dict[str, Closed] = {}
        self._warned = ""

    @property
    def closed(self) -> tuple[Closed, ...]:
        """Why nothing is sent, deleted or read for want of money; empty while there is some."""
        return tuple(self._shut.values())

    def opens_at(self) -> datetime | None:
        """When there is money again for what is due on the target; None for now."""
        found = [closed.until for what, closed in self._shut.items() if what != READING]
        return max(found, default=None)

    async def next_due(self, now: datetime) -> DuePart | None:
        """What may be sent first now: `Ledger.next_due`, as far as the budget goes.

        A post that cannot be paid keeps those after it waiting, so that they stay in order, but for
        what its owner has released.
        """
        ledger, route = self._bench.ledger, self._plan.route
        while True:
            due = await ledger.next_due(route, now)
            if due is None or not await self._costs():
                self._open(SENDING)
                return due
            till = await ledger.till(due.record.key, now)
            if till.released or self._plan.budget.allows(till.needed, till.usage):
                if till.marked and not till.released:
                    await ledger.money_is_there(route)
                self._open(SENDING)
                return due
            if till.needed > self._plan.budget.per_month and await self._held(due, till.needed):
                continue
            if till.unmarked:
                await ledger.wait_for_money(route, now, over_budget(self._plan.budget, now))
            self._close(SENDING, over_budget(self._plan.budget, now), now)
            return await ledger.next_due(route, now, released=True)

    async def again(self, due: DuePart, now: datetime) -> DuePart | None:
        """What is first now, asked in the way in which `due` was found."""
        return await self._bench.ledger.next_due(self._plan.route, now, released=due.released)

    async def lets_edit(self, record: PartRecord) -> bool:
        """Whether a part that stands may be edited; if not, it is looked at again in an hour."""
        if not await self._costs() or await self.affords(record.part.price):
            return True
        now, budget = self._bench.clock.now(), self._plan.budget
        why = f"its edit is over this month's budget of {in_dollars(budget.per_month)}"
        later = min(now + timedelta(hours=1), next_month(now))
        await proof.settle(self._bench, record, PartEvent.PUT_OFF, not_before=later, detail=why)
        return False

    async def affords(self, price: Microdollars) -> bool:
        """Whether something of this price may be sent to the target besides all that waits."""
        if not await self._costs():
            return True
        return self._plan.budget.allows(price, await self._usage())

    async def lets_delete(self) -> bool:
        """Whether mirrors may be deleted."""
        if await self._costs() and not self._plan.budget.allows_upkeep(await self._usage()):
            self._close(DELETING, *self._twice_spent())
            return False
        self._open(DELETING)
        return True

    async def reads_again_at(self) -> datetime | None:
        """When the source may be read again, where too much is spent by now; None for now."""
        if not self._plan.budget.is_bounded:
            return None
        prices = (await self._plan.source.capabilities()).prices
        if prices is None or self._plan.budget.allows_upkeep(await self._usage()):
            self._open(READING)
            return None
        return self._close(READING, *self._twice_spent())

    async def warn(self) -> None:
        """Tell once a month that the budget is nearly spent."""
        budget, now = self._plan.budget, self._bench.clock.now()
        month, bridge = month_of(now), self._plan.route.bridge
        if not budget.is_bounded or self._warned == month:
            return
        usage = await self._usage()
        if not budget.is_near(usage):
            return
        self._warned = month
        if await self._bench.ledger.note_warned(bridge, month):
            event = BudgetNear(
                now, self._plan.route, usage.spent, budget.per_month, next_month(now)
            )
            self._bench.emit(event)

    async def _held(self, due: DuePart, needed: Microdollars) -> bool:
        """Hold a post that no month can pay, so that it does not keep all others for ever."""
        now, key = self._bench.clock.now(), due.record.key
        why = never_affordable(self._plan.budget, needed, key.source)
        held = await self._bench.ledger.never_affordable(key, now, why)
        for part in held:
            proof.announce(self._bench, part)
        return bool(held)

    async def _costs(self) -> bool:
        """Whether sending costs at all, and is bounded."""
        if not self._plan.budget.is_bounded:
            return False
        return (await self._plan.target.capabilities()).prices is not None

    async def _usage(self) -> Usage:
        return await self._bench.ledger.usage(self._plan.route.bridge, self._bench.clock.now())

    def _twice_spent(self) -> tuple[str, datetime]:
        now = self._bench.clock.now()
        budget = in_dollars(self._plan.budget.per_month)
        return TWICE_SPENT.format(budget=budget, day=day_name(next_month(now))), now

    def _close(self, what: str, why: str, now: datetime) -> datetime:
        """Note that there is no money for `what` in this month; until when."""
        until = next_month(now)
        before = self._shut.get(what)
        if before is None or before.until != until:
            self._bench.emit(RoutePaused(now, self._plan.route, until, f"{what}: {why}"))
        self._shut[what] = Closed(until, Throttled(f"{what}: {why}", until=until))
        return until

    def _open(self, what: str) -> None:
        if self._shut.pop(what, None) is not None:
            self._bench.emit(RouteResumed(self._bench.clock.now(), self._plan.route))
