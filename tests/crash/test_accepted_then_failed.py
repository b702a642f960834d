"""R4, R5, R6: answers that are lost, late, cut or wrong never make two posts, and lose none."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from bridge.app.wiring import Running
from bridge.core.delivery import PartState, PostState
from bridge.core.model import Direction
from bridge.sandbox.mastodon.profiles import ProfileName
from tests.crash.stage import (
    HOME,
    OUT,
    THREE_PARTS,
    TIMELINE,
    Stage,
    impatient,
    record,
    staged,
    state,
    words,
)

BOTH = pytest.mark.parametrize("direction", [OUT, HOME], ids=["to-x", "to-mastodon"])

ACCEPTED = ("500", "reset", "hang", "truncated", "empty", "html", "cut", "slow")
REFUSED = ("500", "503", "429", "429-bare", "reset")

PROOF = (15, 15)
"""Steps of seconds in which what stands there is found."""

ABSENCE = (15, 75, 15, 15)
"""Steps of seconds in which what does not stand there is proven to be absent, and sent again."""

A_QUARTER = (15, 450, 450)
"""The same for a limit that opens again."""


async def thread_with_a_fault(
    stage: Stage,
    running: Running,
    direction: Direction,
    name: str,
    part: int,
    steps: Sequence[float],
) -> int:
    """A thread of three and two posts behind it, while creating the given part fails once.

    Everything stands once, in order, each part of the thread below the one before it. Returns how
    often the target was asked.
    """

    def fail() -> None:
        stage.add_fault(direction, name, seconds=0 if name.endswith("slow") else None)

    asked, before = stage.creations(direction), len(stage.mirrors(direction))
    stage.fail_after(direction, part, fail)
    thread = stage.write(direction, words(f"{name} at {part}", THREE_PARTS[direction]))
    behind = [stage.write(direction, words(f"{name} behind {part} {n}")) for n in range(2)]
    for step in steps:
        await stage.pass_time(running, step, step)
    records = [await record(running, source) for source in (thread, *behind)]
    made = stage.mirrors(direction)[before:]
    assert [each.state for each in records] == [PostState.DELIVERED] * 3
    assert [len(each.parts) for each in records] == [3, 1, 1]
    assert [part.target_id for each in records for part in each.parts] == [one[0] for one in made]
    assert [one[2] for one in made] == [None, made[0][0], made[1][0], None, None]
    assert stage.mirrors(direction.reverse) == []
    return stage.creations(direction) - asked


@BOTH
@pytest.mark.parametrize("name", ACCEPTED)
async def test_r4_r5_r6_what_was_accepted_before_it_failed_is_found_and_never_sent_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, direction: Direction, name: str
) -> None:
    impatient(monkeypatch)
    async with stage.running() as running:
        for part in range(3):
            asked = await thread_with_a_fault(
                stage, running, direction, f"accept-then-{name}", part, PROOF
            )
            assert asked == 5


@BOTH
@pytest.mark.parametrize("name", REFUSED)
async def test_r4_r5_r6_what_was_refused_by_a_failure_is_sent_once_more_in_its_place(
    stage: Stage, direction: Direction, name: str
) -> None:
    async with stage.running() as running:
        for part in range(3):
            steps = A_QUARTER if name == "429" else ABSENCE
            asked = await thread_with_a_fault(
                stage, running, direction, f"refuse-then-{name}", part, steps
            )
            assert asked == 6


@BOTH
@pytest.mark.parametrize("status", [401, 403])
async def test_r4_without_read_access_doubt_is_held_within_a_cycle_and_says_what_to_do(
    stage: Stage, direction: Direction, status: int
) -> None:
    async with stage.running() as running:
        lane = running.daemon.lanes[0 if direction is OUT else 1]
        stage.add_fault(direction, "accept-then-500")
        post = stage.write(direction, words("nobody may look"))
        await lane.turn(read=True)
        stage.add_fault(
            direction, f"refuse-then-{status}", method="GET", path=TIMELINE[direction], times=None
        )
        for _ in range(4):
            stage.clock.pass_time(15)
            await lane.turn(read=False)
        held = await record(running, post)
        stage.clock.pass_time(7200)
        await lane.turn(read=True)
        assert await state(running, post) is PostState.HELD
    assert held.state is PostState.HELD
    assert "see whether it stands on the other network" in held.parts[0].detail
    assert stage.creations(direction) == 1


@BOTH
async def test_r4_a_held_post_that_is_met_on_the_timeline_later_is_known_and_never_comes_back(
    stage: Stage, direction: Direction
) -> None:
    async with stage.running() as running:
        lane = running.daemon.lanes[0 if direction is OUT else 1]
        stage.add_fault(direction, "accept-then-500")
        post = stage.write(direction, words("held, then seen"))
        await lane.turn(read=True)
        stage.add_fault(
            direction, "refuse-then-403", method="GET", path=TIMELINE[direction], times=2
        )
        for _ in range(4):
            stage.clock.pass_time(20)
            await lane.turn(read=False)
        assert await state(running, post) is PostState.HELD
        await stage.pass_time(running, 60)
        assert await state(running, post) is PostState.DELIVERED
    assert stage.mirrors(direction.reverse) == []
    assert stage.creations(direction) == 1


async def test_r4_a_duplicate_that_x_refuses_is_proven_by_the_timeline(stage: Stage) -> None:
    text = words("said on both sides")
    # Before the start, so that only the refusal tells that it is there.
    already = stage.x.write(stage.x_account, text).id
    async with stage.running() as running:
        post = stage.write(OUT, text)
        await running.daemon.lanes[0].turn(read=True)
        found = await record(running, post)
        assert stage.creations(OUT) == 1
        await stage.pass_time(running, 120, 40)
    assert found.state is PostState.DELIVERED
    assert found.parts[0].target_id == already
    assert [one[0] for one in stage.mirrors(OUT)] == [already]
    assert stage.mirrors(HOME) == []


async def test_r4_a_duplicate_of_something_older_is_held_and_says_so(stage: Stage) -> None:
    text = words("good morning")
    stage.x.write(stage.x_account, text)
    stage.clock.pass_time(3600)
    async with stage.running() as running:
        post = stage.write(OUT, text)
        behind = stage.write(OUT, words("something new"))
        await stage.pass_time(running, 600, 100)
        held = await record(running, post)
        assert await state(running, behind) is PostState.DELIVERED
    assert held.state is PostState.HELD
    assert "duplicate" in held.parts[0].detail
    assert stage.creations(OUT) == 2


@pytest.mark.parametrize("name", ["500", "reset", "empty"])
async def test_r5_a_server_whose_repeated_keys_answer_500_for_ever_gets_one_post(
    stage: Stage, name: str
) -> None:
    stage.mastodon.idempotency_bug = True
    async with stage.running() as running:
        asked = await thread_with_a_fault(stage, running, HOME, f"accept-then-{name}", 1, PROOF)
    assert asked == 5


@pytest.mark.parametrize("profile", ["gotosocial", "minimal"])
async def test_r5_a_server_that_knows_no_keys_gets_one_post(
    tmp_path: Path, profile: ProfileName
) -> None:
    async with staged(tmp_path, profile) as stage, stage.running() as running:
        asked = await thread_with_a_fault(stage, running, HOME, "accept-then-500", 1, PROOF)
        assert asked == 5


@BOTH
async def test_r6_a_thread_whose_part_is_refused_for_good_is_partial_and_stops_there(
    stage: Stage, direction: Direction
) -> None:
    async with stage.running() as running:
        stage.fail_after(direction, 1, lambda: stage.add_fault(direction, "refuse-then-400"))
        thread = stage.write(direction, words("no middle", THREE_PARTS[direction]))
        behind = stage.write(direction, words("not blocked"))
        await stage.pass_time(running, 200, 50)
        found = await record(running, thread)
        assert await state(running, behind) is PostState.DELIVERED
    assert found.state is PostState.PARTIAL
    assert [part.state for part in found.parts] == [
        PartState.DELIVERED,
        PartState.FAILED,
        PartState.PLANNED,
    ]
    assert stage.creations(direction) == 3
