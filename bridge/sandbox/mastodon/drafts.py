"""Requests to post, as Mastodon's controller permits their parameters.

Must not judge a draft; that is `posting`'s. What has the wrong shape was never sent.
"""

from __future__ import annotations

from datetime import UTC, datetime

from bridge.sandbox.mastodon.oauth import Token
from bridge.sandbox.mastodon.params import Params
from bridge.sandbox.mastodon.problems import Json, invalid
from bridge.sandbox.mastodon.records import PollDraft, Scheduled, StatusDraft
from bridge.sandbox.mastodon.serialise import moment


def draft_of(params: Params, token: Token) -> StatusDraft:
    """The post that a request asks for. Raises `ApiError` 422 for a time that is none."""
    return StatusDraft(
        text=params.text("status") or "",
        spoiler_text=params.text("spoiler_text"),
        visibility=params.text("visibility") or None,
        sensitive=params.flag("sensitive"),
        language=params.text("language"),
        in_reply_to=params.text("in_reply_to_id") or None,
        quote_of=params.text("quoted_status_id") or None,
        media=tuple(dict.fromkeys(one for one in params.texts("media_ids") or () if one)),
        poll=_poll(params.group("poll")),
        allowed_mentions=params.texts("allowed_mentions"),
        scheduled_at=_time(params.text("scheduled_at")),
        application=token.application,
        website=token.website,
    )


def new_alt_texts(params: Params) -> tuple[tuple[str, str], ...]:
    """Pairs of file id and alt text under ``media_attributes``."""
    pairs = []
    for attributes in params.groups("media_attributes"):
        medium_id, description = attributes.text("id"), attributes.text("description")
        if medium_id is not None and description is not None:
            pairs.append((medium_id, description))
    return tuple(pairs)


def scheduled_json(waiting: Scheduled, media: list[Json]) -> Json:
    """A ScheduledStatus."""
    draft = waiting.draft
    poll: Json | None = None
    if draft.poll is not None:
        poll = {
            "options": list(draft.poll.options),
            "expires_in": draft.poll.expires_in,
            "multiple": draft.poll.multiple,
            "hide_totals": draft.poll.hide_totals,
        }
    return {
        "id": waiting.id,
        "scheduled_at": moment(waiting.at),
        "params": {
            "text": draft.text,
            "media_ids": list(draft.media) or None,
            "sensitive": draft.sensitive,
            "spoiler_text": draft.spoiler_text,
            "visibility": draft.visibility,
            "language": draft.language,
            "scheduled_at": None,
            "poll": poll,
            "idempotency": None,
            "with_rate_limit": False,
            "in_reply_to_id": draft.in_reply_to,
            "quoted_status_id": draft.quote_of,
            "allowed_mentions": draft.allowed_mentions and list(draft.allowed_mentions),
        },
        "media_attachments": media,
    }


def _poll(group: Params | None) -> PollDraft | None:
    if group is None:
        return None
    return PollDraft(
        options=group.texts("options") or (),
        expires_in=group.number("expires_in"),
        multiple=bool(group.flag("multiple")),
        hide_totals=bool(group.flag("hide_totals")),
    )


def _time(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise invalid("Scheduled at is invalid") from None
    return value if value.tzinfo else value.replace(tzinfo=UTC)
