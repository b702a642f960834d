"""Facts that happened, for surfaces and logs to listen to. Must not carry the text of a post."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bridge.core.delivery import PartState
from bridge.core.model import Microdollars, PostId, Route
from bridge.core.verdict import Verdict


@dataclass(frozen=True, slots=True)
class PostDecided:
    """A post was read, judged and recorded (T1). `price` is what its mirror will cost."""

    at: datetime
    route: Route
    source: PostId
    source_url: str | None
    verdict: Verdict
    parts: int
    price: Microdollars


@dataclass(frozen=True, slots=True)
class PartSettled:
    """An attempt or a reconciliation ended (T3)."""

    at: datetime
    route: Route
    source: PostId
    index: int
    state: PartState
    target_id: PostId | None
    target_url: str | None
    cost: Microdollars
    detail: str


@dataclass(frozen=True, slots=True)
class RoutePaused:
    """A route waits. `until` is None where only the owner can end it; `detail` says why."""

    at: datetime
    route: Route
    until: datetime | None
    detail: str


@dataclass(frozen=True, slots=True)
class RouteResumed:
    """A route that was paused works again."""

    at: datetime
    route: Route


@dataclass(frozen=True, slots=True)
class SourceRead:
    """Posts were read for a route, for news or for proof: how many, and what that cost."""

    at: datetime
    route: Route
    posts: int
    cost: Microdollars


@dataclass(frozen=True, slots=True)
class BudgetNear:
    """So much of a bridge's budget is spent that its owner wants to know; told once a month.

    `route` is the direction that saw it; `until` is when the next month begins.
    """

    at: datetime
    route: Route
    spent: Microdollars
    budget: Microdollars
    until: datetime


Event = PostDecided | PartSettled | RoutePaused | RouteResumed | SourceRead | BudgetNear
