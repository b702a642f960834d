"""Content warnings: where a post has one, what it says, and how it is shown.

Pure. Must not decide whether a post that bears a warning is mirrored; `bridge.core.rules` asks
`warning_of` and does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bridge.core.defuse import clean
from bridge.core.model import Post
from bridge.core.sentences import TERMINATORS
from bridge.core.text import Span, Text

MARK = "CW: "
"""What a warning begins with where it has no field of its own."""

_WORDS = (
    "CW", "TW", "CN", "content warning", "trigger warning", "content note", "content notice",
    "Inhaltswarnung", "Triggerwarnung", "avertissement de contenu", "advertencia de contenido",
    "aviso de contenido", "aviso de conteúdo", "تحذير محتوى", "تحذير المحتوى", "تحذير من المحتوى",
)  # fmt: skip
"""A word for any warning is not among them, in no language: storms are warned of as well."""
_NAME = "(?:" + "|".join(sorted(map(re.escape, _WORDS), key=len, reverse=True)) + ")"
_SIGN = re.compile(
    rf"\s*+(?P<bracket>[\[(（【]?+)[ \t]*+{_NAME}(?:[ \t]*[/+&,][ \t]*+{_NAME}){{0,2}}+"
    r"(?:[ \t]*+[:：][ \t]*+|[ \t]++(?:-|–|—|//|\||~)[ \t]++)",
    re.IGNORECASE,
)
"""``CW:``, ``tw :``, ``[CN/TW: …]``, ``CW - ``: a known word, then a colon or a free dash."""

_CLOSING = {"[": "]", "(": ")", "（": "）", "【": "】"}
_LONGEST = 200
"""Code points of what is taken for a warning at the head of a text; beyond, it is the text."""


@dataclass(frozen=True, slots=True)
class Warned:
    """A text apart from the warning that stood at its head. `warning` is empty for none."""

    warning: str
    text: Text


def split_off(text: Text) -> Warned:
    """The warning that `text` begins with, in one of the spellings that people use on X.

    It is what follows the sign: in brackets, up to the closing one; else the rest of the line; on
    the only line, up to the end of its first sentence. Where nothing would be left to warn of but
    what is attached, the warning is the whole of it.
    """
    found = _SIGN.match(text.plain)
    if found is None:
        return Warned("", text)
    start, end, after = found.end(), *_extent(text.plain, found)
    warning = " ".join(clean(text.plain[start:end]).split()).rstrip(" :：")
    if not warning or end - start > _LONGEST:
        return Warned("", text)
    return Warned(warning, _from(text, after))


def _extent(plain: str, sign: re.Match[str]) -> tuple[int, int]:
    """Where the warning ends, and where the text goes on."""
    start = sign.end()
    line = plain.find("\n", start)
    line = len(plain) if line < 0 else line
    closing = _CLOSING.get(sign["bracket"])
    if closing is not None:
        end = plain.find(closing, start, line)
        return (line, line) if end < 0 else (end, end + 1)
    if plain[line:].strip():
        return line, line
    for place in range(start, line - 1):
        if (
            plain[place] in TERMINATORS
            and plain[place + 1].isspace()
            and plain[place + 1 :].strip()
        ):
            return place, place + 1
    return line, line


def _from(text: Text, position: int) -> Text:
    """What stands from `position` on, without the white space before it."""
    rest = text.plain[position:]
    position += len(rest) - len(rest.lstrip())
    spans = (
        Span(max(0, s.start - position), s.end - position, s.kind, s.target)
        for s in text.spans
        if s.start >= position
    )
    return Text(text.plain[position:], tuple(spans))


def about(post: Post, warn_about: Mapping[str, str]) -> str:
    """The warnings that the words of `post` call for, each once, in the order of `warn_about`."""
    if not warn_about:
        return ""
    options = post.poll.options if post.poll else ()
    said = "\n".join((post.text.plain, *(option.label for option in options)))
    return ", ".join(dict.fromkeys(_called_for(said, warn_about)))


def _called_for(said: str, warn_about: Mapping[str, str]) -> Iterator[str]:
    folded = said.casefold()
    for word, warning in warn_about.items():
        if has_word(folded, word.casefold()):
            yield warning


def has_word(text: str, word: str) -> bool:
    """Whether `word` stands in `text` on its own: no letter or digit touches a letter of it.

    Both are in one case already. Linear in the text.
    """
    position = text.find(word) if word else -1
    while position >= 0:
        end = position + len(word)
        free_before = not (position and word[0].isalnum() and text[position - 1].isalnum())
        free_after = not (end < len(text) and word[-1].isalnum() and text[end].isalnum())
        if free_before and free_after:
            return True
        position = text.find(word, position + 1)
    return False


def worded(warning: str, words: Mapping[str, str]) -> str:
    """`warning` in the owner's own words, where there are any for it."""
    wanted = {known.strip().casefold(): own for known, own in words.items()}
    return wanted.get(warning.strip().casefold(), warning)


def apart(post: Post) -> Post:
    """`post` with a warning that its text begins with in the field that is meant for it."""
    if post.spoiler.strip():
        return post
    warned = split_off(post.text)
    empty = not (warned.text.plain.strip() or post.media or post.poll or post.quote)
    if not warned.warning or empty:
        # A warning of nothing is what the post says.
        return post
    return replace(post, spoiler=warned.warning, text=warned.text)


def warning_of(post: Post, words: Mapping[str, str], warn_about: Mapping[str, str]) -> str:
    """The content warning of `post`, its own or the one that its words call for; empty for none."""
    own = " ".join(clean(post.spoiler).split())
    return worded(own, words) if own else about(post, warn_about)
