"""A part whose answer was lost is recognized as a mirror by every route that reads its account."""

from dataclasses import replace

import pytest

from bridge.core.delivery import PartState
from bridge.core.errors import InDoubt
from bridge.core.model import Account, AccountId, BridgeName, Direction, Network, Route
from bridge.core.verdict import Reason
from bridge.engine.commands import Commands
from bridge.engine.route import Bench, RoutePlan
from bridge.engine.supervise import Daemon
from tests.engine.conftest import HOME, NAME, OUT, Rig
from tests.fakes import FakeNetwork

STORY = "What nobody had read before"
THREAD = " ".join(f"Sentence {number} of a long story." for number in range(15))
"""Makes two parts on X."""

LOST = (True, InDoubt("the connection was reset"))
WORK = BridgeName("work")
WORK_OUT = Route(WORK, Direction.MASTODON_TO_X)
WORK_HOME = Route(WORK, Direction.X_TO_MASTODON)


def beside(rig: Rig, account: str = "me") -> tuple[Daemon, FakeNetwork]:
    """A second bridge, from the same account on X, or another one, to another server."""

    class Elsewhere(FakeNetwork):
        async def account(self) -> Account:
            return replace(await super().account(), id=AccountId(account))

    away = FakeNetwork(Network.MASTODON, rig.clock, max_length=500, _next=5000)
    x = Elsewhere(Network.X, rig.clock, posts=rig.x.posts)
    plans: list[RoutePlan] = [lane.plan for lane in rig.daemon().lanes]
    plans += [
        replace(plans[0], route=WORK_OUT, source=away, target=x),
        replace(plans[1], route=WORK_HOME, source=x, target=away),
    ]
    return Daemon(plans, Bench(rig.ledger, rig.clock, lambda: 0.0, (rig.events.append,))), away


@pytest.mark.parametrize("held", [False, True], ids=["in doubt", "held"])
async def test_another_bridge_does_not_mirror_a_part_whose_answer_was_lost(
    rig: Rig, held: bool
) -> None:
    daemon, away = beside(rig)
    await daemon.once()
    rig.x.answers.append(LOST)
    rig.clock.pass_time(1)
    toot = rig.mastodon.write(STORY)
    out, other = daemon.lanes[0], daemon.lanes[3]
    await out.turn(read=True)
    if held:
        rig.clock.pass_time(200_000)
        rig.x.read_errors.append(InDoubt("nothing came back"))
        await out.turn(read=False)
    state = PartState.HELD if held else PartState.IN_DOUBT
    assert [part.state for part in (await rig.record(toot.id)).parts] == [state]
    await other.turn(read=True)
    assert away.published == []
    (found,) = [one for one in await rig.ledger.history() if one.route == WORK_HOME]
    assert (found.verdict.reason, found.verdict.detail) == (Reason.ECHO, f"mirror of {toot.id}")


async def test_another_account_that_says_the_same_is_mirrored(rig: Rig) -> None:
    daemon, away = beside(rig, account="somebody-else")
    await daemon.once()
    rig.x.answers.append(LOST)
    rig.clock.pass_time(1)
    rig.mastodon.write(STORY)
    await daemon.lanes[0].turn(read=True)
    await daemon.lanes[3].turn(read=True)
    assert [part.text for part, _, _ in away.published] == [STORY]


async def test_what_a_direction_sent_is_no_news_while_it_is_switched_off(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.answers.append(LOST)
    rig.clock.pass_time(1)
    rig.mastodon.write(THREAD)
    await daemon.lanes[0].turn(read=True)
    await rig.restart()
    whole = rig.daemon()
    homeward = Daemon([whole.lanes[1].plan], Bench(rig.ledger, rig.clock, lambda: 0.0))
    await homeward.once()
    assert rig.mastodon.published == []


async def test_a_part_whose_answer_was_lost_is_not_caught_up_with(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.answers.append(LOST)
    rig.clock.pass_time(1)
    rig.mastodon.write(THREAD)
    await daemon.lanes[0].turn(read=True)
    (part,) = rig.x.posts
    commands = Commands(daemon._bench, [OUT, HOME], daemon.lanes)
    await commands.catch_up(NAME, HOME.direction, [part.id])
    await daemon.lanes[1].turn(read=False)
    assert rig.mastodon.published == []
