"""Promise 5: off for a month, restored from an old backup, a wrong clock: nothing old pours out.

Bars of docs/reliability.md: R14.
"""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.core.delivery import PostState
from bridge.core.errors import Transient
from bridge.core.events import RoutePaused, RouteResumed
from bridge.core.model import PostId, Visibility
from bridge.core.timing import FromBeginning
from bridge.core.verdict import Reason
from bridge.engine.supervise import Daemon
from bridge.ledger import care
from tests.engine.conftest import HOME, OUT, Rig

HOUR, DAY = 3600.0, 86400.0
STORY = (
    "In the first week we measured the river at nine places and wrote it all down. "
    "In the second week it rained, and every figure we had was of another river. "
    "By the third week nobody believed the gauges, so we went down with poles and ropes. "
    "The fourth week brought the old miller, who laughed and showed us his own marks. "
)


class Guarded(Rig):
    """A rig whose routes have the bounds that a configuration gives them by default."""

    max_per_hour: int | None = 20

    def daemon(self) -> Daemon:
        plain = super().daemon()
        plans = [
            replace(lane.plan, max_age=self.max_age, max_per_hour=self.max_per_hour)
            for lane in plain.lanes
        ]
        return Daemon(plans, plain._bench)


@pytest.fixture
def guarded(rig: Rig) -> Guarded:
    rig.__class__ = Guarded
    rig.max_age = timedelta(hours=24)
    assert isinstance(rig, Guarded)
    return rig


def sent(rig: Rig) -> list[str]:
    return [part.text for part, _, _ in rig.x.published]


async def reason(rig: Rig, post: PostId) -> Reason:
    (found,) = [record for record in await rig.ledger.find(post) if record.source == post]
    return found.verdict.reason


async def backed_up(rig: Rig) -> Path:
    """A backup of the ledger as it is, made while it is in use."""
    target = rig.folder / "backup"
    care.back_up(rig.folder / "ledger.sqlite3", target, rig.clock.now())
    return target


async def restored(rig: Rig, backup: Path) -> care.Restored:
    """The owner stops the bridge and restores that backup."""
    await rig.ledger.close()
    done = care.restore(rig.folder / "ledger.sqlite3", backup, rig.clock.now())
    rig.ledger = await rig.opened(rig.folder, rig.clock)
    return done


async def test_promise_5_off_for_a_month_only_the_last_day_crosses(guarded: Guarded) -> None:
    await guarded.started()
    await guarded.restart()
    old = []
    for day in range(30):
        old.append(guarded.mastodon.write(f"Day {day} of my travels"))
        guarded.clock.pass_time(DAY)
    guarded.clock.pass_time(-DAY / 2)
    await guarded.pass_time(guarded.daemon(), 60)
    assert sent(guarded) == ["Day 29 of my travels"]
    assert {await reason(guarded, post.id) for post in old[:29]} == {Reason.TOO_OLD}
    guarded.mastodon.write("Home again")
    await guarded.pass_time(guarded.daemon(), 60)
    assert sent(guarded)[-1] == "Home again"


@pytest.mark.parametrize("away", [12 * HOUR, 23 * HOUR])
async def test_a_short_absence_loses_nothing(guarded: Guarded, away: float) -> None:
    await guarded.started()
    await guarded.restart()
    guarded.mastodon.write("While you were out")
    guarded.clock.pass_time(away)
    await guarded.pass_time(guarded.daemon(), 60)
    assert sent(guarded) == ["While you were out"]


async def test_what_was_planned_before_a_long_absence_is_old_after_it(guarded: Guarded) -> None:
    daemon = await guarded.started()
    guarded.x.answers = [Transient("down", unreachable=True)] * 50
    post = guarded.mastodon.write("Never left")
    await guarded.pass_time(daemon, 60)
    assert await guarded.state(post.id) is PostState.PLANNED
    guarded.x.answers = []
    await guarded.restart()
    guarded.clock.pass_time(30 * DAY)
    await guarded.pass_time(guarded.daemon(), 60)
    assert sent(guarded) == []
    assert await reason(guarded, post.id) is Reason.TOO_OLD


async def test_what_waited_for_its_turn_before_a_long_absence_is_taken_back(
    guarded: Guarded,
) -> None:
    guarded.max_per_hour = 1
    daemon = await guarded.started()
    posts = [guarded.mastodon.write(f"Number {number}") for number in range(3)]
    await guarded.pass_time(daemon, 60)
    assert sent(guarded) == ["Number 0"]
    await guarded.restart()
    guarded.clock.pass_time(30 * DAY)
    await guarded.pass_time(guarded.daemon(), 60)
    assert sent(guarded) == ["Number 0"]
    assert [await reason(guarded, post.id) for post in posts[1:]] == [Reason.TOO_OLD] * 2


async def test_a_network_that_is_down_for_days_makes_nothing_old_while_the_bridge_runs(
    guarded: Guarded,
) -> None:
    daemon = await guarded.started()
    guarded.x.answers = [Transient("down", unreachable=True)] * 500
    guarded.mastodon.write("Patience")
    await guarded.pass_time(daemon, 3 * DAY, step=HOUR)
    guarded.x.answers = []
    await guarded.pass_time(daemon, 3 * HOUR, step=HOUR)
    assert sent(guarded) == ["Patience"]


async def test_a_source_that_cannot_be_read_for_days_brings_its_last_day(guarded: Guarded) -> None:
    daemon = await guarded.started()
    guarded.mastodon.read_errors = [Transient("down", unreachable=True)] * 500
    for day in range(4):
        guarded.mastodon.write(f"Day {day}")
        await guarded.pass_time(daemon, DAY, step=HOUR)
    guarded.mastodon.read_errors = []
    guarded.mastodon.write("Day 4")
    await guarded.pass_time(daemon, 3 * HOUR, step=HOUR)
    assert sent(guarded) == ["Day 4"]


@pytest.mark.parametrize("ahead", [DAY, 400 * DAY])
async def test_a_clock_that_jumps_ahead_while_the_bridge_runs_makes_nothing_old(
    guarded: Guarded, ahead: float
) -> None:
    daemon = await guarded.started()
    await guarded.pass_time(daemon, 60)
    guarded.clock.at += timedelta(seconds=ahead)
    guarded.mastodon.write("Now", at=guarded.clock.now() - timedelta(seconds=ahead))
    await guarded.pass_time(daemon, 60)
    assert sent(guarded) == ["Now"]


async def test_a_clock_that_was_always_wrong_makes_nothing_old(guarded: Guarded) -> None:
    year = timedelta(days=365)
    daemon = await guarded.started()
    for number in range(3):
        guarded.mastodon.write(f"Number {number}", at=guarded.clock.now() - year)
        await guarded.restart()
        await guarded.pass_time(guarded.daemon(), 60)
    assert len(sent(guarded)) == 3
    assert daemon is not None


async def test_a_clock_that_starts_in_1970_lets_nothing_old_through(guarded: Guarded) -> None:
    await guarded.started()
    guarded.mastodon.write("The last before")
    await guarded.pass_time(guarded.daemon(), 60)
    await guarded.restart()
    right = guarded.clock.at
    for day in range(1, 31):
        guarded.mastodon.write(f"Day {day}", at=right + timedelta(days=day))
    guarded.clock.at = guarded.clock.at.replace(year=1970)
    await guarded.daemon().once()
    assert sent(guarded) == ["The last before", "Day 29", "Day 30"]
    newest = {post.id for post in guarded.mastodon.posts[-2:]}
    judged = {post.id: await reason(guarded, post.id) for post in guarded.mastodon.posts[1:]}
    assert {name for name, why in judged.items() if why is not Reason.TOO_OLD} <= newest


async def test_whoever_starts_from_the_beginning_gets_it_all_whatever_its_age(
    guarded: Guarded,
) -> None:
    guarded.start = FromBeginning()
    for number in range(5):
        guarded.mastodon.write(f"Number {number}")
        guarded.clock.pass_time(30 * DAY)
    await guarded.pass_time(guarded.daemon(), 60)
    assert len(sent(guarded)) == 5


async def test_promise_5_no_more_than_so_many_an_hour_and_nothing_is_lost(
    guarded: Guarded,
) -> None:
    guarded.max_per_hour = 5
    daemon = await guarded.started()
    for number in range(12):
        guarded.mastodon.write(f"Number {number}")
    counts = []
    for _ in range(3):
        await guarded.pass_time(daemon, HOUR, step=300)
        counts.append(len(sent(guarded)))
    assert counts == [5, 10, 12]
    assert sent(guarded) == [f"Number {number}" for number in range(12)]
    paused = [e for e in guarded.events if isinstance(e, RoutePaused) and e.route == OUT]
    resumed = [e for e in guarded.events if isinstance(e, RouteResumed) and e.route == OUT]
    assert len(paused) == len(resumed) == 1
    assert "max_per_hour" in paused[0].detail


async def test_a_restart_does_not_begin_the_hour_anew(guarded: Guarded) -> None:
    guarded.max_per_hour = 2
    daemon = await guarded.started()
    for number in range(4):
        guarded.mastodon.write(f"Number {number}")
    await guarded.pass_time(daemon, 60)
    for _ in range(3):
        await guarded.restart()
        await guarded.pass_time(guarded.daemon(), 60)
    assert len(sent(guarded)) == 2


async def test_a_thread_that_has_begun_is_never_cut_by_the_hour(guarded: Guarded) -> None:
    guarded.max_per_hour = 1
    daemon = await guarded.started()
    guarded.mastodon.write(STORY)
    guarded.mastodon.write("And something else")
    await guarded.pass_time(daemon, 120)
    parts = sent(guarded)
    assert len(parts) >= 2
    assert "And something else" not in parts
    await guarded.pass_time(daemon, HOUR, step=300)
    assert sent(guarded)[-1] == "And something else"


async def test_a_clock_set_back_does_not_stop_the_hour(guarded: Guarded) -> None:
    guarded.max_per_hour = 1
    daemon = await guarded.started()
    guarded.mastodon.write("One")
    await guarded.pass_time(daemon, 60)
    guarded.clock.at -= timedelta(days=1)
    guarded.mastodon.write("Two", at=guarded.clock.now() + timedelta(days=1))
    await daemon.once()
    for lane in daemon.lanes:
        await lane.clock_was_set()
    await guarded.pass_time(daemon, 120)
    assert sent(guarded) == ["One", "Two"]


@pytest.mark.parametrize("text", ["Said in one breath.", STORY], ids=["one", "thread"])
async def test_promise_2_after_a_restore_nothing_is_posted_twice_and_all_is_explained(
    guarded: Guarded, text: str
) -> None:
    daemon = await guarded.started()
    before = guarded.mastodon.write("Before the backup")
    await guarded.pass_time(daemon, 60)
    backup = await backed_up(guarded)
    out = guarded.mastodon.write(text)
    home = guarded.x.write("Said on X since")
    secret = guarded.mastodon.write("Not for all", visibility=Visibility.FOLLOWERS)
    await guarded.pass_time(guarded.daemon(), 120)
    on_x, on_mastodon = guarded.x.shown(), guarded.mastodon.shown()
    guarded.mastodon.write("Written while the bridge stood still")
    await restored(guarded, backup)
    again = guarded.daemon()
    await guarded.pass_time(again, 300)
    assert guarded.x.shown() == on_x
    assert len(guarded.mastodon.shown()) == len(on_mastodon) + 1
    assert await guarded.state(before.id) is PostState.DELIVERED
    explained = {Reason.RESTORED, Reason.SAME_POST, Reason.ECHO, Reason.PARENT_NOT_MIRRORED}
    for post in (*guarded.mastodon.posts, *guarded.x.posts):
        records = await guarded.ledger.find(post.id)
        assert records, post
        if post.id not in {before.id, secret.id}:
            assert {record.verdict.reason for record in records} & explained, post
    assert await reason(guarded, secret.id) is Reason.AUDIENCE
    assert {out.id, home.id} <= {post.id for post in (*guarded.mastodon.posts, *guarded.x.posts)}
    new = guarded.mastodon.write("All is well again")
    await guarded.pass_time(again, 60)
    assert await guarded.state(new.id) is PostState.DELIVERED


async def test_what_was_on_its_way_in_the_backup_is_proven_by_what_is_read(
    guarded: Guarded,
) -> None:
    guarded.max_per_hour = 1
    daemon = await guarded.started()
    guarded.mastodon.write("The first")
    second = guarded.mastodon.write("The second, which waits")
    await guarded.pass_time(daemon, 60)
    backup = await backed_up(guarded)
    await guarded.pass_time(daemon, 2 * HOUR, step=300)
    assert sent(guarded) == ["The first", "The second, which waits"]
    assert (await restored(guarded, backup)).held == 1
    await guarded.pass_time(guarded.daemon(), 2 * HOUR, step=300)
    assert len(sent(guarded)) == 2
    assert len(guarded.mastodon.published) == 0
    assert await guarded.state(second.id) is PostState.DELIVERED


async def test_the_first_whole_pass_ends_a_restore_one_that_fails_does_not(
    guarded: Guarded,
) -> None:
    await guarded.started()
    backup = await backed_up(guarded)
    await restored(guarded, backup)
    guarded.mastodon.read_errors = [Transient("down", unreachable=True)]
    daemon = guarded.daemon()
    await daemon.once()
    assert (await guarded.ledger.passage(OUT)).restored
    assert not (await guarded.ledger.passage(HOME)).restored
    await guarded.pass_time(daemon, 300)
    assert not (await guarded.ledger.passage(OUT)).restored
