"""What is said on the broker, as JSON objects: one an event, and one for how a bridge is.

Pure. No text of a post is in them unless it is asked for, and then only of what is mirrored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from bridge.core.delivery import STANDING, PartState, PostState
from bridge.core.events import (
    BudgetNear,
    Event,
    PartSettled,
    PostDecided,
    RoutePaused,
    RouteResumed,
)
from bridge.core.model import Route
from bridge.core.prices import in_dollars
from bridge.core.record import PartRecord, PostRecord
from bridge.core.verdict import Action, Reason
from bridge.engine.control import dollars, timestamp
from bridge.engine.standing import BAD, Condition, Standing

JsonObject = dict[str, object]


class Kind(StrEnum):
    """What can be said of: `event` in every object."""

    MIRRORED = "mirrored"
    UPDATED = "updated"
    SKIPPED = "skipped"
    HELD = "held"
    FAILED = "failed"
    REMOVED = "removed"
    DROPPED = "dropped"
    PAUSED = "paused"
    RESUMED = "resumed"
    BUDGET = "budget"


_LONGEST_DETAIL = 500
_ENDED = {PartState.HELD: Kind.HELD, PartState.FAILED: Kind.FAILED, PartState.DROPPED: Kind.DROPPED}


def needs_record(event: Event) -> bool:
    """Whether the record of its post is needed to word `event`."""
    return isinstance(event, PartSettled)


def wording(
    event: Event, record: PostRecord | None = None, *, with_text: bool = False
) -> JsonObject | None:
    """What is said of `event`; None where it is no news to anybody outside.

    `record` is how its post stands by now. Mirrors that the bridge reads again are no news.
    """
    match event:
        case PostDecided(verdict=verdict):
            if verdict.action is Action.MIRROR or verdict.reason is Reason.ECHO:
                return None
            kind = Kind.SKIPPED if verdict.action is Action.SKIP else Kind.HELD
            return _of_post(kind, event) | {
                "reason": verdict.reason.value,
                "detail": _cut(verdict.sentence),
            }
        case PartSettled() if record is not None:
            return _settled(event, record, with_text=with_text)
        case _:
            return _of_a_route(event)


def _of_a_route(event: Event) -> JsonObject | None:
    match event:
        case RoutePaused():
            return _of_route(Kind.PAUSED, event.route, event.at) | {
                "until": timestamp(event.until),
                "detail": _cut(event.detail),
            }
        case RouteResumed():
            return _of_route(Kind.RESUMED, event.route, event.at)
        case BudgetNear():
            return _of_route(Kind.BUDGET, event.route, event.at) | {
                "spent_usd": dollars(event.spent),
                "budget_usd": dollars(event.budget),
                "until": timestamp(event.until),
                "detail": f"{in_dollars(event.spent)} of this month's budget of "
                f"{in_dollars(event.budget)} is spent; see: twinpost costs",
            }
        case _:
            return None


def over_budget(route: Route, at: datetime, waiting: int) -> JsonObject:
    """What is said when posts begin to wait for money; `waiting` is how many do."""
    return _of_route(Kind.BUDGET, route, at) | {
        "waiting": waiting,
        "detail": f"{waiting} post(s) wait until the budget allows them; or: twinpost release",
    }


def _settled(event: PartSettled, record: PostRecord, *, with_text: bool) -> JsonObject | None:
    kind = _ENDED.get(event.state)
    if event.state is PartState.DELIVERED and record.state is PostState.DELIVERED:
        kind = Kind.MIRRORED if _stands_for_the_first_time(event, record) else Kind.UPDATED
    elif event.state is PartState.GONE and record.state is PostState.REMOVED:
        kind = Kind.REMOVED
    if kind is None:
        return None
    said = _of_post(kind, event) | {
        "source_url": record.source_url,
        "mirrors": [
            {"id": part.target_id, "url": part.target_url}
            for part in record.parts
            if part.state in STANDING
        ],
        "cost_usd": dollars(record.cost),
        "detail": _cut(event.detail),
    }
    if with_text and kind in {Kind.MIRRORED, Kind.UPDATED}:
        said["text"] = [part.part.text for part in record.parts if part.state in STANDING]
    return said


def _stands_for_the_first_time(event: PartSettled, record: PostRecord) -> bool:
    part = next((each for each in record.parts if each.key.index == event.index), None)
    return part is None or is_new(part)


def is_new(part: PartRecord) -> bool:
    """Whether the attempt that settled a standing part is the one by which it came to stand."""
    return part.stands_since == part.attempted_at


def _of_post(kind: Kind, event: PostDecided | PartSettled) -> JsonObject:
    said = _of_route(kind, event.route, event.at) | {"post": event.source}
    return said | ({"source_url": event.source_url} if isinstance(event, PostDecided) else {})


def _of_route(kind: Kind, route: Route, at: datetime) -> JsonObject:
    return {
        "event": kind,
        "at": timestamp(at),
        "bridge": route.bridge,
        "direction": route.direction.value,
    }


def states(
    standings: Sequence[Standing], today: Mapping[Route, int], month: str
) -> Iterator[tuple[str, JsonObject]]:
    """How each bridge is, by its name. `today` is what was sent since midnight UTC."""
    bridges = dict.fromkeys(standing.route.bridge for standing in standings)
    for bridge in bridges:
        own = [standing for standing in standings if standing.route.bridge == bridge]
        figures = [standing.figures for standing in own]
        mirrored = [each.last_mirrored_at for each in figures if each.last_mirrored_at]
        yield (
            bridge,
            {
                "bridge": bridge,
                "last_mirrored_at": timestamp(max(mirrored)) if mirrored else None,
                "posts_today": sum(today.get(each.route, 0) for each in own),
                "held": sum(each.held + each.failed for each in figures),
                "spent_month_usd": round(sum(dollars(each.spent_month) for each in figures), 6),
                "month_began_at": f"{month}-01T00:00:00Z",
                "directions": {each.route.direction.value: _direction(each) for each in own},
            },
        )


def _direction(standing: Standing) -> JsonObject:
    figures = standing.figures
    return {
        "condition": standing.condition.value,
        "connected": standing.condition is not Condition.UNREACHABLE,
        "problem": standing.condition in BAD or bool(figures.held or figures.failed),
        "waits_for": standing.network.value if standing.network else None,
        "until": timestamp(standing.until),
        "detail": _cut(standing.detail),
        "last_read_at": timestamp(figures.last_read_at),
        "last_mirrored_at": timestamp(figures.last_mirrored_at),
        "planned": figures.planned,
        "in_doubt": figures.in_doubt,
        "held": figures.held,
        "failed": figures.failed,
        "delivered": figures.delivered,
        "waiting_for_money": figures.waiting_for_money,
        "spent_month_usd": dollars(figures.spent_month),
    }


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_DETAIL else text[: _LONGEST_DETAIL - 1] + "…"
