"""Twins: which post of the other side is the same one, and which only looks like it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.fingerprint import Match
from bridge.core.model import (
    AccountId,
    Media,
    MediaId,
    MediaKind,
    Network,
    Post,
    PostId,
    ReplyRef,
    RepostRef,
    Visibility,
)
from bridge.core.rules import History, Rules, decide
from bridge.core.text import Text
from bridge.core.twins import (
    COPIES_WITHIN,
    MOST_LIKELY,
    WINDOW,
    WINDOW_BESIDE_MIRROR,
    WINDOW_OF_FEW_WORDS,
    Counterpart,
    Sighting,
    Twin,
    fingerprint,
    likely,
    sighting,
    twin,
)
from bridge.core.verdict import Action, Reason

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ME = AccountId("me")
KEY = b"k" * 32
NEWS = "The old lighthouse by the harbour opens its doors to everybody this Sunday"
MINUTE = timedelta(minutes=1)


def post(text: str = NEWS, *, at: datetime = NOW, media: int = 0, name: str = "1") -> Post:
    attached = tuple(Media(MediaId(str(i)), MediaKind.IMAGE, None) for i in range(media))
    return Post(
        Network.MASTODON, PostId(name), ME, at, Text(text), Visibility.PUBLIC, media=attached
    )


def seen(text: str = NEWS, *, at: datetime = NOW, media: int = 0, name: str = "1") -> Sighting:
    found = sighting(post(text, at=at, media=media, name=name))
    assert found is not None
    return found


def counterpart(
    *,
    at: datetime = NOW,
    media: int | None = 0,
    mirrored: bool = False,
    same_text: bool = True,
    name: str = "9",
) -> Counterpart:
    return Counterpart(PostId(name), None, at, media, mirrored, same_text)


@pytest.mark.parametrize(
    ("text", "mirrored", "window"),
    [
        (NEWS, False, WINDOW),
        (NEWS, True, WINDOW_BESIDE_MIRROR),
        ("Good morning!", False, WINDOW_OF_FEW_WORDS),
        ("Good morning!", True, WINDOW_OF_FEW_WORDS),
        ("おはようございます", False, WINDOW_OF_FEW_WORDS),
        ("今日は港の古い灯台が日曜日に一般公開されます", False, WINDOW),
    ],
)
@pytest.mark.parametrize("way", [-1, 1])
def test_a_twin_is_written_within_its_window(
    text: str, mirrored: bool, window: timedelta, way: int
) -> None:
    inside = counterpart(at=NOW + way * window, mirrored=mirrored)
    outside = counterpart(at=NOW + way * (window + MINUTE), mirrored=mirrored)
    assert twin(seen(text), [inside, outside], {}) == Twin(Match.EXACT, inside)
    assert twin(seen(text), [outside], {}) is None


@pytest.mark.parametrize(
    ("text", "here", "there", "same"),
    [
        (NEWS, 1, 1, True),
        (NEWS, 1, 0, True),
        (NEWS, 0, 4, True),
        (NEWS, 1, 2, False),
        (NEWS, 1, None, True),
        ("New painting!", 1, 0, False),
        ("New painting!", 1, 1, True),
    ],
)
def test_media_must_not_contradict(text: str, here: int, there: int | None, same: bool) -> None:
    found = twin(seen(text, media=here), [counterpart(media=there)], {})
    assert (found is not None) is same


@pytest.mark.parametrize("way", [-1, 1])
def test_a_post_has_several_twins_only_within_the_time_in_which_tools_copy(way: int) -> None:
    first = NOW + way * COPIES_WITHIN
    found = counterpart()
    assert twin(seen(), [replace(found, twin_at=first)], {}) is not None
    assert twin(seen(), [replace(found, twin_at=first + way * MINUTE)], {}) is None
    alike = replace(found, twin_at=NOW, same_text=False)
    assert twin(seen(), [alike], {alike.id: Match.PREFIX}) is not None
    assert twin(seen(), [alike], {alike.id: Match.SIMILAR}) is None


def test_the_surest_twin_is_taken_and_then_the_nearest() -> None:
    far = counterpart(at=NOW - 5 * MINUTE, name="far")
    near = counterpart(at=NOW + MINUTE, name="near")
    alike = counterpart(name="alike", same_text=False)
    found = twin(seen(), [alike, far, near], {alike.id: Match.SIMILAR})
    assert found == Twin(Match.EXACT, near)


def test_what_neither_the_fingerprint_nor_the_text_matches_is_no_twin() -> None:
    assert twin(seen(), [counterpart(same_text=False)], {}) is None


def test_likely_twins_are_of_one_kind_and_time() -> None:
    reply = replace(seen(name="reply"), replies=True)
    old = seen(at=NOW - WINDOW - MINUTE, name="old")
    cut = seen(NEWS[:60] + "…", name="cut")
    other = seen("Something else altogether, with as many words as it takes", name="other")
    found = likely(seen(), [reply, old, cut, other, seen(name="same")])
    assert found == {"cut": Match.PREFIX, "same": Match.EXACT}


def test_only_so_many_are_compared_to_the_end() -> None:
    many = [seen(name=str(number)) for number in range(3 * MOST_LIKELY)]
    assert list(likely(seen(), many)) == [str(number) for number in range(MOST_LIKELY)]


@pytest.mark.parametrize(
    "one",
    [
        replace(post(), visibility=Visibility.DIRECT),
        replace(post(), visibility=Visibility.UNKNOWN),
        replace(post(), repost=RepostRef(PostId("0"))),
        replace(post(), in_reply_to=ReplyRef(PostId("0"), AccountId("somebody"))),
        post(""),
        post("", media=2),
        post("🧵 …"),
    ],
)
def test_what_is_not_own_writing_that_stands_somewhere_is_not_compared(one: Post) -> None:
    assert sighting(one) is None


def test_a_fingerprint_tells_kinds_numbers_and_keys_apart() -> None:
    reply = sighting(replace(post(), in_reply_to=ReplyRef(PostId("0"), ME)))
    assert reply is not None
    made = [
        fingerprint(seen(), KEY),
        fingerprint(reply, KEY),
        fingerprint(seen(NEWS + "\n1/3"), KEY),
        fingerprint(seen(NEWS + "\n2/3"), KEY),
        fingerprint(seen(), b"l" * 32),
    ]
    assert len(set(made)) == len(made)
    assert fingerprint(seen(NEWS.upper() + " https://t.co/x1"), KEY) == made[0]


words = st.lists(st.sampled_from(NEWS.split()), min_size=0, max_size=14).map(" ".join)
matches = st.sampled_from([Match.EXACT, Match.PREFIX, Match.SIMILAR])


@settings(deadline=None)
@given(words, words)
def test_promise_1_likeness_alone_never_skips_a_post(one: str, other: str) -> None:
    this, that = sighting(post(one)), sighting(post(other, name="9"))
    if this is None or that is None:
        return
    found = likely(this, [that])
    verdict = decide(
        post(one),
        Rules(frozenset({Visibility.PUBLIC})),
        History(twin=twin(this, [counterpart(same_text=False)], found)),
    )
    expected = {
        Match.EXACT: Action.SKIP,
        Match.PREFIX: Action.SKIP,
        Match.SIMILAR: Action.HOLD,
        Match.NONE: Action.MIRROR,
    }
    assert verdict.action is expected[found.get(that.id, Match.NONE)]


@given(matches, st.sampled_from(Visibility), st.booleans())
def test_a_twin_never_lets_a_post_pass_that_would_not(
    match: Match, visibility: Visibility, repost: bool
) -> None:
    one = replace(post(), visibility=visibility, repost=RepostRef(PostId("0")) if repost else None)
    rules = Rules(frozenset({Visibility.PUBLIC}))
    without = decide(one, rules, History())
    verdict = decide(one, rules, History(twin=Twin(match, counterpart())))
    if without.action is Action.SKIP:
        assert verdict == without
    else:
        assert verdict.reason in {Reason.SAME_POST, Reason.SIMILAR_POST}


def test_what_continues_a_post_with_a_twin_is_mirrored_below_it() -> None:
    reply = replace(post(), in_reply_to=ReplyRef(PostId("0"), ME))
    rules = Rules(frozenset({Visibility.PUBLIC}))
    assert decide(reply, rules, History()).reason is Reason.PARENT_NOT_MIRRORED
    assert decide(reply, rules, History(parent_has_twin=True)).reason is Reason.ALLOWED
