"""What goes wrong with one post, lane or bridge stays there; the others go on; nothing spins.

Bars of docs/reliability.md: R6, R12, R20.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import bridge.engine.judge
import bridge.engine.supervise
from bridge.app.clock import SystemClock
from bridge.app.wiring import Running, wired
from bridge.core.capabilities import Capabilities
from bridge.core.compose import Context, compose
from bridge.core.delivery import PostState
from bridge.core.draft import Draft, DraftPart
from bridge.core.errors import InDoubt, Unauthorised
from bridge.core.events import RoutePaused, RouteResumed
from bridge.core.model import BridgeName, Direction, Post
from bridge.core.policy import Policy
from bridge.core.record import Cursor, Receipt
from bridge.core.timing import Cron
from bridge.ports import Changed, Known, Reading
from bridge.sandbox.faults import Fault
from tests.crash.stage import (
    HOME,
    OUT,
    THREE_PARTS,
    TIMELINE,
    Stage,
    record,
    staged,
    state,
    words,
)
from tests.fixtures.world import until

BOTH = pytest.mark.parametrize("direction", [OUT, HOME], ids=["to-x", "to-mastodon"])


async def test_a_post_that_always_ends_unclear_makes_way_and_is_held_in_the_end(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage.running() as running:
        target = running.daemon.lanes[0].plan.target
        publish, tries = target.publish, 0

        async def poisoned(part: DraftPart, **how: Any) -> Receipt:
            nonlocal tries
            if "poison" in part.text:
                tries += 1
                raise InDoubt("HTTP 500", status=500)
            return await publish(part, **how)

        monkeypatch.setattr(target, "publish", poisoned)
        poison = stage.write(OUT, words("poison"))
        others = [stage.write(OUT, words(f"meat {n}")) for n in range(3)]
        await stage.pass_time(running, 600, 30)
        assert [await state(running, other) for other in others] == [PostState.DELIVERED] * 3
        await stage.pass_time(running, 50 * 3600, 3600)
        assert await state(running, poison) is PostState.HELD
        assert "see whether it stands" in (await record(running, poison)).parts[0].detail
        assert 10 < tries <= 24


async def test_what_continues_a_thread_that_broke_off_fails_with_a_reason(stage: Stage) -> None:
    async with stage.running() as running:
        stage.fail_after(OUT, 1, lambda: stage.add_fault(OUT, "refuse-then-400"))
        parent = stage.write(OUT, words("parent", THREE_PARTS[OUT]))
        child = stage.write(OUT, words("child"), reply_to=parent)
        grandchild = stage.write(OUT, words("grandchild"), reply_to=child)
        other = stage.write(OUT, words("other"))
        await stage.pass_time(running, 60)
        assert await state(running, parent) is PostState.PARTIAL
        assert await state(running, other) is PostState.DELIVERED
        for post in (child, grandchild):
            found = await record(running, post)
            assert found.state is PostState.FAILED
            assert "an earlier post of its thread" in found.parts[0].detail
        later = stage.write(OUT, words("too late"), reply_to=parent)
        await stage.pass_time(running, 60)
        assert await state(running, later) is PostState.FAILED
        status = (await running.control.status(stage.clock.now()))[0]
    assert status.failed == 1 + 3


async def test_a_thread_waits_for_a_part_that_is_held_and_the_others_do_not(stage: Stage) -> None:
    # Before the start, so that only the refusal tells that it is there.
    text = words("said before")
    stage.x.write(stage.x_account, text)
    stage.clock.pass_time(3600)
    async with stage.running() as running:
        await running.daemon.once()
        parent = stage.write(OUT, text)
        child = stage.write(OUT, words("waits"), reply_to=parent)
        other = stage.write(OUT, words("goes on"))
        await stage.pass_time(running, 60)
        assert await state(running, parent) is PostState.HELD
        assert await state(running, child) is PostState.PLANNED
        assert await state(running, other) is PostState.DELIVERED


async def test_a_post_on_which_our_own_code_breaks_is_recorded_and_the_next_ones_go_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaking(post: Post, to: Capabilities, policy: Policy, context: Context) -> Draft:
        if "broken" in post.text.plain:
            raise ZeroDivisionError
        return compose(post, to, policy, context)

    monkeypatch.setattr(bridge.engine.judge, "with_link_prices", breaking)
    async with stage.running() as running:
        broken = stage.write(OUT, words("broken"))
        sound = stage.write(OUT, words("sound"))
        await stage.pass_time(running, 15)
        found = await record(running, broken)
        assert found.state is PostState.SKIPPED
        assert "ZeroDivisionError" in found.verdict.sentence
        assert await state(running, sound) is PostState.DELIVERED


async def test_in_a_single_pass_a_lane_that_breaks_does_not_stop_the_others(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage.running() as running:
        source = running.daemon.lanes[0].plan.source

        async def broken(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(source, "read_after", broken)
        toot, tweet = stage.write(OUT, words("stays")), stage.write(HOME, words("goes"))
        await running.daemon.once()
        broke_off = running.daemon.broke_off
        assert broke_off
        assert await state(running, tweet) is PostState.DELIVERED
        monkeypatch.undo()
        await running.daemon.once()
        broke_off = running.daemon.broke_off
        assert not broke_off
        assert await state(running, toot) is PostState.DELIVERED


async def test_a_listener_that_raises_breaks_nothing(stage: Stage) -> None:
    def deaf(event: object) -> None:
        raise ZeroDivisionError

    async with wired(stage.settings, listeners=(deaf,), clock=stage.clock) as running:
        await running.daemon.once()
        stage.clock.pass_time(1)
        toot = stage.write(OUT, words("unheard"))
        await stage.pass_time(running, 15)
        assert await state(running, toot) is PostState.DELIVERED


async def watching(running: Running, bridge: BridgeName) -> None:
    """Wait until both cursors of `bridge` are set."""
    while True:
        stati = await running.control.status(datetime.now(UTC))
        if all(status.cursor for status in stati if status.route.bridge == bridge):
            return
        await asyncio.sleep(0.05)


async def served_daemon(
    running: Running, during: Callable[[], object], seconds: float = 20
) -> None:
    """Run the daemon in real time until `during` is true."""
    stop = asyncio.Event()
    serving = asyncio.create_task(running.daemon.run(stop))
    try:
        await until(lambda: bool(during()) or serving.done(), seconds)
        assert during()
    finally:
        stop.set()
        await asyncio.wait_for(serving, 12)


async def test_a_lane_whose_turn_breaks_works_again_when_it_is_woken_next(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage.running() as running:
        lane = running.daemon.lanes[0]
        read_after, broken = lane.plan.source.read_after, 0

        async def breaking(cursor: Cursor, known: Known) -> Reading:
            nonlocal broken
            broken += 1
            if broken == 1:
                asyncio.get_running_loop().call_later(0.1, lambda: lane.wake(read=True))
                raise ZeroDivisionError
            return await read_after(cursor, known)

        monkeypatch.setattr(lane.plan.source, "read_after", breaking)
        stage.write(OUT, words("after a fault"))
        await served_daemon(running, lambda: stage.mirrors(OUT))


async def test_what_an_earlier_process_left_is_sent_at_once_however_rare_the_polls_are(
    stage: Stage,
) -> None:
    async with stage.running() as running:
        post = stage.write(HOME, words("left over"))
        await running.daemon.lanes[1]._watch.read()
        assert await state(running, post) is PostState.PLANNED
    yearly = Cron("0 0 1 1 *")
    (only,) = stage.settings.bridges
    rare = replace(
        stage.settings,
        bridges=(
            replace(
                only,
                mastodon_to_x=replace(only.mastodon_to_x, every=yearly),
                x_to_mastodon=replace(only.x_to_mastodon, every=yearly),
            ),
        ),
    )
    async with wired(rare, clock=stage.clock) as running:
        await served_daemon(running, lambda: stage.mirrors(HOME))


async def test_a_listening_that_breaks_off_is_begun_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge.engine.supervise, "LISTEN_AGAIN", 0.05)
    async with wired(stage.settings, clock=SystemClock()) as running:
        heard = 0

        async def breaking(wake: Callable[[], None], changed: Changed) -> None:
            nonlocal heard
            heard += 1
            raise ZeroDivisionError

        monkeypatch.setattr(running.daemon.lanes[0].plan.source, "listen", breaking)
        await served_daemon(running, lambda: heard >= 3)


@pytest.mark.parametrize("how", ["silent", "gone"])
async def test_a_dead_bridge_does_not_block_another(stage: Stage, tmp_path: Path, how: str) -> None:
    async with staged(tmp_path / "other") as dead:
        (sick,) = dead.settings.bridges
        sick = replace(sick, name=BridgeName("aaa"))
        if how == "gone":
            nowhere = "http://127.0.0.1:9"
            sick = replace(
                sick,
                mastodon=replace(sick.mastodon, url=nowhere),
                x=replace(sick.x, url=nowhere),
            )
        for network in (dead.x, dead.mastodon):
            network.faults.add(Fault("refuse-then-hang", path="^/(2|api)/", times=None))
        both = replace(stage.settings, bridges=(sick, *stage.settings.bridges))
        async with wired(both, clock=SystemClock()) as running:
            stop = asyncio.Event()
            serving = asyncio.create_task(running.daemon.run(stop))
            await asyncio.wait_for(watching(running, BridgeName("personal")), 20)
            stage.write(OUT, words("across"))
            stage.write(HOME, words("back"))
            for lane in running.daemon.lanes:
                lane.wake(read=True)
            await until(lambda: bool(stage.mirrors(OUT) and stage.mirrors(HOME)), 10)
            stop.set()
            await asyncio.wait_for(serving, 12)


async def test_a_daemon_without_any_route_runs_and_stops(stage: Stage) -> None:
    (only,) = stage.settings.bridges
    idle = replace(
        stage.settings,
        bridges=(
            replace(
                only,
                mastodon_to_x=replace(only.mastodon_to_x, enabled=False),
                x_to_mastodon=replace(only.x_to_mastodon, enabled=False),
            ),
        ),
    )
    async with wired(idle, clock=stage.clock) as running:
        stop = asyncio.Event()
        stop.set()
        await asyncio.wait_for(running.daemon.run(stop), 5)


@BOTH
async def test_a_reading_that_failed_is_tried_again_before_the_next_poll(
    stage: Stage, direction: Direction
) -> None:
    async with stage.running() as running:
        lane = running.daemon.lanes[0 if direction is OUT else 1]
        post = stage.write(direction, words("read again"))
        stage.source(direction).faults.add(
            Fault("refuse-then-503", "GET", TIMELINE[direction.reverse], times=1)
        )
        again = await lane.turn(read=True)
        assert again is not None
        assert again <= stage.clock.now() + timedelta(seconds=15)
        stage.clock.at = again
        await lane.turn(read=False)
        assert await state(running, post) is PostState.DELIVERED


async def test_credentials_that_are_mended_bring_a_lane_back_in_order_with_one_word_each_way(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage.running() as running:
        target = running.daemon.lanes[0].plan.target
        publish, revoked, tries = target.publish, True, 0

        async def guarded(part: DraftPart, **how: Any) -> Receipt:
            nonlocal tries
            if revoked:
                tries += 1
                raise Unauthorised("HTTP 401", status=401)
            return await publish(part, **how)

        monkeypatch.setattr(target, "publish", guarded)
        posts = [stage.write(OUT, words(f"patience {n}")) for n in range(3)]
        await stage.pass_time(running, 3 * 3600, 600)
        assert tries < 10
        revoked = False
        await stage.pass_time(running, 2 * 3600, 1800)
        targets = [(await record(running, post)).parts[0].target_id for post in posts]
        assert targets == [one[0] for one in stage.mirrors(OUT)]
    sayings = [e for e in stage.events if isinstance(e, RoutePaused | RouteResumed)]
    assert [type(e) for e in sayings] == [RoutePaused, RouteResumed]


async def test_a_timeline_out_of_reach_holds_up_later_posts_for_an_hour_and_is_given_up_in_a_day(
    stage: Stage,
) -> None:
    async with stage.running() as running:
        stage.add_fault(OUT, "accept-then-500")
        doubtful = stage.write(OUT, words("doubtful"))
        await running.daemon.lanes[0].turn(read=True)
        stage.x.faults.add(Fault("refuse-then-503", "GET", TIMELINE[OUT], times=None))
        later = stage.write(OUT, words("later"))
        await stage.pass_time(running, 3000, 600)
        assert await state(running, later) is PostState.PLANNED
        await stage.pass_time(running, 1200, 600)
        assert await state(running, later) is PostState.DELIVERED
        assert await state(running, doubtful) is PostState.IN_DOUBT
        await stage.pass_time(running, 26 * 3600, 3600)
        found = await record(running, doubtful)
    assert found.state is PostState.HELD
    assert "the own timeline cannot be read: HTTP 503" in found.parts[0].detail
    assert stage.creations(OUT) == 2
