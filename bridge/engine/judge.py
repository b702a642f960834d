"""Judging and composing one post: the same for what is new and for what was edited.

Must not record anything, nor ask a network for more than what it can carry.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bridge.core.compose import Context
from bridge.core.draft import Draft
from bridge.core.errors import UnfitError
from bridge.core.events import PostDecided
from bridge.core.link_choices import with_link_prices
from bridge.core.model import Post, PostId, Route
from bridge.core.prices import FREE
from bridge.core.record import AWAITED, Awaited, Decision
from bridge.core.rules import History, continues_mirror, decide, too_dear
from bridge.core.twins import Twin
from bridge.core.verdict import Action, Reason, Verdict
from bridge.engine.route import Bench, RoutePlan
from bridge.ports import Facts

log = logging.getLogger(__name__)

LONGEST_WAIT_FOR_MIRROR = timedelta(hours=2)
"""How long a post waits for the mirror of an own post that it quotes or repeats.

Longer than a post waits for a missing medium. After that, a quote is given without the mirror, and
what only repeats the post is skipped.
"""


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict, what it rests on and, unless it is to skip, the draft of the mirror.

    `awaits` is the own post whose mirror has to be published before the draft can be final.
    """

    verdict: Verdict
    history: History
    draft: Draft | None = None
    awaits: PostId | None = None

    def awaited(self, since: datetime) -> Awaited | None:
        """What the post waits for whose own time comes at `since`."""
        return (
            None if self.awaits is None else Awaited(self.awaits, since + LONGEST_WAIT_FOR_MIRROR)
        )


async def judged(
    plan: RoutePlan,
    post: Post,
    facts: Facts,
    now: datetime,
    *,
    floor: datetime | None = None,
    twin: Twin | None = None,
    late: Verdict | None = None,
) -> Judged:
    """What happens to `post` at `now`. Raises `NetworkError` where the target does not answer."""
    reposted = facts.reposted
    if post.repost is not None and facts.awaits is not None:
        reposted = AWAITED
    history = History(
        echo_of=facts.echo_of,
        baseline=facts.baseline,
        floor=floor,
        parent=None if facts.parent is None else facts.parent.state,
        parent_is_mirror=facts.parent_is_mirror,
        parent_has_twin=facts.parent is not None and facts.parent.same_as is not None,
        parent_with_others=facts.parent is not None and facts.parent.with_others,
        twin=twin,
        reposted=reposted is not None,
        late=late,
    )
    verdict = decide(post, plan.rules, history)
    if verdict.action is Action.SKIP:
        return Judged(verdict, history)
    to = await plan.target.capabilities()
    try:
        context = Context(now, facts.quoted, reposted)
        draft = with_link_prices(post, to, plan.policy, context)
        if verdict.action is Action.MIRROR:
            verdict = too_dear(draft, plan.policy) or verdict
    except UnfitError as error:
        return Judged(Verdict(Action.SKIP, Reason.UNFIT, str(error)), history)
    except Exception as error:  # our own fault must not keep all later posts from passing
        log.exception("composing the mirror of %s broke off", post.id)
        why = f"composing it broke off: {type(error).__name__}"
        return Judged(Verdict(Action.SKIP, Reason.UNFIT, why), history)
    if facts.awaits is not None:
        how = "quotes" if post.repost is None else "repeats"
        note = f"waits up to 2 hours for the mirror of {facts.awaits}, which it {how}"
        draft = replace(draft, notes=(note,))
    return Judged(verdict, history, draft, facts.awaits)


def parent_of(post: Post, history: History) -> PostId | None:
    """The own post below whose mirror that of `post` goes on; None where it begins anew."""
    if post.in_reply_to is None or not continues_mirror(post, history):
        return None
    return post.in_reply_to.post


def announce(bench: Bench, route: Route, decision: Decision) -> None:
    """Tell every listener what was decided about a post."""
    draft, post = decision.draft, decision.post
    bench.emit(
        PostDecided(
            at=decision.seen_at,
            route=route,
            source=post.id,
            source_url=post.url,
            verdict=decision.verdict,
            parts=len(draft.parts) if draft else 0,
            price=draft.price if draft else FREE,
        )
    )
