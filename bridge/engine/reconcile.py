"""Finding out what became of parts whose sending ended unclear, by reading the own timeline.

Nothing is sent again unless the first try is proven absent; what cannot be proven either way is
held and shown. Must not publish anything.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.core.delivery import PartEvent
from bridge.core.errors import NetworkError, Refused, Unauthorised
from bridge.core.model import Post
from bridge.core.record import PartKey, PartRecord
from bridge.engine import proof
from bridge.engine.gate import Gate
from bridge.engine.route import Bench, RoutePlan
from bridge.ports import Reading

FIRST_LOOK = timedelta(seconds=3)
"""When to look for a part at the earliest: right after a failure, the server may still be at it."""

ABSENCE = timedelta(seconds=45)
"""How long after an attempt an absence counts as proof: timelines lag behind what was accepted."""

BETWEEN_LOOKS = timedelta(seconds=15)

WHAT_TO_DO = "see whether it stands on the other network before it is sent by hand"


class Reconcile:
    """The prover of one route's parts."""

    def __init__(self, plan: RoutePlan, bench: Bench, gate: Gate) -> None:
        self._plan = plan
        self._bench = bench
        self._gate = gate
        self._looks: dict[PartKey, datetime] = {}

    async def adopt(self) -> None:
        """At start, before anything is sent: parts that a dead process was sending are in doubt."""
        for record in await self._bench.ledger.unproven(self._plan.route):
            await proof.in_doubt(self._bench, record)

    async def look(self) -> datetime | None:
        """Prove what can be proven now; returns when to look again, None if nothing is in doubt."""
        now = self._bench.clock.now()
        records = await self._bench.ledger.unproven(self._plan.route)
        self._looks = {r.key: self._looks.get(r.key) or _first_look(r, now) for r in records}
        ripe = [record for record in records if self._looks[record.key] <= now]
        if ripe and self._gate.is_open():
            await self._look_for(ripe)
        waits = [max(at, self._gate.reopens_at() or at) for at in self._looks.values()]
        return min(waits, default=None)

    async def settle_duplicate(self, record: PartRecord) -> None:
        """Deal with a part that the network refused as a duplicate of something it has.

        It is proven by the timeline at once, or held: sending it again can only be refused again,
        and may be billed each time.
        """
        try:
            reading = await self._read([record])
        except NetworkError as error:
            await self._hold(record, f"refused as a duplicate, and the timeline is silent: {error}")
            return
        found = await self._found(record, reading)
        if found is None:
            await self._hold(record, "refused as a duplicate, but not found on the timeline")
        else:
            await proof.present(self._bench, record, found)

    async def _look_for(self, records: list[PartRecord]) -> None:
        try:
            reading = await self._read(records)
        except NetworkError as error:
            again = self._gate.closed is not None
            self._gate.failed(error)
            if isinstance(error, Refused) or (isinstance(error, Unauthorised) and again):
                for record in records:
                    await self._hold(record, f"the own timeline cannot be read: {error}")
            return
        self._gate.worked()
        for record in records:
            await self._conclude(record, reading)

    async def _conclude(self, record: PartRecord, reading: Reading) -> None:
        now = self._bench.clock.now()
        found = await self._found(record, reading)
        if found is not None:
            await proof.present(self._bench, record, found)
        elif now - (record.attempted_at or now) >= ABSENCE:
            await proof.settle(
                self._bench, record, PartEvent.PROVEN_ABSENT, detail="proven absent; sent again"
            )
        else:
            self._looks[record.key] = now + BETWEEN_LOOKS
            return
        self._looks.pop(record.key, None)

    async def _found(self, record: PartRecord, reading: Reading) -> Post | None:
        """The post that is `record`; one that is the mirror of something else already is not."""
        reverse = type(self._plan.route)(
            self._plan.route.bridge, self._plan.route.direction.reverse
        )
        for post in reading.posts:
            if not proof.is_part(record, post):
                continue
            facts = await self._bench.ledger.facts(reverse, post)
            if facts.echo_of is None:
                return post
        return None

    async def _read(self, records: list[PartRecord]) -> Reading:
        begun = [r.attempted_at for r in records if r.attempted_at is not None]
        since = min(begun, default=self._bench.clock.now()) - proof.CLOCK_SLACK
        reading = await self._plan.target.recent(since)
        await self._bench.ledger.note_read(
            self._plan.route, self._bench.clock.now(), len(reading.posts), reading.cost
        )
        return reading

    async def _hold(self, record: PartRecord, why: str) -> None:
        await proof.settle(self._bench, record, PartEvent.UNPROVABLE, detail=f"{why}; {WHAT_TO_DO}")
        self._looks.pop(record.key, None)


def _first_look(record: PartRecord, now: datetime) -> datetime:
    return (record.attempted_at or now) + FIRST_LOOK
