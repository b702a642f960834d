"""What becomes of a part after a try that brought no receipt, whatever was tried with it.

One table for sending, editing and deleting, over the kinds of errors. Must not ask a network.
"""

from __future__ import annotations

from datetime import datetime

from bridge.core.delivery import (
    FIRST_WAIT,
    LONGEST_PUT_OFF,
    LONGEST_WAIT,
    MAX_ATTEMPTS,
    PATIENT_TRIES,
    REFUSED_FOR,
    PartEvent,
    PartState,
    next_attempt,
)
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


async def give_back(
    bench: Bench,
    record: PartRecord,
    gate: Gate,
    error: NetworkError,
    *,
    refusals: Gate | None = None,
) -> None:
    """After a claim: surely not done. The gate closes, or this part alone is put off.

    A refusal that says nothing about the part closes `refusals`, which is the same gate where no
    other is given, for as long as it seems to be about all posts.
    """
    if concerns_all(error):
        gate.failed(error)
        await proof.settle(bench, record, PartEvent.SURELY_NOT_DONE, detail=str(error))
    elif error.status is None:
        await put_off(bench, record, PartEvent.SURELY_NOT_DONE, str(error))
    else:
        await _turned_away(bench, record, refusals or gate, error)


async def _turned_away(bench: Bench, record: PartRecord, gate: Gate, error: NetworkError) -> None:
    """The network refused a part for a reason that may pass, with it or with every post."""
    now, event, detail = bench.clock.now(), PartEvent.TURNED_AWAY, str(error)
    later = next_attempt(max(1, record.attempts), now=now, jitter=bench.jitter())
    opens = gate.refused(record.key.source, error, later)
    if not gate.refuses_all and now - (record.refused_since or now) >= REFUSED_FOR:
        gate.forget(record.key.source)
        await _give_up(bench, record, f"refused for a day: {detail}")
    elif opens is not None and record.attempts <= PATIENT_TRIES:
        # First in its order again, once the gate opens.
        await proof.settle(bench, record, event, detail=detail)
    else:
        # It makes way for a post that may fare better, and ever longer.
        after = later
        if opens is not None and gate.refuses_all:
            longer = LONGEST_WAIT * (record.attempts - PATIENT_TRIES)
            after = min(opens + longer, now + LONGEST_PUT_OFF)
        await proof.settle(bench, record, event, not_before=after, detail=detail)


async def put_off(
    bench: Bench,
    record: PartRecord,
    event: PartEvent,
    detail: str,
    cost: Microdollars = FREE,
) -> None:
    """Try one part again later; give it up when it has failed for about a day."""
    if record.attempts >= MAX_ATTEMPTS:
        why = f"given up after {record.attempts} tries: {detail}"
        await _give_up(bench, record, why, cost)
        return
    later = next_attempt(max(1, record.attempts), now=bench.clock.now(), jitter=bench.jitter())
    await proof.settle(bench, record, event, cost=cost, detail=detail, not_before=later)


async def _give_up(bench: Bench, record: PartRecord, why: str, cost: Microdollars = FREE) -> None:
    event, notes = PartEvent.REFUSAL, _told(record, why)
    await proof.settle(bench, record, event, cost=cost, detail=why, notes=notes)


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
