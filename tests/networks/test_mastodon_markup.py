"""Texts for a server that takes every text for markup: shown as they stand, whatever they hold."""

from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bridge.core.draft import DraftPart
from bridge.core.fingerprint import Match, same_post
from bridge.core.model import Microdollars
from bridge.core.text import Text
from bridge.networks.mastodon.html import read_html
from bridge.networks.mastodon.instance import read_instance
from bridge.networks.mastodon.markup import literal
from bridge.networks.mastodon.people import People
from bridge.networks.mastodon.render import arguments, edit_arguments
from bridge.sandbox.mastodon.html import Surroundings, render

NOW = datetime(2026, 11, 22, tzinfo=UTC)
MARKS = r"""
* ** *** _ __ ___ ` `` ``` ~ ~~ ~~~ [ ] ( ) ]( ![ ! # ## ### @ & ; : - -- --- > >> < / \ = " '
<b> </b> <br> <script> <div> </div> &lt; &amp; &#42; &copy 1. + | . , ) …
:-) :-D ;-) X-D B-) >:-( :-( :-* :-/ 8-o %-) :_( :-| <3 :facepalm: :shrug: :a:b: mailto: xmpp:
word a B X 8 é 漢字 😀 #tag #snake_case #a__b @ada @ada@e.org @__x__ me@bob.org a#b
"""
ADDRESSES = ("https://e.org ", "https://e.org/a_b__c*d?x=1&lt=2 ", "https://e.org/~a/[b]\n")
PIECES = (*MARKS.split(), *ADDRESSES)
GAPS = ("", "", " ", " ", "\n", "\n\n")


def shown(text: str) -> str:
    """What readers of snac see of a text that was sent so."""
    html = render(text, Surroundings("https://snac.example", {}), "minimal")
    return read_html(html, people=People(())).text.plain


def expected(text: str) -> str:
    """A text as snac keeps one: without white space around its lines, and around it all."""
    return "\n".join(line.strip(" \t\v\f\r") for line in text.split("\n")).strip()


def squeezed(text: str) -> str:
    return "\n".join(" ".join(line.split()) for line in text.split("\n") if line.strip())


@pytest.mark.parametrize(
    "text",
    [
        "**bold** *italic* ***both*** `code` ~~gone~~ __under__",
        "2 * 3 * 4 = 24, snake_case and __init__",
        "# Heading\n## Second\n### Third\n- one\n* two\n> quoted\n---\n```\ncode\n```",
        "[words](https://e.org ) and ![a cat](https://e.org/cat )",
        "<b>not bold</b> <script>alert(1)</script> a < b > c && d &lt; e &amp;",
        "I <3 this :-) and ;-) X-D B-) 8-o :_( :shrug: >:-(",
        "*-) `-( <-) 5*-)",
    ],
)
def test_markup_is_shown_and_not_carried_out(text: str) -> None:
    assert squeezed(shown(literal(text))) == squeezed(expected(text))
    assert squeezed(shown(text)) != squeezed(expected(text))


def test_addresses_hashtags_and_mentions_stay_what_they_are() -> None:
    text = "See https://e.org/a_b?x=1&y=2 #tag #snake_case @ada @ada@e.org and http://e.org."
    written = literal(text)
    html = render(written, Surroundings("https://snac.example", {}), "minimal")
    assert '<a href="https://e.org/a_b?x=1&amp;y=2"' in html
    assert html.count('class="mention hashtag"') == 2
    for kept in ("#tag ", "#snake_case ", "@ada ", "@ada@e.org ", "http://e.org."):
        assert kept in f"{written} "


def test_nobody_is_named_who_was_not_meant() -> None:
    written = literal("me@bob.org a@b x@y@z.org a#b")
    assert "@" not in written
    assert not {piece for piece in written.split("#")[1:] if not piece[0].isdigit()}


def test_the_address_of_a_picture_stays_in_the_text() -> None:
    text = "Look: https://e.org/cat.png, or https://e.org/dog.JPG"
    assert same_post(Text(shown(literal(text))), Text(text)) is Match.EXACT
    assert "cat.png" in shown(literal(text))
    assert "cat.png" not in shown(text)


def mixed(chance: Random) -> str:
    count = chance.randint(1, 14)
    return "".join(chance.choice(PIECES) + chance.choice(GAPS) for _ in range(count))


@pytest.mark.parametrize("seed", range(8))
def test_whatever_stands_beside_whatever_is_shown_as_it_stands(seed: int) -> None:
    chance = Random(seed)
    for _ in range(150):
        text = mixed(chance)
        # How far a link stands from a word beside it is the reader's business.
        assert "".join(shown(literal(text)).split()) == "".join(text.split()), text


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="*_`~[]()!#@&<>:;-/XB8Do3%| \nab.", max_size=60))
def test_any_text_of_marks_is_shown_as_it_stands(text: str) -> None:
    assume("://" not in text)
    assert squeezed(shown(literal(text))) == squeezed(expected(text))


@pytest.mark.parametrize(
    ("version", "markup"),
    [
        ("4.0.0 (not true; really snac/2.82)", True),
        ("4.0.0 (not true; really snac/2.76-dev)", True),
        ("4.7.3", False),
        ("2.7.2 (compatible; Pleroma 2.9.1)", False),
        ("0.20.1+git-abc1234", False),
    ],
)
def test_only_servers_that_cannot_be_told_otherwise_are_written_to_so(
    version: str, *, markup: bool
) -> None:
    server = read_instance({"version": version})
    assert server.reads_markup is markup
    part = DraftPart(0, "**a**", Microdollars(0))
    made = arguments(part, reply_to=None, key="k", now=NOW, markup=server.reads_markup)
    edit = edit_arguments(part, now=NOW, markup=server.reads_markup)
    assert made["status"] == edit["status"] == ("&#42;&#42;a&#42;&#42;" if markup else "**a**")
