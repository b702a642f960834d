"""Every command stops before a wrong account: another token, another server, other keys."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from bridge.sandbox.mastodon import MastodonAccount, MastodonSandbox
from bridge.sandbox.server import serve
from bridge.sandbox.x import XSandbox
from tests.fixtures.world import World

WHO = {
    "/api/v1/accounts/verify_credentials", "/api/v1/instance", "/api/v2/instance", "/2/users/me",
}  # fmt: skip
"""What may be asked of a wrong account: who it is, and what its server says about itself."""


@dataclass
class Swap:
    """A bridge that has mirrored, whose configuration names another account since."""

    world: World
    called: str
    toot: str
    servers: tuple[MastodonSandbox | XSandbox, ...]
    asked: list[int]

    def asked_since(self) -> set[str]:
        """Which paths were asked for on any server since then."""
        pairs = zip(self.servers, self.asked, strict=True)
        return {entry.path for server, count in pairs for entry in server.faults.requests[count:]}


async def working(world: World) -> str:
    """Mirror in both directions, and have one more toot that failed; the id of that."""
    await world.twinpost("once")
    world.mastodon.write(world.mastodon_account, "Out")
    world.x.write(world.x_account, "Home")
    assert (await world.twinpost("once")).code == 0
    return world.mastodon.timeline(world.mastodon_account)[-1].id


def put(world: World, *changes: tuple[str, str]) -> None:
    text = world.config.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    world.config.write_text(text)


def keys_of(world: World, other: XSandbox | None = None) -> list[tuple[str, str]]:
    """The changes from the keys of one user on X to those of another."""
    one, two = world.x_account.oauth1, (other or world.x).add_account("bob", "Bob").oauth1
    return [
        (one.consumer_key, two.consumer_key),
        (one.consumer_secret, two.consumer_secret),
        (one.access_token, two.access_token),
        (one.access_token_secret, two.access_token_secret),
    ]


@asynccontextmanager
async def swapped(world: World, what: str) -> AsyncIterator[Swap]:
    toot = await working(world)
    servers: list[MastodonSandbox | XSandbox] = [world.mastodon, world.x]
    if what == "token":
        bob = world.mastodon.add_account("bob", "Bob")
        world.mastodon.write(bob, "Of somebody else")
        put(world, (world.mastodon_account.access_token, bob.access_token))
        yield made(world, "@bob", toot, servers)
    elif what == "keys":
        put(world, *keys_of(world))
        world.x.write(world.x.account("bob"), "Of somebody else")
        yield made(world, "@bob", toot, servers)
    elif what == "server":
        other = MastodonSandbox()
        bob = other.add_account("bob", "Bob")
        other.write(bob, "Of somebody else")
        async with serve(other.app) as url:
            change = (world.mastodon_account.access_token, bob.access_token)
            put(world, change, (world.mastodon_url, url))
            yield made(world, "@bob", toot, [*servers, other])
    else:
        strange = XSandbox()
        changes = keys_of(world, strange)
        async with serve(strange.app) as url:
            put(world, *changes, (world.x_url, url))
            yield made(world, "@bob", toot, [*servers, strange])


def made(world: World, called: str, toot: str, servers: list[MastodonSandbox | XSandbox]) -> Swap:
    asked = [len(server.faults.requests) for server in servers]
    return Swap(world, called, toot, tuple(servers), asked)


SWAPS = ("token", "server", "keys", "x-server")


@pytest.mark.parametrize("what", SWAPS)
async def test_every_command_stops_before_a_wrong_account(world: World, what: str) -> None:
    async with swapped(world, what) as swap:
        folder = world.folder
        assert (await world.twinpost("ledger", "backup", str(folder / "copy"))).code == 0
        assert (await world.twinpost("ledger", "export", str(folder / "lines"))).code == 0
        before = (await world.twinpost("history", "--json")).out
        for command in (
            ("once",),
            ("once", "--recheck"),
            ("catch-up", "--since", "2020-01-01", "--yes"),
            ("preview", "-", "--direction", "x_to_mastodon"),
            ("preview", swap.toot, "--direction", "mastodon_to_x"),
            ("resolve", swap.toot, "--not-sent"),
            ("retry", swap.toot),
            ("link", "1", "2", "--direction", "mastodon_to_x"),
            ("ledger", "restore", str(folder / "copy")),
            ("ledger", "import", str(folder / "lines")),
        ):
            told = await world.twinpost(*command)
            assert told.code in {2, 3}, (command, told)
            assert "@ada" in told.err, (command, told)
            assert swap.called in told.err, (command, told)
            assert "twinpost ledger rebind --bridge personal" in told.err, (command, told)
        assert swap.asked_since() <= WHO
        assert (await world.twinpost("history", "--json")).out == before


@pytest.mark.parametrize("what", SWAPS)
async def test_a_bridge_that_is_rebound_mirrors_what_is_new_and_touches_nothing_old(
    world: World, what: str
) -> None:
    async with swapped(world, what) as swap:
        assert (await world.twinpost("ledger", "rebind")).code == 2
        told = await world.twinpost("ledger", "rebind", "--yes")
        assert told.code == 0, told
        assert "@ada" in told.out
        assert (await world.twinpost("once")).code == 0
        written = [entry for server in swap.servers for entry in server.faults.requests]
        changes = [entry for entry in written if entry.method in {"POST", "PUT", "DELETE"}]
        # One mirror each way, from before.
        assert len(changes) == 2
        kept = [row for row in (await world.twinpost("history", "--json")).rows if row["parts"]]
        assert len(kept) == 2
        assert {row["bridge"].partition("@")[0] for row in kept} == {"personal"}
        assert all("@" in row["bridge"] for row in kept)


async def test_a_daemon_that_reloads_refuses_that_bridge_and_goes_on(world: World) -> None:
    toot = await working(world)
    bob = world.mastodon.add_account("bob", "Bob")
    async with world.running() as process:
        put(world, (world.mastodon_account.access_token, bob.access_token))
        os.kill(process.pid, signal.SIGHUP)
        async with asyncio.timeout(20):
            while {row["state"] for row in (await world.twinpost("status", "--json")).rows} != {
                "wrong account"
            }:
                pass
        assert (await world.twinpost("status")).code == 3
        count = len(world.mastodon.faults.requests)
        world.mastodon.write(bob, "Of somebody else")
        world.x.write(world.x_account, "Not for bob")
        told = await world.twinpost("retry", toot)
        assert "@bob" in told.err
        await world.twinpost("sync-now")
        assert (await world.twinpost("status")).code == 3
        seen = {entry.path for entry in world.mastodon.faults.requests[count:]}
        assert seen <= WHO
        assert process.returncode is None
    assert len(world.x.timeline(world.x_account)) == 2 + 1


async def test_a_sign_in_as_another_account_is_not_kept(world: World) -> None:
    await working(world)
    bob: MastodonAccount = world.mastodon.add_account("bob", "Bob")
    (world.folder / "token").write_text(bob.access_token)
    put(world, (f", access_token: {world.mastodon_account.access_token}", ""))
    told = await world.twinpost("login", "mastodon", "--token-file", "token")
    assert told.code == 2
    assert "Nothing was changed" in told.err
    assert "@bob" in told.err
    assert not list((world.folder / "state" / "tokens").glob("*mastodon*"))

    assert (await world.twinpost("ledger", "rebind", "--yes")).code == 0
    told = await world.twinpost("login", "mastodon", "--token-file", "token")
    assert told.code == 0, told
    assert (await world.twinpost("once")).code == 0


async def test_check_names_a_wrong_account(world: World) -> None:
    async with swapped(world, "token"):
        told = await world.twinpost("check")
        assert told.code == 3
        assert "mastodon ledger" in told.out
        assert "@bob" in told.out


@pytest.mark.parametrize("network", ["mastodon", "x"])
async def test_a_server_that_is_known_by_another_name_goes_on(world: World, network: str) -> None:
    await working(world)
    url = world.mastodon_url if network == "mastodon" else world.x_url
    put(world, (url, url.replace("127.0.0.1", "localhost")))
    world.mastodon.write(world.mastodon_account, "Out again")
    world.x.write(world.x_account, "Home again")
    told = await world.twinpost("once")
    assert told.code == 0, told
    assert len(world.x.timeline(world.x_account)) == 4
    assert len(world.mastodon.timeline(world.mastodon_account)) == 4
