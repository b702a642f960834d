"""What reading has cost, as X counts it: each object once per UTC day. Must not decide prices.

Kept in memory only: after a restart an object may be counted again that X no longer charges, so
that the figures err upwards.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime

from bridge.core.model import Microdollars
from bridge.core.prices import PriceTable
from bridge.networks.fields import id_at, mapping_at, mappings_at
from bridge.networks.x.dialects import items_of

MAX_REMEMBERED = 50_000
"""Ids of one day; an account cannot write that many, so only a broken server reaches it."""


class ReadBill:
    """The billed objects of some answers that were read together."""

    def __init__(self) -> None:
        self.own: set[str] = set()
        self.included: set[str] = set()
        self.users: set[str] = set()

    def add(self, payload: Mapping[str, object], *, owned: bool = True) -> None:
        """Note what an answer carries; `owned` for a page of the own timeline.

        By any other read own posts cost what everybody's cost.
        """
        includes = mapping_at(payload, "includes")
        (self.own if owned else self.included).update(_ids(items_of(payload)))
        self.included |= _ids(mappings_at(includes, "posts"))
        self.included |= _ids(mappings_at(includes, "tweets"))
        self.users |= _ids(mappings_at(includes, "users"))


class ReadMeter:
    """Adds up what reading costs until somebody takes the sum over."""

    def __init__(self, prices: PriceTable) -> None:
        self._prices = prices
        self._day: date | None = None
        self._charged: set[str] = set()
        self._sum = 0

    def charge(self, bill: ReadBill, now: datetime, own: Collection[str] = ()) -> None:
        """Add a bill; `own` are ids of own posts, besides the timeline's, that may be included.

        Media and polls are taken for parts of their posts: the price list knows media as resources,
        but does not say so of those that come along. Included posts are billed like any others as
        far as is known; those whose author is not known, at the higher price.
        """
        if now.date() != self._day or len(self._charged) > MAX_REMEMBERED:
            self._day = now.date()
            self._charged.clear()
        owned = bill.own | bill.included.intersection(own)
        self._once("owned", owned, self._prices.owned_read)
        self._once("post", bill.included - owned, self._prices.post_read)
        self._once("user", bill.users, self._prices.user_read)

    def take(self) -> Microdollars:
        """What has been charged since the last time this was asked, failed readings included."""
        taken, self._sum = self._sum, 0
        return Microdollars(taken)

    def _once(self, kind: str, ids: Collection[str], price: Microdollars) -> None:
        new = {f"{kind} {each}" for each in ids} - self._charged
        self._charged |= new
        self._sum += len(new) * price


def _ids(items: Collection[Mapping[str, object]]) -> set[str]:
    found = (id_at(item, "id") for item in items)
    return {each for each in found if each is not None}
