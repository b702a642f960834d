"""What open pages are told of, and what they need not hear."""

from datetime import UTC, datetime

from bridge.core.events import SourceRead
from bridge.core.model import Route
from bridge.core.prices import FREE
from bridge.surfaces.web.live import Live
from tests.surfaces.web.stage import BACK, OUT


def polled(route: Route, posts: int = 0) -> SourceRead:
    return SourceRead(datetime.now(UTC), route, posts, FREE)


def tells(live: Live, event: SourceRead) -> bool:
    before = live.version
    live.hear(event)
    return live.version != before


def test_a_first_reading_is_told_though_it_brought_nothing() -> None:
    live = Live()
    assert tells(live, polled(OUT)), "until then the page says that nothing was ever read"
    assert tells(live, polled(BACK))


def test_later_readings_are_told_by_what_they_bring() -> None:
    live = Live()
    live.hear(polled(OUT))
    assert not tells(live, polled(OUT))
    assert tells(live, polled(OUT, posts=2))
    assert not tells(live, polled(OUT))
