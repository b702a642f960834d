"""What shuts out an account stops both of its directions, and is said once."""

from datetime import UTC, datetime

from bridge.cli.pauses import OncePerReason
from bridge.core.events import Event, RoutePaused, RouteResumed, SourceRead
from bridge.core.model import BridgeName, Direction, Route
from bridge.core.prices import FREE

NOW = datetime(2026, 11, 22, tzinfo=UTC)
OUT = Route(BridgeName("a"), Direction.MASTODON_TO_X)
HOME = Route(BridgeName("a"), Direction.X_TO_MASTODON)
OTHER = Route(BridgeName("b"), Direction.MASTODON_TO_X)


def paused(route: Route, detail: str) -> RoutePaused:
    return RoutePaused(NOW, route, None, detail)


def test_one_reason_is_told_once_for_each_bridge() -> None:
    heard: list[Event] = []
    tell = OncePerReason(heard.append)
    for event in (
        paused(OUT, "sending to x: HTTP 401"),
        paused(HOME, "reading x: HTTP 401"),
        paused(HOME, "looking at x: HTTP 503"),
        paused(OTHER, "sending to x: HTTP 401"),
    ):
        tell(event)
    assert [event.detail for event in heard if isinstance(event, RoutePaused)] == [
        "sending to x: HTTP 401", "looking at x: HTTP 503", "sending to x: HTTP 401",
    ]  # fmt: skip


def test_after_it_has_passed_it_is_told_again_and_everything_else_always() -> None:
    heard: list[Event] = []
    tell = OncePerReason(heard.append)
    again = paused(OUT, "sending to x: HTTP 401")
    read = SourceRead(NOW, OUT, 0, FREE)
    for event in (again, again, read, RouteResumed(NOW, OUT), again, read):
        tell(event)
    assert heard == [again, read, RouteResumed(NOW, OUT), again, read]
