"""What an owner can have done: pause, resume, read now, and decide about a post that waits.

Every surface and the command line translate to this. Must not send anything itself: it changes what
the ledger says and wakes the lanes, which do the rest. Works beside no lanes too; then the next
process finds what was decided.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from bridge.core.errors import NothingFits
from bridge.core.events import RoutePaused, RouteResumed
from bridge.core.identity import Identity, Rebound
from bridge.core.model import BridgeName, Direction, Network, PostId, Route
from bridge.core.record import Mirror, Pair, PostRecord, Tied
from bridge.core.verdict import Reason
from bridge.engine.lane import Lane
from bridge.engine.mend import Mend, NothingToMend
from bridge.engine.route import Bench
from bridge.engine.standing import wait_rows

BY_OWNER = "paused by its owner; it goes on with: twinpost resume"


CheckAccounts = Callable[[BridgeName], Awaitable[None]]
"""Raises `WrongAccount` where the credentials of a bridge are another account's."""


async def _nobody_is_asked(_: BridgeName) -> None:
    """Where no network can be asked."""


class Commands:
    """The owner's levers on `routes`, and on those of `lanes` that are at work in this process.

    `check_accounts` is asked before anything is decided about a post: it raises `WrongAccount`
    where the credentials of a bridge are not those of the accounts that its ledger knows.
    """

    def __init__(
        self,
        bench: Bench,
        routes: Sequence[Route],
        lanes: Sequence[Lane] = (),
        check_accounts: CheckAccounts = _nobody_is_asked,
    ) -> None:
        self._bench = bench
        self._check_accounts = check_accounts
        self._routes = tuple(routes)
        self._lanes = {lane.plan.route: lane for lane in lanes}

    async def obey(self, asked: Mapping[str, str | None]) -> str:
        """Do what `asked` names by `do`, and say what was done; ``waits`` only tells what waits.

        `bridge` and `direction` narrow what concerns routes; `post` is an id or address; `sent` is
        the address at which a part in doubt stands; `posts` are ids, one a line; `mirror` is the id
        of the mirror of `post`, with `post_url` and `mirror_url` where known. Raises
        `TwinpostError` with the reason where it is refused, and `ValueError` or `KeyError` for what
        is no command.
        """
        bridge, way = asked.get("bridge"), asked.get("direction")
        routes = (BridgeName(bridge) if bridge else None, Direction(way) if way else None)
        match asked["do"]:
            case "pause":
                return await self.pause(*routes)
            case "resume":
                return await self.resume(*routes)
            case "sync-now":
                return await self.sync_now(*routes)
            case "waits":
                return json.dumps(wait_rows(tuple(self._lanes.values())))
            case _:
                return await self._of_one(asked, *routes)

    async def _of_one(
        self,
        asked: Mapping[str, str | None],
        bridge: BridgeName | None,
        direction: Direction | None,
    ) -> str:
        match asked["do"]:
            case "resolve":
                return await self.resolve(asked["post"] or "", asked["sent"], bridge, direction)
            case "retry":
                return await self.retry(asked["post"] or "", bridge, direction)
            case "release":
                return await self.release(asked["post"], bridge)
            case "drop":
                return await self.drop(asked["post"] or "", bridge, direction)
            case "catch-up":
                return await self.catch_up(bridge, direction, (asked["posts"] or "").splitlines())
            case "link":
                return await self.link(bridge, direction, *_pair(asked))
            case _:
                raise KeyError(asked["do"])

    async def pause(
        self, bridge: BridgeName | None = None, direction: Direction | None = None
    ) -> str:
        """Neither read nor send on these routes until they are resumed, whatever restarts."""
        now = self._bench.clock.now()
        named = self._named(bridge, direction)
        for route in named:
            if await self._bench.ledger.paused_since(route) is None:
                await self._bench.ledger.set_paused(route, now)
                self._bench.emit(RoutePaused(now, route, None, BY_OWNER))
            if (lane := self._lanes.get(route)) is not None:
                lane.paused = True
        return (
            f"paused: {_list(named)}; what is written meanwhile is mirrored after: twinpost resume "
            "(of a long pause, the last day; the rest after: twinpost catch-up)"
        )

    async def resume(
        self, bridge: BridgeName | None = None, direction: Direction | None = None
    ) -> str:
        """Let these routes go on where they stopped."""
        named = self._named(bridge, direction)
        for route in named:
            if await self._bench.ledger.paused_since(route) is not None:
                await self._bench.ledger.set_paused(route, None)
                self._bench.emit(RouteResumed(self._bench.clock.now(), route))
            if (lane := self._lanes.get(route)) is not None:
                lane.paused = False
                lane.wake(read=True)
        return f"going on: {_list(named)}"

    async def sync_now(
        self, bridge: BridgeName | None = None, direction: Direction | None = None
    ) -> str:
        """Read the sources of these routes at once. Only where they are at work.

        What waits for its owner (a login, money) is tried again: this is how one says it is mended.
        """
        named = self._named(bridge, direction)
        lanes = [self._lanes[route] for route in named if route in self._lanes]
        if not lanes and (ended := [route for route in named if await self._end_waits(route)]):
            return f"no daemon runs; the next pass tries at once: {_list(ended)}"
        if not lanes:
            raise NothingFits("no daemon runs that could read now; a single pass is: twinpost once")
        waiting = [lane for lane in lanes if lane.paused]
        for lane in lanes:
            await lane.mended()
            lane.wake(read=True)
        said = f"reading now: {_list([lane.plan.route for lane in lanes if lane not in waiting])}"
        if waiting:
            paused = _list([lane.plan.route for lane in waiting])
            said += f"; {paused} is paused and reads after: twinpost resume"
        return said

    async def _end_waits(self, route: Route) -> bool:
        """Have the next process try what an earlier one waited for; whether there was any."""
        waits = await self._bench.ledger.waits(route)
        left = tuple(wait for wait in waits if not wait.ends_by_word)
        if left != waits:
            await self._bench.ledger.keep_waits(route, left)
            await self._bench.ledger.hurry(route, self._bench.clock.now())
        return left != waits

    async def resolve(
        self,
        post: str,
        sent: str | None,
        bridge: BridgeName | None = None,
        direction: Direction | None = None,
    ) -> str:
        """Of a part in doubt: it stands at the address `sent`, or None, it does not."""
        async with self._mending(post, bridge, direction) as (record, mend):
            if sent is None:
                await mend.not_sent()
                return self._done(record, "noted as not sent: it is sent now")
            await mend.sent(sent)
            return self._done(record, "noted as sent")

    async def retry(
        self, post: str, bridge: BridgeName | None = None, direction: Direction | None = None
    ) -> str:
        """Send a post that has failed, or was held before it was ever tried."""
        async with self._mending(post, bridge, direction) as (record, mend):
            await mend.retry()
            if (lane := self._lanes.get(record.route)) is None:
                await self._end_waits(record.route)
            else:
                await lane.mended()
            return self._done(record, "it is tried again")

    async def drop(
        self, post: str, bridge: BridgeName | None = None, direction: Direction | None = None
    ) -> str:
        """Never send what is left of a post."""
        async with self._mending(post, bridge, direction) as (record, mend):
            await mend.drop()
            return self._done(record, "dropped: it will not be sent")

    async def catch_up(
        self, bridge: BridgeName | None, direction: Direction | None, posts: Sequence[str]
    ) -> str:
        """Send these posts of one route after all, where they were kept back or never recorded."""
        route, ledger = self._one(bridge, direction), self._bench.ledger
        await self._check_accounts(route.bridge)
        names = [PostId(name) for name in posts]
        taken = await ledger.want(route, names, self._bench.clock.now())
        said = f"{route}: {len(taken)} post(s) are looked at again and sent if they have no mirror"
        if left := len(names) - len(taken):
            said += f"; {left} are dealt with otherwise, see twinpost why"
        return self._said(route, said)

    async def link(
        self,
        bridge: BridgeName | None,
        direction: Direction | None,
        post: Mirror,
        mirror: Mirror,
    ) -> str:
        """Know `mirror` as the mirror of `post`, whoever made it."""
        route, now = self._one(bridge, direction), self._bench.clock.now()
        await self._check_accounts(route.bridge)
        pair = Pair(route, post, mirror)
        async with self._bench.turnstiles.turn(route.bridge):
            (came,) = await self._bench.ledger.tie((pair,), reason=Reason.LINKED, now=now)
        if came is not Tied.TIED:
            raise NothingToMend(f"{route}: {post.id} and {mirror.id} were not linked: {came.value}")
        return f"{route}: {mirror.id} is known as the mirror of {post.id}; neither is mirrored"

    async def take_over(self, pairs: Sequence[Pair]) -> tuple[Tied, ...]:
        """Know what another cross-poster mirrored, all at once; what came of each pair."""
        now, bridges = self._bench.clock.now(), {pair.route.bridge for pair in pairs}
        for bridge in bridges:
            await self._check_accounts(bridge)
        async with self._bench.turnstiles.turn(*bridges):
            return await self._bench.ledger.tie(pairs, reason=Reason.TAKEN_OVER, now=now)

    async def accounts(self, bridge: BridgeName) -> tuple[tuple[Network, Identity | None], ...]:
        """Which accounts the ledger knows for a bridge."""
        ledger = self._bench.ledger
        return tuple([(each, await ledger.identity(bridge, each)) for each in Network])

    async def rebind(self, bridge: BridgeName) -> Rebound:
        """Start a bridge over with whatever accounts are signed in next. Not beside its lanes."""
        return await self._bench.ledger.rebind(bridge, self._bench.clock.now())

    def _one(self, bridge: BridgeName | None, direction: Direction | None) -> Route:
        named = self._named(bridge, direction)
        if len(named) > 1:
            raise NothingFits(f"name one direction of one bridge; there are: {_list(named)}")
        return named[0]

    async def release(
        self,
        post: str | None,
        bridge: BridgeName | None = None,
    ) -> str:
        """Let a post go that waits for money, or all that wait for the next month's."""
        now, ledger = self._bench.clock.now(), self._bench.ledger
        if post is None:
            named = self._named(bridge, None)
            for each in {route.bridge for route in named}:
                await self._check_accounts(each)
            gone = [(route, await ledger.release(route, None, now)) for route in named]
            if not any(posts for _, posts in gone):
                raise NothingFits(
                    "nothing waits for the next month's money; a post that is held for its own "
                    "price is sent with: twinpost release ID"
                )
            for route, posts in gone:
                if posts:
                    self._wake(route)
            count = sum(len(posts) for _, posts in gone)
            return f"released: {count} post(s), sent in their order"
        found = await self._mirrored(post, bridge)
        for record in found:
            await self._check_accounts(record.route.bridge)
            if await ledger.release(record.route, record.source, now):
                return self._done(record, "released: it is sent whatever it costs")
        state = found[0].state.value if found else "not known"
        raise NothingFits(f"{post} does not wait for money: it is {state}")

    def _wake(self, route: Route) -> bool:
        """Have a lane that is at work in this process look at its ledger; whether there is one."""
        lane = self._lanes.get(route)
        if lane is not None:
            lane.wake(read=False)
        return lane is not None

    def _said(self, route: Route, what: str) -> str:
        """What the owner is told was done for `route`; its lane sets about the rest, if it can."""
        return what if self._wake(route) else f"{what} (by the next pass)"

    def _done(self, record: PostRecord, what: str) -> str:
        return self._said(record.route, f"{record.route} {record.source}: {what}")

    def _named(self, bridge: BridgeName | None, direction: Direction | None) -> list[Route]:
        named = [
            route
            for route in self._routes
            if bridge in {None, route.bridge} and direction in {None, route.direction}
        ]
        if not named:
            raise NothingFits(f"no such bridge or direction; there are: {_list(self._routes)}")
        return named

    @asynccontextmanager
    async def _mending(
        self, post: str, bridge: BridgeName | None, direction: Direction | None
    ) -> AsyncIterator[tuple[PostRecord, Mend]]:
        """What can be done about the one post that is meant; nobody else moves it meanwhile."""
        route = (await self._meant(post, bridge, direction)).route
        await self._check_accounts(route.bridge)
        async with self._bench.turnstiles.turn(route.bridge):
            record = await self._meant(post, route.bridge, route.direction)
            yield record, Mend(self._bench.ledger, record, self._bench.clock.now())

    async def _meant(
        self, post: str, bridge: BridgeName | None, direction: Direction | None
    ) -> PostRecord:
        found = await self._mirrored(post, bridge, direction)
        if not found:
            raise NothingFits(f"no post that was to be mirrored is known by {post}")
        if len(found) > 1:
            ids = ", ".join(f"{record.route} {record.source}" for record in found)
            raise NothingFits(f"{post} means more than one post: {ids}; use one of these ids")
        return found[0]

    async def _mirrored(
        self, post: str, bridge: BridgeName | None, direction: Direction | None = None
    ) -> list[PostRecord]:
        """The records that have parts; a mirror's own record, an echo, has none."""
        return [
            record
            for record in await self._bench.ledger.find(post.strip())
            if record.parts
            and bridge in {None, record.route.bridge}
            and direction in {None, record.route.direction}
        ]


def _pair(asked: Mapping[str, str | None]) -> tuple[Mirror, Mirror]:
    """The two posts that a command names by id, and by address where it is known."""
    post, mirror = asked["post"], asked["mirror"]
    if not post or not mirror:
        raise NothingFits("two posts are needed: the one that was written, and its mirror")
    return (
        Mirror(PostId(post), asked.get("post_url")),
        Mirror(PostId(mirror), asked.get("mirror_url")),
    )


def _list(routes: Sequence[Route]) -> str:
    return ", ".join(str(route) for route in routes) or "none"
