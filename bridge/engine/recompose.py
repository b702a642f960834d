"""What was not sent yet, composed again by what the network takes and the owner wants by now.

After its owner had it tried again, and once by itself after a refusal that new limits may explain.
Must not send anything, and must not touch a part that stands, or may: no word is said twice.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace

from bridge.core.amend import Amendment, Change, same_content
from bridge.core.capabilities import Capabilities
from bridge.core.compose import Context
from bridge.core.delivery import PartEvent, PartState
from bridge.core.draft import Draft, DraftPart
from bridge.core.errors import NetworkError, Refused, UnfitError
from bridge.core.link_choices import with_link_prices
from bridge.core.listing import Move
from bridge.core.model import Post, PostId
from bridge.core.record import DuePart, PartKey, PartRecord, PostRecord
from bridge.core.refit import refitted
from bridge.engine import proof
from bridge.engine.edits import recorded
from bridge.engine.route import Bench, RoutePlan

AGAIN = "refused, and composed again"
"""Begins the detail of the move after which a part is tried once more by itself."""

_NOT_OURS = frozenset({PartState.GONE, PartState.UNWANTED})
_UNSENT = frozenset({PartState.PLANNED, PartState.FAILED, PartState.ATTEMPTING})
"""What is being tried is asked about only once it was surely refused."""


@dataclass(frozen=True, slots=True)
class _Redraft:
    """What is to be instead of what was not sent; `post` is what it was read from, if it was."""

    draft: Draft
    differs: bool
    post: Post | None = None


@dataclass(frozen=True, slots=True)
class _Now:
    """What the target takes, and the post as it is; None where that would cost, or is no use."""

    to: Capabilities
    post: Post | None


class Recompose:
    """Composes the unsent parts of one route's mirrors again."""

    def __init__(self, plan: RoutePlan, bench: Bench) -> None:
        self._plan = plan
        self._bench = bench

    async def after_retry(self, due: DuePart) -> bool:
        """Whether something else is to be sent than `due`, since its owner had it retried.

        Does nothing for a part of which that is not the last that happened. Raises `NetworkError`
        where the target does not say what it takes.
        """
        record = due.record
        if not record.detail or record.aside:
            return False
        if _last(await self._moves(record.key), record.key) is not PartEvent.OWNER_SAYS_RETRY:
            return False
        now = await self._asked(record, due.latest or record.key.source, whole=due.first)
        async with self._turn():
            if not await self._is_still(record):
                return True
            await self._bench.ledger.forget_uploads(record.key)
            try:
                redraft = await self._redraft(record, now)
            except UnfitError as error:
                await proof.settle(self._bench, record, PartEvent.GIVEN_UP, detail=str(error))
                return True
            if redraft.differs:
                await self._replace(redraft, record.key)
            return redraft.differs

    async def after_refusal(self, record: PartRecord, error: Refused) -> bool:
        """Give a refused part back if another try is due to it: once, and not as it was.

        Where nothing about it has changed, its media are uploaded again: their ids may be what was
        refused. On a network that charges that takes its word for it.
        """
        if record.aside or await self._tried_again(record.key):
            return False
        try:
            now = await self._asked(record, record.key.source, whole=True)
        except NetworkError:
            return False
        upload = bool(record.part.media) and (error.media or now.to.prices is None)
        async with self._turn():
            try:
                redraft = await self._redraft(record, now)
            except UnfitError:
                return False
            if not await self._is_still(record) or not (redraft.differs or upload):
                return False
            detail = f"{AGAIN}: {error}"
            await proof.settle(self._bench, record, PartEvent.SURELY_NOT_DONE, detail=detail)
            if upload:
                await self._bench.ledger.forget_uploads(record.key)
            if redraft.differs:
                await self._replace(redraft, record.key)
        return True

    async def _asked(self, record: PartRecord, latest: PostId, *, whole: bool) -> _Now:
        """What both networks say now; the post only where that is free and `whole` asks for it."""
        to = await self._plan.target.capabilities(afresh=True)
        known = await recorded(self._bench, self._plan, record.key.source)
        editing = record.state is PartState.REVISING
        unsent = known is not None and all(map(_is_unsent, _own(known)))
        post = await self._read_again(latest) if whole and (editing or unsent) else None
        return _Now(to, post)

    async def _is_still(self, record: PartRecord) -> bool:
        known = await proof.current(self._bench, record)
        return (known.state, known.part) == (record.state, record.part)

    def _turn(self) -> AbstractAsyncContextManager[None]:
        return self._bench.turnstiles.turn(self._plan.route.bridge)

    async def _tried_again(self, key: PartKey) -> bool:
        """Whether a part was tried once more by itself, since it is to be what it is."""
        moves = [move for move in await self._moves(key) if move.index == key.index]
        begun = {PartEvent.OWNER_SAYS_RETRY, PartEvent.RECEIPT}
        since = max((place for place, move in enumerate(moves) if move.event in begun), default=0)
        return any(move.detail.startswith(AGAIN) for move in moves[since:])

    async def _redraft(self, part: PartRecord, now: _Now) -> _Redraft:
        """What is to be instead of what was not sent. Raises `UnfitError`.

        Where `part` is an edit that was refused, what stands from there on is edited as well.
        """
        record = await recorded(self._bench, self._plan, part.key.source)
        own = [] if record is None else _own(record)
        since = part.key.index if part.state is PartState.REVISING else None
        changing = [each for each in own if _is_unsent(each) or _is_at(each, since)]
        if now.post is not None and (since is not None or len(changing) == len(own)):
            facts = await self._bench.ledger.facts(self._plan.route, now.post)
            context = Context(self._bench.clock.now(), facts.quoted, facts.reposted)
            draft = with_link_prices(now.post, now.to, self._plan.policy, context)
            return _Redraft(draft, _differ([each.part for each in own], draft.parts), now.post)
        before = [each.part for each in changing]
        fresh = refitted(before, now.to, self._plan.policy)
        kept = [each.part for each in own if each not in changing]
        return _Redraft(Draft((*kept, *fresh)), _differ(before, fresh))

    async def _read_again(self, latest: PostId) -> Post | None:
        """The post as it is now, where reading it costs nothing and it can be had."""
        source = self._plan.source
        try:
            if (await source.capabilities()).prices is not None:
                return None
            return await source.look_up(latest)
        except NetworkError:
            return None

    async def _replace(self, redraft: _Redraft, key: PartKey) -> None:
        notes = (*redraft.draft.notes, "composed again by the limits and the configuration of now")
        amendment = Amendment(Change.REPLACE, redraft.draft, notes)
        await self._bench.ledger.amend(
            self._plan.route, key.source, amendment, self._bench.clock.now(), post=redraft.post
        )

    async def _moves(self, key: PartKey) -> tuple[Move, ...]:
        return await self._bench.ledger.moves(key.route, key.source)


def _own(record: PostRecord) -> list[PartRecord]:
    """The parts that belong to a mirror, in order, without replies that tell of an edit."""
    return [part for part in record.parts if not part.aside and part.state not in _NOT_OURS]


def _is_unsent(part: PartRecord) -> bool:
    never_tried = part.state is PartState.HELD and not part.attempts
    return part.state in _UNSENT or never_tried


def _is_at(part: PartRecord, since: int | None) -> bool:
    return since is not None and part.key.index >= since


def _last(moves: tuple[Move, ...], key: PartKey) -> PartEvent | None:
    """The last thing that happened to a part, apart from its being put off."""
    waits = {PartEvent.PUT_OFF, PartEvent.MEDIA_MISSING}
    events = [move.event for move in moves if move.index == key.index and move.event not in waits]
    return events[-1] if events else None


def _differ(before: list[DraftPart], after: tuple[DraftPart, ...]) -> bool:
    if len(before) != len(after):
        return True
    numbered = zip(before, after, strict=True)
    return not all(same_content(one, replace(other, index=one.index)) for one, other in numbered)
