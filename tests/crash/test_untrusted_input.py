"""Ids and dates that cannot be right hide no post: not from a network, nor from the ledger.

Driven through the real adapters, against both sandboxes on one clock.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.app.wiring import Running
from bridge.core.model import BridgeName, Direction, PostId, Route
from bridge.core.record import Cursor
from bridge.core.verdict import Reason
from bridge.engine.standing import standings
from bridge.sandbox.faults import Fault
from bridge.sandbox.mastodon.profiles import PROFILES, ProfileName
from tests.crash.stage import HOME, NAME, OUT, TIMELINE, Stage, record, staged

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WAYS = [pytest.param(OUT, name, id=name) for name in PROFILES] + [
    pytest.param(HOME, "mastodon", id="x")
]


def write(stage: Stage, direction: Direction, text: str, *, at: datetime | None = None) -> str:
    """What the owner writes on the source, dated `at` by its server."""
    if direction is OUT:
        made = stage.mastodon.write(stage.mastodon_account, text, created_at=at).id
    else:
        made = stage.x.write(stage.x_account, text, created_at=at).id
    stage.by_hand.add(made)
    stage.clock.pass_time(1)
    return made


def route(direction: Direction) -> Route:
    return Route(BridgeName(NAME), direction)


async def recorded(running: Running, *posts: str) -> list[bool]:
    return [bool(await running.control.why(post)) for post in posts]


def texts(stage: Stage, direction: Direction) -> list[str]:
    return [text for _, text, _ in stage.mirrors(direction)]


async def condition(running: Running, direction: Direction, now: datetime) -> tuple[str, str]:
    for row in await running.control.status_rows(now):
        if row["direction"] == direction.value:
            return row["state"], row["detail"]
    raise AssertionError(direction)


@pytest.mark.parametrize(("direction", "profile"), WAYS)
async def test_posts_with_wrong_dates_hide_none_that_are_written_after_them(
    tmp_path: Path, direction: Direction, profile: ProfileName
) -> None:
    """As a server dates them whose clock jumps by hours and years, and comes back each time."""
    back = [] if direction is HOME else [-HOUR]
    async with staged(tmp_path, profile) as stage, stage.running() as running:
        written: list[str] = []
        right: list[str] = []
        for round_, off in enumerate([HOUR, *back, 30 * DAY, 3650 * DAY]):
            for number in range(2):
                at = stage.clock.at + off
                written.append(write(stage, direction, f"Wrong {round_}.{number}.", at=at))
                text = f"Right {round_}.{number}."
                written.append(write(stage, direction, text))
                right.append(text)
                await stage.pass_time(running, 15)
        await stage.pass_time(running, 45)
        assert all(await recorded(running, *written))
        found = texts(stage, direction)
        assert [text for text in found if text in right] == right
        assert len(set(found)) == len(found)


EDITS: dict[str, Callable[[datetime], object]] = {
    "future": lambda at: str(first_id(at + 400 * DAY)),
    "the largest": lambda _: str(2**63 - 1),
    "too large": lambda _: "9" * 25,
    "short": lambda _: "5",
    "no number": lambda _: "post-of-mine",
    "a list": lambda _: [1],
    "nothing": lambda _: None,
}


def first_id(at: datetime) -> int:
    began = datetime(2010, 11, 4, 1, 42, 54, 657_000, tzinfo=UTC)
    return (at - began) // timedelta(milliseconds=1) << 22


IMPOSSIBLE = ["future", "the largest", "too large"]
NO_HISTORY = {"data.0.edit_history_post_ids": None, "data.0.edit_history_tweet_ids": None}


async def test_posts_that_x_named_by_impossible_ids_once_are_all_mirrored_once(
    tmp_path: Path,
) -> None:
    async with staged(tmp_path) as stage, stage.running() as running:
        written, wanted = list[str](), list[str]()
        for kind, history in [*((kind, True) for kind in EDITS), *((k, False) for k in IMPOSSIBLE)]:
            for place in (0, 1) if history else (0,):
                edits = {f"data.{place}.id": EDITS[kind](stage.clock.at)}
                edits |= {} if history else NO_HISTORY
                for number in range(3):
                    wanted.append(f"Named {kind} at {place}, {history}: {number}.")
                    written.append(write(stage, HOME, wanted[-1]))
                fault = Fault("accept-then-edited", "GET", TIMELINE[OUT], edits=edits)
                stage.x.faults.add(fault)
                await stage.pass_time(running, 45)
                assert stage.x.faults.pending == ()
        await stage.pass_time(running, 30)
        assert all(await recorded(running, *written))
        assert sorted(texts(stage, HOME)) == sorted(wanted)


@pytest.mark.parametrize("direction", [OUT, HOME])
async def test_answers_that_leave_something_out_hide_no_post(
    tmp_path: Path, direction: Direction
) -> None:
    reads = TIMELINE[HOME if direction is OUT else OUT]
    faults: list[dict[str, object]] = [
        {"name": "accept-then-truncated"},
        {"name": "accept-then-empty"},
        {"name": "accept-then-again"},
        {"name": "accept-then-edited", "edits": {"meta": None}},
        {"name": "accept-then-edited", "edits": {"meta.next_token": "again"}},
        {"name": "accept-then-edited", "edits": {"data.1": 3, "1": 3}},
        {"name": "accept-then-edited", "edits": {"data.1.id": None, "1.id": None}},
        {"name": "accept-then-edited", "edits": {"data.1.created_at": 4, "1.created_at": 4}},
        {"name": "accept-then-edited", "edits": {"meta.result_count": 99}},
    ]
    async with staged(tmp_path) as stage, stage.running() as running:
        written: list[str] = []
        for kind, fault in enumerate(faults):
            written += [write(stage, direction, f"Number {kind}.{each}.") for each in range(4)]
            stage.source(direction).faults.add(Fault(method="GET", path=reads, **fault))  # type: ignore[arg-type] # the fields of a fault
            await stage.pass_time(running, 15)
            for _ in range(3):
                await stage.pass_time(running, 60, step=60)
        assert all(await recorded(running, *written))


def wrong_cursors(direction: Direction, at: datetime) -> list[Cursor]:
    """Cursors of a route that began at `at`, all of them beyond what can have been read."""
    future = at + 400 * DAY
    if direction is OUT:
        return [Cursor(PostId("no-such-id"), future, at), Cursor(PostId("9" * 30), future, at)]
    return [
        Cursor(PostId(str(first_id(future))), future, at),
        Cursor(PostId(str(first_id(future))), at, at),
        Cursor(PostId("9" * 19), at, at),
        Cursor(PostId("no-such-id"), at, at),
    ]


@pytest.mark.parametrize(("direction", "profile"), WAYS)
async def test_a_cursor_that_is_wrong_already_is_repaired_and_reported(
    tmp_path: Path, direction: Direction, profile: ProfileName
) -> None:
    async with staged(tmp_path, profile) as stage:
        async with stage.running() as running:
            began = stage.clock.at
            write(stage, direction, "Known.")
            await stage.pass_time(running, 30)
        for number, wrong in enumerate(wrong_cursors(direction, began)):
            async with stage.running(set_out=False) as running:
                await running.ledger.move(route(direction), wrong)
                texts_missed = [f"Missed {number}, {each}." for each in range(3)]
                missed = [write(stage, direction, text) for text in texts_missed]
                stage.clock.pass_time(600)
                state, _ = await condition(running, direction, stage.clock.at)
                assert state == "reading missed posts"
                await stage.pass_time(running, 30)
                assert all(await recorded(running, *missed))
                assert texts(stage, direction)[-3:] == texts_missed
                state, detail = await condition(running, direction, stage.clock.at)
                assert (state, detail[:18]) == ("up to date", "3 missed post(s) w")
                shown = await standings(running.daemon, running.control, stage.clock.at)
                assert detail in {each.detail for each in shown}


async def test_a_post_that_x_lists_below_what_was_read_is_found_by_the_next_recheck(
    tmp_path: Path,
) -> None:
    async with staged(tmp_path) as stage, stage.running() as running:
        write(stage, HOME, "First.")
        stage.clock.pass_time(7200)
        write(stage, HOME, "Second.")
        await stage.pass_time(running, 30)
        below = write(stage, HOME, "Between them.", at=stage.clock.at - HOUR)
        await stage.pass_time(running, 30)
        assert not any(await recorded(running, below))
        for lane in running.daemon.lanes:
            await lane.recheck()
        assert all(await recorded(running, below))
        assert (await condition(running, HOME, stage.clock.at))[1].startswith("1 missed post(s)")
        await stage.pass_time(running, 30)
        assert texts(stage, HOME) == ["First.", "Second.", "Between them."]


async def test_a_repair_reads_what_was_paid_for_once_and_then_nothing(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage, stage.running() as running:
        for number in range(5):
            write(stage, HOME, f"Known, {number}.")
        await stage.pass_time(running, 30)
        before = len(stage.x.bill())
        wrong = wrong_cursors(HOME, stage.clock.at)[0]
        await running.ledger.move(route(HOME), wrong)
        for number in range(3):
            write(stage, HOME, f"Missed, {number}.")
        await stage.pass_time(running, 600)
        assert len(stage.x.bill()) - before == 3
        reads = len(stage.x.faults.requests)
        spent = (await running.control.status(stage.clock.at))[1].spent_month
        await stage.pass_time(running, 600)
        assert len(stage.x.bill()) - before == 3
        assert (await running.control.status(stage.clock.at))[1].spent_month == spent
        assert len(stage.x.faults.requests) - reads <= 2 * 600 / 15


@pytest.mark.parametrize("direction", [OUT, HOME])
async def test_a_repair_mirrors_nothing_from_before_the_start_or_too_old(
    tmp_path: Path, direction: Direction
) -> None:
    async with staged(tmp_path) as stage:
        for number in range(30):
            write(stage, direction, f"Long before, {number}.")
        async with stage.running() as running:
            began = stage.clock.at
            write(stage, direction, "Known.")
            await stage.pass_time(running, 30)
            await running.ledger.move(route(direction), wrong_cursors(direction, began)[0])
            old = write(stage, direction, "Missed for long.")
            # Passes go on all the time: no absence tells that what comes now is old.
            for _ in range(3 * 24):
                stage.clock.pass_time(3600)
                cursor = await running.ledger.cursor(route(direction))
                assert cursor is not None
            new = write(stage, direction, "Missed just now.")
            await stage.pass_time(running, 60)
            assert texts(stage, direction) == ["Known.", "Missed just now."]
            assert (await record(running, old)).verdict.reason is Reason.TOO_OLD
            assert all(await recorded(running, new))


@pytest.mark.parametrize("direction", [OUT, HOME])
async def test_an_own_clock_that_jumps_and_comes_back_hides_no_post(
    tmp_path: Path, direction: Direction
) -> None:
    async with staged(tmp_path) as stage, stage.running() as running:
        written = []
        for number, off in enumerate([0, -20_000, 0, 20_000, 3, 0, -2, 0]):
            stage.clock.set_wrong((off * DAY).total_seconds())
            written.append(write(stage, direction, f"Number {number}."))
            for _ in range(3):
                stage.clock.pass_time(15)
                for lane in running.daemon.lanes:
                    await lane.turn(read=True)
        assert all(await recorded(running, *written))
        state, _ = await condition(running, direction, stage.clock.at)
        assert state != "reading missed posts"
