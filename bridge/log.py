"""Logging: one line an event, as text or JSON, control characters escaped, secrets redacted.

Must not decide what is worth saying, and must never let a post's text or a token through.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Literal, TextIO

from bridge.core.budget import day_name
from bridge.core.events import (
    BudgetNear,
    Event,
    PartSettled,
    PostDecided,
    RoutePaused,
    RouteResumed,
    SourceRead,
)
from bridge.core.prices import in_dollars
from bridge.core.redaction import Redactor
from bridge.core.secret import Secret

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
LINES_A_WINDOW = 30
LOG_WINDOW = 60.0
"""Seconds in which that many lines of one cause are written."""

_MOST_CAUSES = 1024
_TALKATIVE = (
    "aiohttp",
    "aiomqtt",
    "apscheduler",
    "asyncio",
    "mastodon",
    "mqtt",
    "oauthlib",
    "requests",
    "requests_oauthlib",
    "tweepy",
    "urllib3",
    "websockets",
)
"""Libraries that print headers, signing keys, addresses or bodies when asked for details."""


def redacting(secrets: Iterable[Secret]) -> Redactor:
    """What replaces every one of `secrets`, and longer pieces of them, in a text by stars."""
    return Redactor(secret.reveal() for secret in secrets)


class OneLine(logging.Formatter):
    """Formats a record as one line whatever is in it; tracebacks too, with their lines joined."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", "%Y-%m-%dT%H:%M:%S%z")
        self._redacted = redacting(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """The record as one printable line without secrets."""
        return escaped(self._redacted(super().format(record)))


class OneObject(logging.Formatter):
    """Formats a record as one JSON object on one line; an event adds what `facts` tells of it.

    Keys: ``at`` (ISO 8601, UTC), ``level``, ``logger``, ``message``; ``error`` with a traceback.
    """

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        super().__init__()
        self._redacted = redacting(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of ASCII without secrets."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        row: dict[str, object] = {
            "at": at.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._redacted(record.getMessage()),
        }
        event = getattr(record, "event", None)
        for name, value in facts(event).items() if event is not None else ():
            row[name] = self._redacted(value) if isinstance(value, str) else value
        if record.exc_info:
            row["error"] = self._redacted(self.formatException(record.exc_info))
        return json.dumps(row)


def escaped(text: str) -> str:
    """`text` with everything that could break a line or steer a terminal written out."""
    return _CONTROL.sub(
        lambda match: f"\\u{ord(match[0]):04x}" if match[0] != "\n" else " | ", text
    )


class Bounded(logging.Filter):
    """Lets only so many lines of one cause through, and counts the rest.

    A cause is the place in the code that a line comes from, with the kind of its error: whatever
    can be provoked from outside fills no disk. Events are let through: posts are limited elsewhere.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._windows: OrderedDict[tuple[object, ...], tuple[float, int]] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write `record`; the last one for a while, and the next one, say so."""
        if hasattr(record, "event"):
            return True
        error = record.exc_info[0] if record.exc_info else None
        cause = (record.name, record.levelno, record.pathname, record.lineno, error)
        now = self._monotonic()
        begun, count = self._windows.pop(cause, (now, 0))
        left_out = 0
        if now - begun >= LOG_WINDOW:
            begun, count, left_out = now, 0, max(0, count - LINES_A_WINDOW)
        self._windows[cause] = (begun, count + 1)
        while len(self._windows) > _MOST_CAUSES:
            self._windows.popitem(last=False)
        if left_out:
            _append(record, f"({left_out} more like this were left out before)")
        elif count + 1 == LINES_A_WINDOW:
            _append(record, "(more like this are left out for a minute)")
        return count < LINES_A_WINDOW


def _append(record: logging.LogRecord, words: str) -> None:
    record.msg, record.args = f"{record.getMessage()} {words}", ()


def configure(
    *,
    secrets: Iterable[Secret] = (),
    verbose: bool = False,
    stream: TextIO | None = None,
    form: Literal["text", "json"] = "text",
) -> None:
    """Send all logging to `stream` (standard error by default) through the one formatter.

    Libraries stay at warnings even when `verbose`; see `quiet_libraries`.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(OneObject(secrets) if form == "json" else OneLine(secrets))
    handler.addFilter(Bounded())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("bridge").setLevel(logging.DEBUG if verbose else logging.INFO)
    quiet_libraries()


def quiet_libraries() -> None:
    """Keep the network libraries' own loggers, and all below them, at WARNING or above.

    Call it after logging is configured, whatever level the bridge itself is set to: at lower
    levels these libraries print `Authorization` headers, signing keys and posts.
    """
    known = tuple(logging.root.manager.loggerDict)
    below = tuple(name for name in known if name.startswith(tuple(f"{top}." for top in _TALKATIVE)))
    for name in _TALKATIVE:
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.WARNING))
    for name in below:
        logger = logging.getLogger(name)
        if logger.level:
            logger.setLevel(max(logger.level, logging.WARNING))


def log_event(event: Event) -> None:
    """A listener that writes every event to the log, as `sentence` words it."""
    level = logging.DEBUG if isinstance(event, SourceRead) else logging.INFO
    if isinstance(event, RoutePaused | BudgetNear):
        level = logging.WARNING
    logging.getLogger("bridge.events").log(level, "%s", sentence(event), extra={"event": event})


def facts(event: Event) -> dict[str, object]:
    """What an event says, for programs: its kind, bridge, direction, and post where it has one."""
    row: dict[str, object] = {
        "event": _KINDS[type(event)],
        "bridge": event.route.bridge,
        "direction": event.route.direction.value,
    }
    match event:
        case PostDecided():
            row |= {
                "post": event.source,
                "verdict": event.verdict.action.value,
                "reason": event.verdict.reason.value,
                "parts": event.parts,
                "price_usd": event.price / 1_000_000,
            }
        case PartSettled():
            row |= {
                "post": event.source,
                "part": event.index + 1,
                "state": event.state.value,
                "target": event.target_id,
                "target_url": event.target_url,
                "cost_usd": event.cost / 1_000_000,
            }
        case RoutePaused():
            row["until"] = event.until.isoformat() if event.until else None
        case RouteResumed():
            pass
        case SourceRead():
            row |= {"posts": event.posts, "cost_usd": event.cost / 1_000_000}
    return row


_KINDS: dict[type, str] = {
    PostDecided: "decided",
    PartSettled: "part",
    RoutePaused: "paused",
    RouteResumed: "resumed",
    SourceRead: "read",
    BudgetNear: "budget",
}


def sentence(event: Event) -> str:
    """What happened, to which post, and what it cost, in one line for a person."""
    match event:
        case PostDecided(route=route, source=source, verdict=verdict, parts=parts, price=price):
            plan = f", {parts} part(s) for {in_dollars(price)}" if parts else ""
            return f"{route} {source}: {verdict.action.value}, {verdict.sentence}{plan}"
        case PartSettled(route=route, source=source, index=index, state=state):
            where = f" as {event.target_url or event.target_id}" if event.target_id else ""
            cost = f" for {in_dollars(event.cost)}" if event.target_id else ""
            why = f": {event.detail}" if event.detail else ""
            return f"{route} {source}: part {index + 1} {state.value}{where}{cost}{why}"
        case RoutePaused(route=route, until=until, detail=detail):
            when = f" until {until:%Y-%m-%d %H:%M:%S} UTC" if until else ""
            return f"{route} waits{when}: {detail}"
        case RouteResumed(route=route):
            return f"{route} works again"
        case SourceRead(route=route, posts=posts, cost=cost):
            return f"{route} read {posts} post(s) for {in_dollars(cost)}"
        case BudgetNear(route=route, spent=spent, budget=budget, until=until):
            return (
                f"{route.bridge}: {in_dollars(spent)} of this month's budget of "
                f"{in_dollars(budget)} is spent; once it is used up, posts to X wait until "
                f"{day_name(until)}. What it went to: twinpost costs; to have more: "
                "x.budget.usd_per_month"
            )
