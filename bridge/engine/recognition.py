"""Recognizing a post that was read as a part whose sending ended unclear.

Asked by whoever is about to judge a post, with its account and the turn of its bridge held. Must
not judge, and changes nothing but the part that is proven.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from bridge.core.errors import WrongAccount
from bridge.core.fingerprint import Match
from bridge.core.identity import identity_of, is_the_same
from bridge.core.model import Post, PostId, Route
from bridge.core.record import PartRecord
from bridge.core.twins import Counterpart, Twin
from bridge.engine import proof
from bridge.engine.other_senders import OtherSenders
from bridge.engine.route import Bench, RoutePlan


@dataclass(frozen=True, slots=True)
class Recognition:
    """The recognizer of one route's posts.

    What the reverse of `plan` has sent counts also while that direction is switched off. `senders`
    is told of what this bridge has not sent. `others`
    are the routes of other bridges that send to the same network.
    """

    plan: RoutePlan
    bench: Bench
    senders: OtherSenders
    others: tuple[RoutePlan, ...] = ()

    async def proves_a_part(self, post: Post) -> bool:
        """Whether `post` is a part whose sending ended unclear; if so the part is now proven.

        One that is held waits for its owner, who need not be asked any more.
        """
        ledger = self.bench.ledger
        async for record in self._unclear(self._reverse):
            if proof.is_part(record, post, await proof.earliest(self.bench, record)):
                await proof.present(self.bench, record, post)
                return True
        for record in await ledger.unsent(self._reverse):
            if not proof.says_the_same(record.part, post):
                continue
            if post.created_at >= await proof.earliest(self.bench, record):
                await self.senders.made(self._reverse, post.created_at, post.url or post.id)
                await proof.forgotten(self.bench, record, post.id, post.url)
                return True
        return False

    async def of_another_bridge(self, post: Post) -> PostId | None:
        """The post whose mirror `post` is, made by another bridge that has no receipt for it yet.

        To be asked before the ledger is asked for mirrors: then a receipt that comes in between is
        seen by one of the two questions.
        """
        for plan in self.others:
            async for record in self._unclear(plan.route):
                since = await proof.earliest(self.bench, record)
                if proof.is_part(record, post, since) and await self._is_sent_here(plan):
                    return record.key.source
        return None

    async def may_be_a_part(self, post: Post) -> Twin | None:
        """Media without a word, while a part like that is in doubt: somebody has to be asked.

        Were it taken for news, the bridge could mirror its own mirror.
        """
        async for record in self._unclear(self._reverse):
            if await self._is_alike(record, post):
                return _twin(record, post)
        for plan in self.others:
            async for record in self._unclear(plan.route):
                if await self._is_alike(record, post) and await self._is_sent_here(plan):
                    return _twin(record, post)
        return None

    @property
    def _reverse(self) -> Route:
        return Route(self.plan.route.bridge, self.plan.route.direction.reverse)

    async def _is_alike(self, record: PartRecord, post: Post) -> bool:
        if proof.is_long_past(record, post):
            return False
        return proof.may_be_part(record, post, await proof.earliest(self.bench, record))

    async def _unclear(self, route: Route) -> AsyncIterator[PartRecord]:
        """Parts that may stand on the target of `route`, apart from what is just being sent."""
        ledger = self.bench.ledger
        for record in (*await ledger.unproven(route), *await ledger.held(route)):
            if record.key not in self.bench.sending:
                yield record

    async def _is_sent_here(self, plan: RoutePlan) -> bool:
        """Whether the route of another bridge sends to the account which is read.

        By what the ledger knows of it: what that bridge is signed in as now may be another account,
        and is nothing to hold up this one for.
        """
        bridge, network = plan.route.bridge, plan.target.network
        known = await self.bench.ledger.identity(bridge, network)
        if known is None:
            with suppress(WrongAccount):
                known = identity_of(await plan.target.account())
        if known is None:
            return False
        return is_the_same(known, identity_of(await self.plan.source.account()))


def recognition(plan: RoutePlan, bench: Bench, plans: Sequence[RoutePlan]) -> Recognition:
    """The recognizer of the posts that `plan` reads, among all `plans` of a process."""
    bridge, reverse = plan.route.bridge, plan.route.direction.reverse
    others = [one for one in plans if one.route.bridge != bridge]
    senders = OtherSenders(plan, bench)
    return Recognition(
        plan, bench, senders, tuple(one for one in others if one.route.direction is reverse)
    )


def _twin(record: PartRecord, post: Post) -> Twin:
    return Twin(
        Match.SIMILAR,
        Counterpart(
            id=record.key.source,
            url=None,
            at=post.created_at,
            media=len(post.media),
            mirrored=True,
            same_text=False,
        ),
    )
