"""Finding out what was edited and what is no longer there, of all that is mirrored.

Where reading is free, a listing of the newest posts, the ids that a stream names, and a slow round
through everything older only say which posts to look up; each is believed for what its look-up
says. Where reading costs, the newest posts are compared on schedule, and only what such a page
lacks is looked up. Must not delete anything itself, nor read when it may not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bridge.core.errors import NetworkError, Refused, Transient
from bridge.core.model import Post, PostId
from bridge.core.record import PostRecord, Tracked
from bridge.core.verdict import Action
from bridge.engine.deletions import Deletions
from bridge.engine.edits import Edits
from bridge.engine.gate import Gate
from bridge.engine.outcome import concerns_all
from bridge.engine.route import Bench, RoutePlan
from bridge.ports import Reading

FREE_WINDOW = 40
"""Posts that are listed with every pass, where reading costs nothing."""

DEEP_WINDOW = 400
"""Posts that are listed once an hour, where reading costs nothing."""

DEEP_EVERY = timedelta(hours=1)

_LEAST_WINDOW = 20
"""Posts that every server lists; some list no more."""

LOOK_UPS = 40
"""In one pass, of posts that a listing, a stream or a round found noteworthy."""

BATCH = 10
"""Look-ups of the round in one pass."""

BATCH_EVERY = 60.0
"""Seconds between two batches of the round, at least."""

ROUND_EVERY = timedelta(hours=6)
"""Between the end of a round and the next one."""

ASKED_FOR = 200
"""Look-ups of the round at once where the owner asks for a look."""

STANDS_FOR = 3600.0
"""Seconds for which a post that a listing lacks is not looked up again once it was found."""

HINTS = 1000
"""Ids from a stream that wait to be looked at; the oldest go first, and the round finds them."""


Listed = Callable[[Sequence[Post]], Awaitable[None]]


class Recheck:
    """The second look at one route's source. `looking` is the gate of reading it so.

    `listed` is given the posts that were paid for, to find those that were missed.
    """

    def __init__(
        self,
        plan: RoutePlan,
        bench: Bench,
        edits: Edits,
        *,
        looking: Gate,
        asking: Gate,
        listed: Listed,
    ) -> None:
        self._listed = listed
        self._plan = plan
        self._bench = bench
        self._edits = edits
        self._looking = looking
        self._deletions = Deletions(plan, bench, edits, asking)
        self._hints: dict[PostId, None] = {}
        self._listable = DEEP_WINDOW
        """So many posts the server lists, as far as is known."""
        self._reach: datetime | None = None
        """When the oldest post of the last deep listing was written."""
        self._found: dict[PostId, float] = {}
        """When a post was looked up and found that a listing lacks."""
        self._troubled: set[PostId] = set()
        """Posts whose last look-up failed: they are looked up after the others."""
        self._batch_at: float | None = None
        self._waiting_at: float | None = None

    def hint(self, post: PostId) -> bool:
        """Note that `post` may have changed; whether it is the first of which that is noted."""
        first = not self._hints
        self._hints.pop(post, None)
        self._hints[post] = None
        while len(self._hints) > HINTS:
            del self._hints[next(iter(self._hints))]
        return first

    async def is_hinted(self) -> bool:
        """Whether a post that is mirrored may have changed; hints at others are forgotten."""
        return bool(self._hints) and bool(await self._hinted())

    async def wanted(self) -> bool:
        """Whether it is time for a look, and there is anything that it could find."""
        if not self._looking.is_open():
            return False
        try:
            costs = await self._costs()
        except NetworkError as error:
            self._looking.failed(error)
            return False
        if costs and not await self._is_due(self._plan.recheck_every):
            return False
        return await self._bench.ledger.watches(self._plan.route, None, skipped=not costs)

    async def look(self, *, asked: bool = False, deleted: bool = False) -> None:
        """Compare, and have every mirror follow. With `deleted`, its owner vouches for deletions.

        `asked` says that the owner wants it now. Where the source cannot be read, or its answer is
        not clear, the rest is left to the next look: nothing is deleted for want of an answer.
        """
        try:
            if await self._costs():
                await self._look_at_a_price(deleted=deleted)
            else:
                await self._look_freely(asked=asked, deleted=deleted)
        except NetworkError as error:
            self._looking.failed(error)
        else:
            self._looking.worked()

    async def _look_at_a_price(self, *, deleted: bool) -> None:
        ledger, route, now = self._bench.ledger, self._plan.route, self._bench.clock.now()
        reading = await self._plan.source.window(self._plan.recheck_window)
        await self._bench.note_read(route, len(reading.posts), reading.cost)
        await ledger.note_recheck(route, now)
        await ledger.note_reach(route, _oldest(reading) if reading.more else None)
        await self._listed(reading.posts)
        for post in await ledger.edited(route, reading.posts):
            await self._edited(post)
        absence = await ledger.absent(route, reading.posts, whole=not reading.more)
        lacking = self._not_found_lately(absence.missing)
        if not deleted and await self._deletions.asks(len(lacking)):
            return
        gone: list[PostRecord] = []
        error = await self._look_up(lacking, gone)
        await self._deletions.follow(gone, confirmed=deleted)
        if error is not None:
            raise error

    async def _look_freely(self, *, asked: bool, deleted: bool) -> None:
        ledger, route = self._bench.ledger, self._plan.route
        deep = asked or await self._is_due(DEEP_EVERY)
        reading = await self._listing(DEEP_WINDOW if deep else FREE_WINDOW)
        oldest = _oldest(reading)
        if deep:
            await ledger.note_recheck(route, self._bench.clock.now())
            self._reach = oldest
        hinted = await self._hinted()
        noteworthy = [
            *hinted.values(),
            *await self._changed(reading.posts),
            *await self._lacking(reading),
        ]
        waiting = await ledger.missing(route)
        if waiting and not (asked or deleted or self._may_ask_again()):
            waiting = ()
        if not deleted:
            noteworthy, waiting = noteworthy[:LOOK_UPS], waiting[:BATCH]
        gone: list[PostRecord] = []
        error = await self._look_up([*noteworthy, *waiting], gone)
        if reading.more and (error is None or not concerns_all(error)):
            reach = min((at for at in (oldest, self._reach) if at is not None), default=None)
            error = await self._go_round(reach, gone, asked=asked) or error
        await self._confirm(gone, reading.posts)
        await self._deletions.follow(gone, confirmed=deleted)
        if error is not None:
            raise error
        done = {one.record.source for one in noteworthy}
        for name, one in hinted.items():
            if one.record.source in done:
                self._hints.pop(name, None)

    def _may_ask_again(self) -> bool:
        """Whether posts that wait for their owner's word may be looked up in this pass."""
        now, last = self._bench.clock.monotonic(), self._waiting_at
        if last is not None and now - last < BATCH_EVERY:
            return False
        self._waiting_at = now
        return True

    async def _listing(self, wanted: int) -> Reading:
        """The newest posts, so many as the server lists."""
        while True:
            limit = min(wanted, self._listable)
            try:
                boosts = self._plan.rules.boosts != "skip"
                return await self._plan.source.window(limit, boosts=boosts)
            except Refused:
                if limit <= _LEAST_WINDOW:
                    raise
                self._listable = FREE_WINDOW if limit > FREE_WINDOW else _LEAST_WINDOW

    async def _hinted(self) -> Mapping[PostId, Tracked]:
        """The posts that a stream has named, by that name; of others it is forgotten."""
        names = tuple(self._hints)
        found = await self._bench.ledger.tracked(self._plan.route, names)
        for name in names:
            if name not in found:
                self._hints.pop(name, None)
        return found

    async def _changed(self, listed: Sequence[Post]) -> list[Tracked]:
        """Of the posts listed, those that may have been edited."""
        ledger, route = self._bench.ledger, self._plan.route
        found = []
        for post in await ledger.edited(route, listed):
            tracked = await ledger.tracked(route, post.ids)
            found += [replace(one, latest=post.id) for one in tuple(tracked.values())[:1]]
        return found

    async def _lacking(self, listing: Reading) -> list[Tracked]:
        """What a listing lacks: only a look-up tells why."""
        ledger, route = self._bench.ledger, self._plan.route
        absence = await ledger.absent(route, listing.posts, whole=not listing.more)
        waiting = {one.record.source for one in await ledger.missing(route)}
        lacking = self._not_found_lately(absence.missing)
        return [one for one in lacking if one.record.source not in waiting]

    def _not_found_lately(self, lacking: Sequence[Tracked]) -> list[Tracked]:
        until = self._bench.clock.monotonic() - STANDS_FOR
        self._found = {post: at for post, at in self._found.items() if at > until}
        return [one for one in lacking if one.record.source not in self._found]

    async def _look_up(
        self, posts: Sequence[Tracked], gone: list[PostRecord]
    ) -> NetworkError | None:
        """Look up each of `posts`, and add to `gone` what is; what kept it from the others."""
        ledger, route = self._bench.ledger, self._plan.route
        unclear: NetworkError | None = None
        each = {one.record.source: one for one in posts}
        for source in sorted(each, key=self._troubled.__contains__):
            record = each[source].record
            try:
                found = await self._plan.source.look_up(each[source].latest)
            except NetworkError as error:
                self._troubled.add(source)
                if concerns_all(error):
                    return error
                unclear = error
                continue
            self._troubled.discard(source)
            if found is None:
                if record.verdict.action is not Action.SKIP:
                    gone.append(record)
                continue
            self._found[source] = self._bench.clock.monotonic()
            if record.missing:
                await ledger.note_missing(route, (source,), None)
            await self._edited(found)
        return unclear

    async def _go_round(
        self, reach: datetime | None, gone: list[PostRecord], *, asked: bool
    ) -> NetworkError | None:
        """Look up the next posts from before `reach`; more of them where some are gone.

        Returns what keeps it from going on. The place is remembered in the ledger.
        """
        ledger, route, clock = self._bench.ledger, self._plan.route, self._bench.clock
        if not (asked or await self._round_is_due()):
            return None
        self._batch_at = clock.monotonic()
        most = ASKED_FOR if asked else LOOK_UPS
        for _ in range(most // BATCH):
            batch = await ledger.next_to_check(route, reach, BATCH)
            if not batch:
                await ledger.note_round(route, clock.now())
                break
            before = len(gone)
            # What failed has had its turn: one post must not keep the round from the others.
            posts = [one for one in batch if one.record.source not in self._troubled]
            error = await self._look_up(posts, gone)
            if error is not None and concerns_all(error):
                return error
            await ledger.note_checked(route, batch[-1].record.source)
            self._troubled.difference_update(one.record.source for one in batch)
            if not asked and len(gone) == before:
                break
        return None

    async def _round_is_due(self) -> bool:
        now, last = self._bench.clock.monotonic(), self._batch_at
        if last is not None and now - last < BATCH_EVERY:
            return False
        ended = await self._bench.ledger.round_ended_at(self._plan.route)
        return ended is None or _has_passed(ROUND_EVERY, ended, self._bench.clock.now())

    async def _confirm(self, gone: Sequence[PostRecord], listed: Sequence[Post]) -> None:
        """Ask for a post that was just listed: who denies that one, too, denies everything."""
        missing = {record.source for record in gone}
        control = next((post for post in reversed(listed) if missing.isdisjoint(post.ids)), None)
        if not gone or control is None:
            return
        if await self._plan.source.look_up(control.id) is None:
            raise Transient(f"the server lists {control.id}, and says that it does not exist")

    async def _edited(self, post: Post) -> None:
        facts = await self._bench.ledger.facts(self._plan.route, post)
        if facts.revision_of is not None:
            await self._edits.edited(post, facts.revision_of)

    async def _is_due(self, every: timedelta | None) -> bool:
        if every is None:
            return False
        last = await self._bench.ledger.rechecked_at(self._plan.route)
        return last is None or _has_passed(every, last, self._bench.clock.now())

    async def _costs(self) -> bool:
        return (await self._plan.source.capabilities()).prices is not None


def _has_passed(every: timedelta, since: datetime, now: datetime) -> bool:
    """Whether `every` has passed; a time in the future is that of a clock which was wrong."""
    return not timedelta(0) <= now - since < every


def _oldest(reading: Reading) -> datetime | None:
    return min((post.created_at for post in reading.posts), default=None)
