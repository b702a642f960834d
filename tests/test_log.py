"""The log: one line an event, nothing that steers a terminal, no secrets, no texts.

Bars of docs/reliability.md: S3, S10.
"""

import io
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from bridge import log
from bridge.core.delivery import PartState
from bridge.core.events import (
    Event,
    PartSettled,
    PostDecided,
    RoutePaused,
    RouteResumed,
    SourceRead,
)
from bridge.core.model import BridgeName, Direction, PostId, Route
from bridge.core.prices import FREE
from bridge.core.secret import Secret
from bridge.core.verdict import Action, Reason, Verdict

TOKEN = "tok-abcdef-123456"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    made = io.StringIO()
    log.configure(secrets=[Secret(TOKEN)], stream=made)
    yield made
    root.handlers, root.level = before


@pytest.mark.parametrize("hostile", ["a\nb", "a\rb", "\x1b[2J", "\u2028", "\u202egnp.exe", "\x00"])
def test_one_event_is_one_line_whatever_is_in_it(stream: io.StringIO, hostile: str) -> None:
    logging.getLogger("bridge.test").warning("name: %s", hostile)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 1
    assert hostile not in lines[0]
    assert lines[0].isprintable()


def test_a_traceback_is_one_line_too(stream: io.StringIO) -> None:
    try:
        raise RuntimeError(f"boom {TOKEN}")
    except RuntimeError:
        logging.getLogger("bridge.test").exception("it broke")
    assert len(stream.getvalue().splitlines()) == 1
    assert "RuntimeError" in stream.getvalue()


def test_promise_6_no_spill_a_secret_is_starred_out_wherever_it_turns_up(
    stream: io.StringIO,
) -> None:
    logging.getLogger("bridge.test").error("header was Bearer %s", TOKEN)
    try:
        raise RuntimeError(f"boom {TOKEN}")
    except RuntimeError:
        logging.getLogger("bridge.test").exception("it broke")
    assert TOKEN not in stream.getvalue()
    assert "***" in stream.getvalue()


@pytest.mark.parametrize("library", ["tweepy", "urllib3", "requests_oauthlib", "aiohttp.access"])
def test_libraries_stay_quiet_even_when_we_are_not(stream: io.StringIO, library: str) -> None:
    log.configure(secrets=[], verbose=True, stream=stream)
    logging.getLogger(library).debug("Authorization: something")
    assert stream.getvalue() == ""


@pytest.fixture
def rows() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    made = io.StringIO()
    log.configure(secrets=[Secret(TOKEN)], stream=made, form="json", verbose=True)
    yield lambda: [json.loads(line) for line in made.getvalue().splitlines()]
    root.handlers, root.level = before


ROUTE = Route(BridgeName("personal"), Direction.X_TO_MASTODON)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
EVENTS: list[Event] = [
    PostDecided(NOW, ROUTE, PostId("1"), None, Verdict(Action.MIRROR, Reason.ALLOWED), 1, FREE),
    PartSettled(NOW, ROUTE, PostId("1"), 0, PartState.HELD, None, None, FREE, "lost"),
    RoutePaused(NOW, ROUTE, NOW, "reading x: HTTP 503"),
    RouteResumed(NOW, ROUTE),
    SourceRead(NOW, ROUTE, 3, FREE),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_as_json_an_event_is_one_object_with_bridge_and_post(
    rows: Callable[[], list[dict[str, Any]]], event: Event
) -> None:
    log.log_event(event)
    (row,) = rows()
    assert row["message"] == log.sentence(event)
    assert (row["bridge"], row["direction"]) == ("personal", "x_to_mastodon")
    assert row.get("post") == getattr(event, "source", None)
    assert row["at"].endswith("Z")
    assert row["level"] in {"debug", "info", "warning"}


def test_as_json_hostile_text_is_one_line_and_secrets_are_stars(
    rows: Callable[[], list[dict[str, Any]]],
) -> None:
    try:
        raise RuntimeError(f"boom {TOKEN}")
    except RuntimeError:
        logging.getLogger("bridge.test").exception("a\nb \u2028 \x1b[2J %s", TOKEN)
    (row,) = rows()
    assert row["message"] == "a\nb \u2028 \x1b[2J ***"
    assert row["error"].endswith("RuntimeError: boom ***")


def test_a_secret_prints_stars() -> None:
    assert TOKEN not in f"{Secret(TOKEN)} {Secret(TOKEN)!r} {[Secret(TOKEN)]}"
