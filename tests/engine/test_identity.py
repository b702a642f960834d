"""A bridge works for the two accounts that its ledger knows, and for no others."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from bridge.core.delivery import PartState, PostState
from bridge.core.errors import InDoubt, Throttled, Transient, Unauthorised
from bridge.core.events import RoutePaused
from bridge.core.model import BridgeName, Network, Post, PostId
from bridge.core.record import Mirror, Pair
from bridge.core.timing import FromBeginning
from bridge.engine.commands import Commands
from bridge.engine.route import Bench
from bridge.engine.standing import wait_rows
from bridge.engine.supervise import Daemon
from tests.engine.conftest import HOME, NAME, OUT, Rig
from tests.fakes import FakeNetwork

UNDER_WAY = {PartState.PLANNED, PartState.IN_DOUBT, PartState.OUTDATED, PartState.UNWANTED}
ASKING = {
    "baseline", "read_after", "recent", "window", "look_up", "standing", "listen", "upload",
    "publish", "revise", "delete",
}  # fmt: skip


@dataclass
class Watched(FakeNetwork):
    """Notes which of its methods are used."""

    used: list[str] = field(default_factory=list)

    def __getattribute__(self, name: str) -> object:
        if name in ASKING:
            self.used.append(name)
        return super().__getattribute__(name)


def stranger(rig: Rig, network: Network, **given: str) -> Watched:
    """An account on `network` with posts of its own, some older than the bridge."""
    made = Watched(network, rig.clock, 500 if network is Network.MASTODON else 280)
    for name, value in given.items():
        setattr(made, name, value)
    for number in range(3):
        made.write(f"Written before by somebody else, {number}")
    return made


def swapped(rig: Rig, network: Network, other: FakeNetwork) -> None:
    if network is Network.MASTODON:
        rig.mastodon = other
    else:
        rig.x = other


def watched(rig: Rig) -> tuple[Watched, Watched]:
    """Both accounts as they are, noting from now on what they are asked."""
    made = []
    for port in (rig.mastodon, rig.x):
        if not isinstance(port, Watched):
            one = Watched(port.network, port.clock)
            one.__dict__.update({**port.__dict__, "used": []})
            port = one  # noqa: PLW2901 - the same account
        port.used.clear()
        made.append(port)
    rig.mastodon, rig.x = made
    return made[0], made[1]


async def forgotten(rig: Rig) -> None:
    """Let the ledger be as one that knows no accounts has left it."""
    await rig.ledger.close()
    database = sqlite3.connect(rig.folder / "ledger.sqlite3")
    with suppress(sqlite3.OperationalError):
        database.execute("DELETE FROM account")
    database.commit()
    database.close()
    rig.ledger = await Rig.opened(rig.folder, rig.clock)


async def with_everything_under_way(rig: Rig) -> list[Post]:
    """Posts whose mirrors stand, are to be edited, to be deleted, in doubt, and to be sent.

    Newer ones wait to be read on either side.
    """
    rig.mastodon.write("From before the bridge")
    rig.x.write("From before the bridge, there")
    daemon = await rig.started()
    toots = []
    for text in ("Stands", "To be edited", "To be deleted"):
        rig.clock.pass_time(60)
        toots.append(rig.mastodon.write(text))
        await daemon.once()
    down = Transient("HTTP 503", status=503)
    rig.clock.pass_time(60)
    rig.mastodon._edited(toots[1], "Was edited", ())
    rig.mastodon.remove(toots[2])
    rig.x.edit_answers.append(down)
    rig.x.delete_answers.append(down)
    rig.x.answers += [InDoubt("reset"), down]
    rig.x.write("To be sent the other way")
    rig.mastodon.answers.append(down)
    toots.append(rig.mastodon.write("In doubt"))
    await daemon.once()
    toots.append(rig.mastodon.write("To be sent"))
    await daemon.once()
    states = {part.state for record in await rig.ledger.history() for part in record.parts}
    assert states >= UNDER_WAY
    rig.mastodon.write("To be read")
    rig.x.write("To be read, there")
    rig.clock.pass_time(300)
    return toots


async def photographed(rig: Rig) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = [
        (record.route, record.source, record.state, [part.state for part in record.parts])
        for record in await rig.ledger.history(limit=100)
    ]
    cursors = [await rig.ledger.cursor(route) for route in (OUT, HOME)]
    return [*rows, tuple(cursors)]


OTHERS: dict[str, dict[str, str]] = {
    "another account of the same server": {"owner": "somebody-else"},
    "another account of another server": {"owner": "somebody-else", "host": "other.example"},
    "an account of the same id on another server": {"owner": "me", "host": "other.example"},
    "another account of the same handle": {"owner": "somebody-else", "handle": "me"},
}
WAYS: dict[str, Callable[[Daemon], Awaitable[object]]] = {
    "once": lambda daemon: daemon.once(),
    "once --recheck": lambda daemon: daemon.once(recheck=True),
    "once --recheck --deleted": lambda daemon: daemon.once(recheck=True, deleted=True),
    "a turn": lambda daemon: asyncio.gather(*(lane.turn(read=True) for lane in daemon.lanes)),
    "a glance": lambda daemon: asyncio.gather(*(lane.glance() for lane in daemon.lanes)),
    "a recheck": lambda daemon: asyncio.gather(*(lane.recheck() for lane in daemon.lanes)),
}


@pytest.mark.parametrize("network", list(Network))
@pytest.mark.parametrize("other", OTHERS)
async def test_with_the_wrong_account_nothing_is_read_sent_or_deleted(
    rig: Rig, other: str, network: Network
) -> None:
    await with_everything_under_way(rig)
    before = await photographed(rig)
    swapped(rig, network, stranger(rig, network, **OTHERS[other]))
    ports = watched(rig)
    # A post may be asked for by its id, to find out whether it is the same account after all.
    allowed = {"look_up"} if network is Network.MASTODON and "same id" in other else set()
    for way, go in WAYS.items():
        rig.events.clear()
        daemon = rig.daemon()
        await go(daemon)
        assert {name for port in ports for name in port.used} <= allowed, way
        assert await photographed(rig) == before, way
        assert all(lane.unauthorised for lane in daemon.lanes), way
        (first, *_) = [event for event in rig.events if isinstance(event, RoutePaused)]
        assert "@me" in first.detail
        assert OTHERS[other].get("owner", "me") in first.detail
        assert f"twinpost ledger rebind --bridge {NAME}" in first.detail
        assert {row["condition"] for row in wait_rows(daemon.lanes)} == {"wrong-account"}


@pytest.mark.parametrize("network", list(Network))
async def test_the_right_account_goes_on_where_it_was(rig: Rig, network: Network) -> None:
    toots = await with_everything_under_way(rig)
    mine = rig.mastodon if network is Network.MASTODON else rig.x
    swapped(rig, network, stranger(rig, network, owner="somebody-else"))
    await rig.daemon().once()
    swapped(rig, network, mine)
    await rig.pass_time(rig.daemon(), 900, step=90)

    states = [await rig.state(toot.id) for toot in toots]
    assert states == [PostState.DELIVERED] * 2 + [PostState.REMOVED] + [PostState.DELIVERED] * 2
    assert [post.text.plain for post in rig.x.posts].count("To be sent") == 1


@pytest.mark.parametrize("network", list(Network))
async def test_another_bridge_goes_on(rig: Rig, network: Network) -> None:
    daemon = await rig.started()
    other = replace(rig, mastodon=replace(rig.mastodon), x=replace(rig.x))
    swapped(rig, network, stranger(rig, network, owner="somebody-else"))
    plans = [
        replace(lane.plan, route=replace(lane.plan.route, bridge=BridgeName("work")))
        for lane in other.daemon().lanes
    ]
    both = Daemon(
        [*plans, *(lane.plan for lane in rig.daemon().lanes)],
        Bench(rig.ledger, rig.clock, lambda: 0.0, (rig.events.append,)),
    )
    await both.once()
    rig.clock.pass_time(60)
    other.mastodon.write("Of the other bridge")
    await both.once()

    assert [post.text.plain for post in other.x.posts] == ["Of the other bridge"]
    del daemon


@pytest.mark.parametrize("network", list(Network))
@pytest.mark.parametrize(
    "error", [Transient("down", unreachable=True), Throttled("429"), Unauthorised("401")]
)
async def test_a_network_that_does_not_say_whose_it_is_holds_up_itself_alone(
    rig: Rig, network: Network, error: Exception
) -> None:
    await rig.started()
    silent = rig.mastodon if network is Network.MASTODON else rig.x
    silent.account_errors += [error, error]  # type: ignore[list-item] # each is a NetworkError
    ports = watched(rig)
    await rig.daemon().once()

    for port in ports:
        if port.network is network:
            assert not port.used
        else:
            assert "read_after" in port.used


@pytest.mark.parametrize("network", list(Network))
async def test_who_it_is_is_asked_once_a_start(rig: Rig, network: Network) -> None:
    await with_everything_under_way(rig)
    port = rig.mastodon if network is Network.MASTODON else rig.x
    daemon = rig.daemon()
    asked = port.asked_who
    await daemon.check_accounts(NAME)
    await daemon.check_accounts(NAME)
    assert port.asked_who == asked + 1


@pytest.mark.parametrize("network", list(Network))
async def test_a_renamed_handle_is_the_same_account(rig: Rig, network: Network) -> None:
    toots = await with_everything_under_way(rig)
    port = rig.mastodon if network is Network.MASTODON else rig.x
    port.handle = "renamed"
    await rig.pass_time(rig.daemon(), 900, step=90)

    known = await rig.ledger.identity(NAME, network)
    assert known is not None
    assert known.handle == "renamed"
    assert await rig.state(toots[-1].id) is PostState.DELIVERED


async def test_a_server_that_moved_with_its_posts_is_the_same(rig: Rig) -> None:
    toots = await with_everything_under_way(rig)
    rig.mastodon.host = "new.example"
    await rig.pass_time(rig.daemon(), 900, step=90)

    known = await rig.ledger.identity(NAME, Network.MASTODON)
    assert known is not None
    assert known.server == "new.example"
    assert await rig.state(toots[-1].id) is PostState.DELIVERED


@pytest.mark.parametrize("off", [timedelta(seconds=-2), timedelta(seconds=2), timedelta(days=9)])
async def test_a_server_whose_posts_only_have_the_same_ids_is_another(
    rig: Rig, off: timedelta
) -> None:
    await with_everything_under_way(rig)
    twin = stranger(rig, Network.MASTODON, host="new.example")
    twin.posts = [
        replace(post, created_at=post.created_at + off)
        for post in rig.mastodon.posts
        if await rig.ledger.known(OUT, [post.id])
    ]
    rig.mastodon = twin
    daemon = rig.daemon()
    await daemon.once()
    assert all(lane.unauthorised for lane in daemon.lanes)


@pytest.mark.parametrize("network", list(Network))
@pytest.mark.parametrize(
    "other", ["another account of the same server", "another account of another server"]
)
async def test_a_ledger_that_knows_no_accounts_still_tells_by_its_posts(
    rig: Rig, other: str, network: Network
) -> None:
    for port in (rig.mastodon, rig.x):
        port.host = f"{port.network.value}.example/@me/status"
    await with_everything_under_way(rig)
    await forgotten(rig)
    before = await photographed(rig)
    swapped(rig, network, stranger(rig, network, **OTHERS[other]))
    ports = watched(rig)
    daemon = rig.daemon()
    await daemon.once()

    assert {name for port in ports for name in port.used} <= {"look_up"}
    assert await photographed(rig) == before
    assert all(lane.unauthorised for lane in daemon.lanes)


async def test_a_ledger_that_knows_no_accounts_takes_its_own_at_the_first_contact(
    rig: Rig,
) -> None:
    toots = await with_everything_under_way(rig)
    await forgotten(rig)
    await rig.pass_time(rig.daemon(), 900, step=90)

    assert await rig.state(toots[-1].id) is PostState.DELIVERED
    for network in Network:
        known = await rig.ledger.identity(NAME, network)
        assert known is not None
        assert known.id == "me"


@pytest.mark.parametrize("network", list(Network))
async def test_a_bridge_that_is_bound_anew_starts_from_now(rig: Rig, network: Network) -> None:
    rig.start = FromBeginning()
    toots = await with_everything_under_way(rig)
    before = await rig.record(toots[0].id)
    new = stranger(rig, network, owner="somebody-else", host="new.example")
    swapped(rig, network, new)
    ports = watched(rig)
    await rig.daemon().once()
    commands = Commands(Bench(rig.ledger, rig.clock, lambda: 0.0), [OUT, HOME])
    done = await commands.rebind(NAME)
    assert done.unsent > 0

    await rig.pass_time(rig.daemon(), 1800, step=90)
    assert [
        name for port in ports for name in port.used if name in {"publish", "delete", "revise"}
    ] == []
    rig.clock.pass_time(60)
    rig.mastodon.write("After the move")
    rig.x.write("After the move, there")
    await rig.pass_time(rig.daemon(), 300, step=60)
    for port in ports:
        new_ones = [
            each for each in port.posts if each.created_at > rig.clock.now() - timedelta(hours=0.2)
        ]
        assert sorted(post.text.plain for post in new_ones) == [
            "After the move",
            "After the move, there",
        ]
    kept = await rig.record(toots[0].id)
    assert kept.route.bridge == done.aside
    assert kept.parts[0].target_id == before.parts[0].target_id
    former = await rig.ledger.identity(done.aside, network)
    assert former is not None
    assert former.id == "me"
    assert not [
        part
        for record in await rig.ledger.history(limit=100)
        if record.route.bridge == done.aside
        for part in record.parts
        if part.state
        not in {PartState.DELIVERED, PartState.DROPPED, PartState.HELD, PartState.GONE}
    ]


@pytest.mark.parametrize("network", list(Network))
async def test_an_owner_decides_nothing_about_posts_of_another_account(
    rig: Rig, network: Network
) -> None:
    toots = await with_everything_under_way(rig)
    before = await photographed(rig)
    swapped(rig, network, stranger(rig, network, owner="somebody-else"))
    daemon = rig.daemon()
    commands = Commands(
        Bench(rig.ledger, rig.clock, lambda: 0.0),
        [OUT, HOME],
        daemon.lanes,
        check_accounts=daemon.check_accounts,
    )
    asked: list[dict[str, str | None]] = [
        {"do": "resolve", "post": toots[3].id, "sent": None},
        {"do": "retry", "post": toots[3].id},
        {"do": "drop", "post": toots[3].id},
        {"do": "release", "post": None},
        {"do": "catch-up", "direction": OUT.direction.value, "posts": toots[0].id},
        {"do": "link", "direction": OUT.direction.value, "post": "1", "mirror": "2"},
    ]
    for each in asked:
        with pytest.raises(Unauthorised, match="somebody-else"):
            await commands.obey(each)
    with pytest.raises(Unauthorised, match="somebody-else"):
        await commands.take_over([Pair(OUT, Mirror(PostId("1")), Mirror(PostId("2")))])
    assert await photographed(rig) == before


@pytest.mark.parametrize("network", list(Network))
async def test_passes_that_wait_for_a_lost_login_do_not_ask_who_it_is(
    rig: Rig, network: Network
) -> None:
    await rig.started()
    port = rig.mastodon if network is Network.MASTODON else rig.x
    port.account_errors += [Unauthorised("HTTP 401: revoked")] * 20
    await rig.daemon().once()
    asked = port.asked_who
    for _ in range(5):
        rig.clock.pass_time(1)
        await rig.daemon().once()
    assert port.asked_who == asked
