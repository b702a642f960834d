"""What an edit, or the deletion, of a post means for the parts of its mirror.

One pure function from the parts as they are to their moves. Must not decide whether an edit is
carried over at all, nor touch parts that something is being done with: whoever asks waits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import zip_longest

from bridge.core.delivery import UNDER_WAY, PartEvent, PartState
from bridge.core.draft import Draft, DraftPart
from bridge.core.record import Awaited, PartRecord


class Change(StrEnum):
    """In which way a mirror follows its post."""

    REPLACE = "replace"
    """What stands is edited where it stands; it may become more or less."""
    AFRESH = "afresh"
    """What stands is deleted, and all is posted again."""
    NOTE = "note"
    """What stands stays, and a reply below it tells of the edit."""
    REMOVE = "remove"
    """The post is no more: what stands is deleted, what does not stand is not sent."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """A change of a mirror. `draft` is what it is to be, or the reply; None for `REMOVE` alone.

    `notes` are added to what is told of the post. `held` keeps from leaving what was not sent yet,
    until its owner has spoken. `awaits` is that of a `Decision`: nothing of it is sent before.
    """

    change: Change
    draft: Draft | None = None
    notes: tuple[str, ...] = ()
    held: bool = False
    awaits: Awaited | None = None

    def __post_init__(self) -> None:
        if (self.change is Change.REMOVE) is not (self.draft is None):
            raise ValueError("a removal has no draft, and every other change has one")


@dataclass(frozen=True, slots=True)
class Move:
    """What happens to the part at `index`. Without an event, `part` is a new one to be planned."""

    index: int
    event: PartEvent | None = None
    part: DraftPart | None = None
    aside: bool = False


_OVER = frozenset({PartState.UNWANTED, PartState.GONE})


def is_under_way(part: PartRecord) -> bool:
    """Whether something is being done with `part`, or may have been: that has to end first."""
    asked_for = part.state is PartState.HELD and part.attempts > 0
    return part.state in UNDER_WAY or asked_for


def moves(parts: Sequence[PartRecord], amendment: Amendment) -> tuple[Move, ...]:
    """What becomes of `parts` (in order), and which new ones follow, by `amendment`.

    Part by part, what is the same stays untouched. Indexes are never used twice, so that no two
    posts are ever sent under one name. Raises `ValueError` where a part is under way.
    """
    if any(is_under_way(part) for part in parts):
        raise ValueError("a part is under way")
    live = [part for part in parts if part.state not in _OVER]
    fresh = max((part.key.index for part in parts), default=-1) + 1
    wanted = () if amendment.draft is None else amendment.draft.parts
    match amendment.change:
        case Change.REMOVE:
            found = _ended(live, PartEvent.RETRACTED)
        case Change.AFRESH:
            found = [*_ended(live, PartEvent.SUPERFLUOUS), *_new(wanted, fresh)]
        case Change.NOTE:
            unsent = [p for p in live if p.aside and p.state is PartState.PLANNED]
            found = [
                *_ended(unsent, PartEvent.SUPERFLUOUS),
                *(replace(move, aside=True) for move in _new(wanted, fresh)),
            ]
        case Change.REPLACE:
            own = [part for part in live if not part.aside]
            found = list(_replaced(own, wanted, fresh))
    return tuple([*found, *_held_back(live, found)] if amendment.held else found)


def same_content(one: DraftPart, other: DraftPart) -> bool:
    """Whether both parts show the same, wherever their media are fetched from."""
    return _content(one) == _content(other)


def _content(part: DraftPart) -> tuple[object, ...]:
    poll = part.poll and (part.poll.options, part.poll.multiple)
    media = tuple((medium.id, medium.kind, medium.alt) for medium in part.media)
    said = (part.text, part.spoiler, part.sensitive, part.language)
    return (*said, media, poll, part.quote, part.repeat)


def _ended(parts: Sequence[PartRecord], event: PartEvent) -> list[Move]:
    open_parts = [part for part in parts if part.state is not PartState.DROPPED]
    return [Move(part.key.index, event) for part in open_parts]


def _new(wanted: Sequence[DraftPart], fresh: int) -> list[Move]:
    return [
        Move(index, None, replace(part, index=index)) for index, part in enumerate(wanted, fresh)
    ]


def _replaced(own: Sequence[PartRecord], wanted: Sequence[DraftPart], fresh: int) -> Iterator[Move]:
    for place, (record, part) in enumerate(zip_longest(own, wanted)):
        if record is None and part is not None:
            index = fresh + place - len(own)
            yield Move(index, None, replace(part, index=index))
        elif record is not None and part is None:
            yield Move(record.key.index, PartEvent.SUPERFLUOUS)
        elif record is not None and part is not None and record.state is not PartState.DROPPED:
            part = replace(part, index=record.key.index)  # noqa: PLW2901 - the same, in its place
            if not same_content(record.part, part):
                yield Move(record.key.index, PartEvent.EDITED, part)


def _held_back(live: Sequence[PartRecord], found: Sequence[Move]) -> list[Move]:
    ended = {move.index for move in found if move.event is PartEvent.SUPERFLUOUS}
    planned = [part.key.index for part in live if part.state is PartState.PLANNED]
    new = [move.index for move in found if move.event is None]
    return [Move(index, PartEvent.HELD_BACK) for index in (*planned, *new) if index not in ended]
