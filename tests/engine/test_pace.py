"""Reading keeps within a network's allowance, whatever wakes it."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bridge.engine.pace import Pace

BEGIN = datetime(2026, 11, 22, tzinfo=UTC)


@given(
    st.integers(5, 1000),
    st.lists(st.floats(0, 90), min_size=1, max_size=400),
)
def test_no_quarter_of_an_hour_sees_more_reads_than_allowed(
    allowance: int, gaps: list[float]
) -> None:
    pace, now = Pace(allowance), BEGIN
    reads: list[datetime] = []
    for gap in gaps:
        now += timedelta(seconds=gap)
        if pace.take(now) is None:
            reads.append(now)
    for first in reads:
        window = [read for read in reads if first <= read < first + timedelta(minutes=15)]
        assert len(window) <= allowance


@given(st.integers(5, 1000))
def test_who_waits_as_told_is_let_in(allowance: int) -> None:
    pace, now = Pace(allowance), BEGIN
    for _ in range(allowance):
        again = pace.take(now)
        if again is not None:
            now = again + timedelta(milliseconds=1)
            assert pace.take(now) is None


def test_a_clock_that_jumps_back_gives_nothing_away_and_blocks_nothing() -> None:
    pace = Pace(300)
    assert pace.take(BEGIN) is None
    assert pace.take(BEGIN - timedelta(days=1)) is None
