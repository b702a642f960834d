"""Text that comes from outside, made fit for a message: one line, printable, bounded.

Every word of a server that reaches an error, a log or a person passes through `from_outside`. Must
not decide what an answer means.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping

from bridge.core.redaction import Redactor, quoted
from bridge.networks.fields import readable

_LONGEST_TITLE = 100
_SEARCHED = 64 * 1024
"""Bytes of a page in which its title is looked for."""

_TITLE = re.compile(r"<title(?:\s[^<>]{0,200})?>([^<]{0,1000})", re.IGNORECASE)
_MARKUP = re.compile(
    r"^\s*<(?:!doctype|html|head|body|\?xml|title|script|center|h1)\b", re.IGNORECASE
)


def from_outside(text: str, longest: int, redact: Redactor) -> str:
    """`text` on one line, without control or direction characters, cut after `longest`.

    `redact` knows the secrets and texts of the request: an answer may echo it.
    """
    return quoted(readable(text), redact, longest)


def claims_html(headers: Mapping[str, str]) -> bool:
    """Whether an answer says that it is a web page. Header names are lower case."""
    return "html" in headers.get("content-type", "").lower()


def describe_foreign(body: bytes, headers: Mapping[str, str], redact: Redactor) -> str:
    """What stands in the place of the API's own answer, for people: a page is named by its title.

    ``a web page titled “Just a moment...” instead of an answer of the API``.
    """
    return f"{_what(body, headers, redact)} instead of an answer of the API"


def _what(body: bytes, headers: Mapping[str, str], redact: Redactor) -> str:
    if not body.strip():
        return "nothing"
    text = body[:_SEARCHED].decode("utf-8", "replace")
    if claims_html(headers) or _MARKUP.match(text):
        found = _TITLE.search(text)
        title = from_outside(html.unescape(found[1]), _LONGEST_TITLE, redact) if found else ""
        return f"a web page titled “{title}”" if title else "a web page without a title"
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return "unreadable JSON" if text.lstrip()[:1] in {"{", "["} else "text"
    return "JSON of another kind"
