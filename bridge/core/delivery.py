"""The life of a part, as a state machine, and when a failed one is tried again.

    planned ──claim──▶ attempting ──receipt──▶ delivered
       ▲                  │  │ └───refusal───▶ failed
       │                  │  └────doubt──────▶ in-doubt ──proven present──▶ delivered
       ├──surely not done─┘                     │ │
       └───────────proven absent────────────────┘ └──cannot be proven──▶ held
    held ──owner: sent, proven present──▶ delivered      held, failed ──owner: retry──▶ planned
    planned ──thread broken off──▶ failed      planned, held, failed ──owner──▶ dropped
    planned ──withdrawn──▶ dropped

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


class PartEvent(StrEnum):
    """What can happen to a part."""

    CLAIM = "claim"
    RECEIPT = "receipt"
    SURELY_NOT_DONE = "surely-not-done"
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


_S, _E = PartState, PartEvent
TRANSITIONS: dict[tuple[PartState, PartEvent], PartState] = {
    (_S.PLANNED, _E.CLAIM): _S.ATTEMPTING,
    (_S.PLANNED, _E.THREAD_BROKEN_OFF): _S.FAILED,
    (_S.PLANNED, _E.WITHDRAWN): _S.DROPPED,
    (_S.ATTEMPTING, _E.RECEIPT): _S.DELIVERED,
    (_S.ATTEMPTING, _E.SURELY_NOT_DONE): _S.PLANNED,
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
}


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
    ended = {_S.FAILED: PostState.FAILED, _S.DROPPED: PostState.DROPPED}
    for part, post in ended.items():
        if part in seen:
            return PostState.PARTIAL if _S.DELIVERED in seen else post
    if seen == {_S.DELIVERED}:
        return PostState.DELIVERED
    return PostState.SENDING if _S.DELIVERED in seen else PostState.PLANNED


FIRST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(hours=1)
LONGEST_TOLD_WAIT = timedelta(days=1)
MAX_ATTEMPTS = 24
"""About a day of hourly tries at the end; then a transient failure is taken for a lasting one."""


def next_attempt(
    attempts: int, *, now: datetime, jitter: float, until: datetime | None = None
) -> datetime:
    """When to try again after `attempts` (1 or more) tries.

    Waits double from `FIRST_WAIT` to `LONGEST_WAIT`; `jitter` in [0, 1) takes off up to half, so
    that many bridges do not return at one moment. A time told by the network wins where it is
    later, clamped to `LONGEST_TOLD_WAIT`, so that a broken or hostile header cannot stall a bridge.
    """
    full = min(FIRST_WAIT * (1 << min(attempts - 1, 16)), LONGEST_WAIT)
    own = now + full * (1 - jitter / 2)
    if until is None:
        return own
    return max(own, min(until, now + LONGEST_TOLD_WAIT))
