"""Whether one side of a route may be asked right now, and when again if not.

A gate closes on a failure that says something about the whole network or account, so that a dead
server costs one try now and then instead of one per post, and posts keep their order. It reports
a closing and an opening once each. Must not decide anything about a single post.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.core.delivery import (
    LONGEST_PUT_OFF,
    LONGEST_TOLD_WAIT,
    LONGEST_WAIT,
    next_attempt,
)
from bridge.core.errors import NetworkError, Throttled, Unauthorised, Unpaid
from bridge.core.events import RoutePaused, RouteResumed
from bridge.core.model import Network, PostId, Route
from bridge.core.waits import Wait, Why, error_of, why
from bridge.engine.route import Bench

_PATIENCE_WITHOUT_OWNER = 4
"""Doublings by which a probe for the owner's mending starts later than one for a dead server."""


@dataclass(frozen=True, slots=True)
class Closed:
    """Why and until when a gate is closed (aware UTC, as the wall clock stood when it closed).

    `of_media` says that only posts with media wait for it.
    """

    until: datetime
    error: NetworkError
    of_media: bool = False


@dataclass(frozen=True, slots=True)
class Refusals:
    """The post that was refused last since something succeeded; `several` if not it alone."""

    post: PostId
    several: bool = False


A_MOMENT = 0.001
"""Seconds. Who comes at the very time that was named is not turned away by a rounded fraction."""


class Gate:
    """The gate of one side (reading or sending) of one route."""

    def __init__(self, route: Route, side: str, bench: Bench, *, of_media: bool = False) -> None:
        self._since: datetime | None = None
        self._route = route
        self.side = side
        self._bench = bench
        self._of_media = of_media
        self._failures = 0
        self._opens = 0.0
        """Monotonic: a wall clock that is set must neither stall a route nor hurry it."""
        self._told: set[type[NetworkError]] = set()
        self._refused: Refusals | None = None
        self.closed: Closed | None = None

    def is_open(self) -> bool:
        """Whether the network may be asked now."""
        return self.closed is None or not self._left()

    def reopens_at(self) -> datetime | None:
        """When the next try is due, by the wall clock as it stands; None while all is well."""
        if self.closed is None:
            return None
        return self._bench.clock.now() + timedelta(seconds=self._left())

    def _left(self) -> float:
        """Seconds until the next try; 0 for now."""
        left = self._opens - self._bench.clock.monotonic()
        return left if left > A_MOMENT else 0.0

    def failed(self, error: NetworkError) -> datetime:
        """Close after `error`; returns when to try again."""
        self._refused = None
        return self._fail(error)

    def refused(self, post: PostId, error: NetworkError, later: datetime) -> datetime | None:
        """Note that `post` was refused for a reason that may pass; until when all posts wait.

        The first refusal closes the gate, so that posts keep their order. A post that is refused
        again is alone with it: None, and it is tried again at `later`. Once another one is refused
        as well, with no success in between, it is the account or the server: all posts wait.
        """
        before = self._refused
        alone = before == Refusals(post)
        self._refused = Refusals(post, several=before is not None and not alone)
        if not alone:
            return self._fail(error)
        self._close(error, later, opens=self._bench.clock.now())
        return None

    @property
    def refuses(self) -> bool:
        """Whether a post was refused since something succeeded."""
        return self._refused is not None

    @property
    def refuses_all(self) -> bool:
        """Whether several posts in a row were refused."""
        return self._refused is not None and self._refused.several

    def forget(self, post: PostId | None = None) -> None:
        """Nothing is known against the network once `post`, or any that was refused, is gone."""
        refused = self._refused
        if refused is not None and (post is None or refused == Refusals(post)):
            self.worked()

    def idle(self) -> None:
        """Nothing is left to try: what time alone ends is over once its time has come.

        What only the owner can mend stays as it was met last, since nothing shows it mended.
        """
        self.forget()
        if self.closed is None or isinstance(self.closed.error, Unauthorised):
            return
        if self.is_open():
            self.worked()

    def _fail(self, error: NetworkError) -> datetime:
        self._failures += 1
        now = self._bench.clock.now()
        told = error.until if isinstance(error, Throttled | Unauthorised) else None
        # One 401 is not final: the first probe comes as soon as any other, later ones more rarely.
        lost_for_good = isinstance(error, Unauthorised) and self._failures > 1
        steps = self._failures + (_PATIENCE_WITHOUT_OWNER if lost_for_good else 0)
        jitter, longest = self._bench.jitter(), _longest(error)
        until = next_attempt(steps, now=now, jitter=jitter, until=told, longest=longest)
        self._close(error, until, opens=until)
        return until

    def _close(self, error: NetworkError, until: datetime, *, opens: datetime) -> None:
        now = self._bench.clock.now()
        # Two kinds that take turns are one trouble.
        if type(error) not in self._told:
            self._told.add(type(error))
            detail = f"{self.side}: {error}"
            self._bench.emit(RoutePaused(now, self._route, until, detail))
        self._since = self._since or now
        self.closed = Closed(until, error, self._of_media)
        self._opens = self._bench.clock.monotonic() + (opens - now).total_seconds()

    def wait(self, network: Network, stamp: str) -> Wait | None:
        """What a later process should know; None while all is well."""
        found = None if self.closed is None else why(self.closed.error)
        if self.closed is None or found is None:
            return None
        error, refused = self.closed.error, self._refused
        return Wait(
            gate=self.side,
            network=network,
            why=found,
            detail=error.detail,
            since=self._since or self.closed.until,
            until=self.closed.until,
            told=error.until if isinstance(error, Throttled | Unauthorised) else None,
            failures=self._failures,
            post=None if refused is None else refused.post,
            several=refused is not None and refused.several,
            of_media=self._of_media,
            stamp=stamp,
        )

    def restore(self, wait: Wait) -> None:
        """Go on with the wait of an earlier process, for no longer than anything is waited for.

        A server that was out of order is asked by every process; so is one that refused one post.
        """
        now, error = self._bench.clock.now(), error_of(wait)
        longest = _longest(error) if wait.told is None else LONGEST_TOLD_WAIT
        until = min(wait.until, now + longest)
        alone = wait.post is not None and not wait.several
        self._failures, self._since = wait.failures, min(wait.since, now)
        self._refused = None if wait.post is None else Refusals(wait.post, wait.several)
        opens = now if alone or wait.why is Why.UNREACHABLE else max(until, now)
        if opens <= now:
            # Whoever is asked at once may be well again: an earlier process said what was.
            self._told.add(type(error))
        self._close(error, until, opens=opens)

    def mended(self) -> bool:
        """Its owner says that it is mended, or asks for another try: whether there is one at once.

        Limits and servers out of order take their time, whatever anybody says.
        """
        if self.closed is None:
            return False
        if not (self.refuses or self._of_media or isinstance(self.closed.error, Unauthorised)):
            return False
        self._opens = self._bench.clock.monotonic()
        return True

    def worked(self) -> None:
        """Open after an answer that shows the network to be well."""
        self._failures = 0
        self._refused = None
        self._told.clear()
        self._since = None
        if self.closed is not None:
            self.closed = None
            self._bench.emit(RouteResumed(self._bench.clock.now(), self._route))


def _longest(error: NetworkError) -> timedelta:
    """The longest wait that nobody told: a login is lost until its owner signs in again."""
    lost = isinstance(error, Unauthorised) and not isinstance(error, Unpaid)
    return LONGEST_PUT_OFF if lost else LONGEST_WAIT
