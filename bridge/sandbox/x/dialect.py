"""The two vocabularies of X API v2, and what an answer of either looks like.

Field names: the OpenAPI documents 2.166 ("tweet") and 2.167 ("post"). An unknown name is ignored in
silence, as the live service does. Must not decide which posts are given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bridge.core.text import SpanKind
from bridge.sandbox.x.accounts import XAccount
from bridge.sandbox.x.posts import StoredPost
from bridge.sandbox.x.problems import Json
from bridge.sandbox.x.rendering import Body
from bridge.sandbox.x.uploads import Medium


class Dialect(StrEnum):
    """What the sandbox understands; `BOTH` is a service in transition."""

    BOTH = "both"
    POST = "post"
    TWEET = "tweet"


_SHARED_FIELDS = frozenset(
    {
        "attachments",
        "community_id",
        "conversation_id",
        "created_at",
        "display_text_range",
        "edit_controls",
        "entities",
        "id",
        "lang",
        "media_metadata",
        "possibly_sensitive",
        "public_metrics",
        "reply_settings",
        "source",
        "text",
    }
)
POST_FIELDS = _SHARED_FIELDS | {"note_post"}
TWEET_FIELDS = _SHARED_FIELDS | {
    "author_id",
    "edit_history_tweet_ids",
    "in_reply_to_user_id",
    "note_tweet",
    "referenced_tweets",
}
_SHARED_EXPANSIONS = frozenset(
    {"attachments.media_keys", "attachments.poll_ids", "author_id", "in_reply_to_user_id"}
)
POST_EXPANSIONS = _SHARED_EXPANSIONS | {"edit_history_post_ids", "referenced_posts"}
TWEET_EXPANSIONS = _SHARED_EXPANSIONS | {
    "edit_history_tweet_ids",
    "referenced_tweets.id",
    "referenced_tweets.id.attachments.media_keys",
    "referenced_tweets.id.author_id",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request asks to see, unknown names already dropped.

    `old` says which spelling the answer uses where both would do.
    """

    old: bool
    post: frozenset[str]
    expansions: frozenset[str]
    media: frozenset[str]
    poll: frozenset[str]
    user: frozenset[str]


def wanted(query: Mapping[str, str], dialect: Dialect, *, timeline: bool) -> Wanted:
    """What `query` asks for, as far as a service of this dialect understands it.

    The new service knows ``tweet.fields`` on lookups only, as an alias nobody lists; it ignores the
    old expansions. The old service ignores whatever is new.
    """
    new_fields, old_fields = _names(query, "post.fields"), _names(query, "tweet.fields")
    expansions = _names(query, "expansions")
    if dialect is Dialect.TWEET:
        new_fields, expansions = frozenset(), expansions & TWEET_EXPANSIONS
    elif dialect is Dialect.POST:
        expansions &= POST_EXPANSIONS
        if timeline:
            old_fields = frozenset()
    new_fields &= POST_FIELDS
    old_fields &= TWEET_FIELDS
    if "post.fields" in query and dialect is not Dialect.TWEET:
        old = False
    elif dialect is Dialect.BOTH:
        old = "tweet.fields" in query or bool(expansions - POST_EXPANSIONS)
    else:
        old = dialect is Dialect.TWEET
    return Wanted(
        old=old,
        post=new_fields
        | old_fields
        | {"id", "text"}
        | ({"edit_history_tweet_ids"} if old else set()),
        expansions=expansions & (POST_EXPANSIONS | TWEET_EXPANSIONS),
        media=_names(query, "media.fields") | {"media_key", "type"},
        poll=_names(query, "poll.fields") | {"id", "options"},
        user=_names(query, "user.fields") | {"id", "name", "username"},
    )


def _names(query: Mapping[str, str], parameter: str) -> frozenset[str]:
    return frozenset(name for name in query.get(parameter, "").split(",") if name)


def post_json(post: StoredPost, wanted: Wanted, app: XAccount, chain: Sequence[str]) -> Json:
    """One post as an answer shows it to the owner of `app`; `chain` are all its versions' ids."""
    fields, expansions = wanted.post, wanted.expansions
    shown: Json = {"id": post.id, "text": post.rendering.short.text}
    references = _references(post)
    candidates: list[tuple[bool, str, object]] = [
        ("edit_history_tweet_ids" in fields | expansions, "edit_history_tweet_ids", chain),
        ("edit_history_post_ids" in expansions, "edit_history_post_ids", chain),
        ("author_id" in fields | expansions, "author_id", post.author.id),
        (
            "in_reply_to_user_id" in fields | expansions,
            "in_reply_to_user_id",
            post.in_reply_to_user_id,
        ),
        (
            "referenced_tweets" in fields or _any(expansions, "referenced_tweets."),
            "referenced_tweets",
            references,
        ),
        ("referenced_posts" in expansions, "referenced_posts", references),
        ("created_at" in fields, "created_at", timestamp(post.created_at)),
        ("conversation_id" in fields, "conversation_id", post.conversation_id),
        ("community_id" in fields, "community_id", post.community_id),
        ("lang" in fields, "lang", post.lang),
        ("possibly_sensitive" in fields, "possibly_sensitive", post.sensitive),
        ("reply_settings" in fields, "reply_settings", post.reply_settings),
        ("display_text_range" in fields, "display_text_range", list(post.rendering.shown)),
        ("edit_controls" in fields, "edit_controls", _edit_controls(post)),
        ("entities" in fields, "entities", _entities(post.rendering.short, note=False)),
        ("note_tweet" in fields, "note_tweet", _note(post)),
        ("note_post" in fields, "note_post", _note(post)),
        (
            "attachments" in fields or _any(expansions, "attachments."),
            "attachments",
            _attachments(post),
        ),
        ("media_metadata" in fields, "media_metadata", _media_metadata(post)),
        ("public_metrics" in fields, "public_metrics", _post_metrics(old=wanted.old)),
        ("source" in fields and post.author.id == app.id, "source", "twinpost sandbox"),
    ]
    # What there is nothing of is left out, not null: so does the live service.
    for asked, name, value in candidates:
        if asked and value not in (None, [], {}):
            shown[name] = value
    return shown


def user_json(account: XAccount, wanted: Wanted, post_count: int) -> Json:
    """One user. `post_count` is what its metrics say."""
    count = "tweet_count" if wanted.old else "post_count"
    everything: Json = {
        "id": account.id,
        "name": account.name,
        "username": account.handle,
        "created_at": timestamp(account.created_at),
        "protected": account.protected,
        "verified": account.premium,
        "verified_type": "blue" if account.premium else "none",
        "subscription_type": "Premium" if account.premium else "None",
        "description": "",
        "public_metrics": {
            "followers_count": 0,
            "following_count": 0,
            "listed_count": 0,
            "like_count": 0,
            count: post_count,
        },
    }
    return {name: value for name, value in everything.items() if name in wanted.user}


def media_json(medium: Medium, wanted: Wanted, origin: str) -> Json:
    """One medium; its file stands below `origin`."""
    address = f"{origin}/media/{medium.key}"
    everything: Json = {
        "media_key": medium.key,
        "type": medium.kind,
        "alt_text": medium.alt_text or None,
        "height": medium.height or None,
        "width": medium.width or None,
    }
    if medium.kind == "photo":
        everything["url"] = address
    else:
        everything["preview_image_url"] = f"{address}/preview"
        everything["variants"] = [
            {"content_type": "application/x-mpegURL", "url": f"{address}/playlist"},
            {"bit_rate": 256_000, "content_type": "video/mp4", "url": f"{address}/small"},
            {"bit_rate": 2_176_000, "content_type": "video/mp4", "url": address},
        ]
        if medium.kind == "video":
            everything["duration_ms"] = medium.duration_ms or 1000
    return {
        name: value
        for name, value in everything.items()
        if name in wanted.media and value is not None
    }


def poll_json(post: StoredPost, wanted: Wanted, now: datetime) -> Json:
    """The poll of `post`, which has one."""
    poll = post.poll
    if poll is None:
        raise ValueError(f"post {post.id} has no poll")
    end = post.created_at + timedelta(minutes=poll.duration_minutes)
    everything: Json = {
        "id": poll.id,
        "options": [
            {"position": position, "label": label, "votes": votes}
            for position, (label, votes) in enumerate(zip(poll.options, poll.votes, strict=True), 1)
        ],
        "duration_minutes": poll.duration_minutes,
        "end_datetime": timestamp(end),
        "voting_status": "open" if now < end else "closed",
    }
    return {name: value for name, value in everything.items() if name in wanted.poll}


def timestamp(moment: datetime) -> str:
    """A time as X writes it: UTC, milliseconds, Z."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _any(names: frozenset[str], prefix: str) -> bool:
    return any(name.startswith(prefix) for name in names)


def _references(post: StoredPost) -> list[Json]:
    pairs = (("retweeted", post.repost_of), ("quoted", post.quote), ("replied_to", post.reply_to))
    return [{"type": kind, "id": target} for kind, target in pairs if target is not None]


def _edit_controls(post: StoredPost) -> Json:
    return {
        "edits_remaining": post.edits_remaining,
        "is_edit_eligible": post.may_be_edited,
        "editable_until": timestamp(post.editable_until),
    }


def _note(post: StoredPost) -> Json:
    note = post.rendering.note
    if note is None:
        return {}
    entities = _entities(note, note=True)
    return {"text": note.text, **({"entities": entities} if entities else {})}


_ENTITY_LISTS = (
    (SpanKind.HASHTAG, "hashtags", "tag"),
    (SpanKind.CASHTAG, "cashtags", "tag"),
    (SpanKind.MENTION, "mentions", "username"),
)


def _entities(body: Body, *, note: bool) -> Json:
    entities: Json = {}
    urls: list[Json] = []
    for url in body.urls:
        entity: Json = {
            "start": url.start,
            "end": url.end,
            "url": url.url,
            "expanded_url": url.expanded_url,
            "display_url": url.display_url,
        }
        if not note and url.media_key:
            entity["media_key"] = url.media_key
        elif not note:
            entity |= {"status": 200, "unwound_url": url.expanded_url}
        urls.append(entity)
    if urls:
        entities["urls"] = urls
    for kind, name, key in _ENTITY_LISTS:
        found = [
            {"start": one.start, "end": one.end, key: one.name}
            for one in body.names
            if one.kind is kind
        ]
        if found:
            entities[name] = found
    return entities


def _attachments(post: StoredPost) -> Json:
    attachments: Json = {}
    if post.media:
        attachments["media_keys"] = [medium.key for medium in post.media]
    if post.poll is not None:
        attachments["poll_ids"] = [post.poll.id]
    return attachments


def _media_metadata(post: StoredPost) -> list[Json]:
    return [{"media_key": m.key, "alt_text": m.alt_text} for m in post.media if m.alt_text]


def _post_metrics(*, old: bool) -> Json:
    return {
        "retweet_count" if old else "repost_count": 0,
        "reply_count": 0,
        "like_count": 0,
        "quote_count": 0,
        "bookmark_count": 0,
        "impression_count": 0,
    }
