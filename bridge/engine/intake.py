"""Taking in one post: recognise, judge and compose it, and record all of that at once (T1).

Must not send anything. Nothing in here may lose a post: what cannot be composed is recorded with
the reason, and only a ledger that cannot be written stops the pass, before the cursor has moved.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from bridge.core.errors import LedgerError, NetworkError
from bridge.core.fingerprint import Match
from bridge.core.model import Post, PostId, Route
from bridge.core.record import Cursor, Decision
from bridge.core.rules import is_with_others
from bridge.core.twins import Twin
from bridge.core.verdict import Action, Reason, Verdict
from bridge.engine import proof
from bridge.engine.edits import Edits
from bridge.engine.judge import announce, judged, parent_of
from bridge.engine.recognition import Recognition
from bridge.engine.route import Bench, RoutePlan
from bridge.ports import Facts

log = logging.getLogger(__name__)


TRIES = 3
"""How often a post is dealt with whose turn our own fault breaks off, before it is let be."""


class Intake:
    """The desk of one route at which every post that was read is dealt with.

    `parts` tells which of them are parts whose sending ended unclear.
    """

    def __init__(self, plan: RoutePlan, bench: Bench, parts: Recognition, edits: Edits) -> None:
        self._plan = plan
        self._bench = bench
        self._parts = parts
        self._edits = edits

    async def take(
        self, post: Post, cursor: Cursor, ahead: Cursor, late: Verdict | None = None
    ) -> Cursor:
        """Deal with `post`; returns the cursor to go on from.

        `ahead` is the cursor once it is dealt with: behind it while older posts are still to come.
        `late` is the verdict on it if it would be mirrored otherwise.
        """
        ledger, route = self._bench.ledger, self._plan.route
        account, locks = await self._plan.source.account(), self._bench.turnstiles
        async with locks.passing(account), locks.turn(route.bridge):
            if post.id in await ledger.known(route, (post.id,)):
                return cursor
            for tries_left in reversed(range(TRIES)):
                echo_of = await self._parts.of_another_bridge(post)
                facts = await ledger.facts(route, post)
                if facts.echo_of is None and echo_of is not None:
                    facts = replace(facts, echo_of=echo_of)
                try:
                    await self._dealt_with(post, facts, cursor, ahead, late)
                except (LedgerError, NetworkError):
                    raise
                except Exception as error:
                    log.exception("dealing with %s broke off", post.id)
                    if post.id in await ledger.known(route, (post.id,)):
                        break
                    if not tries_left:
                        # Our own fault with one post must not keep all later ones from passing.
                        await self._given_up(post, facts, ahead, type(error).__name__)
                else:
                    break
        return ahead

    async def _dealt_with(
        self, post: Post, facts: Facts, cursor: Cursor, ahead: Cursor, late: Verdict | None
    ) -> None:
        ledger, route = self._bench.ledger, self._plan.route
        desk = self._bench.desks.of(route)
        if facts.revision_of is not None:
            await self._edits.edited(post, facts.revision_of, ahead)
            return
        if facts.echo_of is None and await self._parts.proves_a_part(post):
            facts = await ledger.facts(route, post)
        if facts.echo_of is not None:
            self._parts.senders.learn(post)
            await self._record(await self._decided(post, facts, cursor, None), ahead)
            return
        twin = await desk.twin_of(post, route, ledger) or await self._parts.may_be_a_part(post)
        decision = await self._decided(post, facts, cursor, twin, late)
        if decision.same_as is not None:
            await self._withdraw(decision.same_as, post)
        await self._record(decision, ahead)
        if decision.draft is not None:
            await self._recover(decision, desk.pieces(decision.draft, post, route))
        desk.note(post, route)
        if twin is not None and decision.verdict.reason is Reason.SAME_POST:
            await self._parts.senders.met(post, twin)

    async def _given_up(self, post: Post, facts: Facts, ahead: Cursor, what: str) -> None:
        """Say of a post that nothing is made of it, for a fault of ours."""
        ledger, route, now = self._bench.ledger, self._plan.route, self._bench.clock.now()
        why = f"dealing with it broke off: {what}"
        if facts.revision_of is not None:
            note = f"edited; its mirror stays as it was, {why}"
            await ledger.advance(route, post, facts.revision_of, ahead, (note,))
        elif not await ledger.known(route, (post.id,)):
            await self._record(Decision(post, Verdict(Action.SKIP, Reason.UNFIT, why), now), ahead)

    async def _decided(
        self,
        post: Post,
        facts: Facts,
        cursor: Cursor,
        twin: Twin | None,
        late: Verdict | None = None,
    ) -> Decision:
        now = self._bench.clock.now()
        outcome = await judged(
            self._plan, post, facts, now, floor=cursor.floor, twin=twin, late=late
        )
        verdict, draft = outcome.verdict, outcome.draft
        with_others = is_with_others(post, outcome.history)
        if draft is None:
            same = twin.post.id if twin is not None and twin.match is not Match.SIMILAR else None
            return Decision(post, verdict, now, same_as=same, with_others=with_others)
        # A server whose clock is ahead must not stretch the delay.
        not_before = min(post.created_at, now) + self._plan.delay
        parent = parent_of(post, outcome.history)
        awaits = outcome.awaited(max(not_before, now))
        return Decision(
            post, verdict, now, draft, not_before, parent, awaits=awaits, with_others=with_others
        )

    async def _withdraw(self, twin: PostId, post: Post) -> None:
        """Have the mirror of `twin` not sent, if it is not on its way yet: `post` stands there.

        Before `post` is recorded, so that a process that dies in between finds it again.
        """
        route = Route(self._plan.route.bridge, self._plan.route.direction.reverse)
        verdict = Verdict(Action.SKIP, Reason.SAME_POST, post.url or post.id)
        await proof.take_back(self._bench, route, twin, verdict, same_as=post.id)

    async def _record(self, decision: Decision, cursor: Cursor) -> None:
        route = self._plan.route
        await self._bench.ledger.record(route, decision, cursor)
        announce(self._bench, route, decision)

    async def _recover(self, decision: Decision, pieces: dict[int, PostId]) -> None:
        """Map the parts of a mirror that stands there, and is not known of, to what they are.

        The pieces were taken for news when they were read; nothing more is made of them.
        """
        ledger, route = self._bench.ledger, self._plan.route
        reverse = Route(route.bridge, route.direction.reverse)
        source = decision.post.id
        await self._parts.senders.recovered(pieces.values())
        for part in await ledger.unsent(route):
            piece = pieces.get(part.key.index) if part.key.source == source else None
            if piece is None:
                continue
            echo = Verdict(Action.SKIP, Reason.ECHO, f"mirror of {source}")
            await proof.take_back(self._bench, reverse, piece, echo)
            found = [one for one in await ledger.find(piece) if one.route == reverse]
            url = found[0].source_url if found else None
            await proof.forgotten(self._bench, part, piece, url)
