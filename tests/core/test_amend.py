"""What an edit means for the parts of a mirror, whatever state they are in."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.amend import Amendment, Change, is_under_way, moves
from bridge.core.delivery import STANDING, PartEvent, PartState, after
from bridge.core.draft import Draft, DraftMedia, DraftPart, DraftPoll
from bridge.core.model import BridgeName, Direction, MediaId, MediaKind, Microdollars, PostId, Route
from bridge.core.record import PartKey, PartRecord

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ROUTE = Route(BridgeName("personal"), Direction.MASTODON_TO_X)
ENDED = {PartState.GONE, PartState.UNWANTED, PartState.DROPPED}


def part(index: int, text: str) -> DraftPart:
    return DraftPart(index, text, Microdollars(15_000))


def draft(*texts: str) -> Draft:
    return Draft(tuple(part(index, text) for index, text in enumerate(texts)))


def record(index: int, state: PartState, text: str = "a", *, aside: bool = False) -> PartRecord:
    key = PartKey(ROUTE, PostId("1"), index)
    return PartRecord(key, state, part(index, text), NOW, aside=aside)


records = st.lists(
    st.tuples(st.sampled_from(PartState), st.sampled_from("abc")), min_size=1, max_size=5
).map(lambda found: [record(index, *one) for index, one in enumerate(found)])
texts = st.lists(st.sampled_from("abc"), min_size=1, max_size=5)
changes = st.sampled_from([Change.REPLACE, Change.AFRESH, Change.NOTE])


def amended(
    parts: list[PartRecord], amendment: Amendment
) -> dict[int, tuple[PartState, str, bool]]:
    """The parts once every move is made, which `core.delivery` has to allow."""
    found = {p.key.index: (p.state, p.part.text, p.aside) for p in parts}
    for move in moves(parts, amendment):
        if move.event is None:
            assert move.index not in found
            assert move.part is not None
            found[move.index] = (PartState.PLANNED, move.part.text, move.aside)
            continue
        state, text, aside = found[move.index]
        text = text if move.part is None else move.part.text
        found[move.index] = (after(state, move.event), text, aside)
    return found


@given(records, texts, changes, st.booleans())
def test_every_move_is_drawn_and_no_index_is_used_twice(
    parts: list[PartRecord], said: list[str], change: Change, held: bool
) -> None:
    amendment = Amendment(change, draft(*said), held=held)
    if any(is_under_way(p) for p in parts):
        with pytest.raises(ValueError, match="under way"):
            moves(parts, amendment)
        return
    found = amended(parts, amendment)
    assert sorted(found) == list(range(len(found)))
    if held:
        assert PartState.PLANNED not in {state for state, _, _ in found.values()}


@given(records, texts)
def test_an_edited_mirror_says_what_its_post_says_part_by_part(
    parts: list[PartRecord], said: list[str]
) -> None:
    if any(is_under_way(p) or p.state is PartState.DROPPED for p in parts):
        return
    found = amended(parts, Amendment(Change.REPLACE, draft(*said)))
    assert [text for state, text, _ in found.values() if state not in ENDED] == said


@given(records, texts)
def test_an_edit_touches_nothing_that_stays_the_same(
    parts: list[PartRecord], said: list[str]
) -> None:
    if any(is_under_way(p) for p in parts):
        return
    once = Amendment(Change.REPLACE, draft(*said))
    found = amended(parts, once)
    again = [
        record(index, state, text, aside=aside) for index, (state, text, aside) in found.items()
    ]
    assert moves(again, once) == ()


@given(records)
def test_after_a_deletion_nothing_stands_for_long_and_nothing_is_sent(
    parts: list[PartRecord],
) -> None:
    if any(is_under_way(p) for p in parts):
        return
    assert {state for state, _, _ in amended(parts, Amendment(Change.REMOVE)).values()} <= ENDED


def test_what_stands_is_deleted_before_all_is_posted_again() -> None:
    parts = [record(0, PartState.DELIVERED), record(1, PartState.PLANNED)]
    found = amended(parts, Amendment(Change.AFRESH, draft("x", "y")))
    assert [state for state, _, _ in found.values()] == [
        PartState.UNWANTED,
        PartState.GONE,
        PartState.PLANNED,
        PartState.PLANNED,
    ]


def test_a_reply_that_tells_of_an_edit_is_no_part_of_what_is_edited() -> None:
    parts = [record(0, PartState.DELIVERED), record(1, PartState.DELIVERED, aside=True)]
    found = amended(parts, Amendment(Change.REPLACE, draft("x")))
    assert [state for state, _, _ in found.values()] == [PartState.OUTDATED, PartState.DELIVERED]


def test_only_what_is_seen_counts_as_a_difference() -> None:
    medium = DraftMedia(MediaId("m"), MediaKind.IMAGE, "https://one.example/1.png", "a cat")
    poll = DraftPoll(("yes", "no"), NOW, multiple=False, otherwise="yes, no")
    shown = replace(part(0, "a"), media=(medium,), poll=poll)
    unseen = replace(
        shown,
        price=Microdollars(1),
        media=(replace(medium, url="https://two.example/1.png", still="https://x.example"),),
        poll=replace(poll, otherwise="other words"),
    )
    seen = [
        replace(shown, media=(replace(medium, alt="a dog"),)),
        replace(shown, poll=replace(poll, options=("yes", "never"))),
        replace(shown, spoiler="careful"),
        replace(shown, sensitive=True),
    ]
    there = [replace(record(0, PartState.DELIVERED), part=shown)]
    assert moves(there, Amendment(Change.REPLACE, Draft((unseen,)))) == ()
    for other in seen:
        (move,) = moves(there, Amendment(Change.REPLACE, Draft((other,))))
        assert (move.event, move.part) == (PartEvent.EDITED, other)
    assert PartState.DELIVERED in STANDING
