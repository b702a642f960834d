"""Why a route waits for a network, as it is remembered from one process to the next.

Pure. Must not decide when anything is tried again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bridge.core.errors import (
    Barred,
    NetworkError,
    NoUploads,
    Throttled,
    Transient,
    Unauthorised,
    Unpaid,
    WrongAccount,
)
from bridge.core.model import Network, PostId


class Why(StrEnum):
    """What a route waits for."""

    SIGN_IN = "sign-in"
    BARRED = "barred"
    UNPAID = "unpaid"
    RATE_LIMIT = "rate-limit"
    NO_UPLOADS = "no-uploads"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    """The network refuses posts without saying what is wrong with them."""


OF_OWNER = frozenset({Why.SIGN_IN, Why.BARRED, Why.UNPAID})
"""What nobody but the owner can change."""


@dataclass(frozen=True, slots=True)
class Wait:
    """One wait of one route. Times are aware UTC; `until` is the next try.

    `told` is when it ends by the network's own word. `post` is the one that was refused last;
    with `several`, not it alone was. `stamp` tells the login and the configuration that it was met
    with.
    """

    gate: str
    network: Network
    why: Why
    detail: str
    since: datetime
    until: datetime
    told: datetime | None = None
    failures: int = 1
    post: PostId | None = None
    several: bool = False
    of_media: bool = False
    stamp: str = ""

    @property
    def ends_by_word(self) -> bool:
        """Whether its owner's word ends it; limits and servers out of order take their time."""
        return self.of_media or self.why in OF_OWNER | {Why.REFUSED}


def why(error: NetworkError) -> Why | None:
    """What `error` has a route wait for; None for what the next process finds out by itself."""
    if isinstance(error, WrongAccount):
        return None
    # The first kind that fits: the later ones include the earlier.
    kinds = (
        (Unpaid, Why.UNPAID),
        (Barred, Why.BARRED),
        (Unauthorised, Why.SIGN_IN),
        (Throttled, Why.RATE_LIMIT),
        (NoUploads, Why.NO_UPLOADS),
    )
    for kind, found in kinds:
        if isinstance(error, kind):
            return found
    if not isinstance(error, Transient):
        return None
    return Why.UNREACHABLE if error.unreachable else Why.REFUSED


def error_of(wait: Wait) -> NetworkError:
    """The failure that `wait` remembers, as an error of the same kind."""
    match wait.why:
        case Why.UNPAID:
            return Unpaid(wait.detail, until=wait.told)
        case Why.BARRED:
            return Barred(wait.detail, until=wait.told)
        case Why.SIGN_IN:
            return Unauthorised(wait.detail, until=wait.told)
        case Why.RATE_LIMIT:
            return Throttled(wait.detail, until=wait.told)
        case Why.NO_UPLOADS:
            return NoUploads(wait.detail)
        case Why.UNREACHABLE | Why.REFUSED:
            return Transient(wait.detail, unreachable=wait.why is Why.UNREACHABLE)
