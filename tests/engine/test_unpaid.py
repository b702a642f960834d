"""A network that wants money is told apart from one that refuses a login, and mended otherwise."""

from datetime import UTC, datetime, timedelta

from bridge.core.delivery import PostState
from bridge.core.errors import Throttled, Unauthorised, Unpaid
from bridge.core.events import RoutePaused
from bridge.engine.commands import Commands
from bridge.engine.control import Control
from bridge.engine.route import Bench
from bridge.engine.standing import BAD, Condition, Standing, standings
from bridge.engine.supervise import Daemon
from tests.engine.conftest import HOME, OUT, Rig

FIRST_OF_DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
CAPPED = Unpaid("HTTP 403: the spend cap is reached", status=403, until=FIRST_OF_DECEMBER)
MANY = 100


async def outward(rig: Rig, daemon: Daemon) -> Standing:
    found = await standings(daemon, Control(rig.ledger, (OUT, HOME)), rig.clock.now())
    return next(each for each in found if each.route == OUT)


async def test_a_spend_cap_is_a_condition_of_its_own_until_the_day_the_network_names(
    rig: Rig,
) -> None:
    daemon = await rig.started()
    rig.x.answers = [CAPPED] * MANY
    toot = rig.mastodon.write("For money")
    await daemon.once()
    found = await outward(rig, daemon)
    assert found.condition is Condition.UNPAID
    assert found.condition in BAD
    assert found.until == FIRST_OF_DECEMBER
    assert "spend cap" in found.detail
    assert daemon.lanes[0].unpaid
    assert not daemon.lanes[0].unauthorised
    assert await rig.state(toot.id) is PostState.PLANNED


async def test_a_cap_whose_day_has_passed_is_waited_for_until_the_next_try(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.answers = [Unpaid("HTTP 402", until=rig.clock.now() - timedelta(days=3))] * MANY
    rig.mastodon.write("For money")
    await daemon.once()
    found = await outward(rig, daemon)
    assert found.until is not None
    assert found.until > rig.clock.now()


async def test_that_a_login_is_refused_after_money_was_wanted_is_told_again(rig: Rig) -> None:
    daemon = await rig.started()
    refused = [Unauthorised("HTTP 401", status=401)] * MANY
    rig.x.answers = [Unpaid("HTTP 402", status=402), *refused]
    rig.mastodon.write("For money")
    await rig.pass_time(daemon, 600)
    told = [each.detail for each in rig.events if isinstance(each, RoutePaused)]
    assert told == ["sending to x: HTTP 402", "sending to x: HTTP 401"]
    assert (await outward(rig, daemon)).condition is Condition.SIGN_IN


async def test_who_has_paid_need_not_wait_for_the_next_try(rig: Rig) -> None:
    daemon = await rig.started()
    commands = Commands(Bench(rig.ledger, rig.clock, lambda: 0.0), (OUT, HOME), daemon.lanes)
    rig.x.answers = [CAPPED]
    toot = rig.mastodon.write("For money")
    await rig.pass_time(daemon, 3600, 600)
    assert await rig.state(toot.id) is PostState.PLANNED
    await commands.sync_now()
    await daemon.once()
    assert await rig.state(toot.id) is PostState.DELIVERED


async def test_the_owners_word_opens_no_limit_before_its_time(rig: Rig) -> None:
    daemon = await rig.started()
    commands = Commands(Bench(rig.ledger, rig.clock, lambda: 0.0), (OUT, HOME), daemon.lanes)
    until = rig.clock.now() + timedelta(hours=3)
    rig.x.answers = [Throttled("too many requests", until=until, status=429)]
    toot = rig.mastodon.write("Patience")
    await daemon.once()
    await commands.sync_now()
    await daemon.once()
    assert await rig.state(toot.id) is PostState.PLANNED
