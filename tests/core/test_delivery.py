"""The life of a part: which moves exist, and when a failed one is tried again."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.delivery import (
    LONGEST_TOLD_WAIT,
    LONGEST_WAIT,
    TRANSITIONS,
    PartEvent,
    PartState,
    PostState,
    after,
    next_attempt,
    post_state,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
jitters = st.floats(0, 1, exclude_max=True)
states = st.lists(st.sampled_from(PartState), min_size=1, max_size=6)


def test_a_delivered_part_never_moves_again() -> None:
    assert not [move for move in TRANSITIONS if move[0] is PartState.DELIVERED]


def test_a_part_in_doubt_is_sent_again_only_when_proven_absent() -> None:
    ways = {
        e
        for (s, e), to in TRANSITIONS.items()
        if s is PartState.IN_DOUBT and to is PartState.PLANNED
    }
    assert ways == {PartEvent.PROVEN_ABSENT}


def test_only_a_planned_part_can_be_claimed() -> None:
    assert [s for (s, e) in TRANSITIONS if e is PartEvent.CLAIM] == [PartState.PLANNED]


def test_a_move_that_is_not_drawn_is_an_error() -> None:
    with pytest.raises(ValueError, match="delivered cannot take claim"):
        after(PartState.DELIVERED, PartEvent.CLAIM)


@given(st.integers(1, 10_000), jitters)
def test_waits_grow_but_stay_within_their_bounds(attempts: int, jitter: float) -> None:
    wait = next_attempt(attempts, now=NOW, jitter=jitter) - NOW
    assert timedelta(0) < wait <= LONGEST_WAIT
    assert wait <= next_attempt(attempts + 1, now=NOW, jitter=jitter) - NOW


@given(st.integers(1, 50), jitters, st.datetimes(timezones=st.just(UTC)))
def test_no_header_can_stall_a_bridge_or_hurry_it(
    attempts: int, jitter: float, told: datetime
) -> None:
    own = next_attempt(attempts, now=NOW, jitter=jitter)
    assert (
        own <= next_attempt(attempts, now=NOW, jitter=jitter, until=told) <= NOW + LONGEST_TOLD_WAIT
    )


@given(states)
def test_a_post_is_delivered_only_when_all_its_parts_are(parts: list[PartState]) -> None:
    assert (post_state(parts) is PostState.DELIVERED) == (set(parts) == {PartState.DELIVERED})


@given(states)
def test_what_needs_somebody_is_never_hidden_by_other_parts(parts: list[PartState]) -> None:
    if PartState.HELD in parts:
        assert post_state(parts) is PostState.HELD


@given(states)
def test_a_thread_that_stands_in_part_only_says_so(parts: list[PartState]) -> None:
    if set(parts) == {PartState.DELIVERED, PartState.FAILED}:
        assert post_state(parts) is PostState.PARTIAL
