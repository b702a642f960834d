"""X's two vocabularies for one set of data: ``tweet`` and ``post``; both are read, even mixed.

Which one is asked for is the client's business; this module must not build requests.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

from bridge.networks.fields import id_at, mapping_at, mappings_at, text_at

_NAME = re.compile(r"[A-Za-z0-9_]{1,50}")


def canonical(name: str) -> str:
    """The newer spelling of a field, expansion or include: ``note_tweet`` is ``note_post``."""
    return name.replace("retweet", "repost").replace("tweet", "post")


def either(data: Mapping[str, object], name: str) -> object:
    """The value of a field named in the newer spelling, under whichever one holds something."""
    value = data.get(name)
    return data.get(name.replace("post", "tweet")) if value in (None, "", [], {}) else value


def is_name(text: str) -> bool:
    """Whether a text can be a user name on X, and so stand in an address or in a sentence."""
    return _NAME.fullmatch(text) is not None


class Reference(NamedTuple):
    """That one post refers to another: `kind` is retweeted, quoted or replied_to."""

    kind: str
    id: str


def references(item: Mapping[str, object]) -> tuple[Reference, ...]:
    """What a post refers to, in order; entries without an id or a type are left out."""
    listed = either(item, "referenced_posts")
    entries = mappings_at({"all": listed}, "all")
    found = ((text_at(entry, "type"), id_at(entry, "id")) for entry in entries)
    return tuple(Reference(kind, post) for kind, post in found if kind and post is not None)


class Includes:
    """The objects that came along with a page, by their ids; the first of each id counts."""

    def __init__(self, includes: Mapping[str, object]) -> None:
        self.posts: dict[str, Mapping[str, object]] = {}
        self.media: dict[str, Mapping[str, object]] = {}
        self.polls: dict[str, Mapping[str, object]] = {}
        self.users: dict[str, Mapping[str, object]] = {}
        for name, key, shelf in (
            ("posts", "id", self.posts),
            ("tweets", "id", self.posts),
            ("media", "media_key", self.media),
            ("polls", "id", self.polls),
            ("users", "id", self.users),
        ):
            for item in mappings_at(includes, name):
                item_id = id_at(item, key)
                if item_id is not None:
                    shelf.setdefault(item_id, item)

    def author_of(self, post: str) -> str | None:
        """The account that wrote an included post, as far as the page tells."""
        item = self.posts.get(post, {})
        named = text_at(item, "username").casefold()
        by_name = (
            user
            for user, data in self.users.items()
            if named and text_at(data, "username").casefold() == named
        )
        return id_at(item, "author_id") or next(by_name, None)

    def name_of_author(self, post: str) -> str | None:
        """The user name of whoever wrote an included post, as far as the page tells."""
        item = self.posts.get(post, {})
        author = self.users.get(id_at(item, "author_id") or "", {})
        named = text_at(item, "username") or text_at(author, "username")
        return named if is_name(named) else None


def items_of(payload: Mapping[str, object]) -> tuple[Mapping[str, object], ...]:
    """The posts of an answer: a page of them, or the single one of a lookup."""
    single = mapping_at(payload, "data")
    return (single,) if single else mappings_at(payload, "data")


def missing_everywhere(payload: Mapping[str, object], requested: Collection[str]) -> frozenset[str]:
    """The requested fields and expansions that no post of a page carries, as they were spelled.

    X ignores names that it does not know, bills the page, and leaves the data out. Either spelling
    counts as present, and so does a null. Dotted names are looked up inside; an empty page misses
    nothing. What plain posts lack by nature (attachments, say) is the caller's to leave out.
    """
    items = items_of(payload)
    if not items:
        return frozenset()
    return frozenset(name for name in requested if not any(_carries(item, name) for item in items))


def _carries(item: Mapping[str, object], name: str) -> bool:
    head, _, rest = canonical(name).partition(".")
    for key, value in item.items():
        if canonical(key) == head:
            inner = [value] if isinstance(value, Mapping) else mappings_at({"all": value}, "all")
            return not rest or any(_carries(each, rest) for each in inner)
    return False
