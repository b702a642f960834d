"""What an edit, or the deletion, of a post means for its mirror: decided, composed and recorded.

Must not send anything: `changes` carries out what stands over there, `deliver` sends the rest. An
edit never makes a second post, but where its owner chose that for what cannot be edited.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime, timedelta

from bridge.core.amend import Amendment, Change, is_under_way, moves
from bridge.core.capabilities import Capabilities
from bridge.core.compose import Context, compose
from bridge.core.delivery import STANDING, PartEvent, PartState
from bridge.core.draft import Draft
from bridge.core.errors import UnfitError
from bridge.core.model import Microdollars, Post, PostId
from bridge.core.prices import FREE, in_dollars
from bridge.core.record import Cursor, Decision, PartRecord, PostRecord
from bridge.core.text import Text, joined
from bridge.core.verdict import UP_TO_ITS_TEXT, Action, Reason, Verdict
from bridge.engine import proof
from bridge.engine.judge import announce, judged, parent_of
from bridge.engine.route import Bench, RoutePlan
from bridge.engine.spending import Money
from bridge.ports import Facts

HEADING = Text("Edited:")
"""Stands at the head of a reply that tells of an edit."""

_OPEN = frozenset(PartState) - {PartState.GONE, PartState.DROPPED, PartState.UNWANTED}

DELETED_UNSENT = Verdict(Action.SKIP, Reason.DELETED)


class Edits:
    """The desk of one route at which posts are dealt with that have changed."""

    def __init__(self, plan: RoutePlan, bench: Bench) -> None:
        self._plan = plan
        self._bench = bench

    async def edited(self, post: Post, of: PostId, cursor: Cursor | None = None) -> None:
        """Have the mirror of the recorded post `of` follow `post`, its newest revision.

        Moves the cursor where one is given; what is the same as before does no more than that.
        """
        async with self._turn():
            await self._edited(post, of, cursor)

    async def _edited(self, post: Post, of: PostId, cursor: Cursor | None) -> None:
        ledger, route, now = self._bench.ledger, self._plan.route, self._bench.clock.now()
        record = await self._record(of)
        changed = await ledger.edited(route, (post,))
        concerned = record is not None and any(part.state in _OPEN for part in record.parts)
        if record is None or not changed:
            await ledger.advance(route, post, of, cursor)
            return
        if not concerned:
            await self._reconsidered(post, record, cursor)
            return
        facts = await ledger.facts(route, post)
        what = await self._amendment(post, record, facts, now)
        if isinstance(what, Amendment):
            await self._amend(record, what, post, cursor)
        elif isinstance(what, Verdict):
            await self._stop(record, what)
            await ledger.advance(route, post, of, cursor)
        else:
            await ledger.advance(route, post, of, cursor, (what,) if what else ())

    async def _reconsidered(self, post: Post, record: PostRecord, cursor: Cursor | None) -> None:
        """Mirror a skipped post after all, if its text kept it and the edited one does not.

        Only one that is no older than `max_age`, and of which nothing was ever published.
        """
        ledger, route, now = self._bench.ledger, self._plan.route, self._bench.clock.now()
        age, kept = self._plan.max_age, record.verdict.reason in UP_TO_ITS_TEXT
        if not kept or any(part.target_id is not None for part in record.parts):
            await ledger.advance(route, post, record.source, cursor)
            return
        if age is not None and now - post.created_at > age:
            note = "edited; it stays all the same, since it is older than `max_age`"
            await ledger.advance(route, post, record.source, cursor, (note,))
            return
        facts = await ledger.facts(route, post)
        desk = self._bench.desks.of(route)
        twin = await desk.twin_of(post, route, ledger)
        outcome = await judged(self._plan, post, facts, now, twin=twin)
        verdict, draft, not_before = outcome.verdict, outcome.draft, now + self._plan.delay
        if draft is None:
            same = twin.post.id if verdict.reason is Reason.SAME_POST and twin else None
            await ledger.unwant(route, record.source, verdict=verdict, same_as=same, now=now)
        else:
            decision = Decision(
                post,
                verdict,
                now,
                replace(draft, notes=("edited, and so it is mirrored after all", *draft.notes)),
                not_before,
                parent_of(post, outcome.history),
                awaits=outcome.awaited(not_before),
                with_others=record.with_others,
            )
            await ledger.revive(route, record.source, decision, now)
            announce(self._bench, route, decision)
            desk.note(post, route)
        await ledger.advance(route, post, record.source, cursor)

    async def resolved(self, post: Post) -> None:
        """Compose `post`, of which nothing stands, now that it waits for no other mirror."""
        async with self._turn():
            await self._resolved(post)

    async def _resolved(self, post: Post) -> None:
        ledger, route, now = self._bench.ledger, self._plan.route, self._bench.clock.now()
        facts = replace(await ledger.facts(route, post), awaits=None)
        of = facts.revision_of or post.id
        record = await self._record(of)
        if record is None:
            return
        what = await self._amendment(post, record, facts, now)
        if isinstance(what, Amendment):
            # Its price was accepted before: only a higher one is put to its owner.
            before = sum(part.part.price for part in record.parts)
            dearer = what.draft is not None and what.draft.price > before
            await self._amend(record, replace(what, held=what.held and dearer), None, None)
        elif isinstance(what, Verdict):
            await self._stop(record, what)

    async def deleted(self, source: PostId) -> None:
        """Have the mirror of `source` follow it into the void, if its owner wants that.

        What was not sent yet is not sent in any case.
        """
        async with self._turn():
            await self._deleted(source)

    async def _deleted(self, source: PostId) -> None:
        record = await self._record(source)
        if record is None or record.gone:
            return
        ledger, route, now = self._bench.ledger, self._plan.route, self._bench.clock.now()
        where, note = self._plan.source.network.value, ""
        if not (_stands(record) or any(is_under_way(part) for part in record.parts)):
            await self._stop(record, DELETED_UNSENT)
        elif self._plan.policy.deletes == "mirror":
            removal = Amendment(Change.REMOVE, notes=(f"deleted on {where}, and so is its mirror",))
            await self._amend(record, removal, None, None)
        else:
            note = f"deleted on {where}; `deletes` says to keep its mirror"
        await ledger.note_gone(route, source, now, note)

    async def stop(self, source: PostId, verdict: Verdict) -> None:
        """Have a post not sent after all of which nothing stands."""
        async with self._turn():
            record = await self._record(source)
            if record is not None:
                await self._stop(record, verdict)

    async def withdraw(self, source: PostId, verdict: Verdict) -> bool:
        """Take back the mirror of a post; False, and nothing done, where it has begun to leave."""
        async with self._turn():
            record = await self._record(source)
            return record is not None and await self._take_back(record, verdict)

    def _turn(self) -> AbstractAsyncContextManager[None]:
        return self._bench.turnstiles.turn(self._plan.route.bridge)

    async def _amendment(
        self, post: Post, record: PostRecord, facts: Facts, now: datetime
    ) -> Amendment | Verdict | str:
        """What is to be done; a verdict where nothing of it may leave, a note for nothing."""
        # It is the post itself that was found, not another one that says the same.
        outcome = await judged(self._plan, post, facts, now)
        draft, verdict = outcome.draft, outcome.verdict
        stands = _stands(record)
        waits = any(is_under_way(part) for part in record.parts)
        if draft is None and not (stands or waits):
            return verdict
        held = verdict.action is Action.HOLD
        if draft is not None and not stands:
            awaits = None if waits else outcome.awaited(now)
            return Amendment(Change.REPLACE, draft, draft.notes, held=held, awaits=awaits)
        if draft is None or held:
            return self._no_longer_followed(record, verdict)
        match self._plan.policy.edits:
            case "ignore":
                return "edited; `edits` says to leave its mirror as it was"
            case "note":
                return await self._note(post, facts, now)
            case "replace":
                return await self._replacement(record, draft, now, waits=waits)

    def _no_longer_followed(self, record: PostRecord, verdict: Verdict) -> Amendment | str:
        """What becomes of a published mirror whose post, as it is now, would not be mirrored.

        What its author marked against being mirrored goes. Else what is published stays as it is,
        and the rest, if there is any, is not sent.
        """
        if verdict.reason is Reason.NEVER_WITH and self._plan.policy.deletes == "mirror":
            note = f"edited, and now has {verdict.detail}: its mirror is deleted"
            return Amendment(Change.REMOVE, notes=(note,))
        note = f"edited; its mirror stays as it was: {verdict.sentence}"
        own = [part for part in record.parts if not part.aside]
        standing = tuple(part.part for part in own if part.state in STANDING)
        if not standing or all(part.state is not PartState.PLANNED for part in own):
            return note
        return Amendment(Change.REPLACE, Draft(standing), (f"{note}; the rest of it is not sent",))

    async def _replacement(
        self, record: PostRecord, draft: Draft, now: datetime, *, waits: bool
    ) -> Amendment | str:
        """An edit over there, where that is possible; else as the owner has chosen."""
        amendment = Amendment(Change.REPLACE, draft, draft.notes)
        to, there = await self._plan.target.capabilities(), self._plan.target.network.value
        if waits or _can_be_edited(record, amendment, to, now):
            return amendment
        afresh = Microdollars(draft.price + (to.prices.delete if to.prices else FREE))
        if self._plan.policy.reposting and not await Money(self._plan, self._bench).affords(afresh):
            budget = in_dollars(self._plan.budget.per_month)
            return (
                f"edited; to post it again is over this month's budget of {budget}, so its mirror "
                "shows what it said before"
            )
        if self._plan.policy.reposting:
            why = f"edited when it could no longer be edited on {there}: deleted and posted again"
            return Amendment(Change.AFRESH, draft, (*draft.notes, why))
        return f"edited; {_why_not(to, there)}, so its mirror shows what it said before"

    async def _note(self, post: Post, facts: Facts, now: datetime) -> Amendment | str:
        """A reply that says what the post says now: its words alone."""
        words = joined([HEADING, post.text], "\n\n")
        bare = replace(post, text=words, media=(), poll=None, quote=None)
        to = await self._plan.target.capabilities()
        try:
            context = Context(now, facts.quoted, facts.reposted)
            draft = compose(bare, to, self._plan.policy, context)
        except UnfitError as error:
            return f"edited; a reply that tells so cannot be made: {error}"
        return Amendment(Change.NOTE, Draft(draft.parts), ("edited; told in a reply",))

    async def _amend(
        self, record: PostRecord, amendment: Amendment, post: Post | None, cursor: Cursor | None
    ) -> None:
        now = self._bench.clock.now()
        amended = await self._bench.ledger.amend(
            self._plan.route, record.source, amendment, now, post=post, cursor=cursor
        )
        before = {part.key: part.state for part in record.parts}
        for part in amended.parts:
            if before.get(part.key) is not part.state:
                proof.announce(self._bench, part)

    async def _stop(self, record: PostRecord, verdict: Verdict) -> None:
        if not await self._take_back(record, verdict):
            # Some part of it was held, or has failed: that is over, too.
            removal = Amendment(Change.REMOVE, notes=(verdict.sentence,))
            await self._amend(record, removal, None, None)

    async def _take_back(self, record: PostRecord, verdict: Verdict) -> bool:
        return await proof.take_back(self._bench, self._plan.route, record.source, verdict)

    async def _record(self, of: PostId) -> PostRecord | None:
        return await recorded(self._bench, self._plan, of)


async def recorded(bench: Bench, plan: RoutePlan, of: PostId) -> PostRecord | None:
    """The record of the post of this route that was first recorded as `of`."""
    found = await bench.ledger.find(of)
    own = (each for each in found if (each.route, each.source) == (plan.route, of))
    return next(own, None)


def _stands(record: PostRecord) -> bool:
    return any(part.state in STANDING for part in record.parts)


def _can_be_edited(
    record: PostRecord, amendment: Amendment, to: Capabilities, now: datetime
) -> bool:
    """Whether all that would have to be edited over there can be."""
    found = moves(record.parts, amendment)
    edits = {move.index for move in found if move.event is PartEvent.EDITED}
    standing = [part for part in record.parts if part.state in STANDING]
    return all(in_time(part, to, now) for part in standing if part.key.index in edits)


def in_time(part: PartRecord, to: Capabilities, now: datetime) -> bool:
    """Whether a part that stands can still be edited, by the time at which it was sent."""
    if to.edit_within is None or part.part.repeat is not None:
        return False
    since = part.stands_since or part.attempted_at
    return since is None or now - since <= to.edit_within


def _why_not(to: Capabilities, there: str) -> str:
    if to.edit_within is None:
        return f"posts cannot be edited on {there} by this account"
    minutes = to.edit_within // timedelta(minutes=1)
    return f"posts can be edited on {there} for {minutes} minutes only"
