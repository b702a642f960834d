"""What holds of every draft, whatever the post, the network and the owner's choices."""

import os
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.core.capabilities import Capabilities
from bridge.core.compose import Context, compose
from bridge.core.draft import Draft, DraftPart
from bridge.core.entities import mastodon_entities, x_entities
from bridge.core.errors import UnfitError
from bridge.core.lengths import mastodon_length, x_length, x_valid
from bridge.core.model import (
    MediaId,
    MediaKind,
    MediaVariant,
    Microdollars,
    Network,
    Post,
    PostId,
    QuoteRef,
    RepostRef,
    Visibility,
)
from bridge.core.policy import Policy
from bridge.core.prices import creation
from bridge.core.record import Mirror
from bridge.core.text import SpanKind
from tests.fixtures.composing import MASTODON, NOW, SOURCE, X, medium, poll, toot

words = st.lists(
    st.sampled_from(
        [
            "word", "two words.", " ", "\n\n", "@name", "@bob@host.example", "#tag", "$TWTR",
            "https://example.com/a?b=c", "example.com", "漢字。", "👩‍🚀", "مرحبا", "\ud800",
            "a.com." * 60, "CW: ", "TW: food\n", "x" * 300,
            "A sentence that is neither short nor long. " * 9,
        ]
    ),
    max_size=12,
).map(" ".join)  # fmt: skip

variants = st.lists(
    st.builds(
        MediaVariant,
        st.sampled_from(["https://v.example/a", "https://v.example/b"]),
        st.sampled_from(["video/mp4", "application/x-mpegURL", ""]),
        st.none() | st.sampled_from([0, 10**6, 10**8]),
    ),
    max_size=3,
).map(tuple)
media = st.lists(
    st.builds(
        medium,
        st.just("m"),
        st.sampled_from(MediaKind),
        url=st.sampled_from([None, "https://files.example/m"]),
        alt=st.sampled_from(["", "a cat", "long " * 400, "\x00\ud800", "@jack https://a.co"]),
        duration_ms=st.sampled_from([None, 1000, 10**8]),
        preview_url=st.sampled_from([None, "https://files.example/still"]),
        variants=variants,
    ),
    max_size=9,
).map(lambda found: tuple(replace(m, id=MediaId(str(at))) for at, m in enumerate(found)))
polls = st.builds(
    lambda labels, days, **changes: poll(*labels, days=days, **changes),
    st.lists(st.sampled_from(["Tea", "Coffee.So", "@jack", "l" * 40, "", "x" * 300]), max_size=6),
    st.sampled_from([None, -1, 0.001, 1, 30, 90]),
    multiple=st.booleans(),
    closed=st.booleans(),
)
quotes = st.builds(
    QuoteRef,
    st.just(PostId("7")),
    st.sampled_from([None, "https://x.com/jack/status/7", "https://a.co/" + "q" * 600]),
    st.sampled_from([None, True, False]),
    st.sampled_from(["", "jack", "bob@mastodon.social"]),
    words,
)
reposts = st.builds(
    RepostRef,
    st.just(PostId("7")),
    st.sampled_from([None, "https://x.com/jack/status/7"]),
    st.booleans(),
    st.sampled_from(["", "jack", "bob@mastodon.social"]),
)
posts = st.builds(
    toot,
    words,
    network=st.sampled_from(Network),
    spoiler=st.just("") | words,
    sensitive=st.booleans(),
    media=st.just(()) | media,
    poll=st.none() | polls,
    quote=st.none() | quotes,
    repost=st.none() | st.none() | st.none() | reposts,
    url=st.sampled_from([None, SOURCE]),
)
mirrors = st.none() | st.builds(
    Mirror, st.just(PostId("99")), st.sampled_from([None, "https://x.com/ada/status/99"])
)
contexts = st.builds(Context, st.just(NOW), mirrors, mirrors)
policies = st.builds(
    Policy,
    visibility=st.sampled_from([Visibility.PUBLIC, Visibility.UNLISTED, Visibility.FOLLOWERS]),
    within_default=st.booleans(),
    long_text=st.sampled_from(["thread", "truncate", "truncate_with_link"]),
    links=st.sampled_from(["keep", "keep", "drop", "defuse"]),
    max_usd_per_post=st.none() | st.sampled_from([Microdollars(1), Microdollars(100_000)]),
    warnings=st.sampled_from(["prefix", "only", "skip"]),
    warn_about=st.sampled_from([{}, {"word": "words"}]),
    sensitive=st.sampled_from(["send", "leave_out"]),
    alt_text=st.booleans(),
    video=st.sampled_from(["link", "thumbnail", "skip"]),
    audio=st.sampled_from(["link", "skip"]),
    polls=st.sampled_from(["native", "text"]),
    quotes=st.sampled_from(["link", "text"]),
    hidden_tags=st.sampled_from([frozenset[str](), frozenset({"tag"})]),
)
EXAMPLES = int(os.environ.get("TWINPOST_EXAMPLES", "50"))
LENIENT = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def target_of(post: Post) -> Capabilities:
    return X if post.network is Network.MASTODON else replace(
        MASTODON, default_visibility=Visibility.UNLISTED
    )  # fmt: skip


def drafted(post: Post, policy: Policy, context: Context) -> Draft | None:
    """Its draft; None for a post that cannot be sent, which is the only other thing there is."""
    try:
        return compose(post, target_of(post), policy, context)
    except UnfitError as error:
        assert "post 113" in str(error)  # noqa: PT017 - elsewhere it would be a failure
        return None


def fits(text: str, part: DraftPart, to: Capabilities) -> bool:
    if to.network is Network.X:
        return not text or x_valid(text, to.max_length)
    return mastodon_length(text, part.spoiler) <= to.max_length


@LENIENT
@given(posts, policies, contexts)
def test_every_part_would_be_taken(post: Post, policy: Policy, context: Context) -> None:
    draft, to = drafted(post, policy, context), target_of(post)
    if draft is None:
        return
    assert [part.index for part in draft.parts] == list(range(len(draft.parts)))
    for part in draft.parts:
        assert fits(part.text, part, to), (x_length(part.text), part.text)
        assert part.text or part.spoiler or part.media or part.repeat or part.quote or part.poll
        kinds = {each.kind for each in part.media}
        assert len(part.media) <= (to.max_media if kinds == {MediaKind.IMAGE} else 1)
        assert all(len(each.alt) <= to.max_alt_length for each in part.media)
        assert part.poll is None or not (part.media or part.quote)
        assert part.quote is None or (to.quotes and not part.media)
        if part.poll is not None:
            assert fits(part.poll.otherwise, part, to)
            assert all(
                label in part.poll.otherwise.replace("\u2060", "") for label in part.poll.options
            )
        if part.repeat is not None:
            assert len(draft.parts) == 1


@LENIENT
@given(posts, policies, contexts)
def test_nobody_is_pinged_in_any_of_its_texts(post: Post, policy: Policy, context: Context) -> None:
    draft, to = drafted(post, policy, context), target_of(post)
    scan = x_entities if to.network is Network.X else mastodon_entities
    for part in draft.parts if draft else ():
        for text in (part.text, part.poll.otherwise if part.poll else ""):
            assert SpanKind.MENTION not in {span.kind for span in scan(text)}


@LENIENT
@given(posts, policies, contexts)
def test_no_medium_is_lost_without_a_note(post: Post, policy: Policy, context: Context) -> None:
    draft = drafted(post, policy, context)
    if draft is None or post.repost is not None:
        return
    carried = [each.id for part in draft.parts for each in part.media]
    assert len(carried) == len(set(carried))
    assert set(carried) <= {each.id for each in post.media}
    if len(carried) < len(post.media):
        assert any("left out" in note for note in draft.notes)


@LENIENT
@given(posts, policies, contexts)
def test_the_price_is_the_sum_of_what_is_made(post: Post, policy: Policy, context: Context) -> None:
    draft, to = drafted(post, policy, context), target_of(post)
    if draft is None:
        return
    assert draft.price == sum(part.price for part in draft.parts)
    for part in draft.parts:
        linked = any(span.kind is SpanKind.LINK for span in x_entities(part.text))
        assert part.price == (
            0
            if to.prices is None
            else creation(
                to.prices,
                has_link=linked,
                media=len(part.media),
                alt_texts=sum(bool(each.alt) for each in part.media),
            )
        )
        assert not (linked and policy.links != "keep" and to.network is Network.X)


@LENIENT
@given(posts, policies, contexts)
def test_a_bound_on_the_price_never_makes_a_post_dearer(
    post: Post, policy: Policy, context: Context
) -> None:
    free = drafted(post, replace(policy, max_usd_per_post=None), context)
    bound = drafted(post, replace(policy, max_usd_per_post=Microdollars(1)), context)
    if free is not None and bound is not None:
        assert bound.price <= free.price


@LENIENT
@given(posts, policies, contexts)
def test_a_mirror_is_never_wider_than_configured(
    post: Post, policy: Policy, context: Context
) -> None:
    width = [Visibility.FOLLOWERS, Visibility.UNLISTED, Visibility.PUBLIC]
    draft, to = drafted(post, policy, context), target_of(post)
    for part in draft.parts if draft and to.network is Network.MASTODON else ():
        assert width.index(part.visibility) <= width.index(policy.visibility)
        assert not policy.within_default or part.visibility is not Visibility.PUBLIC


@LENIENT
@given(posts, policies, contexts)
def test_another_is_quoted_in_quotation_marks_or_not_at_all(
    post: Post, policy: Policy, context: Context
) -> None:
    quote = QuoteRef(PostId("7"), None, own=False, author="bob@b.co", text="Xyzzy plugh.")
    draft = drafted(replace(post, quote=quote, repost=None), policy, replace(context, quoted=None))
    for part in draft.parts if draft else ():
        assert part.text.count("Xyzzy") == part.text.count("“Xyzzy")


@LENIENT
@given(posts, policies, contexts)
def test_the_same_post_gives_the_same_draft(post: Post, policy: Policy, context: Context) -> None:
    assert drafted(post, policy, context) == drafted(post, policy, context)
