"""From one finished exchange to one of the five kinds of network error, or to none.

The rule behind every line: an error other than `InDoubt` is raised for a creation only where the
server surely has not done it. Localised words are never read. Must not do I/O.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from bridge.core.errors import (
    Barred,
    InDoubt,
    NetworkError,
    Refused,
    Throttled,
    Transient,
    Unauthorised,
)
from bridge.networks.fields import mapping_at, text_at
from bridge.networks.mastodon.wire import Exchange
from bridge.networks.outside import claims_html, describe_foreign, from_outside

_LONGEST_DETAIL = 200
_OWNERS_BUSINESS = re.compile(
    "scope|authori|login|log in|credential|token|permission", re.IGNORECASE
)
_SHUT_OUT = re.compile(
    r"suspend|disabl|confirm|pending|approv|\bmov(?:ed|ing)\b|silenced|deactivat|\bfrozen\b",
    re.IGNORECASE,
)
"""Hard-coded English in the servers' sources, never translated: only the owner can mend these."""

_JUDGING = frozenset(
    (
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    )
)
"""The statuses with which a server judges what was sent. Its words are localised, so that it takes
these and its own form of an error; every other one tells of the server or what is in front."""

_EMPTY = re.compile("empty status", re.IGNORECASE)
"""With 403, from a server of pictures: its verdict on a text without one, hard-coded English."""

_MOVED = re.compile(r"account (?:has |is )?(?:been )?(?:moved|moving|suspended)", re.IGNORECASE)
_NEEDS_USER = re.compile("requires an authenticated user", re.IGNORECASE)
_REPEATED_KEY = re.compile("idempotency", re.IGNORECASE)
_DUPLICATE = re.compile("duplicate record", re.IGNORECASE)

GONE = frozenset((HTTPStatus.NOT_FOUND, HTTPStatus.GONE))

_LONGEST_WINDOW = timedelta(days=1)
"""No limit is kept for longer: those of Mastodon open after three hours at the latest."""

_MILLISECONDS_FROM = 100_000_000_000
_EPOCH_FROM = 1_000_000_000
"""Numbers at least this large are points in time; smaller ones are seconds from now."""


def failure(
    exchange: Exchange, *, now: datetime, creating: bool = False, naming: bool = False
) -> NetworkError | None:
    """What went wrong in `exchange`; None for a success whose body is whole.

    `creating` is true for a request that must not be repeated lightly, `naming` where it names
    a post that may be gone. `now` is aware UTC.
    """
    status = exchange.status
    if status is None:
        return _without_answer(exchange, creating=creating)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _server_failure(exchange, status, creating=creating)
    if status >= HTTPStatus.BAD_REQUEST:
        return _client_failure(exchange, status, now, creating=creating, naming=naming)
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        return _redirect(status, creating=creating)
    if exchange.body is None:
        return unreadable(exchange, creating=creating)
    return None


def is_a_no(error: NetworkError) -> bool:
    """Whether a question was turned down, by whomever: then it may be asked in another way."""
    status = error.status or 0
    turned_down = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    return isinstance(error, Refused) or (isinstance(error, Transient) and turned_down)


def unreadable(exchange: Exchange, *, creating: bool) -> NetworkError:
    """A success whose body is cut off, empty, or not what the API promises."""
    detail = f"HTTP {exchange.status}, but the answer is unreadable"
    if exchange.fault:
        detail += f" ({exchange.fault})"
    elif exchange.body is not None:
        detail = f"HTTP {exchange.status}: {_foreign_words(exchange, exchange.body)}"
    if creating:
        return InDoubt(detail, status=exchange.status)
    return Transient(detail, status=exchange.status, unreachable=True)


def decoded(exchange: Exchange) -> object:
    """The JSON value of the body; None where there is none that can be read."""
    try:
        value: object = json.loads(exchange.body or b"")
    except (ValueError, RecursionError):
        return None
    return value


def _without_answer(exchange: Exchange, *, creating: bool) -> NetworkError:
    why = "took too long" if exchange.aborted else exchange.fault or "no answer"
    if exchange.late:
        return Transient("not sent: its turn came too late")
    if not exchange.begun:
        return Refused(f"the request could not be made ({why})")
    if not exchange.sent:
        return Transient(f"the server cannot be reached ({why})", unreachable=True)
    if creating:
        return InDoubt(f"sent, but the answer never came ({why})")
    return Transient(f"the server does not answer ({why})", unreachable=True)


def _server_failure(exchange: Exchange, status: int, *, creating: bool) -> NetworkError:
    """Any 5xx: it was seen to follow a post that was made, 503 and 504 of a proxy included."""
    if creating:
        return InDoubt(_detail(exchange), status=status)
    return Transient(_detail(exchange), status=status, unreachable=True)


def _redirect(status: int, *, creating: bool) -> NetworkError:
    if creating and status == HTTPStatus.SEE_OTHER:
        return InDoubt(f"HTTP {status}: redirected after sending", status=status)
    # It is so with every request: no post is to blame, and none is given up for it.
    detail = f"HTTP {status}: the server redirects; set `url` to where it really is"
    return Transient(detail, status=status, unreachable=True)


def _client_failure(
    exchange: Exchange, status: int, now: datetime, *, creating: bool, naming: bool
) -> NetworkError:
    detail = _detail(exchange)
    match status:
        case HTTPStatus.UNAUTHORIZED:
            hint = "sign in again with: twinpost login mastodon"
            return Unauthorised(f"{detail} ({hint})", status=status)
        case HTTPStatus.FORBIDDEN:
            return _forbidden(exchange, changing=creating or naming)
        case HTTPStatus.TOO_MANY_REQUESTS:
            return Throttled(detail, until=until(exchange.headers, now), status=status)
        case HTTPStatus.TOO_EARLY:
            return Transient(detail, status=status)
        case HTTPStatus.REQUEST_TIMEOUT:
            kind = InDoubt if creating else Transient
            return kind(detail, status=status)
    return _refusal(exchange, status, creating=creating, naming=naming)


def _refusal(exchange: Exchange, status: int, *, creating: bool, naming: bool) -> NetworkError:
    """The other 4xx: final where the server itself judges what was sent, else passing."""
    detail, said = _detail(exchange), _said(exchange)
    gone = status in GONE
    if creating and (status == HTTPStatus.CONFLICT or _REPEATED_KEY.search(said or "")):
        return InDoubt(detail, status=status)
    if said is None:
        return _foreign(exchange, changing=creating or naming)
    if _NEEDS_USER.search(said):
        return Unauthorised(detail, status=status)
    if status == HTTPStatus.UNPROCESSABLE_ENTITY and _MOVED.search(said):
        return Barred(detail, status=status)
    if not (naming and gone) and status not in _JUDGING:
        return Transient(detail, status=status)
    return Refused(
        detail,
        status=status,
        missing=naming and gone,
        duplicate=creating and _DUPLICATE.search(said) is not None,
    )


def _foreign(exchange: Exchange, *, changing: bool) -> NetworkError:
    """A 4xx that is not the API's: of a proxy, a guard or a wall. It says nothing of any post.

    Yet it may stand in the way of one post alone, whose words a guard does not like.
    """
    return Transient(_detail(exchange), status=exchange.status, unreachable=not changing)


def _forbidden(exchange: Exchange, *, changing: bool) -> NetworkError:
    """403: about the token or the account, where the server says so; seldom about a post alone."""
    said, detail = _said(exchange), _detail(exchange)
    if "insufficient_scope" in exchange.headers.get("www-authenticate", ""):
        return Unauthorised(detail, status=exchange.status)
    if said is None:
        return _foreign(exchange, changing=changing)
    if _SHUT_OUT.search(said):
        hint = "moved, disabled or not confirmed: see the account's settings on its server"
        return Barred(f"{detail} ({hint})", status=exchange.status)
    if changing and _EMPTY.search(said):
        return Refused(detail, status=exchange.status)
    if changing and not _OWNERS_BUSINESS.search(said):
        return Transient(detail, status=exchange.status)
    return Unauthorised(detail, status=exchange.status)


def _said(exchange: Exchange) -> str | None:
    """The server's own account of an error; None where the body is not the API's.

    `error` is a text on most makes and an object on Misskey's kin; Laravel, and so Pixelfed, lists
    the fields beside its `message`.
    """
    body = decoded(exchange)
    if not isinstance(body, Mapping) or claims_html(exchange.headers):
        return None
    inner = mapping_at(body, "error")
    said = text_at(body, "error") or text_at(inner, "message") or text_at(inner, "code")
    if not said and (mapping_at(body, "errors") or text_at(body, "error_description")):
        said = text_at(body, "error_description") or text_at(body, "message")
    return said or None


def _detail(exchange: Exchange) -> str:
    """``HTTP 422: Validation failed: …``, on one line."""
    said = _said(exchange)
    if said is None and exchange.body is not None:
        return f"HTTP {exchange.status}: {_foreign_words(exchange, exchange.body)}"
    line = from_outside(said or "", _LONGEST_DETAIL, exchange.redact)
    return f"HTTP {exchange.status}: {line}" if line else f"HTTP {exchange.status}"


def _foreign_words(exchange: Exchange, body: bytes) -> str:
    return describe_foreign(body, exchange.headers, exchange.redact)


def until(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When a used-up limit opens again (aware UTC), by the later of the two headers that tell.

    ``X-RateLimit-Reset`` is ISO 8601 on Mastodon and GoToSocial, elsewhere epoch seconds or
    seconds to wait; ``Retry-After`` seconds or a date. A point in time is moved by how far the
    server's ``Date`` is from our clock. What is unreadable, past or absurdly far tells nothing.
    """
    skew = timedelta(0)
    if (server_now := _moment(headers.get("date", ""))) is not None:
        skew = now - server_now
    told = []
    for name in ("x-ratelimit-reset", "retry-after"):
        stated = headers.get(name, "").strip()
        try:
            seconds = float(stated)
        except ValueError:
            moment = _moment(stated)
            correction = skew
        else:
            moment = _from_number(seconds, now)
            correction = skew if seconds >= _EPOCH_FROM else timedelta(0)
        if moment is not None:
            told.append(_moved(moment, correction))
    return max((moment for moment in told if now < moment <= now + _LONGEST_WINDOW), default=None)


def _moved(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:
        return moment


def _from_number(seconds: float, now: datetime) -> datetime | None:
    if seconds >= _MILLISECONDS_FROM:
        seconds /= 1000
    try:
        if seconds >= _EPOCH_FROM:
            return datetime.fromtimestamp(seconds, UTC)
        return now + timedelta(seconds=seconds)
    except (ValueError, OverflowError, OSError):
        return None


def _moment(stated: str) -> datetime | None:
    """A date as HTTP or ISO 8601 writes it, in aware UTC."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = read(stated.strip())
            aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return aware.astimezone(UTC)
        except (ValueError, OverflowError, TypeError, IndexError):
            continue
    return None
