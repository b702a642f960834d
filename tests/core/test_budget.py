"""The arithmetic of the budget: never over it, months as X bills them, forecasts that err high."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.budget import (
    NO_BUDGET,
    Budget,
    Spent,
    Usage,
    forecast,
    kind_of,
    month_begin,
    month_end,
    month_of,
    next_month,
    over_budget,
)
from bridge.core.draft import DraftPart
from bridge.core.model import Direction, Microdollars, PostId
from bridge.core.prices import FREE

AMOUNTS = st.integers(0, 10**9).map(Microdollars)
MOMENTS = st.datetimes(
    datetime(2007, 1, 1),  # noqa: DTZ001 - the zone is drawn beside it
    datetime(2100, 1, 1),  # noqa: DTZ001 - likewise
    timezones=st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours))),
)


@given(AMOUNTS, st.lists(AMOUNTS.filter(bool), max_size=50))
def test_what_is_sent_never_comes_to_more_than_the_budget(
    per_month: Microdollars, prices: list[Microdollars]
) -> None:
    budget, spent = Budget(per_month), 0
    for price in prices:
        if budget.allows(price, Usage(Microdollars(spent))):
            spent += price
        else:
            assert spent + price > per_month
    assert spent <= per_month


@given(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)
def test_what_may_have_been_charged_counts_as_what_was(
    per_month: Microdollars, spent: Microdollars, under_way: Microdollars, price: Microdollars
) -> None:
    together = Usage(Microdollars(spent + under_way))
    budget = Budget(per_month)
    assert budget.allows(price, Usage(spent, under_way)) is budget.allows(price, together)
    assert budget.allows_upkeep(Usage(spent, under_way)) is budget.allows_upkeep(together)


@given(AMOUNTS, AMOUNTS)
def test_what_is_free_is_never_held(per_month: Microdollars, spent: Microdollars) -> None:
    assert Budget(per_month).allows(FREE, Usage(spent))


@given(AMOUNTS, AMOUNTS)
def test_reading_stops_at_twice_the_budget_and_not_before(
    per_month: Microdollars, spent: Microdollars
) -> None:
    assert Budget(per_month).allows_upkeep(Usage(spent)) is (spent < 2 * per_month)


def test_without_a_bound_nothing_is_held_and_nobody_is_warned() -> None:
    usage = Usage(Microdollars(10**12))
    assert NO_BUDGET.allows(Microdollars(10**9), usage)
    assert NO_BUDGET.allows_upkeep(usage)
    assert not NO_BUDGET.is_near(usage)


@pytest.mark.parametrize(("spent", "near"), [(0, False), (79, False), (80, True), (101, True)])
def test_the_owner_is_told_from_that_share_of_the_budget_on(spent: int, near: bool) -> None:
    assert Budget(Microdollars(100), 80).is_near(Usage(Microdollars(spent))) is near


@given(MOMENTS)
def test_a_month_is_one_of_utc_wherever_the_clock_stands(now: datetime) -> None:
    month = month_of(now)
    assert month == now.astimezone(UTC).strftime("%Y-%m")
    assert month_begin(month) <= now < month_end(month)
    assert next_month(now) == month_end(month)
    assert month_of(next_month(now)) > month
    assert month_of(next_month(now) - timedelta(microseconds=1)) == month


def test_new_year_comes_with_utc() -> None:
    tokyo = datetime(2027, 1, 1, 8, 59, tzinfo=timezone(timedelta(hours=9)))
    assert month_of(tokyo) == "2026-12"
    assert month_of(tokyo + timedelta(minutes=1)) == "2027-01"


@given(AMOUNTS, MOMENTS)
def test_a_forecast_is_never_less_than_what_is_spent(spent: Microdollars, now: datetime) -> None:
    assert forecast(spent, month_of(now), now) >= spent


def test_a_forecast_goes_on_as_until_now_and_is_exact_once_the_month_is_over() -> None:
    spent = Microdollars(1_000_000)
    assert forecast(spent, "2026-11", datetime(2026, 11, 16, tzinfo=UTC)) == 2_000_000
    assert forecast(spent, "2026-11", datetime(2026, 11, 1, 1, tzinfo=UTC)) == 30_000_000
    assert forecast(spent, "2026-11", datetime(2026, 12, 1, tzinfo=UTC)) == spent


def test_the_reason_says_when_it_goes_out_and_what_to_do() -> None:
    said = over_budget(Budget(Microdollars(5_000_000)), datetime(2026, 11, 22, tzinfo=UTC))
    assert said == (
        "over this month's budget of $5.00; goes out on 1 December (UTC) or after: twinpost release"
    )


@pytest.mark.parametrize(
    ("text", "way", "kind"),
    [
        ("words", Direction.MASTODON_TO_X, Spent.POST),
        ("see example.com", Direction.MASTODON_TO_X, Spent.POST_WITH_LINK),
        ("see https://example.com", Direction.X_TO_MASTODON, Spent.POST),
    ],
)
def test_only_on_x_a_link_makes_a_post_of_another_kind(
    text: str, way: Direction, kind: Spent
) -> None:
    assert kind_of(way, DraftPart(0, text, FREE)) is kind
    assert kind_of(way, DraftPart(0, text, FREE, repeat=PostId("1"))) is Spent.REPOST
