"""From X's failures, in any of their shapes, to the five kinds the engine knows.

X's own texts, types and codes are matched here and nowhere else. Sources: the error table of
docs.x.com, the problem types of the OpenAPI documents, bodies quoted in public reports, and the v1
codes that still turn up. Must not do I/O.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from bridge.core.budget import day_name
from bridge.core.errors import (
    Barred,
    InDoubt,
    NetworkError,
    Refused,
    Throttled,
    Transient,
    Unauthorised,
    Unpaid,
)
from bridge.core.redaction import Redactor
from bridge.networks.fields import mapping_at, mappings_at, number_at, text_at
from bridge.networks.outside import describe_foreign, from_outside

_LONGEST_DETAIL = 300
_WINDOW = timedelta(minutes=16)
"""X's windows are 15 minutes; a reset further away than this is a day's, or wrong."""
_DAY = timedelta(days=1)
_EPOCH_DIGITS = 11

_MONEY_KINDS = frozenset({"credits", "credits-depleted"})
_MONEY_TITLES = frozenset({"creditsdepleted", "spendcapreached", "payment required"})
_CAP_WORDS = re.compile(r"spendcap|spend(?:ing)? (?:cap|limit)", re.IGNORECASE)
_CREDIT_WORDS = re.compile(r"credits? depleted|not have any credits", re.IGNORECASE)
_CONSOLE = "in X's developer console"
_SITE = "x.com"
_OWNER_KINDS = frozenset(
    {
        "client-forbidden",
        "oauth1-permissions",
        "unsupported-authentication",
    }
)
_OWNER_CODES = frozenset({32, 89, 99, 135, 215, 220, 261})
"""v1 codes for bad keys, a wrong clock, missing app permissions."""
_PLAN_CODE = 453
_PLAN_WORDS = re.compile(r"not enrolled|subset of (?:x|twitter) api", re.IGNORECASE)
_LIMIT_CODES = frozenset({88, 185})
_MISSING_CODES = frozenset({144})
_NOT_FOUND = "resource-not-found"
_POSTS = frozenset({"", "tweet", "post"})
_TOO_LONG_CODE = 186
_DUPLICATE_CODES = frozenset({187, 327})
"""The same text again; the same repost again."""
_NOT_PERMITTED = "not permitted to perform"
_JUDGING = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
"""The statuses with which X judges what was sent; every other one tells of X, or of what is in
front of it."""

_INVALID = "invalid-request"
_CONTENT_CODES = frozenset({44, 183, 323, 324, 325, 328, 386, 407, 433})
"""v1 codes for an attachment, an address, an audience or an author that will never do."""

_CONTENT_WORDS = re.compile(
    r"media ids? (?:are|is) (?:invalid|not valid)|(?:invalid|unsupported) media|media type"
    r"|video longer than|file (?:size|type)|segment may have|number of allowed"
    r"|reply to this conversation is not allowed|restricted who can reply"
    r"|posts? with (?:@?mentions|more than one cashtag)|cashtags?\b"
    r"|not (?:authorized|allowed) to delete|(?:edited|edit) (?:this|a) (?:tweet|post)"
    r"|not eligible (?:for editing|to be edited)|link (?:has been|was) identified|not permissible",
    re.IGNORECASE,
)
"""X's words about this very post or file: the only refusals that no later try can turn."""

_MEDIA_WORDS = re.compile(r"\bmedia[ _.]?ids?\b", re.IGNORECASE)
"""``Your media IDs are invalid.``, or the name of the parameter."""

_OWNER_WORDS = re.compile(r"app permissions", re.IGNORECASE)
_BARRED_WORDS = re.compile(r"\b(?:suspended|temporarily locked|deactivated)\b", re.IGNORECASE)
_BARRED_CODES = frozenset({63, 64, 326})
_MISSING_WORDS = re.compile(r"could not find (?:tweet|post)", re.IGNORECASE)
_DUPLICATE_WORDS = re.compile(r"duplicate content|already (?:retweeted|reposted)", re.IGNORECASE)
_DATE = re.compile(r"\b(\d{4}-\d{2}-\d{2})(?!\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Problem:
    """An error body, read leniently. `kind` is the last path segment of its type, lower case.

    `resource` is the kind of thing that it is about (``tweet``, ``user``), where it says so, and
    `parameters` are the names of those that it finds wrong.
    """

    title: str = ""
    words: str = ""
    kind: str = ""
    resource: str = ""
    reason: str = ""
    reset: datetime | None = None
    daily: bool = False
    codes: frozenset[int] = frozenset()
    parameters: str = ""

    def __bool__(self) -> bool:
        """Whether the body states anything at all in one of the forms that X uses."""
        return bool(self.title or self.words or self.kind or self.codes)


def read_problem(body: bytes) -> Problem:
    """The problem that a body states; an empty one where it is no JSON object. Never raises."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return Problem()
    return problem_of(parsed) if isinstance(parsed, Mapping) else Problem()


def problem_of(data: Mapping[str, object]) -> Problem:
    """The problem in an answer's object: at its top, or as the first entry of `errors`."""
    listed = mappings_at(data, "errors")
    first = next((each for each in listed if text_at(each, "type") or text_at(each, "title")), {})
    stated = data if text_at(data, "title") or text_at(data, "type") else first
    details = [text_at(stated, "detail") or text_at(stated, "title")]
    # OAuth's own errors say `error` and `error_description`; v1's, `errors[].message`.
    details += [text_at(data, "error_description") or text_at(data, "error")]
    details += [text_at(each, "message") for each in listed]
    words = "; ".join(dict.fromkeys(each for each in details if each))
    return Problem(
        title=text_at(stated, "title").strip().lower(),
        words=words,
        kind=_kind(stated),
        resource=text_at(stated, "resource_type").lower(),
        reason=text_at(stated, "reason").lower(),
        reset=_reset_date(text_at(stated, "reset_date")) or _reset_date(_after_begins(words)),
        daily=text_at(stated, "period").lower() == "daily",
        codes=frozenset(code for each in listed if (code := number_at(each, "code")) is not None),
        parameters=" ".join(name for each in listed for name in mapping_at(each, "parameters")),
    )


def says_gone(payload: Mapping[str, object], post: str) -> bool:
    """Whether an answer states, of this very post, that X has none of that id.

    Other things that an answer cannot find (a parent, an account) are stated in the same form.
    """
    for each in mappings_at(payload, "errors"):
        about = text_at(each, "resource_type").lower()
        named = text_at(each, "resource_id") or text_at(each, "value")
        if _kind(each) == _NOT_FOUND and about in _POSTS and named in {"", post}:
            return True
    return False


def _kind(problem: Mapping[str, object]) -> str:
    return text_at(problem, "type").rstrip("/").rpartition("/")[2].lower()


def failure(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: datetime,
    writing: bool,
    redact: Redactor,
    of_file: bool = False,
) -> NetworkError:
    """The error that an answer outside 2xx stands for. `now` is aware UTC.

    `writing` says that the request may have created something: then a server's failure leaves that
    open. `of_file` says that it is about one file, which nothing but X's words can be about. Only
    X's own word about what was sent is `Refused`; whatever else stands in the way of it may pass,
    a 404 included, as X's incidents answer so. `redact` knows what the request held.
    """
    problem = read_problem(body)
    detail = describe(status, problem, redact)
    if not problem:
        detail = f"HTTP {status}: {describe_foreign(body, headers, redact)}"
    if status < HTTPStatus.BAD_REQUEST:
        return Transient(f"{detail}: redirects are not followed", status=status, unreachable=True)
    broken = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if writing and (broken or status == HTTPStatus.REQUEST_TIMEOUT):
        return InDoubt(detail, status=status)
    if broken:
        # From 502 on it is the way to the server, or the server as a whole, that is out of order.
        unreachable = status > HTTPStatus.NOT_IMPLEMENTED
        return Transient(detail, status=status, unreachable=unreachable)
    return (
        _money(status, problem, detail)
        or _limit(status, problem, headers, detail, now)
        or _owner(status, problem, detail, writing=writing)
        or _refusal(status, problem, detail, writing=writing, of_file=of_file)
    )


def describe(status: int, problem: Problem, redact: Redactor) -> str:
    """``"HTTP 403: Forbidden"``: one line, bounded, without control characters and secrets."""
    words = from_outside(problem.words, _LONGEST_DETAIL, redact) or from_outside(
        problem.title, _LONGEST_DETAIL, redact
    )
    return f"HTTP {status}: {words}" if words else f"HTTP {status}"


def _money(status: int, problem: Problem, detail: str) -> NetworkError | None:
    """Money is wanted, or a plan that takes in what was asked for: no login helps."""
    stated = problem.kind in _MONEY_KINDS or problem.title in _MONEY_TITLES
    told = f"{problem.title} {problem.words}"
    capped = _CAP_WORDS.search(told) is not None
    if status == HTTPStatus.FORBIDDEN:
        stated = stated or capped or _CREDIT_WORDS.search(told) is not None
    capped = capped or problem.reset is not None
    if status == HTTPStatus.PAYMENT_REQUIRED or stated:
        hint = f"the app has no credits: buy some {_CONSOLE}"
        if capped:
            wait = "" if problem.reset is None else f" until {day_name(problem.reset)}"
            hint = f"the app's spend cap is reached: raise it {_CONSOLE}, or wait{wait}"
        return Unpaid(f"{detail} ({hint})", status=status, until=problem.reset)
    plan = problem.reason == "client-not-enrolled" or _PLAN_CODE in problem.codes
    if plan or _PLAN_WORDS.search(problem.words) is not None:
        hint = f"add the app to the pay-per-use project {_CONSOLE}"
        return Unpaid(f"{detail} ({hint})", status=status)
    return None


def _limit(
    status: int, problem: Problem, headers: Mapping[str, str], detail: str, now: datetime
) -> NetworkError | None:
    if problem.kind == "usage-capped" or problem.title == "usagecapexceeded":
        if not problem.daily:
            hint = f"the month's usage cap is reached: raise it {_CONSOLE}"
            return Unpaid(f"{detail} ({hint})", status=status, until=problem.reset)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY
        return Throttled(f"{detail} (the day's usage cap)", status=status, until=midnight)
    over = status == HTTPStatus.TOO_MANY_REQUESTS or bool(problem.codes & _LIMIT_CODES)
    # X's word for a day's posts being used up is the same as for many other things.
    not_permitted = status == HTTPStatus.FORBIDDEN and _NOT_PERMITTED in problem.words.lower()
    if over or (not_permitted and _day_resets(headers, now)):
        return Throttled(detail, status=status, until=opens_again(headers, now))
    return None


def _owner(status: int, problem: Problem, detail: str, *, writing: bool) -> NetworkError | None:
    """What only the owner can mend; a read of the own timeline that is forbidden is such, too."""
    if problem.codes & _BARRED_CODES or _BARRED_WORDS.search(problem.words) is not None:
        hint = f"X has shut this account out: see what it asks for at {_SITE}"
        return Barred(f"{detail} ({hint})", status=status)
    mends = (
        status == HTTPStatus.UNAUTHORIZED
        or problem.kind in _OWNER_KINDS
        or bool(problem.codes & _OWNER_CODES)
        or _OWNER_WORDS.search(problem.words) is not None
        or (status == HTTPStatus.FORBIDDEN and not writing and bool(problem))
    )
    if not mends:
        return None
    if status == HTTPStatus.UNAUTHORIZED:
        detail = f"{detail} (X does not accept the credentials: twinpost login x)"
    return Unauthorised(detail, status=status)


def _refusal(
    status: int, problem: Problem, detail: str, *, writing: bool, of_file: bool
) -> NetworkError:
    """The other 4xx: final where X judges what was sent or names what it has not, else passing."""
    words = problem.words.lower()
    missing = (
        bool(problem.codes & _MISSING_CODES)
        or _MISSING_WORDS.search(words) is not None
        or (problem.kind == _NOT_FOUND and problem.resource in _POSTS - {""})
    )
    too_long = "too long" in words or _TOO_LONG_CODE in problem.codes
    duplicate = _DUPLICATE_WORDS.search(words) is not None or bool(problem.codes & _DUPLICATE_CODES)
    judged = (
        too_long
        or duplicate
        or _INVALID in {problem.kind, problem.title.replace(" ", "-")}
        or bool(problem.codes & _CONTENT_CODES)
        or _CONTENT_WORDS.search(words) is not None
        or (bool(problem) and (of_file or not writing))
    )
    if missing or (judged and status in _JUDGING):
        return Refused(
            detail,
            status=status,
            media=_MEDIA_WORDS.search(f"{problem.words} {problem.parameters}") is not None,
            missing=missing,
            too_long=too_long,
            duplicate=duplicate,
        )
    # What is no answer of X's to a question concerns every question; to a post, maybe that one.
    return Transient(detail, status=status, unreachable=not (writing or problem))


def opens_again(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When a used-up limit opens, by the headers of its answer; None where they do not say.

    Reset times are epoch seconds. A day's limit counts where its remainder is 0. Whatever lies in
    the past says nothing, and nothing is believed beyond a day.
    """
    told = [reset_told(headers.get("x-rate-limit-reset"), headers, now, _WINDOW)]
    told += _day_resets(headers, now)
    known = [each for each in told if each is not None]
    if known:
        return max(known)
    after = headers.get("retry-after", "").strip()
    if after.isascii() and after.isdigit():
        return now + min(timedelta(seconds=int(after[:9])), _DAY)
    return None


def _day_resets(headers: Mapping[str, str], now: datetime) -> list[datetime | None]:
    """The resets of the 24-hour limits that are used up."""
    used_up = [
        headers.get(f"{limit}-reset")
        for limit in ("x-user-limit-24hour", "x-app-limit-24hour")
        if headers.get(f"{limit}-remaining", "").strip() == "0"
    ]
    return [reset_told(each, headers, now, _DAY) for each in used_up]


def reset_told(
    stated: str | None, headers: Mapping[str, str], now: datetime, usual: timedelta
) -> datetime | None:
    """The time that an epoch-seconds header means.

    Where our clock makes nonsense of it, the distance from the server's own `Date` may make sense.
    """
    epoch = (stated or "").strip()
    if not (epoch.isascii() and epoch.isdigit() and len(epoch) <= _EPOCH_DIGITS):
        return None
    wait = int(epoch) - now.timestamp()
    try:
        by_server = int(epoch) - parsedate_to_datetime(headers.get("date", "")).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        by_server = 0.0
    limit = usual.total_seconds()
    if not 0 < wait <= limit and 0 < by_server <= limit:
        wait = by_server
    return now + timedelta(seconds=min(wait, _DAY.total_seconds())) if wait > 0 else None


def _after_begins(words: str) -> str:
    """The date of ``"until the next cycle begins on 2026-12-01."``."""
    _, found, rest = words.partition("begins on ")
    return rest if found else ""


def _reset_date(stated: str) -> datetime | None:
    found = _DATE.search(stated)
    try:
        return datetime.fromisoformat(found[1]).replace(tzinfo=UTC) if found else None
    except ValueError:
        return None
