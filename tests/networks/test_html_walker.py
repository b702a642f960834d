"""HTML of every make becomes text: nothing lost, nothing followed, in linear time.

Bars of docs/reliability.md: S2, S4, S18.
"""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.text import SpanKind
from bridge.networks.mastodon.html import LONGEST, html_to_rich
from bridge.networks.mastodon.normalise import html_to_text, source_to_rich
from tests.networks.test_mastodon_normalise import is_storable

BOB = {"url": "https://mastodon.social/@bob", "acct": "bob@mastodon.social", "username": "bob"}

PIECES = st.sampled_from(
    [
        "<p>",
        "</p>",
        "<br>",
        "<br/>",
        "<a href='https://a.example/b'>",
        "</a>",
        "<ul>",
        "</ul>",
        "<ol start=7>",
        "</ol>",
        "<li>",
        "</li>",
        "<blockquote>",
        "</blockquote>",
        "<pre>",
        "</pre>",
        "<ruby>",
        "<rt>",
        "</rt>",
        "<rp>",
        "</rp>",
        "</ruby>",
        "<span class=quote-inline>",
        "</span>",
        "<p class='quote-inline'>",
        "<a class='mention' href='https://mastodon.social/@bob'>",
        "@bob",
        "<a class=hashtag>",
        "#tag",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<script>",
        "</script>",
        "<",
        ">",
        "&amp;",
        "&lt",
        "&#x41;",
        "&#99999999999;",
        '"',
        "'",
        "=",
        " ",
        "\n",
        "\t",
        "\r\n",
        "א",
        "漢字",
        "👩‍👩‍👧",
        "\u0301",
        "\u200b",
        "\ud800",
        "\x00",
        "word",
        "RE: ",
        "https://a.example/b",
        "<td>",
        "<hr>",
        "<img alt=':x:'>",
        "<h1>",
        "</h1>",
        "<a href='javascript:x'>",
        ":x:",
        "@",
        "#",
        "…",
    ]
)


@given(st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_markup_becomes_a_text_whose_spans_fit(html: str) -> None:
    text = html_to_rich(
        html, mentions=[BOB], host="own.example", quote_url="https://a.example/b", without_emoji="x"
    )
    assert is_storable(text.plain)
    assert not set(text.plain) & set("\x00\r\ufeff")
    for span in text.of_kind(SpanKind.LINK):
        assert text.plain[span.start : span.end] == span.target
        assert span.target.startswith("https://")


@given(st.lists(st.text("abcא漢é ", min_size=1, max_size=8), min_size=1, max_size=6))
@settings(max_examples=100, deadline=None)
def test_every_word_of_a_paragraph_arrives_in_order(paragraphs: list[str]) -> None:
    html = "".join(f"<p>{words}</p>" for words in paragraphs)
    assert html_to_text(html).split() == " ".join(paragraphs).split()


@given(st.lists(PIECES, max_size=25).map("".join))
@settings(max_examples=150, deadline=None)
def test_no_text_begins_or_ends_with_an_empty_line(html: str) -> None:
    plain = html_to_text(html)
    assert not plain.startswith("\n")
    assert not plain.endswith("\n")


@pytest.mark.parametrize(
    "flood",
    [
        "<!--",
        "a.a.a.",
        "@@@@",
        "a\u0301",
        "[<b>",
        '<a href="',
        "<a ",
        "<a a=\"<a b='",
        "<ul><li>x",
        "<blockquote>x",
        '<span class="quote-inline">',
        '<p class="quote-inline">x',
        "&amp",
        "&#x41",
        "<![CDATA[",
        "<?",
        "<!",
        "<script>",
        "</script",
        "<",
        "</",
        "<ruby>x<rt>y",
        "<br>x",
        "<pre>\n",
        '<a class="mention" href="https://a.example/@b">@b</a>',
        '<a href="https://a.example">x</a>',
        ":x:",
        "(((",
        "<td>x",
        "\n",
        "\x00",
        "\ud800",
        "…",
        "RE: https://a.example/b\n",
    ],
)
def test_a_megabyte_of_hostile_input_is_read_in_a_moment(flood: str) -> None:
    html = flood * (1_000_000 // len(flood))
    assert any(_seconds(html) < 0.2 for _ in range(3))


def _seconds(html: str) -> float:
    begin = time.process_time()
    html_to_rich(html, mentions=[BOB], quote_url="https://a.example/b", without_emoji=("x",))
    return time.process_time() - begin


def test_a_reference_to_a_number_of_thousands_of_digits_is_no_error() -> None:
    assert html_to_text(f"a&#{'9' * 6000};b") == "a\ufffdb"


def test_a_text_over_the_cap_ends_at_a_whole_grapheme() -> None:
    family = "👩\u200d👩\u200d👧\u200d👦"
    plain = html_to_text(family * LONGEST)
    assert plain
    assert plain == family * (len(plain) // len(family))


def test_a_text_over_the_cap_ends_before_a_tag_or_reference_that_was_cut() -> None:
    assert html_to_text("x" * (LONGEST - 5) + '<a href="https://a.example/">y</a>') == "x" * (
        LONGEST - 5
    )
    assert html_to_text("x" * (LONGEST - 2) + "&amp;" * 9) == "x" * (LONGEST - 2)


def test_a_loose_angle_bracket_far_away_does_not_cost_a_long_text() -> None:
    assert len(html_to_text("I <3 you " + "word " * LONGEST)) > LONGEST - 10


def test_an_unmarked_quote_line_is_dropped_once_and_only_for_the_quoted_post() -> None:
    html = '<p>RE: <a href="https://a.example/b">a.example/b</a></p>'
    body = f"{html}<p>So true.</p>{html}"
    assert html_to_text(body) == "RE: https://a.example/b\n\nSo true.\n\nRE: https://a.example/b"
    once = html_to_text(body, quote_url="https://a.example/b")
    assert once == "RE: https://a.example/b\n\nSo true."


def test_a_quote_fallback_that_never_ends_does_not_swallow_the_post() -> None:
    assert html_to_text('<span class="quote-inline">RE: x<p>The text.') == "RE: x\n\nThe text."
    assert html_to_text('<p class="quote-inline">RE: x<p>The text.') == "The text."


def test_names_come_from_addresses_and_never_from_a_search() -> None:
    html = (
        '<p><a class="u-url mention" href="https://mastodon.social/@bob">@<span>bob</span></a> '
        "and @bobby, bob@mastodon.social</p>"
    )
    assert html_to_text(html, mentions=[BOB]) == (
        "@bob@mastodon.social and @bobby, bob@mastodon.social"
    )
    assert len(html_to_rich(html, mentions=[BOB]).spans) == 1


def test_custom_emoji_are_removed_where_that_is_chosen() -> None:
    html = '<p>Done :blob: and <img class="emoji" alt=":blob:"> at 10:30:00 :other:</p>'
    assert html_to_rich(html, without_emoji={"blob"}).plain == "Done and at 10:30:00 :other:"
    typed = source_to_rich("Done :blob: at 10:30:00", (), "own.example", without_emoji={"blob"})
    assert typed.plain == "Done at 10:30:00"


@pytest.mark.parametrize("scheme", ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "/x"])
def test_only_web_addresses_are_ever_followed(scheme: str) -> None:
    text = html_to_rich(f'<a href="{scheme}">label</a>')
    assert (text.plain, text.spans) == ("label", ())


@given(st.text(max_size=200))
@settings(max_examples=150, deadline=None)
def test_any_typed_text_keeps_its_words(typed: str) -> None:
    text = source_to_rich(typed, [BOB], "own.example")
    assert is_storable(text.plain)
    assert set(text.plain.split()) <= set(typed.replace("\ud800", "\ufffd").split()) or any(
        not each.isprintable() for each in typed
    )
