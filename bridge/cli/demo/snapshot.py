"""The picture that the demo's page draws, as JSON: both timelines, the bridge's log, the money.

Pure apart from reading the sandboxes. Must not produce markup: the page sets everything as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bridge.cli.demo.stage import Stage
from bridge.core.model import Direction, Microdollars, Network, PostId
from bridge.core.prices import in_dollars
from bridge.core.record import PostRecord
from bridge.core.verdict import Action, Reason
from bridge.engine.control import post_row

_SHOWN = 60
_AUDIENCES = {
    "public": "public",
    "unlisted": "unlisted",
    "private": "followers only",
    "direct": "direct",
}
_OUTCOMES = {
    "skipped": "stays where it is",
    "planned": "is on its way",
    "sending": "is being sent",
    "delivered": "mirrored",
    "partial": "mirrored in part",
    "in-doubt": "was sent, and the answer was lost",
    "held": "needs you",
    "failed": "could not be mirrored",
    "dropped": "was dropped",
}
_EXCERPT = 42
"""Characters of a post that the log shows, so that one sees which post it speaks of."""

Texts = dict[tuple[Network, str], str]


def snapshot(stage: Stage, records: Sequence[PostRecord]) -> dict[str, object]:
    """Everything the page shows now."""
    mirrors = {
        (record.route.direction.target, part.target_id)
        for record in records
        for part in record.parts
        if part.target_id is not None
    }
    own = [record for record in records if record.verdict.reason is not Reason.ECHO]
    texts: Texts = {
        (Network.MASTODON, status.id): status.text
        for status in stage.mastodon.timeline(stage.mastodon_account)[:_SHOWN]
    } | {(Network.X, post.id): post.text for post in stage.x.timeline(stage.x_account)[:_SHOWN]}
    billed = Microdollars(sum(charge.amount for charge in stage.x.bill()))
    return {
        "mastodon": {
            "handle": f"@{stage.mastodon_account.username}",
            "posts": _toots(stage, mirrors),
        },
        "x": {"handle": f"@{stage.x_account.handle}", "posts": _tweets(stage, mirrors)},
        "log": [_entry(record, texts) for record in own],
        "money": f"X has billed {in_dollars(billed)} so far",
    }


def _toots(stage: Stage, mirrors: set[tuple[Network, PostId]]) -> list[dict[str, object]]:
    return [
        _post(
            status.id,
            status.created_at,
            status.text,
            mirror=(Network.MASTODON, PostId(status.id)) in mirrors,
            reply=status.in_reply_to_id is not None,
            warning=status.spoiler_text,
            visibility=status.visibility,
        )
        for status in stage.mastodon.timeline(stage.mastodon_account)[:_SHOWN]
    ]


def _tweets(stage: Stage, mirrors: set[tuple[Network, PostId]]) -> list[dict[str, object]]:
    return [
        _post(
            post.id,
            post.created_at,
            post.text,
            mirror=(Network.X, PostId(post.id)) in mirrors,
            reply=post.reply_to is not None,
        )
        for post in stage.x.timeline(stage.x_account)[:_SHOWN]
    ]


def _post(
    post_id: str,
    at: datetime,
    text: str,
    *,
    mirror: bool,
    reply: bool,
    warning: str = "",
    visibility: str = "public",
) -> dict[str, object]:
    return {
        "id": post_id,
        "at": at.astimezone(UTC).isoformat(),
        "text": text,
        "warning": warning,
        "mirror": mirror,
        "reply": reply,
        "visibility": visibility,
        "visibility_words": _AUDIENCES.get(visibility, visibility),
    }


def _entry(record: PostRecord, texts: Texts) -> dict[str, object]:
    """One line of the log: the stable row, and the words for it."""
    row = post_row(record)
    direction = Direction(row["direction"])
    text = " ".join(texts.get((direction.source, row["source_id"]), "a post").split())
    excerpt = text if len(text) <= _EXCERPT else text[:_EXCERPT].rstrip() + "…"
    mirrored = record.verdict.action is Action.MIRROR
    return {
        "source": direction.source.value,
        "target": direction.target.value,
        "source_id": row["source_id"],
        "excerpt": excerpt,
        "state": row["state"],
        "outcome": _OUTCOMES[row["state"]],
        "reason": row["reason"],
        "cost": in_dollars(record.cost) if mirrored else "",
        "at": record.at.astimezone(UTC).isoformat(),
        "parts": row["parts"],
    }
