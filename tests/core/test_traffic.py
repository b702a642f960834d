"""Calls as figures see them: bounded words, and numbers that a hostile header cannot bend."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.traffic import Allowance, Result, Span, allowance, result_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SOON = NOW + timedelta(minutes=9)


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (None, Result.NO_ANSWER),
        (101, Result.OK),
        (200, Result.OK),
        (204, Result.OK),
        (302, Result.REFUSED),
        (400, Result.REFUSED),
        (401, Result.UNAUTHORISED),
        (402, Result.UNPAID),
        (403, Result.FORBIDDEN),
        (404, Result.REFUSED),
        (422, Result.REFUSED),
        (429, Result.THROTTLED),
        (499, Result.REFUSED),
        (500, Result.SERVER_ERROR),
        (503, Result.SERVER_ERROR),
        (999, Result.SERVER_ERROR),
    ],
)
def test_every_status_is_one_of_a_few_results(status: int | None, result: Result) -> None:
    assert result_of(status) is result


def told(limit: str | None, remaining: str | None, at: datetime | None = SOON) -> Allowance | None:
    return allowance(Span.WINDOW, limit, remaining, at, NOW)


def test_a_limit_is_what_the_headers_say() -> None:
    assert told("900", " 899 ") == Allowance(Span.WINDOW, 900, 899, SOON)


@pytest.mark.parametrize(
    ("limit", "remaining"),
    [
        (None, "1"), ("1", None), ("", "1"), ("0", "0"), ("-5", "1"), ("5", "-1"), ("1e3", "1"),
        ("900", "many"), ("٩٠٠", "1"), ("9" * 10, "1"), ("900", "9" * 4000), ("nan", "inf"),
    ],
)  # fmt: skip
def test_a_limit_that_makes_no_sense_is_none(limit: str | None, remaining: str | None) -> None:
    assert told(limit, remaining) is None


def test_no_more_remains_than_there_is() -> None:
    found = told("50", "900")
    assert found is not None
    assert found.remaining == 50


@pytest.mark.parametrize("at", [None, NOW, NOW - timedelta(days=400), NOW + timedelta(days=2)])
def test_a_reset_that_is_past_or_far_away_is_not_believed(at: datetime | None) -> None:
    found = told("50", "1", at)
    assert found is not None
    assert found.resets_at is None


@given(st.text(max_size=30), st.text(max_size=30))
def test_whatever_is_sent_it_is_a_bounded_number_or_nothing(limit: str, remaining: str) -> None:
    found = told(limit, remaining)
    assert found is None or 0 <= found.remaining <= found.limit < 10**9
