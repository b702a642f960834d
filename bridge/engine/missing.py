"""What becomes of a part whose medium cannot be had: waited for, left out, or not sent at all.

Must not fetch or send anything. A part that would say nothing without its medium is never sent.
"""

from __future__ import annotations

from dataclasses import replace

from bridge.core.delivery import PartEvent, PartState
from bridge.core.draft import DraftPart
from bridge.core.model import Microdollars
from bridge.core.record import PartRecord
from bridge.core.verdict import Action, Reason, Verdict
from bridge.engine import outcome, proof
from bridge.engine.edits import Edits, recorded
from bridge.engine.media import MediaMissing, MediaWaits, word
from bridge.engine.route import Bench, RoutePlan


class Missing:
    """The one who decides about missing media, for the parts of one route."""

    def __init__(self, plan: RoutePlan, bench: Bench, edits: Edits) -> None:
        self._plan = plan
        self._bench = bench
        self._edits = edits

    async def settle(self, record: PartRecord, missing: MediaMissing, *, first: bool) -> None:
        """Deal with `record`, planned or outdated; `first` says that nothing of its post stands."""
        async with self._bench.turnstiles.turn(record.key.route.bridge):
            known = await proof.current(self._bench, record)
            if (known.state, known.part) == (record.state, record.part):
                await self._settle(record, missing, first=first)

    async def _settle(self, record: PartRecord, missing: MediaMissing, *, first: bool) -> None:
        what = f"{word(record, missing.place)} cannot be had: {missing.why}"
        policy, now = self._plan.policy.media_missing, self._bench.clock.now()
        again = outcome.hold_until(record, now)
        if policy == "hold" and not missing.lasting and again is not None:
            detail = f"{what}; it is asked for again"
            event = PartEvent.MEDIA_MISSING
            await proof.settle(self._bench, record, event, not_before=again, detail=detail)
            return
        if policy == "skip":
            verdict = Verdict(Action.SKIP, Reason.MEDIA_MISSING, what)
            if not (first and await self._edits.withdraw(record.key.source, verdict)):
                await self._give_up(record, f"{what}; `media_missing` says to skip it then")
            return
        rest = await self._without(record.part, missing.place)
        if outcome.is_empty(rest):
            await self._give_up(record, f"{what}, and there is nothing else to be said")
            return
        note = f"{word(record, missing.place)} left out: {missing.why}"
        await self._bench.ledger.reshape(record.key, rest, now, note)

    async def settle_all(self, record: PartRecord, why: str, *, first: bool) -> None:
        """Deal with `record`, of whose media none is taken, whatever file it is."""
        while record.part.media:
            before = record.part.media
            missing = MediaMissing(len(before) - 1, why, lasting=True)
            await self.settle(record, missing, first=first)
            post = await recorded(self._bench, self._plan, record.key.source)
            parts = () if post is None else post.parts
            now = next((part for part in parts if part.key == record.key), record)
            if now.state is not PartState.PLANNED or now.part.media == before:
                return
            record = now

    async def wait(self, record: PartRecord, waits: MediaWaits, event: PartEvent) -> None:
        """Put `record` off: no file is at fault, so that nothing is left out or skipped."""
        detail = f"waits, since its media cannot be uploaded for now: {waits.why}"
        await proof.settle(self._bench, record, event, not_before=waits.until, detail=detail)

    async def _give_up(self, record: PartRecord, why: str) -> None:
        if record.state is PartState.OUTDATED:
            note = f"part {record.key.index + 1} could not be edited, it stays as it was: {why}"
            await proof.settle(self._bench, record, PartEvent.REFUSAL, detail=why, notes=(note,))
        else:
            await proof.settle(self._bench, record, PartEvent.GIVEN_UP, detail=why)

    async def _without(self, part: DraftPart, place: int) -> DraftPart:
        medium = part.media[place]
        rest = part.media[:place] + part.media[place + 1 :]
        prices = (await self._plan.target.capabilities()).prices
        saved = 0
        if prices is not None:
            saved = prices.media + (prices.alt_text if medium.alt else 0)
        return replace(part, media=rest, price=Microdollars(max(0, part.price - saved)))
