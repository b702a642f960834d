"""HTML as a stream of tags and texts, in one linear pass.

The standard library's parser needs quadratic time for unclosed comments in patch releases that
are still in use, and reads broken markup differently from one patch release to the next; a post
must read the same everywhere. Must not know what any element means, except that some hold no text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from bridge.core.references import unescaped

_NOTHING: Mapping[str, str] = {}
_MARK = re.compile(r"<(?=[a-zA-Z/!?])")
_BARE_TAG = re.compile(r"<(/?)([a-z][a-z0-9]{0,15})>")
_NAME = re.compile(r"</?([a-zA-Z][^\s/<>]{0,63})")
_STOP = re.compile("[>\"']")
_ATTRIBUTE = re.compile(r"([^\s\"'<>/=]+)(?:\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"'>]+))?")
_ABSURD_REFERENCE = re.compile(r"&#0*[0-9]{8,};?")
_WITHOUT_TEXT = frozenset(
    ("iframe", "noembed", "noframes", "script", "style", "svg", "template", "textarea", "title")
)
_CDATA = "<![CDATA["


class Token(NamedTuple):
    """A text with its references resolved, or a tag by its lower-case name."""

    kind: Literal["text", "open", "close"]
    value: str
    attributes: Mapping[str, str] = _NOTHING


def tokens(markup: str) -> Iterator[Token]:
    """The tokens of `markup`, in order; comments and the like are passed over.

    What opens like a tag and never ends is text. Never raises.
    """
    scanner = _Scanner(markup)
    begin = position = 0
    while found := _MARK.search(markup, position):
        mark = found.start()
        end, token = scanner.construct(mark)
        if end < 0:
            position = mark + 1
            continue
        if begin < mark:
            yield Token("text", _unescaped(markup[begin:mark]))
        if token is not None:
            yield token
        begin = position = end
    if begin < len(markup):
        yield Token("text", _unescaped(markup[begin:]))


class _Scanner:
    """Finds where constructs end, and remembers which endings do not occur any more.

    An ending that was not found once is never looked for again: that is what keeps it linear.
    """

    def __init__(self, markup: str) -> None:
        self._markup = markup
        self._absent: set[str] = set()

    def construct(self, mark: int) -> tuple[int, Token | None]:
        """Where what opens at `mark` ends (-1: it is only text), and its token if it has one."""
        if self._markup.startswith(("<!", "<?"), mark):
            return self._declaration(mark)
        return self._tag(mark)

    def _declaration(self, mark: int) -> tuple[int, Token | None]:
        markup = self._markup
        if markup.startswith("<!--", mark):
            return self._after("-->", mark + 2), None
        if markup.startswith(_CDATA, mark):
            end = self._after("]]>", mark)
            inner = markup[mark + len(_CDATA) : end - 3]
            return end, (Token("text", inner) if end >= 0 else None)
        return self._after(">", mark), None

    def _tag(self, mark: int) -> tuple[int, Token | None]:
        markup = self._markup
        bare = _BARE_TAG.match(markup, mark)
        if bare is not None and bare[2] not in _WITHOUT_TEXT:
            return bare.end(), Token("close" if bare[1] else "open", bare[2])
        name = _NAME.match(markup, mark)
        end = self._tag_end(name.end()) if name else -1
        if name is None or end < 0:
            return -1, None
        element = name[1].lower()
        if markup[mark + 1] == "/":
            return end, Token("close", element)
        if element in _WITHOUT_TEXT:
            return self._past(element, end), None
        return end, Token("open", element, _attributes(markup[name.end() : end - 1]))

    def _after(self, ending: str, start: int) -> int:
        if ending in self._absent:
            return -1
        found = self._markup.find(ending, start)
        if found < 0:
            self._absent.add(ending)
            return -1
        return found + len(ending)

    def _tag_end(self, position: int) -> int:
        """The position after a tag's ``>``; one inside a quoted value does not count."""
        markup = self._markup
        while "tag" not in self._absent and (stop := _STOP.search(markup, position)):
            position = stop.end()
            if stop[0] == ">":
                return position
            if self._is_value(stop.start()):
                position = max(position, self._after(stop[0], position))
        self._absent.add("tag")
        return -1

    def _is_value(self, quote: int) -> bool:
        before = quote - 1
        while self._markup[before].isspace():
            before -= 1
        return self._markup[before] == "="

    def _past(self, element: str, start: int) -> int:
        """The position behind the end tag of an element whose inside is not text."""
        closing = re.compile(f"</{element}[^>]*>?", re.IGNORECASE).search(self._markup, start)
        return closing.end() if closing else len(self._markup)


def _attributes(inside: str) -> Mapping[str, str]:
    if not inside or inside.isspace():
        return _NOTHING
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(inside):
        value = match[2] or ""
        if value[:1] in {'"', "'"}:
            value = value[1:-1]
        found.setdefault(match[1].lower(), _unescaped(value))
    return found


def _unescaped(text: str) -> str:
    """Character references resolved; the standard library fails on those of thousands of digits."""
    return unescaped(_ABSURD_REFERENCE.sub("\ufffd", text)) if "&" in text else text
