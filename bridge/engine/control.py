"""What surfaces ask: what happened, why, and where things stand, as rows with stable keys.

The one place that turns records into what is shown; every surface and the command line translate
to this and know nothing below it. Must not change anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TypedDict

from bridge.core.audits import WRONG_CURSOR, Gap
from bridge.core.budget import NO_BUDGET, Budget, Spending, Usage
from bridge.core.delivery import PartState, PostState
from bridge.core.listing import DayFigures, Listing, Move, Wanted
from bridge.core.model import BridgeName, Microdollars, Route
from bridge.core.record import BackupState, Cursor, PartRecord, PostRecord
from bridge.core.waits import Wait, Why
from bridge.engine.condition import WORDS, Condition, by_figures, of_wait
from bridge.engine.other_senders import recent
from bridge.ports import LedgerView, RouteStatus

CursorCheck = Callable[[Route, Cursor, datetime], bool]
"""Whether the cursor of a route can be right at a time, by what is known of its network's ids."""

GAP_TOLD_FOR = timedelta(days=7)

NEEDS_OWNER = frozenset({PostState.HELD, PostState.FAILED, PostState.PARTIAL, PostState.IN_DOUBT})
"""States that make a command exit with 1."""


MISSING = (
    "it is no longer there; its mirror stands until you confirm that you deleted it: "
    "twinpost once --recheck --deleted"
)
UNCHECKED = "not checked for deletion: beyond `recheck.window`"


class PartRow(TypedDict):
    """One part, as `--json` prints it."""

    index: int
    state: str
    target_id: str | None
    target_url: str | None
    cost_usd: float


class PostRow(TypedDict):
    """One post, as `--json` prints it. Costs in US dollars, times as ISO 8601 in UTC."""

    bridge: str
    direction: str
    source_id: str
    source_url: str | None
    state: str
    verdict: str
    reason: str
    cost_usd: float
    at: str
    parts: list[PartRow]


class StatusRow(TypedDict):
    """One route, as `status --json` prints it.

    It says what the route waits for, until when, and in whose words: by the daemon where one runs,
    else as the last pass left it.
    """

    bridge: str
    direction: str
    state: str
    last_read_at: str | None
    last_mirrored_at: str | None
    planned: int
    in_doubt: int
    held: int
    failed: int
    delivered: int
    spent_month_usd: float
    waiting_for_money: int
    bridge_month_usd: float
    budget_month_usd: float | None
    waits_for: str | None
    waits_until: str | None
    detail: str
    other_sender: str
    checked_since: str | None


def dollars(amount: Microdollars) -> float:
    """Dollars for a JSON number; exact to the millionth, which is as fine as X charges."""
    return round(amount / 1_000_000, 6)


def timestamp(at: datetime | None) -> str | None:
    """ISO 8601 in UTC, to the second, with a Z."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def reason(record: PostRecord) -> str:
    """Why a post is where it is: the verdict's sentence, what was changed, what went wrong."""
    troubles = [
        f"part {part.key.index + 1}: {part.detail}"
        for part in record.parts
        if part.detail and _did_not_simply_work(part)
    ]
    missing = [MISSING] if record.missing else []
    unchecked = [UNCHECKED] if record.unchecked else []
    return "; ".join([record.verdict.sentence, *record.notes, *missing, *unchecked, *troubles])


def _did_not_simply_work(part: PartRecord) -> bool:
    return part.state not in {PartState.DELIVERED, PartState.DROPPED}


def post_row(record: PostRecord) -> PostRow:
    """One record as a row."""
    return PostRow(
        bridge=record.route.bridge,
        direction=record.route.direction.value,
        source_id=record.source,
        source_url=record.source_url,
        state=record.state.value,
        verdict=record.verdict.action.value,
        reason=reason(record),
        cost_usd=dollars(record.cost),
        at=timestamp(record.at) or "",
        parts=[
            PartRow(
                index=part.key.index,
                state=part.state.value,
                target_id=part.target_id,
                target_url=part.target_url,
                cost_usd=dollars(part.cost),
            )
            for part in record.parts
        ],
    )


def gap_note(gap: Gap | None, now: datetime) -> str:
    """What there is to say of posts that were read past without a record; empty for nothing.

    A gap that was closed is told of for a week.
    """
    if gap is None:
        return ""
    if gap.closed_at is None:
        return f"{gap.why}; what was missed is being read"
    if not gap.posts or now - gap.closed_at > GAP_TOLD_FOR:
        return ""
    return f"{gap.posts} missed post(s) were recorded late on {gap.since:%Y-%m-%d}: {gap.why}"


def status_row(
    status: RouteStatus,
    usage: Usage | None = None,
    budget: Budget = NO_BUDGET,
    other_sender: str = "",
    *,
    detail: str = "",
) -> StatusRow:
    """The figures of one route as a row, with its state in one word.

    `usage` and `budget` are those of its bridge, which both its routes draw on. `other_sender` says
    that somebody else mirrors, too.
    """
    return StatusRow(
        bridge=status.route.bridge,
        direction=status.route.direction.value,
        state=WORDS[by_figures(status)],
        last_read_at=timestamp(status.last_read_at),
        last_mirrored_at=timestamp(status.last_mirrored_at),
        planned=status.planned,
        in_doubt=status.in_doubt,
        held=status.held,
        failed=status.failed,
        delivered=status.delivered,
        spent_month_usd=dollars(status.spent_month),
        waiting_for_money=status.waiting_for_money,
        bridge_month_usd=dollars(usage.spent if usage else status.spent_month),
        budget_month_usd=dollars(budget.per_month) if budget.is_bounded else None,
        waits_for=None,
        waits_until=None,
        detail=detail,
        other_sender=other_sender,
        checked_since=timestamp(status.checked_since),
    )


def _urgency(wait: Wait) -> int:
    return tuple(Condition).index(of_wait(wait.why, of_media=wait.of_media))


def waiting_row(row: StatusRow, wait: Wait) -> StatusRow:
    """`row` of a route that waits, as its last turn left it."""
    row["state"] = WORDS[of_wait(wait.why, of_media=wait.of_media)]
    ends = max(wait.until, wait.told) if wait.why is Why.UNPAID and wait.told else wait.until
    row["waits_for"], row["waits_until"] = wait.network.value, timestamp(ends)
    row["detail"] = wait.detail
    return row


class Control:
    """The questions. Works on a running daemon's ledger and, beside one, on a reader."""

    def __init__(
        self,
        ledger: LedgerView,
        routes: Sequence[Route],
        budgets: Mapping[BridgeName, Budget] | None = None,
        is_sound: CursorCheck = lambda _route, _cursor, _now: True,
    ) -> None:
        self._ledger = ledger
        self._is_sound = is_sound
        self._routes = tuple(routes)
        self._budgets = dict(budgets or {})

    async def history(
        self, *, bridge: BridgeName | None = None, limit: int = 50, echoes: bool = True
    ) -> tuple[PostRecord, ...]:
        """The posts dealt with last, newest first; without `echoes`, no mirror that was met."""
        return await self._ledger.history(bridge=bridge, limit=limit, echoes=echoes)

    async def backups(self) -> BackupState:
        """How the ledger's copies of itself went."""
        return await self._ledger.backup_state()

    async def other_senders(self, now: datetime) -> dict[Route, str]:
        """What is to be said of each route on which somebody else was seen to mirror, too."""
        return recent(await self._ledger.other_senders(), now)

    async def why(self, id_or_url: str) -> tuple[PostRecord, ...]:
        """Every record that an id or address of either side belongs to."""
        return await self._ledger.find(id_or_url.strip())

    async def listing(self, wanted: Wanted) -> Listing:
        """One page of the posts that are wanted, newest first."""
        return await self._ledger.listing(wanted)

    async def moves(self, record: PostRecord) -> tuple[Move, ...]:
        """Everything that was tried with the parts of a post, oldest first."""
        return await self._ledger.moves(record.route, record.source)

    async def days(self, since: date) -> tuple[DayFigures, ...]:
        """What each route sent and spent on each day (UTC) from `since` on."""
        return await self._ledger.days(since)

    async def status_rows(self, now: datetime) -> list[StatusRow]:
        """Figures of every configured route, with the money of its bridge, as rows."""
        others = await self.other_senders(now)
        return [
            status_row(
                status,
                await self._ledger.usage(status.route.bridge, now),
                self._budgets.get(status.route.bridge, NO_BUDGET),
                others.get(status.route, ""),
                detail=gap_note(status.gap, now),
            )
            for status in await self.status(now)
        ]

    async def waits(self) -> dict[Route, Wait]:
        """What every route that waits waited for at the end of its last turn, most urgent first."""
        found = {route: await self._ledger.waits(route) for route in self._routes}
        return {route: min(waits, key=_urgency) for route, waits in found.items() if waits}

    async def spending(self, month: str) -> list[tuple[BridgeName, Spending, Budget]]:
        """What a month (``2026-11``) has cost every bridge, and what it may."""
        bridges = dict.fromkeys(route.bridge for route in self._routes)
        return [
            (
                bridge,
                await self._ledger.spending(bridge, month),
                self._budgets.get(bridge, NO_BUDGET),
            )
            for bridge in bridges
        ]

    async def purses(self, now: datetime) -> tuple[tuple[BridgeName, Usage, Budget], ...]:
        """What the UTC month of `now` has cost every bridge by now, and what it may."""
        bridges = dict.fromkeys(route.bridge for route in self._routes)
        return tuple(
            [
                (each, await self._ledger.usage(each, now), self._budgets.get(each, NO_BUDGET))
                for each in bridges
            ]
        )

    async def status(self, now: datetime) -> tuple[RouteStatus, ...]:
        """Figures of every configured route."""
        return tuple([await self._figures(route, now) for route in self._routes])

    async def _figures(self, route: Route, now: datetime) -> RouteStatus:
        """Figures of one route. A cursor that cannot be right is a gap before the next reading."""
        status = await self._ledger.status(route, now)
        noted = status.gap is not None and status.gap.is_open
        if noted or status.cursor is None or self._is_sound(route, status.cursor, now):
            return status
        return replace(status, gap=Gap(now, WRONG_CURSOR))
