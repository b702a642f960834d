"""Which two texts are one post on both networks, and which only look like it."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.fingerprint import Match, canonical, canonical_link, digest, same_post
from bridge.core.split import split
from bridge.core.text import Span, SpanKind, Text

KEY = b"k" * 32
LONG = (
    "The old lighthouse keeper counted 41 ships that morning and wrote every one of them "
    "into his green book before the fog came back"
)


def with_link(before: str, shown: str, target: str, after: str = "") -> Text:
    start = len(before)
    return Text(before + shown + after, (Span(start, start + len(shown), SpanKind.LINK, target),))


def with_mention(before: str, shown: str, target: str, after: str = "") -> Text:
    start = len(before)
    return Text(
        before + shown + after, (Span(start, start + len(shown), SpanKind.MENTION, target),)
    )


SAME = {
    "curly quotes": (
        Text("It’s “done” at last, isn’t it"),
        Text("It's \"done\" at last, isn't it"),
    ),
    "escaped by X": (
        Text("Tom &amp; Jerry &lt;3 cheese all day"),
        Text("Tom & Jerry <3 cheese all day"),
    ),
    "decomposed": (
        Text(unicodedata.normalize("NFD", "Über Zürich fällt Schnée")),
        Text("Über Zürich fällt Schnée"),
    ),
    "full width": (
        Text("ＨＥＬＬＯ　ｗｏｒｌｄ　２０２６　ｗｉｎｔｅｒ"),
        Text("hello world 2026 winter"),
    ),
    "tracking": (
        Text("Good read on tides today https://www.example.com/a/?utm_source=x&fbclid=1#top"),
        Text("Good read on tides today http://example.com/a"),
    ),
    "t.co against the original": (
        with_link("Good read on tides ", "https://t.co/AbC123", "https://example.com/tides?id=7"),
        Text("Good read on tides https://example.com/tides?id=7"),
    ),
    "unresolved t.co": (
        Text("Good read on winter tides https://t.co/AbC123"),
        Text("Good read on winter tides https://example.com/t"),
    ),
    "number on its own line": (
        Text("Bread, salt and a long walk.\n1/3"),
        Text("Bread, salt and a long walk."),
    ),
    "number in brackets": (
        Text("Bread, salt and a long walk (2/5)"),
        Text("Bread, salt and a long walk"),
    ),
    "number in front": (
        Text("1/4 Bread, salt and a long walk"),
        Text("🧵 Bread, salt and a long walk"),
    ),
    "hash signs": (
        Text("Snow on #Fuji again this #winter"),
        Text("Snow on Fuji again this winter"),
    ),
    "X by either name": (
        Text("As said here before: https://twitter.com/Ann/status/12?s=20"),
        Text("As said here before: https://x.com/ann/status/12"),
    ),
    "a full handle": (
        with_mention("Thanks to ", "@bob", "@bob@mastodon.social", " for the photo"),
        Text("Thanks to @bob@mastodon.social for the photo"),
    ),
    "a name made harmless": (
        Text("Thanks to @\u2060bob for the photo"),
        Text("Thanks to @bob for the photo"),
    ),
    "a name said otherwise": (
        Text("Thanks to bob (on X) for the photo"),
        Text("Thanks to @bob for the photo"),
    ),
    "an accidental link defused": (
        Text("Read the README\u2060.md before you ask"),
        Text("Read the README.md before you ask"),
    ),
    "a scheme added by the network": (
        with_link("Read the docs on ", "https://t.co/x1", "http://example.com", " before you ask"),
        Text("Read the docs on example.com before you ask"),
    ),
    "emoji presentation": (Text("I ❤\ufe0f this town in winter"), Text("I ❤ this town in winter")),
    "line ends and spaces": (
        Text("One line\r\n\r\nanother  line here "),
        Text("One line\nanother line here"),
    ),
    "a repost's head": (
        Text("RT @ann: Bread, salt and a long walk"),
        Text("Bread, salt and a long walk"),
    ),
    "an international host": (
        Text("Neue Seite für alle: https://müller.example/"),
        Text("Neue Seite für alle: https://xn--mller-kva.example"),
    ),
    "Japanese with a hash sign": (Text("明日は晴れ ＃東京"), Text("明日は晴れ #東京")),
    "Arabic with joiners": (Text("کتاب\u200cها را می\u200cخواهم"), Text("کتابها را میخواهم")),
    "our own ellipsis": (Text("and then the road turned…\n2/3"), Text("and then the road turned")),
}

DIFFERENT = {
    "another episode": (
        Text("Episode 41 of our podcast is out now"),
        Text("Episode 42 of our podcast is out now"),
    ),
    "another temperature": (
        Text("12 degrees and sunny in the harbour today"),
        Text("13 degrees and sunny in the harbour today"),
    ),
    "below zero": (Text("It is -5 degrees in the harbour"), Text("It is 5 degrees in the harbour")),
    "another link": (
        Text("New on the blog today https://example.com/a"),
        Text("New on the blog today https://example.com/b"),
    ),
    "another query": (
        Text("Watch our latest video https://youtube.com/watch?v=a1"),
        Text("Watch our latest video https://youtube.com/watch?v=b2"),
    ),
    "love and hate": (Text("I love Mondays"), Text("I hate Mondays")),
    "rain for sun": (Text("明日は晴れ"), Text("明日は雨")),
    "another name": (
        Text("Congratulations to @ann on the prize"),
        Text("Congratulations to @eve on the prize"),
    ),
    "another part": (Text("And so on and on.\n1/3"), Text("And so on and on.\n2/3")),
    "another share": (Text("So far we have painted 1/3"), Text("So far we have painted 2/3")),
    "another price": (Text("Tickets from $50 at the door"), Text("Tickets from €50 at the door")),
    "another emoji": (Text("The result of the vote is 👍"), Text("The result of the vote is 👎")),
    "another time": (Text("We meet at 9:30 in the hall"), Text("We meet at 9:45 in the hall")),
    "another language": (Text("I am learning C this year"), Text("I am learning C++ this year")),
    "a greeting and its link": (Text("New post: https://example.com/a"), Text("New post:")),
    "a short beginning": (Text("Good morning from…"), Text("Good morning from the harbour")),
    "nothing twice": (Text(""), Text("")),
    "only links, and others": (Text("https://example.com/a"), Text("https://example.com/b")),
    "another mail box": (
        Text("Write to info@a.example for tickets"),
        Text("Write to info@b.example for tickets"),
    ),
    "another score": (Text("Final score tonight was 3-1"), Text("Final score tonight was 31")),
    "Arabic numbers": (
        Text("الحلقة ٤١ من البرنامج متاحة الآن"),
        Text("الحلقة ٤٢ من البرنامج متاحة الآن"),
    ),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_form_does_not_make_another_post(one: Text, other: Text) -> None:
    assert same_post(one, other) is Match.EXACT
    assert same_post(other, one) is Match.EXACT


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT)
def test_one_word_figure_or_link_makes_another_post(one: Text, other: Text) -> None:
    assert same_post(one, other) is Match.NONE
    assert same_post(other, one) is Match.NONE


def test_a_text_cut_by_an_ellipsis_is_a_prefix_of_its_original() -> None:
    cut = Text(LONG[:70] + "… https://t.co/xyz")
    assert same_post(cut, Text(LONG)) is Match.PREFIX
    assert same_post(Text(LONG), cut) is Match.PREFIX
    assert same_post(Text(LONG[:70]), Text(LONG)) is Match.NONE


def test_a_cut_text_in_a_script_without_spaces_is_a_prefix_too() -> None:
    whole = "先週の土曜日、十年ぶりに故郷の町へ帰りました。駅前の商店街は静かでした。"
    assert same_post(Text(whole[:25] + "…"), Text(whole)) is Match.PREFIX
    assert same_post(Text(whole[:25] + "雨…"), Text(whole)) is Match.NONE


def test_likeness_alone_only_ever_asks() -> None:
    assert same_post(Text(LONG), Text(LONG.replace("green", "blue"))) is Match.SIMILAR
    negated = "We have always supported and we do {}support the plan of the council for the harbour"
    assert same_post(Text(negated.format("")), Text(negated.format("not "))) is Match.SIMILAR


def test_likeness_ends_at_a_figure_or_a_link() -> None:
    assert same_post(Text(LONG), Text(LONG.replace("41", "42"))) is Match.NONE
    one, other = (Text(f"{LONG} https://example.com/{name}") for name in "ab")
    assert same_post(one, other) is Match.NONE


def test_a_link_that_one_side_lost_does_not_make_a_long_text_another() -> None:
    assert same_post(Text(LONG + " https://example.com/a"), Text(LONG)) is Match.EXACT


def test_a_post_of_one_link_is_known_by_it() -> None:
    shown = with_link("", "https://t.co/q", "https://www.example.com/a?utm_medium=social")
    assert same_post(shown, Text("http://example.com/a/")) is Match.EXACT


def test_every_part_of_a_thread_is_itself_and_no_other() -> None:
    parts = split((LONG + ". ") * 8, 280, len)
    for i, part in enumerate(parts):
        for j, other in enumerate(parts):
            expected = i == j
            assert (same_post(Text(part), Text(other)) is Match.EXACT) is expected


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://www.Example.com/Path/", "example.com/Path"),
        ("http://m.example.com:80/a?b=2&a=1", "example.com/a?a=1&b=2"),
        ("https://example.com:8443/a", "example.com:8443/a"),
        ("https://mobile.twitter.com/Ann/status/1?s=20&t=x", "x.com/ann/status/1"),
        ("example.com", "example.com"),
        ("https://example.com/a%20b?x=1&amp;y=2", "example.com/a b?x=1&y=2"),
        ("https://m.com/a", "m.com/a"),
        ("https://[bad", "https://[bad"),
        ("https://example.com:99999/", "https://example.com:99999/"),
        ("", ""),
    ],
)
def test_an_address_is_freed_of_what_does_not_change_where_it_leads(url: str, link: str) -> None:
    assert canonical_link(url) == link


def test_a_digest_needs_its_key_and_tells_words_from_links() -> None:
    post = canonical(Text("Good read https://example.com/a"))
    assert digest(post, KEY) == digest(canonical(Text("good READ: http://example.com/a\n1/2")), KEY)
    assert digest(post, KEY) != digest(post, b"another key")
    assert digest(post, KEY) != digest(canonical(Text("Good read https://example.com/b")), KEY)
    assert len(digest(post, KEY)) == 64


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200), st.text(max_size=200))
def test_any_two_texts_compare_the_same_both_ways_and_never_fail(one: str, other: str) -> None:
    assert same_post(Text(one), Text(other)) is same_post(Text(other), Text(one))
    assert same_post(Text(one), Text(one)) in {Match.EXACT, Match.NONE}


@pytest.mark.parametrize(
    "unit", ["a.", "@", "#", "https://", "1/", "\u0301", "\ud800", "word ", "あ"]
)
def test_a_hundred_thousand_hostile_characters_are_read_in_linear_time(unit: str) -> None:
    text = Text(unit * (100_000 // len(unit)))
    canonical(text)
