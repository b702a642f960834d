"""What a link of a post becomes in plain text: a mention, a hashtag, an address, or a label.

Links come whole from their ``href``, never from what is shown, which servers cut and decorate.
Must not parse markup.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from bridge.core.text import SpanKind
from bridge.networks.fields import readable, web_address
from bridge.networks.mastodon.people import People, handle_from
from bridge.networks.mastodon.prose import Prose

_WHITE = re.compile("[ \t\n\r\f]+")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_CUT = re.compile("…|\\.\\.\\.")
_FULL_HANDLE = re.compile(r"@[^\s@/]+@[^\s@/]+")
_SHORTEST_CUT = 4


@dataclass(slots=True)
class Anchor:
    """A link being read: its attributes, and its label as far as it has come."""

    href: str
    classes: frozenset[str]
    relations: frozenset[str]
    label: list[str] = field(default_factory=list)
    has_image: bool = False

    @property
    def words(self) -> str:
        """The label on one line."""
        return _WHITE.sub(" ", readable("".join(self.label))).strip(" ")


def place(anchor: Anchor, prose: Prose, people: People) -> None:
    """Write the finished `anchor` into `prose`."""
    raw = "".join(anchor.label)
    if raw[:1].isspace():
        prose.space()
    words = anchor.words
    if "attachment" in anchor.classes:
        # Attached files that some servers also list as links; they are media already.
        return
    if "hashtag" in anchor.classes or "tag" in anchor.relations:
        _place_tag(words, prose, sure="hashtag" in anchor.classes)
    elif _is_mention(anchor, words, prose, people):
        _place_mention(anchor, words, prose, people)
    else:
        _place_link(anchor, words, prose)
    if raw[-1:].isspace():
        prose.space()


def _place_tag(words: str, prose: Prose, *, sure: bool) -> None:
    name = words.lstrip("#＃")
    if not name or " " in name:
        prose.words(words)
        return
    signed = name != words or prose.take_back("#") or prose.take_back("＃")
    if signed or sure:
        prose.marked(f"#{name}", SpanKind.HASHTAG, name)
    else:
        prose.words(words)


def _is_mention(anchor: Anchor, words: str, prose: Prose, people: People) -> bool:
    if "mention" in anchor.classes:
        return bool(words)
    at_sign = words.startswith("@") or prose.last == "@"
    known = "u-url" in anchor.classes or people.at(anchor.href) is not None
    return bool(words) and at_sign and known


def _place_mention(anchor: Anchor, words: str, prose: Prose, people: People) -> None:
    listed = people.at(anchor.href) or people.named(words)
    signed = words.startswith("@") or prose.take_back("@")
    if listed is not None:
        prose.marked(listed, SpanKind.MENTION, listed)
    elif _FULL_HANDLE.fullmatch(words):
        prose.marked(words, SpanKind.MENTION, words)
    elif " " in words or not signed:
        # A display name: with a sign before it, it would name whoever bears its first word.
        guessed = handle_from(anchor.href)
        if guessed is not None and signed:
            prose.marked(guessed, SpanKind.MENTION, guessed)
        else:
            prose.words(words)
    else:
        written = words if words.startswith("@") else f"@{words}"
        prose.marked(written, SpanKind.MENTION, handle_from(anchor.href) or written)


def _place_link(anchor: Anchor, words: str, prose: Prose) -> None:
    address = web_address(anchor.href)
    if address is None:
        # Another scheme, or none: nothing that may be followed from a post.
        prose.words(words)
    elif shows_itself(words, address) or (not words and anchor.has_image):
        prose.marked(address, SpanKind.LINK, address)
    elif address in words:
        before, _, after = words.partition(address)
        prose.words(before)
        prose.marked(address, SpanKind.LINK, address)
        prose.words(after)
    elif words:
        prose.words(words)
        prose.space()
        prose.marked(address, SpanKind.LINK, address)


def shows_itself(label: str, address: str) -> bool:
    """Whether a label is its own address: with or without scheme and ``www.``, whole or cut."""
    shown, real = _bare(label), _bare(address)
    if not shown or " " in shown:
        return False
    if shown == real:
        return True
    head, cut, tail = _parted(shown)
    if cut:
        return len(head) >= _SHORTEST_CUT and real.startswith(head) and real.endswith(tail)
    return real.startswith(shown) and real[len(shown)] in "/?#" and "." in shown


def _parted(shown: str) -> tuple[str, str, str]:
    found = _CUT.search(shown)
    return (shown[: found.start()], found[0], shown[found.end() :]) if found else (shown, "", "")


def _bare(address: str) -> str:
    """An address without what is left out for show; percent escapes and punycode resolved."""
    bare = unquote(_SCHEME.sub("", address.strip(), count=1)).removeprefix("www.").rstrip("/")
    host, slash, path = bare.partition("/")
    if "xn--" in host.lower():
        with contextlib.suppress(UnicodeError):
            host = host.encode("ascii").decode("idna")
    return f"{host}{slash}{path}".casefold()
