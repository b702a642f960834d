"""From a Mastodon server's JSON to the bridge's own nouns; raw JSON ends here.

Written for every server behind the Mastodon API: ids are opaque, any field may be missing, null or
odd. What could make an audience wider than its author chose is read as unknown. Must not do I/O.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from bridge.core.model import (
    Account,
    AccountId,
    Media,
    MediaId,
    MediaKind,
    Network,
    Poll,
    PollOption,
    Post,
    PostId,
    QuoteRef,
    ReplyRef,
    RepostRef,
    Visibility,
)
from bridge.core.text import Text
from bridge.networks.fields import (
    EPOCH,
    UNKNOWN_ID,
    flag_at,
    id_at,
    mapping_at,
    mappings_at,
    moment_at,
    number_at,
    readable,
    text_at,
    web_address,
)
from bridge.networks.mastodon.html import html_to_rich, read_html
from bridge.networks.mastodon.people import People
from bridge.networks.mastodon.source import source_to_rich, without_shortcodes

__all__ = ["account_from", "html_to_rich", "html_to_text", "source_to_rich", "status_to_post"]

_VISIBILITIES = {each.value: each for each in Visibility}
_KINDS = {each.value: each for each in MediaKind}
_NARROWER = ("local_only", "limited_scope", "circle_id", "circle")
"""Fields by which forks say that fewer can see a post than its ``visibility`` tells."""

_QUOTE_REFUSED = frozenset(("rejected", "revoked", "deleted", "unauthorized"))
_QUOTE_STATES = _QUOTE_REFUSED | {
    "pending", "accepted", "blocked_account", "blocked_domain", "muted_account",
}  # fmt: skip
_LONGEST_LANGUAGE = 16
_LONGEST_SECONDS = 1_000_000


def html_to_text(
    html: str, *, mentions: Iterable[object] = (), quote_url: str | None = None
) -> str:
    """The plain text of one post's HTML (its first 65,536 characters), whichever server made it.

    Links stand whole, as their ``href``; the names of `mentions` (the status's ``mentions[]``)
    with their host. A quote fallback is dropped, an unmarked one only where it points at
    `quote_url`. Custom emoji stay ``:shortcode:``. Never raises.
    """
    return html_to_rich(html, mentions=mentions, quote_url=quote_url).plain


def account_from(data: Mapping[str, object], host: str) -> Account:
    """An account as ``verify_credentials`` gives it, on the server called `host`.

    The handle is ``user@host``. `protected` is None: here each post has its own audience.
    """
    url = web_address(data.get("url")) or web_address(data.get("uri"))
    return Account(
        network=Network.MASTODON,
        id=AccountId(id_at(data, "id") or UNKNOWN_ID),
        handle=_handle(data, host),
        url=url,
        created_at=moment_at(data, "created_at"),
    )


def status_to_post(
    status: Mapping[str, object],
    *,
    host: str,
    source: Mapping[str, object] | None = None,
    custom_emoji: bool = True,
) -> Post | None:
    """One status as a post; None only where it has no id, so that nothing could ever refer to it.

    `host` is the server's own name, for local mentions. `source` is the answer of
    ``GET /statuses/:id/source`` from a server that is trusted to give what was typed; without it,
    or where it is another's, empty or no plain text, the HTML is read. `custom_emoji` False takes
    the ``:shortcode:`` of the status's own emoji out, of warning and poll too. Also reads
    Mastodon.py's objects, whose dates are `datetime` already. Never raises.
    """
    post_id = id_at(status, "id")
    if post_id is None:
        return None
    account = mapping_at(status, "account")
    author = AccountId(id_at(account, "id") or UNKNOWN_ID)
    emoji = () if custom_emoji else _shortcodes(status)
    body = _body(status, source, host, emoji)
    return Post(
        network=Network.MASTODON,
        id=PostId(post_id),
        author=author,
        created_at=moment_at(status, "created_at") or EPOCH,
        text=body.text,
        visibility=_visibility(status),
        url=web_address(status.get("url")) or web_address(status.get("uri")),
        edited_at=moment_at(status, "edited_at"),
        spoiler=_worded(status, "spoiler_text", emoji),
        sensitive=flag_at(status, "sensitive") is True,
        language=_language(status),
        in_reply_to=_reply(status),
        repost=_repost(status, author, host),
        quote=_quote(status, author, body.quoted, host),
        media=tuple(_media(item) for item in mappings_at(status, "media_attachments")),
        poll=_poll(mapping_at(status, "poll"), emoji),
        application=readable(text_at(mapping_at(status, "application"), "name")).strip() or None,
    )


class _Body(NamedTuple):
    text: Text
    quoted: str | None


def _body(
    status: Mapping[str, object],
    source: Mapping[str, object] | None,
    host: str,
    emoji: Collection[str],
) -> _Body:
    mentions = mappings_at(status, "mentions")
    quote_urls = _addresses(_quoted_status(status))
    reading = read_html(
        text_at(status, "content"),
        people=People(mentions, host),
        quote_urls=quote_urls,
        without_emoji=emoji,
    )
    if source is not None and _is_source_of(source, status):
        typed = source_to_rich(text_at(source, "text"), mentions, host, without_emoji=emoji)
        if typed.plain or not reading.text.plain:
            return _Body(typed, reading.quoted)
    return _Body(reading.text, reading.quoted)


def _is_source_of(source: Mapping[str, object], status: Mapping[str, object]) -> bool:
    same = id_at(source, "id") in {None, id_at(status, "id")}
    return same and text_at(source, "content_type") in {"", "text/plain"}


def _shortcodes(status: Mapping[str, object]) -> frozenset[str]:
    listed = (*mappings_at(status, "emojis"), *mappings_at(mapping_at(status, "poll"), "emojis"))
    return frozenset(text_at(emoji, "shortcode") for emoji in listed)


def _worded(data: Mapping[str, object], key: str, emoji: Collection[str]) -> str:
    """One line of plain text that the author wrote."""
    return without_shortcodes(readable(text_at(data, key)), emoji).strip()


def _visibility(status: Mapping[str, object]) -> Visibility:
    stated = status.get("visibility")
    visibility = _VISIBILITIES.get(stated) if isinstance(stated, str) else None
    narrowed = any(status.get(key) for key in _NARROWER) or status.get("federated") is False
    finer = status.get("visibility_ex")
    if visibility is None or narrowed or (finer and finer != stated):
        return Visibility.UNKNOWN
    return visibility


def _language(status: Mapping[str, object]) -> str | None:
    code = text_at(status, "language").strip()
    fits = len(code) <= _LONGEST_LANGUAGE and code.replace("-", "").replace("_", "").isalnum()
    return code if code.isascii() and code[:2].isalpha() and fits else None


def _reply(status: Mapping[str, object]) -> ReplyRef | None:
    parent, account = id_at(status, "in_reply_to_id"), id_at(status, "in_reply_to_account_id")
    if parent is None and account is None:
        return None
    return ReplyRef(
        post=None if parent is None else PostId(parent),
        account=None if account is None else AccountId(account),
    )


def _repost(status: Mapping[str, object], author: AccountId, host: str) -> RepostRef | None:
    if not status.get("reblog"):
        return None
    boosted = mapping_at(status, "reblog")
    return RepostRef(
        post=PostId(id_at(boosted, "id") or UNKNOWN_ID),
        url=next(iter(_addresses(boosted)), None),
        own=_is_by(boosted, author) is True,
        author=_handle(mapping_at(boosted, "account"), host),
    )


def _is_by(status: Mapping[str, object], author: AccountId) -> bool | None:
    owner = id_at(mapping_at(status, "account"), "id")
    return None if owner is None or author == UNKNOWN_ID else owner == author


def _handle(account: Mapping[str, object], host: str) -> str:
    """``user@host`` of any account, as far as it is told; the host is this server's for locals."""
    acct = readable(text_at(account, "acct") or text_at(account, "username")).strip().lstrip("@")
    return f"{acct}@{host}" if acct and host and "@" not in acct else acct


def _quoted_status(status: Mapping[str, object]) -> Mapping[str, object]:
    """The status that is quoted, wherever this make of server puts it; empty if it is not told."""
    quote = mapping_at(status, "quote")
    if "state" in quote or "quoted_status" in quote or "quoted_status_id" in quote:
        return mapping_at(quote, "quoted_status")
    return quote or mapping_at(mapping_at(status, "pleroma"), "quote")


def _quote(
    status: Mapping[str, object], author: AccountId, fallback: str | None, host: str
) -> QuoteRef | None:
    quote, pleroma = mapping_at(status, "quote"), mapping_at(status, "pleroma")
    quoted = _quoted_status(status)
    quoted_id = (
        id_at(quoted, "id")
        or id_at(quote, "quoted_status_id")
        or id_at(status, "quote_id")
        or id_at(pleroma, "quote_id")
    )
    address = next(iter(_addresses(quoted)), None) or fallback
    address = address or web_address(pleroma.get("quote_url"))
    if quoted_id is None and address is None and not quote:
        return None
    state = _state(quote) if "state" in quote else "accepted"
    if state in _QUOTE_REFUSED:
        # Whoever was quoted has taken the quote back, or never allowed it: no link to it either.
        address = None
    reference = QuoteRef(post=None if quoted_id is None else PostId(quoted_id), url=address)
    if state != "accepted":
        return reference
    return replace(
        reference,
        own=_is_by(quoted, author),
        author=_handle(mapping_at(quoted, "account"), host),
        text=_open_text(quoted, host),
    )


def _open_text(status: Mapping[str, object], host: str) -> str:
    """What a quoted post says, if it says it to everybody and without a warning before it."""
    hidden = text_at(status, "spoiler_text").strip() or flag_at(status, "sensitive") is True
    if hidden or _visibility(status) not in {Visibility.PUBLIC, Visibility.UNLISTED}:
        return ""
    people = People(mappings_at(status, "mentions"), host)
    quote_urls = _addresses(_quoted_status(status))
    return read_html(text_at(status, "content"), people=people, quote_urls=quote_urls).text.plain


def _state(quote: Mapping[str, object]) -> str:
    """A state that is not known counts as unauthorised, as the API's documentation asks."""
    state = text_at(quote, "state")
    return state if state in _QUOTE_STATES else "unauthorized"


def _addresses(status: Mapping[str, object]) -> tuple[str, ...]:
    """Where a status can be read, and the name that other servers know it by."""
    found = (web_address(status.get(key)) for key in ("url", "uri"))
    return tuple(address for address in found if address is not None)


def _media(item: Mapping[str, object]) -> Media:
    meta = mapping_at(item, "meta")
    original = mapping_at(meta, "original")
    mime = text_at(mapping_at(item, "pleroma"), "mime_type") or text_at(item, "mime_type")
    kind = _KINDS.get(text_at(item, "type"), MediaKind.UNKNOWN)
    # The server's own copy, which is of a size that it can show; else where the file came from.
    url = web_address(item.get("url")) or web_address(item.get("remote_url"))
    preview = web_address(item.get("preview_url")) or web_address(item.get("preview_remote_url"))
    return Media(
        id=MediaId(id_at(item, "id") or UNKNOWN_ID),
        kind=kind,
        url=url,
        alt=readable(text_at(item, "description")).strip(),
        mime=mime or None,
        width=number_at(original, "width") or number_at(meta, "width"),
        height=number_at(original, "height") or number_at(meta, "height"),
        duration_ms=_milliseconds(original.get("duration")) or _milliseconds(meta.get("duration")),
        # Some servers name the file itself: of a video that is no picture.
        preview_url=None if preview == url and kind is not MediaKind.IMAGE else preview,
    )


def _milliseconds(seconds: object) -> int | None:
    """A duration given in seconds; fractions are the rule here."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    return round(seconds * 1000) if 0 < seconds <= _LONGEST_SECONDS else None


def _poll(poll: Mapping[str, object], emoji: Collection[str]) -> Poll | None:
    options = tuple(
        PollOption(
            label=_worded(option, "title", emoji),
            votes=number_at(option, "votes_count"),
        )
        for option in mappings_at(poll, "options")
    )
    if not options:
        return None
    return Poll(
        options=options,
        ends_at=moment_at(poll, "expires_at"),
        multiple=flag_at(poll, "multiple") is True,
        closed=flag_at(poll, "expired") is True,
    )
