"""Sending the parts that are due: claim (T2), publish, record (T3), one after the other.

Must not compose anything, and must not repeat anything: what may have been done is left in doubt
for `reconcile`, and later posts wait for its proof. A failure that concerns the whole network
closes the gate, so that the first part in line stays the first; one that concerns a single part
puts only that part off.
"""

from __future__ import annotations

import hashlib
import json
import logging
from datetime import datetime

from bridge.core.delivery import MAX_ATTEMPTS, PartEvent, next_attempt
from bridge.core.draft import DraftPart
from bridge.core.errors import InDoubt, NetworkError, Refused, Transient
from bridge.core.model import PostId
from bridge.core.record import DuePart, PartRecord, Receipt
from bridge.engine import proof
from bridge.engine.gate import Gate
from bridge.engine.reconcile import Reconcile
from bridge.engine.route import Bench, RoutePlan

log = logging.getLogger(__name__)

STALE = 20.0
"""Seconds after its claim in which a part must be on its way; well within a lease.

Whoever takes over from a stopped process waits for longer than this before it takes an absence for
proof, so a claim that is acted upon in time is always seen by a successor.
"""

BROKEN_OFF = "an earlier post of its thread has no whole mirror that it could continue"


class Deliver:
    """The sender of one route."""

    def __init__(self, plan: RoutePlan, bench: Bench, gate: Gate, reconcile: Reconcile) -> None:
        self._plan = plan
        self._bench = bench
        self._gate = gate
        self._reconcile = reconcile
        self.stopping = False
        """Set when the daemon ends: the part under way is finished, no further one is begun."""

    def opens_at(self) -> datetime | None:
        """When the next part may be sent, for all but its own time; None for now."""
        waits = (self._gate.reopens_at(), self._reconcile.holds_up_until())
        return max((at for at in waits if at is not None), default=None)

    async def send_due(self) -> int:
        """Send every part that is due and may be sent; returns how many were delivered."""
        delivered = 0
        await self._fail_stranded()
        while self._may_send():
            now = self._bench.clock.now()
            due = await self._bench.ledger.next_due(self._plan.route, now)
            if due is None:
                break
            delivered += await self._send(due)
        return delivered

    def _may_send(self) -> bool:
        nothing_before = self._reconcile.holds_up_until() is None
        return self._gate.is_open() and nothing_before and not self.stopping

    async def first_due(self) -> PartRecord | None:
        """What `send_due` would send first now; None for nothing."""
        now = self._bench.clock.now()
        due = await self._bench.ledger.next_due(self._plan.route, now) if self._may_send() else None
        return None if due is None else due.record

    async def _still_due(self, due: DuePart) -> bool:
        """Whether nobody withdrew the part before our turn on its account came."""
        now = self._bench.clock.now()
        return await self._bench.ledger.next_due(self._plan.route, now) == due

    async def _fail_stranded(self) -> None:
        """Say of parts whose thread broke off above them that they will not be sent."""
        while stranded := await self._bench.ledger.stranded(self._plan.route):
            for record in stranded:
                await proof.settle(
                    self._bench, record, PartEvent.THREAD_BROKEN_OFF, detail=BROKEN_OFF
                )

    async def _send(self, due: DuePart) -> bool:
        try:
            account = await self._plan.target.account()
        except NetworkError as error:
            self._gate.failed(error)
            return False
        part, key = due.record.part, due.record.key
        async with self._bench.turnstiles.passing(account):
            if not await self._still_due(due):
                return False
            now, begun = self._bench.clock.now(), self._bench.clock.monotonic()
            await self._bench.ledger.claim(key, now, body_hash(part, due.reply_to))
            if self._bench.clock.monotonic() - begun > STALE:
                await self._too_late(due.record)
                return False
            try:
                # If this is cancelled the claim stands as `attempting`, and whoever comes next has
                # to prove what happened before anything is sent.
                receipt = await self._plan.target.publish(
                    part, reply_to=due.reply_to, key=key.idempotency_key
                )
            except NetworkError as error:
                await self._failed(due.record, error)
                return False
            except Exception as error:  # whatever broke, the part may have been sent
                log.exception("sending part %d of %s broke off", key.index, key.source)
                await self._failed(due.record, InDoubt(f"broke off: {type(error).__name__}"))
                return False
            await self._delivered(due.record, receipt)
        self._gate.worked()
        return True

    async def _delivered(self, record: PartRecord, receipt: Receipt) -> None:
        await proof.settle(self._bench, record, PartEvent.RECEIPT, receipt=receipt)

    async def _too_late(self, record: PartRecord) -> None:
        """Give back a claim that was slept over: another process may think us dead by now.

        If so the ledger says `LeaseLost`; else the part is claimed anew.
        """
        log.warning("part %d of %s was claimed too long ago", record.key.index, record.key.source)
        await proof.settle(
            self._bench, record, PartEvent.SURELY_NOT_DONE, detail="interrupted before sending"
        )

    async def _failed(self, record: PartRecord, error: NetworkError) -> None:
        """Record what became of an attempt that ended without a receipt."""
        detail = str(error)
        if isinstance(error, Refused):
            # Whoever judges a post is in order.
            self._gate.worked()
        if isinstance(error, Refused) and error.duplicate:
            doubtful = await proof.doubt(self._bench, record, detail)
            await self._reconcile.settle_duplicate(doubtful)
        elif isinstance(error, Refused):
            await proof.settle(self._bench, record, PartEvent.REFUSAL, detail=detail)
        elif isinstance(error, InDoubt):
            self._gate.failed(error)
            self._reconcile.watch(await proof.doubt(self._bench, record, detail))
        elif isinstance(error, Transient) and not error.unreachable:
            await self._put_off(record, detail)
        else:
            self._gate.failed(error)
            await proof.settle(self._bench, record, PartEvent.SURELY_NOT_DONE, detail=detail)

    async def _put_off(self, record: PartRecord, detail: str) -> None:
        """Try one part again later; give it up when it has failed for about a day."""
        attempts = record.attempts + 1
        if attempts >= MAX_ATTEMPTS:
            gave_up = f"given up after {attempts} tries: {detail}"
            await proof.settle(self._bench, record, PartEvent.REFUSAL, detail=gave_up)
            return
        now = self._bench.clock.now()
        later = next_attempt(attempts, now=now, jitter=self._bench.jitter())
        await proof.settle(
            self._bench, record, PartEvent.SURELY_NOT_DONE, detail=detail, not_before=later
        )


def body_hash(part: DraftPart, reply_to: PostId | None) -> str:
    """SHA-256 over everything that is sent, in hexadecimal: what exactly was attempted."""
    body = [
        part.text,
        part.spoiler,
        part.sensitive,
        part.language,
        part.visibility.value,
        [[medium.id, medium.kind.value, medium.url, medium.alt] for medium in part.media],
        reply_to,
    ]
    return hashlib.sha256(json.dumps(body).encode()).hexdigest()
