"""How long a text is by X's, Mastodon's and other servers' rules."""

import json
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.capabilities import Counting
from bridge.core.graphemes import graphemes
from bridge.core.lengths import (
    mastodon_length,
    measure_for,
    x_length,
    x_valid,
)

HERE = Path(__file__).parent


def _figures(name: str) -> Any:
    return json.loads((HERE / name).read_text(encoding="utf-8"))


def test_x_counts_as_its_reference_library_does() -> None:
    for recorded in _figures("x_figures.json")["equal"]:
        assert x_length(recorded["text"]) == recorded["length"]
        assert x_valid(recorded["text"]) is recorded["valid"]


def test_a_top_level_domain_that_the_library_does_not_know_only_ever_counts_more() -> None:
    figures = _figures("x_figures.json")["longer_here"]
    assert figures
    for recorded in figures:
        assert x_length(recorded["text"]) > recorded["length"]


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("hello", 5),
        ("e\u0301", 1),
        ("日本", 4),
        ("\r\n", 2),
        ("’“–—′", 5),
        ("…•→€™⁄", 12),
        ("\u2060", 2),
        ("\u200b", 1),
        ("việt", 5),
        ("http://a.co", 23),
        ("https://example.com/" + "a" * 300, 23),
        ("README.md", 23),
        ("README\u2060.md", 11),
        ("@bob@mastodon.social", 20),
    ],
)
def test_weights(text: str, length: int) -> None:
    assert x_length(text) == length


@pytest.mark.parametrize(
    ("emoji", "length"),
    [
        ("👍", 2),
        ("👍🏽", 2),
        ("👨‍👩‍👧‍👦", 2),
        ("🏳️‍🌈", 2),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", 2),
        ("🇩🇪", 2),
        ("1️⃣", 2),
        ("1⃣", 2),
        ("⌚️", 2),
        ("☝️🏽", 2),
        ("©", 1),
        ("©️", 2),
        ("👁️‍🗨️", 5),
        ("♾️", 4),
        ("🫱🏽‍🫲🏿", 9),
        ("🏳‍🌈", 5),
    ],
)
def test_an_emoji_counts_two_where_the_library_knows_it(emoji: str, length: int) -> None:
    assert x_length(emoji) == length


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("https://a.kids", 23),
        ("https://example.kids/" + "a" * 20, 41),
        ("a.kids", 23),
        ("https://a.brandnew", 23),
        ("https://example.brandnew/" + "a" * 20, 45),
        ("https://foo.fiat/" + "a" * 20, 37),
        ("node.js", 7),
        ("http://localhost", 16),
    ],
)
def test_a_doubtful_top_level_domain_counts_the_longer_way(text: str, length: int) -> None:
    assert x_length(text) == length


def test_what_x_refuses() -> None:
    assert x_valid("a" * 280)
    assert not x_valid("a" * 281)
    assert x_valid("日" * 140)
    assert not x_valid("日" * 141)
    assert x_valid("a" * 300, limit=25_000)
    assert not x_valid("")
    for forbidden in "\ufeff\ufffe\uffff\ud800":
        assert not x_valid(f"a{forbidden}")


@pytest.mark.parametrize(
    ("text", "warning", "length"),
    [
        ("a" * 520, "", 520),
        ("", "a" * 520, 520),
        ("a" * 251, "a" * 250, 501),
        ("a" * 476 + " http://" + "b" * 30 + ".com/example", "", 500),
        ("a" * 476 + "http://" + "b" * 30 + ".com/example", "", 525),
        ("http://example.com/valid?" + "#foo?" * 1000, "", 5025),
        ("a" * 475 + " @alice@" + "b" * 30 + ".com", "", 482),
        ("@alice@" + "b" * 500 + ".com", "", 511),
        ("@alice@example", "", 6),
        ("✨" * 500, "", 500),
        ("🏳️‍⚧️" * 500, "", 500),
        ("a", "http://a.com", 13),
        (" \n a \n", " b ", 2),
        ("\u3000", "", 0),
        ("क्षत्रिय", "", 5),
        ("स्त्री", "", 3),
        ("👍🏽👨‍👩‍👧‍👦", "", 2),
    ],
)
def test_mastodons_count(text: str, warning: str, length: int) -> None:
    assert mastodon_length(text, warning) == length


def test_mastodon_counts_as_its_validator_does() -> None:
    for recorded in _figures("mastodon_figures.json"):
        assert mastodon_length(recorded["text"], recorded["warning"]) == recorded["length"]


LINK = "https://example.com/" + "a" * 30


@pytest.mark.parametrize(
    ("counting", "length"),
    [("mastodon", 25), ("gotosocial", 53), ("pleroma", 52), ("unknown", 53)],
)
def test_other_servers_count_links_in_full(counting: Counting, length: int) -> None:
    assert mastodon_length(f"{LINK} 👍🏽", counting=counting) == length


def test_gotosocial_and_pleroma_count_the_warning_too() -> None:
    assert mastodon_length("👍🏽", "ab", counting="gotosocial") == 4
    assert mastodon_length("👍🏽", "ab", counting="pleroma") == 3


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40), st.text(max_size=10))
def test_an_unknown_server_is_counted_for_as_the_strictest(text: str, warning: str) -> None:
    unknown = mastodon_length(text, warning, counting="unknown")
    assert unknown >= mastodon_length(text, warning)
    assert unknown >= mastodon_length(text, warning, counting="gotosocial")
    assert unknown >= mastodon_length(text, warning, counting="pleroma")


def test_a_short_link_counts_for_an_unknown_server_as_mastodon_counts_it() -> None:
    assert mastodon_length("http://a.co", counting="unknown") == 23


def test_every_way_of_counting_has_its_measure() -> None:
    assert measure_for("x")("日本") == 4
    assert measure_for("mastodon")("日本 http://a.co") == 26
    assert measure_for("gotosocial")("👍🏽") == 2
    with pytest.raises(ValueError, match="x_length"):
        mastodon_length("a", counting="x")


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("a\u0301👨\u200d👩🇩🇪क\u094d\r\n가ᄀ"), max_size=30))
def test_graphemes_are_the_text(text: str) -> None:
    clusters = graphemes(text)
    assert "".join(clusters) == text
    assert all(clusters)


@pytest.mark.parametrize("count", range(12))
def test_flags_pair_up_however_long_their_row(count: int) -> None:
    row = "\U0001f1e9" * count
    assert [len(g) for g in graphemes(f"a{row}b")[1:-1]] == [2] * (count // 2) + [1] * (count % 2)


HOSTILE = [
    "a.",
    "@",
    "\u0301",
    "\U0001f1e6",
    "👨\u200d",
    "क\u094d",
    "http://a.co ",
    "日",
    "1\ufe0f",
]


@pytest.mark.parametrize("piece", [*HOSTILE, "http://日本.", "a@b.", "(", "a.kids ", "\r\n"])
def test_counting_takes_linear_time(piece: str) -> None:
    def seconds(length: int) -> float:
        text = (piece * length)[:length]
        started = process_time()
        x_length(text)
        mastodon_length(text)
        return process_time() - started

    short = min(seconds(4_000) for _ in range(3))
    # Quadratic time would be 64 times as long; the bound leaves room for a busy machine.
    assert min(seconds(32_000) for _ in range(2)) < 30 * short + 0.05
