"""What would be sent for a post, part by part, and why: judged and composed, never sent.

The same rules and the same composer as the real thing. Must not write to a ledger, and must not
need one: without it, own threads and quotes are taken as standing nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypedDict

from bridge.core.compose import Context, compose
from bridge.core.delivery import PartState, PostState
from bridge.core.draft import Draft, DraftPart
from bridge.core.entities import mastodon_entities, x_entities
from bridge.core.errors import UnfitError
from bridge.core.lengths import mastodon_length, measure_for
from bridge.core.model import AccountId, Network, Post, PostId, Visibility
from bridge.core.record import Mirror, PostRecord
from bridge.core.rules import History, decide, too_dear
from bridge.core.text import Text
from bridge.core.verdict import Action, Reason, Verdict
from bridge.engine.control import dollars
from bridge.engine.route import RoutePlan
from bridge.ports import LedgerView


@dataclass(frozen=True, slots=True)
class Preview:
    """A verdict and, unless it is to skip, the draft. `lengths` are of its parts, of `limit`."""

    verdict: Verdict
    draft: Draft | None
    lengths: tuple[int, ...]
    limit: int


class PartPreview(TypedDict):
    """One part, as `preview --json` prints it."""

    index: int
    text: str
    length: int
    limit: int
    content_warning: str
    sensitive: bool
    visibility: str
    language: str | None
    media: list[dict[str, str]]
    poll: list[str]
    quotes: str | None
    repeats: str | None
    price_usd: float


class PreviewRow(TypedDict):
    """One preview, as `preview --json` prints it."""

    bridge: str
    direction: str
    verdict: str
    reason: str
    changes: list[str]
    price_usd: float
    parts: list[PartPreview]


def typed(network: Network, text: str, now: datetime, *, warning: str = "") -> Post:
    """A public post of `text`, as if its owner had just written it on `network`."""
    scan = x_entities if network is Network.X else mastodon_entities
    return Post(
        network=network,
        id=PostId("typed"),
        author=AccountId("me"),
        created_at=now,
        text=Text(text, tuple(scan(text))),
        visibility=Visibility.PUBLIC,
        spoiler=warning,
    )


async def preview(
    plan: RoutePlan, post: Post, now: datetime, view: LedgerView | None = None
) -> Preview:
    """What the route of `plan` would do with `post` if it were read now."""
    to = await plan.target.capabilities()
    context = Context(
        now,
        quoted=await _mirror(plan, post.quote.post if post.quote else None, view),
        reposted=await _mirror(plan, post.repost.post if post.repost else None, view),
    )
    history = await _history(plan, post, view)
    history = replace(history, reposted=context.reposted is not None)
    verdict = decide(post, plan.rules, history)
    draft = None
    if verdict.action is not Action.SKIP:
        try:
            draft = compose(post, to, plan.policy, context)
            if verdict.action is Action.MIRROR:
                verdict = too_dear(draft, plan.policy) or verdict
        except UnfitError as error:
            verdict = Verdict(Action.SKIP, Reason.UNFIT, str(error))
    if draft is None:
        return Preview(verdict, None, (), to.max_length)

    def length(part: DraftPart) -> int:
        if to.counting == "x":
            return measure_for("x")(part.text)
        return mastodon_length(part.text, part.spoiler, counting=to.counting)

    return Preview(verdict, draft, tuple(length(part) for part in draft.parts), to.max_length)


def preview_row(plan: RoutePlan, found: Preview) -> PreviewRow:
    """A preview as a row with stable keys."""
    parts = found.draft.parts if found.draft else ()
    return PreviewRow(
        bridge=plan.route.bridge,
        direction=plan.route.direction.value,
        verdict=found.verdict.action.value,
        reason=found.verdict.sentence,
        changes=list(found.draft.notes) if found.draft else [],
        price_usd=dollars(found.draft.price) if found.draft else 0.0,
        parts=[
            _part(part, length, found.limit)
            for part, length in zip(parts, found.lengths, strict=True)
        ],
    )


def _part(part: DraftPart, length: int, limit: int) -> PartPreview:
    return PartPreview(
        index=part.index,
        text=part.text,
        length=length,
        limit=limit,
        content_warning=part.spoiler,
        sensitive=part.sensitive,
        visibility=part.visibility.value,
        language=part.language,
        media=[
            {"kind": medium.kind.value, "url": medium.url, "alt": medium.alt}
            for medium in part.media
        ],
        poll=list(part.poll.options) if part.poll else [],
        quotes=part.quote,
        repeats=part.repeat,
        price_usd=dollars(part.price),
    )


async def _history(plan: RoutePlan, post: Post, view: LedgerView | None) -> History:
    """What a ledger knows that bears on `post`. What was mirrored before is judged anew."""
    parent = post.in_reply_to.post if post.in_reply_to else None
    records = await _records(plan, parent, view)
    own = next((record for record in records if record.route == plan.route), None)
    reverse = [record for record in records if record.route != plan.route]
    mirrored = await _records(plan, post.id, view)
    return History(
        echo_of=next(
            (
                record.source
                for record in mirrored
                if record.route != plan.route
                and any(_is(part.target_id, part.state, post.id) for part in record.parts)
            ),
            None,
        ),
        parent=None if own is None else own.state,
        parent_is_mirror=any(
            part.target_id == parent for record in reverse for part in record.parts
        ),
        parent_has_twin=own is not None and own.same_as is not None,
    )


async def _mirror(plan: RoutePlan, post: PostId | None, view: LedgerView | None) -> Mirror | None:
    """Where the mirror of an own post stands; where `post` is a mirror itself, its original."""
    for record in await _records(plan, post, view):
        if record.route == plan.route and record.state is PostState.DELIVERED:
            first = record.parts[0]
            if first.target_id is not None:
                return Mirror(first.target_id, first.target_url)
        if record.route != plan.route and any(
            _is(part.target_id, part.state, post) for part in record.parts
        ):
            return Mirror(record.source, record.source_url)
    return None


def _is(target: PostId | None, state: PartState, post: PostId | None) -> bool:
    return target == post and state is PartState.DELIVERED


async def _records(
    plan: RoutePlan, post: PostId | None, view: LedgerView | None
) -> tuple[PostRecord, ...]:
    """The records of the same bridge that have to do with `post`."""
    if post is None or view is None:
        return ()
    return tuple(
        record for record in await view.find(post) if record.route.bridge == plan.route.bridge
    )
