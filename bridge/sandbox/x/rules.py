"""What X lets a self-serve app post, in the order in which it says no.

Rules: docs.x.com, manage posts, since 2026-02-23; bodies as seen in public reports. Raises; must
not change anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bridge.core.entities import x_entities
from bridge.core.lengths import x_length, x_valid
from bridge.core.text import SpanKind
from bridge.sandbox.x.accounts import XAccount
from bridge.sandbox.x.dialect import Dialect
from bridge.sandbox.x.posts import StoredPost, XPoll
from bridge.sandbox.x.problems import (
    CASHTAG_REFUSED,
    DUPLICATE,
    MEDIA_INVALID,
    MENTION_REFUSED,
    NOT_PERMITTED,
    REPLY_GONE,
    REPLY_REFUSED,
    TOO_LONG,
    TOO_LONG_VIDEO,
    Json,
    Refusal,
    forbidden,
    plain,
)
from bridge.sandbox.x.rendering import normalised
from bridge.sandbox.x.state import NewPost, XState, mentioned
from bridge.sandbox.x.uploads import Medium

_MOST_PHOTOS = 4


def judged(state: XState, author: XAccount, body: Mapping[str, object]) -> NewPost:
    """The post that a well-formed body of ``POST /2/tweets`` asks for. Raises `Refusal`."""
    exclusive = [name for name in ("media", "poll", "quote_tweet_id", "card_uri") if name in body]
    if len(exclusive) > 1:
        raise state.problems.invalid(f"{' and '.join(exclusive)} are mutually exclusive")
    text = normalised(str(body["text"]))
    if not text and "media" not in body:
        raise state.problems.invalid("$.text: a post needs a text or media")
    if x_length(text) > author.max_length:
        # The old service called this a bad request.
        status = 400 if state.dialect is Dialect.TWEET else 403
        raise Refusal(status, plain(status, TOO_LONG))
    if text and not x_valid(text, author.max_length):
        raise state.problems.invalid("$.text: has characters that no post may have")
    for name in ("quote_tweet_id", "card_uri", "nullcast", "for_super_followers_only"):
        if body.get(name):
            raise forbidden(NOT_PERMITTED)
    edited = _edited(state, author, body)
    parent = _parent(state, author, body)
    _check_names(author, text, parent)
    if text and state.posts.repeats(
        author, text, besides=(*edited.versions, edited.id) if edited else ()
    ):
        raise forbidden(DUPLICATE)
    poll = body.get("poll")
    return NewPost(
        text=text,
        reply_to=parent.id if parent else None,
        edit_of=edited.id if edited else None,
        media=_media(state, author, body),
        poll=_poll(poll) if isinstance(poll, dict) else None,
        community_id=_optional(body, "community_id"),
        reply_settings=_optional(body, "reply_settings") or "everyone",
    )


def usable(state: XState, owner: XAccount, media_id: str, now: datetime) -> Medium | None:
    """The medium, if `owner` may post it now."""
    medium = state.uploads.find(media_id, owner.id, now)
    return medium if medium is not None and medium.state(now) == "succeeded" else None


def may_stand_together(media: list[Medium]) -> bool:
    """Whether one post can carry these: up to four photos, or one video, or one GIF."""
    if len({medium.id for medium in media}) != len(media):
        return False
    if any(medium.kind != "photo" for medium in media):
        return len(media) == 1
    return len(media) <= _MOST_PHOTOS


def _optional(body: Mapping[str, object], name: str) -> str | None:
    return str(body[name]) if name in body else None


def _poll(poll: Json) -> XPoll:
    options, minutes = poll["options"], poll["duration_minutes"]
    if not isinstance(options, list) or not isinstance(minutes, int):
        raise TypeError("the body was not checked")
    return XPoll(tuple(str(option) for option in options), minutes)


def _inner(body: Mapping[str, object], outer: str, name: str) -> object:
    inside = body.get(outer)
    return inside.get(name) if isinstance(inside, dict) else None


def _edited(state: XState, author: XAccount, body: Mapping[str, object]) -> StoredPost | None:
    previous = _inner(body, "edit_options", "previous_post_id")
    if previous is None:
        return None
    post = state.posts.get(str(previous))
    if (
        post is None
        or post.author.id != author.id
        or not author.premium
        or state.posts.latest(post.id) is not post
        or not post.may_be_edited
        or not post.edits_remaining
        or state.clock.now() >= post.editable_until
    ):
        raise forbidden(NOT_PERMITTED)
    return post


def _parent(state: XState, author: XAccount, body: Mapping[str, object]) -> StoredPost | None:
    parent_id = _inner(body, "reply", "in_reply_to_tweet_id")
    if parent_id is None:
        return None
    parent = state.posts.get(str(parent_id))
    if parent is None or (parent.author.protected and parent.author.id != author.id):
        raise forbidden(REPLY_GONE)
    if parent.author.id != author.id and not _summoned(state, author, parent):
        raise forbidden(REPLY_REFUSED)
    return parent


def _summoned(state: XState, author: XAccount, parent: StoredPost) -> bool:
    quoted = state.posts.get(parent.quote) if parent.quote else None
    return author.handle.lower() in mentioned(parent) or (
        quoted is not None and quoted.author.id == author.id
    )


def _check_names(author: XAccount, text: str, parent: StoredPost | None) -> None:
    """Refuse a second cashtag, and a mention of anybody who is not in the conversation."""
    spans = x_entities(text)
    if sum(span.kind is SpanKind.CASHTAG for span in spans) > 1:
        raise forbidden(CASHTAG_REFUSED)
    present = {author.handle.lower()}
    if parent is not None:
        present |= {parent.author.handle.lower()} | mentioned(parent)
    for span in spans:
        if span.kind is SpanKind.MENTION:
            handle = text[span.start + 1 : span.end].partition("/")[0].lower()
            if handle not in present:
                raise forbidden(MENTION_REFUSED)


def _media(state: XState, author: XAccount, body: Mapping[str, object]) -> list[Medium]:
    ids = _inner(body, "media", "media_ids")
    if not isinstance(ids, list):
        return []
    now = state.clock.now()
    media = [usable(state, author, str(media_id), now) for media_id in ids]
    found = [medium for medium in media if medium is not None]
    if len(found) < len(ids) or not may_stand_together(found):
        raise Refusal(400, {**plain(400, MEDIA_INVALID), "title": "Bad Request"})
    if any(medium.duration_ms > author.max_video_ms for medium in found):
        minutes = author.max_video_ms // 60_000
        raise forbidden(TOO_LONG_VIDEO.format(minutes))
    return found
