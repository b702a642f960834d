"""What a file says of a route, or leaves out, is what the daemon's routes work by."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.app.wiring import wired
from bridge.config import load
from bridge.core.budget import Budget
from bridge.core.model import Direction, Microdollars
from bridge.core.timing import Cron, FromBeginning, FromDate, FromNow, Interval
from bridge.engine.route import RoutePlan
from tests.fixtures.world import World

FILE = """\
state: ./state
bridges:
  - name: personal
    mastodon: {{url: https://mastodon.example, access_token: m-token}}
    x:
      oauth1: {{consumer_key: a, consumer_secret: b, access_token: c, access_token_secret: d}}
      {x}
    {mastodon_to_x}
    {x_to_mastodon}
"""
OUT, HOME = Direction.MASTODON_TO_X, Direction.X_TO_MASTODON


async def plans(
    folder: Path, x: str = "", mastodon_to_x: str = "", x_to_mastodon: str = ""
) -> dict[Direction, RoutePlan]:
    """The routes of a daemon that is made from such a file; no network is asked."""
    file = folder / "config.yaml"
    text = FILE.format(x=x, mastodon_to_x=mastodon_to_x, x_to_mastodon=x_to_mastodon)
    file.write_text(text, encoding="utf-8")
    async with wired(load(file)) as running:
        return {lane.plan.route.direction: lane.plan for lane in running.daemon.lanes}


async def test_what_is_left_out_is_as_documented_in_every_route(tmp_path: Path) -> None:
    found = await plans(tmp_path)
    assert set(found) == {OUT, HOME}
    for plan in found.values():
        assert plan.every == Interval(timedelta(minutes=1))
        assert plan.start == FromNow()
        assert plan.max_age == timedelta(hours=24)
        assert plan.max_per_hour == 20
        assert plan.budget == Budget(Microdollars(5_000_000), warn_at=80)
    assert (found[OUT].delay, found[HOME].delay) == (timedelta(seconds=30), timedelta(0))
    # Mastodon tells of edits and deletions by itself; X is asked, and charges for it.
    assert found[OUT].recheck_every is None
    assert (found[HOME].recheck_every, found[HOME].recheck_window) == (timedelta(hours=6), 20)
    # A post that is too dear is held; whoever reads Mastodon pays nothing for it.
    assert found[OUT].policy.held_above == Microdollars(250_000)
    assert found[HOME].policy.held_above is None


async def test_what_is_written_reaches_its_route_and_no_other(tmp_path: Path) -> None:
    found = await plans(
        tmp_path,
        mastodon_to_x=(
            "mastodon_to_x: {every: 2m, delay: 5s, start: beginning, max_age: 2h, max_per_hour: 7}"
        ),
        x_to_mastodon=(
            'x_to_mastodon: {every: "*/5 * * * *", delay: 1m, start: 2026-11-01, max_age: 7d, '
            "max_per_hour: 3, recheck: {every: 12h, window: 5}}"
        ),
    )
    out, home = found[OUT], found[HOME]
    assert (out.every, out.delay, out.start) == (
        Interval(timedelta(minutes=2)), timedelta(seconds=5), FromBeginning(),
    )  # fmt: skip
    assert (out.max_age, out.max_per_hour) == (timedelta(hours=2), 7)
    assert isinstance(home.every, Cron)
    assert (home.delay, home.start) == (
        timedelta(minutes=1), FromDate(datetime(2026, 11, 1, tzinfo=UTC)),
    )  # fmt: skip
    assert (home.max_age, home.max_per_hour) == (timedelta(days=7), 3)
    assert out.recheck_every is None
    assert (home.recheck_every, home.recheck_window) == (timedelta(hours=12), 5)


async def test_what_is_unbounded_is_unbounded(tmp_path: Path) -> None:
    found = await plans(
        tmp_path,
        x="budget: {usd_per_month: none, usd_per_post: none}",
        mastodon_to_x="mastodon_to_x: {max_age: any, max_per_hour: any}",
        x_to_mastodon="x_to_mastodon: {max_age: any, max_per_hour: any, recheck: {every: never}}",
    )
    for plan in found.values():
        assert (plan.max_age, plan.max_per_hour) == (None, None)
        assert not plan.budget.is_bounded
    assert found[OUT].policy.held_above is None
    assert found[HOME].recheck_every is None


async def test_both_routes_of_a_bridge_have_its_budget(tmp_path: Path) -> None:
    found = await plans(
        tmp_path, x="budget: {usd_per_month: 0.10, usd_per_post: 0.05, warn_at: 50%}"
    )
    expected = Budget(Microdollars(100_000), warn_at=50)
    assert [plan.budget for plan in found.values()] == [expected, expected]
    assert found[OUT].policy.held_above == Microdollars(50_000)


async def test_no_post_may_cost_more_than_a_month_may(tmp_path: Path) -> None:
    found = await plans(tmp_path, x="budget: {usd_per_month: 0.10}")
    assert found[OUT].policy.held_above == Microdollars(100_000)


async def test_a_route_that_is_switched_off_is_none(tmp_path: Path) -> None:
    assert set(await plans(tmp_path, mastodon_to_x="mastodon_to_x: {enabled: false}")) == {HOME}


@pytest.mark.parametrize(("written", "sent"), [("", 20), (", max_per_hour: 3", 3)])
async def test_no_more_leave_in_an_hour_than_the_file_says_or_leaves_out(
    world: World, written: str, sent: int
) -> None:
    text = world.config.read_text(encoding="utf-8")
    old = "x_to_mastodon: {every: 1s, max_per_hour: any, delay: 0s}"
    assert old in text
    world.config.write_text(text.replace(old, f"x_to_mastodon: {{every: 1s{written}}}"), "utf-8")
    assert (await world.twinpost("once")).code == 0
    for number in range(22):
        world.x.write(world.x_account, f"Post {number} of many")
    await world.twinpost("once")
    mirrors = world.mastodon.timeline(world.mastodon_account)
    assert len(mirrors) == sent
