"""The owner's word: what is held or failed can be mended, and nothing else can be touched."""

import asyncio
import contextlib

import pytest

from bridge.sandbox.faults import Fault
from tests.fixtures.world import World, until


async def failed_post(world: World) -> str:
    """A toot whose mirror X refused."""
    await world.twinpost("once")
    world.x.faults.add(Fault("refuse-then-400", method="POST", path="/2/tweets"))
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


async def test_a_running_daemon_carries_out_at_once_what_it_is_told(world: World) -> None:
    post = await failed_post(world)
    async with world.running():
        told = await world.twinpost("retry", post)
        assert (told.code, told.out.strip()) == (
            0,
            f"personal/mastodon_to_x {post}: it is tried again",
        )
        await until(lambda: len(world.x.timeline(world.x_account)) == 1)
        refused = await world.twinpost("retry", post)
        assert (refused.code, "it is delivered" in refused.err) == (1, True)
        assert (await world.twinpost("drop", "12345")).code == 2


async def test_a_paused_direction_neither_reads_nor_sends_until_it_is_resumed(
    world: World,
) -> None:
    await world.twinpost("once")
    assert (await world.twinpost("pause", "--direction", "mastodon_to_x")).code == 0
    async with world.running():
        world.mastodon.write(world.mastodon_account, "Waits")
        tweet = world.x.write(world.x_account, "Goes on")
        await until(lambda: len(world.mastodon.timeline(world.mastodon_account)) == 2)
        assert [post.id for post in world.x.timeline(world.x_account)] == [tweet.id]
        told = await world.twinpost("sync-now")
        assert "personal/mastodon_to_x is paused" in told.out

        assert "going on" in (await world.twinpost("resume")).out
        await until(lambda: len(world.x.timeline(world.x_account)) == 2)


async def test_sync_now_needs_a_daemon(world: World) -> None:
    await world.twinpost("once")
    told = await world.twinpost("sync-now")
    assert told.code == 2
    assert "twinpost once" in told.err


async def test_the_socket_is_its_owners_alone_and_goes_with_the_daemon(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # By a short name: the address of a socket must not be longer than a hundred letters or so.
    monkeypatch.chdir(world.folder)
    socket = world.folder / "state" / "control.sock"
    async with world.running():
        assert socket.stat().st_mode & 0o777 == 0o600
        for line in (b"no json\n", b'{"do": "explode"}\n', b"x" * 100_000, b"[1]\n"):
            reader, writer = await asyncio.open_unix_connection("state/control.sock")
            writer.write(line)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            answer = await reader.read(1000)
            writer.close()
            assert answer == b"" or b"no command" in answer
        assert (await world.twinpost("pause")).code == 0
    assert not socket.exists()


async def test_a_state_folder_of_any_depth_has_a_socket(world: World) -> None:
    deep = "/".join(["d" * 60] * 3)
    text = world.config.read_text(encoding="utf-8").replace("state: ./state", f"state: ./{deep}")
    world.config.write_text(text, encoding="utf-8")
    async with world.running():
        assert "paused" in (await world.twinpost("pause")).out
