"""The keys that concern money, below `x`: bounds, prices that differ, where X lists its own.

Declares them, and turns what was read into settings. Must not decide what a bound means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast
from urllib.parse import urlsplit

from bridge.config import values
from bridge.config.declared import Key, Section
from bridge.core.budget import UNBOUNDED, Budget
from bridge.core.model import Microdollars
from bridge.core.prices import X_PRICES, PriceTable

PUBLIC_API = "api.x.com"
PUBLIC_LIST = "https://console.x.com/api/credits/pricing"
_HIGHEST = 100
_FIVE = Microdollars(5_000_000)
_A_QUARTER = Microdollars(250_000)


@dataclass(frozen=True, slots=True)
class MoneySettings:
    """What may be spent on one account on X, and what X charges.

    `price_list` is the address of X's own list, empty where it is not to be asked for.
    """

    usd_per_month: Microdollars = _FIVE
    usd_per_post: Microdollars = _A_QUARTER
    warn_at: int = 80
    prices: PriceTable = X_PRICES
    price_list: str = ""

    @property
    def budget(self) -> Budget:
        """The bounds of a month."""
        return Budget(self.usd_per_month, self.warn_at)

    @property
    def most_per_post(self) -> Microdollars | None:
        """What no post may cost more than: what a month may, or less; None for no bound."""
        bound = min(self.usd_per_month, self.usd_per_post)
        return None if bound >= UNBOUNDED else bound


def bound(text: str) -> Microdollars:
    """An amount of US dollars, or ``none`` for no bound."""
    if text == "none":
        return UNBOUNDED
    try:
        return values.dollars(text)
    except ValueError:
        raise ValueError("expected an amount in US dollars such as 5.00, or none") from None


def percentage(text: str) -> int:
    """A share of the month's budget: ``80%``."""
    found = re.fullmatch(r"(\d{1,3}) ?%?", text, re.ASCII)
    if found is None or not 1 <= int(found[1]) <= _HIGHEST:
        raise ValueError("expected a percentage from 1% to 100%")
    return int(found[1])


def price_list(text: str) -> str:
    """The address of a price list, or ``never``."""
    if text == "never":
        return text
    parts = urlsplit(text)
    values.url(f"{parts.scheme}://{parts.netloc}")
    return text


_PRICES = {
    "owned_read": "An own post that is read.",
    "post_read": "A post that is read by any other way.",
    "user_read": "An account that is read.",
    "create": "A post that is created.",
    "create_with_link": "A post that is created with a link in it.",
    "delete": "A post that is deleted.",
    "media": "A file that is uploaded.",
    "alt_text": "A description of a file.",
    "repost": "A post that is reposted.",
}

MONEY: tuple[Key | Section, ...] = (
    Section(
        "budget",
        "What may be spent on this account, by UTC months as X bills. What is over it waits, and "
        "is not lost.",
        (
            Key(
                "usd_per_month",
                "Once so much is spent, posts to X wait for the next month or for `twinpost "
                "release`; an amount in US dollars, or none for no bound.",
                bound,
                default="5.00",
            ),
            Key(
                "usd_per_post",
                "A post whose mirror costs more is held as it is until you say `twinpost release "
                "ID`; an amount, or none for no bound.",
                bound,
                default="0.25",
            ),
            Key(
                "warn_at",
                "From what share of the month's budget on you are told, once a month.",
                percentage,
                default="80%",
            ),
        ),
    ),
    Section(
        "prices",
        "What X charges where that is not what this version knows, in US dollars.",
        tuple(Key(name, doc, values.dollars) for name, doc in _PRICES.items()),
    ),
    Key(
        "price_list",
        "Where X lists its prices, asked at most once a week to warn you of a difference; `never` "
        "asks nobody. Left out, X's own list where url is X's own API.",
        price_list,
    ),
)


def money_of(x: Mapping[str, object], url: str) -> MoneySettings:
    """The settings from the values read below `x`; `url` is the API's address."""
    budget = cast("dict[str, Any]", x.get("budget") or {})
    changed = cast("dict[str, Any]", x.get("prices") or {})
    told = {name: value for name, value in budget.items() if value is not None}
    differing = {name: value for name, value in changed.items() if value is not None}
    listed = cast("str | None", x.get("price_list"))
    if listed is None:
        listed = PUBLIC_LIST if urlsplit(url).hostname == PUBLIC_API else ""
    return MoneySettings(
        **told,
        prices=replace(X_PRICES, **differing),
        price_list="" if listed == "never" else listed,
    )
