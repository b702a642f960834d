"""One direction of one bridge with all that is needed to run it, and what all routes share.

Values and wiring only; the activities are in the modules named after them.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.core.budget import NO_BUDGET, Budget
from bridge.core.events import Event, SourceRead
from bridge.core.model import Microdollars, Route
from bridge.core.policy import Policy
from bridge.core.record import PartKey
from bridge.core.rules import Rules
from bridge.core.timing import Every, Start
from bridge.engine.turnstiles import Turnstiles
from bridge.engine.twins import Desks
from bridge.ports import Clock, Ledger, Listener, MediaStore, NetworkPort

log = logging.getLogger(__name__)

Chore = Callable[[datetime], Awaitable[None]]
"""Something that is looked after now and then; it is told the time, and finds out whether."""


@dataclass(frozen=True, slots=True)
class RoutePlan:
    """One route as the owner configured it, with the two accounts it runs between.

    The newest `recheck_window` posts of the source are read again every `recheck_every` to see what
    was edited and what is no longer there; None where the network's own hints and each pass do so.
    After an absence nothing older than `max_age` crosses, and never more than `max_per_hour`; None
    for no bound. `stamp` is another after every login and every change of the configuration.
    """

    route: Route
    source: NetworkPort
    target: NetworkPort
    rules: Rules
    policy: Policy
    every: Every
    delay: timedelta
    start: Start
    recheck_every: timedelta | None = None
    recheck_window: int = 20
    budget: Budget = NO_BUDGET
    max_age: timedelta | None = None
    max_per_hour: int | None = None
    stamp: str = ""


@dataclass(frozen=True, slots=True)
class Bench:
    """What every activity shares. `jitter` returns a number in [0, 1), anew at each call.

    `media` is None where none are carried. `sending` names the parts that this process has claimed
    and not settled yet: what is read meanwhile proves nothing about them.
    """

    ledger: Ledger
    clock: Clock
    jitter: Callable[[], float]
    listeners: tuple[Listener, ...] = ()
    turnstiles: Turnstiles = field(default_factory=Turnstiles)
    desks: Desks = field(default_factory=Desks)
    media: MediaStore | None = None
    sending: set[PartKey] = field(default_factory=set)
    chores: tuple[Chore, ...] = ()

    async def note_read(self, route: Route, posts: int, cost: Microdollars) -> None:
        """Remember that so many posts were read for `route`, at that cost, and tell everybody."""
        now = self.clock.now()
        await self.ledger.note_read(route, now, posts, cost)
        self.emit(SourceRead(now, route, posts, cost))

    def emit(self, event: Event) -> None:
        """Tell every listener what happened. What a listener breaks on stays with it."""
        for listener in self.listeners:
            try:
                listener(event)
            except Exception:
                log.exception("a listener broke on %s", type(event).__name__)
