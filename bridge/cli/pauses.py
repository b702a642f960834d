"""Say once what pauses several routes: an account that is shut out stops both of its directions.

Must not keep anything else from being heard.
"""

from __future__ import annotations

from bridge.core.events import Event, RoutePaused, RouteResumed
from bridge.core.model import Route
from bridge.ports import Listener


class OncePerReason:
    """A listener in front of another: a bridge's second pause for the same reason is not told."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._reasons: dict[Route, set[str]] = {}

    def __call__(self, event: Event) -> None:
        """Pass `event` on, unless it says nothing new."""
        if isinstance(event, RoutePaused):
            # "reading x: HTTP 401", "sending to x: HTTP 401": what follows is the reason.
            reason = event.detail.partition(": ")[2]
            told = {
                each
                for route, reasons in self._reasons.items()
                if route.bridge == event.route.bridge
                for each in reasons
            }
            self._reasons.setdefault(event.route, set()).add(reason)
            if reason in told:
                return
        elif isinstance(event, RouteResumed):
            self._reasons.pop(event.route, None)
        self._listener(event)
