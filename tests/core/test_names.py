"""Names across networks: nobody is pinged whom the author did not mean to."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core import mastodon_marks
from bridge.core.defuse import defuse_accidental_links
from bridge.core.entities import x_entities, x_links
from bridge.core.names import safe_for_mastodon, safe_for_x
from bridge.core.text import Span, SpanKind, Text

PEOPLE = {"@Bob@mastodon.social": "@bobX"}
J = "\u2060"


def _text(*pieces: str | tuple[str, SpanKind, str]) -> Text:
    """A text of plain pieces and of spans: what is shown, kind, target."""
    plain, spans = "", []
    for piece in pieces:
        if isinstance(piece, str):
            plain += piece
        else:
            shown, kind, target = piece
            spans.append(Span(len(plain), len(plain) + len(shown), kind, target))
            plain += shown
    return Text(plain, tuple(spans))


def _mention(shown: str, target: str) -> tuple[str, SpanKind, str]:
    return shown, SpanKind.MENTION, target


def _link(url: str) -> tuple[str, SpanKind, str]:
    return url, SpanKind.LINK, url


BOB = _mention("@bob", "@bob@mastodon.social")
BOBX = _mention("@bobx", "@bobx")


def _pinged_on_x(text: str) -> list[tuple[int, str]]:
    return [(s.start, s.target) for s in x_entities(text) if s.kind is SpanKind.MENTION]


def test_toward_x_a_name_gets_its_host() -> None:
    safe = safe_for_x(_text("hi ", BOB, "!"), {})
    assert safe == _text("hi ", _mention("@bob@mastodon.social", "@bob@mastodon.social"), "!")


def test_toward_mastodon_a_name_loses_its_at_sign() -> None:
    safe = safe_for_mastodon(_text("hi ", BOBX, "!"), {})
    assert safe == _text("hi ", _mention("bobx (on X)", "@bobx"), "!")


@pytest.mark.parametrize(
    "people",
    [
        {"@bob@mastodon.social": "@bobX"},
        {"@BOB@Mastodon.Social": "bobX"},
        {"bob@mastodon.social": "＠bobX"},
        {"@bobX": "@bob@mastodon.social"},
    ],
)
def test_whom_the_owner_knows_is_mentioned_for_real(people: dict[str, str]) -> None:
    toward_x = safe_for_x(_text("hi ", BOB, "!"), people)
    assert toward_x == _text("hi ", _mention("@bobX", "@bobX"), "!")
    toward_mastodon = safe_for_mastodon(_text("hi ", BOBX, "!"), people)
    handle = next(m for pair in people.items() for m in pair if "@" in m[1:])
    handle = "@" + handle.lstrip("@")
    assert toward_mastodon == _text("hi ", _mention(handle, handle), "!")


@pytest.mark.parametrize(
    "people",
    [{"@bob@mastodon.social": "@not a name"}, {"@bob": "@bobx"}, {"@bob@h": "@a@b"}, {"": ""}],
)
def test_a_pair_that_cannot_be_one_is_passed_over(people: dict[str, str]) -> None:
    assert safe_for_x(_text(BOB), people).plain == "@bob@mastodon.social"
    assert safe_for_mastodon(_text(BOBX), people).plain == "bobx (on X)"


def test_positions_come_from_spans_not_from_names() -> None:
    jo = _mention("@jo", "@jo@mastodon.social")
    joanna = _mention("@joanna", "@joanna@other.example")
    text = safe_for_x(_text(joanna, " and ", jo), {"@jo@mastodon.social": "@jo_x"})
    assert text.plain == "@joanna@other.example and @jo_x"


@pytest.mark.parametrize(
    ("plain", "safe"),
    [
        ("hi @bob", f"hi @{J}bob"),
        ("hi ＠bob", f"hi ＠{J}bob"),
        (".@bob", f".@{J}bob"),
        ("@bob (mastodon.social)", f"@{J}bob (mastodon.social)"),
        ("a@bob.com", "a@bob.com"),
        ("@bob@mastodon.social", "@bob@mastodon.social"),
        ("see https://mastodon.social/@bob", "see https://mastodon.social/@bob"),
        ("@al.com", f"@{J}al{J}.com"),
        ("50 @ 3", "50 @ 3"),
    ],
)
def test_what_x_would_take_for_a_mention_is_defused(plain: str, safe: str) -> None:
    assert safe_for_x(Text(plain), PEOPLE).plain == safe


@pytest.mark.parametrize(
    ("plain", "safe"),
    [
        ("hi @bob", f"hi @{J}bob"),
        ("(@bob@host.social)", f"(@{J}bob@host.social)"),
        ("mail bob@host.social", "mail bob@host.social"),
        ("and/@bob", f"and/@{J}bob"),
        ("@userì", f"@{J}userì"),
        ("https://host.social/@bob", "https://host.social/@bob"),
        ("50 @ 3", "50 @ 3"),
        ("＠bob", "＠bob"),
    ],
)
def test_what_a_server_would_look_up_is_defused(plain: str, safe: str) -> None:
    assert safe_for_mastodon(Text(plain), PEOPLE).plain == safe


def test_an_at_sign_in_a_link_is_escaped_where_it_would_ping() -> None:
    url = "https://example.com/a,@bob"
    safe = safe_for_mastodon(_text("see ", _link(url)), {})
    assert safe.plain == "see https://example.com/a,%40bob"
    assert safe.spans == (Span(4, len(safe.plain), SpanKind.LINK, url),)


def test_an_address_that_x_does_not_link_pings_nobody_either() -> None:
    safe = safe_for_x(_text("see ", _link("https://localhost/@bob")), {})
    assert safe.plain == "see https://localhost/%40bob"


def test_a_name_with_a_dot_is_not_its_first_half() -> None:
    safe = safe_for_x(_text(_mention("@bob.smith", "@bob.smith@h.social")), {})
    assert safe.plain == f"@{J}bob.smith@h.social"
    assert safe.spans == (Span(0, len(safe.plain), SpanKind.MENTION, "@bob.smith@h.social"),)


def test_a_long_name_is_not_its_first_twenty_letters() -> None:
    name = "a" * 25
    safe = safe_for_x(_text(_mention("@" + name, f"@{name}@h.social")), {})
    assert _pinged_on_x(safe.plain) == []


@pytest.mark.parametrize("after", ["s", "é", "/list", "@x", "://", "_1"])
def test_what_follows_a_known_name_does_not_change_whom_it_means(after: str) -> None:
    safe = safe_for_x(_text("hi ", BOB, after), PEOPLE)
    assert _pinged_on_x(safe.plain) == [(3, "@bobX")]
    safe = safe_for_mastodon(_text("hi ", BOBX, after), PEOPLE)
    assert [m.handle for m in mastodon_marks.summoned(safe.plain)] == ["@Bob@mastodon.social"]


def test_what_precedes_a_known_name_does_not_unmake_it() -> None:
    safe = safe_for_mastodon(_text("の", BOBX), PEOPLE)
    assert [m.handle for m in mastodon_marks.summoned(safe.plain)] == ["@Bob@mastodon.social"]
    safe = safe_for_x(_text("&", BOB), PEOPLE)
    assert [name for _, name in _pinged_on_x(safe.plain)] == ["@bobX"]


def test_a_name_without_at_sign_keeps_apart_from_what_precedes() -> None:
    assert safe_for_mastodon(_text("RT", BOBX, ": ok"), {}).plain == "RT bobx (on X): ok"
    assert safe_for_mastodon(_text(".", BOBX), {}).plain == f".{J}bobx (on X)"


def test_full_width_hash_signs_become_plain_toward_mastodon() -> None:
    text = _text("＃1 ", ("＃日本", SpanKind.HASHTAG, "日本"), " ＃tag ", BOBX)
    safe = safe_for_mastodon(text, {})
    assert safe.plain == "＃1 #日本 #tag bobx (on X)"
    assert [safe.plain[s.start : s.end] for s in safe.spans] == ["#日本", "bobx (on X)"]


NEIGHBOURS = st.sampled_from(
    [
        "",
        " ",
        "\n",
        ".",
        "/",
        "@",
        "＠",
        "#",
        "＃",
        "$",
        "&",
        "a",
        "é",
        "の",
        "RT",
        "rt:",
        "://",
        "(",
        ")",
        "_",
        "-",
        "=",
        "%",
        "1",
        "com",
        ".com",
        "http://",
        "https://a.com/",
        "b@c",
        "@al",
        "🙂",
        J,
        "foo.com/@al",
        "@al@h.social",
        "＠al.md",
        "@al.s@h.io",
        "@" + "a" * 22,
        "ͅ",
        "ſ",
        "K",
    ]
)
SPANS = st.sampled_from(
    [
        _mention("@bob", "@bob@mastodon.social"),
        _mention("@joe", "@joe@h.social"),
        _mention("@joe.com.x", "@joe.com.x@h.social"),
        _mention("Joe", "@joe-_@exämple.org"),
        _mention("@bobx", "@bobx"),
        _mention("＠joe", "@joe"),
        _link("https://h.social/@al"),
        _link("https://a.com/b,@al"),
        _link("http://localhost/@al"),
        ("＃tag", SpanKind.HASHTAG, "tag"),
    ]
)
TEXTS = st.lists(NEIGHBOURS | SPANS, max_size=12).map(lambda pieces: _text(*pieces))


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_x_pings_nobody_but_those_the_owner_named(text: Text) -> None:
    safe = safe_for_x(text, PEOPLE)
    meant = {s.start for s in safe.of_kind(SpanKind.MENTION) if s.target == "@bobX"}
    assert all(ping == "@bobX" and at in meant for at, ping in _pinged_on_x(safe.plain))
    defused = defuse_accidental_links(safe)
    meant = {s.start for s in defused.of_kind(SpanKind.MENTION) if s.target == "@bobX"}
    assert all(ping == "@bobX" and at in meant for at, ping in _pinged_on_x(defused.plain))


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_mastodon_looks_up_nobody_but_those_the_owner_named(text: Text) -> None:
    safe = safe_for_mastodon(text, PEOPLE)
    handle = "@Bob@mastodon.social"
    meant = {s.start for s in safe.of_kind(SpanKind.MENTION) if s.target == handle}
    assert all(m.handle == handle and m.start in meant for m in mastodon_marks.summoned(safe.plain))


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_without_joiners_and_escapes_nothing_is_lost(text: Text) -> None:
    plain = Text(text.plain, text.of_kind(SpanKind.LINK))
    safe = safe_for_x(plain, PEOPLE).plain
    assert safe.replace(J, "").replace("%40", "@") == text.plain.replace(J, "")


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_making_names_safe_makes_no_links(text: Text) -> None:
    def behind(plain: str) -> int:
        """Links behind an at sign and a joiner; an author may have written that."""
        return sum(plain[: s.start].endswith(("@" + J, "＠" + J)) for s in x_links(plain))

    assert behind(safe_for_x(text, {}).plain) <= behind(text.plain)


def test_a_link_that_a_joiner_makes_and_its_undoing_ping_nobody() -> None:
    text = _text("@" + "a" * 22 + "éfoo.com/@al", _link("https://h.social/@al"))
    assert _pinged_on_x(safe_for_x(text, PEOPLE).plain) == []


def test_a_link_of_the_author_behind_an_at_sign_stays_a_link() -> None:
    safe = safe_for_x(_text("@", ("foo.com/x", SpanKind.LINK, "https://foo.com/x")), {})
    assert safe.plain == f"@{J}foo.com/x"
    assert _pinged_on_x(safe.plain) == []
