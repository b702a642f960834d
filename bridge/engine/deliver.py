"""Sending the parts that are due: claim (T2), publish, record (T3), one after the other.

Must not compose anything, and must not repeat anything: what may have been done is left in doubt
for `reconcile`, and later posts wait for its proof. A failure that concerns the whole network
closes the gate, so that the first part in line stays the first; one that concerns a single part
puts only that part off.
"""

from __future__ import annotations

import logging
from datetime import datetime

from bridge.core.delivery import PartEvent, PartState
from bridge.core.errors import InDoubt, NetworkError, Refused
from bridge.core.model import Account
from bridge.core.record import DuePart, PartRecord, Receipt
from bridge.engine import outcome, proof
from bridge.engine.claims import body_hash, still_ours
from bridge.engine.edits import Edits
from bridge.engine.gate import Gate
from bridge.engine.leave import Leave
from bridge.engine.media import Handed, Load, Luggage, MediaMissing, MediaWaits
from bridge.engine.missing import Missing
from bridge.engine.quota import Quota
from bridge.engine.recompose import Recompose
from bridge.engine.reconcile import Reconcile
from bridge.engine.route import Bench, RoutePlan
from bridge.engine.spending import Money

log = logging.getLogger(__name__)

BROKEN_OFF = "an earlier post of its thread has no whole mirror that it could continue"


class Deliver:
    """The sender of one route."""

    def __init__(
        self,
        plan: RoutePlan,
        bench: Bench,
        gate: Gate,
        reconcile: Reconcile,
        *,
        leave: Leave,
        luggage: Luggage,
        missing: Missing,
        recompose: Recompose,
        money: Money,
        edits: Edits,
    ) -> None:
        self._plan = plan
        self._bench = bench
        self._gate = gate
        self._recompose = recompose
        self._reconcile = reconcile
        self._leave = leave
        self._luggage = luggage
        self._missing = missing
        self._money = money
        self._edits = edits
        self._quota = Quota(plan, bench)
        self.stopping = False
        """Set when the daemon ends: the part under way is finished, no further one is begun."""

    def opens_at(self) -> datetime | None:
        """When the next part may be sent, for all but its own time; None for now."""
        waits = (
            self._gate.reopens_at(),
            self._leave.opens_at(),
            self._reconcile.holds_up_until(),
            self._quota.opens_at(),
            self._money.opens_at(),
        )
        return max((at for at in waits if at is not None), default=None)

    async def send_due(self) -> int:
        """Send every part that is due and may be sent; returns how many were delivered."""
        delivered = 0
        await self._fail_stranded()
        while self._may_send():
            await self._resolve()
            due = await self._money.next_due(self._bench.clock.now())
            if due is None:
                self._quota.drained()
                break
            if due.first and not await self._quota.granted():
                break
            delivered += await self._send(due)
        return delivered

    def _may_send(self) -> bool:
        nothing_before = self._reconcile.holds_up_until() is None
        opened = self._gate.is_open() and self._leave.is_open()
        return opened and nothing_before and not self.stopping

    async def first_due(self) -> PartRecord | None:
        """What `send_due` would send first now; None for nothing."""
        if not self._may_send():
            return None
        await self._resolve()
        due = await self._money.next_due(self._bench.clock.now())
        if due is None or (due.first and not await self._quota.granted()):
            return None
        return due.record

    async def _resolve(self) -> None:
        """Compose what has waited for another mirror, as soon as it need not wait any longer."""
        now = self._bench.clock.now()
        try:
            for post in await self._bench.ledger.resolvable(self._plan.route, now):
                await self._edits.resolved(post)
        except NetworkError as error:
            # Not about the post: the target does not say what it takes.
            self._gate.failed(error)

    async def _still_due(self, due: DuePart) -> bool:
        """Whether nobody withdrew or changed the part before our turn on its account came."""
        return await self._money.again(due, self._bench.clock.now()) == due

    async def _fail_stranded(self) -> None:
        """Say of parts whose thread broke off above them that they will not be sent."""
        while stranded := await self._bench.ledger.stranded(self._plan.route):
            for record in stranded:
                await proof.settle(
                    self._bench, record, PartEvent.THREAD_BROKEN_OFF, detail=BROKEN_OFF
                )

    async def _send(self, due: DuePart) -> bool:
        try:
            await self._luggage.require_way(due.record)
            if not await self._leave.granted(due) or await self._recompose.after_retry(due):
                return False
            # Known before anything is claimed: how a text is written depends on the server.
            await self._plan.target.capabilities()
            account = await self._plan.target.account()
            load = await self._luggage.load(due.record)
        except NetworkError as error:
            self._gate.failed(error)
            return False
        except MediaMissing as missing:
            await self._missing.settle(due.record, missing, first=due.first)
            return False
        except MediaWaits as waits:
            await self._missing.wait(due.record, waits, PartEvent.PUT_OFF)
            return False
        self._bench.sending.add(due.record.key)
        try:
            return await self._claimed(due, account, load)
        finally:
            self._bench.sending.discard(due.record.key)
            await self._luggage.discard(load)

    async def _claimed(self, due: DuePart, account: Account, load: Load) -> bool:
        """Claim a part and have it sent, with nobody judging posts of its account meanwhile.

        Uploads may take minutes, and nobody sees them: then others may pass in between.
        """
        bench = self._bench
        async with bench.turnstiles.passing(account):
            async with bench.turnstiles.turn(self._plan.route.bridge):
                if not await self._still_due(due):
                    return False
                begun = bench.clock.monotonic()
                hashed = body_hash(due.record.part, due.reply_to)
                record = await bench.ledger.claim(due.record.key, bench.clock.now(), hashed)
            if record.part != due.record.part:
                await self._too_late(record)
                return False
            if load.is_there:
                return await self._published(due, record, Handed(load.ids), begun)
        handed = await self._handed_over(due, record, load)
        if handed is None:
            return False
        async with bench.turnstiles.passing(account):
            return await self._published(due, record, handed, begun)

    async def _handed_over(self, due: DuePart, record: PartRecord, load: Load) -> Handed | None:
        """The media of a claimed part on the target; None where the part was given back."""
        try:
            return await self._luggage.hand_over(record, load)
        except MediaMissing as missing:
            back = await proof.settle(
                self._bench, record, PartEvent.SURELY_NOT_DONE, detail=missing.why
            )
            if back.state is PartState.PLANNED and back.part == due.record.part:
                await self._missing.settle(back, missing, first=due.first)
        except MediaWaits as waits:
            await self._missing.wait(record, waits, PartEvent.SURELY_NOT_DONE)
        except NetworkError as error:
            await outcome.give_back(self._bench, record, self._gate, error)
        return None

    async def _published(
        self, due: DuePart, record: PartRecord, handed: Handed, begun: float
    ) -> bool:
        if not await still_ours(self._bench, begun):
            await self._too_late(record)
            return False
        if not self._leave.holds(record.key.source):
            # What was uploaded is kept for the next try, which comes at once.
            detail = "its source is asked once more, since its media took so long"
            await proof.settle(self._bench, record, PartEvent.SURELY_NOT_DONE, detail=detail)
            return False
        try:
            # If this is cancelled the claim stands as `attempting`, and whoever comes next has to
            # prove what happened before anything is sent.
            receipt = await self._plan.target.publish(
                record.part,
                reply_to=due.reply_to,
                key=record.key.idempotency_key,
                media=handed.ids,
            )
        except NetworkError as error:
            await self._failed(due, record, error)
            return False
        except Exception as error:  # whatever broke, the part may have been sent
            log.exception("sending part %d of %s broke off", record.key.index, record.key.source)
            await self._failed(due, record, InDoubt(f"broke off: {type(error).__name__}"))
            return False
        await self._delivered(record, receipt, handed.notes)
        if self._gate.refuses_all:
            # What was put off in vain follows at once.
            await self._bench.ledger.hurry(self._plan.route, self._bench.clock.now())
        self._gate.worked()
        return True

    async def _delivered(
        self, record: PartRecord, receipt: Receipt, notes: tuple[str, ...]
    ) -> None:
        told = (*notes, receipt.note)
        await proof.settle(self._bench, record, PartEvent.RECEIPT, receipt=receipt, notes=told)

    async def _refused(self, due: DuePart, record: PartRecord, error: Refused) -> None:
        """A no to this part: tried once more as new limits will have it, else over.

        Where it is its media that are refused, and were uploaded again in vain, its words go on.
        """
        if await self._recompose.after_refusal(record, error):
            return
        if not (error.media and record.part.media):
            await proof.settle(self._bench, record, PartEvent.REFUSAL, detail=str(error))
            return
        event = PartEvent.SURELY_NOT_DONE
        back = await proof.settle(self._bench, record, event, detail=str(error))
        if back.state is PartState.PLANNED and back.part == due.record.part:
            await self._missing.settle_all(back, str(error), first=due.first)

    async def _too_late(self, record: PartRecord) -> None:
        """Give back a claim that was slept over, or that is of something else by now.

        Another process may think us dead by now: if so the ledger says `LeaseLost`; else the part
        is claimed anew.
        """
        log.warning("part %d of %s was claimed too long ago", record.key.index, record.key.source)
        await proof.settle(
            self._bench, record, PartEvent.SURELY_NOT_DONE, detail="interrupted before sending"
        )

    async def _failed(self, due: DuePart, record: PartRecord, error: NetworkError) -> None:
        """Record what became of an attempt that ended without a receipt."""
        detail = str(error)
        final = isinstance(error, Refused) and not error.missing
        if final:
            # Whoever judges a post is in order.
            self._gate.worked()
        if isinstance(error, Refused) and error.duplicate:
            doubtful = await proof.doubt(self._bench, record, detail)
            await self._reconcile.settle_duplicate(doubtful)
        elif isinstance(error, Refused) and final:
            await self._refused(due, record, error)
        elif isinstance(error, InDoubt):
            self._gate.failed(error)
            self._reconcile.watch(await proof.doubt(self._bench, record, detail))
        else:
            # What it refers to may be there soon: timelines lag behind what they have accepted.
            await outcome.give_back(self._bench, record, self._gate, error)
