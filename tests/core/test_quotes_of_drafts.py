"""Quotes and reposts: another's words stay another's, and stay where they may be read."""

from dataclasses import replace

import pytest

from bridge.core.compose import Context, compose
from bridge.core.draft import Draft
from bridge.core.entities import mastodon_entities, x_entities
from bridge.core.errors import UnfitError
from bridge.core.model import Network, Post, PostId, QuoteRef, RepostRef
from bridge.core.policy import Policy
from bridge.core.record import Mirror
from bridge.core.text import SpanKind
from tests.fixtures.composing import (
    CONTEXT,
    MASTODON,
    NOW,
    pictures,
    poll,
    texts,
    to_mastodon,
    to_x,
    toot,
    tweet,
)

THERE = "https://mastodon.social/@bob/7"
BOBS = QuoteRef(PostId("7"), THERE, own=False, author="bob@mastodon.social", text="All is well.")
JACKS = QuoteRef(PostId("20"), "https://x.com/jack/status/20", False, "jack", "setting up my twttr")
MINE = QuoteRef(PostId("9"), "https://mastodon.social/@ada/9", True, "ada@mastodon.social", "Mine.")
ON_X = Context(NOW, quoted=Mirror(PostId("99"), "https://x.com/ada/status/99"))
ON_MASTODON = Context(NOW, quoted=Mirror(PostId("99"), "https://mastodon.social/@ada/99"))


def quoting(quote: QuoteRef, **changes: object) -> Post:
    return toot("Indeed", quote=quote, **changes)


def test_anothers_post_is_given_to_x_in_quotation_marks_with_name_and_address() -> None:
    draft = to_x(quoting(BOBS))
    assert texts(draft) == [f"Indeed\n\n“All is well.” — @bob@mastodon.social\n{THERE}"]
    assert draft.price == 200_000
    assert draft.notes == ("quoted post given in words and as a link",)


def test_the_owner_may_have_the_words_alone_and_save_the_price_of_a_link() -> None:
    draft = to_x(quoting(BOBS), quotes="text")
    assert texts(draft) == ["Indeed\n\n“All is well.” — @bob@mastodon.social"]
    assert draft.price == 15_000


def test_a_bound_on_the_price_takes_the_link_of_a_quote_as_any_other() -> None:
    draft = to_x(quoting(BOBS), max_usd_per_post=100_000)
    assert texts(draft)[0].endswith("\nmastodon\u2060.social/@\u2060bob/7")
    assert draft.price == 15_000
    assert "$0.20 is more than a post may cost ($0.10): $0.015" in draft.notes[-1]


def test_links_that_are_dropped_leave_the_words_of_a_quote() -> None:
    draft = to_x(quoting(BOBS), links="drop")
    assert texts(draft) == ["Indeed\n\n“All is well.” — @bob@mastodon.social"]
    assert draft.notes == ("quoted post given in words",)


def test_anothers_post_is_given_to_mastodon_by_its_address() -> None:
    draft = to_mastodon(tweet("Indeed", quote=JACKS))
    assert texts(draft) == ["Indeed\n\nhttps://x.com/jack/status/20"]
    assert draft.notes == ("quoted post given as a link",)
    assert texts(to_mastodon(tweet("Indeed", quote=JACKS), quotes="text")) == [
        "Indeed\n\n“setting up my twttr” — jack (on X)"
    ]


def test_an_excerpt_is_never_a_copy_of_a_long_post() -> None:
    (text,) = texts(to_x(quoting(replace(BOBS, text="word " * 60)), quotes="text"))
    assert text.count("word") < 30
    assert text.endswith("word…” — @bob@mastodon.social")


def test_who_is_quoted_is_not_pinged() -> None:
    quote = replace(BOBS, text="@jack said $TWTR and a.co")
    (text,) = texts(to_x(quoting(quote), quotes="text"))
    assert x_entities(text) == ()
    (text,) = texts(to_mastodon(tweet("So", quote=replace(JACKS, text="@a@b.co")), quotes="text"))
    assert SpanKind.MENTION not in {span.kind for span in mastodon_entities(text)}


def test_an_own_post_is_quoted_natively_where_its_mirror_stands() -> None:
    (part,) = (draft := to_mastodon(tweet("Indeed", quote=MINE), ON_MASTODON)).parts
    assert (part.text, part.quote) == ("Indeed", "99")
    assert draft.notes == ("the mirror of the quoted post is quoted",)


@pytest.mark.parametrize("beside", [{"media": pictures(1)}, {"poll": poll("A", "B")}])
def test_beside_media_or_a_poll_the_mirror_is_linked(beside: dict[str, object]) -> None:
    draft = to_mastodon(tweet("Indeed", quote=MINE, **beside), ON_MASTODON)
    assert draft.parts[0].quote is None
    assert texts(draft) == ["Indeed\n\nhttps://mastodon.social/@ada/99"]


def test_a_quote_of_media_that_are_all_left_out_is_native_again() -> None:
    post = tweet("Indeed", quote=MINE, media=(replace(pictures(1)[0], url=None),))
    assert to_mastodon(post, ON_MASTODON).parts[0].quote == "99"


def test_a_quote_without_a_word_of_ones_own_is_linked_since_a_server_wants_some_text() -> None:
    (part,) = to_mastodon(tweet("", quote=MINE), ON_MASTODON).parts
    assert (part.text, part.quote) == ("https://mastodon.social/@ada/99", None)


def test_x_is_given_the_address_of_the_mirror_and_never_that_of_the_original() -> None:
    draft = to_x(quoting(MINE), ON_X)
    assert texts(draft) == ["Indeed\n\nhttps://x.com/ada/status/99"]
    assert draft.notes == ("quoted post given as a link to its mirror",)
    assert texts(to_x(quoting(MINE), ON_X, quotes="text")) == [
        "Indeed\n\n“Mine.” — @ada@mastodon.social"
    ]


def test_a_server_without_quotes_is_given_the_mirrors_address() -> None:
    older = replace(MASTODON, quotes=False)
    draft = compose(tweet("Indeed", quote=MINE), older, Policy(), ON_MASTODON)
    assert texts(draft) == ["Indeed\n\nhttps://mastodon.social/@ada/99"]


@pytest.mark.parametrize("own", [True, None])
@pytest.mark.parametrize("choice", ["link", "text"])
@pytest.mark.parametrize("network", Network)
def test_words_of_an_own_post_that_was_never_mirrored_stay_where_they_are(
    own: bool | None, choice: str, network: Network
) -> None:
    quote = replace(MINE, own=own, text="For my followers only.")
    send = to_x if network is Network.X else to_mastodon
    post = toot("Indeed", network=network.other, quote=quote)
    assert "followers" not in str(send(post, quotes=choice))


def test_a_quote_without_an_address_is_given_in_words_or_named() -> None:
    nowhere = replace(BOBS, url=None)
    assert texts(to_x(quoting(nowhere))) == ["Indeed\n\n“All is well.” — @bob@mastodon.social"]
    draft = to_x(quoting(QuoteRef(None, None)))
    assert texts(draft) == ["Indeed"]
    assert draft.notes == ("quoted post left out: nothing may be said of it here",)


def test_an_address_that_the_author_wrote_is_not_said_twice() -> None:
    assert texts(to_mastodon(tweet(f"See {JACKS.url}", quote=JACKS))) == [f"See {JACKS.url}"]


def test_a_quote_alone_is_a_post() -> None:
    assert texts(to_mastodon(tweet("", quote=JACKS))) == ["https://x.com/jack/status/20"]


def repeat(repost: RepostRef, mirror: Mirror | None = None, **policy: object) -> Draft:
    context = replace(CONTEXT, reposted=mirror)
    return to_x(toot("Their words, whole.", repost=repost), context, **policy)


BOOST = RepostRef(PostId("7"), THERE, own=False, author="bob@mastodon.social")


def test_a_boost_of_an_own_post_repeats_its_mirror_and_says_nothing() -> None:
    (part,) = repeat(replace(BOOST, own=True), Mirror(PostId("99"))).parts
    assert (part.repeat, part.text, part.price) == ("99", "", 15_000)


def test_a_boost_of_anothers_post_gives_name_and_address_and_none_of_its_words() -> None:
    draft = repeat(BOOST)
    assert texts(draft) == [f"↻ @bob@mastodon.social\n{THERE}"]
    assert draft.notes == ("another's post given by its address",)
    assert texts(repeat(replace(BOOST, author=""))) == [f"↻\n{THERE}"]


def test_links_of_boosts_follow_the_choice_for_links() -> None:
    assert repeat(BOOST, links="defuse").price == 15_000
    assert repeat(BOOST, max_usd_per_post=20_000).price == 15_000


@pytest.mark.parametrize("boost", [replace(BOOST, own=True), replace(BOOST, url=None)])
def test_a_boost_of_which_nothing_stands_over_there_cannot_be_given(boost: RepostRef) -> None:
    with pytest.raises(UnfitError, match="neither a mirror nor an address"):
        repeat(boost)
