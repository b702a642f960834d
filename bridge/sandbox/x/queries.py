"""Query parameters as X checks them: bounds, patterns, and no names it does not know.

Names of fields and expansions are not checked here: unknown ones are ignored in silence.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from bridge.sandbox.x.posts import first_id_at
from bridge.sandbox.x.problems import Problems

_FIELDS = (
    "expansions",
    "media.fields",
    "place.fields",
    "poll.fields",
    "post.fields",
    "tweet.fields",
    "user.fields",
)
_TIMELINE = (
    "end_time",
    "exclude",
    "max_results",
    "pagination_token",
    "since_id",
    "start_time",
    "until_id",
    *_FIELDS,
)
_ID = re.compile(r"[0-9]{1,19}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
_DEFAULT_RESULTS = 10
_FEWEST, _MOST = 5, 100
_MOST_IDS = 100
_TOKEN_PREFIX = b"older:"


@dataclass(frozen=True, slots=True)
class TimelineQuery:
    """Which posts of a timeline: ids strictly between `since` and `until`."""

    since: int | None
    until: int | None
    max_results: int
    without_replies: bool
    without_reposts: bool


def known_only(request: web.Request, problems: Problems, *more: str) -> dict[str, str]:
    """The query, or a 400 for a name that no lookup has. `more` are names beside the fields."""
    return _known(request, problems, (*more, *_FIELDS))


def timeline_query(request: web.Request, problems: Problems) -> TimelineQuery:
    """The paging of ``GET /2/users/:id/tweets``. Raises a 400 `Refusal`."""
    query = _known(request, problems, _TIMELINE)
    since, until = _id(query, "since_id", problems), _id(query, "until_id", problems)
    start, end = _time(query, "start_time", problems), _time(query, "end_time", problems)
    if start is not None:
        since = max(since or 0, start - 1)
    if end is not None:
        until = end if until is None else min(until, end)
    if "pagination_token" in query:
        older_than = _from_token(query["pagination_token"])
        if older_than is None:
            raise problems.invalid(
                "The `pagination_token` query parameter value "
                f"[{query['pagination_token']}] is not valid",
                "pagination_token",
                query["pagination_token"],
            )
        until = older_than if until is None else min(until, older_than)
    excluded = set(query["exclude"].split(",")) if "exclude" in query else set()
    for name in excluded - {"replies", "retweets"}:
        raise problems.invalid(
            f"The `exclude` query parameter value [{name}] is not one of [replies,retweets]",
            "exclude",
            name,
        )
    return TimelineQuery(
        since, until, _results(query, problems), "replies" in excluded, "retweets" in excluded
    )


def asked_ids(query: Mapping[str, str], problems: Problems) -> list[str]:
    """The `ids` of a lookup, without repetition. Raises a 400 `Refusal`."""
    ids = list(dict.fromkeys(query.get("ids", "").split(",")))
    if ids == [""]:
        raise problems.invalid("The `ids` query parameter can not be empty", "ids", "")
    for one in ids:
        checked_id(one, "ids", problems)
    if len(ids) > _MOST_IDS:
        message = f"size must be between 1 and {_MOST_IDS}"
        raise problems.invalid(
            f"The number of values in the `ids` query parameter list [{len(ids)}] is not between "
            f"1 and {_MOST_IDS}: {message}",
            "ids",
            query["ids"],
        )
    return ids


def checked_id(value: str, parameter: str, problems: Problems) -> str:
    """`value` if it has the form of an id. Raises a 400 `Refusal` otherwise."""
    if not _ID.fullmatch(value):
        raise problems.invalid(
            f"The `{parameter}` query parameter value [{value}] is not valid", parameter, value
        )
    return value


def page_token(oldest_id: str) -> str:
    """The token of the page after the one that ends with `oldest_id`."""
    return base64.b32encode(_TOKEN_PREFIX + oldest_id.encode()).decode().rstrip("=").lower()


def _from_token(token: str) -> int | None:
    padded = token.upper() + "=" * (-len(token) % 8)
    try:
        decoded = base64.b32decode(padded)
    except (binascii.Error, ValueError):
        return None
    number = decoded.removeprefix(_TOKEN_PREFIX)
    return int(number) if number != decoded and number.isdigit() else None


def _known(request: web.Request, problems: Problems, names: tuple[str, ...]) -> dict[str, str]:
    query: dict[str, str] = {}
    for name, value in request.query.items():
        if name.startswith("oauth_"):
            continue
        if name not in names:
            raise problems.invalid(
                f"The query parameter [{name}] is not one of [{','.join(names)}]", name, value
            )
        query[name] = value
    return query


def _results(query: Mapping[str, str], problems: Problems) -> int:
    value = query.get("max_results", str(_DEFAULT_RESULTS))
    if not value.isascii() or not value.isdigit() or not _FEWEST <= int(value[:9]) <= _MOST:
        raise problems.invalid(
            f"The `max_results` query parameter value [{value}] is not between {_FEWEST} and "
            f"{_MOST}",
            "max_results",
            value,
        )
    return int(value)


def _id(query: Mapping[str, str], parameter: str, problems: Problems) -> int | None:
    if parameter not in query:
        return None
    return int(checked_id(query[parameter], parameter, problems))


def _time(query: Mapping[str, str], parameter: str, problems: Problems) -> int | None:
    if parameter not in query:
        return None
    value = query[parameter]
    try:
        # A form that X does not take is made one that Python does not take either.
        moment = datetime.fromisoformat(value if _TIME.fullmatch(value) else "")
        return first_id_at(moment.astimezone(UTC))
    except (ValueError, OverflowError):
        raise problems.invalid(
            f"The `{parameter}` query parameter value [{value}] is not a valid RFC3339 date-time "
            "from 2010-11-06T00:00:00Z on",
            parameter,
            value,
        ) from None
