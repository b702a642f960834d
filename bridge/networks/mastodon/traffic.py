"""A Mastodon server's calls in the words that figures are kept in: what for, and what is left.

Pure. What a server tells describes whichever of its limits is nearest to its end, so the same
operation may tell of another one each time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from bridge.core.traffic import Allowance, Call, Operation, Span, allowance, by_method, result_of
from bridge.net.tracing import Seen
from bridge.networks.mastodon.errors import until
from bridge.ports import Clock, Traffic

_PATH = re.compile(r"/api/v\d+/([a-z]+)(?:/([^/]*))?(?:/([^/]*))?")
_BY_FIRST = {
    "apps": Operation.ACCOUNT,
    "instance": Operation.ACCOUNT,
    "media": Operation.MEDIA,
    "streaming": Operation.STREAM,
}
_TOLD_BY = ("x-ratelimit-reset", "date")


def noticing(traffic: Traffic, clock: Clock) -> Seen:
    """What tells `traffic` of the requests to the server that it hears of."""

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
        case ("accounts", "verify_credentials", _):
            return Operation.ACCOUNT
        case ("statuses", _, "unreblog"):
            return Operation.DELETE
        case ("statuses", *_) | ("accounts", _, "statuses"):
            return by_method(method)
    return _BY_FIRST.get(found[1], Operation.OTHER)


def allowances(headers: Mapping[str, str], now: datetime) -> tuple[Allowance, ...]:
    """The limit that an answer tells of, if any."""
    resets = until({name: headers.get(name, "") for name in _TOLD_BY}, now)
    left = headers.get("x-ratelimit-remaining")
    told = allowance(Span.WINDOW, headers.get("x-ratelimit-limit"), left, resets, now)
    return () if told is None else (told,)
