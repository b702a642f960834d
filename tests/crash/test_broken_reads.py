"""A read under which the connection breaks is asked once more at once; a write never is."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.app.wiring import Running
from bridge.core.delivery import PostState
from bridge.core.errors import NetworkError, Transient
from bridge.core.events import RoutePaused
from bridge.core.model import Direction, PostId
from bridge.ports import NetworkPort
from bridge.sandbox.faults import Fault
from tests.crash.stage import HOME, OUT, Stage, StageClock, state, words

BOTH = pytest.mark.parametrize("direction", [OUT, HOME], ids=["mastodon", "x"])
BROKEN = ("refuse-then-reset", "accept-then-reset", "accept-then-cut")


def source(running: Running, direction: Direction) -> NetworkPort:
    return running.daemon.lanes[0 if direction is OUT else 1].plan.source


def reads(port: NetworkPort, post: str, clock: StageClock) -> list[Callable[[], Awaitable[Any]]]:
    return [
        port.baseline,
        lambda: port.recent(clock.at - timedelta(hours=1)),
        lambda: port.window(5),
        lambda: port.look_up(PostId(post)),
    ]


@BOTH
async def test_a_read_under_which_the_connection_breaks_is_asked_once_more(
    stage: Stage, direction: Direction
) -> None:
    async with stage.running() as running:
        post, faults = stage.write(direction, words("seen")), stage.source(direction).faults
        for read in reads(source(running, direction), post, stage.clock):
            await read()  # X charges for it once a day
            before = len(faults.requests)
            whole = await read()
            asked = len(faults.requests) - before
            for name in BROKEN:
                before = len(faults.requests)
                faults.add(Fault(name, method="GET"))
                assert await read() == whole
                assert len(faults.requests) - before == asked + 1
                assert faults.pending == ()


@BOTH
async def test_a_poll_goes_on_at_once_and_its_route_is_not_suspended(
    stage: Stage, direction: Direction
) -> None:
    async with stage.running() as running:
        lane = running.daemon.lanes[0 if direction is OUT else 1]
        for name in BROKEN:
            post = stage.write(direction, words(name))
            stage.source(direction).faults.add(Fault(name, method="GET"))
            await lane.turn(read=True)
            assert await state(running, post) is PostState.DELIVERED
        assert lane.closed == ()
    assert not [event for event in stage.events if isinstance(event, RoutePaused)]


@BOTH
async def test_a_read_that_breaks_twice_is_left_to_the_next_poll(
    stage: Stage, direction: Direction
) -> None:
    async with stage.running() as running:
        faults = stage.source(direction).faults
        before = len(faults.requests)
        faults.add(Fault("refuse-then-reset", method="GET", times=None))
        with pytest.raises(Transient):
            await source(running, direction).baseline()
        assert len(faults.requests) - before == 2


@BOTH
@pytest.mark.parametrize("name", ["refuse-then-503", "refuse-then-429", "accept-then-truncated"])
async def test_an_answer_is_an_answer_and_not_asked_for_again(
    stage: Stage, direction: Direction, name: str
) -> None:
    async with stage.running() as running:
        faults = stage.source(direction).faults
        before = len(faults.requests)
        faults.add(Fault(name, method="GET"))
        with pytest.raises(NetworkError, match="HTTP"):
            await source(running, direction).baseline()
        assert len(faults.requests) - before == 1


@BOTH
async def test_a_write_under_which_the_connection_breaks_is_never_repeated(
    stage: Stage, direction: Direction
) -> None:
    async with stage.running() as running:
        lane = running.daemon.lanes[0 if direction is OUT else 1]
        for count, name in enumerate(BROKEN, 1):
            stage.add_fault(direction, name)
            stage.write(direction, words(name))
            await lane.turn(read=True)
            made = stage.creations(direction)
            await stage.pass_time(running, 300, 30)
            # What was refused is proven absent first, and then sent.
            assert stage.creations(direction) - made == (1 if name.startswith("refuse") else 0)
            assert len(stage.mirrors(direction)) == count


async def test_a_broken_read_of_x_is_charged_once(stage: Stage) -> None:
    async with stage.running() as running:
        stage.write(HOME, words("dear"))
        charged = len(stage.x.bill())
        stage.x.faults.add(Fault("accept-then-reset", method="GET", path="/tweets$"))
        await source(running, HOME).window(5)
        assert len(stage.x.bill()) == charged + 1


async def test_x_is_not_asked_again_on_another_day_which_would_be_charged(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage.running() as running:
        last_second = datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC)
        before = len(stage.x.faults.requests)

        def midnight(_: StageClock) -> datetime:
            """A new day begins while the first request is on its way."""
            return last_second + timedelta(seconds=len(stage.x.faults.requests) - before)

        stage.clock.at = last_second
        stage.x.faults.add(Fault("accept-then-reset", method="GET", path="/tweets$"))
        monkeypatch.setattr(StageClock, "now", midnight)
        with pytest.raises(Transient):
            await source(running, HOME).window(5)
        assert len(stage.x.faults.requests) - before == 1
