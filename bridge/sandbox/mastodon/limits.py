"""How often may be asked, and the headers that tell: Mastodon's throttles and its posts family.

After rack_attack.rb and rate_limiter.rb: windows aligned to the clock, headers of the limit that
is nearest to exhaustion. Must not look at what a request does, only at where it goes and whose
it is. Unlike the real server it exempts nobody for coming from loopback.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aiohttp import web

from bridge.sandbox.clock import SandboxClock
from bridge.sandbox.mastodon.problems import ApiError, reset_header
from bridge.sandbox.mastodon.profiles import Profile

_MINUTE = 60
_MEDIA = re.compile(r"/api/v\d+/media", re.IGNORECASE)
_STATUS = re.compile(r"/api/v1/statuses/\d+")
_UNREBLOG = re.compile(r"/api/v1/statuses/\d+/unreblog")
_POST = re.compile(r"/api/v1/statuses|/api/v1/statuses/\d+/reblog")
_PAGING = ("page", "min_id", "max_id", "since_id")


@dataclass(frozen=True, slots=True)
class Limit:
    """So many within so many seconds."""

    name: str
    count: int
    period: int


PER_USER = Limit("user", 1500, 5 * _MINUTE)
PER_TOKEN = Limit("token", 300, 5 * _MINUTE)
PER_ADDRESS = Limit("address", 300, 5 * _MINUTE)
MEDIA = Limit("media", 30, 30 * _MINUTE)
PAGING = Limit("paging", 300, 15 * _MINUTE)
PAGING_ADDRESS = Limit("paging-address", 300, 15 * _MINUTE)
DELETING = Limit("deleting", 30, 30 * _MINUTE)
POSTS = Limit("posts", 300, 180 * _MINUTE)
"""New posts and edits together, for one account and whatever it writes with."""

_SPECIAL = (
    (MEDIA, "POST", _MEDIA),
    (DELETING, "DELETE", _STATUS),
    (DELETING, "POST", _UNREBLOG),
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: ids of the token and of its account where there are any, and the address."""

    token: str | None
    account: str | None
    address: str


class RateLimits:
    """The counters of one server. They survive nothing: `clear` starts every window afresh."""

    def __init__(self, profile: Profile, clock: SandboxClock) -> None:
        self._kind = profile.limits
        self._clock = clock
        self._used: dict[tuple[str, str], tuple[int, int]] = {}

    def clear(self) -> None:
        """Forget every request."""
        self._used.clear()

    def admit(self, request: web.Request, caller: Caller) -> dict[str, str]:
        """Count a request; the headers of its answer. Raises `ApiError` 429 beyond a limit."""
        nearest: tuple[int, Limit] | None = None
        for limit, whom in self._throttles(request, caller):
            used = self._count(limit, whom)
            if used > limit.count:
                raise ApiError(429, "Too many requests", headers=self._headers(limit, 0))
            if nearest is None or limit.count - used < nearest[0]:
                nearest = limit.count - used, limit
        return {} if nearest is None else self._headers(nearest[1], nearest[0])

    def record_post(self, account: str) -> None:
        """Count one post or edit of `account`. Raises `ApiError` 429 where they are used up."""
        if self._kind != "mastodon":
            return
        if self._left(POSTS, account) <= 0:
            raise ApiError(429, "Too many requests")
        self._count(POSTS, account)

    def nearest(
        self, headers: dict[str, str], request: web.Request, caller: Caller
    ) -> dict[str, str]:
        """`headers`, or on posts and edits those of their family where it is as near to the end."""
        if self._kind != "mastodon" or caller.account is None or not _posts(request):
            return headers
        left = max(0, self._left(POSTS, caller.account))
        if left > int(headers["X-RateLimit-Remaining"]):
            return headers
        return self._headers(POSTS, left)

    def _throttles(self, request: web.Request, caller: Caller) -> Iterator[tuple[Limit, str]]:
        path, method = request.path.rstrip("/"), request.method
        if self._kind == "none" or not path.startswith("/api/"):
            return
        if path.startswith("/api/v1/streaming"):
            # Streaming is another process on a real server, which counts nothing.
            return
        if self._kind == "address":
            yield PER_ADDRESS, caller.address
            return
        if caller.token is not None:
            yield PER_TOKEN, caller.token
        paging = any(request.query.get(name) for name in _PAGING)
        if caller.account is None:
            yield PER_ADDRESS, caller.address
            if paging:
                yield PAGING_ADDRESS, caller.address
            return
        yield PER_USER, caller.account
        if paging:
            yield PAGING, caller.account
        for limit, verb, pattern in _SPECIAL:
            if method == verb and pattern.fullmatch(path):
                yield limit, caller.account

    def _window(self, limit: Limit) -> int:
        return int(self._clock.now().timestamp()) // limit.period

    def _left(self, limit: Limit, whom: str) -> int:
        window, used = self._used.get((limit.name, whom), (0, 0))
        return limit.count - (used if window == self._window(limit) else 0)

    def _count(self, limit: Limit, whom: str) -> int:
        window = self._window(limit)
        before, used = self._used.get((limit.name, whom), (window, 0))
        used = used + 1 if before == window else 1
        self._used[limit.name, whom] = window, used
        return used

    def _headers(self, limit: Limit, left: int) -> dict[str, str]:
        end = datetime.fromtimestamp((self._window(limit) + 1) * limit.period, UTC)
        # Rails adds whole seconds to a moment with a fraction, so the fraction stays.
        fraction = timedelta(microseconds=self._clock.now().microsecond)
        return {
            "X-RateLimit-Limit": str(limit.count),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": reset_header(end + fraction),
        }


def _posts(request: web.Request) -> bool:
    path = request.path.rstrip("/")
    if request.method == "PUT":
        return bool(_STATUS.fullmatch(path))
    return request.method == "POST" and bool(_POST.fullmatch(path))
