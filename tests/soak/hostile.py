"""Texts that nobody writes but to find the place where a program takes for ever.

Each shape can be had in any length. Must not hold expectations.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Shape:
    """A text of any length; `splits` says whether every part of it can be small."""

    make: Callable[[int], str]
    splits: bool = True

    def text(self, length: int) -> str:
        """So many code points of it."""
        return self.make(length)[:length]


def _repeated(unit: str, *, head: str = "", splits: bool = True) -> Shape:
    return Shape(lambda length: head + unit * (length // len(unit) + 1), splits)


def _nested(opening: str, closing: str, head: str = "") -> Shape:
    return Shape(lambda length: head + opening * (length // 2) + closing * (length // 2 + 1))


def _at_random(*ranges: tuple[int, int]) -> Shape:
    def make(length: int) -> str:
        dice = random.Random(20261122)
        return "".join(chr(dice.randrange(*dice.choice(ranges))) for _ in range(length))

    return Shape(make)


SHAPES = MappingProxyType(
    {
        "labels": _repeated("a."),
        "labels that are top-level domains": _repeated("a.com."),
        "labels with underscores": _repeated("a_."),
        "international labels": _repeated("日本.みんな"),
        "punycode": _repeated("xn--a."),
        "at signs": _repeated("@"),
        "names in a row": _repeated("@a"),
        "names": _repeated("@abc "),
        "names with hosts": _repeated("@a@b."),
        "names that are links": _repeated("@a.com "),
        "addresses of mail": _repeated("a@b.c"),
        "comments": _repeated("<!--"),
        "combining marks": _repeated("\u0301", head="a", splits=False),
        "combining marks out of order": _repeated("\u0301\u0323", head="a", splits=False),
        "letters with marks out of order": _repeated("a\u0301\u0323" * 3),
        "brackets": _nested("(", ")"),
        "brackets in an address": _nested("(", ")", head="http://a.co/"),
        "brackets in many addresses": _repeated("http://a.co/(("),
        "brackets in brackets in an address": _repeated("(a(b)", head="http://a.co/"),
        "dots behind a link": _repeated(".", head="see https://example.com"),
        "dots behind a bare link": _repeated(".", head="see example.com"),
        "links": _repeated("https://a.co "),
        "bare links": _repeated("a.com "),
        "accidental links": _repeated("a.md "),
        "bare links in other alphabets": _repeated("éa.com "),
        "names in links": _repeated("foo.com/@al "),
        "names in broken links": _repeated("@al.md@"),
        "schemes": _repeated("http://"),
        "schemes with hosts to be": _repeated("http://日本."),
        "queries": Shape(lambda length: "a.co/?" + "?a" * length),
        "flag letters": _repeated("\U0001f1e6"),
        "flags": _repeated("\U0001f1e6\U0001f1ea"),
        "joiners": _repeated("\u200d", splits=False),
        "people joined": _repeated("\U0001f468\u200d", splits=False),
        "families": _repeated("\U0001f468\u200d\U0001f469\u200d\U0001f467 "),
        "keycaps": _repeated("1\ufe0f\u20e3"),
        "signs before nothing": _repeated("\u0600", splits=False),
        "jamos": _repeated("\u1100\u1161"),
        "word joiners": _repeated("a\u2060."),
        "hash signs": _repeated("#"),
        "hashtags": _repeated("#a "),
        "cashtags": _repeated("$A "),
        "short words": _repeated("a "),
        "one word": _repeated("a"),
        "list marks": _repeated("1. "),
        "abbreviations": _repeated("e.g. "),
        "rules": _repeated("---\n"),
        "line ends": Shape(lambda length: "x" + "\n" * (length - 2) + "x"),
        "spaces": Shape(lambda length: "x" + " " * (length - 2) + "x"),
        "shortcodes": _repeated(":a:"),
        "quotes": _repeated('"a" '),
        "lone surrogates": _repeated("\ud800"),
        "random characters": _at_random((32, 0xD800), (0xE000, 0x110000)),
        "random letters": _at_random((32, 0x250)),
        "random signs": _at_random((32, 127)),
    }
)
