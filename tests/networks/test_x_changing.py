"""Polls, edits, reposts and deletions on X: each sent once, and truthfully told."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from bridge.core.draft import DraftMedia, DraftPart, DraftPoll
from bridge.core.errors import InDoubt, NetworkError, Refused, Throttled, Transient
from bridge.core.model import Kind, MediaId, MediaKind, Microdollars, PostId
from bridge.core.prices import FREE, X_PRICES
from bridge.core.record import Cursor
from bridge.ports import LocalMedia
from bridge.sandbox.clock import SandboxClock
from bridge.sandbox.faults import Fault
from bridge.sandbox.server import serve
from bridge.sandbox.x import XSandbox
from tests.conformance.networks.contract import EVER, part
from tests.fakes import VirtualClock
from tests.fixtures.x import ServedX
from tests.fixtures.x_client import PNG
from tests.networks.x_stage import (
    CREATE,
    OddX,
    adapter_for,
    nothing_known,
    oauth1_of,
    odd_x,
    problem,
    served_x,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DELETE, LOOK = "DELETE /2/tweets/99", "GET /2/tweets/99"
REPOST, TAKE_BACK = "POST /2/users/7/retweets", "DELETE /2/users/7/retweets/99"
GONE = {
    "title": "Not Found Error",
    "type": "https://api.x.com/2/problems/resource-not-found",
    "resource_type": "tweet",
    "resource_id": "99",
    "detail": "Could not find tweet with id: [99].",
}


@pytest.fixture
async def odd() -> AsyncIterator[OddX]:
    async with odd_x() as server:
        server.says(CREATE, problem(201, data={"id": "99"}))
        yield server


@pytest.fixture
async def premium() -> AsyncIterator[ServedX]:
    async with served_x(premium=True) as running:
        yield running


def poll_of(left: timedelta, *, multiple: bool = False, options: int = 2) -> DraftPart:
    answers = ("tea", "coffee", "milk", "x" * 25)[:options]
    poll = DraftPoll(answers, NOW + left, multiple, "What?\n\n- tea\n- coffee\nsee example.org")
    return DraftPart(0, "What?", Microdollars(0), poll=poll)


def repeat_of(post: str) -> DraftPart:
    return DraftPart(0, "", Microdollars(0), repeat=PostId(post))


@pytest.mark.parametrize(
    ("left", "minutes"),
    [
        (timedelta(minutes=5), 5),
        (timedelta(hours=1, seconds=59), 60),
        (timedelta(days=7), 10_080),
        (timedelta(days=30), 10_080),
    ],
)
async def test_a_poll_runs_for_the_whole_minutes_that_are_left_of_it(
    odd: OddX, left: timedelta, minutes: int
) -> None:
    async with adapter_for(odd.url, clock=VirtualClock(NOW)) as adapter:
        receipt = await adapter.publish(poll_of(left), reply_to=PostId("1"), key="k")
    assert json.loads(odd.asked(CREATE)[0].body) == {
        "text": "What?",
        "poll": {"options": ["tea", "coffee"], "duration_minutes": minutes},
        "reply": {"in_reply_to_tweet_id": "1"},
    }
    assert (receipt.cost, receipt.note) == (X_PRICES.create, "")


@pytest.mark.parametrize(
    ("left", "multiple"),
    [
        (timedelta(minutes=4, seconds=59), False),
        (timedelta(), False),
        (timedelta(days=-9), False),
        (timedelta(days=1), True),
    ],
)
async def test_a_poll_that_x_cannot_have_any_more_is_said_in_words_at_their_price(
    odd: OddX, left: timedelta, multiple: bool
) -> None:
    async with adapter_for(odd.url, clock=VirtualClock(NOW)) as adapter:
        receipt = await adapter.publish(poll_of(left, multiple=multiple), reply_to=None, key="k")
    words = "What?\n\n- tea\n- coffee\nsee example.org"
    assert json.loads(odd.asked(CREATE)[0].body) == {"text": words}
    assert receipt.cost == X_PRICES.create_with_link
    assert "in words" in receipt.note


async def test_a_poll_comes_back_with_its_answers_and_its_end() -> None:
    clock = VirtualClock(NOW)
    sandbox = XSandbox(SandboxClock(clock.now))
    ada = sandbox.add_account("ada", "Ada")
    async with serve(sandbox.app) as url, adapter_for(url, oauth1_of(ada), clock=clock) as adapter:
        await adapter.publish(poll_of(timedelta(hours=2), options=4), reply_to=None, key="k")
        (post,) = (await adapter.recent(EVER)).posts
        clock.pass_time(3 * 3600)
        (later,) = (await adapter.window(1)).posts
    assert post.poll is not None
    assert later.poll is not None
    assert [option.label for option in post.poll.options] == ["tea", "coffee", "milk", "x" * 25]
    assert (post.poll.ends_at, post.poll.closed) == (NOW + timedelta(hours=2), False)
    assert later.poll.closed


@pytest.mark.parametrize(
    ("sent", "media"),
    [
        (poll_of(timedelta(days=1)), ["1"]),
        (part("x"), ["1", "2", "3", "4", "5"]),
        (DraftPart(0, "so true", Microdollars(0), quote=PostId("8")), []),
    ],
)
async def test_what_x_has_no_place_for_is_refused_before_it_is_sent(
    odd: OddX, sent: DraftPart, media: list[str]
) -> None:
    async with adapter_for(odd.url, clock=VirtualClock(NOW), premium=True) as adapter:
        given = [MediaId(each) for each in media]
        with pytest.raises(Refused):
            await adapter.publish(sent, reply_to=None, key="k", media=given)
        with pytest.raises(Refused):
            await adapter.revise(PostId("1"), sent, media=given)
    assert odd.seen == []


async def test_media_are_named_in_their_order(odd: OddX) -> None:
    async with adapter_for(odd.url) as adapter:
        media = [MediaId(each) for each in ("3", "1", "2")]
        await adapter.publish(part(""), reply_to=None, key="k", media=media)
    sent = json.loads(odd.asked(CREATE)[0].body)
    assert sent == {"text": "", "media": {"media_ids": ["3", "1", "2"]}}


async def test_an_edit_is_another_post_in_the_place_of_the_old_one(premium: ServedX) -> None:
    credentials = oauth1_of(premium.account)
    async with adapter_for(premium.url, credentials, premium=True) as adapter:
        first = await adapter.publish(part("tpyo"), reply_to=None, key="k")
        second = await adapter.publish(part("below"), reply_to=first.id, key="l")
        edited = await adapter.revise(first.id, part("typo, see example.org"))
        thread = await adapter.revise(second.id, part("still below"))
        posts = {post.text.plain: post for post in (await adapter.recent(EVER)).posts}
    assert edited.id != first.id
    assert edited.url == f"{premium.url}/ada/status/{edited.id}"
    assert edited.cost == X_PRICES.create_with_link
    changed = posts["typo, see http://example.org"]
    assert changed.ids == (first.id, edited.id)
    assert posts["still below"].kind is Kind.THREAD
    assert posts["still below"].id == thread.id
    told = first.cost + second.cost + edited.cost + thread.cost
    assert told == sum(one.amount for one in premium.sandbox.bill() if "create" in one.kind)


async def test_what_cannot_be_edited_is_refused(premium: ServedX) -> None:
    credentials = oauth1_of(premium.account)
    clock = premium.sandbox.clock
    async with adapter_for(premium.url, credentials, premium=True) as adapter:
        made = (await adapter.publish(part("0"), reply_to=None, key="k")).id
        first = made
        for number in range(1, 6):
            made = (await adapter.revise(made, part(str(number)))).id
        # X words these as it words an account that it keeps from posting.
        with pytest.raises(Transient):
            await adapter.revise(made, part("a sixth time"))
        with pytest.raises(Transient):
            await adapter.revise(first, part("not the latest"))
        late = (await adapter.publish(part("late"), reply_to=None, key="l")).id
        clock.shift(3601)
        with pytest.raises(Transient):
            await adapter.revise(late, part("too late"))
        with pytest.raises(Refused, match="repost"):
            await adapter.revise(PostId("repost-of-1"), part("x"))
        with pytest.raises(Refused, match="poll"):
            await adapter.revise(late, poll_of(timedelta(days=1)))
    async with adapter_for(premium.url, credentials) as adapter:
        with pytest.raises(Refused, match="Premium"):
            await adapter.revise(late, part("without Premium"))


async def test_an_unclear_edit_is_in_doubt_and_sent_once(odd: OddX) -> None:
    odd.says(CREATE, problem(503))
    async with adapter_for(odd.url, premium=True) as adapter:
        with pytest.raises(InDoubt):
            await adapter.revise(PostId("98"), part("x"))
    (sent,) = odd.asked(CREATE)
    assert json.loads(sent.body) == {"text": "x", "edit_options": {"previous_post_id": "98"}}


async def test_only_descriptions_that_changed_are_told_anew_and_paid(
    premium: ServedX, tmp_path: Path
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    alts = ("one", "two")
    async with adapter_for(premium.url, oauth1_of(premium.account), premium=True) as adapter:
        ids = [
            (await adapter.upload(LocalMedia(path, MediaKind.IMAGE, "image/png", 1, alt))).id
            for alt in alts
        ]

        def shown(*words: str) -> DraftPart:
            media = tuple(
                DraftMedia(MediaId(word), MediaKind.IMAGE, "https://far.example/a", word)
                for word in words
            )
            return DraftPart(0, " ".join(words), Microdollars(0), media=media)

        made = await adapter.publish(shown(*alts), reply_to=None, key="k", media=ids)
        same = await adapter.revise(made.id, shown("one", "two"), media=ids)
        other = await adapter.revise(same.id, shown("one", "second"), media=ids)
    assert same.cost == X_PRICES.create
    assert other.cost == X_PRICES.create + X_PRICES.alt_text
    stored = premium.sandbox.post(other.id)
    assert stored is not None
    assert [one.alt_text for one in stored.media] == ["one", "second"]


@pytest.mark.parametrize("dialect", ["post", "tweet"])
async def test_a_repost_made_here_is_known_again_when_it_is_read(dialect: str) -> None:
    async with served_x(dialect) as served:
        post = served.sandbox.write(served.account, "mine").id
        async with adapter_for(served.url, oauth1_of(served.account)) as adapter:
            receipt = await adapter.publish(repeat_of(post), reply_to=None, key="k")
            again = await adapter.publish(repeat_of(post), reply_to=None, key="k")
            _, read = (await adapter.read_after(Cursor(), nothing_known)).posts
    assert receipt.id == again.id != post
    assert receipt.url is None
    assert receipt.id in read.ids
    assert read.repost is not None
    assert (read.repost.post, read.repost.own, read.repost.author) == (post, True, "ada")
    assert receipt.cost == again.cost == X_PRICES.repost


async def test_a_post_that_is_repeated_already_is_as_good_and_costs_nothing(odd: OddX) -> None:
    body = {"errors": [{"code": 327, "message": "You have already retweeted this Tweet."}]}
    odd.says(REPOST, problem(403, None, **body))
    async with adapter_for(odd.url) as adapter:
        receipt = await adapter.publish(repeat_of("99"), reply_to=None, key="k")
    assert (receipt.id, receipt.cost) == ("repost-of-99", FREE)
    assert json.loads(odd.asked(REPOST)[0].body) == {"tweet_id": "99"}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (problem(200, data={"retweeted": False}), InDoubt),
        (problem(200, data={}), InDoubt),
        (problem(200), InDoubt),
        (web.Response(status=200), InDoubt),
        (problem(503), InDoubt),
        (problem(200, errors=[GONE]), Refused),
        (problem(404, None, **GONE), Refused),
        (problem(404), Transient),
        (problem(403, detail="You are not permitted to perform this action."), Transient),
        (problem(429), Throttled),
    ],
)
async def test_a_repost_that_x_does_not_confirm_is_not_taken_for_done(
    odd: OddX, answer: web.Response, kind: type[NetworkError]
) -> None:
    odd.says(REPOST, answer)
    async with adapter_for(odd.url) as adapter:
        with pytest.raises(kind) as raised:
            await adapter.publish(repeat_of("99"), reply_to=None, key="k")
    assert getattr(raised.value, "missing", False) is (GONE["title"] in str(answer.text))
    assert len(odd.asked(REPOST)) == 1


async def test_taking_a_repost_back_never_touches_the_post_itself(odd: OddX) -> None:
    odd.says(TAKE_BACK, problem(200, data={"retweeted": False}))
    async with adapter_for(odd.url) as adapter:
        assert await adapter.delete(PostId("repost-of-99")) == X_PRICES.delete
        odd.says(TAKE_BACK, problem(200, errors=[GONE]))
        assert await adapter.delete(PostId("repost-of-99")) == FREE
        odd.says(TAKE_BACK, problem(200, data={"retweeted": True}))
        with pytest.raises(Transient):
            await adapter.delete(PostId("repost-of-99"))
    assert odd.asked(DELETE) == []


async def test_a_deletion_says_what_it_cost_and_a_second_one_costs_nothing(
    premium: ServedX,
) -> None:
    async with adapter_for(premium.url, oauth1_of(premium.account)) as adapter:
        made = (await adapter.publish(part("soon gone"), reply_to=None, key="k")).id
        assert await adapter.delete(made) == X_PRICES.delete
        assert await adapter.delete(made) == FREE
    assert [one.kind for one in premium.sandbox.bill()] == ["create", "delete"]


@pytest.mark.parametrize(
    "answer",
    [
        problem(404, None, **GONE),
        problem(200, errors=[GONE]),
        problem(404, errors=[{"code": 144, "message": "No status found with that ID."}]),
    ],
)
async def test_a_post_that_x_surely_has_no_more_is_as_good_as_deleted(
    odd: OddX, answer: web.Response
) -> None:
    odd.says(DELETE, answer)
    async with adapter_for(odd.url) as adapter:
        assert await adapter.delete(PostId("99")) == FREE
    assert odd.asked(LOOK) == []


async def test_a_bare_404_is_believed_only_where_a_look_says_the_same(odd: OddX) -> None:
    odd.says(DELETE, problem(404, title="Not Found"))
    async with adapter_for(odd.url, dialect="tweet") as adapter:
        for unclear in (problem(404), problem(503), problem(200, data={"id": "99", "text": "x"})):
            odd.says(LOOK, unclear)
            with pytest.raises(Transient):
                await adapter.delete(PostId("99"))
        odd.says(LOOK, problem(200, errors=[GONE]))
        assert await adapter.delete(PostId("99")) == FREE


@pytest.mark.parametrize(
    "answer",
    [
        problem(500),
        problem(200, data={"deleted": False}),
        problem(200),
        problem(200, errors=[{**GONE, "resource_type": "user"}]),
        problem(200, errors=[{**GONE, "resource_id": "98"}]),
        problem(408),
        web.Response(status=302, headers={"Location": "/elsewhere"}),
    ],
)
async def test_a_deletion_that_x_does_not_confirm_may_be_repeated(
    odd: OddX, answer: web.Response
) -> None:
    odd.says(DELETE, answer)
    async with adapter_for(odd.url) as adapter:
        with pytest.raises(Transient):
            await adapter.delete(PostId("99"))
    assert len(odd.asked(DELETE)) == 1


async def test_a_deletion_that_answers_with_nothing_is_one(odd: OddX) -> None:
    odd.says(DELETE, web.Response(status=204))
    async with adapter_for(odd.url) as adapter:
        assert await adapter.delete(PostId("99")) == X_PRICES.delete


@pytest.mark.parametrize("text", ["<html>", "", '{"data": {"del'])
async def test_a_deletion_whose_answer_is_lost_may_have_been_charged(odd: OddX, text: str) -> None:
    odd.says(DELETE, web.Response(status=200, text=text))
    async with adapter_for(odd.url) as adapter:
        with pytest.raises(InDoubt):
            await adapter.delete(PostId("99"))
    assert len(odd.asked(DELETE)) == 1


async def test_another_ones_post_cannot_be_deleted_and_a_lost_answer_is_no_answer(
    premium: ServedX,
) -> None:
    bob = premium.sandbox.add_account("bob", "Bob")
    theirs = premium.sandbox.write(bob, "mine").id
    async with adapter_for(premium.url, oauth1_of(premium.account)) as adapter:
        with pytest.raises(Refused):
            await adapter.delete(PostId(theirs))
        premium.sandbox.faults.add(Fault("accept-then-reset", "DELETE"))
        made = (await adapter.publish(part("x"), reply_to=None, key="k")).id
        with pytest.raises(InDoubt):
            await adapter.delete(made)
        assert await adapter.delete(made) == FREE


async def test_ids_are_opaque_also_in_addresses(odd: OddX) -> None:
    async with adapter_for(odd.url) as adapter:
        with pytest.raises(Transient):
            await adapter.delete(PostId("../users/7?x=#"))
    (sent,) = (each for each in odd.seen if each.method == "DELETE")
    assert sent.path == "/2/tweets/../users/7?x=#"
