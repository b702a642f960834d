"""X's own price list, read to find out whether the prices known here are still right.

It is not documented: names and shape are those that X's developer tools read (a mapping from names
of events, and of requests, to dollars). What is missing or odd is passed over. Must not change a
price: only its owner does.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from ssl import SSLContext
from typing import Protocol

import aiohttp

from bridge.core.errors import Transient
from bridge.core.model import Microdollars
from bridge.core.prices import PriceTable, in_dollars
from bridge.net.session import BodyTooLarge, open_session, read_capped
from bridge.networks.fields import mapping_at

LARGEST = 256 * 1024
"""Bytes; the list has some dozens of lines."""

PATIENCE = aiohttp.ClientTimeout(total=20)
_OK = 200
_DEAREST = Decimal(1000)
"""Dollars: no single request costs that, so it is no price."""

_NAMES = {
    "owned_read": ("OwnedRead", "OwnedPost", "OwnedResource"),
    "post_read": ("Post",),
    "user_read": ("User",),
    "create": ("ContentCreate", "PostCreate"),
    "create_with_link": (
        "ContentCreateWithUrl",
        "ContentCreateUrl",
        "PostCreateWithUrl",
        "PostCreateUrl",
    ),
    "delete": ("InteractionDelete",),
    "media": ("MediaUpload", "MediaCreate"),
    "alt_text": ("MediaMetadata",),
    "repost": ("UserInteractionCreate",),
}
"""Under which names X may list what we know; all but the first of each are guesses."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A price that X lists otherwise; `key` is below ``x.prices``."""

    key: str
    known: Microdollars
    listed: Microdollars

    def __str__(self) -> str:
        """What to do about it."""
        listed = in_dollars(self.listed)
        return (
            f"X lists {listed} for what is counted as {in_dollars(self.known)} here; if that is "
            f"right, set x.prices.{self.key}: {listed[1:]}"
        )


class Listed(Protocol):
    """Where a list is, and the prices that it is compared with."""

    @property
    def price_list(self) -> str:
        """Its address."""
        ...

    @property
    def prices(self) -> PriceTable:
        """What is counted with."""
        ...


def asking(
    listed: Listed, user_agent: str, tls: SSLContext
) -> Callable[[], Awaitable[tuple[Difference, ...]]]:
    """Asks for a list, each time with a session of its own; see `differences`."""

    async def ask() -> tuple[Difference, ...]:
        async with open_session(user_agent=user_agent, tls=tls) as session:
            return await differences(session, listed.price_list, listed.prices)

    return ask


async def differences(
    session: aiohttp.ClientSession, url: str, table: PriceTable
) -> tuple[Difference, ...]:
    """Where the list at `url` differs from `table`. Raises `Transient` where it cannot be read."""
    try:
        # Nothing secret is sent, and the list may have moved.
        async with session.get(url, timeout=PATIENCE, max_redirects=3) as response:
            if response.status != _OK:
                raise Transient(f"HTTP {response.status}", status=response.status)
            body = json.loads(await read_capped(response, LARGEST))
    except (aiohttp.ClientError, TimeoutError, BodyTooLarge) as error:
        raise Transient(f"not to be had: {type(error).__name__}") from None
    except (ValueError, RecursionError):
        raise Transient("not JSON") from None
    if not isinstance(body, dict):
        raise Transient("not a list of prices")
    return tuple(compared(body, table))


def compared(listed: Mapping[str, object], table: PriceTable) -> Iterator[Difference]:
    """Every price that `listed` has and that is another one in `table`. Pure."""
    names: dict[str, object] = {}
    for group in ("eventTypePricing", "requestTypePricing"):
        names.update({name.casefold(): value for name, value in mapping_at(listed, group).items()})
    for key, candidates in _NAMES.items():
        found = (names.get(name.casefold()) for name in candidates)
        price = next((each for each in map(_price, found) if each is not None), None)
        known = getattr(table, key)
        if price is not None and price != known:
            yield Difference(key, known, price)


def _price(value: object) -> Microdollars | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        dollars = Decimal(str(value).strip().lstrip("$"))
    except InvalidOperation:
        return None
    if not dollars.is_finite() or not 0 < dollars < _DEAREST:
        return None
    return Microdollars(int(dollars.scaleb(6)))
