"""What would be sent for a post, part by part, and why: judged and composed, never sent.

The same rules and the same composer as the real thing. Must not write to a ledger, and must not
need one: without it, own threads and quotes are taken as standing nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypedDict

from bridge.core.draft import Draft, DraftPart
from bridge.core.entities import mastodon_entities, x_entities
from bridge.core.lengths import mastodon_length, measure_for
from bridge.core.model import AccountId, Network, Post, PostId, Visibility
from bridge.core.text import Text
from bridge.core.verdict import Verdict
from bridge.engine.control import dollars
from bridge.engine.judge import judged
from bridge.engine.route import RoutePlan
from bridge.ports import Facts, LedgerView


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
    """What the route of `plan` would do with `post` if it were read now, for the first time."""
    to = await plan.target.capabilities()
    facts = Facts() if view is None else await view.facts(plan.route, post)
    # What was there before the start, or was mirrored, is shown as if it had just been written.
    found = await judged(plan, post, replace(facts, baseline=False, revision_of=None), now)

    def length(part: DraftPart) -> int:
        if to.counting == "x":
            return measure_for("x")(part.text)
        return mastodon_length(part.text, part.spoiler, counting=to.counting, link=to.link_length)

    parts = found.draft.parts if found.draft else ()
    return Preview(found.verdict, found.draft, tuple(map(length, parts)), to.max_length)


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
