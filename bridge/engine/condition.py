"""One word for how a direction is, and which of them is said where several would do.

Pure. Must not know what can hold up a whole direction: `bridge.engine.standing` does.
"""

from __future__ import annotations

from enum import StrEnum

from bridge.core.listing import RouteStatus
from bridge.core.waits import Why


class Condition(StrEnum):
    """One word for a direction; the first that holds, from top to bottom."""

    PAUSED = "paused"
    WRONG_ACCOUNT = "wrong-account"
    """The credentials are another account's than the one that the ledger knows."""
    SIGN_IN = "sign-in"
    BARRED = "barred"
    """The network has shut the account itself out: moved away, suspended, disabled."""
    UNPAID = "unpaid"
    """The network wants money: credits, a higher cap, or another plan."""
    NO_ROOM = "no-room"
    MEDIA_WAITS = "media-waits"
    """No file can be uploaded: posts with media wait, others go on."""
    RATE_LIMIT = "rate-limit"
    UNREACHABLE = "unreachable"
    WAITING = "waiting"
    NEEDS_OWNER = "needs-owner"
    OVER_BUDGET = "over-budget"
    GAP = "gap"
    """Posts were read past without a record; they are being read."""
    IN_DOUBT = "in-doubt"
    SENDING = "sending"
    NEVER_READ = "never-read"
    UP_TO_DATE = "up-to-date"


BAD = frozenset(
    {
        Condition.WRONG_ACCOUNT,
        Condition.SIGN_IN,
        Condition.BARRED,
        Condition.UNPAID,
        Condition.NO_ROOM,
        Condition.MEDIA_WAITS,
        Condition.NEEDS_OWNER,
    }
)
"""What only the owner can mend."""

WORDS = {
    Condition.PAUSED: "paused",
    Condition.WRONG_ACCOUNT: "wrong account",
    Condition.SIGN_IN: "sign in again",
    Condition.BARRED: "account shut out",
    Condition.UNPAID: "unpaid",
    Condition.NO_ROOM: "disk full",
    Condition.MEDIA_WAITS: "media waits",
    Condition.RATE_LIMIT: "rate limit",
    Condition.UNREACHABLE: "unreachable",
    Condition.WAITING: "waiting",
    Condition.NEEDS_OWNER: "needs you",
    Condition.OVER_BUDGET: "over budget",
    Condition.GAP: "reading missed posts",
    Condition.IN_DOUBT: "in doubt",
    Condition.SENDING: "sending",
    Condition.NEVER_READ: "never read",
    Condition.UP_TO_DATE: "up to date",
}
"""What `status` calls each of them, in its lines and in its JSON."""


WAITS = {
    Why.SIGN_IN: Condition.SIGN_IN,
    Why.BARRED: Condition.BARRED,
    Why.UNPAID: Condition.UNPAID,
    Why.NO_UPLOADS: Condition.MEDIA_WAITS,
    Why.RATE_LIMIT: Condition.RATE_LIMIT,
    Why.UNREACHABLE: Condition.UNREACHABLE,
    Why.REFUSED: Condition.WAITING,
}
"""The condition that each wait puts a direction in."""


def of_wait(why: Why | None, *, of_media: bool) -> Condition:
    """How a direction is that waits for `why`; None for what is not told apart."""
    if of_media:
        return Condition.MEDIA_WAITS
    return Condition.WAITING if why is None else WAITS[why]


def by_figures(figures: RouteStatus) -> Condition:
    """How a direction is that nothing holds up as a whole."""
    if figures.held or figures.failed:
        return Condition.NEEDS_OWNER
    if figures.waiting_for_money:
        return Condition.OVER_BUDGET
    if figures.gap is not None and figures.gap.is_open:
        return Condition.GAP
    if figures.in_doubt:
        return Condition.IN_DOUBT
    if figures.planned:
        return Condition.SENDING
    return Condition.NEVER_READ if figures.last_read_at is None else Condition.UP_TO_DATE
