"""What needs the owner, found in how things stand. Pure: `now` is an argument, nothing is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bridge.core.budget import Budget, Usage, day_name, month_of, next_month
from bridge.core.delivery import PostState
from bridge.core.model import BridgeName, Route
from bridge.core.prices import in_dollars
from bridge.core.record import PostRecord
from bridge.core.verdict import Action, Reason
from bridge.engine.control import reason
from bridge.engine.standing import Condition, Standing

HELD_STATES = frozenset({PostState.HELD, PostState.FAILED, PostState.PARTIAL})

_MEANT = frozenset(
    {Reason.AUDIENCE_UNKNOWN, Reason.UNFIT, Reason.TOO_OLD, Reason.RESTORED, Reason.MEDIA_MISSING}
)
"""Reasons of skips that a healthy bridge would not have had: such posts were meant to cross."""

_LONGEST = 500


class Kind(StrEnum):
    """What a notice is about; the values are stable."""

    HELD = "held"
    SIGN_IN = "sign-in"
    UNPAID = "unpaid"
    NO_ROOM = "no-room"
    MEDIA_WAITS = "media-waits"
    BUDGET_NEAR = "budget-near"
    BUDGET = "budget"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that needs the owner. `key` stays the same as long as it is the same thing.

    What is `overtaken` by something worse, which is told besides, is neither told nor reminded of.
    """

    key: str
    kind: Kind
    bridge: str
    title: str
    text: str
    overtaken: bool = False


def causes(
    standings: Sequence[Standing],
    held: Sequence[PostRecord],
    recent: Mapping[Route, Sequence[PostRecord]],
    purses: Sequence[tuple[BridgeName, Usage, Budget]] = (),
    *,
    now: datetime,
    silent_after: timedelta,
) -> tuple[Cause, ...]:
    """Everything that needs the owner now. `recent` are the posts dealt with last, newest first.

    `purses` are what this month has cost each bridge, and may. Zero for `silent_after` is never.
    """
    found: dict[str, Cause] = {}
    for cause in (
        *_of_standings(standings, now),
        *_of_purses(purses, standings, now),
        *map(_of_post, held),
        *(_silences(standings, recent, now, silent_after) if silent_after else ()),
    ):
        found.setdefault(cause.key, cause)
    return tuple(found.values())


def _of_standings(standings: Sequence[Standing], now: datetime) -> Iterator[Cause]:
    for standing in standings:
        bridge, waiting = standing.route.bridge, standing.figures.waiting_for_money
        if standing.condition is Condition.SIGN_IN and standing.network is not None:
            called, network = standing.network.called, standing.network.value
            yield Cause(
                f"sign-in:{bridge}:{network}",
                Kind.SIGN_IN,
                bridge,
                f"{bridge}: {called} does not let the bridge in",
                f"{called} says: {_cut(standing.detail)}. Nothing is lost; posts wait. "
                f"Sign in again with: twinpost login {network}",
            )
        if standing.condition is Condition.WRONG_ACCOUNT and standing.network is not None:
            called, network = standing.network.called, standing.network.value
            yield Cause(
                f"wrong-account:{bridge}:{network}",
                Kind.SIGN_IN,
                bridge,
                f"{bridge}: signed in on {called} as another account",
                f"{_cut(standing.detail)}. Nothing is lost; posts wait. See which account it is to "
                "be, and what to do, with: twinpost status",
            )
        if standing.condition is Condition.BARRED and standing.network is not None:
            called, network = standing.network.called, standing.network.value
            yield Cause(
                f"barred:{bridge}:{network}",
                Kind.SIGN_IN,
                bridge,
                f"{bridge}: {called} has shut the account out",
                f"{called} says: {_cut(standing.detail)}. Nothing is lost; posts wait. Signing in "
                "again does not help. Once the account may post again: twinpost sync-now",
            )
        if standing.condition is Condition.UNPAID and standing.network is not None:
            yield _unpaid(standing, standing.network.called)
        if standing.condition is Condition.NO_ROOM:
            yield Cause(
                "no-room",
                Kind.NO_ROOM,
                bridge,
                "The disk is full",
                "The bridge writes nothing down and so sends nothing until there is room in its "
                "state folder; it goes on by itself then.",
            )
        if standing.condition is Condition.MEDIA_WAITS and standing.network is not None:
            called = standing.network.called
            yield Cause(
                f"media-waits:{standing.route}",
                Kind.MEDIA_WAITS,
                bridge,
                f"{bridge}: posts with media do not get to {called}",
                f"No file can be uploaded to {called}: {_cut(standing.detail)}. Nothing is lost; "
                "posts with media wait, and posts without go on. The bridge tries again by itself, "
                "and at once when you say: twinpost sync-now",
            )
        if waiting:
            yield Cause(
                f"budget:{bridge}:{now:%Y-%m}",
                Kind.BUDGET,
                bridge,
                f"{bridge}: this month's budget is used up",
                f"{waiting} post(s) wait for next month, or for: twinpost release",
            )


def _unpaid(standing: Standing, called: str) -> Cause:
    """One for both directions of a bridge: it is one account that is paid for."""
    bridge, network = standing.route.bridge, standing.network
    by = "" if standing.until is None else f", {standing.until:%-d %B %H:%M} UTC at the latest"
    return Cause(
        f"unpaid:{bridge}:{network}",
        Kind.UNPAID,
        bridge,
        f"{bridge}: {called} wants money, or another plan",
        f"{called} says: {_cut(standing.detail)}. Nothing is lost; posts wait. It is mended in "
        f"{called}'s developer console, not by signing in. The bridge tries again by itself{by}, "
        "and at once when you say: twinpost sync-now",
    )


def _of_purses(
    purses: Sequence[tuple[BridgeName, Usage, Budget]],
    standings: Sequence[Standing],
    now: datetime,
) -> Iterator[Cause]:
    waiting = {each.route.bridge for each in standings if each.figures.waiting_for_money}
    for bridge, usage, budget in purses:
        if budget.is_near(usage):
            spent, whole = in_dollars(usage.spent), in_dollars(budget.per_month)
            yield Cause(
                f"budget-near:{bridge}:{month_of(now)}",
                Kind.BUDGET_NEAR,
                bridge,
                f"{bridge}: {spent} of this month's {whole} is spent",
                f"What does not fit into the budget waits until {day_name(next_month(now))}. What "
                "it was spent on: twinpost costs. To allow more: x.budget.usd_per_month",
                overtaken=bridge in waiting,
            )


def _of_post(record: PostRecord) -> Cause:
    where = record.source_url or record.source
    return Cause(
        f"held:{record.route}:{record.source}",
        Kind.HELD,
        record.route.bridge,
        f"{record.route.bridge}: a post needs you",
        f"{where} ({record.route.direction.target.called}: {record.state.value}). "
        f"{_cut(reason(record))}. What you can do: twinpost why {record.source}",
    )


def _silences(
    standings: Sequence[Standing],
    recent: Mapping[Route, Sequence[PostRecord]],
    now: datetime,
    after: timedelta,
) -> Iterator[Cause]:
    for standing in standings:
        route, last = standing.route, standing.figures.last_mirrored_at
        if standing.condition is Condition.PAUSED or (last is not None and now - last < after):
            continue
        waiting = [
            record
            for record in recent.get(route, ())
            if _was_meant(record) and (last is None or record.seen_at > last)
        ]
        if not waiting or now - min(record.seen_at for record in waiting) < after:
            continue
        source, target = route.direction.source.called, route.direction.target.called
        since = "ever" if last is None else f"since {last:%Y-%m-%d %H:%M} UTC"
        yield Cause(
            f"silent:{route}",
            Kind.SILENT,
            route.bridge,
            f"{route.bridge}: nothing goes from {source} to {target}",
            f"{len(waiting)} post(s) came that were meant to cross, and none did {since}. "
            "What became of them: twinpost history",
        )


def _was_meant(record: PostRecord) -> bool:
    if record.state in {PostState.DROPPED, PostState.REMOVED, PostState.DELIVERED}:
        return False
    return record.verdict.action is not Action.SKIP or record.verdict.reason in _MEANT


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
