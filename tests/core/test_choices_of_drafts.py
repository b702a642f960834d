"""Long texts, links, prices, visibility and markers: what may be chosen, and what it costs."""

from dataclasses import replace

import pytest

from bridge.core.compose import compose
from bridge.core.entities import mastodon_entities, x_entities
from bridge.core.lengths import mastodon_length, x_valid
from bridge.core.linking import with_links_as
from bridge.core.model import Microdollars, Visibility
from bridge.core.policy import Policy
from bridge.core.rules import too_dear
from bridge.core.text import Span, SpanKind, Text
from bridge.core.verdict import Action, Reason
from tests.fixtures.composing import (
    CONTEXT,
    MASTODON,
    SOURCE,
    X,
    poll,
    texts,
    to_mastodon,
    to_x,
    toot,
    tweet,
)

LONG = "A sentence that is neither short nor long. " * 20
LINK = "https://example.com/a.html?b=c"


def test_a_long_text_can_be_cut_short_instead_of_threaded() -> None:
    (part,) = (draft := to_x(toot(LONG), long_text="truncate")).parts
    assert part.text.endswith("nor long. …")
    assert x_valid(part.text)
    assert draft.notes == ("too long for one post: cut short ($0.015; as a thread of 4 $0.06)",)


def test_a_cut_text_can_link_to_the_whole_and_the_note_tells_what_that_costs() -> None:
    (part,) = (draft := to_x(toot(LONG), long_text="truncate_with_link")).parts
    assert part.text.endswith(f" …\n\n{SOURCE}")
    assert x_valid(part.text)
    assert part.price == 200_000
    assert draft.notes == (
        "too long for one post: cut short with a link to the whole ($0.20; as a thread of 4 $0.06)",
    )


def test_what_fits_is_never_cut_nor_linked() -> None:
    for choice in ("truncate", "truncate_with_link"):
        assert texts(to_x(toot("Short."), long_text=choice)) == ["Short."]


def test_what_stands_beside_a_text_is_not_cut_with_it() -> None:
    post = toot(LONG, poll=poll("Tea", "Coffee"), spoiler="hot")
    (text,) = texts(to_x(post, polls="text", long_text="truncate"))
    assert text.startswith("CW: hot\n\nA sentence")
    assert text.endswith(" …\n\n○ Tea\n○ Coffee")


def test_a_cut_is_made_on_mastodon_without_a_word_of_price() -> None:
    (part,) = (draft := to_mastodon(tweet(LONG), long_text="truncate_with_link")).parts
    assert mastodon_length(part.text) <= 500
    assert part.text.endswith("https://x.com/ada/status/113")
    assert draft.notes == ("too long for one post: cut short with a link to the whole",)


@pytest.mark.parametrize("word", ["a.com.", "@a", "語", "x", "👩‍🚀", "@jack://"])
def test_a_word_that_no_part_can_hold_is_cut_and_makes_nothing_new(word: str) -> None:
    (text,) = texts(to_x(toot(word * 1000), long_text="truncate"))
    assert x_valid(text)
    assert x_entities(text) == ()
    assert text.endswith("…")


def test_a_text_that_no_thread_could_hold_can_still_be_cut_short() -> None:
    small = replace(X, max_length=20)
    policy = Policy(long_text="truncate")
    draft = compose(toot("Words, and then https://example.com/a"), small, policy, CONTEXT)
    assert texts(draft) == ["Words, and then…"]
    assert draft.notes == ("too long for one post: cut short ($0.015)",)


def test_links_can_be_written_so_that_they_are_none() -> None:
    draft = to_x(toot(f"See {LINK} now"), links="defuse")
    assert texts(draft) == ["See example\u2060.com/a.html?b=c now"]
    assert draft.price == 15_000
    assert draft.notes == ("a link made unclickable: $0.015 and not $0.20",)


def test_links_can_be_dropped() -> None:
    draft = to_x(toot(f"See {LINK} and {LINK}\n{LINK}\n\nBye"), links="drop")
    assert texts(draft) == ["See and\n\nBye"]
    assert draft.notes == ("3 links left out: $0.015 and not $0.20",)


@pytest.mark.parametrize("choice", ["defuse", "drop"])
@pytest.mark.parametrize(
    "text",
    [
        "https://example.com",
        "https://medium.com/@jack/a.co",
        "http://a.co http://b.co/c.so/@d",
        "https://user@host.com:80/x?y=z.com",
        "(https://example.com/(a))",
        "HTTPS://EXAMPLE.COM",
        "https://例え.jp/パス",
    ],
)
def test_no_link_and_no_mention_is_left_of_any_link(text: str, choice: str) -> None:
    """Also where nobody marked it as one: in a content warning, or in words typed."""
    for spans in ((), (Span(0, len(text), SpanKind.LINK, text),)):
        post = toot("Look: ", spoiler=f"w {text}", poll=poll("A", text))
        post = replace(post, text=Text(text, spans))
        draft = to_x(post, links=choice)
        assert {part.price for part in draft.parts} == {15_000}
        assert not any(x_entities(part.text) for part in draft.parts)


def test_spans_move_along_with_what_is_done_to_links() -> None:
    text = Text(
        f"{LINK} #tag", (Span(0, 30, SpanKind.LINK, LINK), Span(31, 35, SpanKind.HASHTAG, "tag"))
    )
    for choice in ("defuse", "drop"):
        changed, count = with_links_as(text, choice)
        (span,) = changed.spans
        assert changed.plain[span.start : span.end] == "#tag"
        assert count == 1


def test_a_post_that_costs_too_much_loses_its_links_first() -> None:
    draft = to_x(toot(f"See {LINK}"), max_usd_per_post=50_000)
    assert texts(draft) == ["See example\u2060.com/a.html?b=c"]
    assert draft.notes[-1] == (
        "links made unclickable since $0.20 is more than a post may cost ($0.05): $0.015"
    )
    assert too_dear(draft, Policy(max_usd_per_post=Microdollars(50_000))) is None


def test_a_post_within_its_bound_keeps_its_links() -> None:
    assert to_x(toot(f"See {LINK}"), max_usd_per_post=200_000).price == 200_000


def test_a_post_that_is_still_too_dear_is_held_with_its_price() -> None:
    policy = Policy(max_usd_per_post=Microdollars(20_000))
    verdict = too_dear(compose(toot(LONG), X, policy, CONTEXT), policy)
    assert verdict is not None
    assert (verdict.action, verdict.reason) == (Action.HOLD, Reason.TOO_DEAR)
    assert verdict.detail == "$0.06 and not $0.02 at most"


@pytest.mark.parametrize("text", ["plain words", LONG, f"See {LINK}"])
def test_a_price_exactly_at_the_limit_is_allowed_and_one_above_it_is_not(text: str) -> None:
    draft = to_x(toot(text))
    at_limit = Policy(max_usd_per_post=draft.price)
    assert too_dear(draft, at_limit) is None
    assert to_x(toot(text), max_usd_per_post=draft.price).notes == draft.notes
    below = too_dear(draft, Policy(max_usd_per_post=Microdollars(draft.price - 1)))
    assert below is not None
    assert (below.action, below.reason) == (Action.HOLD, Reason.TOO_DEAR)


def test_defusing_that_saves_nothing_is_not_done() -> None:
    draft = to_x(toot("plain words"), max_usd_per_post=1)
    assert draft.notes == ()


def test_a_mirror_is_no_wider_than_the_accounts_default_when_told_so() -> None:
    def seen(default: Visibility | None, **policy: object) -> tuple[Visibility, tuple[str, ...]]:
        to = replace(MASTODON, default_visibility=default)
        draft = compose(tweet("Hello"), to, Policy(**policy), CONTEXT)  # type: ignore[arg-type]
        return draft.parts[0].visibility, draft.notes

    told = {"within_default": True}
    assert seen(Visibility.UNLISTED)[0] is Visibility.PUBLIC
    assert seen(Visibility.UNLISTED, **told) == (
        Visibility.UNLISTED,
        ("unlisted and not public: the account's own default",),
    )
    assert seen(Visibility.FOLLOWERS, **told)[0] is Visibility.FOLLOWERS
    assert seen(Visibility.PUBLIC, visibility=Visibility.UNLISTED, **told) == (
        Visibility.UNLISTED,
        (),
    )
    assert seen(None, **told)[0] is Visibility.PUBLIC
    assert seen(Visibility.UNKNOWN, **told)[0] is Visibility.PUBLIC


def test_hashtags_that_only_told_the_bridge_what_to_do_may_be_hidden() -> None:
    hidden = frozenset({"xp"})
    draft = to_mastodon(tweet("News of the day #XP #news"), hidden_tags=hidden)
    assert texts(draft) == ["News of the day #news"]
    assert draft.notes == ("hashtag left out, as configured: #XP",)
    assert texts(to_mastodon(tweet("#xp News"), hidden_tags=hidden)) == ["News"]
    assert texts(to_mastodon(tweet("News #xp"))) == ["News #xp"]


def test_a_text_of_fifty_thousand_letters_is_done_with_at_once() -> None:
    post = toot(("https://a.co/b @jack #tag word. " * 1_600)[:50_000])
    for changes in (
        {"links": "defuse"},
        {"links": "drop"},
        {"long_text": "truncate_with_link"},
        {"max_usd_per_post": 1},
        {"warn_about": {"word": "words"}},
    ):
        assert to_x(post, **changes).parts  # within the time limit of every test
    assert mastodon_entities("") == ()
