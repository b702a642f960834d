"""Words that are no links, more cashtags than one, and characters that no network takes.

Bars of docs/reliability.md: S2.
"""

import unicodedata
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.defuse import clean, defuse_accidental_links, edited, one_cashtag
from bridge.core.entities import x_entities, x_links
from bridge.core.lengths import x_valid
from bridge.core.text import Span, SpanKind, Text

J = "\u2060"


def _links(text: Text) -> list[str]:
    return [text.plain[s.start : s.end] for s in x_links(text.plain)]


@pytest.mark.parametrize(
    ("plain", "defused"),
    [
        ("see README.md, ok", f"see README{J}.md, ok"),
        ("blog.dev.example.com", f"blog{J}.dev{J}.example{J}.com"),
        ("weather.So", f"weather{J}.So"),
        ("end.It was", f"end{J}.It was"),
        ("日本a.co日本", f"日本a{J}.co日本"),
        ("foo.com/@bob", f"foo{J}.com/@{J}bob"),
        ("node.js v1.2", "node.js v1.2"),
        ("@bob@mastodon.social", "@bob@mastodon.social"),
        ("http://example.com/a.b", "http://example.com/a.b"),
    ],
)
def test_words_that_x_would_link_become_none(plain: str, defused: str) -> None:
    text = defuse_accidental_links(Text(plain))
    assert text.plain == defused
    assert [url for url in _links(text) if "://" not in url] == []


def test_what_the_author_meant_as_a_link_stays_one() -> None:
    plain = "see example.com/a.b, not example.com"
    meant = Span(4, 19, SpanKind.LINK, "https://example.com/a.b")
    text = defuse_accidental_links(Text(plain, (meant,)))
    assert text == Text(f"see example.com/a.b, not example{J}.com", (meant,))


def test_spans_behind_a_defused_word_move_along() -> None:
    text = Text("a.md #tag", (Span(5, 9, SpanKind.HASHTAG, "tag"),))
    assert defuse_accidental_links(text).spans == (Span(6, 10, SpanKind.HASHTAG, "tag"),)


PIECES = st.sampled_from(
    [
        "a.co",
        ".",
        ",",
        "/",
        "@bob",
        " ",
        "日",
        "http://",
        "https://x.com/",
        "é",
        "_",
        "-",
        "md",
        ":80",
        "t.co/",
        "(",
        ")",
        "?q",
        "💩",
        "\n",
        "#",
        "foo.com",
        "みんな",
        J,
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=20).map("".join))
def test_no_accidental_link_is_left_and_nothing_else_is_touched(plain: str) -> None:
    text = defuse_accidental_links(Text(plain))
    assert [s for s in x_links(text.plain) if "://" not in s.target[:8]] == []
    assert text.plain.replace(J, "") == plain.replace(J, "")
    assert defuse_accidental_links(text) == text


@settings(max_examples=250, deadline=None)
@given(st.lists(PIECES, max_size=20).map("".join))
def test_nobody_is_mentioned_who_was_not_before(plain: str) -> None:
    def mentioned(text: str) -> list[str]:
        return [s.target for s in x_entities(text) if s.kind is SpanKind.MENTION]

    assert len(mentioned(defuse_accidental_links(Text(plain)).plain)) <= len(mentioned(plain))


def test_one_cashtag_survives() -> None:
    text = one_cashtag(Text("$A and $B.C, $D $1"))
    assert text.plain == f"$A and ${J}B.C, ${J}D $1"
    assert [s.target for s in x_entities(text.plain) if s.kind is SpanKind.CASHTAG] == ["A"]
    assert one_cashtag(text) == text


@pytest.mark.parametrize(
    ("plain", "cleaned"),
    [
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("a\u2028b\u2029c\x85d\x0be\x0cf", "a\nb\nc\nd\ne\nf"),
        ("e\u0301", "é"),
        ("\ufeffa\ufffe\uffff", "a"),
        ("a\ud800b\udc00c", "abc"),
        ("\ud83d\ude00", "😀"),
        ("\0\x07a\x1b[0m\x7f\x9f", "a[0m"),
        ("a\tb", "a\tb"),
        ("", ""),
    ],
)
def test_cleaning(plain: str, cleaned: str) -> None:
    assert clean(plain) == cleaned


ANY_TEXT = st.text(
    st.characters() | st.sampled_from("\r\n\ufeff\ufffe\uffff\ud800\udc00\x00\x85\u0301e"),
    max_size=40,
)


@settings(max_examples=250, deadline=None)
@given(ANY_TEXT)
def test_clean_text_is_valid_utf_8_in_nfc_and_stays_as_it_is(plain: str) -> None:
    text = clean(plain)
    text.encode("utf-8")
    assert unicodedata.is_normalized("NFC", text)
    assert clean(text) == text
    assert not text or x_valid(text, limit=1000)


def test_edits_move_spans_along_and_belong_to_the_span_they_are_in() -> None:
    link, tag = Span(2, 5, SpanKind.LINK, "x"), Span(5, 7, SpanKind.HASHTAG, "y")
    text = Text("a bcd#ef", (link, tag))
    changed = edited(text, [(0, 0, "--"), (2, 2, "<"), (3, 4, "CC"), (5, 5, ">"), (8, 8, "!")])
    assert changed.plain == "--a <bCCd>#ef!"
    assert [changed.plain[s.start : s.end] for s in changed.spans] == ["bCCd", "#e"]


@pytest.mark.parametrize("piece", ["a.co", "a.co日", "a.md ", "a.co/,", "a.", "日.co"])
def test_defusing_takes_linear_time(piece: str) -> None:
    def seconds(length: int) -> float:
        text = Text((piece * length)[:length])
        started = process_time()
        defuse_accidental_links(text)
        return process_time() - started

    short = min(seconds(4_000) for _ in range(3))
    # Quadratic time would be 64 times as long; the bound leaves room for a busy machine.
    assert min(seconds(32_000) for _ in range(2)) < 30 * short + 0.1
