"""Which single posts cross: by marker, word, pattern, media, language, warning, boost, thread."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bridge.core.delivery import PostState
from bridge.core.model import AccountId, Post, PostId, QuoteRef, ReplyRef, RepostRef, Visibility
from bridge.core.rules import History, Rules, continues_mirror, decide
from bridge.core.switches import Marker, marker
from bridge.core.verdict import Action, Reason, Verdict
from tests.fixtures.composing import pictures, poll, toot, tweet

RULES = Rules(frozenset({Visibility.PUBLIC}))
ME = AccountId("me")
NOTHING_KNOWN = History()
GOES_ON = ReplyRef(PostId("0"), ME)


def judged(post: Post, history: History = NOTHING_KNOWN, **rules: object) -> Verdict:
    return decide(post, replace(RULES, **rules), history)  # type: ignore[arg-type]


def reason(post: Post, history: History = NOTHING_KNOWN, **rules: object) -> Reason:
    return judged(post, history, **rules).reason


@pytest.mark.parametrize("text", ["Not for them #noxp", "#NoXP", "quietly #noxp, please"])
def test_noxp_keeps_a_post_where_it_is_without_being_asked_to(text: str) -> None:
    for post in (toot(text), tweet(text)):
        verdict = judged(post)
        assert (verdict.action, verdict.reason) == (Action.SKIP, Reason.NEVER_WITH)
        assert verdict.detail == "#noxp"


@pytest.mark.parametrize("text", ["#noxpress", "noxp"])
def test_what_is_not_the_marker_is_not_taken_for_it(text: str) -> None:
    assert reason(toot(text)) is Reason.ALLOWED


def test_the_marker_can_be_another_or_none() -> None:
    assert reason(toot("a #noxp"), never_with=()) is Reason.ALLOWED
    assert reason(toot("a 🚫"), never_with=(marker("🚫"),)) is Reason.NEVER_WITH


@pytest.mark.parametrize(
    ("written", "post"),
    [
        ("#xp", toot("News #XP")),
        ("breaking news", toot("This is Breaking News!")),
        (r"/\bv\d+\.\d+/", toot("Released V1.2")),
        ("spoiler", toot("text", spoiler="Spoiler: all")),
        ("tea", toot("Which?", poll=poll("Tea", "Coffee"))),
        ("猫", toot("これは 猫 です")),
    ],
)
def test_only_posts_with_one_of_these_cross(written: str, post: Post) -> None:
    assert reason(post, only_with=(marker("#other"), marker(written))) is Reason.ALLOWED
    verdict = judged(toot("Something else"), only_with=(marker("#other"), marker(written)))
    assert verdict.reason is Reason.ONLY_WITH
    assert verdict.detail == f"#other, {written}"


def test_never_is_stronger_than_only() -> None:
    assert reason(toot("#xp #noxp"), only_with=(marker("#xp"),)) is Reason.NEVER_WITH


def test_what_goes_on_with_a_thread_that_crossed_needs_no_marker_but_may_be_kept() -> None:
    there = History(parent=PostState.DELIVERED)
    only = (marker("#xp"),)
    assert reason(toot("and more", in_reply_to=GOES_ON), there, only_with=only) is Reason.ALLOWED
    assert reason(toot("no #noxp", in_reply_to=GOES_ON), there) is Reason.NEVER_WITH


@pytest.mark.parametrize("written", ["", " ", "#", "x" * 501, "/(/"])
def test_a_marker_that_makes_no_sense_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        marker(written)


def test_only_posts_with_media_cross_by_choice() -> None:
    assert reason(toot("words"), media_only=True) is Reason.MEDIA_ONLY
    assert reason(toot("", media=pictures(1)), media_only=True) is Reason.ALLOWED


@pytest.mark.parametrize(
    ("language", "crosses"),
    [("en", True), ("EN", True), ("pt-BR", True), ("pt_BR", True), ("pt", False), ("de", False),
     ("de-AT", True), (None, True)],
)  # fmt: skip
def test_only_posts_in_these_languages_cross(language: str | None, *, crosses: bool) -> None:
    wanted = frozenset({"en", "pt-br", "de-AT"})
    found = reason(toot("words", language=language), languages=wanted)
    assert found is (Reason.ALLOWED if crosses else Reason.LANGUAGE)


def test_a_language_includes_its_regions() -> None:
    assert reason(toot("x", language="pt-BR"), languages=frozenset({"pt"})) is Reason.ALLOWED


def test_posts_with_a_content_warning_are_skipped_by_choice() -> None:
    verdict = judged(toot("Body", spoiler="eyes"), skip_warned=True)
    assert (verdict.reason, verdict.detail) == (Reason.CONTENT_WARNING, "eyes")
    about = {"spider": "spiders"}
    assert judged(toot("A spider"), skip_warned=True, warn_about=about).detail == "spiders"
    assert reason(toot("A bee"), skip_warned=True, warn_about=about) is Reason.ALLOWED


OWN = RepostRef(PostId("7"), "https://mastodon.social/@ada/7", own=True)
BOBS = RepostRef(PostId("7"), "https://mastodon.social/@bob/7", author="bob@mastodon.social")
THERE = History(reposted=True)


@pytest.mark.parametrize(
    ("boosts", "repost", "history", "expected"),
    [
        ("skip", OWN, THERE, Reason.REPOST),
        ("own", OWN, THERE, Reason.ALLOWED),
        ("own", OWN, History(), Reason.REPOST_WITHOUT_MIRROR),
        ("own", BOBS, History(), Reason.REPOST),
        ("all", OWN, THERE, Reason.ALLOWED),
        ("all", OWN, History(), Reason.REPOST_WITHOUT_MIRROR),
        ("all", BOBS, History(), Reason.ALLOWED),
        ("all", replace(BOBS, url=None), History(), Reason.NOTHING_TO_CARRY),
    ],
)
def test_which_boosts_cross(
    boosts: str, repost: RepostRef, history: History, expected: Reason
) -> None:
    assert reason(toot("Their words", repost=repost), history, boosts=boosts) is expected


def test_a_boost_that_fewer_may_see_stays_whatever_the_choice() -> None:
    post = toot("x", repost=BOBS, visibility=Visibility.FOLLOWERS)
    assert reason(post, boosts="all") is Reason.AUDIENCE


@pytest.mark.parametrize("parent", [None, PostState.SKIPPED, PostState.FAILED, PostState.DROPPED])
def test_a_thread_may_begin_with_a_post_whose_parent_has_no_mirror(
    parent: PostState | None,
) -> None:
    post, history = toot("and more", in_reply_to=GOES_ON), History(parent=parent)
    assert reason(post, history) is Reason.PARENT_NOT_MIRRORED
    assert reason(post, history, threads="root") is Reason.ALLOWED
    assert not continues_mirror(post, history)


def test_replies_to_others_never_cross_as_the_beginning_of_anything() -> None:
    for reply in (ReplyRef(PostId("0"), AccountId("other")), ReplyRef(None, None)):
        assert reason(toot("no", in_reply_to=reply), threads="root") is Reason.REPLY


def test_a_thread_begun_so_is_asked_for_its_marker() -> None:
    post = toot("and more", in_reply_to=GOES_ON)
    assert reason(post, threads="root", only_with=(Marker("#xp"),)) is Reason.ONLY_WITH


@pytest.mark.parametrize(
    "post",
    [
        toot("", media=pictures(1)),
        toot("", quote=QuoteRef(PostId("1"), None)),
        toot("", poll=poll("A", "B")),
        toot("", spoiler="w"),
    ],
)
def test_a_post_without_words_has_something_to_carry(post: Post) -> None:
    assert reason(post) is Reason.ALLOWED


@pytest.mark.parametrize("make", [toot, tweet])
def test_markers_hold_for_reposts_of_other_people_as_for_own_posts(
    make: Callable[..., Post],
) -> None:
    only = (marker("#xp"),)
    plain, marked = make("Bob's words", repost=BOBS), make("Bob's words #xp", repost=BOBS)
    assert reason(plain, boosts="all") is Reason.ALLOWED
    assert reason(plain, boosts="all", only_with=only) is Reason.ONLY_WITH
    assert reason(marked, boosts="all", only_with=only) is Reason.ALLOWED
    assert reason(make("Bob's #noxp", repost=BOBS), boosts="all") is Reason.NEVER_WITH
