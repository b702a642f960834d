"""What X makes of a text: t.co links, entities, HTML escapes, and the cut of a long post.

Indices are code points of the escaped text. Pure but for fresh t.co codes. Must not judge whether
a text may be posted.
"""

from __future__ import annotations

import secrets
import string
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from bridge.core.entities import x_entities
from bridge.core.lengths import x_length
from bridge.core.text import Span, SpanKind

SHORT = 280
"""A text above this weight is a long post: its `text` is cut and a note holds it whole."""

_CODE_ALPHABET = string.ascii_letters + string.digits
_DISPLAY_LENGTH = 26
_ELLIPSIS = "…"
_CUT_SEARCH = 4096
"""No 280 weighted characters are longer than this, but for emoji sequences nobody writes."""

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


@dataclass(frozen=True, slots=True)
class UrlEntity:
    """A t.co link. `media_key` is set where it stands for an attached medium."""

    start: int
    end: int
    url: str
    expanded_url: str
    display_url: str
    media_key: str = ""


@dataclass(frozen=True, slots=True)
class NameEntity:
    """A hashtag, cashtag or mention; `name` without its sign."""

    start: int
    end: int
    kind: SpanKind
    name: str


@dataclass(frozen=True, slots=True)
class Body:
    """A text as the API gives it, with its entities in order."""

    text: str
    urls: tuple[UrlEntity, ...] = ()
    names: tuple[NameEntity, ...] = ()


@dataclass(frozen=True, slots=True)
class Rendering:
    """Both texts of a post.

    `short` is its `text`; `note` the whole of a long one. `shown` is the range of `short` that X
    displays: without the media links behind it and the reply's names before it.
    """

    short: Body
    shown: tuple[int, int]
    note: Body | None = None


@dataclass(frozen=True, slots=True)
class Trailer:
    """A link that X itself puts behind the text: to media (several share it) or to a quote."""

    expanded_urls: tuple[str, ...]
    media_keys: tuple[str, ...] = ()


def normalised(text: str) -> str:
    """A text as X stores it: NFC, lines ended by LF, no white space around it."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def rendered(
    text: str, *, post_url: str, trailers: Sequence[Trailer] = (), hidden_prefix: int = 0
) -> Rendering:
    """`text`, which is normalised, as the API will show it.

    `post_url` is the address that the cut of a long text links to. `hidden_prefix` counts the
    leading code points that are shown as "replying to", not as text.
    """
    known: dict[str, str] = {}
    whole = _composed(text, x_entities(text), known)
    if x_length(text[hidden_prefix:]) <= SHORT:
        short, shown_end = _with_trailers(whole, trailers, known)
        return Rendering(short, (min(hidden_prefix, shown_end), shown_end))
    note, _ = _with_trailers(whole, trailers, known)
    cut = _cut(text)
    # Entities are those of the whole text: what the cut would turn into another link is none.
    inside = tuple(span for span in x_entities(text) if span.end <= len(cut))
    head = _composed(cut, inside, known)
    link = _short_link(post_url, known)
    start = len(head.text) + 2
    entity = UrlEntity(start, start + len(link), link, post_url, _display(post_url))
    short = Body(f"{head.text}{_ELLIPSIS} {link}", (*head.urls, entity), head.names)
    return Rendering(short, (min(hidden_prefix, len(short.text)), len(short.text)), note)


def language(text: str) -> str:
    """A rough guess by script, with X's codes; ``qme`` is media without text, ``zxx`` no words."""
    if not text:
        return "qme"
    for character in text:
        if character.isalpha():
            name = unicodedata.name(character, "")
            for prefix, code in _SCRIPTS:
                if name.startswith(prefix):
                    return code
    return "zxx"


_SCRIPTS = (
    ("ARABIC", "ar"),
    ("HEBREW", "iw"),
    ("HIRAGANA", "ja"),
    ("KATAKANA", "ja"),
    ("HANGUL", "ko"),
    ("THAI", "th"),
    ("DEVANAGARI", "hi"),
    ("CYRILLIC", "ru"),
    ("GREEK", "el"),
    ("CJK", "zh"),
    ("LATIN", "en"),
)


@dataclass(slots=True)
class _Writer:
    """Collects pieces of an escaped text and knows how long it is."""

    pieces: list[str] = field(default_factory=list)
    length: int = 0

    def put(self, piece: str) -> tuple[int, int]:
        start = self.length
        self.pieces.append(piece)
        self.length += len(piece)
        return start, self.length


def _composed(text: str, spans: Sequence[Span], known: dict[str, str]) -> Body:
    writer = _Writer()
    urls: list[UrlEntity] = []
    names: list[NameEntity] = []
    position = 0
    for span in spans:
        writer.put(text[position : span.start].translate(_ESCAPES))
        written = text[span.start : span.end]
        if span.kind is SpanKind.LINK:
            expanded = written if "://" in written else f"http://{written}"
            link = _short_link(expanded, known)
            start, end = writer.put(link)
            urls.append(UrlEntity(start, end, link, expanded, _display(written)))
        else:
            # Of somebody's list (@name/list) only the name is an entity.
            name = written[1:].partition("/")[0] if span.kind is SpanKind.MENTION else written[1:]
            start, _ = writer.put(written.translate(_ESCAPES))
            names.append(NameEntity(start, start + 1 + len(name), span.kind, name))
        position = span.end
    writer.put(text[position:].translate(_ESCAPES))
    return Body("".join(writer.pieces), tuple(urls), tuple(names))


def _with_trailers(
    body: Body, trailers: Sequence[Trailer], known: dict[str, str]
) -> tuple[Body, int]:
    """`body` with the links behind it, and where the part that people see ends."""
    text, urls, shown_end = body.text, list(body.urls), len(body.text)
    for trailer in trailers:
        link = _short_link(trailer.expanded_urls[0], known)
        start = len(text) + (1 if text else 0)
        text = f"{text} {link}" if text else link
        if trailer.media_keys:
            display = f"pic.x.com/{link.rpartition('/')[2]}"
            urls += (
                UrlEntity(start, len(text), link, expanded, display, key)
                for expanded, key in zip(trailer.expanded_urls, trailer.media_keys, strict=True)
            )
        else:
            expanded = trailer.expanded_urls[0]
            urls.append(UrlEntity(start, len(text), link, expanded, _display(expanded)))
            shown_end = len(text)
    return Body(text, tuple(urls), body.names), shown_end


def _cut(text: str) -> str:
    """The longest beginning that leaves room for the ellipsis and the link, at a word's end."""
    room = SHORT - 23 - 2
    spans = x_entities(text)
    low, high = 0, min(len(text), _CUT_SEARCH)
    while low < high:
        middle = (low + high + 1) // 2
        if x_length(text[:middle]) <= room:
            low = middle
        else:
            high = middle - 1
    end = low
    border = max((text.rfind(white, 0, end + 1) for white in " \n"), default=-1)
    if border > end // 2:
        end = border
    for span in spans:
        if span.start < end < span.end:
            end = span.start
    return text[:end].rstrip()


def _short_link(expanded: str, known: dict[str, str]) -> str:
    """The t.co link for `expanded`: within one post the same address has the same one."""
    if expanded not in known:
        code = "".join(secrets.choice(_CODE_ALPHABET) for _ in range(10))
        known[expanded] = f"https://t.co/{code}"
    return known[expanded]


def _display(url: str) -> str:
    shown = url.partition("://")[2] or url
    shown = shown.removeprefix("www.")
    return shown if len(shown) <= _DISPLAY_LENGTH else shown[:_DISPLAY_LENGTH] + _ELLIPSIS
