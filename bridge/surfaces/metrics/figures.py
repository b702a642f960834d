"""What is counted, by Prometheus's conventions, in a registry of its own.

Counters come from events, gauges from how things stand when somebody asks. A label is a bridge, a
direction, or a word of a fixed list, so that their number is bounded by the configuration. What is
told of calls to the networks is in `traffic`. docs/metrics.md lists all of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bridge.core.delivery import PartState
from bridge.core.errors import TwinpostError
from bridge.core.events import Event, PartSettled, PostDecided, RoutePaused, SourceRead
from bridge.core.model import Route
from bridge.engine.control import Control
from bridge.engine.standing import Condition, Standing
from bridge.surfaces.metrics.traffic import TrafficFigures

CONTENT_TYPE = CONTENT_TYPE_LATEST

_ROUTE = ("bridge", "direction")
_BUCKETS = (5, 15, 30, 60, 120, 300, 600, 1800, 3600, 4 * 3600, 24 * 3600)
"""Seconds from a post to its mirror."""

_MOST_WAITING = 1000
"""Mirrors whose delay is still to be found out."""

_PARTS = ("planned", "in_doubt", "held", "failed")

Look = Callable[[], Awaitable[Sequence[Standing]]]


class Figures:
    """All metrics of one process. `hear` is a listener; `page` is what Prometheus reads."""

    def __init__(self, version: str, routes: Sequence[Route]) -> None:
        # When each counter began would be as many series again, and Prometheus keeps that itself.
        disable_created_metrics()  # type: ignore[no-untyped-call] # it ships without a type
        self.registry = made = CollectorRegistry()
        self._late: deque[PartSettled] = deque(maxlen=_MOST_WAITING)
        self._posts = Counter(
            "twinpost_posts",
            "Posts that were read and judged.",
            (*_ROUTE, "verdict", "reason"),
            registry=made,
        )
        self._settled = Counter(
            "twinpost_parts_settled",
            "Ends of attempts to send, edit or delete a part of a mirror.",
            (*_ROUTE, "state"),
            registry=made,
        )
        self._delay = Histogram(
            "twinpost_mirror_delay_seconds",
            "Time from a post to its mirror.",
            _ROUTE,
            buckets=_BUCKETS,
            registry=made,
        )
        self._reads = Counter(
            "twinpost_reads", "Readings of a timeline that worked.", _ROUTE, registry=made
        )
        self._read_posts = Counter(
            "twinpost_read_posts", "Posts that readings returned.", _ROUTE, registry=made
        )
        self._read_dollars = Counter(
            "twinpost_read_cost_dollars", "What reading has cost.", _ROUTE, registry=made
        )
        self._pauses = Counter(
            "twinpost_pauses", "Times that a direction began to wait.", _ROUTE, registry=made
        )
        self._parts = Gauge(
            "twinpost_parts", "Parts of mirrors, by state.", (*_ROUTE, "state"), registry=made
        )
        self._waiting = Gauge(
            "twinpost_posts_waiting_for_money",
            "Posts that wait until the budget allows them.",
            _ROUTE,
            registry=made,
        )
        self._condition = Gauge(
            "twinpost_condition",
            "1 for the condition that a direction is in, 0 for all others.",
            (*_ROUTE, "condition"),
            registry=made,
        )
        self._spent = Gauge(
            "twinpost_spent_month_dollars",
            "What this month (UTC) has cost, reading and sending.",
            _ROUTE,
            registry=made,
        )
        self._last_read = Gauge(
            "twinpost_last_read_timestamp_seconds",
            "When the source was last read; absent before that.",
            _ROUTE,
            registry=made,
        )
        self._last_mirrored = Gauge(
            "twinpost_last_mirrored_timestamp_seconds",
            "When something was last mirrored; absent before that.",
            _ROUTE,
            registry=made,
        )
        self._size = Gauge(
            "twinpost_ledger_size_bytes", "The ledger's size on disk.", registry=made
        )
        self._info = Gauge("twinpost_build_info", "Always 1.", ("version",), registry=made)
        self._info.labels(version).set(1)
        self.traffic = TrafficFigures(made)
        for route in routes:
            # From zero on, so that the first one is seen as an increase.
            for counter in (self._reads, self._read_posts, self._read_dollars, self._pauses):
                counter.labels(*_labels(route))
            self._delay.labels(*_labels(route))
            for state in (PartState.DELIVERED, PartState.HELD, PartState.FAILED):
                self._settled.labels(*_labels(route), state.value)

    def hear(self, event: Event) -> None:
        """A listener. Returns at once."""
        labels = _labels(event.route)
        match event:
            case PostDecided(verdict=verdict):
                self._posts.labels(*labels, verdict.action.value, verdict.reason.value).inc()
            case PartSettled(state=state):
                self._settled.labels(*labels, state.value).inc()
                if state is PartState.DELIVERED and event.index == 0:
                    self._late.append(event)
            case RoutePaused():
                self._pauses.labels(*labels).inc()
            case SourceRead(posts=posts, cost=cost):
                self._reads.labels(*labels).inc()
                self._read_posts.labels(*labels).inc(posts)
                self._read_dollars.labels(*labels).inc(cost / 1_000_000)
            case _:
                pass

    async def page(self, control: Control, look: Look, ledger: Path) -> bytes:
        """Everything as Prometheus reads it. What cannot be found out now keeps its last value."""
        try:
            await self._measure_delays(control)
            for standing in await look():
                self._show(standing)
        except TwinpostError:
            pass
        self._size.set(_size(ledger))
        return generate_latest(self.registry)

    async def _measure_delays(self, control: Control) -> None:
        while self._late:
            event = self._late.popleft()
            for record in await control.why(event.source):
                first = record.parts[0] if record.parts else None
                if first is None or (record.route, record.source) != (event.route, event.source):
                    continue
                # An edit settles a part again; only its first attempt tells the delay.
                if first.stands_since == first.attempted_at:
                    seconds = (event.at - record.created_at).total_seconds()
                    self._delay.labels(*_labels(event.route)).observe(max(0.0, seconds))

    def _show(self, standing: Standing) -> None:
        figures, labels = standing.figures, _labels(standing.route)
        for state in _PARTS:
            self._parts.labels(*labels, state).set(getattr(figures, state))
        self._waiting.labels(*labels).set(figures.waiting_for_money)
        for condition in Condition:
            self._condition.labels(*labels, condition.value).set(condition is standing.condition)
        self._spent.labels(*labels).set(figures.spent_month / 1_000_000)
        _set_time(self._last_read, labels, figures.last_read_at)
        _set_time(self._last_mirrored, labels, figures.last_mirrored_at)


def _labels(route: Route) -> tuple[str, str]:
    return route.bridge, route.direction.value


def _set_time(gauge: Gauge, labels: tuple[str, str], at: datetime | None) -> None:
    if at is not None:
        gauge.labels(*labels).set(at.timestamp())


def _size(ledger: Path) -> int:
    """Bytes of the ledger and of what is not yet folded into it."""
    total = 0
    for name in (ledger, ledger.with_name(f"{ledger.name}-wal")):
        try:
            total += name.stat().st_size
        except OSError:
            continue
    return total
