"""A gate and whoever comes at the time that it named."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bridge.core.errors import Transient
from bridge.core.model import BridgeName, Direction, Route
from bridge.engine.gate import Gate
from bridge.engine.route import Bench
from tests.fakes import PatientClock

ROUTE = Route(BridgeName("personal"), Direction.MASTODON_TO_X)
BEGIN = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Clock(PatientClock):
    """Has been running for long before the wall clock says `BEGIN`."""

    def __init__(self, uptime: float) -> None:
        super().__init__()
        self.at, self.uptime = BEGIN, uptime

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.uptime + (self.at - BEGIN).total_seconds()


@given(
    uptime=st.floats(0, 1e9),
    waited=st.integers(0, 10**9).map(lambda micros: timedelta(microseconds=micros)),
    jitter=st.floats(0, 1),
)
def test_it_is_open_at_the_time_that_it_named_and_not_before(
    uptime: float, waited: timedelta, jitter: float
) -> None:
    clock = Clock(uptime)
    gate = Gate(ROUTE, "reading X", Bench(None, clock, lambda: jitter))  # type: ignore[arg-type] # asks no ledger
    clock.at += waited
    gate.failed(Transient("HTTP 503", status=503))
    named = gate.reopens_at()
    assert named is not None
    clock.at = named - timedelta(milliseconds=10)
    assert not gate.is_open()
    clock.at = named
    assert gate.is_open()
