"""What the demo's page shows, in the parts of the bridge's own page: timelines, log, money.

Reads the sandboxes and the ledger's records. Must not produce markup: that is the templates' part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.cli.demo.stage import Stage
from bridge.core.draft import DraftMedia, DraftPart
from bridge.core.model import MediaId, MediaKind, Microdollars, Network, PostId
from bridge.core.prices import FREE
from bridge.core.record import PartRecord, PostRecord
from bridge.core.verdict import Reason
from bridge.surfaces.web.catalogues import Catalogue
from bridge.surfaces.web.views import PostView

_SHOWN = 60
_EXCERPT = 42
"""Characters of a post that the log shows, so that one sees which post it speaks of."""

_KINDS = {
    "image": MediaKind.IMAGE,
    "photo": MediaKind.IMAGE,
    "video": MediaKind.VIDEO,
    "gifv": MediaKind.GIFV,
    "animated_gif": MediaKind.GIFV,
    "audio": MediaKind.AUDIO,
}

Mirrors = Mapping[tuple[Network, str], PartRecord]


@dataclass(frozen=True, slots=True)
class Standing:
    """One post as it stands on a network. `mirror` is the bridge's part that it is, if it is one.

    `audience` is empty for everybody.
    """

    network: Network
    id: str
    at: datetime
    part: DraftPart
    reply: bool
    mirror: PartRecord | None
    audience: str = ""

    @property
    def anchor(self) -> str:
        """Its name on the page."""
        return anchor(self.network, self.id)


@dataclass(frozen=True, slots=True)
class Entry:
    """What the bridge did with one post; `excerpt` is how that begins."""

    post: PostView
    excerpt: str

    @property
    def original(self) -> str:
        """The name of the post on the page."""
        return anchor(self.post.source, self.post.record.source)

    @property
    def mirrors(self) -> tuple[str, ...]:
        """The names of what was sent, in order."""
        return tuple(
            anchor(self.post.target, part.target_id)
            for part in self.post.record.parts
            if part.target_id is not None
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything there is to show."""

    timelines: Mapping[Network, Sequence[Standing]]
    handles: Mapping[Network, str]
    log: Sequence[Entry]
    billed: Microdollars


def anchor(network: Network, post_id: str) -> str:
    """What a post is called on the page; ids of sandboxes are digits."""
    return f"{network.value}-{post_id}"


def shown(stage: Stage, records: Sequence[PostRecord], language: Catalogue) -> Shown:
    """How all is now."""
    mirrors = {
        (record.route.direction.target, str(part.target_id)): part
        for record in records
        for part in record.parts
        if part.target_id is not None
    }
    timelines = {Network.MASTODON: _toots(stage, mirrors), Network.X: _tweets(stage, mirrors)}
    texts = {
        (network, each.id): each.part.text for network, all_ in timelines.items() for each in all_
    }
    return Shown(
        timelines,
        {
            Network.MASTODON: f"@{stage.mastodon_account.username}",
            Network.X: f"@{stage.x_account.handle}",
        },
        [
            Entry(PostView(record, language), _excerpt(texts, record))
            for record in records
            if record.verdict.reason is not Reason.ECHO
        ],
        Microdollars(sum(charge.amount for charge in stage.x.bill())),
    )


def _toots(stage: Stage, mirrors: Mirrors) -> list[Standing]:
    return [
        Standing(
            Network.MASTODON,
            status.id,
            status.created_at,
            DraftPart(
                0,
                status.text,
                FREE,
                spoiler=status.spoiler_text,
                sensitive=status.sensitive,
                language=status.language,
                media=tuple(
                    _medium(medium.id, medium.type, medium.description or "")
                    for medium in stage.mastodon.media(status)
                ),
            ),
            status.in_reply_to_id is not None,
            mirrors.get((Network.MASTODON, status.id)),
            "" if status.visibility == "public" else status.visibility,
        )
        for status in stage.mastodon.timeline(stage.mastodon_account)[:_SHOWN]
    ]


def _tweets(stage: Stage, mirrors: Mirrors) -> list[Standing]:
    return [
        Standing(
            Network.X,
            post.id,
            post.created_at,
            DraftPart(
                0,
                post.text,
                FREE,
                media=tuple(
                    _medium(medium.id, medium.kind, medium.alt_text) for medium in post.media
                ),
            ),
            post.reply_to is not None,
            mirrors.get((Network.X, post.id)),
        )
        for post in stage.x.timeline(stage.x_account)[:_SHOWN]
    ]


def _medium(medium_id: str, kind: str, alt: str) -> DraftMedia:
    return DraftMedia(MediaId(medium_id), _KINDS.get(kind, MediaKind.UNKNOWN), "", alt)


def _excerpt(texts: Mapping[tuple[Network, str], str], record: PostRecord) -> str:
    source: PostId = record.source
    text = " ".join(texts.get((record.route.direction.source, source), "").split())
    return text if len(text) <= _EXCERPT else text[:_EXCERPT].rstrip() + "…"
