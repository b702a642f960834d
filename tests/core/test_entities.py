"""Links, mentions and tags as either network finds them. Recorded figures: tools/record_figures.py
(twitter-text 3.1.0 on Node); the rules of Mastodon's server run on Ruby 3.1 with libidn."""

import json
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core import mastodon_marks
from bridge.core.entities import (
    mastodon_countable,
    mastodon_entities,
    x_entities,
    x_links,
)
from bridge.core.text import Span, SpanKind, Text

HERE = Path(__file__).parent
PIECES = st.sampled_from(
    [
        *"a.-_/:@#$ ()?,",
        "com",
        "co",
        "日本",
        "💩",
        "é",
        "http://",
        "https://",
        "xn--",
        "みんな",
        "bob",
        "@bob@host.social",
        "t.co/",
        "rt",
        "＠",
        "＃",
        "\n",
        "\u2060",
        "README.md",
    ]
)
TEXTS = st.lists(PIECES, max_size=24).map("".join) | st.text(max_size=40)


def _figures(name: str) -> Any:
    return json.loads((HERE / name).read_text(encoding="utf-8"))


def _shown(text: str, spans: tuple[Span, ...]) -> list[str]:
    return [text[span.start : span.end] for span in spans]


def test_x_finds_what_its_reference_library_finds() -> None:
    figures = _figures("x_figures.json")["equal"]
    assert len(figures) >= 400
    for recorded in figures:
        found = x_entities(recorded["text"])
        assert [[s.start, s.end, s.kind.value, s.target] for s in found] == recorded["entities"]


def test_mastodon_finds_what_its_server_finds() -> None:
    figures = _figures("mastodon_figures.json")
    assert len(figures) >= 300
    for recorded in figures:
        text = recorded["text"]
        found = mastodon_countable(text)
        assert [[s.start, s.end, s.kind.value] for s in found] == recorded["entities"]
        assert [m.start for m in mastodon_marks.summoned(text)] == recorded["looked_up"]


@pytest.mark.parametrize(
    "word",
    [
        "README.md",
        "a.py",
        "main.rs",
        "script.sh",
        "file.zip",
        "clip.mov",
        "ASP.NET",
        "Socket.io",
        "Booking.com",
        "fin.de",
        "ok.in",
        "weather.So",
        "1.It",
        "9.pm",
        "foo.bar",
        "mastodon.social",
    ],
)
def test_words_that_x_links_by_accident(word: str) -> None:
    assert [(s.start, s.end) for s in x_links(f"see {word}, please")] == [(4, 4 + len(word))]


@pytest.mark.parametrize(
    "word",
    [
        "node.js",
        "main.go",
        "index.html",
        "v2.0.1",
        "e.g.",
        "Inc.and",
        "Dr.Who",
        "a.pdf",
        "photo.jpg",
        "bob@mastodon.social",
        "@bob@mastodon.social",
        "пример.рф",
        "README\u2060.md",
        "README\u200b.md",
        "localhost",
        "127.0.0.1",
    ],
)
def test_words_that_x_does_not_link(word: str) -> None:
    assert x_links(f"see {word}, please") == ()


def test_defusing_only_the_last_dot_leaves_a_link() -> None:
    text = "blog.dev.example\u2060.com"
    assert _shown(text, x_links(text)) == ["blog.dev"]


@pytest.mark.parametrize(
    ("text", "pings"),
    [
        ("@bob@mastodon.social", []),
        ("bob@mastodon.social", []),
        ("https://mastodon.social/@bob", []),
        ("@bob (mastodon.social)", ["@bob"]),
        ("@bob @mastodon.social", ["@bob", "@mastodon"]),
        ("＠bob", ["@bob"]),
        (".@bob", ["@bob"]),
    ],
)
def test_whom_x_pings(text: str, pings: list[str]) -> None:
    assert [s.target for s in x_entities(text) if s.kind is SpanKind.MENTION] == pings


@pytest.mark.parametrize(
    ("text", "looked_up"),
    [
        ("@user", ["@user"]),
        ("(@user)", ["@user"]),
        ("@user (on X)", ["@user"]),
        ("@user@x.com", ["@user@x.com"]),
        ("@a.b-c@exa-mple.social.", ["@a.b-c@exa-mple.social"]),
        ("@\\user", []),
        ("@\u2060user", []),
        ("＠user", []),
        ("𝕏@user", []),
        ("user@x.com", []),
        ("https://x.com/@user", []),
        ("https://x.com/?u=@user", []),
        ("https://x.com/a,@user", ["@user"]),
        ("@userì", ["@user"]),
    ],
)
def test_whom_a_mastodon_server_looks_up(text: str, looked_up: list[str]) -> None:
    assert [m.handle for m in mastodon_marks.summoned(text)] == looked_up


def test_mastodon_links_only_with_a_scheme_and_takes_any_letters_into_the_path() -> None:
    text = "a.com http://a.com/日本語です。 gemini://b.org ftp://c.org http://💩.la http://i❤.ws"
    links = [s for s in mastodon_entities(text) if s.kind is SpanKind.LINK]
    assert [s.target for s in links] == [
        "http://a.com/日本語です。",
        "gemini://b.org",
        "http://i❤.ws",
    ]


def test_mastodon_takes_hashtags_of_its_older_and_newer_rule() -> None:
    text = "#eins ＃zwei x＃no (#drei #a·b #123 #1a"
    tags = [s.target for s in mastodon_entities(text) if s.kind is SpanKind.HASHTAG]
    assert tags == ["eins", "zwei", "drei", "a·b", "1a"]


def test_a_mention_names_its_host_where_the_text_does() -> None:
    (span,) = mastodon_entities("hi @bob@mastodon.social!")
    assert span == Span(3, 23, SpanKind.MENTION, "@bob@mastodon.social")


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_entities_fit_their_text_in_order_and_without_overlap(text: str) -> None:
    Text(text, x_entities(text))
    Text(text, mastodon_entities(text))


@settings(max_examples=200, deadline=None)
@given(TEXTS, TEXTS)
def test_what_white_space_parts_has_no_influence(one: str, other: str) -> None:
    first, second = x_entities(one + "\n"), x_entities("\n" + other)
    gap = len(one)
    moved = [Span(s.start + gap, s.end + gap, s.kind, s.target) for s in second]
    assert list(x_entities(f"{one}\n{other}")) == [*first, *moved]


HOSTILE = [
    "a.",
    "a.co.",
    "@",
    "@a",
    "日.com",
    "a.com日",
    "http://",
    "http://a.com/(",
    "(",
    "#",
    "#1",
    "_.",
    "日_",
    "a.com/((",
    "@a@b.",
    "x.com/",
    "$A ",
    "́",
    "http://日本.",
    "co.日_",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_time_grows_with_the_text_and_no_faster(piece: str) -> None:
    def seconds(length: int) -> float:
        text = (piece * length)[:length]
        started = process_time()
        x_entities(text)
        mastodon_entities(text)
        return process_time() - started

    short = min(seconds(4_000) for _ in range(3))
    # Quadratic time would be 64 times as long; the bound leaves room for a busy machine.
    assert min(seconds(32_000) for _ in range(2)) < 30 * short + 0.05
