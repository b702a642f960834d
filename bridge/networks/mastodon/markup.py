"""Plain text for servers that take every text for markup, and cannot be told otherwise.

snac reads its own Markdown and passes HTML on, so that a star makes italics and ``<`` begins a tag.
But what it makes is HTML, in which a character reference stands for its character and for nothing
else: a text written with them is shown as it was meant. Pure; must not change what a server makes
of addresses, hashtags and mentions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bridge.core.mastodon_marks import hashtags, mentions

_SPACES = r" \t\n\v\f\r"
_ADDRESS = re.compile(rf"[a-z]++://(?:[^{_SPACES},.)]++|[,.)]++[^{_SPACES},.)])++")
"""What snac makes a link of, whatever stands in it."""

_PICTURE = re.compile(
    r"\.(?:apng|avif|bmp|gif|heic|heif|ico|jfif|jpe?g|jxl|png|svg|tiff?|webp)\Z", re.IGNORECASE
)
_IN_ADDRESSES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
"""By name: in an address snac writes every ``#`` as a reference itself."""

_ALWAYS = frozenset("&<>*~`[#@")
"""``#`` and ``@`` too, but where Mastodon has a hashtag or a mention: snac wants no border before
one, and would notify whoever has the name that stands in an e-mail address."""

_SOMETIMES = re.compile(
    rf"""
    __+                                     # underlined
    | ^[{_SPACES}]*-(?=--|[{_SPACES}])      # a rule, an item of a list
    | (?<![0-9A-Za-z])-(?=[)(D*/|o])        # emoticons
    | (?<=[XB8])-(?=[)Do])
    | (?<=:)_(?=\()
    | :(?=[0-9A-Za-z_+-]+:)                 # the name of an emoticon
    | (?:(?<=mailto)|(?<=xmpp)):            # addresses without slashes
    """,
    re.MULTILINE | re.VERBOSE,
)

_REST_OF_HASHTAG = re.compile(r"[^ ,.:;\n]*")


def literal(text: str) -> str:
    """`text` so that snac shows it as it stands."""
    referred = {place for found in _SOMETIMES.finditer(text) for place in _places(found)}
    whole: list[str] = []
    position = 0
    for start, end, kept in _kept(text, referred):
        whole += _written(text, position, start, referred)
        whole.append(kept)
        position = end
    whole += _written(text, position, len(text), referred)
    return "".join(whole)


def _places(found: re.Match[str]) -> range:
    """The characters of a match that are to be written as references: white space is not."""
    return range(found.end() - len(found[0].strip()), found.end())


def _kept(text: str, referred: set[int]) -> Iterator[tuple[int, int, str]]:
    """What is left to the server: start, end, and how it is written. In order, without overlap."""
    found = [(*match.span(), _address(match[0])) for match in _ADDRESS.finditer(text)]
    names = [(span.start, span.end) for span in hashtags(text) if _ends(text, span.end, referred)]
    names += [(mention.start, mention.end) for mention in mentions(text)]
    inside = {place for start, end, _ in found for place in range(start, end)}
    for start, end in names:
        if "__" not in text[start:end] and not inside.intersection(range(start, end)):
            found.append((start, end, text[start:end]))
    reached = 0
    for start, end, kept in sorted(found):
        if start >= reached:
            yield start, end, kept
            reached = end


def _ends(text: str, end: int, referred: set[int]) -> bool:
    """Whether no reference follows a hashtag that snac would take for a part of it."""
    rest = _REST_OF_HASHTAG.match(text, end)
    places = range(end, min(len(text), (rest.end() if rest else end) + 1))
    return not any(text[place] in _ALWAYS or place in referred for place in places)


def _address(found: str) -> str:
    """A picture's address would become an attachment, and vanish from the text."""
    written = "".join(_IN_ADDRESSES.get(char, char) for char in found)
    return f"{written}#" if _PICTURE.search(found) else written


def _written(text: str, start: int, end: int, referred: set[int]) -> Iterator[str]:
    for place in range(start, end):
        char = text[place]
        yield f"&#{ord(char)};" if char in _ALWAYS or place in referred else char
