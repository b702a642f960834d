"""A part as the arguments of one request that creates or changes a status.

Pure. Must not decide what is said: the text comes fitted and is sent as it stands. The one choice
made here is the part's own, between a poll and the words that stand for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypedDict

from bridge.core.capabilities import PollLimits
from bridge.core.draft import DraftPart
from bridge.core.model import MediaId, PostId
from bridge.networks.mastodon.markup import literal

_CODE = re.compile(r"[a-z]{2,3}")
_PRIVATE = re.compile(r"q[a-t][a-z]")
_NO_LANGUAGE = frozenset(("art", "mis", "mul", "und", "zxx"))
_WITHDRAWN = {"in": "id", "iw": "he", "ji": "yi"}
"""ISO 639-1 codes withdrawn in 1989 that X still uses, and what replaced them."""


class PollArguments(TypedDict):
    """A poll to be made; `expires_in` in whole seconds."""

    options: list[str]
    expires_in: int
    multiple: bool
    hide_totals: bool


class StatusArguments(TypedDict):
    """Keyword arguments of Mastodon.py's ``status_post``; none is left to account defaults."""

    status: str
    in_reply_to_id: str | None
    media_ids: list[str] | None
    poll: PollArguments | None
    quoted_status_id: str | None
    sensitive: bool
    visibility: str
    spoiler_text: str | None
    language: str | None
    idempotency_key: str


class MediaAttributes(TypedDict):
    """The alt text that an attached medium is to have."""

    id: str
    description: str


class EditArguments(TypedDict):
    """Keyword arguments of Mastodon.py's ``status_update``, all of them.

    What is left out of an edit is taken away by some servers and kept by others. The
    library takes `media_ids` or `media_attributes`, which name the same ids in order, not both.
    """

    status: str
    media_ids: list[str] | None
    media_attributes: list[MediaAttributes] | None
    poll: PollArguments | None
    sensitive: bool
    spoiler_text: str


def arguments(
    part: DraftPart,
    *,
    reply_to: PostId | None,
    key: str,
    now: datetime,
    media: Sequence[MediaId] = (),
    markup: bool = False,
) -> StatusArguments:
    """How `part` is asked for at `now`, as a reply to `reply_to`, under the idempotency key `key`.

    `markup` says that the server takes its text for markup.
    A content warning makes a post sensitive on Mastodon anyway; other servers are told so.
    """
    return StatusArguments(
        status=literal(part.text) if markup else part.text,
        in_reply_to_id=reply_to,
        media_ids=list(media) or None,
        poll=poll_arguments(part, now),
        quoted_status_id=part.quote,
        sensitive=part.sensitive or bool(part.spoiler),
        visibility=part.visibility.value,
        spoiler_text=part.spoiler or None,
        language=language_code(part.language),
        idempotency_key=key,
    )


def edit_arguments(
    part: DraftPart, *, now: datetime, media: Sequence[MediaId] = (), markup: bool = False
) -> EditArguments:
    """How a post is given the whole of `part` at `now`; its audience and parent cannot be changed.

    Where each of `media` has a counterpart in `part.media`, it is given that one's alt text too.
    """
    described = len(media) == len(part.media) > 0
    return EditArguments(
        status=literal(part.text) if markup else part.text,
        media_ids=None if described else list(media),
        media_attributes=[
            MediaAttributes(id=each, description=medium.alt)
            for each, medium in zip(media, part.media, strict=True)
        ]
        if described
        else None,
        poll=poll_arguments(part, now),
        sensitive=part.sensitive or bool(part.spoiler),
        spoiler_text=part.spoiler,
    )


def poll_arguments(part: DraftPart, now: datetime) -> PollArguments | None:
    """The part's poll, for the whole seconds that it has left at `now`."""
    if part.poll is None:
        return None
    return PollArguments(
        options=list(part.poll.options),
        expires_in=int((part.poll.ends_at - now) / timedelta(seconds=1)),
        multiple=part.poll.multiple,
        hide_totals=False,
    )


def in_time(part: DraftPart, limits: PollLimits | None, now: datetime) -> DraftPart:
    """`part` as it can be sent at `now`: its poll no longer than `limits` allow.

    Where too little time is left for a poll, or there are none here any more, it stands in words.
    """
    poll = part.poll
    if poll is None:
        return part
    if limits is None or poll.ends_at - now < limits.shortest:
        return replace(part, text=poll.otherwise, poll=None)
    if poll.ends_at - now > limits.longest:
        return replace(part, poll=replace(poll, ends_at=now + limits.longest))
    return part


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
