"""Posts as X's API shows them: escaped, with short links, in one vocabulary, what was asked for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.blackbox.x_files import XFile

OWNER = "1500000000000000001"
EPOCH_MS = 1288834974657
_LINK = re.compile(r"https?://\S+")


@dataclass
class XPost:
    """One post, `text` as it was typed. `chain` is every id that its edits have had."""

    id: str
    text: str
    at: datetime
    refs: list[dict[str, str]] = field(default_factory=list)
    media: list[XFile] = field(default_factory=list)
    poll: dict[str, Any] | None = None
    by_api: bool = False
    chain: list[str] = field(default_factory=list)
    sensitive: bool = False
    conversation: str | None = None


def shown(x: Any, posts: list[XPost], query: Mapping[str, str]) -> dict[str, Any]:
    """`data` and `includes` of an answer of the server `x`."""
    old = x.vocabulary == "tweet"
    fields = set(query.get("tweet.fields" if old else "post.fields", "").split(","))
    expansions = set(query.get("expansions", "").split(","))
    wanted = set(query.get("media.fields", "").split(","))
    includes: dict[str, list[dict[str, Any]]] = {}
    data = [_item(post, fields, expansions, old=old) for post in posts]
    if "attachments.media_keys" in expansions:
        found = [_medium(x.url, file, wanted) for post in posts for file in post.media]
        includes |= {"media": found} if found else {}
    if "attachments.poll_ids" in expansions:
        polls = [_poll(post) for post in posts if post.poll]
        includes |= {"polls": polls} if polls else {}
    if not old and "referenced_posts" in expansions:
        named = {ref["id"] for post in posts for ref in post.refs}
        found = [
            {"id": each.id, "text": _escaped(each.text)} for each in x.posts if each.id in named
        ]
        x.bill += [("included post", 0.005)] * len(found)
        includes |= {"posts": found} if found else {}
    return {"data": data} | ({"includes": includes} if includes else {})


def _item(post: XPost, fields: set[str], expansions: set[str], *, old: bool) -> dict[str, Any]:
    text, entities = _with_short_links(post)
    moment = f"{post.at:%Y-%m-%dT%H:%M:%S}.{post.at.microsecond // 1000:03}Z"
    attached: dict[str, list[str]] = {}
    if post.media or post.poll:
        keys, polls = [_key(file) for file in post.media], [f"9{post.id[1:]}"]
        attached = {"media_keys": keys} if post.media else {"poll_ids": polls}
    replied = any(ref["type"] == "replied_to" for ref in post.refs)
    by_field: dict[str, Any] = {
        "created_at": moment,
        "entities": {"urls": entities} if entities else None,
        "possibly_sensitive": post.sensitive,
        "conversation_id": post.conversation or post.chain[0],
        "lang": "en",
        "attachments": attached or None,
    }
    if old:
        by_field["author_id"] = OWNER
        by_field["referenced_tweets"] = post.refs or None
        by_field["in_reply_to_user_id"] = OWNER if replied else None
    by_expansion: dict[str, Any] = {
        "edit_history_post_ids": post.chain,
        "referenced_posts": post.refs or None,
    }
    item: dict[str, Any] = {"id": post.id, "text": text}
    item |= {name: value for name, value in by_field.items() if name in fields}
    if old:
        item["edit_history_tweet_ids"] = post.chain
    else:
        item |= {name: value for name, value in by_expansion.items() if name in expansions}
    return {name: value for name, value in item.items() if value is not None}


def _with_short_links(post: XPost) -> tuple[str, list[dict[str, Any]]]:
    """The text as X stores it: escaped, each link a short one, another one for what is attached."""
    text = _escaped(post.text)
    entities: list[dict[str, Any]] = []
    links: list[tuple[str, dict[str, str]]] = [(it[0], {}) for it in _LINK.finditer(post.text)]
    if post.media:
        shown_at = f"https://x.com/ada/status/{post.id}/photo/1"
        text = f"{text} {shown_at}".strip()
        links.append((shown_at, {"media_key": _key(post.media[0]), "display_url": "pic.x.com/q"}))
    for index, (address, more) in enumerate(links):
        short = f"https://t.co/{post.id[-6:]}{index:04d}"
        start = text.find(_escaped(address))
        text = text[:start] + short + text[start + len(_escaped(address)) :]
        entity = {"start": start, "end": start + len(short), "url": short, "expanded_url": address}
        entities.append(entity | {"display_url": address.partition("//")[2]} | more)
    return text, entities


def _medium(base: str, file: XFile, wanted: set[str]) -> dict[str, Any]:
    moves = file.mime == "video/mp4"
    kind = {"tweet_gif": "animated_gif", "tweet_video": "video"}.get(file.category, "photo")
    whole: dict[str, Any] = {"type": kind, "width": 320, "height": 240}
    address = f"{base}/files/{file.id}"
    if moves:
        whole["preview_image_url"] = f"{address}.jpg"
        whole["duration_ms"] = 3000
        whole["variants"] = [
            {"content_type": "application/x-mpegURL", "url": f"{address}.m3u8"},
            {"content_type": "video/mp4", "bit_rate": 256000, "url": f"{address}.mp4"},
        ]
    else:
        whole["url"] = f"{address}.png"
    if file.alt:
        whole["alt_text"] = file.alt
    told = {name: value for name, value in whole.items() if name in wanted or name == "type"}
    return {"media_key": _key(file)} | told


def _poll(post: XPost) -> dict[str, Any]:
    poll = post.poll or {}
    options = [
        {"position": place, "label": label, "votes": 0}
        for place, label in enumerate(poll["options"], 1)
    ]
    lasts = timedelta(minutes=poll["duration_minutes"])
    return {
        "id": f"9{post.id[1:]}",
        "options": options,
        "duration_minutes": poll["duration_minutes"],
        "end_datetime": f"{post.at + lasts:%Y-%m-%dT%H:%M:%S}.000Z",
        "voting_status": "open",
    }


def _key(file: XFile) -> str:
    return f"{'3' if file.category == 'tweet_image' else '7'}_{file.id}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
