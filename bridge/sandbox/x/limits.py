"""How often each endpoint may be asked, and the headers that say so.

Figures: docs.x.com, rate limits, read 2026-08-22 (creating posts re-checked 2026-10-07). Counts
requests, refused ones too; must not know what they ask for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bridge.sandbox.x.problems import Refusal, plain

QUARTER = 15 * 60
DAY = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Limit:
    """How many requests one user, and one app, may make to an endpoint per window, in seconds."""

    per_user: int
    per_app: int | None = None
    app_window: int = QUARTER
    user_window: int = QUARTER


X_LIMITS: Mapping[str, Limit] = {
    "POST /2/tweets": Limit(100, 10_000, DAY),
    "DELETE /2/tweets/:id": Limit(50),
    "POST /2/users/:id/retweets": Limit(50),
    "DELETE /2/users/:id/retweets/:source": Limit(50),
    "GET /2/users/:id/tweets": Limit(900, 10_000),
    "GET /2/tweets": Limit(5_000, 3_500),
    "GET /2/tweets/:id": Limit(900, 450),
    "GET /2/users/me": Limit(75),
    "POST /2/media/upload": Limit(500, 50_000, DAY),
    "GET /2/media/upload": Limit(1_000, 100_000, DAY),
    "POST /2/media/upload/initialize": Limit(1_875, 180_000, DAY),
    "POST /2/media/upload/:id/append": Limit(1_875, 180_000, DAY),
    "POST /2/media/upload/:id/finalize": Limit(1_875, 180_000, DAY),
    "POST /2/media/metadata": Limit(500, 50_000, DAY),
}


@dataclass(slots=True)
class _Window:
    ends: float
    used: int = 0


class Limiter:
    """Fixed windows, each beginning with the first request in it.

    One app has one owner here, so a user's and an app's counters carry the same name.
    """

    def __init__(self, limits: Mapping[str, Limit]) -> None:
        self._limits = dict(limits)
        self._windows: dict[tuple[str, str, str], _Window] = {}

    def reset(self) -> None:
        """Forget every request."""
        self._windows.clear()

    def count(self, endpoint: str, user: str, now: datetime) -> dict[str, str]:
        """Count one request and return the headers of its answer.

        Raises a 429 `Refusal`, with the headers, once a window is used up.
        """
        limit = self._limits[endpoint]
        epoch = now.timestamp()
        of_user = self._window(("user", endpoint, user), epoch, limit.user_window)
        exhausted = of_user.used >= limit.per_user
        of_app = None
        if limit.per_app is not None:
            of_app = self._window(("app", endpoint, user), epoch, limit.app_window)
            exhausted = exhausted or of_app.used >= limit.per_app
        if not exhausted:
            of_user.used += 1
            if of_app is not None:
                of_app.used += 1
        headers = _headers("x-rate-limit", limit.per_user, of_user)
        if of_app is not None and limit.per_app is not None:
            if limit.app_window == DAY:
                headers |= _headers("x-app-limit-24hour", limit.per_app, of_app)
            elif limit.per_app - of_app.used < limit.per_user - of_user.used:
                headers = _headers("x-rate-limit", limit.per_app, of_app)
        if exhausted:
            raise Refusal(429, plain(429), headers)
        return headers

    def _window(self, key: tuple[str, str, str], epoch: float, length: int) -> _Window:
        window = self._windows.get(key)
        if window is None or not epoch < window.ends <= epoch + length:
            window = self._windows[key] = _Window(epoch + length)
        return window


def _headers(prefix: str, limit: int, window: _Window) -> dict[str, str]:
    return {
        f"{prefix}-limit": str(limit),
        f"{prefix}-remaining": str(limit - window.used),
        f"{prefix}-reset": str(int(window.ends)),
    }
