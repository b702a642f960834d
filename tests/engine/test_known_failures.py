"""Failures that bridges are known for and that no bar names, each by a test of its own."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.core.delivery import PostState
from bridge.core.errors import InDoubt
from bridge.core.model import Post, Route, Visibility
from bridge.core.twins import Twin
from bridge.core.verdict import Reason
from bridge.engine.edits import Edits
from bridge.engine.supervise import Daemon
from bridge.engine.twins import Desk
from bridge.ports import Ledger
from tests.engine.conftest import HOME, OUT, Rig


def with_directions(rig: Rig, *routes: object) -> Daemon:
    """A daemon after a start with these directions switched on, bounded as by default."""
    plain = rig.daemon()
    plans = [
        replace(lane.plan, max_age=timedelta(hours=24), max_per_hour=20)
        for lane in plain.lanes
        if lane.plan.route in routes
    ]
    return Daemon(plans, plain._bench)


async def test_promise_5_a_direction_that_is_switched_on_again_does_not_replay_its_past(
    rig: Rig,
) -> None:
    await with_directions(rig, OUT, HOME).once()
    await rig.restart()
    home = with_directions(rig, HOME)
    for day in range(30):
        rig.mastodon.write(f"Day {day}")
        rig.x.write(f"Elsewhere on day {day}")
        await rig.pass_time(home, 86_400, step=3600)
    rig.mastodon.write("An hour ago")
    await rig.pass_time(home, 3600, step=3600)
    assert rig.x.published == []
    await rig.restart()
    await rig.pass_time(with_directions(rig, OUT, HOME), 7200, step=600)
    assert [part.text for part, _, _ in rig.x.published] == ["An hour ago"]
    assert len(rig.mastodon.published) == 30


async def test_promise_1_what_is_written_there_while_a_mirror_is_being_sent_is_not_passed_over(
    rig: Rig,
) -> None:
    daemon = await rig.started()
    rig.x.hang = asyncio.Event()
    mirrored = rig.mastodon.write("On its way")
    sending = asyncio.create_task(daemon.lanes[0].turn(read=True))
    await rig.x.reached.wait()
    before = rig.x.write("By hand, before the mirror stands")
    rig.x.hang.set()
    await sending
    after = rig.x.write("By hand, after it stands")
    await rig.pass_time(daemon, 60)
    assert await rig.state(mirrored.id) is PostState.DELIVERED
    assert [await rig.state(one.id) for one in (before, after)] == [PostState.DELIVERED] * 2
    assert [part.text for part, _, _ in rig.mastodon.published] == [
        "By hand, before the mirror stands",
        "By hand, after it stands",
    ]


@pytest.mark.parametrize(
    "audience",
    [Visibility.UNLISTED, Visibility.FOLLOWERS, Visibility.DIRECT, Visibility.UNKNOWN],
)
async def test_promise_3_a_reply_of_ones_own_has_its_own_audience_not_that_of_its_thread(
    rig: Rig, audience: Visibility
) -> None:
    daemon = await rig.started()
    first = rig.mastodon.write("For everybody")
    await rig.pass_time(daemon, 60)
    narrow = rig.mastodon.write("For few", reply_to=first.id, visibility=audience)
    rig.mastodon.write("For everybody again, below it", reply_to=narrow.id)
    await rig.pass_time(daemon, 60)
    said = [part.text for part, _, _ in rig.x.published]
    assert said[0] == "For everybody"
    assert not any("few" in text for text in said)
    verdict = (await rig.record(narrow.id)).verdict
    assert verdict.reason in {Reason.AUDIENCE, Reason.AUDIENCE_UNKNOWN}


async def test_promise_4_mirrors_that_are_first_read_after_a_reconnect_are_no_news(
    rig: Rig,
) -> None:
    daemon = await rig.started()
    for number in range(12):
        rig.mastodon.write(f"Number {number}")
    await daemon.lanes[0].turn(read=True)
    assert len(rig.x.published) == 12
    await rig.restart()
    rig.clock.pass_time(3600)
    rig.x.write("News")
    await rig.pass_time(rig.daemon(), 120)
    assert [part.text for part, _, _ in rig.mastodon.published] == ["News"]
    assert len(rig.x.published) == 12


async def test_promise_1_what_stood_there_before_is_not_taken_for_a_mirror_that_was_lost(
    rig: Rig,
) -> None:
    rig.mastodon.write("From before the bridge")
    daemon = await rig.started()
    greeting = rig.x.write("Good morning")
    await rig.pass_time(daemon, 60)
    assert len(rig.mastodon.published) == 1
    await rig.pass_time(daemon, 12 * 60)
    rig.x.answers = [InDoubt("reset")]
    again = rig.mastodon.write("Good morning")
    await rig.pass_time(daemon, 300)
    assert [part.text for part, _, _ in rig.x.published] == ["Good morning"]
    rig.mastodon.remove(again)
    await rig.pass_time(daemon, 120)
    assert greeting in rig.x.posts


async def test_promise_7_a_post_on_which_our_own_code_breaks_is_recorded_and_stops_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = await rig.started()
    twin_of = Desk.twin_of

    async def breaks(desk: Desk, post: Post, route: Route, ledger: Ledger) -> Twin | None:
        if "poison" in post.text.plain:
            raise RecursionError("ours")
        return await twin_of(desk, post, route, ledger)

    monkeypatch.setattr(Desk, "twin_of", breaks)
    rig.mastodon.write("One")
    poison = rig.mastodon.write("A poison for the bridge")
    rig.mastodon.write("Two")
    await rig.pass_time(daemon, 60)
    assert [part.text for part, _, _ in rig.x.published] == ["One", "Two"]
    record = await rig.record(poison.id)
    assert record.verdict.reason is Reason.UNFIT
    assert "RecursionError" in record.verdict.sentence


async def test_promise_1_what_breaks_once_and_not_again_costs_no_post(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = await rig.started()
    twin_of, left = Desk.twin_of, [MemoryError("for a moment")]

    async def breaks(desk: Desk, post: Post, route: Route, ledger: Ledger) -> Twin | None:
        if left:
            raise left.pop()
        return await twin_of(desk, post, route, ledger)

    monkeypatch.setattr(Desk, "twin_of", breaks)
    rig.mastodon.write("One")
    rig.mastodon.write("Two")
    await rig.pass_time(daemon, 60)
    assert [part.text for part, _, _ in rig.x.published] == ["One", "Two"]


async def test_promise_7_an_edit_on_which_our_own_code_breaks_is_noted_and_stops_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = await rig.started()
    first = rig.x.write("As it was")
    await rig.pass_time(daemon, 60)

    async def breaks(edits: Edits, *_: object) -> None:
        raise RecursionError("ours")

    monkeypatch.setattr(Edits, "edited", breaks)
    rig.x.edit(first, "As it is")
    rig.x.write("The next one")
    await rig.pass_time(daemon, 60)
    said = [part.text for part, _, _ in rig.mastodon.published]
    assert said == ["As it was", "The next one"]
    assert any("RecursionError" in note for note in (await rig.record(first.id)).notes)
