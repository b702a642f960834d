"""Promise 3, not wider, and the other reasons for which a post stays where it is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.delivery import PostState
from bridge.core.guards import NEVER_WIDENED
from bridge.core.model import (
    AccountId,
    Kind,
    Media,
    MediaId,
    MediaKind,
    Network,
    Post,
    PostId,
    QuoteRef,
    ReplyRef,
    RepostRef,
    Visibility,
)
from bridge.core.rules import History, Rules, decide
from bridge.core.switches import Marker
from bridge.core.text import Text
from bridge.core.verdict import SENTENCES, Action, Reason, Verdict

ME, NOW = AccountId("me"), datetime(2026, 11, 22, tzinfo=UTC)
PUBLIC = Rules(frozenset({Visibility.PUBLIC}))

audiences = st.frozensets(st.sampled_from([Visibility.PUBLIC, Visibility.UNLISTED]))
replies = st.none() | st.builds(
    ReplyRef,
    st.none() | st.just(PostId("p")),
    st.sampled_from([None, ME, AccountId("other")]),
)
posts = st.builds(
    Post,
    network=st.sampled_from(Network),
    id=st.just(PostId("1")),
    author=st.just(ME),
    created_at=st.datetimes(timezones=st.just(UTC)),
    text=st.builds(Text, st.text(max_size=5)),
    visibility=st.sampled_from(Visibility),
    in_reply_to=replies,
    repost=st.none() | st.builds(RepostRef, st.just(PostId("r")), st.just("u"), st.booleans()),
    quote=st.none() | st.just(QuoteRef(None, None)),
)
histories = st.builds(
    History,
    echo_of=st.none() | st.just(PostId("e")),
    baseline=st.booleans(),
    floor=st.none() | st.datetimes(timezones=st.just(UTC)),
    parent=st.none() | st.sampled_from(PostState),
    parent_is_mirror=st.booleans(),
    reposted=st.booleans(),
)


def post(**changes: object) -> Post:
    given = {
        "network": Network.MASTODON,
        "id": PostId("1"),
        "author": ME,
        "created_at": NOW,
        "text": Text("Hello"),
        "visibility": Visibility.PUBLIC,
    }
    return Post(**(given | changes))  # type: ignore[arg-type] # a test's shorthand


rules = st.builds(
    Rules,
    audiences,
    boosts=st.sampled_from(["skip", "own", "all"]),
    threads=st.sampled_from(["skip", "root"]),
    only_with=st.sampled_from([(), (Marker("#xp"),)]),
    never_with=st.sampled_from([(), (Marker("#noxp"),)]),
    media_only=st.booleans(),
    languages=st.sampled_from([frozenset[str](), frozenset({"en"})]),
    skip_warned=st.booleans(),
)


@given(posts, rules, histories)
def test_promise_3_what_crosses_was_public_enough_whatever_else_is_true(
    one: Post, chosen: Rules, history: History
) -> None:
    verdict = decide(one, chosen, history)
    if verdict.action is not Action.SKIP:
        assert one.visibility in chosen.audiences
        assert one.visibility not in NEVER_WIDENED


@given(posts, audiences, histories)
def test_promise_4_and_5_echoes_and_old_posts_never_cross(
    one: Post, allowed: frozenset[Visibility], history: History
) -> None:
    if decide(one, Rules(allowed), history).action is Action.MIRROR:
        assert history.echo_of is None
        assert not history.baseline
        assert history.floor is None or one.created_at >= history.floor


@given(posts, audiences, histories)
def test_only_own_writing_crosses(
    one: Post, allowed: frozenset[Visibility], history: History
) -> None:
    if decide(one, Rules(allowed), history).action is Action.MIRROR:
        assert one.kind in {Kind.ORIGINAL, Kind.THREAD} or one.in_reply_to is not None
        assert one.in_reply_to is None or one.in_reply_to.account in {None, ME}


@given(posts, audiences, histories)
def test_promise_7_every_verdict_has_words(
    one: Post, allowed: frozenset[Visibility], history: History
) -> None:
    sentence = decide(one, Rules(allowed), history).sentence
    assert sentence.split(": ", 1)[1]


def test_every_reason_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Reason)


@pytest.mark.parametrize("audience", sorted(NEVER_WIDENED))
def test_no_rule_can_list_an_audience_that_must_not_be_widened(audience: Visibility) -> None:
    with pytest.raises(ValueError, match="never be listed"):
        Rules(frozenset({audience}))


@pytest.mark.parametrize(
    ("one", "history", "reason"),
    [
        (post(visibility=Visibility.UNKNOWN), History(), Reason.AUDIENCE_UNKNOWN),
        (post(visibility=Visibility.DIRECT), History(), Reason.AUDIENCE),
        (post(visibility=Visibility.UNLISTED), History(), Reason.AUDIENCE),
        (
            post(network=Network.X, visibility=Visibility.FOLLOWERS),
            History(),
            Reason.PROTECTED,
        ),
        (post(), History(echo_of=PostId("0")), Reason.ECHO),
        (post(), History(baseline=True), Reason.BEFORE_START),
        (post(), History(floor=NOW + timedelta(seconds=1)), Reason.BEFORE_START),
        (post(repost=RepostRef(PostId("0"))), History(), Reason.REPOST),
        (
            post(in_reply_to=ReplyRef(PostId("0"), AccountId("other"))),
            History(),
            Reason.REPLY,
        ),
        (post(in_reply_to=ReplyRef(None, None)), History(), Reason.REPLY),
        (post(in_reply_to=ReplyRef(PostId("0"), ME)), History(), Reason.PARENT_NOT_MIRRORED),
        (
            post(in_reply_to=ReplyRef(PostId("0"), ME)),
            History(parent=PostState.SKIPPED),
            Reason.PARENT_NOT_MIRRORED,
        ),
        (post(text=Text(" \n")), History(), Reason.NOTHING_TO_CARRY),
        (
            post(text=Text(""), media=(Media(MediaId("m"), MediaKind.IMAGE, None),)),
            History(),
            Reason.ALLOWED,
        ),
        (post(text=Text(""), spoiler="only a warning"), History(), Reason.ALLOWED),
        (post(), History(floor=NOW), Reason.ALLOWED),
        (
            post(in_reply_to=ReplyRef(PostId("0"), ME)),
            History(parent=PostState.PLANNED),
            Reason.ALLOWED,
        ),
        (
            post(in_reply_to=ReplyRef(PostId("0"), None)),
            History(parent=PostState.DELIVERED),
            Reason.ALLOWED,
        ),
        (
            post(in_reply_to=ReplyRef(PostId("0"), ME)),
            History(parent_is_mirror=True),
            Reason.ALLOWED,
        ),
    ],
)
def test_each_post_is_judged_for_its_own_reason(
    one: Post, history: History, reason: Reason
) -> None:
    assert decide(one, PUBLIC, history).reason is reason


REPLY_TO_OTHER = ReplyRef(PostId("0"), AccountId("other"))
REPLY_TO_OWN = ReplyRef(PostId("0"), ME)
OWN_BOOST, BOBS_BOOST = RepostRef(PostId("7"), "u", own=True), RepostRef(PostId("7"), "u")
XP, NOXP = Marker("#xp"), Marker("#noxp")


@pytest.mark.parametrize(
    ("one", "rules", "history", "verdict"),
    [
        ({}, {}, {}, (Action.MIRROR, Reason.ALLOWED, "")),
        ({}, {}, {"echo_of": PostId("e")}, (Action.SKIP, Reason.ECHO, "mirror of e")),
        ({}, {}, {"baseline": True}, (Action.SKIP, Reason.BEFORE_START, "")),
        (
            {"visibility": Visibility.UNLISTED},
            {},
            {},
            (Action.SKIP, Reason.AUDIENCE, "unlisted"),
        ),
        (
            {"visibility": Visibility.FOLLOWERS},
            {},
            {},
            (Action.SKIP, Reason.AUDIENCE, "followers only"),
        ),
        ({"visibility": Visibility.DIRECT}, {}, {}, (Action.SKIP, Reason.AUDIENCE, "direct")),
        ({"visibility": Visibility.UNKNOWN}, {}, {}, (Action.SKIP, Reason.AUDIENCE_UNKNOWN, "")),
        ({"repost": BOBS_BOOST}, {}, {}, (Action.SKIP, Reason.REPOST, "")),
        (
            {"repost": BOBS_BOOST},
            {"boosts": "own"},
            {},
            (Action.SKIP, Reason.REPOST, "somebody else's"),
        ),
        (
            {"repost": OWN_BOOST},
            {"boosts": "own"},
            {},
            (Action.SKIP, Reason.REPOST_WITHOUT_MIRROR, ""),
        ),
        (
            {"repost": OWN_BOOST},
            {"boosts": "own"},
            {"reposted": True},
            (Action.MIRROR, Reason.ALLOWED, ""),
        ),
        (
            {"repost": RepostRef(PostId("7"))},
            {"boosts": "all"},
            {},
            (Action.SKIP, Reason.NOTHING_TO_CARRY, "its address is not known"),
        ),
        ({"in_reply_to": REPLY_TO_OTHER}, {}, {}, (Action.SKIP, Reason.REPLY, "")),
        ({"in_reply_to": REPLY_TO_OWN}, {}, {}, (Action.SKIP, Reason.PARENT_NOT_MIRRORED, "")),
        (
            {"text": Text(" \n")},
            {},
            {},
            (Action.SKIP, Reason.NOTHING_TO_CARRY, "an empty post"),
        ),
        (
            {"text": Text("a #noxp")},
            {"never_with": (XP, NOXP)},
            {},
            (Action.SKIP, Reason.NEVER_WITH, "#noxp"),
        ),
        (
            {},
            {"only_with": (XP, Marker("news"))},
            {},
            (Action.SKIP, Reason.ONLY_WITH, "#xp, news"),
        ),
        ({}, {"media_only": True}, {}, (Action.SKIP, Reason.MEDIA_ONLY, "")),
        (
            {"language": "de"},
            {"languages": frozenset({"en"})},
            {},
            (Action.SKIP, Reason.LANGUAGE, "de"),
        ),
        (
            {"spoiler": "eyes"},
            {"skip_warned": True},
            {},
            (Action.SKIP, Reason.CONTENT_WARNING, "eyes"),
        ),
        (
            {},
            {},
            {"late": Verdict(Action.SKIP, Reason.TOO_OLD, "d")},
            (Action.SKIP, Reason.TOO_OLD, "d"),
        ),
    ],
)
def test_every_verdict_has_its_action_reason_and_detail(
    one: dict[str, object],
    rules: dict[str, object],
    history: dict[str, object],
    verdict: tuple[Action, Reason, str],
) -> None:
    found = decide(post(**one), replace(PUBLIC, **rules), History(**history))  # type: ignore[arg-type] # a test's shorthand
    assert (found.action, found.reason, found.detail) == verdict
