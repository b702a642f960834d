"""Finding out what became of parts whose sending ended unclear, by reading the own timeline.

Nothing is sent again unless the first try is proven absent; what cannot be proven either way is
held and shown. Must not publish anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from bridge.core.delivery import MAX_ATTEMPTS, PATIENT_TRIES, PartEvent, next_attempt
from bridge.core.errors import NetworkError, Refused, Unauthorised
from bridge.core.model import Post
from bridge.core.record import Mirror, PartKey, PartRecord
from bridge.core.verdict import Action, Reason, Verdict
from bridge.engine import proof
from bridge.engine.gate import Gate
from bridge.engine.other_senders import OtherSenders
from bridge.engine.route import Bench, RoutePlan
from bridge.ports import Reading

FIRST_LOOK = 3.0
"""Seconds after a failure before a part is looked for: the server may still be at it."""

BETWEEN_LOOKS = 15.0
"""Seconds."""

STANDSTILL = 3600.0
"""Seconds that a route waits at most for the proof of one part before it sends the next ones."""

LONGEST_DOUBT = timedelta(days=1)
"""How long a timeline may be out of reach before what it should prove is held."""

WHAT_TO_DO = (
    "see whether it stands on the other network, then: "
    "twinpost resolve {source} --sent URL, or --not-sent"
)


class Ambiguous(Enum):
    """More than one answer is possible, so there is none."""

    AMBIGUOUS = "ambiguous"


AMBIGUOUS = Ambiguous.AMBIGUOUS


@dataclass(slots=True)
class _Doubt:
    """A part in doubt, when to look for it next, and from when on its absence proves it.

    Times are monotonic: a wall clock that is set must not make an absence count too early.
    """

    record: PartRecord
    look_at: float
    proves_at: float

    @property
    def holds_up_until(self) -> float:
        """Until when later posts wait for it, so that they keep their order."""
        return self.proves_at + STANDSTILL if self.record.attempts <= PATIENT_TRIES else 0.0


class Reconcile:
    """The prover of one route's parts. `sending` opens once it is shown that sending works."""

    def __init__(self, plan: RoutePlan, bench: Bench, proving: Gate, sending: Gate) -> None:
        self._plan = plan
        self._bench = bench
        self._gate = proving
        self._sending = sending
        self._senders = OtherSenders(plan, bench)
        self._doubts: dict[PartKey, _Doubt] = {}

    async def adopt(self) -> None:
        """At start, before anything is sent: parts that a dead process was sending are in doubt."""
        await self._take_stock()

    def watch(self, record: PartRecord) -> None:
        """Look for `record`, which has just become doubtful, from soon on."""
        now = self._bench.clock.monotonic()
        proves_at = now + proof.ABSENCE.total_seconds()
        self._doubts[record.key] = _Doubt(record, now + FIRST_LOOK, proves_at)

    def holds_up_until(self) -> datetime | None:
        """Until when nothing may be sent on this route, unless proof comes before; None: it may."""
        now = self._bench.clock.monotonic()
        end = max((doubt.holds_up_until for doubt in self._doubts.values()), default=now)
        return self._moment(end) if end > now else None

    async def look(self) -> datetime | None:
        """Prove what can be proven now; returns when to look again, None if nothing is in doubt."""
        await self._take_stock()
        now = self._bench.clock.monotonic()
        ripe = [doubt.record for doubt in self._doubts.values() if doubt.look_at <= now]
        if ripe and self._gate.is_open():
            await self._look_for(ripe)
        if not self._doubts:
            return None
        again = self._moment(min(doubt.look_at for doubt in self._doubts.values()))
        return max(again, self._gate.reopens_at() or again)

    async def settle_duplicate(self, record: PartRecord) -> None:
        """Deal with a part that the network refused as a duplicate of something it has.

        It is proven by the timeline at once, or skipped where an earlier post with the same text is
        known, or held: sending it again can only be refused again, and may be billed each time.
        """
        try:
            names_texts = (await self._plan.target.capabilities()).refuses_repeats
            reading = await self._read([record])
        except NetworkError as error:
            await self._hold(record, f"refused as a duplicate, and the timeline is silent: {error}")
            return
        async with self._bench.turnstiles.turn(self._plan.route.bridge):
            found = await self._found(record, reading)
            earlier = None
            if found is None and names_texts:
                earlier = await self._bench.ledger.repeated(record.key)
            if earlier is not None:
                await self._repeats(record, earlier)
            elif not isinstance(found, Post):
                await self._hold(record, "refused as a duplicate, but not found on the timeline")
            else:
                if record.attempts == 1:
                    # What was never tried before was made by somebody else.
                    name = found.url or found.id
                    await self._senders.made(self._plan.route, found.created_at, name)
                await proof.present(self._bench, record, found)

    async def _repeats(self, record: PartRecord, earlier: Mirror) -> None:
        """Skip a post whose text is published already; nothing of this attempt is."""
        bench, where = self._bench, earlier.url or earlier.id
        event, detail = PartEvent.PROVEN_ABSENT, "refused as a duplicate"
        record = await proof.settle(bench, record, event, detail=detail)
        verdict = Verdict(Action.SKIP, Reason.REPEATED_TEXT, where)
        if not await proof.take_back(bench, self._plan.route, record.key.source, verdict):
            # A later part: what is above it stays.
            detail = f"refused, since the same text is published already: {where}"
            await proof.settle(bench, record, PartEvent.GIVEN_UP, detail=detail)

    async def _take_stock(self) -> None:
        """Learn what is unproven: another lane, or a dead process, may have changed that."""
        async with self._bench.turnstiles.turn(self._plan.route.bridge):
            unproven = await self._bench.ledger.unproven(self._plan.route)
            known, self._doubts = self._doubts, {}
            for found in unproven:
                # This route's own lane is here, so nobody sends: `attempting` is what was left.
                record = await proof.in_doubt(self._bench, found)
                self._doubts[record.key] = known.get(record.key) or self._adopted(record)

    def _adopted(self, record: PartRecord) -> _Doubt:
        """A doubt of an earlier process. Only the wall clock links its time with ours."""
        now = self._bench.clock.monotonic()
        left = min(record.not_before - self._bench.clock.now(), proof.ABSENCE).total_seconds()
        return _Doubt(record, now, now + max(left, 0.0))

    def _moment(self, at: float) -> datetime:
        """A monotonic time on the wall clock, not too early by a rounding."""
        left = at - self._bench.clock.monotonic()
        return self._bench.clock.now() + timedelta(seconds=left, milliseconds=1)

    async def _look_for(self, records: list[PartRecord]) -> None:
        locks, route = self._bench.turnstiles, self._plan.route
        try:
            account = await self._plan.target.account()
            # What another bridge is sending there must be known as its own before it is compared.
            async with locks.passing(account):
                asked_at = self._bench.clock.monotonic()
                reading = await self._read(records)
                self._gate.worked()
                async with locks.turn(route.bridge):
                    for record in await self._still_unproven(records):
                        await self._conclude(record, reading, asked_at)
        except NetworkError as error:
            await self._blinded(records, error)

    async def _still_unproven(self, records: list[PartRecord]) -> list[PartRecord]:
        """Those of `records` that nobody has settled while the timeline was read."""
        wanted = {record.key for record in records}
        unproven = await self._bench.ledger.unproven(self._plan.route)
        found = [record for record in unproven if record.key in wanted]
        for key in wanted - {record.key for record in found}:
            self._doubts.pop(key, None)
        return found

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

    async def _conclude(self, record: PartRecord, reading: Reading, asked_at: float) -> None:
        doubt = self._doubts[record.key]
        found = await self._found(record, reading)
        if isinstance(found, Post):
            await proof.present(self._bench, record, found)
            self._sending.worked()
        elif found is AMBIGUOUS:
            await self._hold(record, "it has no words, and there is more than it could be")
            return
        elif asked_at >= doubt.proves_at:
            await self._absent(record)
        else:
            doubt.look_at = min(asked_at + BETWEEN_LOOKS, doubt.proves_at)
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

    async def _found(self, record: PartRecord, reading: Reading) -> Post | Ambiguous | None:
        """The post that is `record`; one that is the mirror of something else already is not."""
        earliest = await proof.earliest(self._bench, record)
        wordless = proof.is_wordless(record.part)
        alike: list[Post] = []
        for post in reading.posts:
            matches = proof.may_be_part if wordless else proof.is_part
            if not matches(record, post, earliest) or await self._is_mirror(post):
                continue
            if await self._was_there_before(record, post):
                continue
            if not wordless:
                return post
            alike.append(post)
        if len(alike) > 1 or (alike and await self._has_rival(record, alike[0])):
            return AMBIGUOUS
        return alike[0] if alike else None

    async def _is_mirror(self, post: Post) -> bool:
        route = self._plan.route
        reverse = type(route)(route.bridge, route.direction.reverse)
        return (await self._bench.ledger.facts(reverse, post)).echo_of is not None

    async def _was_there_before(self, record: PartRecord, post: Post) -> bool:
        """Whether `post` was read before the only attempt at `record`, and so is something else.

        Were it read while a part like it is in doubt, it would not have been let through.
        """
        route = self._plan.route
        reverse = type(route)(route.bridge, route.direction.reverse)
        read = [one for one in await self._bench.ledger.find(post.id) if one.route == reverse]
        return record.attempts == 1 and any(one.verdict.action is Action.MIRROR for one in read)

    async def _has_rival(self, record: PartRecord, post: Post) -> bool:
        """Whether `post` could as well be another part without words."""
        ledger, route = self._bench.ledger, self._plan.route
        for other in (*await ledger.unproven(route), *await ledger.held(route)):
            earliest = await proof.earliest(self._bench, other)
            if other.key != record.key and proof.may_be_part(other, post, earliest):
                return True
        return False

    async def _read(self, records: list[PartRecord]) -> Reading:
        since = min([await proof.earliest(self._bench, record) for record in records])
        reading = await self._plan.target.recent(since)
        await self._bench.note_read(self._plan.route, len(reading.posts), reading.cost)
        return reading

    async def _hold(self, record: PartRecord, why: str) -> None:
        what_to_do = WHAT_TO_DO.format(source=record.key.source)
        await proof.settle(self._bench, record, PartEvent.UNPROVABLE, detail=f"{why}; {what_to_do}")
        self._doubts.pop(record.key, None)
