"""What a month has cost, as rows of stable names: for `costs --json`, and in words for people.

Must not know how a terminal looks, nor decide anything.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from bridge.core.budget import Budget, Spending, forecast
from bridge.core.model import BridgeName, Microdollars
from bridge.engine.control import dollars


class KindRow(TypedDict):
    """What was spent on one kind of thing."""

    kind: str
    items: int
    cost_usd: float


class PostCostRow(TypedDict):
    """What one post has cost."""

    source_id: str
    source_url: str | None
    parts: int
    cost_usd: float


class LinksRow(TypedDict):
    """What the posts of the month come to under each choice of what becomes of links."""

    keep: float
    defuse: float
    drop: float


class CostRow(TypedDict):
    """One bridge in one UTC month. `forecast_usd` is the whole month if it goes on like this.

    `per_post_usd` is what a post sent to X has cost on average, uploads included; None for none.
    """

    bridge: str
    month: str
    spent_usd: float
    budget_usd: float | None
    forecast_usd: float
    posts: int
    per_post_usd: float | None
    kinds: list[KindRow]
    dearest: list[PostCostRow]
    links_usd: LinksRow


def cost_row(bridge: BridgeName, spending: Spending, budget: Budget, now: datetime) -> CostRow:
    """One bridge's month as a row."""
    average = Microdollars(round(spending.of_posts / spending.posts)) if spending.posts else None
    return CostRow(
        bridge=bridge,
        month=spending.month,
        spent_usd=dollars(spending.total),
        budget_usd=dollars(budget.per_month) if budget.is_bounded else None,
        forecast_usd=dollars(forecast(spending.total, spending.month, now)),
        posts=spending.posts,
        per_post_usd=None if average is None else dollars(average),
        kinds=[
            KindRow(kind=line.kind.value, items=line.items, cost_usd=dollars(line.cost))
            for line in spending.lines
        ],
        dearest=[
            PostCostRow(
                source_id=post.source,
                source_url=post.source_url,
                parts=post.parts,
                cost_usd=dollars(post.cost),
            )
            for post in spending.dearest
        ],
        links_usd=LinksRow(
            keep=dollars(spending.links.keep),
            defuse=dollars(spending.links.defuse),
            drop=dollars(spending.links.drop),
        ),
    )
