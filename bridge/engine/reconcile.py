"""Finding out what became of parts whose sending ended unclear, by reading the own timeline.

Nothing is sent again unless the first try is proven absent; what cannot be proven either way is
held and shown. Must not publish anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.core.delivery import MAX_ATTEMPTS, PartEvent, next_attempt
from bridge.core.errors import NetworkError, Refused, Unauthorised
from bridge.core.model import Post
from bridge.core.record import PartKey, PartRecord
from bridge.engine import proof
from bridge.engine.gate import Gate
from bridge.engine.route import Bench, RoutePlan
from bridge.ports import Reading

FIRST_LOOK = timedelta(seconds=3)
"""When to look for a part at the earliest: right after a failure, the server may still be at it."""

BETWEEN_LOOKS = timedelta(seconds=15)

STANDSTILL = timedelta(hours=1)
"""How long at most a route waits for the proof of one part before it sends the next ones."""

PATIENT_TRIES = 3
"""After so many unclear attempts it is the part, not the network: it makes way for the others."""

LONGEST_DOUBT = timedelta(days=1)
"""How long a timeline may be out of reach before what it should prove is held."""

WHAT_TO_DO = (
    "see whether it stands on the other network, then: "
    "twinpost resolve {source} --sent URL, or --not-sent"
)


@dataclass(slots=True)
class _Doubt:
    """A part in doubt, and when to look for it next."""

    record: PartRecord
    look_at: datetime

    @property
    def holds_up_until(self) -> datetime:
        """Until when later posts wait for it, so that they keep their order."""
        patient = self.record.attempts <= PATIENT_TRIES
        return self.record.not_before + (STANDSTILL if patient else -proof.ABSENCE)


class Reconcile:
    """The prover of one route's parts. `sending` opens once it is shown that sending works."""

    def __init__(self, plan: RoutePlan, bench: Bench, proving: Gate, sending: Gate) -> None:
        self._plan = plan
        self._bench = bench
        self._gate = proving
        self._sending = sending
        self._doubts: dict[PartKey, _Doubt] = {}

    async def adopt(self) -> None:
        """At start, before anything is sent: parts that a dead process was sending are in doubt."""
        await self._take_stock()

    def watch(self, record: PartRecord) -> None:
        """Look for `record`, which has just become doubtful, from soon on."""
        self._doubts[record.key] = _Doubt(record, self._bench.clock.now() + FIRST_LOOK)

    def holds_up_until(self) -> datetime | None:
        """Until when nothing may be sent on this route, unless proof comes before; None: it may."""
        now = self._bench.clock.now()
        ends = [doubt.holds_up_until for doubt in self._doubts.values()]
        return max((end for end in ends if end > now), default=None)

    async def look(self) -> datetime | None:
        """Prove what can be proven now; returns when to look again, None if nothing is in doubt."""
        await self._take_stock()
        now = self._bench.clock.now()
        ripe = [doubt.record for doubt in self._doubts.values() if doubt.look_at <= now]
        if ripe and self._gate.is_open():
            await self._look_for(ripe)
        waits = [doubt.look_at for doubt in self._doubts.values()]
        return max(min(waits), self._gate.reopens_at() or min(waits)) if waits else None

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

    async def _take_stock(self) -> None:
        """Learn what is unproven: another lane, or a dead process, may have changed that."""
        unproven = await self._bench.ledger.unproven(self._plan.route)
        known, self._doubts = self._doubts, {}
        for found in unproven:
            # This route's own lane is here, so nobody is sending: `attempting` is what was left.
            record = await proof.in_doubt(self._bench, found)
            if record.key in known:
                self._doubts[record.key] = _Doubt(record, known[record.key].look_at)
            else:
                begun = record.attempted_at or self._bench.clock.now()
                self._doubts[record.key] = _Doubt(record, begun + FIRST_LOOK)

    async def _look_for(self, records: list[PartRecord]) -> None:
        try:
            reading = await self._read(records)
        except NetworkError as error:
            await self._blinded(records, error)
            return
        self._gate.worked()
        for record in records:
            await self._conclude(record, reading)

    async def _blinded(self, records: list[PartRecord], error: NetworkError) -> None:
        """Hold what can no longer be expected to be proven, now that the timeline is not given."""
        before = self._gate.closed
        self._gate.failed(error)
        # One 401 is not final.
        confirmed = before is not None and isinstance(before.error, Unauthorised)
        for_good = isinstance(error, Refused) or (isinstance(error, Unauthorised) and confirmed)
        now = self._bench.clock.now()
        for record in records:
            if for_good or now - record.not_before >= LONGEST_DOUBT:
                await self._hold(record, f"the own timeline cannot be read: {error}")

    async def _conclude(self, record: PartRecord, reading: Reading) -> None:
        now = self._bench.clock.now()
        found = await self._found(record, reading)
        if found is not None:
            await proof.present(self._bench, record, found)
            self._sending.worked()
        elif now >= record.not_before:
            await self._absent(record)
        else:
            self._doubts[record.key].look_at = min(now + BETWEEN_LOOKS, record.not_before)
            return
        self._doubts.pop(record.key, None)

    async def _absent(self, record: PartRecord) -> None:
        """Have it sent again: in its place at first, then ever later, and not for ever."""
        if record.attempts >= MAX_ATTEMPTS:
            await self._hold(record, f"unclear {record.attempts} times, and never found")
            return
        later: datetime | None = None
        if record.attempts >= PATIENT_TRIES:
            now, jitter = self._bench.clock.now(), self._bench.jitter()
            later = next_attempt(record.attempts, now=now, jitter=jitter)
        detail = "proven absent; sent again"
        await proof.settle(
            self._bench, record, PartEvent.PROVEN_ABSENT, not_before=later, detail=detail
        )

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
        what_to_do = WHAT_TO_DO.format(source=record.key.source)
        await proof.settle(self._bench, record, PartEvent.UNPROVABLE, detail=f"{why}; {what_to_do}")
        self._doubts.pop(record.key, None)
