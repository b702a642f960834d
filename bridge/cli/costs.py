"""`costs`: where the money of a month went, and what would have made it less.

Must not change anything; the figures come from `engine.costs`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime

from bridge.app.looking import looking
from bridge.cli.exits import Exit
from bridge.config import Settings, load, locate
from bridge.core.budget import Spent, day_name, month_begin, month_end, month_of
from bridge.core.errors import ConfigError
from bridge.core.model import Microdollars
from bridge.core.prices import X_PRICES, in_dollars
from bridge.engine.costs import CostRow, cost_row
from bridge.log import escaped

_NAMES = {
    Spent.READ: "posts read",
    Spent.POST: "posts",
    Spent.POST_WITH_LINK: "posts with links",
    Spent.REPOST: "reposts",
    Spent.MEDIA: "media",
    Spent.ALT_TEXT: "alt texts",
    Spent.EDIT: "edits",
    Spent.DELETION: "deletions",
    Spent.DELIVERY: "posts, not told apart then",
}
"""Each with what is counted."""


def run(arguments: argparse.Namespace) -> int:
    """Say what a month has cost."""
    now = datetime.now(UTC)
    month = _month(arguments.month, now)
    settings = load(locate(arguments.config))
    rows = asyncio.run(_rows(settings, month, now))
    for row in rows:
        if arguments.json:
            print(json.dumps(row, ensure_ascii=False))
        else:
            print("\n".join(escaped(line) for line in _lines(row, now)))
    return Exit.FINE


def _month(given: str | None, now: datetime) -> str:
    if given is None:
        return month_of(now)
    try:
        return month_of(month_begin(given))
    except (ValueError, OverflowError):
        raise ConfigError(f"--month {given}: expected a month such as {month_of(now)}") from None


async def _rows(settings: Settings, month: str, now: datetime) -> list[CostRow]:
    async with looking(settings) as control:
        return [cost_row(*found, now) for found in await control.spending(month)]


def _lines(row: CostRow, now: datetime) -> Iterator[str]:
    budget = row["budget_usd"]
    bound = "no budget is set" if budget is None else f"of a budget of {_usd(budget)}"
    yield f"{row['bridge']}, {row['month']} (UTC): {_usd(row['spent_usd'])} {bound}"
    if month_end(row["month"]) > now:
        yield f"  {_usd(row['forecast_usd'])} by {day_name(month_end(row['month']))}, at this pace"
    if not row["kinds"]:
        yield "  nothing was spent"
        return
    for kind in row["kinds"]:
        name = _NAMES[Spent(kind["kind"])]
        yield f"  {_usd(kind['cost_usd']):>10}  {kind['items']} {name}"
    if row["per_post_usd"] is not None:
        yield f"  {_usd(row['per_post_usd']):>10}  for a post on average, {row['posts']} in all"
    if row["dearest"]:
        yield "  the dearest posts; why each was so dear: twinpost why ID"
    for post in row["dearest"]:
        where = post["source_url"] or post["source_id"]
        yield f"  {_usd(post['cost_usd']):>10}  {where} ({post['parts']} part(s))"
    if row["posts"]:
        links = row["links_usd"]
        yield "  what these posts come to by what becomes of links (`links` in mastodon_to_x)"
        yield (
            f"  {_usd(links['keep']):>10}  keep, {_usd(links['defuse'])} defuse, "
            f"{_usd(links['drop'])} drop"
        )
    yield f"  prices as of {X_PRICES.as_of}, unless x.prices says otherwise"


def _usd(amount: float) -> str:
    return in_dollars(Microdollars(round(amount * 1_000_000)))
