"""Both networks in one process, answering with generated faults, and whoever reads them.

One world: a bridge over the real adapters and real HTTP, its ledger in memory, one clock for all.
After every pass it tells which listed posts have no record. Must not contain expectations.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import aiohttp

from bridge.core.model import BridgeName, Direction, PostId, Route, Visibility
from bridge.core.policy import Policy
from bridge.core.record import Cursor
from bridge.core.rules import Rules
from bridge.core.timing import FromNow, Interval
from bridge.engine.gaps import AUDIT_EVERY
from bridge.engine.lane import Lane
from bridge.engine.route import Bench, RoutePlan
from bridge.engine.supervise import Daemon
from bridge.ledger.sqlite import SqliteLedger, open_memory
from bridge.networks.mastodon.adapter import MastodonAdapter
from bridge.networks.mastodon.settings import MastodonSettings
from bridge.sandbox.clock import SandboxClock
from bridge.sandbox.faults import Fault
from bridge.sandbox.mastodon import MastodonAccount, MastodonSandbox
from bridge.sandbox.mastodon.profiles import PROFILES, ProfileName
from bridge.sandbox.server import serve
from bridge.sandbox.x import X_LIMITS, Limit, XAccount, XSandbox
from tests.crash.stage import HOME, OUT, TIMELINE, StageClock
from tests.networks.x_stage import adapter_for, oauth1_of

BRIDGE = BridgeName("personal")
GENEROUS: dict[str, Limit] = dict.fromkeys(X_LIMITS, Limit(10**9))
READS = {OUT: TIMELINE[HOME], HOME: TIMELINE[OUT]}
"""Where each direction reads."""

_BROKEN = ("truncated", "empty", "html", "500", "429-bare", "reset", "again")
_X_FIELDS = (
    *("id", "created_at", "author_id", "edit_history_post_ids", "edit_history_tweet_ids", "text"),
    *("referenced_posts", "referenced_tweets", "conversation_id", "entities", "lang"),
)
_X_META = ("result_count", "next_token", "newest_id", "oldest_id")
_TOOT_FIELDS = (
    *("id", "created_at", "account", "account.id", "visibility", "edited_at", "content", "url"),
    *("in_reply_to_id", "in_reply_to_account_id", "reblog", "media_attachments", "poll"),
)


@dataclass
class World:
    """Two networks and the bridge between them. `rng` decides about everything."""

    rng: random.Random
    clock: StageClock
    mastodon: MastodonSandbox
    toots_of: MastodonAccount
    x: XSandbox
    x_account: XAccount
    ledger: SqliteLedger
    daemon: Daemon
    mirrors: bool
    """Whether some posts are mirrored, which takes much longer."""
    began: datetime
    unrecorded: dict[Direction, set[str]] = field(default_factory=lambda: {OUT: set(), HOME: set()})
    below: dict[str, datetime] = field(default_factory=dict)
    """Posts that were dated back, which the daily comparison finds, and when they were written."""
    passes: int = 0
    written: int = 0

    async def play(self) -> list[str]:
        """One pass over generated answers and one over genuine ones; what is without a record."""
        direction = self.rng.choice((OUT, HOME))
        self._write(direction)
        self._disturb(direction)
        if self.rng.random() < 0.03:
            await self.ledger.move(Route(BRIDGE, direction), self._wrong_cursor())
        await self._turn(direction)
        self._source(direction).faults.clear()
        self.clock.set_wrong(0)
        # What failed is tried again after a while, and what is put off is read then.
        self.clock.pass_time(1300)
        await self._turn(direction)
        self.passes += 1
        return await self._without_a_record(direction)

    async def _turn(self, direction: Direction) -> None:
        self.clock.pass_time(15)
        for lane in self._lanes(direction):
            await lane.turn(read=True)

    def _lanes(self, direction: Direction) -> list[Lane]:
        return [lane for lane in self.daemon.lanes if lane.plan.route.direction is direction]

    async def _without_a_record(self, direction: Direction) -> list[str]:
        asked = {PostId(name) for name in self.unrecorded[direction]}
        known = await self.ledger.known(Route(BRIDGE, direction), asked)
        listed = self._listed(direction)
        self.unrecorded[direction] = {name for name in asked - known if name in listed}
        until = self.clock.at - AUDIT_EVERY - timedelta(hours=1)
        return sorted(
            name for name in self.unrecorded[direction] if self.below.get(name, until) <= until
        )

    def _listed(self, direction: Direction) -> set[str]:
        if direction is OUT:
            return {status.id for status in self.mastodon.timeline(self.toots_of)}
        return {post.id for post in self.x.timeline(self.x_account)}

    def _source(self, direction: Direction) -> MastodonSandbox | XSandbox:
        return self.mastodon if direction is OUT else self.x

    def _write(self, direction: Direction) -> None:
        """Some posts, seldom very many; some with dates of other times."""
        count = self.rng.choice((0, 1, 1, 2, 3)) if self.rng.random() < 0.98 else 45
        for _ in range(count):
            self.written += 1
            text = f"Number {self.written} of all that is told."
            at = self._date(direction) if self.rng.random() < 0.1 else None
            if direction is OUT:
                shown = "public" if self.mirrors and self.rng.random() < 0.05 else "private"
                made = self.mastodon.write(self.toots_of, text, visibility=shown, created_at=at).id
            else:
                made = self.x.write(self.x_account, text, created_at=at).id
            if at is not None and at <= self.began:
                # By its date it stood there before the start, and nothing says otherwise.
                continue
            self.unrecorded[direction].add(made)
            if at is not None and at < self.clock.at:
                self.below[made] = self.clock.at
            self.clock.pass_time(self.rng.choice((1, 1, 30)))

    def _date(self, direction: Direction) -> datetime:
        """Another time: on X, whose ids are times, never one before what was read."""
        ahead = [timedelta(minutes=5), timedelta(hours=1), timedelta(days=3), timedelta(days=900)]
        back = [] if direction is HOME else [-timedelta(minutes=5), -timedelta(hours=1)]
        return self.clock.at + self.rng.choice(ahead + back)

    def _disturb(self, direction: Direction) -> None:
        """Let the next answers be wrong, and sometimes the own clock."""
        if self.rng.random() < 0.05:
            self.clock.set_wrong(self.rng.choice((-1.7e9, -2e5, -3600.0, 3600.0, 3e5, 1.5e9)))
        if self.rng.random() < 0.15:
            return
        faults = self._source(direction).faults
        for _ in range(self.rng.choice((1, 1, 1, 2, 3))):
            if self.rng.random() < 0.3:
                how = self.rng.choice(_BROKEN)
                fault = Fault(f"accept-then-{how}", "GET", READS[direction])
            else:
                edits = dict(self._edit(direction) for _ in range(self.rng.randint(1, 4)))
                fault = Fault("accept-then-edited", "GET", READS[direction], edits=edits)
            faults.add(fault)

    def _edit(self, direction: Direction) -> tuple[str, object]:
        place, removed = self.rng.choice((0, 0, 0, 1, 2, 5, 19)), self.rng.random() < 0.2
        if direction is OUT:
            path = f"{place}.{self.rng.choice(_TOOT_FIELDS)}" if self.rng.random() < 0.95 else "0"
        elif self.rng.random() < 0.2:
            path = self.rng.choice(("meta", "data", *(f"meta.{name}" for name in _X_META)))
        else:
            path = f"data.{place}.{self.rng.choice(_X_FIELDS)}"
        return f"-{path}" if removed else path, self._value(path)

    def _value(self, path: str) -> object:
        """Any value; more often one that looks like what belongs there."""
        at = self.clock.at
        odd: list[Callable[[], object]] = [
            lambda: None,
            lambda: self.rng.randint(-3, 10**20),
            list,
            lambda: {"id": 4},
            lambda: "",
            lambda: "\ud800" * 3,
            lambda: 1.5,
            lambda: True,
        ]
        ids: list[Callable[[], object]] = [
            lambda: str(snowflake(at + timedelta(days=self.rng.choice((1, 400, 9000))))),
            lambda: str(2**63 - 1),
            lambda: "9" * self.rng.choice((19, 20, 300)),
            lambda: str(self.rng.randint(1, 99)),
            lambda: str(snowflake(at - timedelta(days=self.rng.choice((1, 400))))),
            lambda: self.rng.choice(("01ZZZZZZZZZZZZZZZZZZZZZZZZ", "AzzzzzzzzzzzzzzzZz", "post")),
        ]
        dates: list[Callable[[], object]] = [
            (at + timedelta(days=self.rng.choice((0.1, 2, 4000)))).isoformat,
            (at - timedelta(days=self.rng.choice((0.1, 2, 9000)))).isoformat,
            lambda: "0001-01-01T00:00:00+14:00",
            lambda: "9999-12-31T23:59:59-14:00",
            lambda: "tomorrow",
        ]
        likely = ids if path.endswith("id") else dates if path.endswith("_at") else odd
        return self.rng.choice(likely if self.rng.random() < 0.7 else odd)()

    def _wrong_cursor(self) -> Cursor:
        future = self.clock.at + timedelta(days=self.rng.choice((1, 400)))
        post = self.rng.choice((str(snowflake(future)), "9" * 19, "9" * 40, "no-such-post"))
        return Cursor(PostId(post), future)


def snowflake(at: datetime) -> int:
    """The first id of X at a time."""
    began = datetime(2010, 11, 4, 1, 42, 54, 657_000, tzinfo=UTC)
    return (at - began) // timedelta(milliseconds=1) << 22


@asynccontextmanager
async def world(seed: int) -> AsyncIterator[World]:
    """A world of its own, whose first pass has set both cursors."""
    rng = random.Random(seed)
    profile: ProfileName = rng.choice(list(PROFILES.values())).name
    clock = StageClock(datetime(2026, 11, 22, 12, tzinfo=UTC))
    shared = SandboxClock(base=lambda: clock.at)
    async with AsyncExitStack() as stack:
        x = XSandbox(clock=shared, limits=GENEROUS, dialect=rng.choice(("both", "tweet", "post")))
        toots = MastodonSandbox(profile, clock=shared, rate_limited=False)
        account = toots.add_account("ada", "Ada Lovelace")
        x_account = x.add_account("ada", "Ada Lovelace", protected=True)
        for number in range(rng.choice((0, 1, 30))):
            toots.write(account, f"Before, {number}.", visibility="private")
            x.write(x_account, f"Before, {number}.")
            clock.pass_time(60)
        url = await stack.enter_async_context(serve(toots.app))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        settings = MastodonSettings(url, account.access_token)
        mastodon = MastodonAdapter(settings, session=session, clock=clock, jitter=lambda: 0.0)
        stack.push_async_callback(mastodon.close)
        x_url = await stack.enter_async_context(serve(x.app))
        made = adapter_for(x_url, oauth1_of(x_account), clock=clock)
        on_x = await stack.enter_async_context(made)
        ledger = await open_memory(now=clock.now())
        stack.push_async_callback(ledger.close)
        bench = Bench(ledger, clock, lambda: 0.0)
        rules, every = Rules(frozenset({Visibility.PUBLIC})), Interval(timedelta(minutes=1))
        day = timedelta(hours=24)
        plans = [
            RoutePlan(
                Route(BRIDGE, direction),
                source,
                target,
                rules,
                Policy(),
                every,
                timedelta(0),
                FromNow(),
                recheck_every=day,
                max_age=day,
            )
            for direction, source, target in ((OUT, mastodon, on_x), (HOME, on_x, mastodon))
        ]
        daemon = Daemon(plans, bench)
        await daemon.once()
        began = clock.now()
        clock.pass_time(1)
        yield World(
            rng,
            clock,
            toots,
            account,
            x,
            x_account,
            ledger,
            daemon,
            mirrors=seed % 10 == 0,
            began=began,
        )
