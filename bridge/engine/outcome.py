"""What becomes of a part after a try that brought no receipt, whatever was tried with it.

One table for sending, editing and deleting, over the kinds of errors. Must not ask a network.
"""

from __future__ import annotations

from datetime import datetime

from bridge.core.delivery import FIRST_WAIT, MAX_ATTEMPTS, PartEvent, PartState, next_attempt
from bridge.core.draft import DraftPart
from bridge.core.errors import NetworkError, Refused, Transient
from bridge.core.model import Microdollars
from bridge.core.policy import HOLD_FOR_MEDIA
from bridge.core.prices import FREE
from bridge.core.record import PartRecord
from bridge.engine import proof
from bridge.engine.gate import Gate
from bridge.engine.route import Bench


def concerns_all(error: NetworkError) -> bool:
    """Whether a failure that is surely one says something about the whole network or account."""
    if isinstance(error, Transient):
        return error.unreachable
    return not isinstance(error, Refused)


async def give_back(bench: Bench, record: PartRecord, gate: Gate, error: NetworkError) -> None:
    """After a claim: surely not done. The gate closes, or this part alone is put off."""
    if concerns_all(error):
        gate.failed(error)
        await proof.settle(bench, record, PartEvent.SURELY_NOT_DONE, detail=str(error))
    else:
        await put_off(bench, record, PartEvent.SURELY_NOT_DONE, str(error))


async def put_off(
    bench: Bench,
    record: PartRecord,
    event: PartEvent,
    detail: str,
    cost: Microdollars = FREE,
) -> None:
    """Try one part again later; give it up when it has failed for about a day."""
    if record.attempts >= MAX_ATTEMPTS:
        gave_up = f"given up after {record.attempts} tries: {detail}"
        await proof.settle(
            bench,
            record,
            PartEvent.REFUSAL,
            cost=cost,
            detail=gave_up,
            notes=_told(record, gave_up),
        )
        return
    later = next_attempt(max(1, record.attempts), now=bench.clock.now(), jitter=bench.jitter())
    await proof.settle(bench, record, event, cost=cost, detail=detail, not_before=later)


def hold_until(record: PartRecord, now: datetime) -> datetime | None:
    """When to ask again for a medium that is missing; None once it has been waited for enough."""
    since = record.waiting_since or now
    end = since + HOLD_FOR_MEDIA
    # Each wait is as long as all waits before it: they double.
    wait = max(FIRST_WAIT, now - since)
    return None if now >= end else min(now + wait, end)


def is_empty(part: DraftPart) -> bool:
    """Whether nothing is left that a reader would see."""
    return not (part.text.strip() or part.spoiler or part.media or part.poll or part.repeat)


def _told(record: PartRecord, why: str) -> tuple[str, ...]:
    part = f"part {record.key.index + 1} of its mirror"
    if record.state is PartState.REVISING:
        return (f"{part} could not be edited, it shows what it said before: {why}",)
    if record.state is PartState.DELETING:
        return (f"{part} could not be deleted, delete it by hand: {why}",)
    return ()
