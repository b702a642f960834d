"""Posts, drafts and decisions for tests of the ledger, each a plain value with few knobs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bridge.core.delivery import PartEvent
from bridge.core.draft import Draft, DraftPart
from bridge.core.model import (
    AccountId,
    BridgeName,
    Direction,
    Microdollars,
    Network,
    Post,
    PostId,
    ReplyRef,
    Route,
    Visibility,
)
from bridge.core.record import Cursor, Decision, PartKey, PartRecord, Receipt
from bridge.core.text import Text
from bridge.core.verdict import Action, Reason, Verdict
from bridge.ports import Ledger

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
OUT = Route(BridgeName("personal"), Direction.MASTODON_TO_X)
BACK = Route(BridgeName("personal"), Direction.X_TO_MASTODON)
OTHER_OUT = Route(BridgeName("work"), Direction.MASTODON_TO_X)
OTHER_BACK = Route(BridgeName("work"), Direction.X_TO_MASTODON)

ALLOWED = Verdict(Action.MIRROR, Reason.ALLOWED)
PRIVATE = Verdict(Action.SKIP, Reason.AUDIENCE, "followers only")
ECHO = Verdict(Action.SKIP, Reason.ECHO)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def post(
    name: str,
    *,
    route: Route = OUT,
    at: datetime = T0,
    text: str = "hello",
    url: str | None = None,
    revisions: tuple[str, ...] = (),
    edited_at: datetime | None = None,
    parent: str | None = None,
) -> Post:
    return Post(
        network=route.direction.source,
        id=PostId(name),
        author=AccountId("me"),
        created_at=at,
        text=Text(text),
        visibility=Visibility.PUBLIC,
        url=url or f"https://{route.direction.source.value}.example/@me/{name}",
        revisions=tuple(PostId(revision) for revision in revisions),
        edited_at=edited_at,
        in_reply_to=None if parent is None else ReplyRef(PostId(parent), AccountId("me")),
    )


def draft(*texts: str) -> Draft:
    parts = tuple(
        DraftPart(index=index, text=text, price=Microdollars(15_000))
        for index, text in enumerate(texts)
    )
    return Draft(parts, notes=("shortened",))


def decision(
    seen: Post,
    *texts: str,
    verdict: Verdict = ALLOWED,
    not_before: datetime | None = None,
    parent: str | None = None,
) -> Decision:
    """What was decided about `seen`: a mirror in parts of these texts, one by default."""
    skipped = verdict.action is Action.SKIP
    return Decision(
        post=seen,
        verdict=verdict,
        seen_at=T0,
        draft=None if skipped else draft(*(texts or ("hello",))),
        not_before=not_before,
        parent=None if parent is None else PostId(parent),
    )


async def recorded(
    ledger: Ledger,
    name: str,
    *texts: str,
    route: Route = OUT,
    verdict: Verdict = ALLOWED,
    not_before: datetime | None = None,
    parent: str | None = None,
) -> Post:
    """A post that has been read and decided about."""
    seen = post(name, route=route, parent=parent)
    decided = decision(seen, *texts, verdict=verdict, not_before=not_before, parent=parent)
    await ledger.record(route, decided, Cursor().past(seen))
    return seen


def key(name: str, index: int = 0, route: Route = OUT) -> PartKey:
    return PartKey(route, PostId(name), index)


def receipt(name: str, *, network: Network = Network.X, cost: int = 15_000) -> Receipt:
    return Receipt(PostId(name), f"https://{network.value}.example/@me/{name}", Microdollars(cost))


async def delivered(
    ledger: Ledger,
    name: str,
    as_name: str,
    index: int = 0,
    *,
    route: Route = OUT,
    now: datetime = T0,
    cost: int = 15_000,
) -> PartRecord:
    """A planned part, claimed and sent."""
    part = key(name, index, route)
    await ledger.claim(part, now, "hash")
    sent = receipt(as_name, network=route.direction.target, cost=cost)
    return await ledger.settle(part, PartEvent.RECEIPT, now, receipt=sent)
