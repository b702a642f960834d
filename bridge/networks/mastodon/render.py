"""A part as the arguments of one request that creates a status.

Pure. Must not decide what is said: the text comes fitted and is sent as it stands.
"""

from __future__ import annotations

import re
from typing import TypedDict

from bridge.core.draft import DraftPart
from bridge.core.model import PostId

_CODE = re.compile(r"[a-z]{2,3}")
_PRIVATE = re.compile(r"q[a-t][a-z]")
_NO_LANGUAGE = frozenset(("art", "mis", "mul", "und", "zxx"))
_WITHDRAWN = {"in": "id", "iw": "he", "ji": "yi"}
"""ISO 639-1 codes withdrawn in 1989 that X still uses, and what replaced them."""


class StatusArguments(TypedDict):
    """Keyword arguments of Mastodon.py's ``status_post``; none is left to account defaults."""

    status: str
    in_reply_to_id: str | None
    sensitive: bool
    visibility: str
    spoiler_text: str | None
    language: str | None
    idempotency_key: str


def arguments(part: DraftPart, *, reply_to: PostId | None, key: str) -> StatusArguments:
    """How `part` is asked for, as a reply to `reply_to`, under the idempotency key `key`.

    A content warning makes a post sensitive on Mastodon anyway; other servers are told so.
    """
    return StatusArguments(
        status=part.text,
        in_reply_to_id=reply_to,
        sensitive=part.sensitive or bool(part.spoiler),
        visibility=part.visibility.value,
        spoiler_text=part.spoiler or None,
        language=language_code(part.language),
        idempotency_key=key,
    )


def language_code(code: str | None) -> str | None:
    """An ISO 639 code for `code`, or None where it names no language.

    A server takes an unknown code for the account's own language, which would be a wrong claim;
    without one it decides by itself. Regions and scripts are cut: ``pt-BR`` is ``pt``.
    """
    primary = re.split("[-_]", (code or "").strip().lower(), maxsplit=1)[0]
    primary = _WITHDRAWN.get(primary, primary)
    if not _CODE.fullmatch(primary) or primary in _NO_LANGUAGE or _PRIVATE.fullmatch(primary):
        return None
    return primary
