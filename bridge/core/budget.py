"""What a bridge may cost: arithmetic over what is spent and under way, in months of UTC.

X bills by UTC days, so months begin at midnight UTC. Sending is bounded by the whole budget; what
keeps mirrors true (reading, deleting) by twice that, so that an edit or a deletion is not missed
for a few cents. Pure: `now` is an argument. Must not know where figures come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from bridge.core.draft import DraftPart, LinkPrices
from bridge.core.entities import x_links
from bridge.core.model import Direction, Microdollars, Network, PostId, Route
from bridge.core.prices import FREE, in_dollars

UNBOUNDED = Microdollars(10**15)
"""A billion dollars: more than anybody will spend, and less than what overflows."""

_UPKEEP = 2
"""How many budgets reading and deleting may go up to."""

_ALL = 100


class Spent(StrEnum):
    """What money was spent on; the values stand in the ledger and in `costs --json`."""

    READ = "read"
    POST = "post"
    POST_WITH_LINK = "post_with_link"
    REPOST = "repost"
    MEDIA = "media"
    ALT_TEXT = "alt_text"
    EDIT = "edit"
    DELETION = "deletion"
    DELIVERY = "delivery"
    """Posts of whatever kind, from before kinds were told apart."""


def kind_of(direction: Direction, part: DraftPart) -> Spent:
    """What sending `part` is spent on. Only X tells posts with links from others."""
    if part.repeat is not None:
        return Spent.REPOST
    linked = direction.target is Network.X and bool(x_links(part.text))
    return Spent.POST_WITH_LINK if linked else Spent.POST


@dataclass(frozen=True, slots=True)
class Usage:
    """What one UTC month has cost; `under_way` may have been charged, and nobody knows yet."""

    spent: Microdollars = FREE
    under_way: Microdollars = FREE

    @property
    def committed(self) -> Microdollars:
        """Both together: the most that may have been charged."""
        return Microdollars(self.spent + self.under_way)


@dataclass(frozen=True, slots=True)
class Budget:
    """The owner's bounds, in microdollars; `warn_at` is a percentage of the month's, 1 to 100."""

    per_month: Microdollars = UNBOUNDED
    warn_at: int = 80

    @property
    def is_bounded(self) -> bool:
        """Whether there is any bound at all."""
        return self.per_month < UNBOUNDED

    def allows(self, price: Microdollars, usage: Usage) -> bool:
        """Whether something of this price may be sent: what is free always may."""
        return price <= FREE or usage.committed + price <= self.per_month

    def allows_upkeep(self, usage: Usage) -> bool:
        """Whether X may still be read, and mirrors deleted."""
        return usage.committed < self.per_month * _UPKEEP

    def is_near(self, usage: Usage) -> bool:
        """Whether so much is spent that the owner wants to know."""
        return (
            self.is_bounded
            and usage.spent > FREE
            and usage.spent * _ALL >= self.per_month * self.warn_at
        )


NO_BUDGET = Budget()
"""Whatever it costs."""


@dataclass(frozen=True, slots=True)
class Till:
    """What bears on whether a post may be sent now.

    `needed` is what all that is left of it will cost; `released` says that its owner has let it go
    whatever it costs. `marked` and `unmarked` are how many posts of its route wait for money, and
    how many more are due that nobody has said so of.
    """

    usage: Usage
    needed: Microdollars = FREE
    released: bool = False
    marked: int = 0
    unmarked: int = 0


def month_of(now: datetime) -> str:
    """The UTC month that X bills `now` to: ``2026-11``."""
    return now.astimezone(UTC).strftime("%Y-%m")


def month_begin(month: str) -> datetime:
    """When a month begins. Raises `ValueError` for what is no month."""
    return datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)


def month_end(month: str) -> datetime:
    """When the next month begins."""
    return month_begin(month_of(month_begin(month) + timedelta(days=31)))


def next_month(now: datetime) -> datetime:
    """When money is there again."""
    return month_end(month_of(now))


def day_name(at: datetime) -> str:
    """``1 December (UTC)``."""
    return f"{at.astimezone(UTC):%-d %B} (UTC)"


def over_budget(budget: Budget, now: datetime) -> str:
    """Why a post waits, and what its owner can do."""
    return (
        f"over this month's budget of {in_dollars(budget.per_month)}; goes out on "
        f"{day_name(next_month(now))} or after: twinpost release"
    )


def never_affordable(budget: Budget, needed: Microdollars, source: PostId) -> str:
    """Why a post is held that no month's budget can pay."""
    return (
        f"costs {in_dollars(needed)}, which is more than a whole month's budget of "
        f"{in_dollars(budget.per_month)}; to send it all the same: twinpost release {source}; "
        f"to let it be: twinpost drop {source}"
    )


def forecast(spent: Microdollars, month: str, now: datetime) -> Microdollars:
    """What a month will have cost if it goes on as until `now`; what it has cost once it is over.

    A first day counts as a whole one: an hour says nothing about a month.
    """
    begin, end = month_begin(month), month_end(month)
    if now >= end or now < begin:
        return spent
    passed = max(now - begin, timedelta(days=1))
    return Microdollars(round(spent * ((end - begin) / passed)))


@dataclass(frozen=True, slots=True)
class Line:
    """How often something was paid for in a month, and what that came to."""

    kind: Spent
    items: int
    cost: Microdollars


@dataclass(frozen=True, slots=True)
class PostCost:
    """What the mirror of one post has cost."""

    route: Route
    source: PostId
    source_url: str | None
    parts: int
    cost: Microdollars


NO_LINKS = LinkPrices(FREE, FREE, FREE)


@dataclass(frozen=True, slots=True)
class Spending:
    """What one bridge has cost in one month.

    `posts` is how many were sent to X in it, `of_posts` what these have cost (whenever that was
    paid), `dearest` some of them, the dearest first. `links` is what they would have cost under
    each choice, media included.
    """

    month: str
    lines: tuple[Line, ...] = ()
    posts: int = 0
    of_posts: Microdollars = FREE
    dearest: tuple[PostCost, ...] = ()
    links: LinkPrices = NO_LINKS

    @property
    def total(self) -> Microdollars:
        """All lines together."""
        return total(self.lines)


def total(lines: Sequence[Line]) -> Microdollars:
    """What some lines come to."""
    return Microdollars(sum(line.cost for line in lines))
