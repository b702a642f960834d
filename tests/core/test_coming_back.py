"""Promise 5, no flood: what piled up while nobody was there is told from what was just written.

Bars of docs/reliability.md: R14.
"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.guards import Return, late
from bridge.core.model import AccountId, Network, Post, PostId, Visibility
from bridge.core.rules import History, Rules, decide
from bridge.core.text import Text
from bridge.core.verdict import CATCHABLE, NOT_OURS, SENTENCES, Action, Reason, Verdict

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY, MONTH, MINUTE = timedelta(days=1), timedelta(days=30), timedelta(minutes=1)
PUBLIC = Rules(frozenset({Visibility.PUBLIC}))


def post(*, ago: timedelta = timedelta(0), audience: Visibility = Visibility.PUBLIC) -> Post:
    return Post(Network.MASTODON, PostId("1"), AccountId("me"), NOW - ago, Text("Hello"), audience)


def reason(verdict: Verdict | None) -> Reason | None:
    return None if verdict is None else verdict.reason


@pytest.mark.parametrize(
    ("written", "absent", "expected"),
    [
        (timedelta(days=29), MONTH, Reason.TOO_OLD),
        (DAY + MINUTE, MONTH, Reason.TOO_OLD),
        (DAY, MONTH, None),
        (MINUTE, MONTH, None),
    ],
)
def test_promise_5_after_an_absence_the_last_day_crosses_and_no_more(
    written: timedelta, absent: timedelta, expected: Reason | None
) -> None:
    assert reason(late(post(ago=written), Return(NOW, absent), DAY)) is expected


def test_without_an_absence_nothing_is_old_whatever_the_own_clock_says() -> None:
    a_year_ahead = Return(NOW + timedelta(days=365), absent=MINUTE)
    assert late(post(), a_year_ahead, DAY) is None


def test_a_source_that_was_never_read_to_its_end_is_read_from_where_its_owner_said() -> None:
    assert late(post(ago=timedelta(days=4000)), Return(NOW, None), DAY) is None


def test_an_owner_may_want_everything_however_old() -> None:
    assert late(post(ago=timedelta(days=4000)), Return(NOW, MONTH), None) is None


def test_after_a_restored_backup_nothing_is_believed_to_have_no_mirror() -> None:
    for age in (None, DAY):
        assert reason(late(post(), Return(NOW, MINUTE, restored=True), age)) is Reason.RESTORED


@given(st.sampled_from(Visibility), st.booleans())
def test_what_would_stay_anyway_keeps_its_own_reason(audience: Visibility, restored: bool) -> None:
    too_late = Verdict(Action.SKIP, Reason.RESTORED if restored else Reason.TOO_OLD)
    verdict = decide(post(audience=audience), PUBLIC, History(late=too_late))
    assert verdict.action is Action.SKIP
    assert (verdict == too_late) is (audience is Visibility.PUBLIC)


def test_what_an_owner_can_still_have_sent_says_how() -> None:
    for one in (Reason.RESTORED, Reason.TOO_OLD):
        assert one in CATCHABLE
        assert "twinpost catch-up" in SENTENCES[one]
    assert not CATCHABLE & NOT_OURS
