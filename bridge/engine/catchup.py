"""Posts that were kept back and that their owner wants after all: read again, judged anew, planned.

Whatever may stand on the other network already is not sent: the own timeline there is read first,
and compared part by part. Must not send anything; what is planned leaves under the hourly bound
like everything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bridge.core.compose import Context, compose
from bridge.core.draft import Draft
from bridge.core.errors import NetworkError, UnfitError
from bridge.core.fingerprint import Match
from bridge.core.model import Microdollars, Post, PostId
from bridge.core.prices import FREE
from bridge.core.record import Decision
from bridge.core.rules import is_with_others
from bridge.core.standing import SLACK, may_stand_as, says, stands_as
from bridge.core.verdict import Action, Reason, Verdict
from bridge.engine.gate import Gate
from bridge.engine.judge import announce, judged, parent_of
from bridge.engine.preview import preview
from bridge.engine.recognition import Recognition
from bridge.engine.route import Bench, RoutePlan
from bridge.ports import LedgerView

AT_ONCE = 50
"""So many are read again in one turn."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A post that was kept back: what would become of it now, and what that would cost.

    `kept` is the reason it was kept back for. `parts` is 0 where it would stay after all.
    """

    plan: RoutePlan
    post: Post
    kept: Reason
    verdict: Verdict
    parts: int = 0
    price: Microdollars = FREE


@dataclass(frozen=True, slots=True)
class Offers:
    """What there is to be caught up with, oldest first, and what looking has cost.

    `lost` are ids of posts that are not to be found on their network any more.
    """

    found: tuple[Offer, ...]
    lost: tuple[PostId, ...] = ()
    cost: Microdollars = FREE


async def offers(
    plan: RoutePlan,
    opposite: RoutePlan | None,
    view: LedgerView,
    *,
    since: datetime | None,
    now: datetime,
) -> Offers:
    """What of one route could be sent after all. Raises `NetworkError`.

    Of what was written `since` then, also what was never recorded.
    """
    records = await view.skipped(plan.route, since)
    oldest = min(
        [record.created_at for record in records] + ([since] if since else []), default=None
    )
    if oldest is None:
        return Offers(())
    source = await plan.source.recent(oldest)
    target = await plan.target.recent(oldest - SLACK)
    sides = _Sides(plan, opposite, target.posts, now)
    kept = {record.source: record.verdict.reason for record in records}
    found, seen = list[Offer](), set[PostId]()
    for post in source.posts:
        name = next((name for name in post.ids if name in kept), None)
        if name is None and (since is None or await _is_recorded(plan, post, view)):
            continue
        seen.add(name or post.id)
        verdict, draft = await sides.rehearsed(post, view)
        found.append(
            Offer(
                plan,
                post,
                kept[name] if name else Reason.BEFORE_START,
                verdict,
                len(draft.parts) if draft else 0,
                draft.price if draft else FREE,
            )
        )
    lost = tuple(record.source for record in records if record.source not in seen)
    return Offers(tuple(found), lost, Microdollars(source.cost + target.cost))


async def _is_recorded(plan: RoutePlan, post: Post, view: LedgerView) -> bool:
    return any(record.route == plan.route for record in await view.find(post.id))


@dataclass(frozen=True, slots=True)
class _Sides:
    """A route, what its own target's timeline shows, and the route that comes back, if any."""

    plan: RoutePlan
    opposite: RoutePlan | None
    there: Sequence[Post]
    now: datetime

    async def rehearsed(self, post: Post, view: LedgerView) -> tuple[Verdict, Draft | None]:
        """What would become of `post`, as far as can be told without writing anything."""
        shown = await preview(self.plan, post, self.now, view)
        found = None if shown.draft is None else await self.stands(post, shown.draft)
        if found is None:
            return shown.verdict, shown.draft
        return found[0], shown.draft if found[0].action is Action.HOLD else None

    async def stands(self, post: Post, draft: Draft) -> tuple[Verdict, PostId] | None:
        """Why `post` is not to be sent though the ledger knows nothing against it, and for what."""
        found = stands_as(draft, post, self.there)
        if found is not None:
            return Verdict(Action.SKIP, Reason.SAME_POST, found.url or found.id), found.id
        original = await self._original(post)
        if original is not None:
            return Verdict(Action.SKIP, Reason.ECHO, f"mirror of {original.id}"), original.id
        alike = may_stand_as(draft, post, self.there)
        if alike is not None:
            return Verdict(Action.HOLD, Reason.SIMILAR_POST, alike.url or alike.id), alike.id
        return None

    async def _original(self, post: Post) -> Post | None:
        """The post over there whose mirror, made before the ledger forgot it, `post` is."""
        if self.opposite is None:
            return None
        here = await self.plan.source.capabilities()
        for other in self.there:
            if other.created_at - SLACK > post.created_at:
                continue
            try:
                draft = compose(other, here, self.opposite.policy, Context(self.now))
            except UnfitError:
                continue
            if any(says(part, post) for part in draft.parts):
                return other
        return None


class CatchUp:
    """The desk of one route for what is wanted after all. `gate` is that of reading it again."""

    def __init__(self, plan: RoutePlan, bench: Bench, parts: Recognition, gate: Gate) -> None:
        self._plan = plan
        self._bench = bench
        self._parts = parts
        self._gate = gate
        self.opposite: RoutePlan | None = None

    async def make_due(self) -> datetime | None:
        """Plan what is wanted; returns when to come back for the rest, None for nothing more."""
        names = await self._bench.ledger.wanted(self._plan.route, AT_ONCE)
        if not names:
            return None
        if not self._gate.is_open():
            return self._gate.reopens_at()
        try:
            await self._plan_all(names)
        except NetworkError as error:
            return self._gate.failed(error)
        self._gate.worked()
        more = await self._bench.ledger.wanted(self._plan.route, 1)
        return self._bench.clock.now() if more else None

    async def _plan_all(self, names: Sequence[PostId]) -> None:
        ledger, route, now = self._bench.ledger, self._plan.route, self._bench.clock.now()
        posts = await self._read_again(names)
        written = [post.created_at for _, post in posts if post is not None]
        there: Sequence[Post] = ()
        if written:
            reading = await self._plan.target.recent(min(written) - SLACK)
            await self._bench.note_read(route, len(reading.posts), reading.cost)
            there = reading.posts
        for name, post in posts:
            if post is None:
                verdict = Verdict(Action.SKIP, Reason.DELETED)
                await ledger.unwant(route, name, verdict=verdict, now=now)
            else:
                await self._deal_with(name, post, there)

    async def _read_again(self, names: Sequence[PostId]) -> list[tuple[PostId, Post | None]]:
        """The posts as they are now, None for what is gone; where that costs, at the least cost."""
        source, ledger, route = self._plan.source, self._bench.ledger, self._plan.route
        read: dict[PostId, Post] = {}
        if (await source.capabilities()).prices is not None:
            records = [record for name in names for record in await ledger.find(name)]
            dates = [record.created_at for record in records if record.route == route]
            if len(dates) > 1:
                # A timeline by the page is cheaper than posts one by one.
                reading = await source.recent(min(dates))
                await self._bench.note_read(route, len(reading.posts), reading.cost)
                read = {name: post for post in reading.posts for name in post.ids}
        return [(name, read.get(name) or await source.look_up(name)) for name in names]

    async def _deal_with(self, name: PostId, post: Post, there: Sequence[Post]) -> None:
        ledger, route = self._bench.ledger, self._plan.route
        desk, locks = self._bench.desks.of(route), self._bench.turnstiles
        account = await self._plan.source.account()
        async with locks.passing(account), locks.turn(route.bridge):
            now = self._bench.clock.now()
            echo_of = await self._parts.of_another_bridge(post)
            await self._parts.proves_a_part(post)
            facts = await ledger.facts(route, post)
            if facts.echo_of is None and echo_of is not None:
                facts = replace(facts, echo_of=echo_of)
            twin = await desk.twin_of(post, route, ledger) or await self._parts.may_be_a_part(post)
            # What its owner names is judged as if it had just been written.
            facts = replace(facts, baseline=False, revision_of=None)
            outcome = await judged(self._plan, post, facts, now, twin=twin)
            verdict, draft = outcome.verdict, outcome.draft
            same = twin.post.id if twin is not None and twin.match is not Match.SIMILAR else None
            if draft is not None:
                found = await _Sides(self._plan, self.opposite, there, now).stands(post, draft)
                if found is not None:
                    verdict, same = found
            if draft is None or verdict.action is Action.SKIP:
                known = same if verdict.reason is Reason.SAME_POST else None
                await ledger.unwant(route, name, verdict=verdict, same_as=known, now=now)
                announce(self._bench, route, Decision(post, verdict, now))
                return
            if verdict.action is Action.MIRROR:
                verdict = Verdict(Action.MIRROR, Reason.CAUGHT_UP)
            parent = parent_of(post, outcome.history)
            awaits = outcome.awaited(now)
            with_others = is_with_others(post, outcome.history)
            decision = Decision(
                post, verdict, now, draft, now, parent, awaits=awaits, with_others=with_others
            )
            await ledger.revive(route, name, decision, now)
            announce(self._bench, route, decision)
