"""From X's JSON, in either vocabulary, to the bridge's own nouns; raw JSON ends here.

Any field may be missing, null or odd. What could make an audience wider than its author chose, or
pass off another's words as own ones, is read as unknown. Must not do I/O.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bridge.core.model import (
    Account,
    AccountId,
    Network,
    Post,
    PostId,
    QuoteRef,
    ReplyRef,
    RepostRef,
    Visibility,
)
from bridge.core.text import SpanKind
from bridge.networks.fields import (
    EPOCH,
    UNKNOWN_ID,
    flag_at,
    id_at,
    ids_at,
    mapping_at,
    moment_at,
    text_at,
)
from bridge.networks.x import ids
from bridge.networks.x.addresses import status_address
from bridge.networks.x.attachments import attached_media, attached_poll
from bridge.networks.x.dialects import (
    Includes,
    Reference,
    either,
    is_name,
    items_of,
    missing_everywhere,
    references,
)
from bridge.networks.x.entities_text import Body, read_text
from bridge.networks.x.reposts import repost_name

__all__ = [
    "Includes",
    "account_from",
    "missing_everywhere",
    "own_id",
    "page_to_posts",
    "post_from",
]

_WEB = "https://x.com"
_NARROWER = (
    "community_id",
    "for_super_followers_only",
    "super_followers_only",
    "subscribers_only",
    "exclusive_tweet_controls",
    "exclusive_post_controls",
    "trusted_friends_control_options",
    "trusted_friends",
    "circle",
    "nullcast",
)
"""Fields that say, or would say, that fewer can see a post than see its author's others."""

_OLD_CODES = {"in": "id", "iw": "he", "ji": "yi"}
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,2}")
_NO_LANGUAGE = re.compile(r"und|zxx|art|mul|q[a-z]{2}")
_REPOST_TEXT = re.compile(r"RT @(\w{1,20}): ")
"""How the text begins that X makes of a repost; authors may type the same."""
_CUT_LENGTH = 130
"""A little less than the 140 characters to which X cuts that text."""


def account_from(data: Mapping[str, object]) -> Account:
    """An account as ``users/me`` gives it, with or without its ``data`` envelope."""
    user = mapping_at(data, "data") or data
    handle = text_at(user, "username").strip().lstrip("@")
    return Account(
        network=Network.X,
        id=AccountId(id_at(user, "id") or UNKNOWN_ID),
        handle=handle,
        url=f"{_WEB}/{handle}" if handle else None,
        protected=flag_at(user, "protected"),
        created_at=moment_at(user, "created_at"),
    )


def page_to_posts(
    payload: Mapping[str, object],
    *,
    me: AccountId,
    handle: str,
    protected: bool | None,
    owned_url_base: str = _WEB,
) -> tuple[Post, ...]:
    """The posts of an answer (a page of one's own timeline, or a lookup), in its order.

    `me` and `handle` are the account whose timeline it is: it wrote what names no author.
    `protected` is what is known of its audience; None makes every post's audience unknown. Items
    without an id are left out, as nothing could ever refer to them. Never raises.
    """
    includes = Includes(mapping_at(payload, "includes"))
    posts = (
        post_from(
            item,
            includes,
            me=me,
            handle=handle,
            protected=protected,
            owned_url_base=owned_url_base,
        )
        for item in items_of(payload)
    )
    return tuple(post for post in posts if post is not None)


def post_from(
    item: Mapping[str, object],
    includes: Includes,
    *,
    me: AccountId,
    handle: str,
    protected: bool | None,
    owned_url_base: str = _WEB,
) -> Post | None:
    """One post of an own timeline; None only where it has no id. See `page_to_posts`."""
    post_id = own_id(item)
    if post_id is None:
        return None
    author = AccountId(id_at(item, "author_id") or me)
    refers = references(item)
    revisions = _revisions(item, post_id)
    quoted = _first(refers, "quoted")
    repost = _repost(item, includes, refers, me=me, handle=handle, base=owned_url_base)
    body = _body(item, includes, revisions, quoted, repost)
    media = attached_media(item, includes, body)
    if repost is not None and author == me and repost.post != UNKNOWN_ID:
        # Where the bridge made it, this is the name that it goes by.
        revisions = (repost_name(repost.post), *revisions)
    return Post(
        network=Network.X,
        id=PostId(post_id),
        author=author,
        created_at=moment_at(item, "created_at") or EPOCH,
        text=body.text,
        visibility=_visibility(item, includes.users.get(author, {}), protected=protected),
        url=f"{owned_url_base.rstrip('/')}/{handle if author == me else 'i'}/status/{post_id}",
        revisions=tuple(PostId(each) for each in revisions),
        sensitive=bool(media) and flag_at(item, "possibly_sensitive") is True,
        language=_language(item),
        in_reply_to=_reply(item, includes, refers, revisions, body, me=me, handle=handle),
        repost=repost,
        quote=_quote(quoted, includes, body, me=me, handle=handle, base=owned_url_base),
        media=media,
        poll=attached_poll(item, includes),
    )


def own_id(item: Mapping[str, object]) -> str | None:
    """The id of a post; that of its history where its own is not in there and denies its date."""
    stated, dated = id_at(item, "id"), moment_at(item, "created_at")
    listed = ids_at({"all": either(item, "edit_history_post_ids")}, "all")
    if not listed or stated in listed or dated is None:
        return stated
    if not ids.agrees(stated, dated) and ids.agrees(listed[-1], dated):
        return listed[-1]
    return stated


def _first(refers: tuple[Reference, ...], kind: str) -> str | None:
    return next((reference.id for reference in refers if reference.kind == kind), None)


def _revisions(item: Mapping[str, object], post_id: str) -> tuple[str, ...]:
    """The edit history, oldest first; X fills it with an empty string right after a creation."""
    listed = ids_at({"all": either(item, "edit_history_post_ids")}, "all")
    return listed if post_id in listed else (*listed, post_id)


def _is_repost(item: Mapping[str, object], refers: tuple[Reference, ...]) -> bool:
    """Whether a post repeats another. What its author typed and refers to nothing is his own."""
    if _first(refers, "retweeted") or _first(refers, "reposted"):
        return True
    text = text_at(item, "text")
    if refers or _REPOST_TEXT.match(text) is None:
        return False
    # Another's words: X names something that cannot be read, or cut the text as it cuts reposts.
    unreadable = bool(either(item, "referenced_posts"))
    return unreadable or (len(text) >= _CUT_LENGTH and text.endswith("…"))


def _repost(
    item: Mapping[str, object],
    includes: Includes,
    refers: tuple[Reference, ...],
    *,
    me: AccountId,
    handle: str,
    base: str,
) -> RepostRef | None:
    """What a post repeats. Its author is told by the page, or else by the text that X makes."""
    if not _is_repost(item, refers):
        return None
    original = _first(refers, "retweeted") or _first(refers, "reposted")
    stated = _REPOST_TEXT.match(text_at(item, "text"))
    if original is None:
        return RepostRef(PostId(UNKNOWN_ID), author=stated[1] if stated else "")
    name = includes.name_of_author(original) or (stated[1] if stated else "")
    owner = includes.author_of(original)
    return RepostRef(
        PostId(original),
        url=f"{base.rstrip('/')}/{name or 'i'}/status/{original}",
        own=owner == me if owner is not None else name.casefold() == handle.casefold(),
        author=name,
    )


def _body(
    item: Mapping[str, object],
    includes: Includes,
    revisions: tuple[str, ...],
    quoted: str | None,
    repost: RepostRef | None,
) -> Body:
    if repost is not None and repost.post in includes.posts:
        item = includes.posts[repost.post]
        revisions = (repost.post,)
        quoted = _first(references(item), "quoted")
    return _text_of(item, revisions, quoted)


def _text_of(item: Mapping[str, object], own_ids: tuple[str, ...], quoted: str | None) -> Body:
    note = mapping_at({"note": either(item, "note_post")}, "note")
    # A long post's own text is cut: text and entities come both from the note, or both not.
    holder = note if text_at(note, "text") else item
    return read_text(
        text_at(holder, "text"), mapping_at(holder, "entities"), own_ids=own_ids, quoted=quoted
    )


def _visibility(
    item: Mapping[str, object], author: Mapping[str, object], *, protected: bool | None
) -> Visibility:
    if protected is None or _narrowed(item):
        return Visibility.UNKNOWN
    if protected or flag_at(author, "protected"):
        return Visibility.FOLLOWERS
    return Visibility.PUBLIC


def _narrowed(item: Mapping[str, object]) -> bool:
    """Whether there is any sign that not everybody can see a post who can see its author's."""
    scoped = bool(mapping_at(item, "scopes").get("followers"))
    return scoped or any(item.get(key) for key in _NARROWER)


def _language(item: Mapping[str, object]) -> str | None:
    code = text_at(item, "lang").strip()
    code = _OLD_CODES.get(code, code)
    fits = _LANGUAGE.fullmatch(code) and not _NO_LANGUAGE.fullmatch(code)
    return code if fits else None


def _reply(
    item: Mapping[str, object],
    includes: Includes,
    refers: tuple[Reference, ...],
    revisions: tuple[str, ...],
    body: Body,
    *,
    me: AccountId,
    handle: str,
) -> ReplyRef | None:
    """What a post replies to, from whichever of X's several signs are there."""
    parent = _first(refers, "replied_to")
    account = id_at(item, "in_reply_to_user_id")
    if parent is None and account is None:
        conversation = id_at(item, "conversation_id")
        alone = conversation is None or conversation in revisions
        # X may leave references out without a word; the head of another conversation gives it away.
        return None if alone or _is_repost(item, refers) else ReplyRef(None, None)
    if account is None and parent is not None:
        account = includes.author_of(parent)
        named = includes.name_of_author(parent)
        if account is None and named is not None and named.casefold() == handle.casefold():
            account = me
    if account is None and _begins_with_mention_of(handle, body):
        account = me
    return ReplyRef(
        post=None if parent is None else PostId(parent),
        account=None if account is None else AccountId(account),
    )


def _begins_with_mention_of(handle: str, body: Body) -> bool:
    """Clients that put the parent's author first do so in replies to oneself, too."""
    first = body.text.spans[:1]
    return any(
        span.start == 0
        and span.kind is SpanKind.MENTION
        and span.target.casefold() == f"@{handle}".casefold()
        for span in first
    )


def _quote(
    quoted: str | None,
    includes: Includes,
    body: Body,
    *,
    me: AccountId,
    handle: str,
    base: str,
) -> QuoteRef | None:
    if quoted is None:
        return None
    owner = includes.author_of(quoted)
    linked = status_address(body.quote_url) if body.quote_url is not None else None
    stated = linked.user if linked is not None and is_name(linked.user) else "i"
    name = includes.name_of_author(quoted) or stated
    own: bool | None = None
    if owner is not None:
        own = owner == me
    elif name != "i":
        own = name.casefold() == handle.casefold()
    author = includes.users.get(owner or "", {})
    item: Mapping[str, object] = includes.posts.get(quoted, {})
    if flag_at(author, "protected") or _narrowed(item):
        # Whoever sees the mirror may not be one of those who may see what it quotes.
        return QuoteRef(post=PostId(quoted), url=None, own=own)
    return QuoteRef(
        post=PostId(quoted),
        url=body.quote_url or f"{base.rstrip('/')}/{name}/status/{quoted}",
        own=own,
        author="" if name == "i" else name,
        text=_text_of(item, (quoted,), _first(references(item), "quoted")).text.plain,
    )
