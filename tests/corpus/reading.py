"""The corpus: real shapes of posts, one file each, named for what must hold.

A file holds `input` as the network gives it and what is `expected` of the post made from it. Only
the properties that it names are compared; text and spans always. What `becomes` of the post on the
other network is told by some: under the keys of `when`, as in the configuration, either the reason
for which it stays, or its parts, notes and price. Of a part, what is not named is empty.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.core.model import AccountId, Media, Poll, Post, QuoteRef, ReplyRef, RepostRef
from bridge.networks.mastodon.normalise import status_to_post
from bridge.networks.x.normalise import page_to_posts

FOLDER = Path(__file__).parent
ME = AccountId("1001")
HANDLE = "ada_x"


@dataclass(frozen=True, slots=True)
class Case:
    """One file: what the network says, and what is expected of it."""

    name: str
    network: str
    given: dict[str, Any]
    expected: dict[str, Any]

    @property
    def title(self) -> str:
        """The file's name as a sentence."""
        return self.name.replace("-", " ")

    @property
    def original(self) -> str:
        """What the network sent as the text."""
        if self.network == "mastodon":
            return str(self.given["input"]["content"])
        item = self.given["input"]["data"][0]
        note = item.get("note_post") or item.get("note_tweet") or item
        return str(note.get("text", ""))

    def read(self) -> Post:
        """The post that the bridge makes of it."""
        if self.network == "mastodon":
            post = status_to_post(
                self.given["input"],
                host=self.given["host"],
                source=self.given.get("source"),
                custom_emoji=self.given.get("custom_emoji", True),
            )
            assert post is not None
            return post
        (post,) = page_to_posts(
            self.given["input"],
            me=ME,
            handle=HANDLE,
            protected=self.given.get("protected", False),
        )
        return post


def cases(network: str) -> Iterator[Case]:
    """Every case of one network, by name."""
    for path in sorted((FOLDER / network).glob("*.json")):
        given = json.loads(path.read_text(encoding="utf-8"))
        yield Case(path.stem, network, given, given.pop("expected"))


def told(post: Post) -> dict[str, Any]:
    """A post in the plain terms of the corpus."""
    return {
        "text": post.text.plain,
        "spans": [
            [span.kind.value, post.text.plain[span.start : span.end], span.target]
            for span in post.text.spans
        ],
        "id": post.id,
        "author": post.author,
        "kind": post.kind.value,
        "visibility": post.visibility.value,
        "created_at": post.created_at.isoformat(),
        "url": post.url,
        "spoiler": post.spoiler,
        "sensitive": post.sensitive,
        "language": post.language,
        "application": post.application,
        "edited_at": post.edited_at and post.edited_at.isoformat(),
        "repost_of": None if post.repost is None else post.repost.post,
        "revisions": list(post.revisions),
        "in_reply_to": _reply(post.in_reply_to),
        "quote": _quote(post.quote),
        "media": [_media(each) for each in post.media],
        "poll": post.poll and [option.label for option in post.poll.options],
        "repost": _repost(post.repost),
        "quoted": post.quote and [post.quote.author, post.quote.text],
        "files": [_file(each) for each in post.media],
        "votes": _votes(post.poll),
    }


def _reply(reply: ReplyRef | None) -> dict[str, Any] | None:
    return None if reply is None else {"post": reply.post, "account": reply.account}


def _quote(quote: QuoteRef | None) -> dict[str, Any] | None:
    return None if quote is None else {"post": quote.post, "url": quote.url, "own": quote.own}


def _repost(repost: RepostRef | None) -> dict[str, Any] | None:
    if repost is None:
        return None
    return {"url": repost.url, "own": repost.own, "author": repost.author}


def _file(media: Media) -> dict[str, Any]:
    return {
        "mime": media.mime,
        "ms": media.duration_ms,
        "still": media.preview_url,
        "encodings": [[each.url, each.mime, each.bitrate] for each in media.variants],
    }


def _votes(poll: Poll | None) -> dict[str, Any] | None:
    if poll is None:
        return None
    return {
        "each": [option.votes for option in poll.options],
        "ends_at": poll.ends_at and poll.ends_at.isoformat(),
        "closed": poll.closed,
        "multiple": poll.multiple,
    }


def _media(media: Media) -> dict[str, Any]:
    return {
        "id": media.id,
        "kind": media.kind.value,
        "url": media.url,
        "alt": media.alt,
        "size": media.width and [media.width, media.height],
    }
