"""A call to a network as figures count it: what for, how it ended, what its limit has left.

Words of fixed lists and bounded numbers only: whatever a network sends, no label comes of it. Must
not know how any network spells its paths and headers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus

_MOST_DIGITS = 9
_FURTHEST = timedelta(days=1)
"""No window that is known is longer; a reset that is further away is a mistake, or worse."""


class Operation(StrEnum):
    """What a call is for."""

    READ = "read"
    WRITE = "write"
    DELETE = "delete"
    MEDIA = "media"
    ACCOUNT = "account"
    """Whose account it is, what the server is, and logins."""
    STREAM = "stream"
    OTHER = "other"


class Result(StrEnum):
    """How a call ended, by the status of its answer alone."""

    OK = "ok"
    REFUSED = "refused"
    UNAUTHORISED = "unauthorised"
    UNPAID = "unpaid"
    FORBIDDEN = "forbidden"
    """403: a login, money, or this one request, as only the body says."""
    THROTTLED = "throttled"
    SERVER_ERROR = "server-error"
    NO_ANSWER = "no-answer"


class Span(StrEnum):
    """What a limit counts: a network's usual window, or a day of one user or of the whole app."""

    WINDOW = "window"
    USER_DAY = "user-day"
    APP_DAY = "app-day"


@dataclass(frozen=True, slots=True)
class Allowance:
    """One limit as an answer told it: `remaining` of `limit` calls until `resets_at`, if told."""

    span: Span
    limit: int
    remaining: int
    resets_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One request that left, or tried to, and what came of it."""

    operation: Operation
    result: Result
    allowances: tuple[Allowance, ...] = ()


_NAMED: dict[int, Result] = {
    HTTPStatus.UNAUTHORIZED: Result.UNAUTHORISED,
    HTTPStatus.PAYMENT_REQUIRED: Result.UNPAID,
    HTTPStatus.FORBIDDEN: Result.FORBIDDEN,
    HTTPStatus.TOO_MANY_REQUESTS: Result.THROTTLED,
}


def result_of(status: int | None) -> Result:
    """How a call with this answer ended; None is for none at all."""
    if status is None:
        return Result.NO_ANSWER
    if status < HTTPStatus.MULTIPLE_CHOICES:
        return Result.OK
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Result.SERVER_ERROR
    return _NAMED.get(status, Result.REFUSED)


def by_method(method: str) -> Operation:
    """What a call to a post or a timeline is for."""
    if method in {"GET", "HEAD"}:
        return Operation.READ
    return Operation.DELETE if method == "DELETE" else Operation.WRITE


def allowance(
    span: Span,
    limit: str | None,
    remaining: str | None,
    resets_at: datetime | None,
    now: datetime,
) -> Allowance | None:
    """One limit from the texts of an answer's headers; None where they make no sense.

    More can never remain than there is. A reset that is past, or more than a day away, tells
    nothing.
    """
    most, left = _count(limit), _count(remaining)
    if not most or left is None:
        return None
    believed = resets_at is not None and now < resets_at <= now + _FURTHEST
    return Allowance(span, most, min(left, most), resets_at if believed else None)


def _count(told: str | None) -> int | None:
    text = (told or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None
