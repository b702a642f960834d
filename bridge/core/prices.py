"""What X charges, as data with the date it was read, and plain arithmetic over it.

Mastodon charges nothing. Must not decide whether a price is worth paying.
Source: the pay-per-use table of docs.x.com and staff statements; amounts that are not published
(media) take the dearest figure stated, so that a forecast errs on the safe side.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from bridge.core.model import Microdollars

FREE = Microdollars(0)


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Prices per resource or request, in microdollars."""

    as_of: date
    owned_read: Microdollars
    """One own post, read by the owner of the developer app from the own timeline."""
    post_read: Microdollars
    """One post by any other read."""
    user_read: Microdollars
    create: Microdollars
    create_with_link: Microdollars
    """A post in which X finds at least one link, however many."""
    delete: Microdollars
    media: Microdollars
    """One uploaded medium."""
    alt_text: Microdollars
    repost: Microdollars
    """Repeating a post. The price page has no word for it but "User Interaction: Create"."""


X_PRICES = PriceTable(
    as_of=date(2026, 11, 22),
    owned_read=Microdollars(1_000),
    post_read=Microdollars(5_000),
    user_read=Microdollars(10_000),
    create=Microdollars(15_000),
    create_with_link=Microdollars(200_000),
    delete=Microdollars(10_000),
    media=Microdollars(15_000),
    alt_text=Microdollars(5_000),
    repost=Microdollars(15_000),
)


def creation(
    table: PriceTable, *, has_link: bool, media: int = 0, alt_texts: int = 0
) -> Microdollars:
    """The price of creating one post, its uploads and alt texts included."""
    post = table.create_with_link if has_link else table.create
    return Microdollars(post + media * table.media + alt_texts * table.alt_text)


def in_dollars(amount: Microdollars) -> str:
    """An amount for a person, with two decimals or more: ``$0.015``, ``$0.20``, ``$12.00``."""
    whole, fraction = divmod(abs(amount), 1_000_000)
    digits = f"{fraction:06d}".rstrip("0").ljust(2, "0")
    return f"{'-' if amount < 0 else ''}${whole}.{digits}"
