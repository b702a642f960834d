"""X's calls in the words that figures are kept in: which path is for what, what limits are left.

Pure. Sources: docs.x.com on rate limits; the 24-hour headers as they are seen in the field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from bridge.core.traffic import Allowance, Call, Operation, Span, allowance, by_method, result_of
from bridge.net.tracing import Seen
from bridge.networks.x.errors import reset_told
from bridge.ports import Clock, Traffic

_PATH = re.compile(r"/2/(oauth2|users|tweets|media)(?:/([^/]*))?(?:/([^/]*))?")
_QUARTER, _DAY = timedelta(minutes=16), timedelta(days=1)
_LIMITS = (
    ("x-rate-limit", Span.WINDOW, _QUARTER),
    ("x-user-limit-24hour", Span.USER_DAY, _DAY),
    ("x-app-limit-24hour", Span.APP_DAY, _DAY),
)


def noticing(traffic: Traffic, clock: Clock) -> Seen:
    """What tells `traffic` of the requests to X that it hears of."""

    def seen(method: str, path: str, status: int | None, headers: Mapping[str, str]) -> None:
        told = allowances(headers, clock.now())
        traffic.called(Call(operation(method, path), result_of(status), told))

    return seen


def operation(method: str, path: str) -> Operation:
    """What a request to `path` is for."""
    found = _PATH.search(path)
    if found is None:
        return Operation.OTHER
    match found.groups():
        case ("oauth2", *_) | ("users", "me", _):
            return Operation.ACCOUNT
        case ("media", *_):
            return Operation.MEDIA
        case ("tweets", *_) | ("users", _, "tweets" | "retweets"):
            return by_method(method)
    return Operation.OTHER


def allowances(headers: Mapping[str, str], now: datetime) -> tuple[Allowance, ...]:
    """Every limit that an answer tells of."""
    told = (
        allowance(
            span,
            headers.get(f"{name}-limit"),
            headers.get(f"{name}-remaining"),
            reset_told(headers.get(f"{name}-reset"), headers, now, usual),
            now,
        )
        for name, span, usual in _LIMITS
    )
    return tuple(each for each in told if each is not None)
