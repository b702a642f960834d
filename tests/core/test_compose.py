"""From a post to its mirror: what it says, in how many parts, at what price."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.core.capabilities import Capabilities
from bridge.core.compose import MAX_CHARACTERS, Context, compose
from bridge.core.draft import Draft, DraftPart
from bridge.core.entities import mastodon_entities, x_entities
from bridge.core.errors import UnfitError
from bridge.core.lengths import mastodon_length, x_length, x_valid
from bridge.core.model import (
    AccountId,
    Media,
    MediaId,
    MediaKind,
    Network,
    Poll,
    PollOption,
    Post,
    PostId,
    QuoteRef,
    Visibility,
)
from bridge.core.policy import Policy
from bridge.core.prices import X_PRICES
from bridge.core.text import Span, SpanKind, Text

X = Capabilities(Network.X, "x", 280, prices=X_PRICES)
MASTODON = Capabilities(Network.MASTODON, "mastodon", 500, spoiler=True, language=True)
GOTOSOCIAL = replace(MASTODON, counting="gotosocial")
CONTEXT = Context(datetime(2026, 11, 22, tzinfo=UTC))
LONG = "A sentence that is neither short nor long. " * 20


def toot(text: str = "", *spans: Span, **changes: object) -> Post:
    given = {
        "network": Network.MASTODON,
        "id": PostId("113"),
        "author": AccountId("me"),
        "created_at": datetime(2026, 11, 22, tzinfo=UTC),
        "text": Text(text, spans),
        "visibility": Visibility.PUBLIC,
    }
    return Post(**(given | changes))  # type: ignore[arg-type] # a test's shorthand


def tweet(text: str = "", *spans: Span, **changes: object) -> Post:
    return toot(text, *spans, network=Network.X, **changes)


def texts(draft: Draft) -> list[str]:
    return [part.text for part in draft.parts]


def test_what_fits_goes_as_it_was_written() -> None:
    draft = compose(toot("Plain words, no more."), X, Policy(), CONTEXT)
    assert texts(draft) == ["Plain words, no more."]
    assert draft.notes == ()


def test_what_does_not_fit_becomes_a_numbered_thread_and_says_so() -> None:
    draft = compose(toot(LONG), X, Policy(), CONTEXT)
    assert len(draft.parts) > 1
    assert all(x_valid(text) for text in texts(draft))
    assert texts(draft)[0].endswith(f"1/{len(draft.parts)}")
    assert draft.notes == (f"too long for one post: a thread of {len(draft.parts)}",)


def test_a_content_warning_heads_every_part_on_x() -> None:
    draft = compose(toot(LONG, spoiler="spoilers, all of them"), X, Policy(), CONTEXT)
    assert all(text.startswith("CW: spoilers, all of them\n\n") for text in texts(draft))
    assert all(x_valid(text) for text in texts(draft))


def test_a_content_warning_has_a_field_of_its_own_on_mastodon_and_is_charged_to_each_part() -> None:
    draft = compose(tweet(LONG, spoiler="w" * 100), MASTODON, Policy(), CONTEXT)
    assert {part.spoiler for part in draft.parts} == {"w" * 100}
    assert all(mastodon_length(part.text, part.spoiler) <= 500 for part in draft.parts)
    assert all(part.sensitive for part in draft.parts)


def test_a_warning_without_text_is_the_text_on_x() -> None:
    assert texts(compose(toot("", spoiler="only this"), X, Policy(), CONTEXT)) == ["CW: only this"]


def test_a_warning_that_would_fill_every_part_is_cut_to_half_of_each() -> None:
    draft = compose(toot("What it warns of.", spoiler="word " * 80), X, Policy(), CONTEXT)

    (text,) = texts(draft)
    assert text.startswith("CW: word word")
    assert text.endswith("word…\n\nWhat it warns of.")
    assert 90 <= x_length(text.split("\n")[0]) <= 140
    assert "content warning shortened, to leave room for what it warns of" in draft.notes


def test_a_long_warning_without_text_is_said_whole() -> None:
    draft = compose(toot("", spoiler="word " * 80), X, Policy(), CONTEXT)

    assert sum(text.count("word") for text in texts(draft)) == 80


def test_a_post_that_is_longer_than_any_is_an_error_that_names_it() -> None:
    assert len(compose(toot("word " * (MAX_CHARACTERS // 5)), X, Policy(), CONTEXT).parts) > 100
    poll = Poll((PollOption("p" * 20_000), PollOption("Coffee")))
    for post in (
        toot("a" * (MAX_CHARACTERS + 1)),
        toot("a" * 20_000, spoiler="w" * 10_000, poll=poll),
        toot("a", quote=QuoteRef(PostId("20"), "https://x.com/" + "q" * MAX_CHARACTERS)),
    ):
        with pytest.raises(UnfitError, match=r"113 has 50,0\d\d characters"):
            compose(post, X, Policy(), CONTEXT)


@pytest.mark.parametrize("text", ["", " \n", "\x00\ufeff", "\ud83d"])
def test_a_post_of_which_nothing_is_left_is_an_error_that_names_it(text: str) -> None:
    for post, to in ((toot(text), X), (tweet(text), MASTODON)):
        with pytest.raises(UnfitError, match="nothing of post 113"):
            compose(post, to, Policy(), CONTEXT)


def test_a_warning_pings_nobody_either() -> None:
    (text,) = texts(
        compose(toot("text", spoiler="about @jack and README.md"), X, Policy(), CONTEXT)
    )
    assert x_entities(text) == ()


def test_a_cashtag_in_a_warning_does_not_count_against_the_one_that_x_takes() -> None:
    (text,) = texts(compose(toot("buy $ABC", spoiler="$TWTR and $XYZ"), X, Policy(), CONTEXT))
    assert [span.target for span in x_entities(text)] == ["ABC"]


def test_a_poll_is_written_out() -> None:
    poll = Poll((PollOption("Tea"), PollOption("Coffee")))
    draft = compose(toot("Which?", poll=poll), X, Policy(), CONTEXT)
    assert texts(draft) == ["Which?\n\n○ Tea\n○ Coffee"]
    assert draft.notes == ("poll written out as text: X makes none",)


def test_a_quote_is_given_as_a_link_once() -> None:
    url = "https://x.com/jack/status/20"
    quote = QuoteRef(PostId("20"), url)
    draft = compose(tweet("So it began", quote=quote), MASTODON, Policy(), CONTEXT)
    assert texts(draft) == [f"So it began\n\n{url}"]
    named = tweet(f"See {url}", Span(4, 4 + len(url), SpanKind.LINK, url), quote=quote)
    assert texts(compose(named, MASTODON, Policy(), CONTEXT)) == [f"See {url}"]


def test_media_that_cannot_be_carried_are_named() -> None:
    medium = Media(MediaId("1"), MediaKind.IMAGE, None)
    draft = compose(toot("Look", media=(medium, medium)), X, Policy(), CONTEXT)
    assert draft.notes == ("picture left out: X takes none here",) * 2


def test_a_link_makes_only_its_own_part_dear() -> None:
    draft = compose(toot(LONG + "\n\nhttps://example.com/one"), X, Policy(), CONTEXT)
    prices = [part.price for part in draft.parts]
    assert sorted(set(prices)) == [15_000, 200_000]
    assert [price for price in prices if price > 15_000] == [200_000]
    assert draft.price == sum(prices)


def test_nothing_is_charged_on_mastodon() -> None:
    assert compose(tweet(LONG), MASTODON, Policy(), CONTEXT).price == 0


def test_a_name_without_a_link_stays_cheap() -> None:
    assert compose(toot("Read README.md on weather.So"), X, Policy(), CONTEXT).price == 15_000


def test_a_mirror_on_mastodon_has_the_configured_visibility_and_the_posts_language() -> None:
    policy = Policy(visibility=Visibility.UNLISTED)
    (part,) = compose(tweet("Marhaba", language="ar"), MASTODON, policy, CONTEXT).parts
    assert part.visibility is Visibility.UNLISTED
    assert part.language == "ar"


def test_people_who_are_known_are_really_mentioned_and_others_are_not() -> None:
    people = {"@bobx": "@bob@mastodon.social"}
    spans = (Span(0, 5, SpanKind.MENTION, "@bobx"), Span(10, 15, SpanKind.MENTION, "@evex"))
    (text,) = texts(
        compose(tweet("@bobx and @evex", *spans), MASTODON, Policy(people=people), CONTEXT)
    )
    mentioned = [s.target for s in mastodon_entities(text) if s.kind is SpanKind.MENTION]
    assert mentioned == ["@bob@mastodon.social"]


@pytest.mark.parametrize("length", range(270, 285))
def test_a_cut_inside_a_word_makes_no_mention_of_what_follows(length: int) -> None:
    for text in texts(compose(toot("w" * length + "@jack" + "w" * 20), X, Policy(), CONTEXT)):
        assert SpanKind.MENTION not in {span.kind for span in x_entities(text)}
        assert x_valid(text)


@pytest.mark.parametrize("word", ["a.com.", "a.sb.", "@a", "@a.co", "a.co/@b"])
@pytest.mark.parametrize("spoiler", ["", "w" * 300])
def test_a_word_of_links_that_no_part_can_hold_is_cut_so_that_none_of_them_is_one(
    word: str, spoiler: str
) -> None:
    post = toot(word * (6_000 // len(word)), spoiler=spoiler)
    for text in texts(compose(post, X, Policy(), CONTEXT)):
        assert x_valid(text)
        assert not {SpanKind.LINK, SpanKind.MENTION} & {span.kind for span in x_entities(text)}


def parts_of(post: Post, to: Capabilities) -> tuple[DraftPart, ...]:
    """The parts; a post of which nothing is left has none."""
    try:
        return compose(post, to, Policy(), CONTEXT).parts
    except UnfitError as error:
        assert "nothing of" in str(error)  # noqa: PT017 - elsewhere it would be a failure
        return ()


@pytest.mark.parametrize("length", range(255, 285))
@pytest.mark.parametrize("seam", ["@jack://", "@jack@x", "@jack/list@x", "/@somebody/x@a"])
def test_a_cut_makes_no_mention_of_what_stands_before_it(length: int, seam: str) -> None:
    for text in texts(compose(toot("語" * (length // 2) + seam * 30), X, Policy(), CONTEXT)):
        assert SpanKind.MENTION not in {span.kind for span in x_entities(text)}
        assert x_valid(text)


@pytest.mark.parametrize("length", range(240, 290, 3))
def test_a_cut_makes_no_link_and_no_second_cashtag(length: int) -> None:
    for word in ("$A" * 300, "a.co日本" * 90, "w" * length + ".com" + "w" * 300):
        parts = compose(toot("$TWTR " + "w" * length + word), X, Policy(), CONTEXT).parts
        assert {part.price for part in parts} == {15_000}
        kinds = [[span.kind for span in x_entities(part.text)] for part in parts]
        assert all(kind.count(SpanKind.CASHTAG) <= 1 for kind in kinds)


mixed = st.lists(
    st.sampled_from(
        [
            "word", " ", "\n", "\n\n", "@name", "@bob@host.example", "#tag", "#وسم", "$TWTR",
            "https://example.com/a?b=c", "example.com", "README.md", "漢字", "かな", "👩‍🚀", "🇯🇴",
            "مرحبا", "שלום", "नमस्ते", "สวัสดี", "…", ".", "! ", "\u200f", "\ufeff", "\ud800", "\x00",
            "e\u0301", "1/2", "(", ")", "“", "”", "CW:",
        ]
    ),
    max_size=120,
).map("".join)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mixed, st.sampled_from(["", "warning @jack"]))
def test_every_part_would_be_accepted_by_x_and_pings_nobody(text: str, spoiler: str) -> None:
    for part in parts_of(toot(text, spoiler=spoiler), X):
        assert x_valid(part.text), x_length(part.text)
        kinds = [span.kind for span in x_entities(part.text)]
        assert SpanKind.MENTION not in kinds
        assert kinds.count(SpanKind.CASHTAG) <= 1
        assert (part.price == 200_000) == (SpanKind.LINK in kinds)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mixed, st.sampled_from([MASTODON, GOTOSOCIAL]))
def test_every_part_would_be_accepted_by_mastodon_and_pings_nobody(
    text: str, to: Capabilities
) -> None:
    counting = to.counting
    assert counting != "x"
    for part in parts_of(tweet(text), to):
        assert mastodon_length(part.text, part.spoiler, counting=counting) <= to.max_length
        kinds = {span.kind for span in mastodon_entities(part.text)}
        assert SpanKind.MENTION not in kinds
