"""Character references: `&amp;` and its kind, taken for what they stand for.

The standard library does it, with a table of all names there are; that takes half a megabyte, and
what posts hold are six of them. Must not know markup.
"""

from __future__ import annotations

import re

_USUAL = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'", "#39": "'", "nbsp": "\xa0"}
_USUAL_RE = re.compile(rf"&({'|'.join(_USUAL)});")


def unescaped(text: str) -> str:
    """`text` with every character reference replaced, once, as a browser does in running text."""
    signs = text.count("&")
    if not signs:
        return text
    usual, count = _USUAL_RE.subn(lambda reference: _USUAL[reference[1]], text)
    if count == signs:
        return usual
    from html import unescape  # noqa: PLC0415 - the table of all names is loaded where it is needed

    return unescape(text)
