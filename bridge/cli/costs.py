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
from bridge.core.model import BridgeName, Microdollars
from bridge.core.policy import Links
from bridge.core.prices import X_PRICES, in_dollars
from bridge.engine.costs import CostRow, LinksRow, cost_row
from bridge.log import escaped

_NAMES = {
    Spent.READ: ("post read", "posts read"),
    Spent.POST: ("post on X without a link", "posts on X without links"),
    Spent.POST_WITH_LINK: ("post on X with a link", "posts on X with links"),
    Spent.REPOST: ("repost", "reposts"),
    Spent.MEDIA: ("file uploaded", "files uploaded"),
    Spent.ALT_TEXT: ("alt text", "alt texts"),
    Spent.EDIT: ("edit", "edits"),
    Spent.DELETION: ("deletion", "deletions"),
    Spent.DELIVERY: ("post, not told apart then", "posts, not told apart then"),
}
"""Each with what is counted: one of them, and several."""

_CENT = 10_000
_HUNDREDTH_OF_A_CENT = 100


def run(arguments: argparse.Namespace) -> int:
    """Say what a month has cost."""
    now = datetime.now(UTC)
    month = _month(arguments.month, now)
    settings = load(locate(arguments.config))
    rows = asyncio.run(_rows(settings, month, now))
    links = {bridge.name: bridge.mastodon_to_x.links for bridge in settings.bridges}
    for row in rows:
        if arguments.json:
            print(json.dumps(row, ensure_ascii=False))
        else:
            chosen = links[BridgeName(row["bridge"])]
            print("\n".join(escaped(line) for line in _lines(row, chosen, now)))
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


def _lines(row: CostRow, chosen: Links, now: datetime) -> Iterator[str]:
    """A month in words; `chosen` is what becomes of links by the configuration as it is."""
    if month_begin(row["month"]) > now:
        yield f"{row['bridge']}, {row['month']} (UTC): has not begun"
        return
    budget = row["budget_usd"]
    bound = "no budget is set" if budget is None else f"of a budget of {_usd(budget)}"
    yield f"{row['bridge']}, {row['month']} (UTC): {_usd(row['spent_usd'])} {bound}"
    if not row["kinds"]:
        yield "  nothing was spent"
        return
    if (end := month_end(row["month"])) > now:
        forecast = _usd(row["forecast_usd"], to=_CENT)
        over = budget is not None and row["forecast_usd"] > budget
        then = "; what is over the budget will wait" if over else ""
        yield f"  about {forecast} by {day_name(end)}, at this pace{then}"
    for kind in row["kinds"]:
        yield _line(
            kind["cost_usd"], f"{kind['items']} {_name(Spent(kind['kind']), kind['items'])}"
        )
    if not row["posts"]:
        return
    several = row["posts"] > 1
    count = f"each of the {row['posts']} posts that were" if several else "the one post that was"
    if row["per_post_usd"] is not None:
        average = _usd(row["per_post_usd"], to=_HUNDREDTH_OF_A_CENT)
        yield f"  {average:>10}  {'on average ' if several else ''}for {count} mirrored to X"
    yield "  the dearest of them; what made one so dear: twinpost why ID"
    for post in row["dearest"]:
        where = post["source_url"] or post["source_id"]
        parts = f", {post['parts']} posts on X" if post["parts"] > 1 else ""
        yield _line(post["cost_usd"], f"{where}{parts}")
    yield from _choices(row["links_usd"], chosen)
    yield f"  prices as of {X_PRICES.as_of}, unless x.prices says otherwise"


def _choices(links: LinksRow, chosen: Links) -> Iterator[str]:
    costs = (("keep", links["keep"]), ("defuse", links["defuse"]), ("drop", links["drop"]))
    if len({cost for _, cost in costs}) == 1:
        yield "  every choice of `links` in mastodon_to_x would have come to the same"
        return
    yield "  what they would have cost by each choice of `links` in mastodon_to_x"
    for choice, cost in costs:
        yield _line(cost, f"{choice}, as it is set" if choice == chosen else choice)


def _line(amount: float, what: str) -> str:
    return f"  {_usd(amount):>10}  {what}"


def _name(kind: Spent, items: int) -> str:
    one, several = _NAMES[kind]
    return one if items == 1 else several


def _usd(amount: float, *, to: int = 1) -> str:
    """In dollars; rounded `to` so many microdollars, unless nothing would be left of it."""
    exact = round(amount * 1_000_000)
    return in_dollars(Microdollars(round(exact / to) * to or exact))
