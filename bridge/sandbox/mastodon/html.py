"""Posts as HTML, exactly as the server that the sandbox stands for emits them.

Mastodon 4.6: `TextFormatter` and the quote fallback; GoToSocial: its plain-text formatter; Pleroma:
text with breaks and no paragraphs; the minimal server: what `snac` makes of it. Pure: whom a
mention means comes from outside.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bridge.sandbox.mastodon import snac
from bridge.sandbox.mastodon.marks import Mark, marks_of
from bridge.sandbox.mastodon.profiles import Dialect

_PREFIX = re.compile(r"https?://(?:www\.)?|xmpp:")
_SHOWN = 30
"""Characters of an address that stay visible; one more is shown rather than hidden alone."""

_PARAGRAPHS = re.compile(r"\n\n+")
_BREAK = re.compile(r" *\n *")
_WEB_ADDRESS = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,!?:;')\]]")


@dataclass(frozen=True, slots=True)
class Mentioned:
    """An account that a text mentions: where its page is, and its name with and without host."""

    url: str
    username: str
    acct: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a text is rendered with.

    `origin` is the server's own address without a slash at its end. `mentioned` maps handles in
    lower case, as they stand in the text, to accounts; whatever is missing stays text. `quoted`
    is the address of the quoted post.
    """

    origin: str
    mentioned: Mapping[str, Mentioned]
    quoted: str | None = None


def render(text: str, around: Surroundings, dialect: Dialect) -> str:
    """`text` as the server's HTML; empty for an empty text."""
    if dialect == "gotosocial":
        return _gotosocial(text, around)
    if dialect == "minimal":
        return snac.render(text.replace("\r\n", "\n"), _short_links(around))
    if dialect == "pleroma":
        return _minimal(text, around)
    return _mastodon(text, around)


def _mastodon(text: str, around: Surroundings) -> str:
    linked = ""
    if text.strip():
        body = _rewritten(text, marks_of(text), lambda mark: _mastodon_mark(mark, around), _escape)
        folded = body.replace("\r\n", "\n").replace("\r", "\n")
        linked = "".join(
            f"<p>{paragraph}</p>".replace("\n", "<br />") for paragraph in _PARAGRAPHS.split(folded)
        )
    if around.quoted is None or around.quoted in text:
        return linked
    return f'<p class="quote-inline">RE: {_mastodon_link(around.quoted)}</p>{linked}'


def _mastodon_mark(mark: Mark, around: Surroundings) -> str:
    if mark.kind == "url":
        return _mastodon_link(mark.value)
    if mark.kind == "hashtag":
        name = _escape(mark.value)
        url = _escape(f"{around.origin}/tags/{mark.value.lower()}")
        return f'<a href="{url}" class="mention hashtag" rel="tag">#<span>{name}</span></a>'
    account = around.mentioned.get(mark.value.lower())
    if account is None:
        return f"@{_escape(mark.value)}"
    twins = sum(
        1
        for other in set(around.mentioned.values())
        if other.username.lower() == account.username.lower()
    )
    shown = account.acct if twins > 1 else account.username
    return (
        f'<span class="h-card" translate="no"><a href="{_escape(account.url)}" '
        f'class="u-url mention">@<span>{_escape(shown)}</span></a></span>'
    )


def _mastodon_link(url: str) -> str:
    match = _PREFIX.match(url)
    prefix = match.group() if match else ""
    rest = url[len(prefix) :]
    cut = len(rest) > _SHOWN + 1
    shown, hidden = (rest[:_SHOWN], rest[_SHOWN:]) if cut else (rest, "")
    return (
        f'<a href="{_escape(url)}" target="_blank" rel="nofollow noopener" translate="no">'
        f'<span class="invisible">{_escape(prefix)}</span>'
        f'<span class="{"ellipsis" if cut else ""}">{_escape(shown)}</span>'
        f'<span class="invisible">{_escape(hidden)}</span></a>'
    )


def _gotosocial(text: str, around: Surroundings) -> str:
    if not text.strip():
        return ""
    rel = 'rel="nofollow noreferrer noopener" target="_blank"'

    def linked(mark: Mark) -> str:
        value = _escape_plain(mark.value)
        if mark.kind == "url":
            return f'<a href="{_escape(mark.value)}" {rel}>{value}</a>'
        if mark.kind == "hashtag":
            url = _escape(f"{around.origin}/tags/{mark.value.lower()}")
            return (
                f'<a href="{url}" class="mention hashtag" rel="tag nofollow noreferrer noopener" '
                f'target="_blank">#<span>{value}</span></a>'
            )
        account = around.mentioned.get(mark.value.lower())
        if account is None:
            return f"@{value}"
        return (
            f'<span class="h-card"><a href="{_escape(account.url)}" class="u-url mention" {rel}>'
            f"@<span>{_escape_plain(account.username)}</span></a></span>"
        )

    folded = text.replace("\r\n", "\n").strip()
    body = _rewritten(folded, _with_every_address(folded), linked, _escape_plain)
    return "<p>" + _BREAK.sub("<br>", body) + "</p>"


def _short_links(around: Surroundings) -> Callable[[Mark], str]:
    def linked(mark: Mark) -> str:
        value = _escape(mark.value)
        if mark.kind == "url":
            return f'<a href="{value}" target="_blank" rel="noopener">{value}</a>'
        if mark.kind == "hashtag":
            url = _escape(f"{around.origin}/?t={mark.value.lower()}")
            return f'<a href="{url}" class="mention hashtag" rel="tag">#{value}</a>'
        account = around.mentioned.get(mark.value.lower())
        if account is None:
            return f"@{value}"
        shown = _escape(account.acct)
        return f'<a href="{_escape(account.url)}" class="u-url mention">@{shown}</a>'

    return linked


def _minimal(text: str, around: Surroundings) -> str:
    folded, linked = text.replace("\r\n", "\n"), _short_links(around)
    return _rewritten(folded, _with_every_address(folded), linked, _escape).replace("\n", "<br>")


def _with_every_address(text: str) -> tuple[Mark, ...]:
    """Marks where anything with a scheme is a link, hosts without a known domain included."""
    addresses = [
        Mark(match.start(), match.end(), "url", match.group())
        for match in _WEB_ADDRESS.finditer(text)
    ]
    others = [
        mark
        for mark in marks_of(text)
        if mark.kind != "url"
        and not any(mark.start < one.end and one.start < mark.end for one in addresses)
    ]
    return tuple(sorted([*addresses, *others]))


def _rewritten(
    text: str,
    marks: tuple[Mark, ...],
    linked: Callable[[Mark], str],
    escape: Callable[[str], str],
) -> str:
    parts: list[str] = []
    at = 0
    for mark in marks:
        parts += [escape(text[at : mark.start]), linked(mark)]
        at = mark.end
    return "".join([*parts, escape(text[at:])])


def _escape(text: str) -> str:
    """As `ERB::Util.h`: the five characters, the apostrophe by number."""
    return _escape_plain(text).replace('"', "&quot;").replace("'", "&#39;")


def _escape_plain(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
