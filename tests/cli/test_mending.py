"""The owner's word: what is held or failed can be mended, and nothing else can be touched."""

from bridge.sandbox.faults import Fault
from tests.fixtures.world import World


async def failed_post(world: World) -> str:
    """A toot whose mirror X refused."""
    await world.twinpost("once")
    world.x.faults.add(Fault("refuse-then-403", method="POST", path="/2/tweets"))
    toot = world.mastodon.write(world.mastodon_account, "Not at first")
    assert (await world.twinpost("once")).code == 1
    return toot.id


async def state(world: World, post: str) -> str:
    rows = (await world.twinpost("why", post, "--json")).rows
    return str(next(row["state"] for row in rows if row["parts"]))


async def test_a_failed_post_can_be_sent_after_all(world: World) -> None:
    post = await failed_post(world)
    assert (await world.twinpost("retry", post)).code == 0
    assert (await world.twinpost("once")).code == 0
    assert await state(world, post) == "delivered"


async def test_a_failed_post_can_be_let_be_and_then_all_is_well(world: World) -> None:
    post = await failed_post(world)
    assert (await world.twinpost("drop", post)).code == 0
    assert (await world.twinpost("once")).code == 0
    assert await state(world, post) == "dropped"


async def test_a_delivered_post_cannot_be_mended(world: World) -> None:
    await world.twinpost("once")
    toot = world.mastodon.write(world.mastodon_account, "All is well")
    await world.twinpost("once")
    for command in (("retry",), ("drop",), ("resolve", "--not-sent")):
        told = await world.twinpost(command[0], toot.id, *command[1:])
        assert told.code == 1
        assert "it is delivered" in told.err
    assert len(world.x.timeline(world.x_account)) == 1


async def test_an_unknown_post_is_a_usage_error(world: World) -> None:
    await world.twinpost("once")
    told = await world.twinpost("drop", "12345")
    assert told.code == 2
    assert "12345" in told.err


async def test_nothing_is_mended_behind_a_running_daemons_back(world: World) -> None:
    async with world.running():
        assert (await world.twinpost("drop", "1")).code == 4
