"""Values to columns and back: times, texts, verdicts, and parts as versioned JSON.

Pure functions. Whatever cannot be read back raises `LedgerDamaged`, never a bare `ValueError`.
Must not know tables, nor touch a database.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.core.amend import Amendment, Change
from bridge.core.draft import Draft, DraftMedia, DraftPart, DraftPoll
from bridge.core.errors import LedgerDamaged
from bridge.core.model import MediaId, MediaKind, Microdollars, Visibility
from bridge.core.verdict import Action, Reason, Verdict

BODY_VERSION = 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@contextmanager
def decoding() -> Iterator[None]:
    """Turn anything that goes wrong while reading a value back into `LedgerDamaged`."""
    try:
        yield
    except (ValueError, KeyError, TypeError, OverflowError, AttributeError) as error:
        # Chained to nothing: such errors quote what they could not read.
        raise LedgerDamaged(
            "the ledger holds a value that cannot be read "
            f"({type(error).__name__}); restore it from a backup"
        ) from None


def to_micros(moment: datetime) -> int:
    """Whole microseconds since 1970, UTC. Raises `ValueError` for a time without a zone."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone cannot be recorded")
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware UTC time that `to_micros` made `micros` of."""
    with decoding():
        return _EPOCH + timedelta(microseconds=micros)


def micros_or_none(moment: datetime | None) -> int | None:
    """`to_micros`, where there is a time."""
    return None if moment is None else to_micros(moment)


def moment_or_none(micros: int | None) -> datetime | None:
    """`from_micros`, where there is a time."""
    return None if micros is None else from_micros(micros)


def utc_day(moment: datetime) -> str:
    """The UTC day of a time: ``"2026-11-22"``."""
    return moment.astimezone(UTC).date().isoformat()


def storable(text: str) -> str:
    """`text` as UTF-8 can carry it: half a surrogate pair, which JSON lets through, is spelt out.

    The same input always gives the same output, so that ids still find what they named.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


def storable_or_none(text: str | None) -> str | None:
    """`storable`, where there is a text."""
    return None if text is None else storable(text)


def to_notes(notes: tuple[str, ...]) -> str:
    """Notes as a JSON list."""
    return json.dumps(notes)


def from_notes(column: str) -> tuple[str, ...]:
    """The notes that `to_notes` wrote."""
    with decoding():
        return tuple(str(note) for note in json.loads(column))


def to_verdict(action: str, reason: str, detail: str) -> Verdict:
    """A verdict of its three columns."""
    with decoding():
        return Verdict(Action(action), Reason(reason), detail)


def to_body(part: DraftPart) -> str:
    """All of a part but its index and price, which have columns of their own, as ASCII JSON."""
    return json.dumps(
        {
            "version": BODY_VERSION,
            "text": part.text,
            "spoiler": part.spoiler,
            "sensitive": part.sensitive,
            "language": part.language,
            "visibility": part.visibility.value,
            "media": [_from_media(media) for media in part.media],
            "poll": None if part.poll is None else _from_poll(part.poll),
            "quote": part.quote,
            "repeat": part.repeat,
        },
        separators=(",", ":"),
    )


def from_body(index: int, price: int, body: str | None) -> DraftPart:
    """The part of which `to_body` wrote `body`; without a text where that has been purged."""
    amount = Microdollars(price)
    if body is None:
        return DraftPart(index=index, text="", price=amount)
    with decoding():
        fields = json.loads(body)
        if fields["version"] != BODY_VERSION:
            raise ValueError("unknown version")
        return DraftPart(
            index=index,
            price=amount,
            text=fields["text"],
            spoiler=fields["spoiler"],
            sensitive=fields["sensitive"],
            language=fields["language"],
            visibility=Visibility(fields["visibility"]),
            media=tuple(_to_media(media) for media in fields["media"]),
            poll=_to_poll(fields.get("poll")),
            quote=fields.get("quote"),
            repeat=fields.get("repeat"),
        )


def to_pending(amendment: Amendment) -> str:
    """An amendment as versioned JSON."""
    parts = () if amendment.draft is None else amendment.draft.parts
    return json.dumps(
        {
            "version": BODY_VERSION,
            "change": amendment.change.value,
            "parts": [[part.index, part.price, to_body(part)] for part in parts],
            "notes": amendment.notes,
            "held": amendment.held,
        },
        separators=(",", ":"),
    )


def from_pending(column: str) -> Amendment:
    """The amendment that `to_pending` wrote."""
    with decoding():
        fields = json.loads(column)
        if fields["version"] != BODY_VERSION:
            raise ValueError("unknown version")
        change = Change(fields["change"])
        parts = tuple(from_body(*part) for part in fields["parts"])
        draft = None if change is Change.REMOVE else Draft(parts)
        return Amendment(change, draft, tuple(fields["notes"]), held=fields["held"])


def _from_poll(poll: DraftPoll) -> dict[str, object]:
    return {
        "options": poll.options,
        "ends_at": to_micros(poll.ends_at),
        "multiple": poll.multiple,
        "otherwise": poll.otherwise,
    }


def _to_poll(fields: dict[str, Any] | None) -> DraftPoll | None:
    if fields is None:
        return None
    return DraftPoll(
        options=tuple(fields["options"]),
        ends_at=from_micros(fields["ends_at"]),
        multiple=fields["multiple"],
        otherwise=fields["otherwise"],
    )


def _from_media(media: DraftMedia) -> dict[str, object]:
    return {
        "id": media.id,
        "kind": media.kind.value,
        "url": media.url,
        "alt": media.alt,
        "still": media.still,
    }


def _to_media(fields: dict[str, Any]) -> DraftMedia:
    return DraftMedia(
        id=MediaId(fields["id"]),
        kind=MediaKind(fields["kind"]),
        url=fields["url"],
        alt=fields["alt"],
        still=fields.get("still"),
    )
