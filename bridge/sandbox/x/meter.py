"""What every request costs, event by event, as the price table of the core says.

Pessimistic where the price page is silent: objects that an expansion includes are charged like
those asked for. Must not refuse anything.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bridge.core.model import Microdollars
from bridge.core.prices import PriceTable

MAX_EVENTS = 100_000
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Charge:
    """One line of the bill. `resource` is the id of what was read, made or removed.

    `kind` is one of ``owned_read post_read user_read create create_with_link delete media
    alt_text repost``; taking a repost back is a ``delete``. `app` is the id of the account that
    owns the developer app.
    """

    kind: str
    resource: str
    amount: Microdollars
    at: datetime
    app: str

    def as_json(self) -> dict[str, object]:
        """The line as ``GET /sandbox/bill`` gives it; the amount in millionths of a dollar."""
        return {
            "kind": self.kind,
            "resource": self.resource,
            "microdollars": self.amount,
            "at": self.at.isoformat(),
            "app": self.app,
        }


def price_list(prices: PriceTable) -> dict[str, dict[str, float]]:
    """The price list under the names by which X's own developer tools read it, in dollars."""
    events = {"Post": prices.post_read, "User": prices.user_read}
    requests = {
        "ContentCreate": prices.create,
        "InteractionDelete": prices.delete,
        "MediaMetadata": prices.alt_text,
        "UserInteractionCreate": prices.repost,
    }
    return {
        "eventTypePricing": {name: price / 1_000_000 for name, price in events.items()},
        "requestTypePricing": {name: price / 1_000_000 for name, price in requests.items()},
    }


class Meter:
    """The bill of all apps. A read of one resource is charged once per app, kind and UTC day."""

    def __init__(self, prices: PriceTable) -> None:
        self._prices = prices
        self._charges: deque[Charge] = deque(maxlen=MAX_EVENTS)
        self._read: dict[date, set[tuple[str, str, str]]] = {}

    def charges(self) -> tuple[Charge, ...]:
        """The bill, oldest line first; at most `MAX_EVENTS`."""
        return tuple(self._charges)

    def reset(self) -> None:
        """Start a new bill."""
        self._charges.clear()
        self._read.clear()

    def read_posts(self, app: str, ids: Iterable[str], now: datetime, *, owned: bool) -> None:
        """Posts were returned; `owned` where they are the app owner's, from the own timeline."""
        price = self._prices.owned_read if owned else self._prices.post_read
        self._read_once(app, "owned_read" if owned else "post_read", ids, price, now)

    def read_users(self, app: str, ids: Iterable[str], now: datetime) -> None:
        """User objects were returned, other than by ``users/me``, which is free."""
        self._read_once(app, "user_read", ids, self._prices.user_read, now)

    def created(self, app: str, post_id: str, now: datetime, *, has_link: bool) -> None:
        """A post was created."""
        if has_link:
            self._add("create_with_link", post_id, self._prices.create_with_link, now, app)
        else:
            self._add("create", post_id, self._prices.create, now, app)

    def deleted(self, app: str, post_id: str, now: datetime) -> None:
        """A post was deleted."""
        self._add("delete", post_id, self._prices.delete, now, app)

    def reposted(self, app: str, post_id: str, now: datetime) -> None:
        """A post was repeated, or asked to be once more."""
        self._add("repost", post_id, self._prices.repost, now, app)

    def uploaded(self, app: str, media_id: str, now: datetime) -> None:
        """A medium was completed."""
        self._add("media", media_id, self._prices.media, now, app)

    def described(self, app: str, media_id: str, now: datetime) -> None:
        """Metadata was attached to a medium."""
        self._add("alt_text", media_id, self._prices.alt_text, now, app)

    def _read_once(
        self, app: str, kind: str, ids: Iterable[str], price: Microdollars, now: datetime
    ) -> None:
        today = now.date()
        if today not in self._read:
            # Only one more day is kept: a clock that is shifted back and forth stays cheap.
            days = {day: seen for day, seen in self._read.items() if abs(day - today) <= _ONE_DAY}
            self._read = days
            self._read[today] = set()
        seen = self._read[today]
        for resource in ids:
            if (app, kind, resource) not in seen:
                seen.add((app, kind, resource))
                self._add(kind, resource, price, now, app)

    def _add(self, kind: str, resource: str, amount: Microdollars, at: datetime, app: str) -> None:
        self._charges.append(Charge(kind, resource, amount, at, app))
