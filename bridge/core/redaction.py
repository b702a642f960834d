"""Text from outside, made fit for messages and logs: secrets are redacted first, then it is cut.

A server may echo a request, whole or in part, in whatever encoding. Everything that quotes a
network, a broker or a program goes through `quoted`. Must not know where a text came from.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote

FRAGMENT: Final = 12
"""Characters of a secret in a row that are recognized as a part of it."""

_SHORTEST: Final = 6
"""Shorter values would be found, and starred out, inside ordinary words."""

_LONGEST_INPUT: Final = 16 * 1024
_STARS: Final = "***"
_ECHOED: Final = (
    (
        re.compile(
            r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie)\b[\"']?\s*[:=]\s*[\"']?"
            r"(?:bearer|basic|oauth|digest|[\w+/=.~-]{16}).*"
        ),
        rf"\1: {_STARS}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w+/=.~%:-]{8,}"), rf"\1 {_STARS}"),
    (
        re.compile(
            r"(?i)\b(oauth_[a-z_]+|(?:access|refresh|id)_token|client_secret|code_verifier|api_?key"
            r"|signature|nonce|password)\b[\"']?\s*[=:]\s*[\"']?[^\"'\s,;&<>]{4,}"
        ),
        rf"\1={_STARS}",
    ),
    (re.compile(r"(?i)\b(code|state|token|secret|key)=[^\"'\s,;&<>]{4,}"), rf"\1={_STARS}"),
)
"""What an echoed header or form looks like, with what is put in its place."""


class Redactor:
    """Replaces secrets, and pieces of them of at least `FRAGMENT` characters, by stars."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._whole: set[str] = set()
        self._pieces: set[str] = set()
        for form in {form for secret in secrets for form in _forms(secret)}:
            if len(form) <= FRAGMENT:
                self._whole.add(form)
            else:
                last = len(form) - FRAGMENT
                self._pieces.update(form[at : at + FRAGMENT] for at in range(last + 1))

    def __call__(self, text: str) -> str:
        """`text` without any of the secrets."""
        marked = bytearray(len(text))
        for whole in self._whole:
            at = text.find(whole)
            while at >= 0:
                marked[at : at + len(whole)] = b"\x01" * len(whole)
                at = text.find(whole, at + 1)
        if self._pieces:
            for at in range(len(text) - FRAGMENT + 1):
                if text[at : at + FRAGMENT] in self._pieces:
                    marked[at : at + FRAGMENT] = b"\x01" * FRAGMENT
        if not any(marked):
            return text
        return "".join(_unmarked(text, marked))


def quoted(text: str, redact: Redactor, limit: int) -> str:
    """`text` of anybody's as one printable line of at most `limit` characters, without secrets.

    Echoed headers and forms are starred out as well, whether or not their values are known.
    """
    piece = text[:_LONGEST_INPUT]
    printable = "".join(each for each in piece if each.isprintable() or each.isspace())
    line = redact(" ".join(printable.split()))
    for pattern, stars in _ECHOED:
        line = pattern.sub(stars, line)
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _forms(secret: str) -> Iterator[str]:
    """A secret as it may be echoed: as it is, on one line, and in the usual encodings."""
    if len(secret) < _SHORTEST:
        return
    line = " ".join("".join(c for c in secret if c.isprintable() or c.isspace()).split())
    for each in dict.fromkeys((secret, line)):
        yield each
        yield quote(each, safe="")
        yield json.dumps(each)[1:-1]
        yield json.dumps(each, ensure_ascii=False)[1:-1]
        yield html.escape(each)


def _unmarked(text: str, marked: bytearray) -> Iterator[str]:
    begin = 0
    for run in re.finditer(b"\x01+", marked):
        yield text[begin : run.start()]
        yield _STARS
        begin = run.end()
    yield text[begin:]
