"""Whether two texts are the same post: the witness of last resort, after ids and mappings.

Three layers: equal canonical text is proof; a cut text whose words begin the other is nearly so;
a likeness only ever means "hold and ask". Must not know time, authors or ids: the caller compares
only posts of one author and kind, within a window of time.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote, urlsplit

import regex

from bridge.core.entities import x_links
from bridge.core.graphemes import composed
from bridge.core.references import unescaped
from bridge.core.text import SpanKind, Text

PREFIX_WORDS = 8
"""Fewer whole words than these prove nothing about a text that was cut off."""

SIMILAR_WORDS = 6
SIMILAR_RATIO = 0.9

_FEW_WORDS = 4
_DENSE_LETTERS_PER_WORD = 4
"""Where words have no spaces between them, so many letters are reckoned as a word."""

_MOST_COMPARED_WORDS = 400
"""Likeness is quadratic at worst; longer texts are compared by their beginnings."""


class Match(StrEnum):
    """How two texts agree. Only `EXACT` proves that they are the same post."""

    EXACT = "exact"
    PREFIX = "prefix"
    SIMILAR = "similar"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Canonical:
    """What a post says, without the form that networks, typists and bridges give it.

    `words` are case-folded: letters and digits, and symbols such as emoji, currency and signs.
    `links` are addresses without scheme, ``www.``, tracking and fragment. `number` is that of a
    part of a thread and the thread's total, 0 where it names none. `cut` says that an ellipsis
    at the end stands for more.
    """

    words: tuple[str, ...]
    links: frozenset[str]
    number: tuple[int, int] | None = None
    cut: bool = False

    @property
    def few(self) -> bool:
        """Whether there are so few words that they are soon said again, such as a greeting."""
        return sum(_words_in(word) for word in self.words) < _FEW_WORDS


_URL = regex.compile(r"https?://[^\s<>\"“”«»「」]++", regex.IGNORECASE)
_OUTSIDE_URL = ".,!?;:*'’…)]}。、，！？）"
_ENTITY = regex.compile(
    r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{1,7}|#x[0-9a-f]{1,6});", regex.IGNORECASE
)
_INVISIBLE = regex.compile(
    r"[\p{Default_Ignorable_Code_Point}\p{Cs}[\p{Cc}--[\s]]]", regex.VERSION1
)
_APOSTROPHES = regex.compile("[’‘ʼ`´]")
_HYPHENS = regex.compile("[‐‑‒–−]")
_REPOST = regex.compile(r"\A\s*rt @\w+(?:@[\w.-]+)?: ")
_QUOTE_MARKS = regex.compile(r"(?m)^[ \t]*>+[ \t]*")
_HANDLE = regex.compile(r"(?<![\w/@.])@(\w+)(?:@[\w-]+(?:\.[\w-]+)+)?(?: \(on x\))?")
_ON_X_NAME = regex.compile(r"(?<=\w) \(on x\)")
_NUMBER_LAST = regex.compile(r"[\s(\[]+(\d{1,3})/(\d{1,3})[)\]]?\s*\Z")
_NUMBER_FIRST = regex.compile(r"\A[\s(\[]*(\d{1,3})/(\d{0,3})[)\]]?[\s:.]+(?=\S)")
_CUT = regex.compile(r"(?:…|\.\.\.)[\s\"'»)\]]*\Z")
_WORD = regex.compile(
    r"(?:(?<![\p{L}\p{M}\p{N}])-(?=\p{N}))?"
    r"[\p{L}\p{M}\p{N}_]+(?:[.,:/'@-][\p{L}\p{M}\p{N}_]+)*"
    r"|\p{S}|[%‰]|(?<=\w)#(?!\w)"
)
_FIGURE = regex.compile(r"\p{N}")
_DENSE = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{lb=SA}]")
_THREAD_SIGN = "🧵"

_HOST_PREFIX = regex.compile(r"\A(?:www\d?|m|mobile)\.(?=[^.]+\.)")
_SAME_HOSTS = {"twitter.com": "x.com"}
_SHORTENER = "t.co/"
_TRACKED = """fbclid gclid dclid gbraid wbraid msclkid yclid twclid ttclid igshid igsh li_fat_id
    mc_cid mc_eid mkt_tok oly_anon_id oly_enc_id ref_src ref_url s_cid vero_id _ga _gl _hsenc _hsmi
    __twitter_impression cmpid"""
_TRACKING = frozenset(_TRACKED.split())
_TRACKING_OF_HOST = {
    "x.com": frozenset({"s", "t"}),
    "youtube.com": frozenset({"si", "feature"}),
    "youtu.be": frozenset({"si", "feature"}),
}
_DEFAULT_PORTS = {"http": 80, "https": 443}


def canonical(text: Text) -> Canonical:
    """What `text` says, free of form.

    Links are taken from its spans with their targets; others are found in the text itself, by
    X's rule too, since a network may have made a link of what the author typed as plain text. A
    link of X's own shortener says nothing and is left out.
    """
    links: set[str] = set()
    rest: list[str] = []
    position = 0
    for span in text.of_kind(SpanKind.LINK):
        rest += (text.plain[position : span.start], " ")
        links.add(canonical_link(span.target or text.plain[span.start : span.end]))
        position = span.end
    rest.append(text.plain[position:])
    plain = _without_references("".join(rest))
    plain = _without_links(_INVISIBLE.sub("", plain), links)
    plain = unicodedata.normalize("NFKC", composed(plain)).casefold()
    plain = unicodedata.normalize("NFKC", plain)
    plain = _HYPHENS.sub("-", _APOSTROPHES.sub("'", plain)).replace(_THREAD_SIGN, " ")
    plain = _QUOTE_MARKS.sub("", _REPOST.sub("", plain))
    plain = _ON_X_NAME.sub("", _HANDLE.sub(r"\1", plain))
    plain, number = _without_number(plain)
    return Canonical(
        words=tuple(_WORD.findall(plain)),
        links=frozenset(link for link in links if link and not link.startswith(_SHORTENER)),
        number=number,
        cut=_CUT.search(plain) is not None,
    )


def digest(what: Canonical, key: bytes, apart: str = "") -> str:
    """The words and links as a keyed SHA-256, 64 hexadecimal digits: layer 1 without clear text.

    The number in a thread is not part of it, so that a numbered part equals its original. Digests
    with another `apart` never agree.
    """
    body = "\x1f".join(what.words) + "\x1e" + "\x1f".join(sorted(what.links))
    if apart:
        body += "\x1d" + apart
    return hmac.new(key, body.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def same_post(a: Text, b: Text) -> Match:
    """How two texts agree; see `compared`."""
    return compared(canonical(a), canonical(b))


def compared(one: Canonical, other: Canonical) -> Match:
    """How two texts agree; the strongest layer that applies.

    `EXACT`: the same words, and links that do not contradict each other; a text of few words must
    have the same links. `PREFIX`: one side was cut, and what is left of it begins the other.
    `SIMILAR`: many words and all figures agree, which a single "not" may belie: hold and ask.
    """
    if one.number and other.number and _conflict(one.number, other.number):
        return Match.NONE
    if not (one.links <= other.links or other.links <= one.links):
        return Match.NONE
    if one.words == other.words:
        if not one.few or (one.links == other.links and (one.words or one.links)):
            return Match.EXACT
        return Match.NONE
    if _begins(one, other) or _begins(other, one):
        return Match.PREFIX
    return Match.SIMILAR if _similar(one.words, other.words) else Match.NONE


def _without_references(text: str) -> str:
    """Only complete ones: an address may go on with ``&copy=1``, which is none."""
    return _ENTITY.sub(lambda found: unescaped(found[0]), text) if "&" in text else text


def canonical_link(url: str) -> str:
    """An address without what does not change where it leads; empty where it has no host.

    No scheme, ``www.`` or ``m.``, default port, user, fragment, final slash or tracking; host in
    ASCII; ``twitter.com`` is ``x.com``; the remaining parameters in order of name.
    """
    url = _INVISIBLE.sub("", _without_references(url)).strip()
    try:
        parts = urlsplit(url if "://" in url else "https://" + url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return url.casefold()
    host = _HOST_PREFIX.sub("", _ascii(unicodedata.normalize("NFKC", host).rstrip(".")))
    host = _SAME_HOSTS.get(host, host)
    if not host:
        return ""
    ours = _TRACKING | _TRACKING_OF_HOST.get(host, frozenset())
    fields = sorted(field for field in parts.query.split("&") if field and not _tracks(field, ours))
    path = unicodedata.normalize("NFC", unquote(parts.path)).rstrip("/")
    if host == "x.com":
        path = path.casefold()
    where = host if port in {None, _DEFAULT_PORTS.get(parts.scheme)} else f"{host}:{port}"
    return where + path + ("?" + "&".join(fields) if fields else "")


def _tracks(field: str, names: frozenset[str]) -> bool:
    name = field.partition("=")[0].casefold()
    return name.startswith("utm_") or name in names


def _ascii(host: str) -> str:
    """A host name in its ASCII form, label by label; what has none stays as it is."""
    labels: list[str] = []
    for label in host.casefold().split("."):
        try:
            labels.append(label if label.isascii() else "xn--" + label.encode("punycode").decode())
        except UnicodeError:
            labels.append(label)
    return ".".join(labels)


def _without_links(plain: str, links: set[str]) -> str:
    """The text without the links that stand in it as plain characters, which join `links`."""

    def take(found: regex.Match[str]) -> str:
        url = found[0]
        whole = url.rstrip(_OUTSIDE_URL)
        for opening, closing in (("(", ")"), ("[", "]")):
            if url[len(whole) :].startswith(closing) and whole.count(opening) > whole.count(
                closing
            ):
                whole += closing
        tail = url[len(whole) :]
        if not tail.startswith("…"):  # a link that was cut leads nowhere known
            links.add(canonical_link(whole))
        return " " + tail

    plain = _URL.sub(take, plain)
    pieces: list[str] = []
    position = 0
    for span in x_links(plain):
        pieces += (plain[position : span.start], " ")
        links.add(canonical_link(span.target))
        position = span.end
    return "".join((*pieces, plain[position:]))


def _without_number(plain: str) -> tuple[str, tuple[int, int] | None]:
    """The text without the number of a part of a thread, and that number."""
    for pattern in (_NUMBER_LAST, _NUMBER_FIRST):
        found = pattern.search(plain)
        if found is None:
            continue
        part, total = int(found[1]), int(found[2] or 0)
        rest = plain[: found.start()] + plain[found.end() :]
        alone = "\n" in found[0] or len(_WORD.findall(rest)) >= _FEW_WORDS
        if alone and part >= 1 and (total == 0 or 1 < total >= part):
            return rest, (part, total)
    return plain, None


def _conflict(one: tuple[int, int], other: tuple[int, int]) -> bool:
    totals_differ = one[1] != other[1] and bool(one[1]) and bool(other[1])
    return one[0] != other[0] or totals_differ


def _words_in(word: str) -> float:
    """How many words one is: more than one where a language puts no spaces between them."""
    return max(1, len(word) / _DENSE_LETTERS_PER_WORD) if _DENSE.search(word) else 1


def _begins(cut: Canonical, whole: Canonical) -> bool:
    """Whether `cut` was cut off, and all but its last word, which may be half, begins `whole`.

    Where words have no spaces between them, there are no halves.
    """
    if not cut.cut or len(cut.words) > len(whole.words):
        return False
    head, last = cut.words[:-1], cut.words[-1] if cut.words else ""
    weight = float(len(head))
    if last and _DENSE.search(last):
        if not whole.words[len(head)].startswith(last):
            return False
        weight += len(last) / 2
    weight += sum(len(word) / 2 for word in head if _DENSE.search(word))
    return weight >= PREFIX_WORDS and head == whole.words[: len(head)]


def _similar(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    if min(len(one), len(other)) < SIMILAR_WORDS:
        return False
    if 2 * min(len(one), len(other)) < SIMILAR_RATIO * (len(one) + len(other)):
        return False
    head, other_head = one[:_MOST_COMPARED_WORDS], other[:_MOST_COMPARED_WORDS]
    # Preparing a matcher is dear; this is what its own quick ratio would say.
    if 2 * (Counter(head) & Counter(other_head)).total() < SIMILAR_RATIO * (
        len(head) + len(other_head)
    ):
        return False
    figures = [[word for word in words if _FIGURE.search(word)] for words in (one, other)]
    from difflib import SequenceMatcher  # noqa: PLC0415 - hardly any text gets as far as this

    matcher = SequenceMatcher(None, head, other_head, autojunk=False)
    return figures[0] == figures[1] and matcher.ratio() >= SIMILAR_RATIO
