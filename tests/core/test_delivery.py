"""The life of a part: which moves exist, and when a failed one is tried again."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.delivery import (
    LONGEST_TOLD_WAIT,
    LONGEST_WAIT,
    STANDING,
    TRANSITIONS,
    UNDER_WAY,
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


DRAWN = """
    planned    claim              attempting
    planned    thread-broken-off  failed
    planned    withdrawn          dropped
    attempting receipt            delivered
    attempting surely-not-done    planned
    attempting turned-away        planned
    attempting refusal            failed
    attempting doubt              in-doubt
    in-doubt   proven-present     delivered
    in-doubt   proven-absent      planned
    in-doubt   unprovable         held
    held       proven-present     delivered
    held       owner-says-sent    delivered
    held       owner-says-retry   planned
    failed     owner-says-retry   planned
    planned    owner-drops        dropped
    held       owner-drops        dropped
    failed     owner-drops        dropped
    planned    proven-present     delivered
    planned    put-off            planned
    planned    media-missing      planned
    planned    reshaped           planned
    planned    given-up           failed
    planned    held-back          held
    planned    edited             planned
    held       edited             held
    failed     edited             failed
    delivered  edited             outdated
    outdated   edited             outdated
    outdated   put-off            outdated
    outdated   media-missing      outdated
    outdated   reshaped           outdated
    outdated   refusal            delivered
    outdated   claim              revising
    revising   receipt            delivered
    revising   refusal            delivered
    revising   unprovable         delivered
    revising   missing            gone
    revising   surely-not-done    outdated
    revising   turned-away        outdated
    revising   doubt              outdated
    planned    superfluous        gone
    held       superfluous        gone
    failed     superfluous        gone
    dropped    superfluous        gone
    delivered  superfluous        unwanted
    outdated   superfluous        unwanted
    planned    retracted          dropped
    held       retracted          dropped
    failed     retracted          dropped
    delivered  retracted          unwanted
    outdated   retracted          unwanted
    unwanted   claim              deleting
    deleting   removed            gone
    deleting   refusal            delivered
    deleting   surely-not-done    unwanted
    deleting   turned-away        unwanted
    deleting   doubt              unwanted
"""
"""Every move there is: from, by, to. Written by hand, apart from the code."""


def test_the_moves_are_those_that_are_drawn_and_no_others() -> None:
    drawn = {tuple(line.split()) for line in DRAWN.splitlines() if line}
    assert {(s.value, e.value, to.value) for (s, e), to in TRANSITIONS.items()} == drawn
    allowed = {(state, event) for state, event, _ in drawn}
    for state in PartState:
        for event in PartEvent:
            if (state.value, event.value) not in allowed:
                with pytest.raises(ValueError, match=f"{state.value} cannot take {event.value}"):
                    after(state, event)


def test_a_part_that_stands_is_never_sent_again() -> None:
    reached, new = set[PartState](), {PartState.DELIVERED}
    while new:
        reached |= new
        new = {to for (s, _), to in TRANSITIONS.items() if s in reached} - reached
    assert reached == STANDING | {PartState.GONE}


def test_a_part_is_changed_over_there_only_because_its_post_was() -> None:
    ways = {e for (s, e) in TRANSITIONS if s is PartState.DELIVERED}
    assert ways == {PartEvent.EDITED, PartEvent.SUPERFLUOUS, PartEvent.RETRACTED}


def test_what_is_gone_or_was_dropped_never_comes_back() -> None:
    over = {PartState.GONE, PartState.DROPPED}
    assert {to for (s, _), to in TRANSITIONS.items() if s in over} <= {PartState.GONE}


def test_a_part_in_doubt_is_sent_again_only_when_proven_absent() -> None:
    ways = {
        e
        for (s, e), to in TRANSITIONS.items()
        if s is PartState.IN_DOUBT and to is PartState.PLANNED
    }
    assert ways == {PartEvent.PROVEN_ABSENT}


def test_what_can_be_claimed_is_to_be_sent_edited_or_deleted() -> None:
    assert {s: to for (s, e), to in TRANSITIONS.items() if e is PartEvent.CLAIM} == {
        PartState.PLANNED: PartState.ATTEMPTING,
        PartState.OUTDATED: PartState.REVISING,
        PartState.UNWANTED: PartState.DELETING,
    }


def test_what_is_under_way_cannot_be_edited_or_deleted_before_that_has_ended() -> None:
    moves = {PartEvent.EDITED, PartEvent.SUPERFLUOUS, PartEvent.RETRACTED}
    assert not [s for (s, e) in TRANSITIONS if s in UNDER_WAY and e in moves]


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


@pytest.mark.parametrize(
    ("parts", "post"),
    [
        ("planned", "planned"),
        ("planned planned", "planned"),
        ("attempting planned", "sending"),
        ("delivered planned", "sending"),
        ("gone planned", "sending"),
        ("delivered delivered", "delivered"),
        ("delivered gone", "delivered"),
        ("delivered failed", "partial"),
        ("delivered dropped", "partial"),
        ("failed planned", "failed"),
        ("failed dropped", "failed"),
        ("dropped planned", "dropped"),
        ("dropped dropped", "dropped"),
        ("in-doubt delivered failed", "in-doubt"),
        ("held in-doubt attempting", "held"),
        ("in-doubt attempting", "in-doubt"),
        ("outdated delivered", "changing"),
        ("revising failed", "changing"),
        ("unwanted gone", "changing"),
        ("deleting delivered", "changing"),
        ("gone", "removed"),
        ("gone dropped", "removed"),
        ("gone failed", "failed"),
    ],
)
def test_the_state_of_a_post_follows_from_its_parts(parts: str, post: str) -> None:
    assert post_state([PartState(part) for part in parts.split()]) is PostState(post)


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(1, 15), (2, 30), (3, 60), (8, 1920), (9, 3600), (10, 3600), (17, 3600), (1000, 3600)],
)
def test_waits_double_from_a_quarter_minute_to_an_hour(attempts: int, seconds: int) -> None:
    full = next_attempt(attempts, now=NOW, jitter=0.0)
    assert full == NOW + timedelta(seconds=seconds)
    assert next_attempt(attempts, now=NOW, jitter=0.5) == NOW + timedelta(seconds=seconds * 0.75)


@given(states)
def test_a_post_is_delivered_only_when_all_its_parts_are(parts: list[PartState]) -> None:
    left = set(parts) - {PartState.GONE}
    assert (post_state(parts) is PostState.DELIVERED) == (left == {PartState.DELIVERED})


@given(states)
def test_a_post_is_removed_once_nothing_of_it_stands_or_is_to_be_sent(
    parts: list[PartState],
) -> None:
    over = {PartState.GONE, PartState.DROPPED}
    removed = PartState.GONE in parts and set(parts) <= over
    assert (post_state(parts) is PostState.REMOVED) == removed


@given(states)
def test_what_needs_somebody_is_never_hidden_by_other_parts(parts: list[PartState]) -> None:
    if PartState.HELD in parts:
        assert post_state(parts) is PostState.HELD


@given(states)
def test_a_thread_that_stands_in_part_only_says_so(parts: list[PartState]) -> None:
    if set(parts) == {PartState.DELIVERED, PartState.FAILED}:
        assert post_state(parts) is PostState.PARTIAL
