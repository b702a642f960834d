"""From a server's HTML to plain text with spans: every make of server, one walk, linear time.

Walks over tokens, never over a tree, so no depth of nesting can exhaust it. Must not follow links,
know statuses, or decide what is mirrored.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

import regex

from bridge.core.text import Text
from bridge.networks.fields import web_address
from bridge.networks.mastodon.anchors import Anchor, place
from bridge.networks.mastodon.people import People
from bridge.networks.mastodon.prose import LINE, PARAGRAPH, Prose
from bridge.networks.mastodon.quotes import without_fallback
from bridge.networks.mastodon.tokens import Token, tokens

LONGEST = 65_536
"""Characters of HTML that are read; no server's own posts come near it."""

_BLOCKS = (
    "address article aside blockquote center details dialog div dl fieldset figcaption figure "
    "footer form h1 h2 h3 h4 h5 h6 header hgroup main nav p pre section summary table"
)
_PARAGRAPHS = frozenset(_BLOCKS.split())
_LINES = frozenset(("dd", "dt", "tr", "caption"))
_LISTS = frozenset(("ul", "ol", "menu"))
_MARKS = frozenset("([{（「『【〔［")
_SHORTCODE = regex.compile(r"(?<![\w/:]):([A-Za-z0-9_]{1,64}):(?![\w/])")
_HIGHEST_NUMBER = 999_999
_LONGEST_NUMBER = 6
_LONGEST_TAG = 8_192
_LONGEST_REFERENCE = 40
_WIDEST_GRAPHEME = 128


class Reading(NamedTuple):
    """A post's text, and the address that its own quote fallback pointed at, if it had one."""

    text: Text
    quoted: str | None


def read_html(
    html: str,
    *,
    people: People,
    quote_urls: Collection[str] = (),
    without_emoji: Collection[str] = (),
) -> Reading:
    """Turn one post's HTML into text.

    A fallback for a quote is dropped: one marked ``quote-inline`` always, an unmarked ``RE:`` line
    only where it points at one of `quote_urls`, and only once. Custom emoji stay as
    ``:shortcode:`` unless listed in `without_emoji`. Never raises.
    """
    walker = _Walker(people, frozenset(without_emoji))
    walker.walk(list(tokens(_capped(html))))
    text = walker.prose.finished()
    if walker.quoted is None and quote_urls:
        text = without_fallback(text, quote_urls)
    return Reading(text, walker.quoted)


def _capped(html: str) -> str:
    """The first `LONGEST` characters, without a tag, reference or grapheme cut in half."""
    if len(html) <= LONGEST:
        return html
    cut = LONGEST
    tag = html.rfind("<", cut - _LONGEST_TAG, cut)
    if (
        tag >= 0
        and html.find(">", tag, cut) < 0
        and (html[tag + 1].isalpha() or html[tag + 1] in "/!")
    ):
        return html[:tag]
    reference = html.rfind("&", cut - _LONGEST_REFERENCE, cut)
    if reference >= 0 and html.find(";", reference, cut) < 0:
        cut = reference
    window = html[max(cut - _WIDEST_GRAPHEME, 0) : cut + _WIDEST_GRAPHEME]
    border, middle = 0, min(cut, _WIDEST_GRAPHEME)
    for grapheme in regex.finditer(r"\X", window):
        if grapheme.end() > middle:
            break
        border = grapheme.end()
    return html[: cut - middle + border] if border else html[:cut]


class _List:
    """A list being read: how its next item is marked."""

    def __init__(self, *, ordered: bool, start: int) -> None:
        self.ordered = ordered
        self.number = start
        self.begun = False


class _Walker:
    def __init__(self, people: People, without_emoji: frozenset[str]) -> None:
        self.prose = Prose()
        self.quoted: str | None = None
        self._people = people
        self._without_emoji = without_emoji
        self._anchor: Anchor | None = None
        self._lists: list[_List] = []
        self._preformatted = 0
        self._quotations = 0
        self._own_bracket = False
        self._unclosed_quotes = False

    def walk(self, stream: list[Token]) -> None:
        position = 0
        while position < len(stream):
            token = stream[position]
            position += 1
            if token.kind == "text":
                self._text(token.value)
            elif token.kind == "close":
                self._close(token.value)
            elif "quote-inline" in token.attributes.get("class", "").split():
                position = self._past_quote(stream, position)
            else:
                self._open(token)
        self.end_anchor()

    def _text(self, text: str) -> None:
        if self._without_emoji and ":" in text:
            text = _SHORTCODE.sub(lambda m: "" if m[1] in self._without_emoji else m[0], text)
        if self._anchor is not None:
            self._anchor.label.append(text)
        elif self._preformatted:
            self.prose.preformatted(text)
        else:
            self.prose.words(text)

    def _open(self, token: Token) -> None:
        name = token.value
        if name in _PARAGRAPHS or name in _LINES:
            self._border(PARAGRAPH if name in _PARAGRAPHS else LINE)
        elif name in _LISTS:
            self.open_list(token)
        handler = _OPENING.get(name)
        if handler is not None:
            handler(self, token)

    def _close(self, name: str) -> None:
        if name in _PARAGRAPHS or name in _LINES:
            self._border(PARAGRAPH if name in _PARAGRAPHS else LINE)
        handler = _CLOSING.get(name)
        if handler is not None:
            handler(self)

    def _border(self, strength: int, *, exactly: bool = False) -> None:
        if self._anchor is not None:
            if self._anchor.words:
                # An unclosed link ends with its block; one that wraps a block has no label yet.
                self.end_anchor()
            else:
                self._anchor.label.clear()
        self.prose.border(strength, exactly=exactly)

    def _past_quote(self, stream: list[Token], position: int) -> int:
        """The position behind a marked quote fallback; where it never ends, it is no fallback."""
        element, depth, quoted = stream[position - 1].value, 1, None
        if self._unclosed_quotes:
            return position
        for index in range(position, len(stream)):
            token = stream[index]
            if token.kind == "open" and token.value == "a" and quoted is None:
                quoted = web_address(token.attributes.get("href"))
            if token.kind != "text" and token.value == element:
                depth += 1 if token.kind == "open" else -1
            if depth == 0 or (element == "p" and depth > 1):
                self.quoted = self.quoted or quoted
                return index + (1 if depth == 0 else 0)
        self._unclosed_quotes = True
        return position

    def open_anchor(self, token: Token) -> None:
        self.end_anchor()
        given = token.attributes
        self._anchor = Anchor(
            href=given.get("href", "").strip(),
            classes=frozenset(given.get("class", "").split()),
            relations=frozenset(given.get("rel", "").lower().split()),
        )

    def end_anchor(self) -> None:
        anchor, self._anchor = self._anchor, None
        if anchor is not None:
            place(anchor, self.prose, self._people)

    def line_break(self, _: Token) -> None:
        if self._anchor is not None:
            self._anchor.label.append(" ")
        else:
            self.prose.break_line()

    def image(self, token: Token) -> None:
        if self._anchor is not None:
            self._anchor.has_image = True
        self._text(token.attributes.get("alt") or token.attributes.get("title", ""))

    def rule(self, _: Token) -> None:
        self._border(PARAGRAPH)
        self.prose.words("---")
        self._border(PARAGRAPH)

    def open_pre(self, _: Token) -> None:
        self._preformatted += 1

    def close_pre(self) -> None:
        self._preformatted = max(self._preformatted - 1, 0)

    def open_quotation(self, _: Token) -> None:
        self._quotations += 1
        self.prose.quote(1)

    def close_quotation(self) -> None:
        if self._quotations:
            self._quotations -= 1
            self.prose.quote(-1)

    def open_list(self, token: Token) -> None:
        self._border(LINE if self._lists else PARAGRAPH, exactly=bool(self._lists))
        start = _number(token.attributes.get("start", ""), otherwise=1)
        self._lists.append(_List(ordered=token.value == "ol", start=start))

    def close_list(self) -> None:
        if self._lists:
            self._lists.pop()
            self.prose.marker("")
            self._border(LINE if self._lists else PARAGRAPH)

    def open_item(self, token: Token) -> None:
        within = self._lists[-1] if self._lists else _List(ordered=False, start=1)
        self._border(LINE, exactly=within.begun)
        within.begun = True
        sign = "- "
        if within.ordered:
            within.number = _number(token.attributes.get("value", ""), otherwise=within.number)
            sign = f"{within.number}. "
            within.number += 1
        self.prose.marker("  " * min(max(len(self._lists) - 1, 0), 8) + sign)

    def close_item(self) -> None:
        self._border(LINE)

    def cell(self, _: Token) -> None:
        if self._anchor is None and self.prose.in_line:
            self.prose.words(" | ")

    def open_reading(self, _: Token) -> None:
        self.close_reading()
        if self._last() not in _MARKS:
            self._text("(")
            self._own_bracket = True

    def open_bracket(self, _: Token) -> None:
        self.close_reading()

    def close_reading(self) -> None:
        if self._own_bracket:
            self._own_bracket = False
            self._text(")")

    def _last(self) -> str:
        if self._anchor is not None and self._anchor.label:
            return self._anchor.label[-1][-1:]
        return self.prose.last


def _number(written: str, *, otherwise: int) -> int:
    digits = written.strip()
    plain = digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST_NUMBER
    return int(digits) if plain else min(otherwise, _HIGHEST_NUMBER)


_OPENING: dict[str, Callable[[_Walker, Token], None]] = {
    "a": _Walker.open_anchor,
    "br": _Walker.line_break,
    "img": _Walker.image,
    "hr": _Walker.rule,
    "pre": _Walker.open_pre,
    "blockquote": _Walker.open_quotation,
    "li": _Walker.open_item,
    "td": _Walker.cell,
    "th": _Walker.cell,
    "rt": _Walker.open_reading,
    "rp": _Walker.open_bracket,
}
_CLOSING: dict[str, Callable[[_Walker], None]] = {
    "a": _Walker.end_anchor,
    "pre": _Walker.close_pre,
    "blockquote": _Walker.close_quotation,
    "ul": _Walker.close_list,
    "ol": _Walker.close_list,
    "menu": _Walker.close_list,
    "li": _Walker.close_item,
    "rt": _Walker.close_reading,
    "ruby": _Walker.close_reading,
}


def html_to_rich(
    html: str,
    *,
    mentions: Iterable[object] = (),
    host: str = "",
    quote_url: str | None = None,
    without_emoji: Collection[str] = (),
) -> Text:
    """Plain text with spans, from the HTML of one post (its first `LONGEST` characters).

    `mentions` is the status's ``mentions[]`` (objects with ``url``, ``acct``, ``username``); their
    names stand in full, with `host` (else that of their address) added to local ones. Links are
    whole. See `read_html` for quotes and emoji. Never raises.
    """
    quotes = () if quote_url is None else (quote_url,)
    people = People(mentions, host)
    return read_html(html, people=people, quote_urls=quotes, without_emoji=without_emoji).text
