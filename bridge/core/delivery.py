"""The life of a part, as a state machine, and when a failed one is tried again.

    planned ──claim──▶ attempting ──receipt──▶ delivered
       ▲                  │  │ └───refusal───▶ failed
       │                  │  └────doubt──────▶ in-doubt ──proven present──▶ delivered
       ├──surely not done─┘                     │ │
       └───────────proven absent────────────────┘ └──cannot be proven──▶ held
    held ──owner: sent, proven present──▶ delivered      held, failed ──owner: retry──▶ planned
    planned ──thread broken off, given up──▶ failed      planned ──held back──▶ held
    planned, held, failed ──owner──▶ dropped             planned ──withdrawn──▶ dropped
    planned ──proven present──▶ delivered: what sent it was forgotten with a ledger

What was sent may be edited, and deleted, where it stands; the rest is edited before it is sent:

    delivered ──edited──▶ outdated ──claim──▶ revising ──receipt, refusal, unprovable──▶ delivered
                             ▲                  │ └──missing──▶ gone
                             └──surely not done─┴─doubt: it does no harm to repeat it
    delivered, outdated ──superfluous, retracted──▶ unwanted ──claim──▶ deleting ──removed──▶ gone
                                                      ▲                   │ └──refusal──▶ delivered
                                                      └──surely not done──┴─doubt
    planned, held, failed ──superfluous──▶ gone      planned, held, failed ──retracted──▶ dropped

"Turned away" leads wherever "surely not done" does.

Pure: no clock and no randomness; `now` and `jitter` are arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum


class PartState(StrEnum):
    """Where a part stands. `ATTEMPTING` is written before the first byte leaves."""

    PLANNED = "planned"
    ATTEMPTING = "attempting"
    IN_DOUBT = "in-doubt"
    DELIVERED = "delivered"
    HELD = "held"
    FAILED = "failed"
    DROPPED = "dropped"
    OUTDATED = "outdated"
    """Stands with former content, and is to be edited."""
    REVISING = "revising"
    UNWANTED = "unwanted"
    """Stands, and is to be deleted."""
    DELETING = "deleting"
    GONE = "gone"
    """Belongs to its mirror no more: deleted, or no longer needed before it was sent."""


class PartEvent(StrEnum):
    """What can happen to a part."""

    CLAIM = "claim"
    RECEIPT = "receipt"
    SURELY_NOT_DONE = "surely-not-done"
    TURNED_AWAY = "turned-away"
    """Surely not done: the network refused it for a reason that may pass."""
    REFUSAL = "refusal"
    DOUBT = "doubt"
    PROVEN_PRESENT = "proven-present"
    PROVEN_ABSENT = "proven-absent"
    UNPROVABLE = "unprovable"
    THREAD_BROKEN_OFF = "thread-broken-off"
    WITHDRAWN = "withdrawn"
    """The same post was found on the target network before the first byte of this one left."""
    OWNER_SAYS_SENT = "owner-says-sent"
    OWNER_SAYS_RETRY = "owner-says-retry"
    OWNER_DROPS = "owner-drops"
    PUT_OFF = "put-off"
    """Something else has to be found out before it may be tried."""
    MEDIA_MISSING = "media-missing"
    RESHAPED = "reshaped"
    """It is to go without something that cannot be had."""
    GIVEN_UP = "given-up"
    """Never tried, since what it is made of cannot be had."""
    HELD_BACK = "held-back"
    EDITED = "edited"
    SUPERFLUOUS = "superfluous"
    """The post was edited, and has no such part any more."""
    RETRACTED = "retracted"
    """The post itself was deleted by its author."""
    REMOVED = "removed"
    MISSING = "missing"
    """What was to be edited does not stand there any more."""


_S, _E = PartState, PartEvent
TRANSITIONS: dict[tuple[PartState, PartEvent], PartState] = {
    (_S.PLANNED, _E.CLAIM): _S.ATTEMPTING,
    (_S.PLANNED, _E.THREAD_BROKEN_OFF): _S.FAILED,
    (_S.PLANNED, _E.WITHDRAWN): _S.DROPPED,
    (_S.ATTEMPTING, _E.RECEIPT): _S.DELIVERED,
    (_S.ATTEMPTING, _E.SURELY_NOT_DONE): _S.PLANNED,
    (_S.ATTEMPTING, _E.TURNED_AWAY): _S.PLANNED,
    (_S.ATTEMPTING, _E.REFUSAL): _S.FAILED,
    (_S.ATTEMPTING, _E.DOUBT): _S.IN_DOUBT,
    (_S.IN_DOUBT, _E.PROVEN_PRESENT): _S.DELIVERED,
    (_S.IN_DOUBT, _E.PROVEN_ABSENT): _S.PLANNED,
    (_S.IN_DOUBT, _E.UNPROVABLE): _S.HELD,
    (_S.HELD, _E.PROVEN_PRESENT): _S.DELIVERED,
    (_S.HELD, _E.OWNER_SAYS_SENT): _S.DELIVERED,
    (_S.HELD, _E.OWNER_SAYS_RETRY): _S.PLANNED,
    (_S.FAILED, _E.OWNER_SAYS_RETRY): _S.PLANNED,
    (_S.PLANNED, _E.OWNER_DROPS): _S.DROPPED,
    (_S.HELD, _E.OWNER_DROPS): _S.DROPPED,
    (_S.FAILED, _E.OWNER_DROPS): _S.DROPPED,
    (_S.PLANNED, _E.PROVEN_PRESENT): _S.DELIVERED,
    (_S.PLANNED, _E.PUT_OFF): _S.PLANNED,
    (_S.PLANNED, _E.MEDIA_MISSING): _S.PLANNED,
    (_S.PLANNED, _E.RESHAPED): _S.PLANNED,
    (_S.PLANNED, _E.GIVEN_UP): _S.FAILED,
    (_S.PLANNED, _E.HELD_BACK): _S.HELD,
    (_S.PLANNED, _E.EDITED): _S.PLANNED,
    (_S.HELD, _E.EDITED): _S.HELD,
    (_S.FAILED, _E.EDITED): _S.FAILED,
    (_S.DELIVERED, _E.EDITED): _S.OUTDATED,
    (_S.OUTDATED, _E.EDITED): _S.OUTDATED,
    (_S.OUTDATED, _E.PUT_OFF): _S.OUTDATED,
    (_S.OUTDATED, _E.MEDIA_MISSING): _S.OUTDATED,
    (_S.OUTDATED, _E.RESHAPED): _S.OUTDATED,
    (_S.OUTDATED, _E.REFUSAL): _S.DELIVERED,
    (_S.OUTDATED, _E.CLAIM): _S.REVISING,
    (_S.REVISING, _E.RECEIPT): _S.DELIVERED,
    (_S.REVISING, _E.REFUSAL): _S.DELIVERED,
    (_S.REVISING, _E.UNPROVABLE): _S.DELIVERED,
    (_S.REVISING, _E.MISSING): _S.GONE,
    (_S.REVISING, _E.SURELY_NOT_DONE): _S.OUTDATED,
    (_S.REVISING, _E.TURNED_AWAY): _S.OUTDATED,
    (_S.REVISING, _E.DOUBT): _S.OUTDATED,
    (_S.PLANNED, _E.SUPERFLUOUS): _S.GONE,
    (_S.HELD, _E.SUPERFLUOUS): _S.GONE,
    (_S.FAILED, _E.SUPERFLUOUS): _S.GONE,
    (_S.DROPPED, _E.SUPERFLUOUS): _S.GONE,
    (_S.DELIVERED, _E.SUPERFLUOUS): _S.UNWANTED,
    (_S.OUTDATED, _E.SUPERFLUOUS): _S.UNWANTED,
    (_S.PLANNED, _E.RETRACTED): _S.DROPPED,
    (_S.HELD, _E.RETRACTED): _S.DROPPED,
    (_S.FAILED, _E.RETRACTED): _S.DROPPED,
    (_S.DELIVERED, _E.RETRACTED): _S.UNWANTED,
    (_S.OUTDATED, _E.RETRACTED): _S.UNWANTED,
    (_S.UNWANTED, _E.CLAIM): _S.DELETING,
    (_S.DELETING, _E.REMOVED): _S.GONE,
    (_S.DELETING, _E.REFUSAL): _S.DELIVERED,
    (_S.DELETING, _E.SURELY_NOT_DONE): _S.UNWANTED,
    (_S.DELETING, _E.TURNED_AWAY): _S.UNWANTED,
    (_S.DELETING, _E.DOUBT): _S.UNWANTED,
}

WITH_RECEIPT = frozenset({_E.RECEIPT, _E.PROVEN_PRESENT, _E.OWNER_SAYS_SENT})
"""The events that name the post on the target network by which a part stands from then on."""

STANDING = frozenset({_S.DELIVERED, _S.OUTDATED, _S.REVISING, _S.UNWANTED, _S.DELETING})
"""States of a part that stands on the target network, as far as is known."""

UNDER_WAY = frozenset({_S.ATTEMPTING, _S.IN_DOUBT, _S.REVISING, _S.DELETING})
"""States of a part that something is being done with, so that nothing else may be."""


def after(state: PartState, event: PartEvent) -> PartState:
    """The state that `event` leads to. Raises `ValueError` for a move that is not drawn above."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise ValueError(f"a part that is {state.value} cannot take {event.value}") from None


class PostState(StrEnum):
    """Where a whole post stands, derived from its verdict and its parts."""

    SKIPPED = "skipped"
    PLANNED = "planned"
    SENDING = "sending"
    DELIVERED = "delivered"
    PARTIAL = "partial"
    """Some parts stand, the rest never will."""
    IN_DOUBT = "in-doubt"
    HELD = "held"
    FAILED = "failed"
    DROPPED = "dropped"
    CHANGING = "changing"
    """Stands, and an edit or a deletion of it is still to be made."""
    REMOVED = "removed"
    """Stood, and was deleted."""


def post_state(parts: Sequence[PartState]) -> PostState:
    """The state of a post that is to be mirrored in `parts` (at least one).

    What needs somebody comes first: one held part makes the post held, whatever the others are.
    """
    seen = frozenset(parts)
    for part, post in (
        (_S.HELD, PostState.HELD),
        (_S.IN_DOUBT, PostState.IN_DOUBT),
        (_S.ATTEMPTING, PostState.SENDING),
    ):
        if part in seen:
            return post
    if seen & STANDING - {_S.DELIVERED}:
        return PostState.CHANGING
    if _S.GONE in seen and seen <= {_S.GONE, _S.DROPPED}:
        return PostState.REMOVED
    ended = {_S.FAILED: PostState.FAILED, _S.DROPPED: PostState.DROPPED}
    for part, post in ended.items():
        if part in seen:
            return PostState.PARTIAL if _S.DELIVERED in seen else post
    if seen <= {_S.DELIVERED, _S.GONE}:
        return PostState.DELIVERED
    return PostState.SENDING if seen & {_S.DELIVERED, _S.GONE} else PostState.PLANNED


FIRST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(hours=1)
LONGEST_TOLD_WAIT = timedelta(days=1)
LONGEST_PUT_OFF = timedelta(hours=6)
"""No single part is put off for longer: it makes way for others while all of them are refused."""

REFUSED_FOR = timedelta(days=1)
"""How long a part that the network refuses for a reason that may pass is tried again."""

PATIENT_TRIES = 3
"""After so many tries it is the part, not the network: it makes way for the others."""

MAX_ATTEMPTS = 24
"""About a day of hourly tries at the end; then a transient failure is taken for a lasting one."""


def next_attempt(
    attempts: int,
    *,
    now: datetime,
    jitter: float,
    until: datetime | None = None,
    longest: timedelta = LONGEST_WAIT,
) -> datetime:
    """When to try again after `attempts` (1 or more) tries.

    Waits double from `FIRST_WAIT` to `longest`; `jitter` in [0, 1) takes off up to half, so
    that many bridges do not return at one moment. A time told by the network wins where it is
    later, clamped to `LONGEST_TOLD_WAIT`, so that a broken or hostile header cannot stall a bridge.
    """
    full = min(FIRST_WAIT * (1 << min(attempts - 1, 16)), longest)
    own = now + full * (1 - jitter / 2)
    if until is None:
        return own
    return max(own, min(until, now + LONGEST_TOLD_WAIT))
