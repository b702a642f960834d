"""What is said on a broker: topics that cannot be broken out of, and orders that do no harm."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.events import BudgetNear, PostDecided, RoutePaused, SourceRead
from bridge.core.model import BridgeName, Direction, Microdollars, PostId, Route
from bridge.core.prices import FREE
from bridge.core.verdict import Action, Reason, Verdict
from bridge.surfaces.mqtt.orders import LARGEST, Unheard, order
from bridge.surfaces.mqtt.sayings import Kind, wording
from bridge.surfaces.mqtt.topics import Topics, identifier, level

ROUTE = Route(BridgeName("personal"), Direction.X_TO_MASTODON)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@given(st.text(max_size=300))
def test_whatever_a_name_holds_it_is_one_level_of_plain_signs(name: str) -> None:
    one = level(name)
    assert one
    assert one.isascii()
    assert one.isprintable()
    assert not set(one) & set("+#/$ ")
    assert len(Topics("twinpost").event(name)) < 3000


@pytest.mark.parametrize("name", ["a/b", "a+", "#", "$SYS", "a\nb", "a\x00", "a\u2028b", "", " "])
def test_a_hostile_name_reaches_no_other_topic(name: str) -> None:
    assert Topics("t").state(name).count("/") == 2
    assert Topics("t").state(name).startswith("t/")
    assert Topics("t").state(name).endswith("/state")


@given(st.text(max_size=50), st.text(max_size=50))
def test_ids_are_what_home_assistant_takes_and_never_the_same(one: str, other: str) -> None:
    assert identifier(one).replace("_", "").replace("-", "").isalnum() or identifier(one)
    assert set(identifier(one)) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
    )
    assert (identifier(one) == identifier(other)) is (one == other)


def decided(action: Action, reason: Reason) -> PostDecided:
    return PostDecided(
        NOW, ROUTE, PostId("1"), "https://x.com/a/1", Verdict(action, reason), 1, FREE
    )


def test_a_skipped_post_is_said_with_its_reason() -> None:
    said = wording(decided(Action.SKIP, Reason.REPLY))
    assert said is not None
    assert (said["event"], said["reason"], said["post"]) == ("skipped", "reply", "1")
    assert (said["bridge"], said["direction"]) == ("personal", "x_to_mastodon")
    assert said["at"] == "2026-11-22T12:00:00Z"


def test_what_is_no_news_outside_is_not_said() -> None:
    assert wording(decided(Action.SKIP, Reason.ECHO)) is None
    assert wording(decided(Action.MIRROR, Reason.ALLOWED)) is None
    assert wording(SourceRead(NOW, ROUTE, 3, FREE)) is None


def test_a_pause_says_until_when_and_no_detail_is_endless() -> None:
    said = wording(RoutePaused(NOW, ROUTE, NOW, "reading x: " + "a" * 10_000))
    assert said is not None
    assert said["event"] == "paused"
    assert said["until"] == "2026-11-22T12:00:00Z"
    assert len(json.dumps(said)) < 1000


def test_a_budget_that_is_nearly_spent_is_said_in_dollars() -> None:
    spent, budget = Microdollars(4_000_000), Microdollars(5_000_000)
    said = wording(BudgetNear(NOW, ROUTE, spent, budget, NOW))
    assert said is not None
    assert (said["event"], said["spent_usd"], said["budget_usd"]) == ("budget", 4.0, 5.0)


@pytest.mark.parametrize("word", ["pause", "resume", "sync-now"])
def test_three_words_are_orders(word: str) -> None:
    asked = {"do": word, "bridge": "personal", "direction": None}
    assert order(word.encode(), retained=False, bridge="personal") == asked
    one_way = json.dumps({"do": word, "direction": "x_to_mastodon"}).encode()
    assert order(one_way, retained=False, bridge="personal") == asked | {
        "direction": "x_to_mastodon"
    }


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"PAUSE NOW",
        b"drop",
        b"retry",
        b"resolve",
        b"release",
        b"\xff\xfe",
        b'{"do": "drop", "post": "1"}',
        b'{"do": "pause", "bridge": "other"}',
        b'{"do": "pause", "direction": "sideways"}',
        b'{"do": ["pause"]}',
        b'{"do": null}',
        b"{" * 500,
        b'["pause"]',
        b" " * LARGEST + b"pause",
        b"pause" * 200_000,
    ],
    ids=lambda payload: payload[:24],
)
def test_everything_else_is_not_obeyed(payload: bytes) -> None:
    with pytest.raises(Unheard):
        order(payload, retained=False, bridge="personal")


def test_what_was_retained_is_not_obeyed() -> None:
    with pytest.raises(Unheard, match="retained"):
        order(b"pause", retained=True, bridge="personal")


def test_the_document_names_every_event_and_no_other() -> None:
    page = (Path(__file__).parents[2] / "docs" / "mqtt.md").read_text(encoding="utf-8")
    table = page.split("| event |")[1].split("\n\n")[0]
    named = [
        name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])
    ]
    assert sorted(named) == sorted(Kind)
